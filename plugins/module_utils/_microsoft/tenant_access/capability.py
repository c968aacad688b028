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
from ..._core.coverage import WAITING, Part, Scope
from ..._core.coverage import Seen as CoverageSeen
from ..._core.entry import Engine
from ..._core.findings import CUSTOMER, MISSING, Finding
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.verdict import Record
from ..arm.permissions import grant
from ..rights.identities import Identities
from . import handover, options, rules
from .api import Look
from .options import Setup
from .rules import Wanted


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

    def seen(self, client: Look, wanted: Setup) -> CoverageSeen | None:
        """The subscriptions that are named or seen; None where there are none, or they could not be listed."""
        if client.seen.subscriptions or not client.wanted.subscriptions:
            return None
        asks = [one for one in client.findings if one.status == MISSING and one.who == CUSTOMER]
        parts = [Part(_label(one.subject, client.wanted), WAITING, one.detail, one.next_step) for one in asks]
        return CoverageSeen([Scope(one.casefold(), _spell(one)) for one in client.wanted.subscriptions], parts=parts)

    def regain(self, wanted: Setup, scope: Scope) -> str:
        path = f"/subscriptions/{scope.name}"
        if wanted.wanted.managing_tenant_id:
            return f"delegate {wanted.wanted.role} on {path} to tenant {wanted.wanted.managing_tenant_id}"
        give = grant(wanted.wanted.client_id, wanted.wanted.role, path)
        return f"enable the subscription where it is disabled, or {give}"

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


def _spell(subscription: str) -> str:
    return f"subscription {subscription.casefold()}"


def _label(subject: str, wanted: Wanted) -> str:
    """The subscription that a finding is of, else its subject."""
    own = (one for one in wanted.subscriptions if one.casefold() in subject.casefold())
    return next(map(_spell, own), subject)


info: Engine = engines.preflight(TenantAccess())
