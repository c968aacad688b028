# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Silence, a role that does not count yet, and a way that is closed are told apart."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import (
    ABSENT,
    FLOWING,
    QUIET,
    STALE,
    UNREADABLE,
    WAITING_FOR_DATA,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.custom_logs.data import Arrived
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.custom_logs.freshness import (
    Probe,
    judged,
    refused,
    unseen,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.custom_logs.options import setup

from .test_options import GOOD

NOW = 1_000_000.0
NOTHING = Arrived(None, None, 0, (0, 0, 0))
SETUP = setup(GOOD)


@pytest.mark.parametrize(
    ("newest", "made", "quiet", "state"),
    [
        (NOW - 60, None, False, FLOWING),
        (None, NOW - 60, False, WAITING_FOR_DATA),
        (None, None, False, STALE),
        (None, NOW - 90_000, False, STALE),
        (None, NOW - 90_000, True, QUIET),
        (NOW - 80_000, NOW - 90_000, False, QUIET),
        (NOW - 90_000, NOW - 95_000, False, STALE),
    ],
)
def test_silence(newest: float | None, made: float | None, quiet: bool, state: str) -> None:
    found = judged("t", NOTHING._replace(newest=newest), made, None, SETUP._replace(may_be_quiet=quiet), NOW)
    assert found.state == state
    assert bool(found.message) == (quiet and newest is None)


def test_lag_and_fall_are_told() -> None:
    found = judged("t", Arrived(NOW - 60, NOW - 15, 9, (1, 100, 90)), None, None, SETUP, NOW)
    assert (found.lag, found.state) == (45, "fallen")


def test_a_closed_way_counts_for_more_than_records() -> None:
    arrived = NOTHING._replace(newest=NOW - 60)
    assert judged("t", arrived, None, Probe(STALE, "closed"), SETUP, NOW).state == STALE
    assert judged("t", arrived, None, Probe(FLOWING, " within 3 s"), SETUP, NOW).state == FLOWING
    error = RefusedError("send", "no", code="x")
    assert judged("t", arrived, None, Probe(UNREADABLE, error=error), SETUP, NOW).state == UNREADABLE


@pytest.mark.parametrize(
    ("role", "state"), [(None, ABSENT), (0, WAITING_FOR_DATA), (1800, WAITING_FOR_DATA), (1801, STALE)]
)
def test_half_an_hour_is_pending_and_no_more(role: float | None, state: str) -> None:
    error = RefusedError("send", "IsRbacPresent: False", code="OperationFailed", status=403)
    assert refused(error, role).state == state
    bound = RefusedError("send", "IsDcrDceBindingValid: False", code="OperationFailed", status=403)
    assert refused(bound, role).state == STALE


@pytest.mark.parametrize(("made", "state"), [(None, STALE), (900, WAITING_FOR_DATA), (901, STALE)])
def test_a_lost_probe_is_pending_only_while_the_rule_is_new(made: float | None, state: str) -> None:
    assert unseen(NOW, made).state == state
