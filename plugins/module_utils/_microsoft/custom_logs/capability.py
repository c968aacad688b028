# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A custom table, and the rule that fills it with who may send: two capabilities of one role."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ..._core import engines
from ..._core.capability import Applied, Capability, Give
from ..._core.entry import Engine
from ..._core.errors import OnboardingError
from ..._core.findings import Finding
from ..._core.freshness import Flow
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.status import BLOCKED, FAILED, IN_SYNC
from ..._core.verdict import Record, Verdict, not_tried
from ..arm.client import connected
from ..arm.polling import finished
from ..identity.credentials import object_id
from ..rights import api as rights
from . import freshness as flows
from . import options
from . import preflight as checks
from .api import CustomLogs
from .options import Setup
from .plan import Rule, rule, table
from .senders import sender

REQUESTS_IN_FLIGHT = 4


class _Logs(Capability[Setup, CustomLogs]):
    """What both have in common. All of it is named by options, so nothing can shrink unseen."""

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[CustomLogs]:
        async with connected(wanted.identity, REQUESTS_IN_FLIGHT, redactor) as arm:
            yield CustomLogs(arm, wanted.wanted, wanted.wait_seconds)

    def summary(self, client: CustomLogs, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"credentials": wanted.identity.expiries(), **client.arm.costs()}


class CustomTable(_Logs):
    """One target: the table, by its id."""

    name = "azure_custom_table"

    async def survey(self, client: CustomLogs, wanted: Setup, give: Give) -> None:
        give.expect(1)
        await client.location()  # a workspace that is not there is no missing table
        give(table(wanted.wanted, await client.table()))

    async def apply(self, client: CustomLogs, wanted: Setup, verdict: Verdict) -> Applied | None:
        if verdict.action == "delete":
            await client.delete_table()
            return None
        await client.put_table(verdict.after.columns)
        return await finished(client.table_done())

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"Table {wanted.wanted.table}"


class CollectionRule(_Logs):
    """The rule, then each identity that may send; the other way round where they go."""

    name = "azure_custom_logs"

    async def survey(self, client: CustomLogs, wanted: Setup, give: Give) -> None:
        location, asked = await client.location(), wanted.wanted
        client.found = found = await client.rule()
        verdict = rule(asked, found, location)
        give(verdict)
        if verdict.status == BLOCKED:  # nobody is let into a rule of somebody else's
            return
        for principal in await _senders(client, wanted):
            listed = await rights.assignments(client.arm, asked.rule_id, principal) if found else []
            give(sender(asked.rule_id, principal, listed, present=asked.present))

    def order(self, record: Record) -> Any:
        return (record.verdict.subject is not None) != (record.verdict.action == "delete"), record.target.casefold()

    def stages(self, due: Sequence[Record]) -> list[Sequence[Record]]:
        return [[one for one in due if self.order(one)[0] == late] for late in (False, True)]

    def veto(self, client: CustomLogs, verdict: Verdict, records: Mapping[str, Record]) -> OnboardingError | None:
        """Nobody may send to a rule that could not be made; it is there as long as somebody may."""
        failed = [one for one in records.values() if one.status == FAILED]
        if verdict.subject is not None and verdict.action == "create" and client.found is None:
            return not_tried(verdict, "its rule could not be made")
        if verdict.subject is None and verdict.action == "delete" and failed:
            return not_tried(verdict, f"{failed[0].target} could not be removed")
        return None

    async def apply(self, client: CustomLogs, wanted: Setup, verdict: Verdict) -> Applied | None:
        if verdict.subject is not None:
            if verdict.action == "delete":
                await rights.remove(client.arm, verdict.subject)
            elif not await rights.create(client.arm, verdict.subject, wanted.wait_seconds):
                return Applied(status=IN_SYNC)
        elif verdict.action == "delete":
            await client.delete_rule()
        else:
            client.found = await client.put_rule()
        return None

    async def preflight(self, client: CustomLogs, wanted: Setup) -> list[Finding]:
        return await checks.findings(client, wanted)

    async def freshness(self, client: CustomLogs, wanted: Setup) -> list[Flow]:
        return [await flows.flow(client, wanted)]

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"Rule {wanted.wanted.rule} of table {wanted.wanted.table}"

    def outputs(self, client: CustomLogs, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """ingestion: what a sender has to be told, without any secret."""
        asked, found = wanted.wanted, client.found or Rule(None, "", ours=False)
        told = {"endpoint": found.endpoint, "immutable_id": found.immutable, "stream": asked.input,
                "rule_id": asked.rule_id, "audience": wanted.identity.cloud.monitor}  # fmt: skip
        return {"ingestion": told}


async def _senders(client: CustomLogs, wanted: Setup) -> list[str]:
    """Object ids of all that may send. Raises OnboardingError."""
    who, asked = wanted.identity, wanted.wanted
    own = [await object_id(client.arm.tokens, who.tenant_id, who.cloud.arm_scope)] if asked.probes else []
    return list(dict.fromkeys((*own, *asked.senders)))


converge_table: Engine = engines.converge(CustomTable())
converge: Engine = engines.converge(CollectionRule())
verify: Engine = engines.verify(CollectionRule())
preflight: Engine = engines.preflight(CollectionRule())
