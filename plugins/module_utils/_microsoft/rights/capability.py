# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One role of one principal on one scope in Azure: assigned, awaited until it counts, and taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ..._core import engines
from ..._core.capability import Applied, Capability, Give
from ..._core.entry import Engine
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.status import IN_SYNC
from ..._core.verdict import Record, Verdict
from ..arm.client import Arm
from ..arm.polling import finished
from . import api, options
from .definitions import find
from .identities import Identities
from .options import Setup
from .plan import CONFIRM, Wanted, plan


class Client:
    """The identities at work, and what they have found out.

    wanted: what the names of role and principal stand for; app: the principal itself, where it can sign in;
    effective: whether the role counts for it, None where that cannot be asked or was not to be.
    """

    wanted: Wanted
    app: Arm | None = None
    effective: bool | None = None

    def __init__(self, identities: Identities) -> None:
        self.identities = identities
        self.arm = identities.arm


class RoleAssignment(Capability[Setup, Client]):
    """One target: the assignment, by its id."""

    name = "azure_role_assignment"
    # One role on one scope, both named by options: it is there, or it is drift.
    collects = False

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Client]:
        async with Identities(wanted.identity, redactor) as identities:
            yield Client(identities)

    async def survey(self, client: Client, wanted: Setup, give: Give) -> None:
        give.expect(1)
        principal_id, app = await client.identities.principal(wanted.identity.tenant_id, wanted.principal_id)
        role = await find(client.arm, wanted.scope, wanted.role)
        client.wanted = Wanted(wanted.scope, role, principal_id, wanted.principal_type, wanted.present)
        verdict = await _verdict(client)
        if wanted.present and wanted.wait_seconds > 0 and wanted.scope.casefold().startswith("/subscriptions/"):
            client.app = app
        give(verdict._replace(action=CONFIRM) if client.app and verdict.status == IN_SYNC else verdict)

    async def apply(self, client: Client, wanted: Setup, verdict: Verdict) -> Applied | None:
        if verdict.action == "delete":
            await api.remove(client.arm, client.wanted)
            return None
        if verdict.action == "create" and not await api.create(client.arm, client.wanted, wanted.wait_seconds):
            found = await _verdict(client)
            # An earlier try of ours was heard though its answer was lost where it has our name; else somebody was
            # faster, or Azure does not list it yet.
            if found.status != IN_SYNC or found.reason:
                await _confirm(client, wanted)
                reason = found.reason or "Azure says it exists"
                return Applied(status=IN_SYNC, verdict=Verdict(verdict.target, IN_SYNC, reason=reason))
        return await finished(_confirm(client, wanted))

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"Role {wanted.role} on {wanted.scope}"

    def summary(self, client: Client, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return client.identities.summary()

    def outputs(self, client: Client, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"assignment": client.wanted.view() | {"id": client.wanted.id, "effective": client.effective}}


async def _verdict(client: Client) -> Verdict:
    wanted = client.wanted
    return plan(wanted, await api.assignments(client.arm, wanted.scope, wanted.principal_id))


async def _confirm(client: Client, wanted: Setup) -> None:
    """See that the role counts, where the principal itself can be asked. Raises OnboardingError."""
    if client.app is None:
        return
    client.effective = False
    await api.effective(client.app, wanted.scope, [client.wanted.role], wanted.wait_seconds)
    client.effective = True


converge: Engine = engines.converge(RoleAssignment())
