# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a capability of a tenant stands: one word made of what runs said. Pure.

A run's summary.json has one row per host and step (a module of ours). The latest row of each step stands until the
same step says something else; a cell of the report is the worst of what stands at a tenant for one capability.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from .._core.status import (
    CORRECTED,
    DRIFTED,
    IN_SYNC,
    NEVER_RUN,
    ORDER,
    PENDING,
    REMOVED,
    SEVERITY,
    UNKNOWN,
    UNREACHABLE,
    WELL,
)

STATUSES = tuple(status for status in ORDER if status != UNREACHABLE)  # of a cell, the best first
OTHER_TASKS = "other_tasks"  # the capability of a host that a task which is not ours stopped
PREFLIGHT, VERIFY, OFFBOARD = "preflight", "verify", "offboard"
NO_RESULT = "no result"  # code of the problem of a task that was started and never ended
# Roles whose look, named like them, sees all that their other modules have granted: it says what became of that.
SEES_ALL = ("tenant_access",)

DETAILS = (
    "verb", "outcome", "check_mode", "counts", "drift", "seconds", "throttled_seconds", "msg", "changes", "problems",
    "credentials", "coverage", "evidence", "arrivals",
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """What one run says of one step at one host.

    at: seconds since the epoch; tried: whether more than a preflight has looked; detail: the row's own fields.
    """

    tenant: str
    host: str
    capability: str
    role: str
    step: str
    status: str
    at: float
    tried: bool = True
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Member(Item):
    """What stands of one step at one host, with since when. Times are seconds since the epoch.

    at: when it was last seen; since: when it became so; last_in_sync: None for never.
    """

    since: float = 0.0
    first_seen: float = 0.0
    last_in_sync: float | None = None
    run: str = ""


@dataclass(frozen=True)
class Cell:
    """One tenant and one capability: the worst of its members, none for never run."""

    tenant: str
    capability: str
    status: str
    members: tuple[Member, ...] = ()

    @property
    def since(self) -> float | None:
        """When the first of those members that give the status became so."""
        return min((member.since for member in self.members if member.status == self.status), default=None)

    @property
    def seen(self) -> float | None:
        return max((member.at for member in self.members), default=None)

    @property
    def first_seen(self) -> float | None:
        return min((member.first_seen for member in self.members), default=None)

    @property
    def last_in_sync(self) -> float | None:
        """When all members were last well; None when one of them never was."""
        times = [member.last_in_sync for member in self.members]
        return min((when for when in times if when is not None), default=None) if None not in times else None


def status_of(row: Mapping[str, Any]) -> str:
    """One word for a row of summary.json. What was changed in check mode is not yet so."""
    status = str(row.get("outcome"))
    if status not in STATUSES:
        return UNKNOWN
    if status == CORRECTED and row.get("check_mode"):
        return DRIFTED
    if status in WELL and row.get("verb") == OFFBOARD:
        return REMOVED
    return status


def items(summary: Mapping[str, Any], known: Mapping[str, str]) -> list[Item]:
    """What a run says, one item per host and step. known: {host: tenant} for hosts that its fleet does not name."""
    fleet = mapping(summary.get("fleet"))
    ended = moment(summary.get("ended")) or 0.0
    worst: dict[tuple[str, str, str], Item] = {}
    for row in summary.get("tenants") or []:
        if _only_asked(row) or _broken_off(row):
            continue
        host = str(row.get("tenant"))
        item = Item(
            str(mapping(fleet.get(host)).get("tenant") or known.get(host) or host),
            host,
            str(row.get("capability") or OTHER_TASKS),
            str(row.get("role") or ""),
            str(row.get("step") or "").partition("[")[0] if row.get("capability") else "",
            status_of(row),
            moment(row.get("ended")) or ended,
            row.get("verb") != PREFLIGHT,
            {name: row[name] for name in DETAILS if row.get(name) not in (None, "", [], {})},
        )
        key = (host, item.capability, item.step)
        if key not in worst or SEVERITY[worst[key].status] < SEVERITY[item.status]:
            worst[key] = item
    return _without_echoes(worst.values())


def _only_asked(row: Mapping[str, Any]) -> bool:
    """A removal that check mode only foretold leaves everything as it stands."""
    return row.get("verb") == OFFBOARD and bool(row.get("check_mode"))


def _broken_off(row: Mapping[str, Any]) -> bool:
    """A look that did not end has seen nothing and changed nothing; a write that did not end is unknown."""
    codes = [mapping(problem).get("code") for problem in row.get("problems") or ()]
    return codes == [NO_RESULT] and row.get("verb") in (PREFLIGHT, VERIFY)


def _without_echoes(found: Iterable[Item]) -> list[Item]:
    """Without tasks that only fail because of what ours said just before («no drift is left»)."""
    found = list(found)
    unwell = {item.host for item in found if item.capability != OTHER_TASKS and item.status not in (*WELL, PENDING)}
    return [item for item in found if item.capability != OTHER_TASKS or item.host not in unwell]


def cells(members: Iterable[Member], fleet: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], Cell]:
    """{(tenant, capability): cell}. fleet: {host: {tenant, roles}}; a role's capability has its name.

    What was wanted and not tried is never run. With a fleet, hosts that it does not name have left and are not told of.
    """
    grouped: dict[tuple[str, str], list[Member]] = {}
    tried: set[tuple[str, str]] = set()
    for member in members:
        if fleet and member.host not in fleet:
            continue
        if not _is_over(member):
            grouped.setdefault((member.tenant, member.capability), []).append(member)
        if member.tried:
            tried.add((member.host, member.capability))
    table = {key: _cell(*key, group) for key, group in grouped.items()}
    for host, entry in fleet.items():
        for capability in entry.get("roles") or ():
            if (host, capability) in tried:
                continue
            key = (str(entry.get("tenant") or host), capability)
            before = table.get(key)
            if before is None or SEVERITY[before.status] < SEVERITY[NEVER_RUN]:
                table[key] = Cell(*key, NEVER_RUN, before.members if before else ())
    return table


