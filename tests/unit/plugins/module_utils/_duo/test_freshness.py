# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Silence is told from a fault."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import ABSENT, FLOWING, QUIET, STALE
from ansible_collections.mssp.onboarding.plugins.module_utils._duo.freshness import (
    DAY,
    LOGS,
    absent,
    flow,
    needs_attempts,
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
    told = flow("account", AUTHENTICATION, found, tried, NOW)
    assert told.state == state
    assert bool(told.next_step) == (state == STALE)


def test_only_silent_authentications_ask_for_the_attempts() -> None:
    assert [needs_attempts(AUTHENTICATION, found, NOW) for found in (NOW - 60, NOW - 2 * DAY, None)] == [
        False,
        True,
        True,
    ]
    assert not needs_attempts(ADMINISTRATOR, None, NOW)


def test_other_logs_may_be_silent() -> None:
    assert [flow("a", log, None, 0, NOW).state for log in LOGS] == [QUIET] * 3
    assert [one.state for one in absent("a")] == [ABSENT] * 3


def test_windows_and_units() -> None:
    asked = params(AUTHENTICATION, NOW)
    assert int(asked["maxtime"]) == NOW * 1000
    assert NOW - int(asked["mintime"]) / 1000 == 179 * DAY
    assert params(ADMINISTRATOR, NOW) == {"mintime": str(int(NOW - DAY))}
    assert newest(AUTHENTICATION, {"authlogs": [{"timestamp": 5}]}) == 5.0
    assert newest(ADMINISTRATOR, [{"timestamp": 5}, {"timestamp": 7}]) == 7.0
    assert newest(ADMINISTRATOR, []) is None
