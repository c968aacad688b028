# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Logic App that takes Splunk's alerts on into a custom table, and its right to do so."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ..._core import engines
from ..._core.capability import Applied, Capability, Give
from ..._core.converge import Run as Work
from ..._core.entry import Engine
from ..._core.errors import OnboardingError
from ..._core.findings import Finding
from ..._core.freshness import Flow, stamp
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.status import BLOCKED, CORRECTED, DRIFTED, FAILED, IN_SYNC
from ..._core.verdict import Record, Verdict, not_tried
from ..arm.client import connected
from ..custom_logs.senders import sender
from ..rights import api as rights
from . import freshness as flows
from . import options
from . import preflight as checks
from .api import Relay
from .options import Setup
from .plan import NONE, definition, ends, ingestion_url, plan, rotation

REQUESTS_IN_FLIGHT = 4
RIGHT = "the relay's role on the rule"
KEY = "the relay's other key"


class AlertRelay(Capability[Setup, Relay]):
    """The workflow, then its role on the rule; the other way round where they go."""

    name = "splunk_alert_relay"
    # The URL is read last, and may be refused.
    proves = True
    # It passes on what another source sends.
    collects = False

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Relay]:
        async with connected(wanted.identity, REQUESTS_IN_FLIGHT, redactor) as arm:
            yield Relay(arm, wanted.wanted, wanted.wait_seconds)

    async def survey(self, client: Relay, wanted: Setup, give: Give) -> None:
        asked = wanted.wanted
        give.expect(2 if asked.rotate == NONE else 3)
        rule, found = await client.read_rule(), await client.read()
        defined = None
        if rule is not None and rule.endpoint:
            url = ingestion_url(rule.endpoint, rule.immutable, asked.stream)
            defined = definition(url, wanted.identity.cloud.monitor)
        verdict = plan(asked, found, defined, rule.location if rule else "")
        give(verdict)
        if asked.rotate != NONE:
            give(rotation(KEY, asked, found))
        if verdict.status == BLOCKED:
            return
        principal = found.principal if found and (found.ours or asked.present) else ""
        if not principal:  # it gets an identity first
            status, action = (DRIFTED, "create") if asked.present else (IN_SYNC, "")
            give(Verdict(RIGHT, status, ("missing",) if action else (), action=action))
            return
        listed = await rights.assignments(client.arm, asked.rule, principal) if rule else []
        give(sender(asked.rule, principal, listed, present=asked.present)._replace(target=RIGHT))

    def order(self, record: Record) -> Any:
        return (record.target == RIGHT) != (record.verdict.action == "delete"), record.target.casefold()

    def stages(self, due: Sequence[Record]) -> list[Sequence[Record]]:
        return [[one for one in due if self.order(one)[0] == late] for late in (False, True)]

    def veto(self, client: Relay, verdict: Verdict, records: Mapping[str, Record]) -> OnboardingError | None:
        failed = [one for one in records.values() if one.status == FAILED]
        return not_tried(verdict, f"{failed[0].target} could not be written") if failed else None

    async def apply(self, client: Relay, wanted: Setup, verdict: Verdict) -> Applied | None:
        asked = wanted.wanted
        if verdict.target == KEY:
            await client.rotate()
        elif verdict.target != RIGHT:
            await (client.delete() if verdict.action == "delete" else client.put(verdict.after))
        elif verdict.action == "delete":
            await rights.remove(client.arm, verdict.subject)
        else:
            principal = client.found.principal if client.found else ""
            right = sender(asked.rule, principal, [], present=True).subject
            if not await rights.create(client.arm, right, wanted.wait_seconds):
                return Applied(status=IN_SYNC)
        return None

    async def finish(self, client: Relay, wanted: Setup, run: Work[Setup, Relay]) -> None:
        """The URL, where it is asked for and there is a workflow to have it."""
        record, found = run.records[wanted.wanted.id], client.found
        if not wanted.give_url or not wanted.wanted.present or found is None:
            return
        if not found.ours and record.status not in (IN_SYNC, CORRECTED):
            return
        try:
            client.url = await client.callback(ends(time.time(), wanted.url_days))
        except OnboardingError as error:
            run.keep(record._replace(status=FAILED, error=error))

    async def preflight(self, client: Relay, wanted: Setup) -> list[Finding]:
        return await checks.findings(client, wanted)

    async def freshness(self, client: Relay, wanted: Setup) -> list[Flow]:
        return [await flows.flow(client, wanted)]

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"Relay {wanted.wanted.workflow}"

    def summary(self, client: Relay, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """With the end of the URL that is given in this period."""
        told = [*wanted.identity.expiries()]
        if client.found is not None and wanted.wanted.present and records:
            url = {"name": f"URL of the relay {wanted.wanted.workflow}"}
            told.append({**url, "expires": stamp(ends(time.time(), wanted.url_days)) or ""})
        return {"credentials": told, **client.arm.costs()}

    def outputs(self, client: Relay, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"webhook_url": client.url} if wanted.give_url else {}


converge: Engine = engines.converge(AlertRelay())
verify: Engine = engines.verify(AlertRelay())
preflight: Engine = engines.preflight(AlertRelay())
