# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report of a run tells, made from the run's summary and the history. Pure, but for reading the history."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._core.coverage import NOT_ASKED
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import sum_of
from ansible_collections.mssp.onboarding.plugins.module_utils._core.progress import clean
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import (
    CORRECTED,
    DRIFTED,
    IN_SYNC,
    PENDING,
    SEVERITY,
    WELL,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.coverage import Scope, Share, scopes, summed
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.history import Confirmed, History, Run
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.retention import DAY
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.states import (
    STATUSES,
    Cell,
    Member,
    cells,
    mapping,
    moment,
    worst_of,
)
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.grouping import Cause, causes
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.outcomes import Problem, Row
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.summary_table import correct_command

RUNS_DRAWN = 30
EXPIRY_DAYS = 30
SLOWEST = 10
NAME = 100  # characters of a name that are shown
CORRECTED_DAYS = 7
CORRECTIONS_KEPT = 500
DRIFT = "drift"  # code of what can be corrected
Table = dict[tuple[str, str], Cell]


@dataclass(frozen=True)
class Finding:
    """What one step at one host says, in words for people."""

    host: str
    step: str
    status: str
    since: float
    msg: str
    problems: tuple[Problem, ...]
    changes: tuple[str, ...]
    evidence: str


@dataclass(frozen=True)
class Standing:
    """One cell of the matrix. Times are seconds since the epoch, None for never.

    arrivals: {} where none are told; verified: when that was seen, since «the last day» is one of then.
    """

    capability: str
    status: str
    since: float | None
    seen: float | None
    last_in_sync: float | None
    findings: tuple[Finding, ...]
    arrivals: dict[str, Any]
    verified: float | None


@dataclass(frozen=True)
class Tenant:
    """One row of the matrix; cells by capability."""

    slug: str
    name: str
    ring: str
    status: str
    cells: dict[str, Standing]

    @property
    def unwell(self) -> list[Standing]:
        """The worst first."""
        found = [cell for cell in self.cells.values() if cell.status not in WELL]
        return sorted(found, key=lambda cell: (-SEVERITY[cell.status], cell.capability))

    @property
    def arriving(self) -> list[Standing]:
        """What verify told arrivals of."""
        return [cell for cell in self.cells.values() if cell.arrivals]


@dataclass(frozen=True)
class News:
    """These tenants went from one status to another in one capability; before: "" for not known."""

    capability: str
    before: str
    after: str
    tenants: tuple[str, ...]


@dataclass(frozen=True)
class Credential:
    tenant: str
    name: str
    expires: float
    days: int


@dataclass(frozen=True)
class Undated:
    """A credential of which no run knows when it expires."""

    name: str
    tenants: tuple[str, ...]


@dataclass(frozen=True)
class Point:
    """How many tenants had which status after a run."""

    run: Run
    tenants: dict[str, int]


@dataclass(frozen=True)
class Change:
    """A line of one tenant's timeline; until: None for what stands."""

    capability: str
    host: str
    status: str
    since: float
    until: float | None


@dataclass(frozen=True)
class Correction:
    """What one run changed at one tenant in one capability, and at whose word."""

    tenant: str
    capability: str
    host: str
    at: float
    who: str
    verb: str
    changes: tuple[str, ...]
    number: int


@dataclass(frozen=True)
class Report:
    """tenant: the only one told of, "" for the fleet. Reasons: (capability, cause), most tenants first.

    corrections: of CORRECTED_DAYS, the newest first; command: how playbooks are run where the run was.
    scopes: every part of a tenant that is known; shares, shares_before: how much is covered, by tenant, now and after
    the first run of the trend; covered: that of all tenants together after each run of the trend.
    """

    run: Run
    previous: Run | None
    tenant: str
    tenants: list[Tenant]
    capabilities: list[str]
    reasons: list[tuple[str, Cause]]
    news: list[News]
    credentials: list[Credential]
    undated: list[Undated]
    slowest: list[tuple[str, float]]
    trend: list[Point]
    timeline: list[Change]
    not_reached: list[str]
    corrections: list[Correction]
    confirmed: list[Confirmed]
    command: str
    scopes: list[Scope]
    shares: dict[str, Share]
    shares_before: dict[str, Share]
    covered: list[Share]

    @property
    def counts(self) -> dict[str, int]:
        """Tenants by status, the worst first."""
        number = Counter(tenant.status for tenant in self.tenants)
        return {status: number[status] for status in reversed(STATUSES)}

    @property
    def share(self) -> Share:
        """How much of all tenants is covered."""
        return summed(self.shares.values())

    @property
    def share_before(self) -> Share:
        return summed(self.shares_before.values())

    @property
    def uncollected(self) -> list[tuple[str, str, str, list[str]]]:
        """(source, what the customers have and nobody collects, next step, tenants), that of most tenants first."""
        found: dict[tuple[str, str, str], list[str]] = {}
        for line in self.scopes:
            if line.state == NOT_ASKED:
                found.setdefault((line.source, line.name, line.next_step), []).append(line.tenant)
        return sorted(((*key, names) for key, names in found.items()), key=lambda item: (-len(item[3]), item[:3]))

    @property
    def unwell(self) -> list[Tenant]:
        return [tenant for tenant in self.tenants if tenant.status not in WELL]


def build(history: History, summary: Mapping[str, Any], only: str = "") -> Report:
    """The report of the run as it stood at its end. C(only): one tenant, for its own eyes. Raises HistoryError."""
    fleet = dict(mapping(summary.get("fleet"))) or history.fleet()
    runs = [_printable(run) for run in history.runs()]
    place = next(n for n, run in enumerate(runs) if run.run == clean(str(summary.get("run")), NAME))
    run, previous = runs[place], runs[place - 1] if place else None
    drawn = runs[max(0, place + 1 - RUNS_DRAWN) : place + 1]
    shares = [
        _of_one(found, only) for found in history.shares([one.at for one in drawn], {*fleet, *history.gone(run.at)})
    ]
    table = _named(history.cells(run.at, fleet))
    before = _named(history.cells(previous.at, fleet)) if previous else {}
    hide = _hiding(fleet, table, only) if only else _unhidden
    table, before = _of(table, only), _of(before, only)
    command = clean(str(summary.get("command") or "ansible-playbook"), 300)
    tenants = _tenants(table, fleet, hide, command)
    return Report(
        run=run,
        previous=previous,
        tenant=only,
        tenants=tenants,
        capabilities=sorted({capability for _tenant, capability in table}),
        reasons=_reasons(tenants, command),
        news=_news(before, table),
        credentials=_credentials(table, run.at),
        undated=_undated(table),
        slowest=[] if only else _slowest(summary, fleet),
        trend=[] if only else _trend(history, fleet, drawn),
        timeline=_timeline(history.spans(only), run.at) if only else [],
        not_reached=[] if only else sorted(clean(str(host), NAME) for host in summary.get("not_reached") or []),
        corrections=_corrections(history.corrections(run.at - CORRECTED_DAYS * DAY, run.at), only, hide),
        confirmed=[] if only else history.confirmed(),
        command=command,
        scopes=[_shown(line, hide) for line in scopes(table.values())],
        shares=shares[-1],
        shares_before=next(filter(None, shares), {}),
        covered=[summed(found.values()) for found in shares],
    )


def _of_one(shares: Mapping[str, Share], only: str) -> dict[str, Share]:
    """With names that can be shown."""
    return {clean(tenant, NAME): one for tenant, one in shares.items() if only in ("", tenant)}


def _shown(line: Scope, hide: Callable[[str], str]) -> Scope:
    """With texts that can be shown."""
    texts = {"name": 200, "why": 300, "next_step": 600}
    shown = {name: hide(clean(getattr(line, name), limit)) for name, limit in texts.items()}
    return line._replace(tenant=clean(line.tenant, NAME), source=clean(line.source, NAME), **shown)


def _printable(run: Run) -> Run:
    return run._replace(run=clean(run.run, NAME), playbook=clean(run.playbook, NAME))


def _named(table: Table) -> Table:
    """With names that can be shown."""
    return {(clean(tenant, NAME), clean(capability, NAME)): cell for (tenant, capability), cell in table.items()}


def _of(table: Table, only: str) -> Table:
    return {key: cell for key, cell in table.items() if not only or key[0] == only}


def _unhidden(text: str) -> str:
    return text


def _hiding(fleet: Mapping[str, Mapping[str, Any]], table: Table, own: str) -> Callable[[str], str]:
    """Takes the names of all other tenants and their hosts out of a text that goes to one of them."""
    names = {(tenant, tenant) for tenant, _capability in table}
    for host, entry in fleet.items():
        tenant = str(entry.get("tenant"))
        names |= {(name, tenant) for name in (host, tenant, str(entry.get("name") or "")) if name}
    names |= {(member.host, tenant) for (tenant, _capability), cell in table.items() for member in cell.members}
    ours = {name.casefold() for name, tenant in names if tenant == own}
    longest_first = sorted({name for name, _tenant in names}, key=len, reverse=True)
    pattern = re.compile(
        rf"(?<![^\W_])(?:{'|'.join(map(re.escape, longest_first))})(?![^\W_])" if names else r"(?!)", re.IGNORECASE
    )
    return lambda text: pattern.sub(lambda found: found[0] if found[0].casefold() in ours else "another tenant", text)


def _tenants(
    table: Table, fleet: Mapping[str, Mapping[str, Any]], hide: Callable[[str], str], command: str
) -> list[Tenant]:  # fmt: skip
    grouped: dict[str, dict[str, Standing]] = {}
    for (slug, capability), cell in sorted(table.items()):
        found = tuple(_finding(member, hide, command) for member in cell.members)
        looks = [(member.at, told) for member in cell.members if (told := mapping(member.detail.get("arrivals")))]
        standing = Standing(
            capability, cell.status, cell.since, cell.seen, cell.last_in_sync, found,
            arrivals=sum_of(told for _at, told in looks), verified=min((at for at, _told in looks), default=None),
        )  # fmt: skip
        grouped.setdefault(slug, {})[capability] = standing
    about = {str(entry.get("tenant")): entry for entry in reversed(list(fleet.values()))}
    tenants = [
        Tenant(
            slug,
            clean(str(mapping(about.get(slug)).get("name") or ""), 120),
            clean(str(mapping(about.get(slug)).get("ring") or ""), 20),
            worst_of(standing.status for standing in standings.values()),
            standings,
        )
        for slug, standings in grouped.items()
    ]
    return sorted(tenants, key=lambda tenant: (-SEVERITY[tenant.status], tenant.slug))


def _finding(member: Member, hide: Callable[[str], str], command: str) -> Finding:
    detail = member.detail
    given = [mapping(item) for item in detail.get("problems", ())]
    problems = [
        Problem(
            hide(clean(str(item.get("code")), 80)),
            hide(clean(str(item.get("message") or ""), 600)),
            hide(clean(str(item.get("next_step") or ""), 600)),
            item.get("status") if isinstance(item.get("status"), int) else None,
            item["count"] if isinstance(item.get("count"), int) else 1,
        )
        for item in given
    ]
    msg = hide(clean(str(detail.get("msg", "")), 600))
    if not problems and member.status not in WELL:
        problems = _implied(member, msg, command)
    return Finding(
        hide(clean(member.host, NAME)),
        clean(member.step, 60),
        member.status,
        member.since,
        msg,
        tuple(problems),
        tuple(hide(clean(str(line), 300)) for line in detail.get("changes", ())),
        clean(str(detail.get("evidence", "")), 300),
    )


def _implied(member: Member, msg: str, command: str) -> list[Problem]:
    """Drift names no problem where it can be corrected; and nothing is unwell without a reason."""
    kinds = mapping(member.detail.get("drift"))
    if member.status == DRIFTED:
        told = ", ".join(sorted(clean(str(kind), 40) for kind in kinds)) or msg
        number = sum(count for count in kinds.values() if isinstance(count, int))
        return [Problem(DRIFT, told, correct_command(command, [member.host]), count=max(1, number))]
    if member.status == PENDING:
        step = f"wait, then {command} mssp.onboarding.verify -l {member.host}"
        return [Problem(PENDING, msg or "Data is expected and not there yet.", step)]
    return [Problem(member.status, msg or "No reason was given.", "Read the evidence of its last run.")]


def _corrections(
    found: Iterable[tuple[Member, str]], only: str, hide: Callable[[str], str]
) -> list[Correction]:  # fmt: skip
    """With names and texts that can be shown."""
    kept = [(member, who) for member, who in found if only in ("", member.tenant)][:CORRECTIONS_KEPT]
    return [
        Correction(
            clean(member.tenant, NAME),
            clean(member.capability, NAME),
            clean(member.host, NAME),
            member.at,
            clean(who, NAME),
            clean(str(member.detail.get("verb") or ""), 20),
            tuple(hide(clean(str(line), 500)) for line in member.detail.get("changes", ())),
            int(mapping(member.detail.get("counts")).get(CORRECTED) or 0),
        )
        for member, who in kept
    ]


def _reasons(tenants: Iterable[Tenant], command: str) -> list[tuple[str, Cause]]:
    rows: dict[str, list[Row]] = {}
    for tenant in tenants:
        for cell in tenant.unwell:
            problems = [p for finding in cell.findings if finding.status not in WELL for p in finding.problems]
            rows.setdefault(cell.capability, []).append(Row(tenant.slug, "", "", cell.status, problems=problems))
    found = [(capability, cause) for capability, given in rows.items() for cause in causes(given)]
    for _capability, cause in found:
        if cause.code == DRIFT:
            cause.next_step = correct_command(command, cause.tenants)
    return sorted(found, key=lambda item: (-len(item[1].tenants), -item[1].count, item[0], item[1].code))


def _news(before: Table, after: Table) -> list[News]:
    """What has another status than after the run before; that a correction holds is none."""
    moved: dict[tuple[str, str, str], list[str]] = {}
    for (tenant, capability), cell in sorted(after.items()):
        was = before[tenant, capability].status if (tenant, capability) in before else ""
        if was != cell.status and (was, cell.status) != (CORRECTED, IN_SYNC):
            moved.setdefault((capability, was, cell.status), []).append(tenant)
    found = [News(*key, tuple(names)) for key, names in moved.items()]
    return sorted(found, key=lambda news: (-SEVERITY[news.after], -len(news.tenants), news.capability))


def _undated(table: Table) -> list[Undated]:
    """What the last look at a capability signed in with and could tell no end of, the one of most tenants first."""
    found: dict[str, set[str]] = {}
    for (tenant, _capability), cell in table.items():
        newest = max((member.at for member in cell.members), default=0)
        for member in cell.members:
            for item in map(mapping, member.detail.get("credentials", ()) if member.at == newest else ()):
                if item.get("expires") == "":
                    found.setdefault(clean(str(item.get("name")), 120), set()).add(tenant)
    undated = (Undated(name, tuple(sorted(tenants))) for name, tenants in found.items())
    return sorted(undated, key=lambda one: (-len(one.tenants), one.name))


def _credentials(table: Table, now: float) -> list[Credential]:
    """Those that expire within EXPIRY_DAYS, the first to expire first; of each name what was seen last."""
    seen: dict[tuple[str, str], tuple[float, set[float]]] = {}
    for (tenant, _capability), cell in table.items():
        for member in cell.members:
            for item in map(mapping, member.detail.get("credentials", ())):
                expires = moment(item.get("expires"))
                if expires is not None:
                    key = (tenant, clean(str(item.get("name")), 120))
                    at, ends = seen.get(key, (member.at, set()))
                    if member.at >= at:
                        seen[key] = (member.at, {expires} | (ends if member.at == at else set()))
    found = [
        Credential(*key, expires, int((expires - now) // DAY))
        for key, (_at, ends) in seen.items()
        for expires in ends
        if expires < now + EXPIRY_DAYS * DAY
    ]
    return sorted(found, key=lambda item: (item.expires, item.tenant, item.name))


def _slowest(summary: Mapping[str, Any], fleet: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, float]]:
    """The tenants on which the run spent most seconds, all their hosts and steps together."""
    seconds: Counter[str] = Counter()
    for row in summary.get("tenants", ()):
        spent = row.get("seconds")
        if isinstance(spent, (int, float)) and "[" not in str(row.get("step")).replace("[0]", ""):
            host = str(row.get("tenant"))
            seconds[str(mapping(fleet.get(host)).get("tenant") or host)] += spent  # type: ignore[assignment]
    return [(clean(tenant, NAME), float(spent)) for tenant, spent in seconds.most_common(SLOWEST) if spent > 0]


def _trend(history: History, fleet: Mapping[str, Mapping[str, Any]], runs: list[Run]) -> list[Point]:
    """The fleet after each run, replayed from what stood after the first of them."""
    standing: dict[str, dict[tuple[str, str, str], Member]] = {}
    for member in history.standing(runs[0].at):
        standing.setdefault(member.tenant, {})[member.host, member.capability, member.step] = member
    hosts: dict[str, dict[str, Mapping[str, Any]]] = {}
    for host, entry in fleet.items():
        hosts.setdefault(str(entry.get("tenant") or host), {})[host] = entry
    turns = history.turns(runs[0].at, runs[-1].at)
    moved = set(hosts) if fleet else set(standing)
    worst: dict[str, str] = {}
    points: list[Point] = []
    position = 0
    for run in runs:
        while position < len(turns) and turns[position].since <= run.at:
            turn = turns[position]
            standing.setdefault(turn.tenant, {})[turn.host, turn.capability, turn.step] = Member(*turn)
            moved.add(turn.tenant)
            position += 1
        for tenant in moved if not fleet else moved & set(hosts):
            found = cells(standing.get(tenant, {}).values(), hosts.get(tenant, {}))
            worst[tenant] = worst_of(cell.status for cell in found.values())
        moved = set()
        points.append(Point(run, dict(Counter(worst.values()))))
    return points


def _timeline(spans: list[Member], until: float) -> list[Change]:
    """The newest first."""
    ends: dict[tuple[str, str, str], float] = {}
    lines = []
    for span in spans:
        key = (span.host, span.capability, span.step)
        if span.since <= until:
            names = (clean(span.capability, NAME), clean(span.host, NAME))
            lines.append(Change(*names, span.status, span.since, ends.get(key)))
            ends[key] = span.since
    return lines
