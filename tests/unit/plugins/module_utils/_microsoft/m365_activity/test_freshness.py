# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pending, quiet, flowing, stale and off are told apart."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.findings import CUSTOMER
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import (
    ABSENT,
    FLOWING,
    QUIET,
    STALE,
    UNREADABLE,
    WAITING_FOR_DATA,
    Limits,
    stamp,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity.freshness import (
    HOUR,
    Seen,
    flow,
    off,
    refused,
    windows,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity.plan import Known, Subscription

NOW = 2_000_000.0
GONE = "its newest content could no longer be fetched, so no record's time is known"
BACK = (1, 3, 24, 48, 72, 96, 120, 144)
LIMITS = Limits(3 * HOUR, 24 * HOUR)
EXCHANGE, GENERAL = "Audit.Exchange", "Audit.General"
LONG_AGO = Known(first=NOW - 13 * HOUR)


@pytest.mark.parametrize(
    ("type", "age", "known", "kept", "state"),
    [
        (EXCHANGE, 2.9, LONG_AGO, True, FLOWING),
        (EXCHANGE, 2.9, Known(), False, FLOWING),
        (EXCHANGE, 3.1, LONG_AGO, True, QUIET),
        (EXCHANGE, 25.0, LONG_AGO, True, STALE),
        (GENERAL, 25.0, LONG_AGO, True, QUIET),
        (EXCHANGE, None, Known(started=NOW - 11.9 * HOUR), True, WAITING_FOR_DATA),
        (EXCHANGE, None, Known(first=NOW - 11.9 * HOUR), True, WAITING_FOR_DATA),
        (EXCHANGE, None, Known(started=NOW - 12.1 * HOUR, first=NOW), True, STALE),
        (EXCHANGE, None, LONG_AGO, True, STALE),
        (GENERAL, None, LONG_AGO, True, QUIET),
        (GENERAL, None, Known(), False, UNREADABLE),
        (EXCHANGE, 25.0, Known(started=NOW), True, STALE),
    ],
)
def test_a_subscription_that_is_on(type: str, age: float | None, known: Known, kept: bool, state: str) -> None:
    seen = Seen() if age is None else Seen(NOW - age * HOUR, NOW - age * HOUR - 60)
    found = flow(type, seen, known, NOW, LIMITS, kept=kept)
    assert found.state == state
    assert found.state in (FLOWING, QUIET) or found.line(NOW)["next_step"]


def test_the_newest_record_is_told_and_the_content_judged() -> None:
    """Microsoft sends old records again: they are no sign that the feed stands still."""
    found = flow(EXCHANGE, Seen(NOW - 60, NOW - 6 * 24 * HOUR), LONG_AGO, NOW, LIMITS, kept=True)
    assert (found.state, found.newest) == (FLOWING, NOW - 6 * 24 * HOUR)


@pytest.mark.parametrize(
    ("type", "seen", "status", "message"),
    [
        (EXCHANGE, Seen(NOW - 60, NOW - 90), "in_sync", ""),
        (EXCHANGE, Seen(NOW - 60), "in_sync", GONE),
        (EXCHANGE, Seen(NOW - 25 * HOUR), "drifted", "newest content: 1970-01-23T02:33:20Z"),
        (EXCHANGE, Seen(), "drifted", "no content in the time that was looked at"),
        (GENERAL, Seen(), "in_sync", "no content in the time that was looked at, which such a type may have"),
    ],
)
def test_what_is_told_of_what_was_seen(type: str, seen: Seen, status: str, message: str) -> None:
    found = flow(type, seen, LONG_AGO, NOW, LIMITS, kept=True)
    assert (found.status, found.message) == (status, message)
    assert found.newest == (seen.record or seen.content)
    assert found.facts == {"newest_content": stamp(seen.content), "newest_record": stamp(seen.record)}


def test_what_is_off_is_absent_with_the_reason() -> None:
    assert off(EXCHANGE, None, Known(), NOW).state == ABSENT
    assert "disabled" in off(EXCHANGE, Subscription(EXCHANGE, "disabled"), Known(), NOW).message
    assert off(EXCHANGE, None, Known(started=NOW - 60), NOW).code == "not_listed"


@pytest.mark.parametrize(
    ("code", "owner", "state"),
    [
        ("AF20022", "", STALE),
        ("AF10001", CUSTOMER, STALE),
        ("AF50000", "", UNREADABLE),
        ("HTTP403", CUSTOMER, UNREADABLE),
    ],
)
def test_a_refusal_is_broken_only_where_somebody_can_cure_it(code: str, owner: str, state: str) -> None:
    error = RefusedError("read", "x", code=code, owner=owner, next_step="y")
    found = refused(EXCHANGE, error)
    assert (found.state, found.error and found.error.code) == (state, code)


@pytest.mark.parametrize("hours", [1, 2, 24, 30, 168])
def test_windows_go_back_without_a_gap_a_day_at_most(hours: int) -> None:
    found = list(windows(NOW, hours * HOUR))
    assert all(later[0] == earlier[1] for later, earlier in pairwise(found))
    assert found[0][1] > NOW
    assert NOW - hours * HOUR < found[-1][0] <= NOW - hours * HOUR + 600
    assert max(until - since for since, until in found) <= 24 * HOUR
    assert [NOW - since for since, _until in found[:-1]] == [back * HOUR for back in BACK[: len(found) - 1]]
