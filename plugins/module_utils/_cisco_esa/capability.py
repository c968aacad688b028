# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log subscriptions on each appliance of one tenant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from .._core import engines
from .._core.capability import Applied, Capability, Give
from .._core.coverage import Scope, Seen
from .._core.entry import Engine
from .._core.errors import InputError, OnboardingError, OutOfTimeError
from .._core.findings import Finding
from .._core.options import RunOptions
from .._core.redaction import Redactor
from .._core.status import CORRECTED, IN_SYNC
from .._core.verdict import Record, Verdict, judged, unknown
from . import api, options
from . import preflight as checks
from .client import Esa, connected
from .contract import release_of
from .options import READ, Appliance, Setup
from .plan import MENU, SCP, Wanted, plan, target


class Subject(NamedTuple):
    """Whose subscription a verdict is about."""

    appliance: Appliance
    wanted: Wanted


class Client(NamedTuple):
    """The way to the appliances, and what a run has seen of them. probed: why a probe failed, None where it did not."""

    esa: Esa
    looks: dict[str, api.Look]
    probed: dict[str, OnboardingError | None]


class CiscoEsaLogs(Capability[Setup, Client]):
    """One target for each subscription of each appliance: those of a cluster are looked at one by one."""

    name = covers = "cisco_esa_logs"

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Client]:
        if not wanted.receiver and not wanted.leaving:
            raise InputError(READ, "receiver is needed, unless state is absent", next_step="say where to send to")
        async with connected(wanted, redactor) as esa:
            yield Client(esa, {}, {})

    async def survey(self, client: Client, wanted: Setup, give: Give) -> None:
        give.expect(len(wanted.appliances) * len(wanted.subscriptions))

        async def of_one(appliance: Appliance) -> None:
            for verdict in await _verdicts(client, wanted, appliance):
                give(verdict)

        await asyncio.gather(*map(of_one, wanted.appliances))

    async def apply(self, client: Client, wanted: Setup, verdict: Verdict) -> Applied:
        """In a cluster the first write is all of them: the next finds nothing left to do."""
        appliance, one = verdict.subject
        before = await api.write(client.esa, appliance, wanted, one, verdict)
        return Applied() if before.action else Applied(status=judged(before).status, verdict=before)

    async def finish(self, client: Client, wanted: Setup, run: Any) -> None:
        """The probe: what is as wanted closes its current file, and pushes it. Syslog has none to close."""
        if not wanted.probe or run.options.check:
            return

        async def of_one(record: Record) -> None:
            appliance, one = record.verdict.subject
            client.probed[record.target] = await api.rollover(client.esa, appliance, one.name)

        ready = [
            one
            for one in run.records.values()
            if one.status in (IN_SYNC, CORRECTED) and one.verdict.subject.wanted.fields["method"] == SCP
        ]
        await asyncio.gather(*map(of_one, ready))

    async def preflight(self, client: Client, wanted: Setup) -> list[Finding]:
        found = await asyncio.gather(*(checks.findings(client.esa, wanted, one) for one in wanted.appliances))
        return [*checks.once([finding for several in found for finding in several])]

    def seen(self, client: Client, wanted: Setup) -> Seen:
        """Those that the tenant file names, whether they answer or not: that is a verdict's."""
        return Seen([Scope(target(one.name, log.name), f"{log.name} of {one.name}")
                     for one in wanted.appliances for log in wanted.subscriptions])  # fmt: skip

    def regain(self, wanted: Setup, scope: Scope) -> str:
        again = f"name {scope.name} in cisco_esa_logs_appliances and cisco_esa_logs_subscriptions again"
        return f"{again}, or remove the subscription by {MENU}, if it is still there"

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"{len(wanted.subscriptions)} log subscriptions on {len(wanted.appliances)} appliances"

    def summary(self, client: Client, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"requests": dict(client.esa.sessions)}

    def outputs(self, client: Client, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """logs: what verify looks for at the collector; public_keys: none unless all appliances were asked."""
        late = OutOfTimeError("ask the appliance", "the run was over before it was its turn")
        held = {record.target: record for record in records}
        logs = []
        for appliance in wanted.appliances:
            for one in wanted.subscriptions:
                name = target(appliance.name, one.name)
                logs.append(_output(client, appliance, one, held.get(name) or judged(unknown(name, late))))
        keys = [key for one in client.looks.values() for key in one.public_keys]
        complete = len(client.looks) == len(wanted.appliances)
        return {"logs": logs, "public_keys": sorted(set(keys)) if complete else []}


async def _verdicts(client: Client, wanted: Setup, appliance: Appliance) -> list[Verdict]:
    try:
        look = client.looks[appliance.name] = await api.look(client.esa, appliance, wanted)
    except OnboardingError as error:
        return [unknown(target(appliance.name, one.name), error)._replace(subject=Subject(appliance, one))
                for one in wanted.subscriptions]  # fmt: skip
    facts = {"serial_number": appliance.serial, "release": "{}.{}.{}-{}".format(*look.version)}
    verdicts = []
    for one in wanted.subscriptions:
        wish = api.for_release(one, release_of(look.version))
        verdict = plan(target(appliance.name, one.name), wish, look.held, leaving=wanted.leaving)
        verdicts.append(verdict._replace(subject=Subject(appliance, one), facts=facts))
    return verdicts


def _output(client: Client, appliance: Appliance, one: Wanted, record: Record) -> dict[str, Any]:
    """configured: none where nobody could look."""
    look = client.looks.get(appliance.name)
    failed = client.probed.get(record.target)
    told = (record.error or failed or OnboardingError("", "")).problem(record.target)
    wish = api.for_release(one, release_of(look.version)) if look else one
    return {
        "subscription": record.target,
        "name": one.name,
        "filename": one.fields.get("filename", ""),
        "identified": "identifier_format" in wish.fields,
        "hostname": look.hostname if look else "",
        "serial_number": appliance.serial,
        "configured": None if record.error else record.verdict.before is not None or record.status == CORRECTED,
        "probed": record.target in client.probed and failed is None,
        "problem": told["message"],
        "next_step": told["next_step"],
    }


converge: Engine = engines.converge(CiscoEsaLogs())
preflight: Engine = engines.preflight(CiscoEsaLogs())
