# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of each tenant, collected from task results. Pure.

Only the fields of our own result shape are taken, and of other tasks' results nothing but that they failed: whatever
else a result holds (a command's output, a template's value) may be secret.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from ansible_collections.mssp.onboarding.plugins.module_utils._core.coverage import MAX_PARTS, STATES
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module
from ansible_collections.mssp.onboarding.plugins.module_utils._core.findings import CUSTOMER, MISSING
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import ARRIVALS
from ansible_collections.mssp.onboarding.plugins.module_utils._core.progress import clean
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import (
    CORRECTED,
    COUNTS,
    DRIFTED,
    FAILED,
    FOUND,
    IN_SYNC,
    ORDER,
    PENDING,
    SEVERITY,
    SKIPPED,
    STATUSES,
    UNKNOWN,
    UNREACHABLE,
    WELL,
    count,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.history import Left
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.states import NO_RESULT, gone_step, moment
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.grouping import causes

OUTCOMES = tuple(status for status in ORDER if status in (*STATUSES, UNREACHABLE))  # of a row, the best first
CAUSES_KEPT = 50
TENANTS_NAMED = 20
CHANGES_KEPT = 10  # of one row; the tenant's evidence has all
CREDENTIALS_KEPT = 20
MODULES = "ansible_collections.mssp.onboarding.plugins.modules"


@dataclass(frozen=True)
class Problem:
    """One reason why a tenant is not as it should be. count: targets; code and status: the vendor's own.

    warning: the tenant is as wanted, and somebody should look at this.
    """

    code: str
    message: str
    next_step: str
    status: int | None = None
    count: int = 1
    warning: bool = False


class Step(NamedTuple):
    """What the customer's administrator has to do. check, subject: what preflight looks at to see that it was done."""

    check: str
    subject: str
    why: str
    what: str


@dataclass
class Row:
    """One tenant in one step. step: name of the module; capability is "" where another task than ours failed.

    started, ended: seconds since the epoch, None where they are not known. role, verb: what the task belongs to, "" for
    none. slug: of the tenant that the host belongs to, where it is known. coverage: {states, parts} where the module
    tells of parts. credentials: {name, expires} with an ISO date, or "" where nobody knows it, where the module tells
    of any. arrivals: of a verification, as the module's summary has them. steps: of a preflight.
    """

    tenant: str
    step: str
    capability: str
    outcome: str
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    drift: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    seconds: float | None = None
    throttled_seconds: float = 0.0
    check: bool = False
    msg: str = ""
    evidence: str = ""
    started: float | None = None
    ended: float | None = None
    role: str = ""
    verb: str = ""
    changes: list[str] = field(default_factory=list)
    credentials: list[dict[str, str]] = field(default_factory=list)
    slug: str = ""
    arrivals: dict[str, Any] = field(default_factory=dict)
    coverage: dict[str, Any] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    @property
    def whose(self) -> str:
        """The tenant that the host belongs to."""
        return self.slug or self.tenant


def is_shaped(result: Mapping[str, Any]) -> bool:
    """Whether this is a result of one of our modules."""
    summary = result.get("summary")
    return isinstance(summary, Mapping) and isinstance(summary.get("capability"), str)


@cache
def declared(step: str) -> Module | None:
    """What the module of the step says of itself, None where there is no such module."""
    try:
        found: Module | None = getattr(import_module(f"{MODULES}.{step}"), "MODULE", None)
    except ImportError:
        return None
    return found


def capability_of(step: str) -> str:
    """The capability that all results of the step belong to, however they came about."""
    module = declared(step)
    return module.capability if module else step


class Outcomes:
    """The results of one run, by tenant and step.

    missed: host to the capabilities that the run did not reach there; left: host to what has left its tenant file, None
    where that is not known.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Row] = {}
        self._open: dict[tuple[str, str], tuple[str, str]] = {}
        self._skipped: set[tuple[str, str]] = set()
        self.missed: dict[str, list[str]] = {}
        self.left: dict[str, Left] | None = {}

    def started(self, host: str, task_name: str, role: str = "", verb: str = "") -> None:
        """A task of ours was given to a worker."""
        self._open[host, task_name] = role, verb

    def skipped(self, host: str, task_name: str) -> None:
        """A condition of the task kept it from running."""
        self._open.pop((host, task_name), None)
        self._skipped.add((host, task_name))

    def add(
        self,
        host: str,
        task_name: str,
        result: Mapping[str, Any],
        failed: bool = False,
        unreachable: bool = False,
        *,
        ours: bool = True,
        seconds: float | None = None,
        check: bool = False,
        ended: float | None = None,
        role: str = "",
        verb: str = "",
        slug: str = "",
        known: str = "",
    ) -> list[Row]:
        """Take a task's result; gives the rows made of it, for a loop one of each item.

        C(ours) is whether the task calls a module of ours, whose C(msg) is free of secrets; C(check) whether it ran
        in check mode, as a whole run or a single task may. C(known): what the inventory says is wrong with the tenant.
        """
        self._open.pop((host, task_name), None)
        shaped = [item for item in _mappings(result.get("results")) if is_shaped(item)]
        if shaped:
            rows = [_shaped_row(host, f"{task_name}[{n}]", item, False, seconds) for n, item in enumerate(shaped)]
        elif is_shaped(result):
            rows = [_shaped_row(host, task_name, result, failed, seconds)]
        elif failed and not ours and (told := self._told(host, role, verb)):
            if told.outcome not in FOUND:  # to find it is no failure
                told.outcome = max(told.outcome, FAILED, key=SEVERITY.__getitem__)
            rows = []
        elif failed or unreachable or ours:
            rows = [_plain_row(host, task_name, result, failed, unreachable, ours, seconds)]
        else:
            rows = []
        for row in rows:
            row.check, row.ended, row.role, row.verb, row.slug = check, ended, role, verb, slug
            row.started = None if ended is None or seconds is None else ended - seconds
            if unreachable:
                row.outcome = UNREACHABLE
            if known and not row.capability:
                step = "correct the tenant's file, then run again"
                row.problems, row.msg = [Problem("wrong tenant file", clean(known, 600), step)], clean(known, 600)
            # A host that fails in two tasks of others was rescued from the first.
            self._rows[host, row.step if row.capability else ""] = row
        return rows

    def _told(self, host: str, role: str, verb: str) -> Row | None:
        """The worst row that a role gave before a task of others failed in it: the task fails for what that says."""
        bad = [
            row
            for row in self._rows.values()
            if role and row.capability and (row.tenant, row.role, row.verb) == (host, role, verb)
            if row.outcome not in (*WELL, PENDING)
        ]
        return max(bad, key=lambda row: SEVERITY[row.outcome], default=None)

    def settle(self, failed: Iterable[str], unreachable: Iterable[str]) -> None:
        """The run is over: forget failures of other tasks that the playbook rescued."""
        ended_badly = {*failed, *unreachable}
        self._rows = {
            key: row for key, row in self._rows.items() if row.capability or key in self._open or key[0] in ended_badly
        }

    @property
    def rows(self) -> list[Row]:
        """The worst first, then by name; a task that was started and gave no result is unknown."""
        nothing = Problem(NO_RESULT, "The task gave no result.", "Run again.")
        lost = [
            Row(host, step, capability_of(step), UNKNOWN, problems=[nothing], role=role, verb=verb)
            for (host, step), (role, verb) in self._open.items()
        ]
        rows = [row for key, row in self._rows.items() if key not in self._open] + lost
        return sorted(rows, key=lambda row: (-SEVERITY[row.outcome], row.tenant, row.step))

    def summary(self) -> dict[str, Any]:
        """The part of summary.json that tells of tenants."""
        rows = self.rows
        return {
            "totals": totals(rows),
            "tenants": [_row_data(row) for row in rows],
            "causes": [
                vars(cause) | {"tenants": cause.tenants[:TENANTS_NAMED]} | {"tenant_count": len(cause.tenants)}
                for cause in causes(rows)[:CAUSES_KEPT]
            ],
            "slowest": [{"tenant": row.tenant, "step": row.step, "seconds": row.seconds} for row in slowest(rows)],
            "skipped": len(self._skipped),
            "not_reached": list(self.missed),
            "missed": self.missed,
            "left": None if self.left is None else {host: _left_data(one) for host, one in self.left.items()},
        }


def totals(rows: Iterable[Row]) -> dict[str, Any]:
    """{tenants, outcomes: {outcome: tenants, each by its worst}, counts, drift, throttled_seconds}."""
    rows = list(rows)
    worst: dict[str, str] = {}
    counts: Counter[str] = Counter()
    drift: Counter[str] = Counter()
    for row in rows:
        worst[row.whose] = max(worst.get(row.whose, SKIPPED), row.outcome, key=SEVERITY.__getitem__)
        counts.update(row.counts)
        drift.update(row.drift)
    tenants = Counter(worst.values())
    return {
        "tenants": len(worst),
        "outcomes": {outcome: tenants[outcome] for outcome in OUTCOMES if tenants[outcome]},
        "counts": {name: counts[name] for name in COUNTS},
        "drift": dict(drift.most_common()),
        "throttled_seconds": round(sum(row.throttled_seconds for row in rows), 1),
    }


def slowest(rows: Iterable[Row], number: int = 5) -> list[Row]:
    timed = [row for row in rows if row.seconds is not None]
    return sorted(timed, key=lambda row: (-(row.seconds or 0), row.tenant))[:number]


def _shaped_row(host: str, step: str, result: Mapping[str, Any], failed: bool, seconds: float | None) -> Row:
    summary = result["summary"]
    given = summary.get("counts")
    counts = _counts({name: given.get(name, 0) for name in COUNTS}) if isinstance(given, Mapping) else None
    drift = _counts(summary.get("drift") or {})
    row = Row(
        host,
        step,
        clean(summary["capability"], 60),
        str(summary.get("outcome")),
        drift={clean(name, 40): number for name, number in (drift or {}).items()},
        problems=_problems(result),
        seconds=seconds,
        throttled_seconds=float(max(0, _number(summary.get("throttled_seconds")))),
        msg=clean(str(result.get("msg", "")), 600),
        evidence=str(result.get("evidence") or ""),
        changes=_changes(result.get("changes")),
        credentials=_credentials(summary.get("credentials")),
        arrivals=_arrivals(summary.get("arrivals")),
        coverage=_coverage(result.get("coverage")),
        steps=_steps(result),
    )
    row.counts = counts or row.counts
    row.outcome = _outcome(row, failed or bool(result.get("failed")), has_counts=None not in (counts, drift))
    if row.outcome not in (*WELL, PENDING, DRIFTED) and not row.problems:
        row.problems = [Problem(row.outcome, row.msg or "No reason was given.", "Read the tenant's evidence.")]
    return row


def _counts(given: Any) -> dict[str, int] | None:
    """Names to counts, None where one of them is none: then nothing that the result says of its host is known."""
    found = {str(name): count(number) for name, number in given.items()} if isinstance(given, Mapping) else {"": None}
    sure = {name: number for name, number in found.items() if number is not None}
    return sure if len(sure) == len(found) else None


def _outcome(row: Row, failed: bool, *, has_counts: bool) -> str:
    """What the module says, unless its own numbers say worse: nothing is in sync that is not known to be."""
    said = row.outcome if row.outcome in STATUSES else UNKNOWN
    counted = [status for status in STATUSES if row.counts[status]]
    at_least = [
        (UNKNOWN, not has_counts),
        (FAILED, said == IN_SYNC and any(not problem.warning for problem in row.problems)),
        (FAILED, failed and not set(counted) & {*FOUND, UNKNOWN}),
    ]
    return max([said, *counted, *(status for status, holds in at_least if holds)], key=SEVERITY.__getitem__)


def _plain_row(
    host: str, step: str, result: Mapping[str, Any], failed: bool, unreachable: bool, ours: bool, seconds: float | None
) -> Row:
    """A task that gave no result of our shape. Its text is told only where it is ours."""
    capability = capability_of(step) if ours else ""
    if unreachable:
        text = f"The host could not be reached by the task «{step}»."
        problem = Problem("unreachable", text, "start the host, or see to its network and its SSH, then run again")
        return Row(host, step, capability, UNREACHABLE, problems=[problem], seconds=seconds)
    if not failed:
        return _row_without_summary(host, step, capability, result, seconds)
    msg = clean(str(result.get("msg", "")), 600) if ours else ""
    problem = Problem("task failed", msg or f"The task «{step}» failed.", "" if msg else "Read its message above.")
    return Row(host, step, capability, FAILED, problems=[problem], seconds=seconds, msg=msg)


def _row_without_summary(
    host: str, step: str, capability: str, result: Mapping[str, Any], seconds: float | None
) -> Row:
    """Of a task of ours that succeeded. no_log hides a result that holds a secret, and should."""
    module = declared(step)
    if module and module.secret_option and "censored" in result:
        outcome = CORRECTED if result.get("changed") else IN_SYNC
        return Row(host, step, capability, outcome, seconds=seconds, msg="The result holds a secret and is hidden.")
    problem = Problem(
        "no summary", f"«{step}» gave no summary.", "Take no_log off the task: its results hold no secret."
    )
    return Row(host, step, capability, UNKNOWN, problems=[problem], seconds=seconds)


def _problems(result: Mapping[str, Any]) -> list[Problem]:
    """What the module names as problems."""
    return [
        Problem(
            clean(str(item.get("code") or "error"), 80),
            clean(": ".join(str(item[key]) for key in ("operation", "message") if item.get(key)), 600),
            clean(str(item.get("next_step") or ""), 600),
            _number(item.get("status")) or None,
            max(1, _number(item.get("count"))),
            item.get("warning") is True,
        )
        for item in _mappings(result.get("problems"))
    ]


def _changes(value: Any) -> list[str]:
    """One line each: what was done to what, and why."""
    lines = []
    for item in _mappings(value)[:CHANGES_KEPT]:
        why = item.get("drift") or ""
        why = ", ".join(map(str, why)) if isinstance(why, (list, tuple)) else str(why)
        text = " ".join(str(item[key]) for key in ("action", "target") if item.get(key))
        before, after = (item[side] if isinstance(item.get(side), str) else "" for side in ("before", "after"))
        moved = f" ({before or 'absent'} → {after or 'absent'})" if before or after else ""
        lines.append(clean((f"{text}: {why}" if why else text) + moved, 500))
    return lines


def _credentials(value: Any) -> list[dict[str, str]]:
    """Names and dates only; "" where nobody knows the date, and a date that cannot be read says nothing."""
    found = []
    for item in _mappings(value)[:CREDENTIALS_KEPT]:
        try:
            expires = datetime.fromisoformat(str(item["expires"])) if item.get("expires") != "" else None
        except (ValueError, KeyError):
            continue
        if expires:
            expires = expires if expires.tzinfo else expires.replace(tzinfo=UTC)
        name = clean(str(item.get("name") or "credential"), 120)
        found.append({"name": name, "expires": timestamp(expires) if expires else ""})
    return found


def _steps(result: Mapping[str, Any]) -> list[Step]:
    """None of a module that makes a page of its own for the customer's administrator."""
    if "handover" in result:
        return []
    return [
        Step(
            clean(str(item.get("check") or ""), 80),
            clean(str(item.get("subject") or ""), 200),
            clean(str(item.get("detail") or ""), 600),
            clean(str(item.get("next_step") or ""), 600),
        )
        for item in _mappings(result.get("findings"))
        if (item.get("status"), item.get("who")) == (MISSING, CUSTOMER)
    ]


def _arrivals(value: Any) -> dict[str, Any]:
    """Counts, and a time that can be read."""
    given = value if isinstance(value, Mapping) else {}
    counts = {name: count(given.get(name)) for name in (*ARRIVALS, "lag_seconds")}
    found: dict[str, Any] = {name: number for name, number in counts.items() if number is not None}
    newest = str(given.get("newest"))
    return found if moment(newest) is None else {**found, "newest": newest}


def _coverage(value: Any) -> dict[str, Any]:
    """How many parts of the tenant are in which state, and the first of them; {} where the result says nothing."""
    given = value.get("states") if isinstance(value, Mapping) else None
    if not isinstance(given, Mapping):
        return {}
    parts = [
        {"name": clean(str(item.get("name")), 200), "state": item["state"]}
        | {key: clean(str(item[key]), 600) for key in ("why", "next_step") if item.get(key)}
        for item in _mappings(value.get("parts"))[:MAX_PARTS]
        if item.get("state") in STATES
    ]
    return {"states": {state: number for state in STATES if (number := count(given.get(state)))}, "parts": parts}


def timestamp(when: float | datetime) -> str:
    """A moment in UTC, to the millisecond."""
    when = when.astimezone(UTC) if isinstance(when, datetime) else datetime.fromtimestamp(when, UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _left_data(one: Left) -> dict[str, Any]:
    return {**one._asdict(), "next_step": gone_step(one.tenant)}


def _row_data(row: Row) -> dict[str, Any]:
    return {
        "tenant": row.tenant,
        "role": row.role,
        "verb": row.verb,
        "step": row.step,
        "capability": row.capability or None,
        "outcome": row.outcome,
        "check_mode": row.check,
        "counts": row.counts,
        "drift": row.drift,
        "started": None if row.started is None else timestamp(row.started),
        "ended": None if row.ended is None else timestamp(row.ended),
        "seconds": row.seconds,
        "throttled_seconds": row.throttled_seconds,
        "msg": row.msg,
        "changes": row.changes,
        "problems": [asdict(problem) for problem in row.problems],
        "credentials": row.credentials,
        "arrivals": row.arrivals,
        "coverage": row.coverage,
        "evidence": row.evidence,
    }


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, (list, tuple)) else []


def _number(value: Any) -> int:
    """0 for what is not a number."""
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return 0
