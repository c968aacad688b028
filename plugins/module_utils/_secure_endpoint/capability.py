# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event streams of an organisation: one for each reader, what opens it kept before it is asked for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from .._core import coverage, engines
from .._core.capability import Applied, Capability, Give
from .._core.client import ODD_SHAPE
from .._core.converge import Run
from .._core.coverage import Scope, Seen
from .._core.entry import Engine
from .._core.errors import MissingLibraryError, NoAnswerError, OnboardingError, RefusedError
from .._core.evidence import make_folder, write_whole
from .._core.findings import Finding
from .._core.freshness import FLOWING, QUIET, UNREADABLE, Flow
from .._core.options import RunOptions
from .._core.redaction import Redactor
from .._core.status import BLOCKED, CORRECTED, FAILED, IN_SYNC
from .._core.verdict import Record, Verdict
from . import api, options, probe
from . import freshness as flows
from . import preflight as checks
from .client import SecureEndpoint, connected
from .filters import resolved
from .options import Setup
from .plan import REPLACE, Access, Kept, Stream, Wanted, plan

TRIES = 2
# Assumed: a new stream's user and queue are there within seconds, a minute at most.
SETTLE_SECONDS = (1.0, 4.0, 10.0, 20.0)
NOT_ONE_STEP = "see in the console which of them is nobody's, and remove it; nothing else was done"
MAX_SAMPLES = 2**16


