# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra's sign-in and audit logs: our diagnostic setting of the tenant itself, made, kept and removed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from ..._core import engines
from ..._core.capability import Applied, Capability, Give
from ..._core.coverage import Scope, Seen
from ..._core.entry import Engine
from ..._core.errors import RefusedError
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.status import FAILED
from ..._core.verdict import Record, Verdict
from ..arm.client import connected
from ..arm.polling import finished, until
from ..settings.plan import Desired, LogChoice, plan, written
from ..settings.setting import Setting
from . import options, scopes
from .api import LICENCE_STEP, SCOPE, EntraSettings
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
        """The write is over as soon as Azure shows it; a category that is refused keeps none of the others away."""
        desired, refused = wanted.desired, Refused()
        while True:
            operation = f"{verdict.action} the Entra diagnostic setting {written(verdict)}"
            try:
                await client.write(written(verdict), verdict.after, operation)
                break
            except RefusedError as error:
                desired = refused.without(desired, verdict.after, error)
            rest = plan(desired, await client.all(), client.offered)
            if not rest.action:
                client.refused = refused.categories
                raise refused.told()
            verdict = verdict._replace(action=rest.action, before=rest.before, after=rest.after)
        shown = until(client.all, partial(_as_wanted, client, desired), wanted.wait_seconds, f"see after: {operation}")
        waited = await finished(shown)
        if waited or not refused.categories:
            return waited
        client.refused = refused.categories
        return Applied(status=FAILED, error=refused.told(), verdict=verdict)

    def seen(self, client: EntraSettings, wanted: Setup) -> Seen | None:
        return scopes.seen(client.offered, wanted.desired.logs)

    def scopes_of(self, client: EntraSettings, record: Record) -> Collection[str]:
        return client.refused or client.offered.logs

    def regain(self, wanted: Setup, scope: Scope) -> str:
        return scopes.REGAIN

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"Entra logs of tenant {wanted.identity.tenant_id}"

    def summary(self, client: EntraSettings, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"credentials": wanted.identity.expiries(), **client.arm.costs()}

    def outputs(self, client: EntraSettings, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"categories": sorted(category.name for category in client.offered.logs.values())}


class Refused:
    """The categories that Entra has refused in one write, with its last word on them."""

    def __init__(self) -> None:
        self.categories: list[str] = []

    def without(self, desired: Desired, sent: Setting | None, error: RefusedError) -> Desired:
        """What is wanted beside the category that a refusal names. Raises the refusal where it names none of several.

        assumed: Entra refuses so at all, with 400 or in words of a licence, and names the category; the first name of
        a text is the one refused, since others may be listed as what is supported.
        """
        names = sent.categories if sent and (error.status == 400 or error.next_step == LICENCE_STEP) else frozenset()
        found = next((word for word in re.findall(r"\w+", error.message.casefold()) if word in names), "")
        if not found or names == {found}:
            raise error
        self.categories.append(found)
        self.error = error
        return desired._replace(logs=LogChoice("", names - {found}))

    def told(self) -> RefusedError:
        """The last refusal, as one of these categories alone."""
        error, names = self.error, ", ".join(sorted(self.categories))
        step = f"name categories without {names}, or put right what the text says"
        return RefusedError(
            error.operation, f"refused, and left out: {names}: {error.message}", code=error.code, status=error.status,
            next_step=LICENCE_STEP if error.next_step == LICENCE_STEP else step, request_id=error.request_id,
            owner=error.owner,
        )  # fmt: skip


def _as_wanted(client: EntraSettings, desired: Desired, found: tuple[Setting, ...]) -> bool:
    return not plan(desired, found, client.offered).action


converge: Engine = engines.converge(EntraLogs())
