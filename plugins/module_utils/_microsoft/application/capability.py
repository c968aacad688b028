# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider's own app: made, put right, its certificates rolled, a secret told once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from ..._core import engines
from ..._core.capability import Applied, Capability, Give
from ..._core.converge import Run
from ..._core.entry import Engine
from ..._core.errors import OnboardingError
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.verdict import Record, Verdict, not_tried, unknown
from ..graph.client import connected
from ..graph.directory import resources
from . import certificates, options
from .api import Home
from .options import Setup
from .plan import AT_HOME, CREDENTIALS, PROPERTIES, SECRET, STAGES, Change, expiries, plan, rank

NO_APP = "there is no app without the first of its writes"


class MsspApplication(Capability[Setup, Home]):
    """Parts of the app: its properties, its service principal at home, permissions, certificates and secrets."""

    name = "mssp_application"
    # All of the app is named by options: what is missing of it is drift. No logs come of it.
    collects = False
    proves = True

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Home]:
        now = datetime.now(UTC)
        secrets = wanted.identity.secrets
        password = secrets["client_certificate_password"]
        found = [certificates.read(path, now, password) for path in wanted.certificate_paths]
        read = {one.thumbprint: one for one in found}
        signer = certificates.signer(secrets["client_certificate_path"], password)
        async with connected(wanted.identity, redactor) as graph:
            yield Home(graph, wanted, [*read.values()], signer, now)

    async def survey(self, client: Home, wanted: Setup, give: Give) -> None:
        await client.look()
        access = client.held.access if client.held and wanted.wanted.permissions else {}
        known = await resources(client.graph, {*wanted.wanted.permissions, *access})
        parts = plan(
            wanted.wanted, client.certificates, client.held, client.principal, known, client.in_use, client.now
        )
        for part in parts:
            give(part)

    def stages(self, due: Sequence[Record]) -> list[list[Record]]:
        return [[one for one in due if one.verdict.subject.stage == stage] for stage in STAGES]

    async def each(
        self, client: Home, wanted: Setup, stage: Sequence[Record], write: Callable[[Record], Awaitable[None]]
    ) -> None:
        """What is one request for several parts is made for the first of them; the others end as it does."""
        client.begin([record.verdict for record in stage])
        for record in stage:
            await write(record)

    def veto(self, client: Home, verdict: Verdict, records: Mapping[str, Record]) -> OnboardingError | None:
        change: Change = verdict.subject
        return not_tried(verdict, NO_APP) if client.held is None and change.stage != PROPERTIES else None

    async def apply(self, client: Home, wanted: Setup, verdict: Verdict) -> Applied | None:
        change: Change = verdict.subject
        if change.stage == SECRET:
            return Applied(await client.make_secret())
        if change.stage == PROPERTIES:
            await client.once(client.set_properties)
        elif change.stage == AT_HOME:
            await client.bring_home()
        elif not client.by_proof:
            await client.once(client.replace_keys)
        elif change.add:
            await client.add_key(change.add)
        elif change.remove:
            await client.remove_key(change.remove)
        return None

    async def finish(self, client: Home, wanted: Setup, run: Run[Setup, Home]) -> None:
        """Read the app again where something was written; a failure of that hides nothing of the rest."""
        if not any(record.written for record in run.records.values()):
            return
        try:
            client.held = await client.again()
        except OnboardingError as error:
            run(unknown(CREDENTIALS, error))

    def order(self, record: Record) -> Any:
        return rank(record.target), record.verdict.action, record.target.casefold()

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"App {wanted.wanted.display_name}"

    def summary(self, client: Home, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"credentials": expiries(client.held, client.now), **client.graph.costs()}

    def outputs(self, client: Home, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """client_secret: the one place where a new secret is told, and only in the run that makes it."""
        secret = next((record.found for record in records if record.found), "")
        return {
            "app_id": client.held.app_id if client.held else "",
            "object_id": client.held.object_id if client.held else "",
            "service_principal_id": client.principal if isinstance(client.principal, str) else "",
            **({"client_secret": secret} if secret else {}),
        }


converge: Engine = engines.converge(MsspApplication())
