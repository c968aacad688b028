# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The subscriptions of the provider's app to a tenant's audit log, by content type."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from ..._core import engines
from ..._core.capability import Applied, Capability, Give
from ..._core.converge import Run
from ..._core.coverage import NOT_ASKED, Part, Scope, Seen
from ..._core.entry import Engine
from ..._core.errors import OnboardingError, RefusedError
from ..._core.findings import CUSTOMER, Finding
from ..._core.freshness import Flow
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.status import CORRECTED, FAILED, IN_SYNC, WAITING
from ..._core.verdict import Record, Verdict
from . import api, options
from . import freshness as flows
from . import preflight as checks
from .client import Feed, connected
from .memory import Memory
from .options import Setup
from .plan import CONTENT_TYPES, NOT_LISTED_STEP, START, STOP, plan


class Work(NamedTuple):
    """A run's way to the feed, what earlier runs knew, and the flows that were seen so far."""

    feed: Feed
    memory: Memory
    flows: list[Flow]


class Activity(Capability[Setup, Work]):
    """One target for each content type."""

    name = covers = "m365_activity"
    proves = True

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Work]:
        memory = Memory(options.evidence_path, writes=not options.check)
        async with connected(wanted, redactor) as feed:
            yield Work(feed, memory, [])

    async def survey(self, client: Work, wanted: Setup, give: Give) -> None:
        now = time.time()
        give.expect(len(wanted.types))
        try:
            found = await api.subscriptions(client.feed)
        except RefusedError as error:
            if error.owner != CUSTOMER:
                raise
            for type in wanted.types:
                give(_waiting(Verdict(type, WAITING), error))
            return
        for verdict in plan(wanted.types, found, client.memory.known, now, leaving=wanted.leaving):
            give(verdict)
        _remember(client.memory, found, wanted.types, now)

    async def each(self, client: Work, wanted: Setup, stage: Sequence[Record], write: Any) -> None:
        await asyncio.gather(*(write(record) for record in stage))

    async def apply(self, client: Work, wanted: Setup, verdict: Verdict) -> Applied | None:
        type, memory, now = verdict.target, client.memory, time.time()
        if verdict.action == STOP:
            await api.stop(client.feed, type)
            memory.keep(**{type: memory.of(type)._replace(started=None, stopped=now, first=None, last=None)})
            return None
        try:
            started = await api.start(client.feed, type)
        except RefusedError as error:
            if error.owner != CUSTOMER:
                raise
            return Applied(status=WAITING, verdict=_waiting(verdict, error))
        if not started:
            return Applied(status=IN_SYNC)
        memory.keep(**{type: memory.of(type)._replace(started=now)})
        return None

    async def finish(self, client: Work, wanted: Setup, run: Run[Setup, Work]) -> None:
        """What was started has to be listed, and what was stopped not: the answers alone are no proof."""
        written = [one for one in run.in_order() if one.status == CORRECTED]
        if not written:
            return
        try:
            found = await api.subscriptions(client.feed)
        except OnboardingError as error:
            for record in written:
                run.keep(record._replace(status=FAILED, error=error))
            return
        on = {type for type, one in found.items() if one.on}
        for record in written:
            if (record.target in on) != (record.verdict.action == START):
                run.keep(record._replace(status=FAILED, error=_unproven(record.verdict)))
        _remember(client.memory, found, wanted.types, time.time())

    async def preflight(self, client: Work, wanted: Setup) -> list[Finding]:
        return await checks.findings(client.feed, wanted)

    async def freshness(self, client: Work, wanted: Setup) -> list[Flow]:
        now = time.time()
        try:
            found = await api.subscriptions(client.feed)
        except OnboardingError as error:
            return [flows.refused(type, error) for type in wanted.types]
        _remember(client.memory, found, wanted.types, now)

        async def look(type: str) -> None:
            one = found.get(type)
            on = one is not None and one.on
            flow = await _flow(client, wanted, type, now) if on else flows.off(type, one, client.memory.of(type), now)
            client.flows.append(flow)

        await asyncio.gather(*map(look, wanted.types))
        return self.flows_so_far(client)

    def flows_so_far(self, client: Work) -> list[Flow]:
        return sorted(client.flows, key=lambda flow: CONTENT_TYPES.index(flow.source))

    def held_up(self, client: Work) -> float:
        return client.feed.buckets.throttled_seconds

    def seen(self, client: Work, wanted: Setup) -> Seen:
        """The content types that exist are known; those that nobody wants are told as not asked for."""
        left = [type for type in CONTENT_TYPES if type not in wanted.types]
        parts = [Part(type, NOT_ASKED, next_step=f"add {type} to content_types") for type in left]
        return Seen([Scope(type, type) for type in wanted.types], parts=parts)

    def regain(self, wanted: Setup, scope: Scope) -> str:
        return f"name {scope.name} in m365_activity_content_types again"

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"{len(records)} content types of tenant {wanted.identity.tenant_id}"

    def summary(self, client: Work, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"credentials": wanted.identity.expiries(), **client.feed.costs()}

    def outputs(self, client: Work, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """feed: what a SIEM has to be told, without any secret."""
        return {
            "feed": {
                "tenant_id": wanted.identity.tenant_id,
                "client_id": wanted.identity.client_id,
                "publisher_id": wanted.publisher,
                "url": wanted.url,
                "content_types": [one.target for one in records if one.status in (IN_SYNC, CORRECTED)],
            }
        }


def _waiting(verdict: Verdict, error: OnboardingError) -> Verdict:
    """What only the customer can cure is no failure: one step for all content types that wait for it."""
    return verdict._replace(drift=(error.code,), reason=error.message, next_step=error.next_step)


def _remember(memory: Memory, found: Mapping[str, Any], types: Sequence[str], now: float) -> None:
    """Since when each is on; of no use where no later run will know it."""
    if not memory.kept:
        return
    on = {type: type in found and found[type].on for type in types}
    memory.keep(**{type: memory.of(type).seen(on[type], now) for type in types})


def _unproven(verdict: Verdict) -> RefusedError:
    if verdict.action == START:
        text = "the start was accepted, and the list does not show it"
        return RefusedError(f"start {verdict.target}", text, code="NotListed", next_step=NOT_LISTED_STEP)
    step = "run again; if it stays, open a case at Microsoft before the app's access is taken back"
    text = "the stop was accepted, and the list still shows it"
    return RefusedError(f"stop {verdict.target}", text, code="StillThere", next_step=step)


async def _flow(client: Work, wanted: Setup, type: str, now: float) -> Flow:
    try:
        seen = await _seen(client.feed, type, now, wanted.watch.window.total_seconds())
    except OnboardingError as error:
        return flows.refused(type, error)
    known = client.memory.of(type)
    return flows.flow(type, seen, known, now, wanted.watch.limits, kept=client.memory.kept)


async def _seen(feed: Feed, type: str, now: float, seconds: float) -> flows.Seen:
    """The newest content, from now back, and the newest record in it."""
    for since, until in flows.windows(now, seconds):
        content = await api.newest(feed, type, since, until)
        if content:
            return flows.Seen(content.created, await api.newest_record(feed, type, content))
    return flows.Seen()


converge: Engine = engines.converge(Activity())
verify: Engine = engines.verify(Activity())
preflight: Engine = engines.preflight(Activity())
