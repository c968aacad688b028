# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The intakes of one community, and the keys by which sources send to them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from operator import eq
from typing import Any

from ..._core import engines
from ..._core.capability import Applied, Capability, Give
from ..._core.coverage import Scope, Seen, refuse, unmatched
from ..._core.entry import Engine
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from ..._core.findings import Finding
from ..._core.freshness import ABSENT, FLOWING, STALE, UNREADABLE, Flow, Limits, judge
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.status import BLOCKED, CORRECTED
from ..._core.throttle import interleave
from ..._core.verdict import Record, Verdict
from .. import api as shared
from .. import preflight as checks
from ..client import Sekoia, connected
from ..preflight import Look
from . import api, options
from .options import Setup
from .plan import HAND_OVER, Intake, Kept, Wanted, meant, plan

ABSENT_STEP = "run the onboard playbook: nothing can be sent to it"
STALE_STEP = "see at the source whether it still sends, to which address, and with which intake key"
PROBE_STEP = "see in Sekoia.io's Events page whether the intake takes anything, else ask Sekoia.io's support"
PROBE_SECONDS = 120.0
POLL_SECONDS = 3.0


class Session(Sekoia):
    """A run's client. flows: those of a verification so far; learn: hides a key that was read from what is told."""

    def __init__(self, session: Any, identity: Any) -> None:
        super().__init__(session, identity)
        self.flows: list[Flow] = []
        self.learn: Callable[[str], Any] = lambda _key: None


