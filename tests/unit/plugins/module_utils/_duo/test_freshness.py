# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Silence is told from a fault."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import (
    ABSENT,
    DAY,
    FALLEN,
    FLOWING,
    QUIET,
    STALE,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._duo.freshness import (
    LOGS,
    SETTLED,
    absent,
    days,
    flow,
    newest,
    params,
)

NOW = 1_700_000_000.0
AUTHENTICATION, ADMINISTRATOR, _OFFLINE = LOGS


@pytest.mark.parametrize(
    ("found", "tried", "state"),
    [(NOW - 600, 0, FLOWING), (NOW - 2 * DAY, 0, QUIET), (None, 0, QUIET), (None, 3, STALE), (NOW - 2 * DAY, 1, STALE)],
)
def test_attempts_tell_quiet_from_broken(found: float | None, tried: int, state: str) -> None:
    told = flow("account", AUTHENTICATION, found, [tried, 40, 0], NOW)
    assert told.state == state
    assert bool(told.next_step) == (state == STALE)
    assert told.volume == (tried, 40)


@pytest.mark.parametrize(
    ("found", "attempts", "state"),
    [
        (NOW - 600, [10, 0, 100], FALLEN),
        (NOW - 2 * DAY, [0, 60, 0], FALLEN),
        (NOW - 600, [10, 99, 0], FLOWING),
        (NOW - 600, [], FLOWING),
    ],
)
def test_a_fall_of_the_authentications_is_a_finding(found: float, attempts: list[int], state: str) -> None:
    assert flow("account", AUTHENTICATION, found, attempts, NOW).state == state


def test_the_same_day_of_the_weeks_before_is_asked_for() -> None:
    assert days(AUTHENTICATION, NOW) == [
        (NOW - DAY, NOW - SETTLED),
        (NOW - 8 * DAY, NOW - 7 * DAY),
        (NOW - 15 * DAY, NOW - 14 * DAY),
    ]
    assert days(ADMINISTRATOR, NOW) == []


def test_other_logs_may_be_silent() -> None:
    assert [flow("a", log, None, [], NOW).state for log in LOGS] == [QUIET] * 3
    assert [one.state for one in absent("a")] == [ABSENT] * 3


def test_windows_and_units() -> None:
    asked = params(AUTHENTICATION, NOW)
    assert int(asked["maxtime"]) == NOW * 1000
    assert NOW - int(asked["mintime"]) / 1000 == 179 * DAY
    assert params(ADMINISTRATOR, NOW) == {"mintime": str(int(NOW - DAY))}
    assert newest(AUTHENTICATION, {"authlogs": [{"timestamp": 5}]}) == 5.0
    assert newest(ADMINISTRATOR, [{"timestamp": 5}, {"timestamp": 7}]) == 7.0
    assert newest(ADMINISTRATOR, []) is None
