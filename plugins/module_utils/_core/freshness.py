# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify says of a flow of data: one list of states, one judgement and one result, for every vendor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from . import coverage, result
from .errors import OnboardingError
from .status import DRIFTED, IN_SYNC, PENDING, UNKNOWN

# absent: nothing sends; pending: it has just been set up; flowing: a record came lately; connected: the vendor says
# so, and tells of no record; quiet: such a source may be silent for so long; doubled: each record arrives twice;
# fallen: records come, and far fewer than usual; stale: it is silent, or stopped; unreadable: nobody can say.
ABSENT, WAITING_FOR_DATA, FLOWING, CONNECTED, QUIET, DOUBLED, FALLEN, STALE, UNREADABLE = STATES = (
    "absent",
    "pending",
    "flowing",
    "connected",
    "quiet",
    "doubled",
    "fallen",
    "stale",
    "unreadable",
)
STATUS_OF: Mapping[str, str] = {
    ABSENT: DRIFTED,
    WAITING_FOR_DATA: PENDING,
    FLOWING: IN_SYNC,
    CONNECTED: IN_SYNC,
    QUIET: IN_SYNC,
    DOUBLED: DRIFTED,
    FALLEN: DRIFTED,
    STALE: DRIFTED,
    UNREADABLE: UNKNOWN,
}
DAY = 86400.0
AHEAD = 3600.0  # further than this no two clocks differ that are right
LAST = 253402300799.0  # the end of the year 9999
AHEAD_STEP = "set the clock or the time zone of what writes these records, and remove those of the future if you can"
# The day is compared with the same day of so many weeks, since many a source is calm at weekends.
WEEKS = (7, 14)
# A fall to this part of what is usual is told; of fewer records a day nobody can tell it from a calm day.
FALL = 10
MIN_USUAL = 50
FALLEN_STEP = "see what at the source logs less: a filter, a rule or a part of it that was switched off or has stopped"
# The counts of C(arrivals), beside the time of the newest record and the longest delay.
ARRIVALS = ("flows", "arrived", "connected", "quiet", "counted", "records_last_day", "records_usual")
MAX_FLOWS_SHOWN = 200
MAX_NAMES = 5


class Volume(NamedTuple):
    """Records of the last day, and the most of the same days of the weeks before; None for not known."""

    day: int | None = None
    usual: int | None = None

    @property
    def fallen(self) -> bool:
        return self.day is not None and self.usual is not None and self.usual >= max(MIN_USUAL, FALL * self.day)


