# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the webhook of saved searches, and of what lets it out."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import BLOCKED, DRIFTED, IN_SYNC, WAITING
from ansible_collections.mssp.onboarding.plugins.module_utils._splunk.plan import (
    AllowList,
    Search,
    Wanted,
    action,
    allow_list,
    ends,
    expression,
    permits,
    place,
    plan,
    shown,
)

URL = "https://prod-1.logic.azure.com:443/workflows/abc/triggers/manual/paths/invoke?sp=%2Frun&sig=s3cret"
OURS = Search("A", "search", "admin", ("email", "webhook"), URL)
RETIRED = "https://1.ods.opinsights.azure.com/api/logs?api-version=2016-04-01"


def one(found: Search | None, wanted: Wanted | None = None, *, leaving: bool = False) -> Any:
    (verdict,) = plan([wanted or Wanted("A")], [found] if found else [], URL, leaving=leaving)
    return verdict


@pytest.mark.parametrize(
    ("changed", "wanted", "status", "drift", "action"),
    [
        ({}, {}, IN_SYNC, (), ""),
        ({"actions": ("email",), "url": ""}, {}, DRIFTED, ("missing",), "create"),
        ({"actions": ("email",), "url": "https://old.example/x"}, {}, DRIFTED, ("missing",), "create"),
        ({"url": URL + "2"}, {}, DRIFTED, ("url",), "update"),
        ({"url": URL.replace("%2F", "/")}, {}, IN_SYNC, (), ""),
        ({"url": URL.replace("prod", "PROD")}, {}, DRIFTED, ("url",), "update"),
        ({"url": "https://x.example/y"}, {}, BLOCKED, ("foreign",), ""),
        ({"url": "https://x.example/y"}, {"replace": True}, DRIFTED, ("foreign",), "update"),
        ({"url": RETIRED}, {}, BLOCKED, ("retired",), ""),
        ({}, {"delivery": "per_result"}, DRIFTED, ("delivery",), "update"),
        ({"digest": False}, {"delivery": "as_is"}, IN_SYNC, (), ""),
        ({"disabled": True}, {}, IN_SYNC, ("disabled",), ""),
        ({"scheduled": False}, {}, IN_SYNC, ("unscheduled",), ""),
        ({"orphaned": True, "disabled": True}, {}, IN_SYNC, ("orphaned",), ""),
        ({"disabled": True, "actions": ()}, {}, DRIFTED, ("missing", "disabled"), "create"),
        ({"name": "Aa"}, {}, BLOCKED, ("search_missing",), ""),
        ({}, {"app": "soc"}, BLOCKED, ("search_missing",), ""),
    ],
)
def test_a_search(
    changed: dict[str, Any], wanted: dict[str, Any], status: str, drift: tuple[str, ...], action: str
) -> None:
    verdict = one(OURS._replace(**changed), Wanted("A", **wanted))
    assert (verdict.status, verdict.drift, verdict.action) == (status, drift, action)
    idle = {"disabled", "unscheduled", "orphaned"} & set(drift)
    assert bool(verdict.next_step) == bool(status == BLOCKED or idle)


def test_other_actions_stay() -> None:
    assert one(OURS._replace(actions=("email", "notable"))).after.actions == ("email", "notable", "webhook")


def test_two_of_one_name_are_told_by_their_apps() -> None:
    found = [OURS, OURS._replace(app="soc")]
    (verdict,) = plan([Wanted("A")], found, URL, leaving=False)
    assert (verdict.drift, "search, soc" in verdict.reason) == (("ambiguous",), True)
    (verdict,) = plan([Wanted("A", app="soc")], found, URL, leaving=False)
    assert verdict.status == IN_SYNC


@pytest.mark.parametrize(
    ("found", "after"),
    [(None, None), (OURS, ("email",)), (OURS._replace(url="https://x.example/y"), None), (OURS._replace(url=""), None)],
)
def test_ours_alone_goes(found: Search | None, after: tuple[str, ...] | None) -> None:
    verdict = one(found, leaving=True)
    assert verdict.status == (DRIFTED if after else IN_SYNC)
    assert (verdict.after.actions if after else None) == after


