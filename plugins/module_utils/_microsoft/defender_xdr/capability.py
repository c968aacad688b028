# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Defender XDR of one tenant: what Graph gives, what the portal streams, and what Defender for Cloud exports."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from ..._core import engines
from ..._core.capability import Applied, Capability, Give
from ..._core.client import documented
from ..._core.converge import Run
from ..._core.coverage import NOT_ASKED, Part, Scope, Seen
from ..._core.entry import Engine
from ..._core.errors import NoAnswerError, OnboardingError
from ..._core.findings import CUSTOMER, Finding
from ..._core.freshness import ABSENT, Flow
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.status import FAILED, IN_SYNC, WAITING
from ..._core.verdict import Record, Verdict, unknown
from ..arm.permissions import registration
from ..arm.polling import finished, until
from ..event_hub.plan import HUB, Hub
from . import api, options, records
from . import freshness as flows
from . import preflight as checks
from .client import Work, connected
from .options import Setup
from .plan import (
    AUTOMATION,
    DELETE,
    HUB_STEP,
    NO_HUB,
    REGISTERED,
    automation_verdict,
    no_hub,
    portal_verdict,
    provider_verdict,
    providers,
    wanted_automation,
)
from .tables import EXPORT, GRAPH_WAYS, HUNTING, PULSE, STREAMING, TABLES, WAYS