class Intakes(Capability[Setup, Session]):
    """Intakes by their names."""

    name = covers = "sekoia_intake"

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Session]:
        async with connected(Session, wanted.identity, wanted.concurrency, redactor) as client:
            if not wanted.return_secrets:
                client.learn = redactor.add
            yield client

    async def survey(self, client: Session, wanted: Setup, give: Give) -> None:
        await shared.community(client)
        meanings = await looked_up(client, wanted.intakes)
        for verdict in plan(meanings, await _listed(client), wanted.kept, wanted.policy):
            give(verdict._replace(facts={"intake_uuid": verdict.subject.uuid} if verdict.subject else {}))

    async def apply(self, client: Session, wanted: Setup, verdict: Verdict) -> Applied:
        one: Intake | None = verdict.subject
        if verdict.action == HAND_OVER:
            return Applied(one)
        if one is None:
            made = await _created(client, verdict.after)
        elif verdict.action == "delete":
            await shared.remove(client, f"{api.INTAKES}/{one.uuid}", f"delete the intake {one.name}")
            return Applied()
        else:
            made = await api.update(client, one, verdict.after)
        if (made.name, made.format, made.entity) != tuple(verdict.after):
            text = "Sekoia.io took the request, and the intake is not as it was sent"
            step = "run the drift playbook, which says what differs"
            raise RefusedError(f"{verdict.action} {verdict.target}", text, code="NotShown", next_step=step)
        return Applied(made, verdict=verdict._replace(subject=made, facts={"intake_uuid": made.uuid}))

    async def preflight(self, client: Session, wanted: Setup) -> list[Finding]:
        async def named(client: Sekoia) -> str:
            await looked_up(client, wanted.intakes)
            return "every format and entity that is named is there"

        looks = [*LOOKS, Look("names", "View entities", named)]
        return await checks.findings(client, looks, NEEDS, date.today())

    async def freshness(self, client: Session, wanted: Setup) -> list[Flow]:
        await shared.community(client)
        found = await _listed(client)

        async def look(one: Wanted) -> None:
            client.flows.append(await _flow(client, wanted, one, found))

        await _of_each(client, wanted, wanted.intakes, look)
        return self.flows_so_far(client)

    def flows_so_far(self, client: Session) -> list[Flow]:
        return sorted(client.flows, key=lambda flow: flow.source)

    def seen(self, client: Session, wanted: Setup) -> Seen:
        """Those that the tenant file names, whether they are there or not: that is a verdict's."""
        return Seen([Scope(one.name, f"intake {one.name}") for one in wanted.intakes])

    def regain(self, wanted: Setup, scope: Scope) -> str:
        return f"name {scope.name} in sekoia_intake_intakes again"

    def held_up(self, client: Session) -> float:
        return client.buckets.throttled_seconds

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"{len(records)} intakes"

    def summary(self, client: Session, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"credentials": client.credentials(), **client.costs()}

    def outputs(self, client: Session, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """intakes: those that are there at the end; with their keys where asked for."""
        return {"intakes": [_output(client, wanted, one) for one in records if _is_there(one)]}


def _output(client: Session, wanted: Setup, record: Record) -> dict[str, Any]:
    one: Intake = record.verdict.subject
    kept = wanted.kept.get(record.target, Kept())
    secret = {"intake_key": one.key} if wanted.return_secrets else {"handed_over": kept == Kept(one.uuid, one.key)}
    return {"name": record.target, "uuid": one.uuid, "intake_url": client.identity.intake_url, **secret}


def _is_there(record: Record) -> bool:
    gone = record.verdict.action == "delete" and record.status == CORRECTED
    return record.verdict.subject is not None and record.verdict.status != BLOCKED and not gone


async def looked_up(client: Sekoia, wanted: Sequence[Wanted]) -> list[Wanted]:
    """With the uuids of their formats and entities. Raises InputError for what means nothing, or several."""
    formats, entities = await api.formats(client), await api.entities(client)
    complaints = []
    for kind, named, given in (
        ("format", formats, {one.format for one in wanted}),
        ("entity", entities, {one.entity for one in wanted}),
    ):
        complaints += unmatched(kind, sorted(given), [text for one in named for text in (one.name, one.uuid)], eq)
        for name in sorted(given):
            uuids = api.chosen(named, name)
            if len(uuids) > 1:
                complaints.append(f"{kind}: {len(uuids)} have the name {name}: give one of {', '.join(sorted(uuids))}")
    refuse("look up formats and entities", complaints)
    return [Wanted(one.name, api.chosen(formats, one.format)[0], api.chosen(entities, one.entity)[0]) for one in wanted]


async def _listed(client: Session) -> list[Intake]:
    found = await api.intakes(client)
    for one in found:
        client.learn(one.key)
    return found


async def _created(client: Session, wanted: Wanted) -> Intake:
    """Make it; of one whose answer was lost, see whether it was made."""
    try:
        made = await api.create(client, wanted)
        client.learn(made.key)
        return made
    except NoAnswerError:
        held = meant(wanted, await _listed(client), Kept())
        if len(held) != 1:
            raise
        return held[0]


async def _of_each(
    client: Session, wanted: Setup, ones: Sequence[Wanted], look: Callable[[Wanted], Awaitable[None]]
) -> None:
    await interleave([("", one) for one in ones], "requests", client.buckets, look, wanted.concurrency)


# --- preflight and verify


async def _intakes(client: Sekoia) -> str:
    return f"{len(await api.intakes(client))} intakes are there"


NEEDS = "View intakes, Manage intakes, View entities and View events"
LOOKS = (Look("intakes", "View intakes", _intakes),)


async def _flow(client: Session, wanted: Setup, one: Wanted, found: Sequence[Intake]) -> Flow:
    held = [intake for intake in found if intake.name == one.name]
    if not held:
        return Flow(one.name, ABSENT, next_step=ABSENT_STEP)
    try:
        if len(held) > 1:
            text = f"several have its name: {', '.join(intake.uuid for intake in held)}"
            step = "run the drift playbook, which says what to do"
            raise RefusedError(f"find the intake {one.name}", text, code="duplicate", next_step=step)
        if wanted.probe:
            return await _probed(client, held[0])
        now = time.time()
        newest = await api.newest(client, held[0].uuid, now - 7 * 86400.0)
    except OnboardingError as error:
        return Flow(one.name, UNREADABLE, error=error)
    limits = Limits(wanted.grace, wanted.stale)
    state = judge(configured=True, newest=newest, changed=held[0].created, now=now, limits=limits)
    text = "" if newest else "no event within seven days"
    return Flow(one.name, state, newest, message=text, next_step=STALE_STEP if state == STALE else "")


async def _probed(client: Session, one: Intake) -> Flow:
    """Send an event of our own as a source would, and wait until the search finds it."""
    began, mark = time.time(), api.marker()
    await api.send(client, one, f"{mark}: test event of mssp.onboarding")
    until = time.monotonic() + PROBE_SECONDS
    while True:
        newest = await api.newest(client, one.uuid, began - 60.0, mark)
        if newest is not None:
            return Flow(one.name, FLOWING, newest, message="a test event was sent to it and is found")
        if time.monotonic() > until:
            text = f"a test event was taken, and is not found within {PROBE_SECONDS:g} seconds"
            return Flow(one.name, STALE, code="not_found", message=text, next_step=PROBE_STEP)
        await asyncio.sleep(POLL_SECONDS)


converge: Engine = engines.converge(Intakes())
verify: Engine = engines.verify(Intakes())
preflight: Engine = engines.preflight(Intakes())
