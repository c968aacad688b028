# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an app has and lacks in a customer's tenant, and whose turn it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from ..._core import engines
from ..._core.capability import Capability
from ..._core.coverage import Scope, Seen
from ..._core.entry import Engine
from ..._core.findings import Finding
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.verdict import Record
from ..rights.identities import Identities
from . import handover, options, rules, scopes
from .api import Look
from .options import Setup


class TenantAccess(Capability[Setup, Look]):
    """Reads only."""

    name = covers = "tenant_access"

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Look]:
        async with Identities(wanted.identity, redactor) as way:
            yield Look(way, wanted.wanted)

    async def preflight(self, client: Look, wanted: Setup) -> list[Finding]:
        """Every check, in the order of cure. Raises OnboardingError where an administrator's token is no good."""
        client.seen = await client.all()
        is_known, judge = (rules.known, rules.judge) if wanted.present else (rules.remains, rules.judge_leaving)
        client.known = is_known(client.wanted, client.seen)
        # Before it leaves, nothing can be taken away where an earlier run has already given back its last role.
        client.reaches = client.known and (wanted.present or await client.sees())
        client.findings = judge(client.wanted, client.seen, datetime.now(UTC))
        return client.findings

    def seen(self, client: Look, wanted: Setup) -> Seen | None:
        """The subscriptions that are named or seen; None where there are none, or they could not be listed."""
        if client.seen.subscriptions or not client.wanted.subscriptions:
            return None
        return scopes.seen(client.wanted, client.findings)

    def regain(self, wanted: Setup, scope: Scope) -> str:
        return scopes.regain(wanted.wanted, scope)

    def summary(self, client: Look, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {**rules.summary(client.findings, wanted.correct), "credentials": wanted.identity.expiries()}

    def facts(self, client: Look, wanted: Setup) -> Mapping[str, Any]:
        asked = client.wanted
        return {
            "known": client.known,
            "reaches": client.reaches,
            "principal_id": client.principal_id,
            "subscriptions": list(asked.subscriptions),
            "roles": [role._asdict() for role in asked.assigned],
            "consent_url": asked.consent_url,
            "handover": handover.content(asked, client.seen, client.findings),
        }


info: Engine = engines.preflight(TenantAccess())