def departed(
    members: Iterable[Member], gone: Mapping[str, Mapping[str, Any]], lost: Mapping[str, Collection[str]]
) -> Iterator[Member]:
    """The members, where those of hosts, or of roles, that have gone from the tenant files are unknown.

    gone: {host: {tenant}}; lost: {host: roles}.
    """
    for member in members:
        role = member.role or member.capability
        away = member.host in gone or role in lost.get(member.host, ())
        if away and member.status != REMOVED and member.capability != OTHER_TASKS:
            yield replace(
                member, status=UNKNOWN, detail={"problems": [gone_problem(member, role, member.host in gone)]}
            )
        else:
            yield member


def gone_problem(member: Member, role: str, whole: bool) -> dict[str, str]:
    """Why what has gone from the tenant files is unknown, and what to do."""
    tenant, what = member.tenant, member.host if whole else f"{role} of {member.host}"
    return {
        "code": "gone from the inventory",
        "message": f"{what} is in no tenant file any more and was never offboarded: what was made there may go on "
        "sending.",
        "next_step": gone_step(tenant),
    }


def gone_step(tenant: str) -> str:
    return (
        f"put it back into its tenant file and run mssp.onboarding.offboard -e offboard_confirm={tenant}, or say that "
        f"it is meant: scripts/report --confirm-gone {tenant}"
    )


def _is_over(member: Member) -> bool:
    """Whether another capability says all that there is to say."""
    if member.capability == OTHER_TASKS:
        return member.status in WELL
    return member.status == IN_SYNC and member.role in SEES_ALL and member.capability != member.role


def _cell(tenant: str, capability: str, members: list[Member]) -> Cell:
    removed = {member.host: member.at for member in members if member.status == REMOVED}
    standing = [m for m in members if m.status == REMOVED or m.at > removed.get(m.host, float("-inf"))]
    worst = max((member.status for member in standing), key=SEVERITY.__getitem__)
    return Cell(tenant, capability, worst, tuple(sorted(standing, key=lambda member: (member.host, member.step))))


def worst_of(statuses: Iterable[str]) -> str:
    """The worst of them; never run without any."""
    return max(statuses, key=SEVERITY.__getitem__, default=NEVER_RUN)


def moment(text: Any) -> float | None:
    """Seconds since the epoch of an ISO date, None for anything else."""
    try:
        when = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def mapping(value: Any) -> Mapping[str, Any]:
    """The value, or an empty mapping in the place of anything else."""
    return value if isinstance(value, Mapping) else {}
