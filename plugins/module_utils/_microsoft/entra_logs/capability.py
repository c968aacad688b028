# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra's sign-in and audit logs: our diagnostic setting of the tenant itself, made, kept and removed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from ..._core import engines
from ..._core.capability import Applied, Capability, Give
from ..._core.coverage import Scope, Seen
from ..._core.entry import Engine
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.verdict import Record, Verdict
from ..arm.client import connected
from ..arm.polling import finished, until
from ..settings.plan import plan, written
from ..settings.setting import Setting
from . import options, scopes
from .api import SCOPE, EntraSettings
from .options import Setup

REQUESTS_IN_FLIGHT = 2


class EntraLogs(Capability[Setup, EntraSettings]):
    """One target: the tenant."""

    name = covers = "event_hub_export"

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[EntraSettings]:
        async with connected(wanted.identity, REQUESTS_IN_FLIGHT, redactor) as arm:
            yield EntraSettings(arm, wanted.identity)

    async def survey(self, client: EntraSettings, wanted: Setup, give: Give) -> None:
        if wanted.desired.present:
            await client.offer(wanted.desired.logs.categories)
        verdict = plan(wanted.desired, await client.all(), client.offered)
        give(verdict._replace(target=SCOPE, facts={"type": "microsoft.aadiam", "tenant": wanted.identity.tenant_id}))

    async def apply(self, client: EntraSettings, wanted: Setup, verdict: Verdict) -> Applied | None:
        """The write is over as soon as Azure shows it."""
        operation = f"{verdict.action} the Entra diagnostic setting {written(verdict)}"
        await client.write(written(verdict), verdict.after, operation)
        after = f"see after: {operation}"
        return await finished(until(client.all, partial(_as_wanted, client, wanted), wanted.wait_seconds, after))

    def seen(self, client: EntraSettings, wanted: Setup) -> Seen | None:
        return scopes.seen(client.offered, wanted.desired.logs)

    def regain(self, wanted: Setup, scope: Scope) -> str:
        return scopes.REGAIN

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"Entra logs of tenant {wanted.identity.tenant_id}"

    def summary(self, client: EntraSettings, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"credentials": wanted.identity.expiries(), **client.arm.costs()}

    def outputs(self, client: EntraSettings, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"categories": sorted(category.name for category in client.offered.logs.values())}


def _as_wanted(client: EntraSettings, wanted: Setup, found: tuple[Setting, ...]) -> bool:
    return not plan(wanted.desired, found, client.offered).action


converge: Engine = engines.converge(EntraLogs())
