# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The diagnostic settings of one tenant's resources: observe, plan each target as it comes in, write."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import quote

from ..._core import engines
from ..._core.capability import Applied, Capability, Give
from ..._core.client import ODD_SHAPE
from ..._core.coverage import Scope, Seen
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from ..._core.findings import PROVIDER
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.status import IN_SYNC, SKIPPED
from ..._core.throttle import interleave
from ..._core.verdict import Record, Verdict, not_tried, unknown
from ..arm.client import OPERATIONS, Call, connected
from ..arm.refusals import is_gone
from ..arm.resources import Target, same_id, target_path
from ..settings.plan import doubled, plan, written
from ..settings.setting import Offered, Setting, body, parse_setting
from . import api, choices, options, scopes
from .api import Session
from .options import Wanted

# A destination that refuses us does so for every target; after this many the rest is not tried.
MAX_SINK_REFUSALS = 3
SINK_REFUSED = "LinkedAuthorizationFailed"
GONE_WORDS = ("was not found", "could not be found", "does not exist")
MAX_SUBSCRIPTIONS_SHOWN = 100
MAX_LEFT_OUT_SHOWN = 20


class Subject(NamedTuple):
    """What a write has to know of its target."""

    target: Target
    offered: Offered


class Diagnostics(Capability[Wanted, Session]):
    """Settings are independent of each other, so a target is written while others are still read."""

    name = covers = "azure_diagnostics"
    overlaps = True

    def wanted(self, params: Mapping[str, Any]) -> Wanted:
        return options.wanted(params)

    @asynccontextmanager
    async def connect(self, wanted: Wanted, options: RunOptions, redactor: Redactor) -> AsyncIterator[Session]:
        async with connected(wanted.identity, wanted.concurrency, redactor) as arm:
            yield Session(arm)

    async def survey(self, client: Session, wanted: Wanted, give: Give) -> None:
        await survey(client, wanted, give)

    async def apply(self, client: Session, wanted: Wanted, verdict: Verdict) -> Applied | None:
        """Until a destination has taken something, no more writes go to it at once than it may refuse."""
        sinks, call = _sinks(verdict), _write(client, wanted, verdict)
        if not sinks:
            await client.arm.call(call)
            return None
        async with client.gates.setdefault(sinks, asyncio.Semaphore(MAX_SINK_REFUSALS)):
            if sinks not in client.proven:
                if error := self.veto(client, verdict, {}):
                    raise error
                await _send(client, wanted, verdict, call)
                return None
        await _send(client, wanted, verdict, call)
        return None

    def stages(self, due: Sequence[Record]) -> Sequence[Sequence[Record]]:
        """What is to be sent, then what is to go; each has a bucket of its own."""
        gone = [record for record in due if record.verdict.after is None]
        sent = [record for record in due if record.verdict.after is not None]
        return [stage for stage in (sent, gone) if stage]

    async def each(
        self, client: Session, wanted: Wanted, stage: Sequence[Record], write: Callable[[Record], Awaitable[None]]
    ) -> None:
        work = [(record.verdict.facts["subscription"], record) for record in stage]
        bucket = OPERATIONS[_method(stage[0].verdict)]
        await interleave(work, bucket, client.arm.buckets, write, wanted.concurrency)

    def veto(self, client: Session, verdict: Verdict, records: Mapping[str, Record]) -> OnboardingError | None:
        if client.refusals[_sinks(verdict)] < MAX_SINK_REFUSALS:
            return None
        return not_tried(verdict, f"the same destination has refused {MAX_SINK_REFUSALS} targets of this tenant")

    def held_up(self, client: Session) -> float:
        return client.arm.buckets.throttled_seconds

    def seen(self, client: Session, wanted: Wanted) -> Seen | None:
        return scopes.seen(client)

    def scopes_of(self, client: Session, record: Record) -> Collection[str]:
        facts = record.verdict.facts
        return facts["subscription"].casefold(), facts["type"]

    def wants(self, wanted: Wanted, scope: Scope) -> bool:
        return scopes.wants(wanted.selection, scope)

    def regain(self, wanted: Wanted, scope: Scope) -> str:
        return scopes.regain(wanted.identity, scope)

    def lead(self, wanted: Wanted, records: Sequence[Record]) -> str:
        subscriptions = {record.verdict.facts["subscription"] for record in records}
        return f"{len(records)} targets in {len(subscriptions)} subscriptions"

    def summary(self, client: Session, wanted: Wanted, records: Sequence[Record]) -> Mapping[str, Any]:
        estate = client.estate
        left = [f"{subscription.name or subscription.id}: {reason}" for subscription, reason in estate.left_out]
        return {
            "subscriptions": by_subscription(records, {one.id: one.name for one in estate.taken}),
            "left_out": left[:MAX_LEFT_OUT_SHOWN],
            "inventory": estate.source,
            "credentials": wanted.identity.expiries(),
            **client.arm.costs(),
        }


