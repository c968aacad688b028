# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is behind, and for how long it may be."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import Limits
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import BLOCKED, DRIFTED, IN_SYNC
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Verdict, unknown
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import freshness
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync.memory import Known
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync.plan import Incident

NOW, LIMITS = 1_000_000.0, Limits(grace=600.0, stale=7200.0)


@pytest.mark.parametrize(
    ("known", "kept", "state"),
    [
        (Known(), False, "connected"),
        (Known(), True, "absent"),
        (Known(NOW - 7200), True, "flowing"),
        (Known(NOW - 7201), True, "stale"),
    ],
)
def test_the_age_of_the_last_run_that_did_all(known: Known, kept: bool, state: str) -> None:
    assert freshness.runs(known, NOW, LIMITS, kept=kept).state == state


def states(verdict: Verdict, ago: float) -> list[str]:
    incidents = {"29": Incident("29", "live", updated=NOW - ago)}
    return [one.state for one in freshness.late([verdict], incidents, NOW, LIMITS, 24)]


MISSING = Verdict("incident 29", DRIFTED, ("missing",))
AGAIN = Verdict("incident 29", DRIFTED, ("reopened",))
REDIRECTED = Verdict("incident 29", DRIFTED, ("redirected",))
CYCLE = Verdict("incident 29", BLOCKED, ("redirect_cycle",), next_step="look")
FINE = Verdict("incident 29", IN_SYNC)
ODD = unknown("incident 29", RefusedError("read it", "no"))


@pytest.mark.parametrize(
    ("verdict", "ago", "found"),
    [
        (MISSING, 599, ["flowing", "flowing"]),
        (MISSING, 600, ["stale", "flowing"]),
        (AGAIN, 600, ["stale", "flowing"]),
        (REDIRECTED, 599, ["flowing", "flowing"]),
        (REDIRECTED, 600, ["flowing", "stale"]),
        (CYCLE, 600, ["flowing", "stale"]),
        (ODD, 600, ["stale", "stale"]),
        (FINE, 600, ["flowing", "flowing"]),
    ],
)
def test_what_is_behind_for_longer_than_a_run_may_take(verdict: Verdict, ago: float, found: list[str]) -> None:
    assert states(verdict, ago) == found


def test_without_incidents_it_is_quiet_with_a_reason_and_a_refusal_is_unreadable() -> None:
    quiet = freshness.late([], {}, NOW, LIMITS, 24)
    assert {(one.state, one.status) for one in quiet} == {("quiet", IN_SYNC)}
    assert {one.state for one in freshness.refused(RefusedError("read", "no"))} == {"unreadable"}
