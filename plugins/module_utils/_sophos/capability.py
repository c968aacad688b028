# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The syslog server on each firewall of one tenant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from .._core import engines
from .._core.capability import Applied, Capability, Give
from .._core.coverage import Scope, Seen
from .._core.entry import Engine
from .._core.errors import InputError, NoAnswerError, OnboardingError, OutOfTimeError, RefusedError
from .._core.findings import Finding
from .._core.options import RunOptions
from .._core.redaction import Redactor
from .._core.status import CORRECTED, FAILED, IN_SYNC
from .._core.throttle import interleave
from .._core.verdict import Record, Verdict, judged, unknown
from . import api, options
from . import preflight as checks
from .client import Sophos, connected
from .options import READ, Firewall, Setup
from .plan import ADMIN_EVENTS, NOT_OFFERED, NOT_OFFERED_STEP, PLACE, differing, plan


class SophosSyslog(Capability[Setup, Sophos]):
    """One target for each firewall, by its name."""

    name = covers = "sophos_syslog"

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Sophos]:
        if not wanted.leaving and not wanted.server.settings:
            raise InputError(READ, "receiver is needed, unless state is absent", next_step="say where to send to")
        async with connected(wanted, redactor) as client:
            yield client

    async def survey(self, client: Sophos, wanted: Setup, give: Give) -> None:
        give.expect(len(wanted.firewalls))

        async def look(one: Firewall) -> None:
            give(await _verdict(client, wanted, one))

        await of_each(client, wanted, look)

    async def each(
        self, client: Sophos, wanted: Setup, stage: Sequence[Record], write: Callable[[Record], Any]
    ) -> None:
        await interleave([(record.target, record) for record in stage], "requests", client.buckets, write,
                         wanted.concurrency)  # fmt: skip

    async def apply(self, client: Sophos, wanted: Setup, verdict: Verdict) -> Applied:
        firewall, name = verdict.subject, wanted.server.name
        if verdict.action == "delete":
            await api.delete(client, firewall, name)
            return Applied()
        await _written(client, firewall, verdict)
        made = next((one for one in await api.servers(client, firewall) if one.name == name), None)
        drift, reason, _step = differing(wanted.server, made) if made else (("missing",), "it is not there", "")
        left = [one for one in drift if one != NOT_OFFERED]
        if left:
            return Applied(made, FAILED, _not_taken(verdict, reason))
        step = NOT_OFFERED_STEP if drift else ""
        return Applied(made, verdict=verdict._replace(next_step=step, reason=reason if drift else verdict.reason))

    async def preflight(self, client: Sophos, wanted: Setup) -> list[Finding]:
        found: dict[str, list[Finding]] = {}

        async def look(one: Firewall) -> None:
            found[one.name] = await checks.findings(client, wanted, one)

        await of_each(client, wanted, look)
        return [finding for one in wanted.firewalls for finding in found[one.name]]

    def seen(self, client: Sophos, wanted: Setup) -> Seen:
        """Those that the tenant file names, whether they answer or not: that is a verdict's."""
        return Seen([Scope(one.name, f"firewall {one.name}") for one in wanted.firewalls])

    def regain(self, wanted: Setup, scope: Scope) -> str:
        again = f"name {scope.name} in sophos_syslog_firewalls again"
        return f"{again}, or remove our syslog server from it at {PLACE}, if it is still there"

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"{len(records)} firewalls"

    def summary(self, client: Sophos, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return client.costs()

    def outputs(self, client: Sophos, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """firewalls: what verify has to know of each, to look for its records at the collector."""
        late = OutOfTimeError("ask the firewall", "the run was over before it was its turn")
        held = {one.name: judged(unknown(one.name, late)) for one in wanted.firewalls}
        held |= {record.target: record for record in records}
        return {"firewalls": [_output(one, held[one.name]) for one in wanted.firewalls]}


def _output(firewall: Firewall, record: Record) -> dict[str, Any]:
    """configured: none where nobody could look."""
    held = record.found or record.verdict.before
    told = record.error.problem(record.target) if record.error else {}
    return {
        "firewall": firewall.name,
        "serial_number": firewall.serial,
        "configured": None if record.error else held is not None,
        "probed": held is not None and record.status in (IN_SYNC, CORRECTED) and ADMIN_EVENTS in held.on,
        "problem": told.get("message", ""),
        "next_step": told.get("next_step", ""),
    }


async def of_each(client: Sophos, wanted: Setup, look: Callable[[Firewall], Awaitable[None]]) -> None:
    """Look at each firewall, several at a time."""
    items = [(one.name, one) for one in wanted.firewalls]
    await interleave(items, "requests", client.buckets, look, wanted.concurrency)


async def _verdict(client: Sophos, wanted: Setup, firewall: Firewall) -> Verdict:
    try:
        found = await api.servers(client, firewall)
    except OnboardingError as error:
        return unknown(firewall.name, error)
    return plan(firewall.name, wanted.server, found, leaving=wanted.leaving)._replace(subject=firewall)


async def _written(client: Sophos, firewall: Firewall, verdict: Verdict) -> None:
    """The write; whether one was done whose answer was lost, the list says that is read behind it."""
    try:
        await (api.create if verdict.action == "create" else api.update)(client, firewall, verdict.after)
    except NoAnswerError:
        if all(one.name != verdict.after.name for one in await api.servers(client, firewall)):
            raise


def _not_taken(verdict: Verdict, reason: str) -> RefusedError:
    step = "run again; if it stays, see in the firewall's own log of admin events what it has done"
    text = f"SFOS took the request and did not do all of it: {reason}"
    return RefusedError(
        f"{verdict.action} the syslog server of {verdict.target}", text, code="NotTaken", next_step=step
    )


converge: Engine = engines.converge(SophosSyslog())
preflight: Engine = engines.preflight(SophosSyslog())
