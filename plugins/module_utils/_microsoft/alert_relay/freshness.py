# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether the relay takes alerts and passes them on, by its own runs."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..._core.errors import OnboardingError
from ..._core.freshness import ABSENT, STALE, UNREADABLE, WAITING_FOR_DATA, Flow
from ..arm import workflow_runs
from ..arm.workflow_runs import Run
from ..custom_logs.role import NEW_ROLE_STEP, ROLE_SECONDS, role_age
from .api import Relay
from .options import Setup

QUIET_TEXT = "no alert came in the window, as may be"
ABSENT_STEP = "run the onboard playbook: the relay is not there, or is switched off"
FAILED_STEP = "see the run in the Azure portal; run drift, and verify azure_custom_logs with -e verify_probe=true"


async def flow(relay: Relay, setup: Setup) -> Flow:
    """The flow of the relay; what cannot be read is its error."""
    source, now = f"relay {setup.wanted.workflow}", time.time()
    try:
        found = await relay.read()
        if found is None or not found.enabled:
            return Flow(source, ABSENT, next_step=ABSENT_STEP)
        runs = await workflow_runs.listed(relay.arm, setup.wanted.id, now - setup.window)
        return judged(source, runs, await role_age(relay.arm, setup.wanted.rule, found.principal) if runs else None)
    except OnboardingError as error:
        return Flow(source, UNREADABLE, error=error)


def judged(source: str, runs: Sequence[Run], role: float | None) -> Flow:
    """By its runs; that they fail is no finding while nothing can succeed yet. Pure.

    role: how many seconds old that on the rule is, None for none.
    """
    found = workflow_runs.judged(source, runs, QUIET_TEXT, FAILED_STEP)
    if found.state != STALE or role is None or role > ROLE_SECONDS:
        return found
    text = f"{found.message}; its role is {role:.0f} s old, and may not count yet"
    return found._replace(state=WAITING_FOR_DATA, code="", message=text, next_step=NEW_ROLE_STEP)