class Streams(Capability[Setup, SecureEndpoint]):
    """Streams by their names in the tenant file."""

    name = covers = "secure_endpoint_stream"

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[SecureEndpoint]:
        samples = coverage.memory_path(options.evidence_path, f"{self.name}-queues")
        async with connected(wanted, redactor, samples) as client:
            yield client

    async def survey(self, client: SecureEndpoint, wanted: Setup, give: Give) -> None:
        await client.settle()
        found = await api.streams(client)
        ours = [Wanted(one.name) for one in wanted.streams]
        if not wanted.policy.leaving:
            ours = await resolved(client, wanted.streams)
        verdicts = plan(ours, client.place.held, found, wanted.policy)
        give.expect(len(verdicts))
        for verdict in verdicts:
            give(_with_facts(verdict))

    async def apply(self, client: SecureEndpoint, wanted: Setup, verdict: Verdict) -> Applied | None:
        one, place = verdict.subject, client.place
        place.claim()
        if verdict.action in ("delete", REPLACE):
            await api.delete(client, one)
            place.forget(verdict.target)
        if verdict.action == "update":
            await api.update(client, one, verdict.after.filters)
            kept = place.held.streams[verdict.target]
            place.keep(kept._replace(filters=kept.filters._replace(**_given(verdict.after))))
        if verdict.action not in ("create", REPLACE):
            return None
        kept = await _kept(client, verdict.after)
        made = verdict._replace(subject=Stream(kept.id, kept.name, kept.filters))
        try:
            await _opened(kept.access, wanted.identity.ca_file)
        except MissingLibraryError:
            return Applied(verdict=_with_facts(made, queue_checked=False))
        except OnboardingError as error:
            # The stream is there and kept. That the control node does not reach the queue says nothing of the SIEM.
            status = FAILED if isinstance(error, RefusedError) else ""
            return Applied(kept, status, error, _with_facts(made, queue_checked=False))
        return Applied(verdict=_with_facts(made, queue_checked=True))

    async def finish(self, client: SecureEndpoint, wanted: Setup, run: Run[Setup, SecureEndpoint]) -> None:
        """The file goes with the last stream."""
        ended = all(record.status in (IN_SYNC, CORRECTED) for record in run.records.values())
        if wanted.policy.leaving and not run.options.check and ended and client.place.path.exists():
            client.place.claim()
            client.place.remove()

    async def preflight(self, client: SecureEndpoint, wanted: Setup) -> list[Finding]:
        return await checks.findings(client, wanted)

    async def freshness(self, client: SecureEndpoint, wanted: Setup) -> list[Flow]:
        await client.settle()
        there = {one.id for one in await api.streams(client)}
        kept = {name: one for name, one in client.place.held.streams.items() if one.id in there}
        client.flows = [flows.absent(one.name) for one in wanted.streams if one.name not in kept]
        looked = [kept[one.name] for one in wanted.streams if one.name in kept]
        newest, error = await _newest(client)
        before, now = _remembered(client.samples), time.time()
        seen = dict(before)

        async def look(one: Kept) -> None:
            try:
                depth = await asyncio.to_thread(probe.look, one.access, wanted.identity.ca_file)
            except OnboardingError as unseen:
                client.flows.append(flows.unseen(one, unseen))
                return
            seen[one.name] = flows.Sample(one.id, now, depth.messages)
            told = flows.flow(one, depth, before.get(one.name), newest, now)
            client.flows.append(told._replace(state=UNREADABLE, error=error) if _needs(told) and error else told)

        await asyncio.gather(*(look(one) for one in looked))
        _remember(client.samples, seen)
        return self.flows_so_far(client)

    def flows_so_far(self, client: SecureEndpoint) -> list[Flow]:
        return sorted(client.flows, key=lambda flow: flow.source)

    def seen(self, client: SecureEndpoint, wanted: Setup) -> Seen:
        """Those that the tenant file names, whether they are there or not: that is a verdict's."""
        return Seen([Scope(one.name, f"stream {one.name}") for one in wanted.streams])

    def regain(self, wanted: Setup, scope: Scope) -> str:
        return f"name {scope.name} in secure_endpoint_stream_streams again"

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"{len(records)} streams"

    def summary(self, client: SecureEndpoint, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return client.costs()

    def outputs(self, client: SecureEndpoint, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """streams: ours with all that a reader needs but the password, which the file has."""
        held = client.place.held.streams
        return {"streams": [_output(held[one.target]) for one in records if _is_there(one) and one.target in held]}

    def facts(self, client: SecureEndpoint, wanted: Setup) -> Mapping[str, Any]:
        return {"api_url": client.base}


async def _kept(client: SecureEndpoint, one: Wanted) -> Kept:
    """Make it and keep what opens it, which is shown once; what cannot be kept is removed again."""
    before = [each.id for each in client.found]
    client.place.begin(one.name, before)
    stream, access = await _created(client, one, before)
    kept = Kept(one.name, stream.id, client.base, access, one.filters, time.time())
    client.found = (*client.found, stream)
    try:
        client.place.keep(kept)
    except OnboardingError:
        await api.delete(client, stream)
        raise
    return kept


async def _created(client: SecureEndpoint, one: Wanted, before: Sequence[int]) -> Any:
    """Make it. Of an answer that was lost, exactly the stream that it was about is removed, and made anew once."""
    for attempt in range(1, TRIES + 1):
        try:
            return await api.create(client, one)
        except NoAnswerError as error:
            found = [each for each in await api.streams(client) if each.name == one.name and each.id not in before]
            if len(found) > 1:
                ids = ", ".join(str(each.id) for each in found)
                text = f"{error.message}; since then there are several of its name: {ids}"
                raise RefusedError(error.operation, text, code="LostAnswer", next_step=NOT_ONE_STEP) from error
            if found:
                await api.delete(client, found[0])
            if not found or attempt == TRIES:
                raise
    raise AssertionError("a try ends by itself")


async def _opened(access: Access, ca_file: str | None) -> None:
    """See that a new queue is read by what was kept. Raises OnboardingError.

    The only time that the right to read can be tried without taking an event: nothing is in the queue yet.
    """
    for wait in (*SETTLE_SECONDS, None):
        try:
            await asyncio.to_thread(probe.look, access, ca_file, reads=True)
            return
        except RefusedError:
            if wait is None:
                raise
            await asyncio.sleep(wait)


async def _newest(client: SecureEndpoint) -> tuple[float | None, OnboardingError | None]:
    try:
        return await api.newest_event(client), None
    except OnboardingError as error:
        return None, error


def _needs(flow: Flow) -> bool:
    """Whether what the event list says decides: of a queue that is read as it should be."""
    return flow.state in (FLOWING, QUIET)


def _remembered(path: Path | None) -> dict[str, flows.Sample]:
    """The last verify's; without a memory, or with one that is none, there is only one sample yet."""
    with suppress(OSError, *ODD_SHAPE):
        if path and path.stat().st_size <= MAX_SAMPLES:
            return flows.samples(json.loads(path.read_text(encoding="utf-8")))
    return {}


def _remember(path: Path | None, seen: Mapping[str, flows.Sample]) -> None:
    if path and seen:
        with suppress(OSError):
            make_folder(path.parent)
            write_whole(path, json.dumps({name: one._asdict() for name, one in seen.items()}))


def _given(wanted: Wanted) -> dict[str, Any]:
    return {name: value for name, value in wanted.filters._asdict().items() if value is not None}


def _with_facts(verdict: Verdict, **more: Any) -> Verdict:
    """With what evidence tells of it."""
    ids = {"stream": verdict.subject.id} if verdict.subject else {}
    return verdict._replace(facts={**verdict.facts, **ids, **more})


def _is_there(record: Record) -> bool:
    gone = record.verdict.action == "delete" and record.status == CORRECTED
    return record.verdict.status != BLOCKED and not gone


def _output(one: Kept) -> dict[str, Any]:
    return {
        "name": one.name,
        "id": one.id,
        "host": one.access.host,
        "port": one.access.port,
        "proto": api.PROTO,
        "queue_name": one.access.queue,
        "user_name": one.access.user,
    }


converge: Engine = engines.converge(Streams())
verify: Engine = engines.verify(Streams())
preflight: Engine = engines.preflight(Streams())