async def survey(client: Session, wanted: Wanted, give: Give) -> None:
    """Read everything and plan each target as it comes in; what cannot be read is unknown.

    Raises OnboardingError when nothing can be said of the tenant.
    """
    client.estate = estate = await api.estate(client.arm, wanted.selection)
    give.expect(len(estate.targets) + len(estate.failed))
    unfit = {target: reason for target in estate.targets if (reason := api.unfit(target))}
    fit = [target for target in estate.targets if target not in unfit]
    offers = await api.offers(client.arm, fit, wanted.concurrency)
    if wanted.selection.strict:
        choices.check_logs(wanted.logs, {target: offers[target.key] for target in fit})
    for subscription, error in estate.failed.items():
        whole = Target(f"/subscriptions/{subscription}/resources", "resources of a subscription", subscription)
        give(unknown(whole.id, error, **_facts(whole)))
    for target, reason in unfit.items():
        give(_skipped(target, reason))
    readable: dict[Target, Offered] = {}
    for target in fit:
        offered = offers[target.key]
        if isinstance(offered, OnboardingError):
            give(unknown(target.id, offered, **_facts(target)))
        elif not offered.logs:
            give(_skipped(target, "offers no log categories"))
        else:
            readable[target] = offered

    def seen(target: Target, found: tuple[Setting, ...] | OnboardingError) -> None:
        if isinstance(found, OnboardingError):
            give(unknown(target.id, found, **_facts(target)))
            return
        offered = readable[target]
        verdict = plan(wanted.desired(target), found, offered)
        twice = doubled(found, offered)
        facts = _facts(target) | ({"doubled": twice} if twice else {})
        give(verdict._replace(target=target.id, subject=Subject(target, offered), facts=facts))

    await api.settings(client.arm, list(readable), seen, wanted.concurrency)


async def _send(client: Session, wanted: Wanted, verdict: Verdict, call: Call) -> None:
    """Write a setting, and keep what its answer says of the destination."""
    sinks = _sinks(verdict)
    try:
        if not _shows_setting(await client.arm.call(call)):
            await _see(client, wanted, verdict, call.operation)
    except RefusedError as error:
        gone = gone_sink(error, verdict.target, sinks)
        client.refusals[sinks] += bool(gone) or error.code == SINK_REFUSED
        if not gone:
            raise
        step = f"make the destination again, or give another: {gone} is gone"
        raise RefusedError(
            error.operation, error.message, code=error.code, status=error.status, next_step=step,
            request_id=error.request_id, owner=PROVIDER,
        ) from error  # fmt: skip
    client.proven.add(sinks)


def _shows_setting(answer: Any) -> bool:
    try:
        parse_setting(answer)
    except ODD_SHAPE:
        return False
    return True


async def _see(client: Session, wanted: Wanted, verdict: Verdict, operation: str) -> None:
    """After a write whose answer shows no setting: see that it is there. Raises OnboardingError."""
    target, offered = verdict.subject
    found = await api.settings_of(client.arm, target)
    if plan(wanted.desired(target), found, offered).action:
        text = "Azure took it, and it is not there as it was sent"
        raise NoAnswerError(operation, text, code="NotShown", status=200)


def gone_sink(error: RefusedError, target: str, sinks: Iterable[str]) -> str:
    """The destination of which Azure says that there is no such thing, '' where it says it of something else.

    Azure names it by type and name, or its group or subscription where that is gone: MicrosoftDocs/azure-docs#78615,
    Azure/azure-cli#8570.
    """
    text = error.message.casefold()
    if not (is_gone(error) or any(words in text for words in GONE_WORDS)):
        return ""
    own = _names(target)
    return next((sink for sink in sinks if any(name in text for name in _names(sink) - own)), "")


def _names(resource: str) -> frozenset[str]:
    """What a text may call a resource by: type and name, its group in quotes, its subscription."""
    parts = resource.casefold().split("/")
    if len(parts) < 9:
        return frozenset({resource.casefold()})
    return frozenset({"/".join(parts[6:9]), f"'{parts[4]}'", parts[2]})


def _facts(target: Target) -> dict[str, str]:
    return {"subscription": target.subscription, "type": target.type}


def _skipped(target: Target, reason: str) -> Verdict:
    return Verdict(target.id, SKIPPED, reason=reason, facts=_facts(target))


def _sinks(verdict: Verdict) -> frozenset[str]:
    return frozenset(verdict.after.sinks.values()) if verdict.after else frozenset()


def _method(verdict: Verdict) -> str:
    return "DELETE" if verdict.after is None else "PUT"


def _write(client: Session, wanted: Wanted, verdict: Verdict) -> Call:
    target, offered = verdict.subject
    path = f"{target_path(target.id)}{api.PROVIDER}/diagnosticSettings/{quote(written(verdict))}"
    operation = f"{verdict.action} the diagnostic setting of {target.id}"
    call = Call(_method(verdict), path, api.SETTINGS_API, operation, target.subscription)
    if verdict.after is None:
        return call
    # A destination in a subscription that the primary token does not see needs tokens of other tenants.
    crosses = any(same_id(sink).split("/")[1] not in client.estate.visible for sink in _sinks(verdict))
    auxiliary = wanted.identity.auxiliary if crosses else ()
    return call._replace(body=body(verdict.after, offered), auxiliary=auxiliary)


def by_subscription(records: Sequence[Record], names: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Counts per subscription («name (id)»), those with something to say first, at most MAX_SUBSCRIPTIONS_SHOWN."""
    table: dict[str, Counter[str]] = {}
    for record in records:
        table.setdefault(record.verdict.facts["subscription"], Counter())[record.status] += 1
    loudest = sorted(table.items(), key=lambda item: (item[1].keys() <= {IN_SYNC, SKIPPED}, item[0]))
    return {
        f"{names.get(subscription, '')} ({subscription})": dict(number)
        for subscription, number in loudest[:MAX_SUBSCRIPTIONS_SHOWN]
    }


converge = engines.converge(Diagnostics())