class Defender(Capability[Setup, Work]):
    """Targets: each way of Graph, the providers, the portal's setting, the export of each subscription."""

    name = covers = "defender_xdr"

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Work]:
        async with connected(wanted, redactor) as work:
            yield work

    async def survey(self, client: Work, wanted: Setup, give: Give) -> None:
        for way in wanted.ways:
            if way in GRAPH_WAYS:
                give(await _graph(client, way, leaving=wanted.leaving))
        for subscription, provider in providers(wanted.ways, wanted.subscription, wanted.export):
            give(await _provider(client, subscription, provider))
        if wanted.wants(STREAMING):
            give(await _portal(client))
        if wanted.wants(EXPORT):
            for subscription in wanted.export.subscriptions:
                give(await _export(client, subscription))

    async def apply(self, client: Work, wanted: Setup, verdict: Verdict) -> Applied | None:
        kind, *rest = verdict.subject
        if kind == AUTOMATION:
            if verdict.action == DELETE:
                await api.delete_automation(client, rest[0])
            else:
                await api.put_automation(client, rest[0], await _location(client))
            return None
        await api.register(client, *rest)
        return await finished(_registered(client, *rest))

    async def finish(self, client: Work, wanted: Setup, run: Run[Setup, Work]) -> None:
        """What was written has to be there as it was sent: Azure's answer alone is no proof."""
        for record in run.in_order():
            if record.written and record.verdict.subject and record.verdict.subject[0] == AUTOMATION:
                after = await _export(client, record.verdict.subject[1].id.split("/")[2])
                if after.status != IN_SYNC:
                    text = "Azure took it, and it is not there as it was sent"
                    error = after.error or NoAnswerError(f"see {record.target}", text, code="NotShown")
                    run.keep(record._replace(status=FAILED, error=error))

    async def preflight(self, client: Work, wanted: Setup) -> list[Finding]:
        return await checks.findings(client)

    async def freshness(self, client: Work, wanted: Setup) -> list[Flow]:
        now = time.time()
        found = [await _graph_flow(client, way, now) for way in wanted.ways if way in GRAPH_WAYS]
        if client.hubs is None:
            return found
        look = await _looked(client)
        if wanted.wants(STREAMING):
            found += await _stream_flows(client, look, now)
        if wanted.wants(EXPORT):
            found += [await _export_flow(client, one, look, now) for one in wanted.export.subscriptions]
        return found

    def held_up(self, client: Work) -> float:
        return client.graph.buckets.throttled_seconds + client.arm.buckets.throttled_seconds

    def seen(self, client: Work, wanted: Setup) -> Seen:
        """The ways that there are; those that nobody wants, and tables that arrive all the same, are not asked for."""
        left = [way for way in WAYS if way not in wanted.ways]
        parts = [Part(way, NOT_ASKED, next_step=f"add {way} to ways") for way in left]
        extra = [table for table in TABLES if table in client.arrived and table not in wanted.tables]
        step = "add {0} to tables, or have it unticked in the portal: it costs room in the hub"
        parts += [Part(f"streamed {table}", NOT_ASKED, next_step=step.format(table)) for table in extra]
        streamed = [Scope(f"streamed {table}", f"streamed {table}") for table in wanted.tables]
        scopes = [Scope(way, way) for way in wanted.ways]
        return Seen([*scopes, *(streamed if wanted.wants(STREAMING) else ())], parts=parts)

    def regain(self, wanted: Setup, scope: Scope) -> str:
        kind, _space, table = scope.name.partition(" ")
        return f"name {table or kind} in defender_xdr_{'tables' if table else 'ways'} again"

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"{', '.join(wanted.ways)} of Defender in tenant {wanted.identity.tenant_id}"

    def summary(self, client: Work, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"credentials": wanted.identity.expiries(), **client.costs()}

    def outputs(self, client: Work, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """stream: what a person pastes into the portal."""
        return {"stream": client.stream.view()} if wanted.wants(STREAMING) else {}


# --- onboard, drift, offboard


async def _graph(work: Work, way: str, *, leaving: bool) -> Verdict:
    """Nothing is written for it: it works as soon as the customer has consented and is licensed."""
    if leaving:
        return Verdict(way, IN_SYNC, reason="it ends with the app's access")
    try:
        await api.look(work, way)
    except OnboardingError as error:
        if error.owner != CUSTOMER:
            return unknown(way, error)
        return Verdict(way, WAITING, (error.code,), error.message, next_step=error.next_step)
    return Verdict(way, IN_SYNC)


async def _provider(work: Work, subscription: str, provider: str) -> Verdict:
    try:
        state = await registration(work.arm, subscription, provider)
    except OnboardingError as error:
        return unknown(f"{provider} in {subscription}", error)
    return provider_verdict(subscription, provider, state, leaving=work.setup.leaving)


async def _registered(work: Work, subscription: str, provider: str) -> None:
    """Raises OnboardingError."""
    await until(
        lambda: registration(work.arm, subscription, provider),
        lambda state: state == REGISTERED,
        work.setup.wait_seconds,
        f"see {provider} registered",
    )


async def _hub(work: Work) -> Hub | None:
    """The hub of the stream, None where it is not there. Raises OnboardingError."""
    namespace = await work.event_hubs.namespace()
    return (await work.event_hubs.hubs()).get(work.event_hubs.wanted.hub.casefold()) if namespace else None


async def _portal(work: Work) -> Verdict:
    stream, now, leaving = work.stream, time.time(), work.setup.leaving
    try:
        found = await records.seen(work) if await _hub(work) else None
    except OnboardingError as error:
        return portal_verdict(stream, None, error.message, now, leaving=leaving)
    if found is None:
        return no_hub(stream, leaving=leaving)
    return portal_verdict(stream, found.newest, "", now, leaving=leaving)


async def _export(work: Work, subscription: str) -> Verdict:
    wanted = wanted_automation(
        work.setup.export, subscription, work.event_hubs.ids[HUB], work.event_hubs.wanted.writer_rule
    )
    try:
        found = await api.automations(work, subscription)
    except OnboardingError as error:
        return unknown(wanted.id, error)
    return automation_verdict(wanted, found, leaving=work.setup.leaving)


async def _location(work: Work) -> str:
    """An export lies where its hub does. Raises OnboardingError."""
    namespace = await work.event_hubs.namespace()
    if namespace is None:
        raise OnboardingError("make the continuous export", "there is no Event Hub for it", code="NoEventHub",
                              next_step=HUB_STEP)  # fmt: skip
    return namespace.location.replace(" ", "").casefold()


# --- verify


async def _graph_flow(work: Work, way: str, now: float) -> Flow:
    try:
        found = await api.look(work, way)
    except OnboardingError as error:
        return flows.refused(f"{way} {PULSE}" if way == HUNTING else way, error)
    limits = work.setup.watch.limits
    return flows.of_hunting(found.when, now, limits) if way == HUNTING else flows.of_graph(way, found, now, limits)


async def _looked(work: Work) -> flows.Look:
    """The hub's newest records, or why nobody could look at them."""
    stream = work.stream
    try:
        hub = await _hub(work)
        if hub is None:
            raise OnboardingError("look into the Event Hub", "it is not there yet", code=NO_HUB, next_step=HUB_STEP)
        with documented("read when the hub was made"):
            told = hub.raw["properties"].get("createdAt")
            made = datetime.fromisoformat(told).timestamp() if told else None
        return flows.Look(stream, made, await records.seen(work))
    except OnboardingError as error:
        return flows.Look(stream, None, None, error)


async def _stream_flows(work: Work, look: flows.Look, now: float) -> list[Flow]:
    if look.error and look.error.code == NO_HUB:
        return [Flow("streamed tables", ABSENT, error=look.error)]
    missing = [table for table in look.stream.tables if look.seen and table not in look.seen.newest]
    return flows.of_stream(look._replace(rows=await _rows(work, missing)), now, work.setup.watch.limits)


async def _rows(work: Work, missing: Sequence[str]) -> Mapping[str, float | None] | None:
    """What hunting has of tables that the hub has not; None where it may not be asked, or cannot say."""
    if not missing or not work.setup.wants(HUNTING):
        return None
    tables, hours = sorted({*missing, PULSE}), work.setup.watch.window.total_seconds() / 3600
    try:
        rows = await asyncio.gather(*(api.newest_row(work, table, hours) for table in tables))
    except OnboardingError:
        return None  # hunting has a flow of its own, which says why
    return dict(zip(tables, rows, strict=True))


async def _export_flow(work: Work, subscription: str, look: flows.Look, now: float) -> Flow:
    verdict = await _export(work, subscription)
    if verdict.error:
        return flows.refused(flows.of_subscription(subscription), verdict.error)
    if verdict.status != IN_SYNC:
        return flows.not_exported(subscription, verdict.reason or ", ".join(verdict.drift))
    return flows.of_export(subscription, look, now, work.setup.watch.limits)


converge: Engine = engines.converge(Defender())
verify: Engine = engines.verify(Defender())
preflight: Engine = engines.preflight(Defender())
