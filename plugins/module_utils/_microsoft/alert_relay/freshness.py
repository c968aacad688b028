# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether the relay takes alerts and passes them on, by its own runs."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..._core.errors import OnboardingError
from ..._core.freshness import ABSENT, FLOWING, QUIET, STALE, UNREADABLE, WAITING_FOR_DATA, Flow
from ..custom_logs.role import NEW_ROLE_STEP, ROLE_SECONDS, role_age
from .api import Relay, Run
from .options import Setup

SUCCEEDED, SKIPPED = "Succeeded", "Skipped"
GOING_ON = frozenset({"Running", "Waiting", "Paused", "Suspended"})
ABSENT_STEP = "run the onboard playbook: the relay is not there, or is switched off"
FAILED_STEP = "see the run in the Azure portal; run drift, and verify azure_custom_logs with -e verify_probe=true"


async def flow(relay: Relay, setup: Setup) -> Flow:
    """The flow of the relay; what cannot be read is its error."""
    source, now = f"relay {setup.wanted.workflow}", time.time()
    try:
        found = await relay.read()
        if found is None or not found.enabled:
            return Flow(source, ABSENT, next_step=ABSENT_STEP)
        runs = await relay.runs(now - setup.window)
        return judged(source, runs, await role_age(relay.arm, setup.wanted.rule, found.principal) if runs else None)
    except OnboardingError as error:
        return Flow(source, UNREADABLE, error=error)


def judged(source: str, runs: Sequence[Run], role: float | None) -> Flow:
    """By its runs, the newest first: one that failed after the last success is a finding. Pure.

    Not so while nothing can succeed yet. role: how many seconds old that on the rule is, None for none.
    """
    well = [one for one in runs if one.status == SUCCEEDED]
    newest = well[0].started if well else None
    # Failed, TimedOut, Cancelled, Aborted: whatever else a run may come to, its alert has not got on.
    lost = [one for one in runs if one.status not in (SUCCEEDED, SKIPPED, *GOING_ON)]
    if lost and (newest is None or lost[0].started > newest):
        text = f"{len(lost)} of {len(runs)} runs failed, the last one {lost[0].status} with {lost[0].code or 'no code'}"
        if role is not None and role <= ROLE_SECONDS:
            text = f"{text}; its role is {role:.0f} s old, and may not count yet"
            return Flow(source, WAITING_FOR_DATA, newest, len(well), message=text, next_step=NEW_ROLE_STEP)
        return Flow(source, STALE, newest, len(well), "undelivered", text, FAILED_STEP)
    if newest is None and any(one.status in GOING_ON for one in runs):
        return Flow(source, WAITING_FOR_DATA, None, 0, message="its first run goes on")
    if newest is None:
        return Flow(source, QUIET, None, 0, message="no alert came in the window, as may be")
    text = f"{len(lost)} of {len(runs)} runs failed before the last success" if lost else ""
    return Flow(source, FLOWING, newest, len(well), message=text)
