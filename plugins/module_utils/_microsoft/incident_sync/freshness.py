# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether tickets keep step with incidents: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._core.errors import OnboardingError
from ..._core.freshness import ABSENT, CONNECTED, FLOWING, QUIET, STALE, UNREADABLE, Flow, Limits, few, stamp
from ..._core.status import BLOCKED, DRIFTED, UNKNOWN
from ..._core.verdict import Verdict
from .memory import Known
from .plan import Incident

RUNS, TICKETS, REDIRECTS = FLOWS = ("runs", "incidents without a ticket", "tickets of redirected incidents")
RUN_STEP = (
    "let mssp.onboarding.onboard or drift with drift_correct=true run on a schedule: roles/incident_sync/README.md"
)
LATE_STEP = "run onboard; if it stays, read what it says of these incidents"
# Classes of drift by which an active incident has no open ticket, or a redirected one's is still open.
MISSING = frozenset({"missing", "reopened"})
OPEN_STILL = frozenset({"redirected", "redirect_cycle", "target_unknown", "target_closed"})


def runs(known: Known, now: float, limits: Limits, *, kept: bool) -> Flow:
    """The age of the last run that did all."""
    if not kept:
        text = "no evidence is kept, so nobody knows when the last good run was"
        return Flow(RUNS, CONNECTED, message=text)
    if not known.good:
        return Flow(RUNS, ABSENT, code="never_run", message="no run has done all yet", next_step=RUN_STEP)
    text = f"the last run that did all was at {stamp(known.good)}"
    fresh = now - known.good <= limits.stale
    return Flow(RUNS, FLOWING if fresh else STALE, known.good, message=text, next_step="" if fresh else RUN_STEP)


def late(
    verdicts: Sequence[Verdict], incidents: Mapping[str, Incident], now: float, limits: Limits, hours: float
) -> list[Flow]:
    """What is behind for longer than a run may take."""
    newest = max((one.updated for one in incidents.values()), default=None)
    return [
        _flow(TICKETS, _behind(verdicts, incidents, now - limits.grace, MISSING), newest, len(incidents), hours),
        _flow(REDIRECTS, _behind(verdicts, incidents, now - limits.grace, OPEN_STILL), newest, len(incidents), hours),
    ]


def _behind(
    verdicts: Sequence[Verdict], incidents: Mapping[str, Incident], before: float, classes: frozenset[str]
) -> list[Verdict]:
    found = []
    for verdict in verdicts:
        one = incidents.get(verdict.target.removeprefix("incident "))
        due = verdict.status in (DRIFTED, BLOCKED) and classes & {*verdict.drift}
        if verdict.status == UNKNOWN if one is None else one.updated <= before and (due or verdict.status == UNKNOWN):
            found.append(verdict)
    return found


def _flow(source: str, behind: list[Verdict], newest: float | None, number: int, hours: float) -> Flow:
    if not number and not behind:
        return Flow(source, QUIET, records=0, message=f"no incident was changed in the last {hours:g} hours")
    if not behind:
        return Flow(source, FLOWING, newest, number, message=f"none of {number} incidents")
    text = f"{len(behind)}: {few([one.target for one in behind])}"
    steps = [one.next_step for one in behind if one.next_step]
    return Flow(source, STALE, newest, number, "late", text, steps[0] if steps else LATE_STEP)


def refused(error: OnboardingError) -> list[Flow]:
    """Nobody can say."""
    return [Flow(source, UNREADABLE, error=error) for source in FLOWS[1:]]
