# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The saved searches of one tenant's Splunk that send by webhook, and what lets them out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from .._core import engines
from .._core.capability import Applied, Capability, Give
from .._core.coverage import Scope, Seen
from .._core.entry import Engine
from .._core.errors import OnboardingError
from .._core.findings import Finding
from .._core.freshness import Flow, stamp
from .._core.options import RunOptions
from .._core.redaction import Redactor
from .._core.status import CORRECTED
from .._core.verdict import Record, Verdict, unknown
from . import api, options
from . import freshness as flows
from . import preflight as checks
from .client import Splunk, connected
from .options import Setup
from .plan import ACTION, ALLOW_LIST, Search, action, allow_list, ends, place, plan

FIRST = (ACTION, ALLOW_LIST)


class Alerts(Capability[Setup, Splunk]):
    """The searches by their names, the allow list, and the action that all of them use."""

    name = covers = "splunk_alerts"

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Splunk]:
        async with connected(wanted, redactor) as client:
            yield client

    async def survey(self, client: Splunk, wanted: Setup, give: Give) -> None:
        give.expect(len(wanted.targets) + len(FIRST))
        found = await api.searches(client)
        try:
            settings = await api.allow_list(client)
        except OnboardingError as error:
            for target in FIRST:
                give(unknown(target, error))
        else:
            give(action(settings))
            give(allow_list(settings, wanted.entry, wanted.url, leaving=wanted.leaving, cloud=wanted.cloud))
        for verdict in plan(wanted.targets, found, wanted.url, leaving=wanted.leaving):
            give(verdict)

    def stages(self, due: Sequence[Record]) -> list[Sequence[Record]]:
        """The way is open before anything is sent, and closed after."""
        lists = [one for one in due if one.target == ALLOW_LIST]
        searches = [one for one in due if one.target != ALLOW_LIST]
        return [searches, lists] if any(one.verdict.action == "delete" for one in due) else [lists, searches]

    async def each(self, client: Splunk, wanted: Setup, stage: Sequence[Record], write: Any) -> None:
        await asyncio.gather(*(write(record) for record in stage))

    async def apply(self, client: Splunk, wanted: Setup, verdict: Verdict) -> Applied | None:
        if verdict.target == ALLOW_LIST:
            expression, name = verdict.subject
            await api.put_entry(client, name, expression)
        else:
            await api.write(client, verdict.subject, verdict.after)
        return None

    async def preflight(self, client: Splunk, wanted: Setup) -> list[Finding]:
        return await checks.findings(client, wanted)

    async def freshness(self, client: Splunk, wanted: Setup) -> list[Flow]:
        return await flows.flows(client, wanted)

    def seen(self, client: Splunk, wanted: Setup) -> Seen:
        """Those that the tenant file names, whether they are there or not: that is a verdict's."""
        return Seen([Scope(one.name, f"saved search {one.name}") for one in wanted.targets])

    def regain(self, wanted: Setup, scope: Scope) -> str:
        return f"name {scope.name} in splunk_alerts_alerts again"

    def order(self, record: Record) -> Any:
        return record.target not in FIRST, record.target.casefold()

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"{len(wanted.targets)} saved searches of {wanted.identity.api_url}"

    def summary(self, client: Splunk, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """With the end of the first URL that a search of ours posts to, where URLs tell when they end."""
        return {"credentials": _ends(wanted.url, records), **client.costs()}


def _ends(url: str, records: Sequence[Record]) -> list[dict[str, str]]:
    """Of what is in Splunk now: a URL of the tenant file that is still to be written there ends nothing."""
    shown = [one.verdict.after if one.status == CORRECTED else one.verdict.before for one in records]
    used = [one.url for one in shown if isinstance(one, Search) and one.url and place(one.url) == place(url)]
    told = sorted(filter(None, map(ends, used)))
    return [{"name": "URL of the webhook in Splunk", "expires": stamp(told[0]) or ""}] if told else []


converge: Engine = engines.converge(Alerts())
verify: Engine = engines.verify(Alerts())
preflight: Engine = engines.preflight(Alerts())
