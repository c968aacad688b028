# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tickets of a tenant's incidents, behind the skeleton's interface: one target for each incident."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from ..._core import engines
from ..._core.capability import Applied, Capability, Give
from ..._core.converge import Run
from ..._core.entry import Engine
from ..._core.errors import OnboardingError
from ..._core.findings import OK, Finding, failed
from ..._core.freshness import Flow, stamp
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.status import BLOCKED, DRIFTED, FAILED, IN_SYNC, UNKNOWN
from ..._core.verdict import Record, Verdict, not_tried
from . import feed as graph
from . import freshness as flows
from . import options, sentinel, servicenow, webhook
from . import plan as rules
from . import preflight as checks
from . import tickets as t
from .feed import Feed
from .logic_app import RedirectRule
from .memory import Memory, alone
from .options import LOGIC_APP, SENTINEL, SERVICENOW, Setup
from .plan import Incident, Incidents
from .sentinel import Workspace
from .servicenow import HIDDEN, ServiceNow
from .tickets import Step, Ticket
from .webhook import Webhook

READ = "incidents"


class Work:
    """A run's way to both sides. tickets: the current one by incident; incidents: as read, with where they lead."""

    def __init__(self, feed: Feed | Workspace, desk: ServiceNow | Webhook, memory: Memory, redactor: Redactor) -> None:
        self.feed, self.desk, self.memory, self.redactor = feed, desk, memory, redactor
        self.tickets: dict[str, Ticket] = {}
        self.incidents: dict[str, Incident | OnboardingError] = {}
        self.began = time.time()
        self.since = self.began


