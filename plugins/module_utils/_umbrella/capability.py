# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of a tenant's log exports: kept, rotated in time, proven; and whether their folders grow."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Any

from .._core import engines
from .._core.capability import Applied, Capability, Give
from .._core.entry import Engine
from .._core.errors import OnboardingError
from .._core.findings import Finding
from .._core.freshness import Flow
from .._core.one_run import locked
from .._core.options import RunOptions
from .._core.redaction import Redactor
from .._core.status import WAITING
from .._core.throttle import interleave
from .._core.verdict import Record, Verdict, unknown
from . import api, consumers, options, rotation
from . import arrivals as arriving
from . import preflight as checks
from .client import Umbrella, connected
from .keyfile import LOCK, of_export
from .options import Setup
from .plan import KEEP, REVOKE, ROTATE, SWITCH, WORKS, Export, Found, Kept, facts, plan


class Keys(Capability[Setup, Umbrella]):
    """One target for each export, by its name."""

    name = "umbrella_logs"

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Umbrella]:
        redactor.add(wanted.vault_password)
        for export in wanted.exports:
            redactor.add(export.first.secret_access_key if export.first else None)
        if wanted.identity.aws:
            redactor.add(wanted.identity.aws.secret_access_key)
            redactor.add(wanted.identity.aws.session_token)
        async with connected(wanted.identity, wanted.concurrency, redactor) as client:
            with ExitStack() as client.held:
                client.writes = not options.check
                yield client

    async def survey(self, client: Umbrella, wanted: Setup, give: Give) -> None:
        if client.writes and wanted.exports:
            client.held.enter_context(locked(wanted.key_folder / LOCK))
        give.expect(len(wanted.exports))

        async def look(export: Export) -> None:
            give(await _verdict(client, wanted, export))

        await interleave([("", one) for one in wanted.exports], "aws", client.buckets, look, wanted.concurrency)

    def stages(self, due: Sequence[Record]) -> Iterable[Sequence[Record]]:
        """What asks Umbrella comes last: two hundred rotations take twenty minutes, and nothing is to wait for them."""
        asks = [one for one in due if one.verdict.action in (ROTATE, REVOKE)]
        quick = [one for one in due if one.verdict.action not in (ROTATE, REVOKE)]
        return [stage for stage in (quick, asks) if stage]

    async def each(
        self, client: Umbrella, wanted: Setup, stage: Sequence[Record], write: Callable[[Record], Any]
    ) -> None:
        """Several at a time; those that ask Umbrella wait for its limits."""
        await interleave([("", one) for one in stage], "aws", client.buckets, write, wanted.concurrency)

    async def apply(self, client: Umbrella, wanted: Setup, verdict: Verdict) -> Applied:
        export, kept = verdict.subject
        file = of_export(wanted, export)
        if verdict.action == REVOKE:
            await rotation.revoke(client, file, export, kept)
            return Applied()
        if verdict.action == ROTATE:
            try:
                kept = await rotation.rotate(client, file, export, kept)
            except OnboardingError as error:
                if error.code != api.FIRST_ROTATION:
                    raise
                return Applied(None, WAITING, None, _first(verdict, error))
        elif verdict.action == KEEP:
            file.write(kept)
        elif verdict.action == SWITCH:
            for one in export.consumers:
                consumers.switch(one, kept.pair)
            return Applied(kept)
        return Applied(await rotation.finish(client, file, export, kept))

    async def preflight(self, client: Umbrella, wanted: Setup) -> list[Finding]:
        return await checks.findings(client, wanted)

    async def freshness(self, client: Umbrella, wanted: Setup) -> list[Flow]:
        for source in arriving.sources(client, wanted):
            client.flows += await arriving.flows(client, source)
        return client.flows

    def flows_so_far(self, client: Umbrella) -> list[Flow]:
        return client.flows

    def held_up(self, client: Umbrella) -> float:
        return client.buckets.throttled_seconds

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"{len(records)} exports"

    def summary(self, client: Umbrella, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return client.costs()

    def outputs(self, client: Umbrella, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """keys: of each export, without its secret."""
        return {"keys": [_output(wanted, one) for one in records]}


async def _verdict(client: Umbrella, wanted: Setup, export: Export) -> Verdict:
    try:
        found = await seen(client, wanted, export)
    except OnboardingError as error:
        return unknown(export.name, error)
    return plan(export, found, wanted.policy, time.time())


async def seen(client: Umbrella, wanted: Setup, export: Export) -> Found:
    """What is there of an export. Raises OnboardingError where its files cannot be read."""
    kept = of_export(wanted, export).read()
    for pair in (kept.pair, kept.previous) if kept else ():
        client.hide(pair.secret_access_key if pair else "")
    pair = kept.pair if kept else export.first
    if pair is None or not pair.access_key_id:
        return Found(kept)
    behind = tuple(consumers.label(one) for one in export.consumers if kept and not consumers.has(one, kept.pair))
    try:
        listing = await api.listing(client, export, pair)
        before = kept.previous if kept else None
        previous = before is not None and await api.listing(client, export, before) == WORKS
    except OnboardingError as error:
        return Found(kept, None, error, behind)
    return Found(kept, listing, None, behind, previous)


def _first(verdict: Verdict, error: OnboardingError) -> Verdict:
    reason = f"Umbrella: {error.message}"
    return verdict._replace(status=WAITING, drift=("first_rotation",), reason=reason, next_step=error.next_step)


def _output(wanted: Setup, record: Record) -> dict[str, Any]:
    found = record.found
    kept: Kept | None = found if isinstance(found, Kept) else None
    told = facts(kept) if kept else dict(record.verdict.facts)
    return {"export": record.target, "file": str(wanted.key_folder / f"{record.target}.json"), **told}


converge: Engine = engines.converge(Keys())
verify: Engine = engines.verify(Keys())
preflight: Engine = engines.preflight(Keys())
