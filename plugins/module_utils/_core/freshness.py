# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify says of a flow of data: one list of states, one judgement and one result, for every vendor."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from . import coverage, result
from .errors import OnboardingError
from .status import DRIFTED, IN_SYNC, PENDING, UNKNOWN

# absent: nothing sends; pending: it has just been set up; quiet: such a source may be silent for so long;
# stale: it is silent, or stopped; unreadable: nobody can say.
ABSENT, WAITING_FOR_DATA, FLOWING, QUIET, STALE, UNREADABLE = STATES = (
    "absent",
    "pending",
    "flowing",
    "quiet",
    "stale",
    "unreadable",
)
STATUS_OF: Mapping[str, str] = {
    ABSENT: DRIFTED,
    WAITING_FOR_DATA: PENDING,
    FLOWING: IN_SYNC,
    QUIET: IN_SYNC,
    STALE: DRIFTED,
    UNREADABLE: UNKNOWN,
}
MAX_FLOWS_SHOWN = 200
MAX_NAMES = 5


class Flow(NamedTuple):
    """One flow of data, as far as it can be told.

    source: what flows, as a person names it. state: of STATES.
    newest: time of the newest record, in seconds since the epoch; records: how many in the window, None for not known.
    code: the vendor's own word for a bad state (disconnected, overruled, ...), else the state itself.
    message: what a person should know beside the newest record's time. facts: further fields, as targets or lag.
    """

    source: str
    state: str
    newest: float | None = None
    records: int | None = None
    code: str = ""
    message: str = ""
    next_step: str = ""
    error: OnboardingError | None = None
    facts: Mapping[str, Any] = {}

    @property
    def status(self) -> str:
        return STATUS_OF[self.state]

    def line(self, now: float) -> dict[str, Any]:
        """The flow as data: an entry of the result's C(flows), and a line of evidence."""
        return {
            "source": self.source,
            "state": self.state,
            "newest": stamp(self.newest),
            "age_seconds": None if self.newest is None else max(0, int(now - self.newest)),
            "records": self.records,
            **self.facts,
            "message": str(self.error) if self.error else self.message,
            "next_step": self.error.next_step if self.error else self.next_step,
        }

    def problem(self) -> dict[str, Any] | None:
        """What is wrong, in the shape of a result's C(problems); None where data flows, or may yet."""
        if self.error is not None:
            return {**self.error.problem(self.source), "count": 1}
        if self.status not in (DRIFTED, UNKNOWN):
            return None
        text = self.message or f"newest record: {stamp(self.newest) or 'none'}"
        error = OnboardingError("find new records", text, code=self.code or self.state, next_step=self.next_step)
        return {**error.problem(self.source), "count": 1}


class Limits(NamedTuple):
    """Seconds. grace: in which a record is fresh, and after a change; stale: after which silence is a finding."""

    grace: float
    stale: float


def judge(
    *,
    configured: bool,
    newest: float | None,
    changed: float | None,
    now: float,
    limits: Limits,
    may_be_quiet: bool = False,
) -> str:
    """The state of a flow that was read without doubt. Pure.

    Args:
        configured: something is set to send it; what arrives counts whoever set it up.
        newest: time of the newest record; changed: when what sends it was made or last written, None for not known.
        may_be_quiet: such a source may be silent for days.
    """
    if newest is not None and now - newest <= limits.grace:
        return FLOWING
    if newest is None and not configured:
        return ABSENT
    if newest is None and changed is not None and now - changed <= limits.grace:
        return WAITING_FOR_DATA
    if may_be_quiet or (newest is not None and now - newest <= limits.stale):
        return QUIET
    return STALE


def verified(
    capability: str,
    flows: Sequence[Flow],
    now: float,
    *,
    problems: Sequence[Mapping[str, Any]] = (),
    summary: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    fail_on: str = "never",
) -> dict[str, Any]:
    """The result of a verification; a bad flow is always among the problems, whatever else is.

    problems: of the way that all flows take (refused senders, a full disk), beside those of the flows. Pure.
    """
    if not flows:
        problems = [*problems, {**coverage.nothing_seen(capability).problem(), "count": 1}]
    number = result.counts(flow.status for flow in flows)
    # The flows first: no number of other problems takes a silent source's place in a list that is cut.
    found = [*_grouped(flows), *result.merged(problems)][: result.MAX_PROBLEMS_SHOWN]
    states = {state: count for state in STATES if (count := sum(flow.state == state for flow in flows))}
    arrived = sum(flow.newest is not None for flow in flows)
    # A vendor that tells no record's time tells of a connection only, which is no arrival.
    timed = all(flow.newest is not None for flow in flows if flow.state == FLOWING)
    lead = f"{arrived} of {len(flows)} flows have arrived: " if timed else f"{len(flows)} flows: "
    lead += ", ".join(f"{count} {state}" for state, count in states.items()) or "none"
    lines = [_sentence(problem) for problem in found]
    outcome = result.outcome(number)
    outcome = UNKNOWN if not flows else DRIFTED if problems and outcome in (IN_SYNC, PENDING) else outcome
    return result.framed(
        capability,
        number,
        "\n".join([lead, *lines]),
        failed=result.failed(number, fail_on),
        drift={state: count for state, count in states.items() if STATUS_OF[state] in (DRIFTED, UNKNOWN)},
        problems=found,
        summary={"outcome": outcome, "states": states, **(summary or {})},
        outputs={**(outputs or {}), "flows": [flow.line(now) for flow in flows[:MAX_FLOWS_SHOWN]]},
    )


def _grouped(flows: Sequence[Flow]) -> list[dict[str, Any]]:
    """The bad flows; those of one cause are one entry that names their sources, the most frequent first."""
    causes: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for problem in filter(None, (flow.problem() for flow in flows)):
        causes.setdefault((problem["code"], problem["status"], problem["next_step"]), []).append(problem)
    found = [
        {
            **same[0],
            "target": few([one["target"] for one in same]),
            "message": few(list(dict.fromkeys(one["message"] for one in same)), "; "),
            "count": len(same),
        }
        for same in causes.values()
    ]
    return sorted(found, key=lambda problem: -problem["count"])


def few(texts: Sequence[str], between: str = ", ") -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(texts) - MAX_NAMES} more" if len(texts) > MAX_NAMES else ""
    return between.join(texts[:MAX_NAMES]) + more


def _sentence(problem: Mapping[str, Any]) -> str:
    number = f" ({problem['count']})" if problem.get("count", 1) > 1 else ""
    return f"{problem['code']}: {problem['target']}{number}: {problem['message']} Next step: {problem['next_step']}."


def stamp(seconds: float | None) -> str | None:
    """A time in UTC, None for none."""
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