class IncidentSync(Capability[Setup, Work]):
    """One target for each incident that was changed, and one for having read them."""

    name = "incident_sync"
    collects = False

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Work]:
        with alone(options.evidence_path) if wanted.syncs and not options.check else nullcontext():
            memory = Memory(options.evidence_path, writes=not options.check)
            async with (
                _feed(wanted, redactor) as feed,
                _desk(wanted, redactor, memory) as desk,
            ):
                yield Work(feed, desk, memory, redactor)

    async def survey(self, client: Work, wanted: Setup, give: Give) -> None:
        if wanted.leaving:
            await _leave(client, wanted, give)
            return
        client.since = client.memory.known.since(client.began, wanted.lookback, wanted.overlap)
        verdicts = await _planned(client, wanted, client.since, client.memory.known.again)
        give.expect(len(verdicts) + 1)
        number = sum(isinstance(one, Incident) for one in client.incidents.values())
        give(Verdict(READ, IN_SYNC, facts={"read": number, "since": stamp(client.since)}))
        for verdict in verdicts:
            give(verdict)

    def stages(self, due: Sequence[Record]) -> Iterable[Sequence[Record]]:
        """A ticket is there before another one's note goes to it."""
        return [[one for one in due if rules.stage(one.verdict) == number] for number in rules.STAGES]

    async def each(self, client: Work, wanted: Setup, stage: Sequence[Record], write: Any) -> None:
        """Notes one after the other: two may go to one ticket, and each writes its memo.

        Of others the first alone, since it tells whether tickets can be found again.
        """
        if stage and rules.stage(stage[0].verdict) == rules.REDIRECTS:
            await super().each(client, wanted, stage, write)
            return
        await super().each(client, wanted, stage[:1], write)
        await asyncio.gather(*(write(record) for record in stage[1:]))

    def veto(self, client: Work, verdict: Verdict, records: Mapping[str, Record]) -> OnboardingError | None:
        """Where tickets cannot be found again, no more are made."""
        if any(one.error is not None and one.error.code == HIDDEN for one in records.values()):
            return not_tried(verdict, "the ITSM hides a field that tickets are found by")
        return None

    async def apply(self, client: Work, wanted: Setup, verdict: Verdict) -> Applied | None:
        for step in verdict.subject:
            await _do(client, verdict, step)
        return None

    async def finish(self, client: Work, wanted: Setup, run: Run[Setup, Work]) -> None:
        """The cursor moves only where all was done; what nobody could tell is looked at again."""
        records = list(run.records.values())
        if any(one.status == FAILED or (one.status == DRIFTED and one.verdict.action) for one in records):
            return
        if wanted.leaving:
            client.memory.forget(tickets=not any("left_open" in one.verdict.drift for one in records))
            return
        again = [one for one in records if one.verdict.status == BLOCKED or one.status == UNKNOWN]
        known = client.memory.known
        full = client.since <= client.began - wanted.lookback
        newest = max((one.updated for one in client.incidents.values() if isinstance(one, Incident)), default=0.0)
        client.memory.keep(
            known._replace(
                good=client.began,
                cursor=max(newest, known.cursor),
                full=client.began if full else known.full,
                again=tuple(sorted(one.target.removeprefix("incident ") for one in again)),
            )
        )

    async def preflight(self, client: Work, wanted: Setup) -> list[Finding]:
        found = await checks.findings(client.feed, client.desk, wanted, remembers=client.memory.kept)
        if all(one.status == OK for one in found):
            found.append(await _backlog(client, wanted))
        return [*found, *await checks.automation_rules(wanted, client.redactor)]

    async def freshness(self, client: Work, wanted: Setup) -> list[Flow]:
        now = client.began
        last = flows.runs(client.memory.known, now, wanted.limits, kept=client.memory.kept)
        try:
            verdicts = await _planned(client, wanted, now - wanted.lookback, client.memory.known.again)
        except OnboardingError as error:
            return [last, *flows.refused(error)]
        seen = {id: one for id, one in client.incidents.items() if isinstance(one, Incident)}
        return [last, *flows.late(verdicts, seen, now, wanted.limits, wanted.lookback / 3600)]

    def held_up(self, client: Work) -> float:
        return client.feed.buckets.throttled_seconds + client.desk.buckets.throttled_seconds

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"{sum(one.target != READ for one in records)} incidents of tenant {wanted.identity.tenant_id}"

    def summary(self, client: Work, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        ours, theirs = client.feed.costs(), client.desk.costs()
        return {
            "credentials": wanted.identity.expiries(),
            **{name: ours[name] + theirs[name] for name in ("throttled_answers", "throttled_seconds")},
            "requests": {
                **{f"{wanted.feed} {name}": number for name, number in ours["requests"].items()},
                **{f"itsm {name}": number for name, number in theirs["requests"].items()},
            },
        }


def _feed(wanted: Setup, redactor: Redactor) -> AbstractAsyncContextManager[Feed | Workspace]:
    if wanted.feed == SENTINEL:
        return sentinel.connected(wanted.identity, wanted.workspace, redactor)
    return graph.connected(wanted.identity, redactor)


def _desk(wanted: Setup, redactor: Redactor, memory: Memory) -> AbstractAsyncContextManager[ServiceNow | Webhook]:
    ca_file = wanted.identity.ca_file
    if wanted.desk.kind == SERVICENOW:
        return servicenow.connected(wanted.desk, ca_file, redactor)
    return webhook.connected(wanted.desk, ca_file, redactor, memory.tickets, writes=memory.writes)


async def _planned(client: Work, wanted: Setup, since: float, again: Iterable[str]) -> list[Verdict]:
    """What was changed, where it leads, all of its tickets; and what is to be done. Raises OnboardingError."""
    found: dict[str, Incident | OnboardingError] = {one.id: one for one in await client.feed.changed(since)}
    found |= {id: await client.feed.followed(id) for id in again if id not in found}
    for _redirect in range(rules.MAX_REDIRECTS + 1):
        found |= {id: await client.feed.followed(id) for id in sorted(rules.unread(found))}
    client.incidents = found
    return list(rules.plan(wanted.tenant, found, await _held(client, wanted, found), wanted.policy))


async def _backlog(client: Work, wanted: Setup) -> Finding:
    """What the next run would do: of a first one it may be more than anybody expects."""
    try:
        verdicts = await _planned(client, wanted, client.began - wanted.lookback, ())
    except OnboardingError as error:
        return failed("tickets", wanted.tenant, error)
    return checks.backlog(wanted, verdicts)


async def _held(client: Work, wanted: Setup, incidents: Incidents) -> dict[str, list[Ticket]]:
    """By incident. Raises OnboardingError."""
    keys = {rules.key(wanted.tenant, id): id for id in incidents}
    held = {keys[key]: found for key, found in (await client.desk.find(keys)).items()}
    client.tickets = {id: one for id, found in held.items() if (one := t.current(found))}
    return held


async def _do(client: Work, verdict: Verdict, step: Step) -> None:
    """One step; what an earlier step of the run has made is known. Raises OnboardingError."""
    seen = client.tickets.get(step.see)
    step = step._replace(note=f"{step.note} Ticket {seen.number}.") if seen else step
    if step.kind == t.CREATE:
        client.tickets[step.incident] = await client.desk.create(step)
        return
    ticket = step.ticket or client.tickets.get(step.incident)
    if ticket is None:
        raise not_tried(verdict, f"incident {step.incident} has no ticket")
    if step.kind == t.TAG:
        await client.feed.tag(step.incident, ticket.number)
        return
    changed = await client.desk.change(ticket, step)
    if not step.ticket:
        client.tickets[step.incident] = changed


async def _leave(client: Work, wanted: Setup, give: Give) -> None:
    """Tickets are the provider's work: they stay, unless it is asked to close them."""
    open_ones = await client.desk.open(rules.key(wanted.tenant, ""))
    give.expect(len(open_ones))
    for verdict in rules.leaving(open_ones, closes=wanted.closes):
        give(verdict)


def _either(verb: Callable[[Capability[Any, Any]], Engine]) -> Engine:
    """The verb on tickets, or on the rule that has the ITSM's own Logic Apps keep them."""
    tickets, rule = verb(IncidentSync()), verb(RedirectRule())

    def engine(params: Mapping[str, Any], *given: Any, **named: Any) -> Awaitable[dict[str, Any]]:
        return (rule if params["itsm"] == LOGIC_APP else tickets)(params, *given, **named)

    return engine


converge: Engine = _either(engines.converge)
verify: Engine = _either(engines.verify)
preflight: Engine = _either(engines.preflight)