def test_a_url_is_told_without_its_key() -> None:
    assert "s3cret" not in shown(URL)
    assert "sig" not in str(OURS.view())
    assert shown(URL) != shown(URL + "2")
    assert place(URL) == place(URL.replace(":443", "").replace("s3cret", "x").replace("prod", "PROD"))


@pytest.mark.parametrize(
    ("url", "through"),
    [
        (URL, True),
        (URL.replace(":443", ""), True),
        (URL.replace("s3cret", "other"), True),
        (URL.replace("abc", "abd"), False),
        (URL.replace("invoke?", "invoke/more?"), False),
        ("https://evil.example/?x=" + URL, False),
        (URL.replace("prod-1.logic", "prod-1xlogic"), False),
        (URL.replace("https", "http"), False),
        (URL.replace(":443", ":8443"), False),
    ],
)
def test_the_expression_lets_the_receiver_through_and_nothing_else(url: str, through: bool) -> None:
    assert permits(expression(URL), url) == through


THEIRS = {"theirs": r"^https://x\.example/"}
MINE = {"ours": expression(URL)}


@pytest.mark.parametrize(
    ("found", "status", "drift"),
    [
        (AllowList(False, {}), IN_SYNC, ()),
        (AllowList(False, THEIRS), IN_SYNC, ()),
        (AllowList(True, {}), IN_SYNC, ()),
        (AllowList(True, THEIRS), DRIFTED, ("missing",)),
        (AllowList(True, {"loose": r"logic\.azure"}), IN_SYNC, ()),
        (AllowList(True, {**THEIRS, **MINE}), IN_SYNC, ()),
        (AllowList(True, {"ours": "^https://old/"}), DRIFTED, ("changed",)),
        (AllowList(True, {"broken": "("}), DRIFTED, ("missing",)),
    ],
)
def test_an_allow_list(found: AllowList, status: str, drift: tuple[str, ...]) -> None:
    verdict = allow_list(found, "ours", URL, leaving=False, cloud=False)
    assert (verdict.status, verdict.drift) == (status, drift)
    cloud = allow_list(found, "ours", URL, leaving=False, cloud=True)
    assert cloud.status == (WAITING if status == DRIFTED else status)
    assert not cloud.action


def test_our_entry_alone_goes() -> None:
    verdict = allow_list(AllowList(True, {**THEIRS, **MINE}), "ours", URL, leaving=True, cloud=False)
    assert (verdict.action, verdict.after.entries, verdict.subject) == ("delete", THEIRS, ("", "ours"))
    assert allow_list(AllowList(True, THEIRS), "ours", URL, leaving=True, cloud=False).status == IN_SYNC


@pytest.mark.parametrize(("app", "status"), [("alert_webhook", IN_SYNC), ("system", IN_SYNC), ("search", BLOCKED)])
def test_a_stanza_in_the_app_search_breaks_all(app: str, status: str) -> None:
    assert action(AllowList(False, {}, app)).status == status


@pytest.mark.parametrize(
    ("query", "end"),
    [
        ("sp=%2Frun&se=2026-12-01T00%3A00%3A00Z&sig=x", 1796083200.0),
        ("se=tomorrow", None),
        ("se=", None),
        ("sig=x", None),
    ],
)
def test_the_end_of_a_url_is_what_it_says_itself(query: str, end: float | None) -> None:
    assert ends(f"https://relay.example/workflows/abc?{query}") == end


def test_without_a_url_nothing_tells_whose_webhook_it_is() -> None:
    (left,) = plan([Wanted("A")], [OURS], "", leaving=True)
    assert (left.status, left.action, "nothing tells whose" in left.reason, bool(left.next_step)) == (
        *(IN_SYNC, "", True, True),
    )
    (waits,) = plan([Wanted("A")], [OURS._replace(orphaned=True)], "", leaving=False)
    assert (waits.status, waits.action, waits.drift) == (DRIFTED, "", ("no_url", "orphaned"))
