# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The app in one tenant: its presence, what was granted to it, and the proof of both by real tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from ..._core import engines
from ..._core.capability import Applied, Capability, Give
from ..._core.converge import Run
from ..._core.entry import Engine
from ..._core.errors import OnboardingError
from ..._core.options import RunOptions
from ..._core.policy import ALL
from ..._core.redaction import Redactor
from ..._core.status import CORRECTED, IN_SYNC, UNKNOWN
from ..._core.verdict import Record, Verdict, not_tried
from ..graph.client import connected
from ..graph.parts import DELETE
from ..graph.permissions import shown
from . import options
from .api import Presence
from .options import Setup
from .plan import PRINCIPAL, Observed, Permission, ended, plan_absent, plan_present, taken_back


class EntraServicePrincipal(Capability[Setup, Presence]):
    """Parts of the app's presence: its service principal, and the permissions that are wanted or granted."""

    name = "entra_service_principal"
    # Permissions are named by options: one that is missing is drift. What they are for, other capabilities collect.
    collects = False
    proves = True

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Presence]:
        way = connected(wanted.identity, redactor) if wanted.wanted.able else nullcontext(None)
        async with way as graph:
            yield Presence(wanted, graph, redactor)

    async def survey(self, client: Presence, wanted: Setup, give: Give) -> None:
        await client.look()
        for part in (plan_present if wanted.present else plan_absent)(wanted.wanted, client.seen):
            give(part)

    def veto(self, client: Presence, verdict: Verdict, records: Mapping[str, Record]) -> OnboardingError | None:
        """Without a service principal nothing can be granted."""
        if verdict.target == PRINCIPAL or client.seen.object_id:
            return None
        return not_tried(verdict, "the app has no service principal in this tenant")

    async def apply(self, client: Presence, wanted: Setup, verdict: Verdict) -> Applied | None:
        permission: Permission | None = verdict.subject
        if permission is None:
            await (client.remove() if verdict.action == DELETE else client.make())
        elif verdict.action == DELETE:
            await client.take_back(permission)
        elif not await client.grant(permission):
            return Applied(status=IN_SYNC)
        return None

    async def finish(self, client: Presence, wanted: Setup, run: Run[Setup, Presence]) -> None:
        """What the directory says is granted must show in the app's own tokens, if only after a while."""
        able = client.seen.object_id and not client.seen.disabled
        proves = client.graph is not None and wanted.present and wanted.own and able
        if not proves or any(record.due(ALL) for record in run.records.values()):
            return
        due = [
            (record, one)
            for one in wanted.wanted.asked
            if (record := run.records.get(one.target)) and record.status in (IN_SYNC, CORRECTED)
        ]

        def lacking(seen: Observed) -> list[Record]:
            return [record for record, one in due if one.name not in seen.granted.get(one.app_id, {})]

        error = OnboardingError(
            f"see it in a token of tenant {wanted.wanted.tenant_id}",
            f"it is granted, but no token has shown it within {wanted.wait_seconds} s",
            code="NotInToken",
            next_step="run again in some minutes",
        )
        seen = Observed("", "", {}, {})
        try:
            seen = await client.by_token(lambda seen: not lacking(seen))
        except OnboardingError as refused:  # what was granted is told all the same
            error = refused
        for record in lacking(seen):
            run.keep(record._replace(status=UNKNOWN, error=error))

    def order(self, record: Record) -> Any:
        return record.target != PRINCIPAL, record.target.casefold()

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"App {wanted.wanted.client_id} in tenant {wanted.wanted.tenant_id}"

    def summary(self, client: Presence, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        costs = client.graph.costs() if client.graph else {"requests": {}}
        return {"proof": client.proof, "credentials": wanted.identity.expiries(), **costs}

    def outputs(self, client: Presence, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        granted, missing, extra = ended(wanted.wanted, client.seen, records)
        gone = any(record.target == PRINCIPAL and taken_back(record) for record in records)
        return {
            "service_principal_id": "" if gone else client.seen.object_id,
            "granted": {} if gone else shown(granted),
            "missing": shown(missing),
            "extra": {} if gone else shown(extra),
            "consent_url": wanted.wanted.consent_url,
        }


converge: Engine = engines.converge(EntraServicePrincipal())
