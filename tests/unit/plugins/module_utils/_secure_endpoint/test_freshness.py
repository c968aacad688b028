# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify says of a queue, by its readers, what waits in it, and the newest event."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError, RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint.freshness import (
    Sample,
    backlog,
    flow,
    unseen,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint.plan import Access, Filters, Kept
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint.probe import Depth

DAY = 86400.0
NOW = 1_800_000_000.0
OLD = Kept("SIEM", 17, "https://x", Access("user", "password", "event_stream_17", "x", 443), Filters(), NOW - 30 * DAY)
NEW = OLD._replace(made=NOW - 60)


@pytest.mark.parametrize(
    ("kept", "depth", "before", "newest", "state", "code"),
    [
        (OLD, Depth(0, 1), None, NOW - 60, "flowing", ""),
        (OLD, Depth(900, 1), None, NOW - 60, "flowing", ""),
        (OLD, Depth(0, 1), None, NOW - 2 * DAY, "quiet", ""),
        (OLD, Depth(0, 1), None, None, "quiet", ""),
        (OLD, Depth(0, 0), None, NOW - 60, "stale", "no_consumer"),
        (NEW, Depth(0, 0), None, None, "pending", "no_consumer"),
        (NEW, Depth(0, 2), None, NOW - 60, "fallen", "second_consumer"),
        (OLD, Depth(400, 1), Sample(17, NOW - DAY, 300), NOW - 60, "fallen", "backlog"),
        (OLD, Depth(110, 1), Sample(17, NOW - DAY, 10), NOW - 60, "flowing", ""),
    ],
)
def test_the_state_of_a_stream(
    kept: Kept, depth: Depth, before: Sample | None, newest: float | None, state: str, code: str
) -> None:
    found = flow(kept, depth, before, newest, NOW)
    assert (found.state, found.code) == (state, code)
    assert bool(found.next_step) == bool(code)


@pytest.mark.parametrize(
    ("before", "messages", "days"),
    [
        (None, 80, None),
        (Sample(17, NOW - DAY, 40), 80, 8.0),
        (Sample(17, NOW - DAY, 0), 80, 9.0),
        (Sample(17, NOW - DAY, 79), 80, 0.0),
        (Sample(17, NOW - DAY, 80), 80, None),
        (Sample(17, NOW - DAY, 90), 80, None),
        (Sample(16, NOW - DAY, 40), 80, None),
        (Sample(17, NOW + DAY, 40), 80, None),
        (Sample(17, NOW - DAY, 40), 0, None),
    ],
)
def test_days_are_left_until_the_oldest_is_lost(before: Sample | None, messages: int, days: float | None) -> None:
    assert backlog(Sample(17, NOW, messages), before).days_left == days


def test_a_refusal_is_broken_and_silence_is_unknown() -> None:
    refused = RefusedError("look", "no", code="ACCESS_REFUSED", status=403)
    assert (unseen(OLD, refused).state, unseen(OLD, NoAnswerError("look", "no")).state) == ("stale", "unreadable")
