# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of a Logic App, and what they say of what it is to pass on.

Contract: Microsoft.Logic/workflows/runs, api-version 2019-05-01 (azure-rest-api-specs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from ..._core.bodies import items, mapping, text, words
from ..._core.client import documented
from ..._core.freshness import FLOWING, QUIET, STALE, WAITING_FOR_DATA, Flow
from .client import Arm, Call
from .resources import target_path

WORKFLOWS_API = "2019-05-01"
SUCCEEDED, SKIPPED = "Succeeded", "Skipped"
GOING_ON = frozenset({"Running", "Waiting", "Paused", "Suspended"})
UNDELIVERED = "undelivered"


class Run(NamedTuple):
    """One run of a workflow. started: in seconds since the epoch."""

    started: float
    status: str
    code: str = ""


async def listed(arm: Arm, workflow: str, since: float) -> list[Run]:
    """Those since then, the newest first. Raises OnboardingError."""
    chosen = quote(f"startTime ge {datetime.fromtimestamp(since, UTC):%Y-%m-%dT%H:%M:%SZ}")
    operation, subscription = f"list the runs of the workflow {workflow}", workflow.split("/")[2]
    call = Call("GET", f"{target_path(workflow)}/runs?$filter={chosen}", WORKFLOWS_API, operation, subscription)
    with documented(operation):
        found = [parsed(one) async for page in arm.pages(call) for one in items(page["value"])]
    return sorted(found, reverse=True)


def parsed(raw: Mapping[str, Any]) -> Run:
    """Raises what ODD_SHAPE names for another shape."""
    properties = mapping(raw["properties"])
    started = datetime.fromisoformat(text(properties["startTime"])).timestamp()
    return Run(started, text(properties["status"]), words(properties.get("code")))


def judged(source: str, runs: Sequence[Run], quiet: str, step: str) -> Flow:
    """By its runs, the newest first: one that failed after the last success is a finding. Pure.

    quiet: why there may be none; step: what to do about one that failed.
    """
    well = [one for one in runs if one.status == SUCCEEDED]
    newest = well[0].started if well else None
    # Failed, TimedOut, Cancelled, Aborted: whatever else a run may come to, what it had has not got on.
    lost = [one for one in runs if one.status not in (SUCCEEDED, SKIPPED, *GOING_ON)]
    if lost and (newest is None or lost[0].started > newest):
        text = f"{len(lost)} of {len(runs)} runs failed, the last one {lost[0].status} with {lost[0].code or 'no code'}"
        return Flow(source, STALE, newest, len(well), UNDELIVERED, text, step)
    if newest is None and any(one.status in GOING_ON for one in runs):
        return Flow(source, WAITING_FOR_DATA, None, 0, message="its first run goes on")
    if newest is None:
        return Flow(source, QUIET, None, 0, message=quiet)
    text = f"{len(lost)} of {len(runs)} runs failed before the last success" if lost else ""
    return Flow(source, FLOWING, newest, len(well), message=text)