class Flow(NamedTuple):
    """One flow of data, as far as it can be told.

    source: what flows, as a person names it. state: of STATES.
    newest: time of the newest record, in seconds since the epoch; records: how many in the window, None for not known.
    lag: seconds between the newest record's own time and the newest arrival, None for not known.
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
    lag: float | None = None
    volume: Volume = Volume()

    @property
    def status(self) -> str:
        """Silence is well where there was a record before, or where a reason is stated."""
        unexplained = self.state == QUIET and self.newest is None and not self.message
        return UNKNOWN if unexplained else STATUS_OF[self.state]

    def line(self, now: float) -> dict[str, Any]:
        """The flow as data: an entry of the result's C(flows), and a line of evidence."""
        return {
            "source": self.source,
            "state": self.state,
            "newest": stamp(self.newest),
            "age_seconds": None if self.newest is None else max(0, int(now - self.newest)),
            "lag_seconds": None if self.lag is None else round(self.lag),
            "records": self.records,
            "records_last_day": self.volume.day,
            "records_usual": self.volume.usual,
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


def daily(counts: Iterable[tuple[float, int]], now: float, since: float) -> Volume:
    """The volume of a source by its records: (when, how many), as far back as since. Pure."""
    counts = list(counts)

    def of_day(ends: float) -> int:
        return sum(number for when, number in counts if ends - DAY < when <= ends)

    before = [of_day(now - days * DAY) for days in WEEKS if now - (days + 1) * DAY >= since]
    return Volume(of_day(now), max(before, default=0) or None)


def weighed(flow: Flow, volume: Volume) -> Flow:
    """The flow with its volume: a fall to a tenth is a finding although something still arrives. Pure."""
    flow = flow._replace(volume=volume)
    if flow.state not in (FLOWING, QUIET) or not volume.fallen:
        return flow
    text = f"{volume.day} records in the last day, and {volume.usual} on the same day of an earlier week"
    return flow._replace(state=FALLEN, message=text, next_step=FALLEN_STEP)


def arrivals(flows: Sequence[Flow]) -> dict[str, Any]:
    """What has arrived, in numbers: of a result's summary. What nobody knows is None. Pure.

    quiet: flows of which no record was seen, with a reason. counted: those whose records of the last day are known.
    The usual number is told where it is known of all of these.
    """

    def known(values: Iterable[Any]) -> list[Any]:
        return [value for value in values if value is not None]

    lags, days = known(flow.lag for flow in flows), known(flow.volume.day for flow in flows)
    usual = known(flow.volume.usual for flow in flows)
    return {
        "flows": len(flows),
        "arrived": sum(flow.newest is not None for flow in flows),
        "connected": sum(flow.state == CONNECTED for flow in flows),
        "quiet": sum(flow.state == QUIET and flow.newest is None for flow in flows),
        "newest": stamp(max(known(flow.newest for flow in flows), default=None)),
        "lag_seconds": round(max(lags)) if lags else None,
        "counted": len(days),
        "records_last_day": sum(days) if days else None,
        "records_usual": sum(usual) if usual and len(usual) == len(days) else None,
    }


def dated(flow: Flow, now: float) -> Flow:
    """The flow, unreadable where its newest record is of the future: it would hide every silence until then. Pure."""
    if flow.newest is None or flow.newest <= now + AHEAD or flow.status not in (IN_SYNC, PENDING):
        return flow
    text = f"the newest record is dated {stamp(flow.newest)}, which is still to come"
    return flow._replace(state=UNREADABLE, code="dated_ahead", message=text, next_step=AHEAD_STEP)


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
    flows = [dated(flow, now) for flow in flows]
    if not flows:
        problems = [*problems, {**coverage.nothing_seen(capability).problem(), "count": 1}]
    number = result.counts(flow.status for flow in flows)
    # The flows first: no number of other problems takes a silent source's place in a list that is cut.
    found = [*_grouped(flows), *result.merged(problems)][: result.MAX_PROBLEMS_SHOWN]
    states = {state: count for state in STATES if (count := sum(flow.state == state for flow in flows))}
    told = arrivals(flows)
    # A vendor that tells no record's time tells of a connection only, which is no arrival.
    if CONNECTED in states:
        lead = f"{told['arrived']} of {len(flows)} flows are seen to arrive; connected is what the vendor says: "
    else:
        lead = f"{told['arrived']} of {len(flows)} flows have arrived: "
    lead += ", ".join(f"{count} {state}" for state, count in states.items()) or "none"
    lines = [lead, *filter(None, [numbers(told)]), *(_sentence(problem) for problem in found)]
    outcome = result.outcome(number)
    outcome = UNKNOWN if not flows else DRIFTED if problems and outcome in (IN_SYNC, PENDING) else outcome
    return result.framed(
        capability,
        number,
        "\n".join(lines),
        failed=result.failed(number, fail_on),
        drift={state: count for state, count in states.items() if STATUS_OF[state] in (DRIFTED, UNKNOWN)},
        problems=found,
        summary={"outcome": outcome, "states": states, "arrivals": told, **(summary or {})},
        outputs={**(outputs or {}), "flows": [flow.line(now) for flow in flows[:MAX_FLOWS_SHOWN]]},
    )


def sum_of(told: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What several results say in C(arrivals), as one; {} for none. Pure."""
    kept = list(told)
    joined: dict[str, Callable[[list[Any]], Any]] = {"newest": max, "lag_seconds": max, **dict.fromkeys(ARRIVALS, sum)}
    known = {name: [one[name] for one in kept if one.get(name) is not None] for name in joined}
    if len(known["records_usual"]) < len(known["records_last_day"]):
        known["records_usual"] = []
    return {name: join(known[name]) for name, join in joined.items() if known[name]}


def numbers(told: Mapping[str, Any]) -> str:
    """What C(arrivals) says, in words; '' where it knows nothing. Pure."""
    counted, flows = told.get("counted"), told.get("flows", 0)
    partly = counted is not None and counted < flows
    parts = {
        "newest": "newest record {}",
        "records_last_day": f"{{}} records in the last day{f' ({counted} of {flows} flows counted)' if partly else ''}",
        "records_usual": "{} usual",
        "lag_seconds": "up to {} s late",
    }
    return ", ".join(words.format(told[name]) for name, words in parts.items() if told.get(name) is not None)


def arrived(told: Mapping[str, Any]) -> str:
    """The whole of C(arrivals) in words, for a table or a page. Pure."""
    parts = [f"{told.get('arrived', 0)} of {told.get('flows', 0)} flows"]
    parts += [f"{told['connected']} connected, as the vendor says"] if told.get("connected") else []
    parts += [f"{told['quiet']} quiet"] if told.get("quiet") else []
    return ", ".join(filter(None, [*parts, numbers(told)]))


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
    """A time in UTC, None for none; what no calendar has is told as the last second that one has."""
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(min(seconds, LAST)))
