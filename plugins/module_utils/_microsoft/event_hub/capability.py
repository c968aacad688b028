# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Event Hub and what belongs to it: a namespace, rules, a consumer group, and keys on request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ..._core import engines
from ..._core.capability import Applied, Capability, Give
from ..._core.converge import Run
from ..._core.coverage import Scope, Seen
from ..._core.entry import Engine
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from ..._core.findings import Finding
from ..._core.freshness import Flow
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.status import CORRECTED, FAILED
from ..._core.verdict import Record, Verdict, not_tried
from ..arm.client import connected
from ..arm.polling import finished
from ..arm.refusals import is_busy, is_gone
from ..entra_logs import scopes
from . import freshness as flows
from . import options
from . import preflight as checks
from .api import EventHubs, body
from .options import Setup
from .plan import HUB, KEYS, NAMESPACE, PARENTS, PARTS, READER, WRITER, plan

REQUESTS_IN_FLIGHT = 4


class EventHub(Capability[Setup, EventHubs]):
    """Parts by their ids in Azure; the order of the plan is the order of the writes: parents first, or children."""

    name = covers = "event_hub_export"

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[EventHubs]:
        async with connected(wanted.identity, REQUESTS_IN_FLIGHT, redactor) as arm:
            yield EventHubs(arm, wanted.subscription, wanted.hub, wanted.wait_seconds)

    async def survey(self, client: EventHubs, wanted: Setup, give: Give) -> None:
        client.seen = await client.found()
        for part, verdict in plan(wanted.hub, client.seen).items():
            give(verdict._replace(target=client.ids[part], subject=part, facts={"type": part}))

    def order(self, record: Record) -> int:
        place = (*PARTS, KEYS).index(record.verdict.subject)
        return -place if record.verdict.action == "delete" else place

    def veto(self, client: EventHubs, verdict: Verdict, records: Mapping[str, Record]) -> OnboardingError | None:
        """What cannot be made leaves out what belongs into it; what cannot be removed, what it belongs into."""
        failed = {record.verdict.subject for record in records.values() if record.status == FAILED}
        if verdict.action == "delete":
            left = sorted(part for part in failed if PARENTS.get(part) == verdict.subject)
            return not_tried(verdict, f"its {left[0].replace('_', ' ')} could not be removed") if left else None
        above = PARENTS.get(verdict.subject, "")
        if above in failed:
            return not_tried(verdict, f"its {above.replace('_', ' ')} could not be made")
        return None

    async def apply(self, client: EventHubs, wanted: Setup, verdict: Verdict) -> Applied | None:
        part = verdict.subject
        if verdict.action == "rotate":
            client.given = await client.keys(wanted.hub.rotate)
            return None
        if verdict.action == "delete":
            await _delete(client, verdict)
            return await finished(client.removed()) if part == NAMESPACE else None
        sent = body(part, verdict.after, client.seen, wanted.hub)
        call = client.call("PUT", part, verdict.action, sent)
        answer = await client.insisted(call)
        waited = await finished(client.settled()) if part == NAMESPACE else None
        shown = isinstance(answer, dict) and "properties" in answer
        return waited if waited or shown else await finished(_see(client, wanted, part, call.operation))

    async def finish(self, client: EventHubs, wanted: Setup, run: Run[Setup, EventHubs]) -> None:
        """The keys, where they are asked for and there is a rule to have them."""
        keys, reader = run.records.get(client.ids[KEYS]), run.records[client.ids[READER]]
        there = client.seen.reader is not None or reader.status == CORRECTED
        if not keys or not wanted.hub.keys or not there or keys.status == FAILED or client.given:
            return
        try:
            client.given = await client.keys()
        except OnboardingError as error:
            run.keep(keys._replace(status=FAILED, error=error))

    async def preflight(self, client: EventHubs, wanted: Setup) -> list[Finding]:
        return await checks.findings(client, wanted)

    async def freshness(self, client: EventHubs, wanted: Setup) -> list[Flow]:
        return [await flows.flow(client, wanted), *(await flows.unread(client, wanted) if wanted.entra else [])]

    # The parts of a hub are named by options; what can shrink are Entra's categories, where they go to the hub.
    def seen(self, client: EventHubs, wanted: Setup) -> Seen | None:
        return scopes.seen(client.entra.offered) if client.entra else None

    def regain(self, wanted: Setup, scope: Scope) -> str:
        return scopes.REGAIN

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        """With what differs at which part."""
        found = [(one.verdict.subject.replace("_", " "), " and ".join(one.verdict.drift)) for one in records]
        differs = ", ".join(f"{part} {drift}" for part, drift in found if drift)
        return f"Event Hub {wanted.hub.namespace}/{wanted.hub.hub}" + (f" ({differs})" if differs else "")

    def summary(self, client: EventHubs, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        reasons = [(record.target, record.verdict.reason) for record in records]
        kept = [f"{target}: {reason}" for target, reason in reasons if "kept: " in reason]
        told = {"credentials": wanted.identity.expiries(), **client.arm.costs()}
        return {"kept": kept, **told} if records else told

    def outputs(self, client: EventHubs, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """The ids that other tasks need, and the keys where they were asked for."""
        ids = client.ids
        found: dict[str, Any] = {
            "namespace_id": ids[NAMESPACE],
            "event_hub_id": ids[HUB],
            "event_hub_authorization_rule_id": ids[WRITER],
            "reader_rule_id": ids[READER],
        }
        return found | ({"keys": client.given} if wanted.hub.keys else {})


async def _see(client: EventHubs, wanted: Setup, part: str, operation: str) -> None:
    """After a write whose answer shows nothing: see that it is there. Raises OnboardingError."""
    verdict = plan(wanted.hub, await client.found()).get(part)
    if verdict and verdict.action:
        text = "Azure took it, and it is not there as it was sent"
        raise NoAnswerError(operation, text, code="NotShown", status=200)


async def _delete(hubs: EventHubs, verdict: Verdict) -> None:
    part = verdict.subject
    if part == NAMESPACE and (left := await _hubs_left(hubs)):
        raise not_tried(verdict, f"it still has hubs: {', '.join(left[:5])}")
    try:
        await hubs.insisted(hubs.call("DELETE", part, "delete"), is_busy)
    except RefusedError as error:
        if not is_gone(error):  # whoever did it
            raise


async def _hubs_left(hubs: EventHubs) -> list[str]:
    """Hubs in the namespace now; ours goes before it, and may be listed for a while after."""
    ours = hubs.wanted.hub.casefold()
    return sorted(hub.name for name, hub in (await hubs.hubs()).items() if name != ours)


converge: Engine = engines.converge(EventHub())
verify: Engine = engines.verify(EventHub())
preflight: Engine = engines.preflight(EventHub())
