# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The judgement on a flow, state by state, and the query behind it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import flow
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub.flow import Limits, Seen, judge

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LIMITS = Limits(grace=timedelta(hours=2), stale=timedelta(hours=24))
LOUD, QUIET = "microsoft.keyvault/vaults", "microsoft.network/publicipaddresses"


def ago(**given: float) -> datetime:
    return NOW - timedelta(**given)


def seen(**given: Any) -> Seen:
    return Seen(**{"resource_type": LOUD, "targets": 3, "served": 3, **given})


STATES: dict[str, tuple[Seen, str]] = {
    "nothing set, nothing came": (seen(served=0), "absent"),
    "set just now": (seen(written=ago(minutes=5)), "pending"),
    "set as long ago as the grace": (seen(written=ago(hours=2)), "pending"),
    "set longer ago": (seen(written=ago(hours=2, seconds=1)), "stale"),
    "set at a time that nobody knows": (seen(), "stale"),
    "a quiet type, set long ago": (seen(resource_type=QUIET, written=ago(days=2)), "idle"),
    "a quiet type, set just now": (seen(resource_type=QUIET, written=ago(minutes=5)), "pending"),
    "fresh": (seen(newest=ago(minutes=5)), "flowing"),
    "as old as the grace": (seen(newest=ago(hours=2)), "flowing"),
    "older": (seen(newest=ago(hours=2, seconds=1)), "idle"),
    "as old as stale": (seen(newest=ago(hours=24)), "idle"),
    "older than stale": (seen(newest=ago(hours=24, seconds=1)), "stale"),
    "a quiet type, old": (seen(resource_type=QUIET, newest=ago(days=5)), "idle"),
    "data though nothing of ours is set": (seen(served=0, newest=ago(minutes=5)), "flowing"),
    "unreadable": (seen(error="no right"), "error"),
    "unreadable, and nothing set": (seen(served=0, error="no right"), "error"),
    "unreadable, and set just now": (seen(error="no right", written=ago(minutes=5)), "error"),
    "unreadable in part, and data is there": (seen(error="no right", newest=ago(minutes=5)), "flowing"),
}


@pytest.mark.parametrize("case", STATES)
def test_state(case: str) -> None:
    one, state = STATES[case]
    assert judge(one, NOW, LIMITS) == state


def test_the_states_are_those_of_the_contract() -> None:
    assert set(flow.STATES) == {"absent", "pending", "flowing", "idle", "stale", "error"}
    assert {state for _seen, state in STATES.values()} == set(flow.STATES)
    assert set(flow.BAD) == {"absent", "stale", "error"}


def test_as_data() -> None:
    newest = ago(minutes=5)
    assert flow.flow(seen(newest=newest, ingested=newest + timedelta(seconds=45), records=7), NOW, LIMITS) == {
        "resource_type": LOUD, "state": "flowing", "targets": 3, "served": 3, "newest": newest.isoformat(),
        "age_seconds": 300, "lag_seconds": 45, "records": 7, "error": "", "next_step": "",
    }  # fmt: skip


def test_a_hub_has_no_lag() -> None:
    assert flow.flow(seen(newest=ago(minutes=5)), NOW, LIMITS)["lag_seconds"] is None


STEPS: dict[str, tuple[Seen, str]] = {
    "absent": (seen(served=0), "run the onboard playbook"),
    "stale": (seen(), "remove the setting and run onboard again"),
    "pending": (seen(written=ago(minutes=1)), "wait"),
    "some lack a setting": (seen(served=1, newest=ago(minutes=1)), "2 of 3 targets have no setting: run onboard"),
    "error": (seen(error="x", error_step="grant it", served=1), "grant it"),
}


@pytest.mark.parametrize("case", STEPS)
def test_next_step(case: str) -> None:
    one, step = STEPS[case]
    assert step in flow.flow(one, NOW, LIMITS)["next_step"]
