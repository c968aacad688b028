# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the subscriptions: what is started, what is stopped, and above all what is neither."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import BLOCKED, DRIFTED, IN_SYNC, UNKNOWN
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Verdict
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity.plan import (
    CONTENT_TYPES,
    Known,
    Subscription,
    permissions,
    plan,
)

TYPE = "Audit.Exchange"
NOW = 1_000_000.0


def one(
    held: Subscription | None, known: Known | None = None, *, wanted: bool = True, leaving: bool = False
) -> Verdict:
    """The verdict on one content type."""
    found = {held.type: held} if held else {}
    memory = {TYPE: known} if known else {}
    (verdict,) = plan((TYPE,) if wanted else (), found, memory, NOW, leaving=leaving)
    return verdict


def said(verdict: Verdict) -> tuple[str, tuple[str, ...], str]:
    return verdict.status, verdict.drift, verdict.action


def on(webhook: str = "", status: str = "enabled") -> Subscription:
    return Subscription(TYPE, status, webhook, "enabled" if webhook else "")


HOOK = "https://soar.example"


@pytest.mark.parametrize(
    ("held", "known", "expected"),
    [
        (on(), None, (IN_SYNC, (), "")),
        (on(status=""), None, (IN_SYNC, (), "")),
        (on(HOOK), None, (IN_SYNC, ("webhook",), "")),
        (None, None, (DRIFTED, ("missing",), "start")),
        (on(status="disabled"), None, (DRIFTED, ("stopped",), "start")),
        (on(HOOK, "disabled"), None, (BLOCKED, ("webhook",), "")),
        (on(status="suspended"), None, (UNKNOWN, (), "")),
        (None, Known(started=NOW - 899), (BLOCKED, ("too_soon",), "")),
        (None, Known(stopped=NOW - 899), (BLOCKED, ("too_soon",), "")),
        (None, Known(started=NOW - 901), (BLOCKED, ("not_listed",), "")),
        (None, Known(started=NOW - 43_201), (DRIFTED, ("missing",), "start")),
        (None, Known(started=NOW - 2000, last=NOW - 1000), (DRIFTED, ("missing",), "start")),
        (on(status="disabled"), Known(started=NOW - 2000), (DRIFTED, ("stopped",), "start")),
        (None, Known(stopped=NOW - 901), (DRIFTED, ("missing",), "start")),
    ],
)
def test_what_is_wanted(
    held: Subscription | None, known: Known | None, expected: tuple[str, tuple[str, ...], str]
) -> None:
    assert said(one(held, known)) == expected


@pytest.mark.parametrize(
    ("held", "known", "wanted", "expected"),
    [
        (on(), None, True, (DRIFTED, ("unexpected",), "stop")),
        (on(), Known(started=1.0), False, (DRIFTED, ("unexpected",), "stop")),
        (on(), None, False, (IN_SYNC, ("unexpected",), "")),
        (on(HOOK), Known(started=1.0), True, (BLOCKED, ("webhook",), "")),
        (on(status="disabled"), None, True, (IN_SYNC, (), "")),
        (None, None, True, (IN_SYNC, (), "")),
    ],
)
def test_what_goes(
    held: Subscription | None, known: Known | None, wanted: bool, expected: tuple[str, tuple[str, ...], str]
) -> None:
    assert said(one(held, known, wanted=wanted, leaving=True)) == expected


def test_what_is_on_and_not_wanted_is_told_and_what_is_off_is_not() -> None:
    assert said(one(on(), wanted=False)) == (BLOCKED, ("unexpected",), "")
    assert not list(plan((), {TYPE: on(status="disabled")}, {}, NOW, leaving=False))


def test_nothing_that_is_on_is_ever_started_and_nothing_is_stopped_but_by_leaving() -> None:
    for held in (on(), on(HOOK), on(status="")):
        for known in (None, Known(started=1.0), Known(stopped=NOW)):
            assert not one(held, known).action
            assert not one(held, known, wanted=False).action


def test_every_finding_has_a_next_step() -> None:
    for held in (None, on(HOOK), on(HOOK, "disabled")):
        for known in (None, Known(started=NOW - 1), Known(started=NOW - 2000)):
            for leaving in (False, True):
                verdict = one(held, known, leaving=leaving)
                assert verdict.action or not verdict.drift or verdict.next_step
    for leaving in (False, True):
        assert one(on(), wanted=False, leaving=leaving).next_step


def test_a_start_is_what_safe_may_do() -> None:
    assert one(None).due("safe")
    assert not one(on(), leaving=True).due("safe")


def test_which_permissions_are_needed() -> None:
    assert permissions(CONTENT_TYPES[:4]) == ("ActivityFeed.Read",)
    assert permissions(CONTENT_TYPES) == ("ActivityFeed.Read", "ActivityFeed.ReadDlp")


def test_since_when_it_is_on_is_kept_while_it_is_seen_to_be() -> None:
    seen = Known().seen(True, 5.0).seen(True, 9.0)
    assert (seen.since, seen.last) == (5.0, 9.0)
    assert seen.seen(False, 10.0).since is None
    assert seen._replace(started=7.0).since == 7.0


def test_what_evidence_shows_of_a_subscription() -> None:
    assert on(HOOK, "").view() == {"status": "enabled", "webhook": HOOK}
    assert on(status="disabled").view() == {"status": "disabled", "webhook": None}
    assert (one(None).before, one(on(status="disabled")).before) == (None, on(status="disabled"))
