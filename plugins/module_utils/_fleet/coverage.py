# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the fleet's tenants is covered: tenant, source and scope, made of what stands. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple

from .._core.coverage import COUNTABLE, COVERED, STATES, UNREACHABLE, WAITING
from .._core.status import FAILED, NEVER_RUN, REMOVED, UNKNOWN, count
from .._core.status import WAITING as WAITS
from .states import OTHER_TASKS, SEES_ALL, Cell, Member, mapping

# What the status of a cell of which no part is known makes of it; the others say nothing then.
STATE_OF = {NEVER_RUN: UNREACHABLE, UNKNOWN: UNREACHABLE, FAILED: UNREACHABLE, WAITS: WAITING}
WHOLE = "all of it"
NEVER = "no run has looked at it yet"


class Share(NamedTuple):
    """How much of what counts is covered."""

    covered: int = 0
    total: int = 0

    @property
    def percent(self) -> int | None:
        """Rounded down, so that 100 means all; None where nothing counts."""
        return 100 * self.covered // self.total if self.total else None

    def __or__(self, other: Share) -> Share:
        """Of two steps of one source, the one that saw more; of the same, what it saw worse."""
        return max(self, other, key=lambda one: (one.total, -one.covered))


class Scope(NamedTuple):
    """One line of the view: a part of a tenant, by the source that is to collect it."""

    tenant: str
    source: str
    name: str
    state: str
    why: str = ""
    next_step: str = ""


def share(coverage: Any) -> Share | None:
    """Of one step's result; None where it says nothing of its parts."""
    states = mapping(mapping(coverage).get("states"))
    numbers = {state: count(states.get(state)) or 0 for state in COUNTABLE}
    total = sum(numbers.values())
    return Share(numbers[COVERED], total) if total or states else None


def summed(shares: Iterable[Share]) -> Share:
    found = list(shares)
    return Share(sum(one.covered for one in found), sum(one.total for one in found))


def source(member: Member) -> str:
    """The role, by which its verbs are one source, or what the module is of."""
    return member.role or member.capability


def scopes(table: Iterable[Cell]) -> list[Scope]:
    """Every part that is known, the worst state that any step saw of it; by tenant and source, the worst first."""
    found: dict[tuple[str, str, str], Scope] = {}
    told: set[tuple[str, str]] = set()
    for cell in table:
        if cell.capability == OTHER_TASKS or cell.status == REMOVED:
            continue
        told |= {
            (one.tenant, source(one)) for one in cell.members if one.status != REMOVED and "coverage" in one.detail
        }
        lines = [line for member in cell.members for line in _lines(member)] or list(_implied(cell))
        for line in lines:
            key = line[:3]
            if key not in found or _rank(line) < _rank(found[key]):
                found[key] = line
    # Where a step has told of the parts, be it that all are covered, «all of it» is none beside them.
    kept = [line for line in found.values() if line.name != WHOLE or (line.tenant, line.source) not in told]
    return sorted(kept, key=lambda line: (line.tenant, line.source, _rank(line), line.name))


def _rank(line: Scope) -> int:
    return STATES.index(line.state)


def _lines(member: Member) -> Iterable[Scope]:
    if member.status == REMOVED:
        return
    at = "" if member.host == member.tenant else f"{member.host}: "
    for part in mapping(member.detail.get("coverage")).get("parts") or ():
        yield Scope(
            member.tenant,
            source(member),
            f"{at}{part['name']}",
            str(part["state"]),
            str(part.get("why") or ""),
            str(part.get("next_step") or ""),
        )


def _implied(cell: Cell) -> Iterable[Scope]:
    """Of what no run has told the parts."""
    granted = [member for member in cell.members if member.role in SEES_ALL and member.capability != member.role]
    state = STATE_OF.get(cell.status)
    if state is None or granted or any("coverage" in member.detail for member in cell.members):
        return
    worst = next((member for member in cell.members if member.status == cell.status), None)
    problems: list[dict[str, Any]] = worst.detail.get("problems", []) if worst else []
    problem = problems[0] if problems else {}
    name = source(worst) if worst else cell.capability
    why = str(problem.get("message") or "") if worst else NEVER
    yield Scope(cell.tenant, name, WHOLE, state, why, str(problem.get("next_step") or ""))


def widest(told: Iterable[tuple[Hashable, Any]]) -> list[Any]:
    """Of each source's steps, given as (source, coverage), the one that saw most."""
    found: dict[Hashable, tuple[Share, Any]] = {}
    for key, coverage in told:
        one = share(coverage)
        if one and (key not in found or found[key][0] | one is one):
            found[key] = one, coverage
    return [coverage for _share, coverage in found.values()]


def by_tenant(rows: Iterable[tuple[str, str, str, Share]]) -> dict[str, Share]:
    """{tenant: share} of (tenant, host, source, share of one step)."""
    sources: dict[tuple[str, str, str], Share] = {}
    for tenant, host, name, one in rows:
        key = (tenant, host, name)
        sources[key] = sources.get(key, one) | one
    tenants: dict[str, list[Share]] = {}
    for (tenant, _host, _name), one in sources.items():
        tenants.setdefault(tenant, []).append(one)
    return {tenant: summed(found) for tenant, found in tenants.items()}


def states_of(lines: Iterable[Scope]) -> dict[str, int]:
    """How many of the lines are in each state, in the order of STATES."""
    number = Counter(line.state for line in lines)
    return {state: number[state] for state in STATES if number[state]}
