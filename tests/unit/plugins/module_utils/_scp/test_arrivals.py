"""What verify says of a source: silence is told, what could not be read is unknown, and ledgers are not trusted."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._scp import arrivals

HOUR = 3600
NOW = 100 * HOUR


def event(kind: str, hours_ago: float = 1, **more: Any) -> dict[str, Any]:
    return {"time": int(NOW - hours_ago * HOUR), "event": kind, **more}


@pytest.mark.parametrize(
    ("events", "made_hours_ago", "state"),
    [
        ([event("accepted")], 99, "flowing"),
        ([event("duplicate")], 99, "flowing"),
        ([event("accepted", 24)], 99, "flowing"),
        ([event("accepted", 25)], 99, "stale"),
        ([], 24, "pending"),
        ([], 25, "absent"),
        # To be refused or cut is no arrival.
        ([event("refused"), event("cut")], 25, "absent"),
    ],
)
def test_the_state_of_a_source(events: list[dict[str, Any]], made_hours_ago: int, state: str) -> None:
    found = arrivals.flow("esa", events, (0, 0), NOW - made_hours_ago * HOUR, NOW, 24)
    assert found.state == state
    assert bool(found.next_step) == (state in ("stale", "absent"))


def test_a_fall_of_the_files_is_told() -> None:
    old = [event("accepted", 24 * 9)] + [event("accepted", 24 * 7 + number / 10) for number in range(59, -1, -1)]
    found = arrivals.flow("esa", [*old, *(event("accepted", 1) for _file in range(5))], (0, 0), 0, NOW, 24)
    assert (found.state, found.volume) == ("fallen", (5, 60))
    assert arrivals.flow("esa", old, (0, 0), 0, NOW, 24).state == "stale"


def test_a_new_configuration_makes_no_drop_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, base = tmp_path / "config", tmp_path / "base"
    (base / "state").mkdir(parents=True)
    (base / "ready").mkdir()
    config.touch()
    os.utime(base, (NOW - 30 * HOUR, NOW - 30 * HOUR))
    monkeypatch.setattr(arrivals.time, "time", lambda: os.stat(config).st_mtime)
    assert arrivals.seen("esa", str(config), str(base), 24).state == "absent"
    base.touch()
    assert arrivals.seen("esa", str(config), str(base), 24).state == "pending"


def test_what_came_and_what_did_not_is_counted_and_safe_to_show() -> None:
    events = [event("accepted", name="a\x1b[31m.log"), event("refused", name="x", reason="r\n"), event("cut")]
    found = arrivals.flow("esa", events, (3, 99), 0, NOW, 24)
    line = found.line(NOW)
    assert (line["records"], line["refused"], line["cut"], line["waiting_files"]) == (1, 1, 1, 3)
    assert (line["last_file"], line["last_refusal"]) == ("a?[31m.log", "x: r?")


def test_lines_that_are_no_events_are_left_out(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    bad = ["", "[]", "{}", '{"time": "x", "event": "accepted"}', "{ cut"]
    (state / "ledger.1.jsonl").write_text(json.dumps(event("accepted", 9)) + "\n", encoding="ascii")
    (state / "ledger.jsonl").write_text("\n".join([*bad, json.dumps(event("refused"))]), encoding="ascii")
    assert [found["event"] for found in arrivals.read(str(tmp_path))] == ["accepted", "refused"]


def test_a_ledger_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/ledger.jsonl").symlink_to("/etc/passwd")
    with pytest.raises(OSError):
        arrivals.read(str(tmp_path))


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        (("flowing", "flowing"), "in_sync"),
        (("flowing", "pending"), "pending"),
        (("flowing", "stale"), "drifted"),
        (("flowing", "unreadable"), "unknown"),
        (("absent", "stale"), "drifted"),
    ],
)
def test_all_sources_together(states: tuple[str, ...], outcome: str) -> None:
    base = arrivals.flow("esa", [], (0, 0), NOW, NOW, 24)
    found = arrivals.report([base._replace(state=state, source=state) for state in states], NOW)
    assert found["summary"]["outcome"] == outcome
    assert found["summary"]["counts"]["unknown"] == states.count("unreadable")
    assert len(found["problems"]) == sum(state in arrivals.STEPS for state in states)


@pytest.mark.parametrize(
    ("state", "other", "reason", "after", "told"),
    [
        ("flowing", "", "", "flowing", ""),
        ("flowing", "ForceCommand none", "", "overruled", "for this account it has: ForceCommand none"),
        ("stale", "denyusers mssp-*", "", "overruled", "for this account it has: denyusers mssp-*"),
        ("flowing", "", "no sshd", "unreadable", "it cannot be asked: no sshd"),
        ("unreadable", "ForceCommand none", "", "unreadable", ""),  # what could not be read stays unknown
    ],
)
def test_other_rules_of_sshd_outweigh_that_files_arrive(
    state: str, other: str, reason: str, after: str, told: str
) -> None:
    base = arrivals.flow("esa", [event("accepted")], (0, 0), NOW, NOW, 24)
    found = arrivals.ruled(base._replace(state=state), other, reason)
    assert (found.code or found.state, found.facts["sshd"]) == (after, told)
    problems = arrivals.report([found], NOW)["problems"]
    assert [(problem["code"], told in problem["message"]) for problem in problems] == (
        [] if after == "flowing" else [(after, True)]
    )


@pytest.mark.parametrize(("there", "state"), [(False, "absent"), (True, "unreadable")])
def test_a_source_that_is_not_there_is_not_one_that_cannot_be_read(tmp_path: Path, there: bool, state: str) -> None:
    config = tmp_path / "config"
    if there:
        config.touch()
    found = arrivals.seen("esa", str(config), str(tmp_path / "missing"), 24)
    assert (found.source, found.state) == ("scp esa", state)
