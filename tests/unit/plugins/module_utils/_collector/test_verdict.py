"""Probes together: nothing that was not measured is called ok, and the table fits a terminal."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._collector import verdict

SKIP = {"skipped": True, "skip_reason": "Conditional result was False"}
DONE = {"sent": 8, "stored": 8, "lost": 0, "duplicated": 0, "reordered": 0, "truncated": 0, "seconds_p95": 0.25}


def said(outcome: str, msg: str = "Said.", **more: Any) -> dict[str, Any]:
    return {"summary": {"outcome": outcome}, "msg": msg, "probe": {"sent": 8}, "sender": "10.0.0.1", **more}


def probe(sent: dict[str, Any], stored: dict[str, Any], source: str = "firewall") -> dict[str, Any]:
    return {"source": source, "transport": "udp", "sent": sent, "stored": stored, "lacking": "No key for it."}


def judged(*probes: dict[str, Any], check: bool = False, limit: float = 0.0) -> dict[str, Any]:
    return verdict.result([verdict.row(each, limit, check=check) for each in probes])


GOOD = probe(said("in_sync"), said("in_sync", probe=DONE))
LOST = probe(said("in_sync"), said("failed", "3 lost.", probe={**DONE, "lost": 3}), "proxy")
UNSENT = probe(SKIP, SKIP, "vault")
CASES = [
    (GOOD, "in_sync"),
    (LOST, "failed"),
    (probe(said("failed", "refused"), SKIP), "failed"),
    (probe(said("failed", "cut"), said("in_sync", probe=DONE)), "failed"),
    (UNSENT, "unknown"),
    (probe(said("unknown", "Takes this source from 192.0.2.7 only."), SKIP), "unknown"),
    (probe(said("in_sync"), SKIP), "unknown"),
    # Modules that could not run: no Python there, a wrong option.
    (probe({"msg": "no Python", "failed": False}, SKIP), "failed"),
    (probe(said("in_sync"), {"msg": "unreachable", "unreachable": True}), "failed"),
]


@pytest.mark.parametrize(("given", "outcome"), CASES)
def test_the_outcome_of_a_source(given: dict[str, Any], outcome: str) -> None:
    found = judged(given)
    assert found["rows"][0]["outcome"] == outcome
    assert found["failed"] == (outcome == "failed")
    assert found["summary"]["outcome"] == outcome
    assert (found["problems"] == []) == (outcome == "in_sync")


def test_what_comes_late_fails_and_says_by_how_much() -> None:
    assert not judged(GOOD, limit=0.25)["failed"]
    found = judged(GOOD, limit=0.2)
    assert (found["failed"], found["rows"][0]["outcome"], found["summary"]["counts"]["failed"]) == (True, "late", 1)
    assert "after 0.25 s; the limit is 0.2 s" in found["msg"]


def test_in_check_mode_nothing_is_ok_and_nothing_fails() -> None:
    would = probe(said("in_sync", "Would send 8 records."), SKIP)
    found = judged(would, UNSENT, probe(said("unknown"), SKIP), check=True)
    assert [row["outcome"] for row in found["rows"]] == ["skipped", "unknown", "unknown"]
    assert (found["failed"], found["summary"]["counts"]["in_sync"]) == (False, 0)


@pytest.mark.parametrize(
    ("probes", "outcome"),
    [
        ((GOOD, GOOD), "in_sync"),
        ((GOOD, UNSENT), "unknown"),
        ((GOOD, LOST), "failed"),
        ((UNSENT, LOST), "failed"),
        ((), "in_sync"),
    ],
)
def test_the_outcome_of_all_together(probes: tuple[dict[str, Any], ...], outcome: str) -> None:
    assert judged(*probes)["summary"]["outcome"] == outcome


def test_the_reason_of_each_that_is_not_ok_stands_below_the_table() -> None:
    inside = {**GOOD, "source": "badge", "sent": said("in_sync", sender="127.0.0.1")}
    found = judged(GOOD, inside, LOST, UNSENT)
    assert found["table"][5:] == [
        "Sent by the collector itself, not over the network: badge",
        "proxy udp: 3 lost.",
        "vault udp: Nothing was sent. No key for it.",
    ]
    assert found["msg"] == "proxy udp is failed: 3 lost. vault udp is unknown: Nothing was sent. No key for it."


def test_what_kept_a_probe_back_is_told_with_the_address_and_only_then() -> None:
    elsewhere = probe(said("unknown", "Takes this source from 192.0.2.7 only."), SKIP)
    assert judged(elsewhere)["rows"][0]["msg"] == "Takes this source from 192.0.2.7 only. No key for it."
    assert judged(LOST)["rows"][0]["msg"] == "3 lost."


def test_the_table_fits_whatever_the_names_and_numbers() -> None:
    many = dict.fromkeys(DONE, 99_999) | {"seconds_p95": 1234.567}
    long = probe(said("in_sync"), said("in_sync", probe=many), "a-source-with-a-name-of-40-letters-in-all")
    short = verdict.table(judged(GOOD)["rows"])
    assert short == [
        "source   by  outcome sent stored lost twice order cut secs",
        "firewall udp in_sync    8      8    0     0     0   0 0.25",
    ]
    wide = verdict.table(judged(GOOD, long, UNSENT)["rows"])
    assert {len(line) for line in wide} == {verdict.WIDTH}
    assert wide[2].startswith("a-source-… udp ")
    assert wide[3].split() == ["vault", "udp", "unknown", "0", *("-",) * 6]
