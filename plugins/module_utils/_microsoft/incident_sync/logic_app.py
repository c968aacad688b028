# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For who stays on Logic Apps: their ITSM is told of redirected incidents by a rule and a playbook of Azure itself."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ..._core.bodies import mapping, text
from ..._core.capability import Applied, Capability, Give
from ..._core.client import documented
from ..._core.errors import OnboardingError, RefusedError
from ..._core.findings import CUSTOMER, OK, Finding
from ..._core.freshness import ABSENT, QUIET, STALE, UNREADABLE, Flow
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.status import BLOCKED, FAILED, IN_SYNC
from ..._core.verdict import Record, Verdict, not_tried
from ..arm import checks, workflow_runs
from ..arm.client import Arm, Call, connected
from ..arm.permissions import grant
from ..arm.refusals import is_gone
from ..arm.workflow_runs import Run
from . import options, redirects
from . import preflight as advice
from .options import Setup
from .redirects import PLAYBOOK, Thing

CONCURRENCY = 2
GROUPS_API = "2021-04-01"
# What runs playbooks for Microsoft Sentinel in each tenant, and the role that lets it. assumed: the id of the app.
SENTINEL_APP, MAY_RUN = "98785600-1bb7-4fb9-b9fa-19afe2c8a360", "Microsoft Sentinel Automation Contributor"
WRITES = {
    "workspace": (["Microsoft.SecurityInsights/automationRules/write"], "Microsoft Sentinel Contributor"),
    "group": (["Microsoft.Logic/workflows/write", "Microsoft.Web/connections/write"], "Logic App Contributor"),
}
FAILED_STEP = "look at the last run of the playbook in the Azure portal, then at webhook_url and its receiver"
ONBOARD_STEP, DRIFT_STEP = "run onboard", "run drift, which says what differs, and with drift_correct corrects it"
SOURCE = "redirects told by the playbook"
QUIET_TEXT = "no incident was redirected, as may be"


class Way:
    """A run's way to Azure. things: as they are to be."""

    def __init__(self, arm: Arm, wanted: Setup, redactor: Redactor) -> None:
        self.arm, self.wanted, self.redactor = arm, wanted, redactor
        self.group = wanted.workspace.partition("/providers/")[0]
        self.things: list[Thing] = []

    def call(self, method: str, path: str, version: str, operation: str, body: Any = None) -> Call:
        return Call(method, path, version, operation, self.wanted.workspace.split("/")[2], body=body)

    async def read(self) -> list[tuple[Thing, Mapping[str, Any] | None]]:
        """All things, each with what there is of it. Raises OnboardingError."""
        operation = f"read the resource group {self.group}"
        answer = await self.arm.call(self.call("GET", self.group, GROUPS_API, operation))
        with documented(operation):
            location = text(answer["location"])
        desk, workspace = self.wanted.desk, self.wanted.workspace
        self.things = redirects.things(workspace, self.wanted.identity.tenant_id, location, desk.url, desk.password)
        return [(one, await self._there(one)) for one in self.things]

    async def _there(self, thing: Thing) -> Mapping[str, Any] | None:
        operation = f"read the {thing.kind} {redirects.NAME}"
        try:
            answer = await self.arm.call(self.call("GET", thing.id, thing.api_version, operation))
        except RefusedError as error:
            if is_gone(error):
                return None
            raise
        with documented(operation):
            mapping(mapping(answer)["properties"])
            return mapping(answer)

    async def write(self, thing: Thing, method: str) -> None:
        """Raises OnboardingError."""
        operation = f"{'remove' if method == 'DELETE' else 'write'} the {thing.kind} {redirects.NAME}"
        body = thing.sent if method == "PUT" else None
        await self.arm.call(self.call(method, thing.id, thing.api_version, operation, body))


class RedirectRule(Capability[Setup, Way]):
    """Three targets: the connection, the playbook that tells, and the rule that runs it."""

    name = "incident_sync"
    collects = False

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Way]:
        redactor.add(wanted.desk.password)
        async with connected(wanted.identity, CONCURRENCY, redactor) as arm:
            yield Way(arm, wanted, redactor)

    async def survey(self, client: Way, wanted: Setup, give: Give) -> None:
        give.expect(len(redirects.ORDER))
        for thing, found in await client.read():
            give(redirects.plan(thing, found, present=not wanted.leaving))

    def order(self, record: Record) -> Any:
        """What needs another comes after it, and goes before it."""
        place = redirects.ORDER.index(record.target)
        return -place if record.verdict.action == "delete" else place

    def stages(self, due: Sequence[Record]) -> Iterable[Sequence[Record]]:
        return [[one] for one in sorted(due, key=self.order)]

    def veto(self, client: Way, verdict: Verdict, records: Mapping[str, Record]) -> OnboardingError | None:
        """A rule never runs a playbook that somebody else has made."""
        failed = [one.target for one in records.values() if one.status == FAILED or one.verdict.status == BLOCKED]
        return not_tried(verdict, f"the {failed[0]} could not be written") if failed else None

    async def apply(self, client: Way, wanted: Setup, verdict: Verdict) -> Applied | None:
        await client.write(verdict.subject, "DELETE" if verdict.action == "delete" else "PUT")
        return None

    async def preflight(self, client: Way, wanted: Setup) -> list[Finding]:
        found = [await checks.signed_in(client.arm, wanted.identity.tenant_id)]
        if found[0].status != OK:
            return found
        scopes = {"workspace": wanted.workspace, "group": client.group}
        for place, (actions, role) in WRITES.items():
            app = wanted.identity.client_id
            found.append(await checks.allowed(client.arm, app, f"{place}_right", scopes[place], actions, role))
        needed = "Microsoft Sentinel has to be allowed to run playbooks of this resource group"
        step = grant(SENTINEL_APP, MAY_RUN, client.group)
        found.append(Finding("playbook_right", client.group, OK, needed, CUSTOMER, step))
        return [*found, advice.ending(wanted), *await advice.automation_rules(wanted, client.redactor)]

    async def freshness(self, client: Way, wanted: Setup) -> list[Flow]:
        """Whether the ITSM was told: by the runs of the playbook in the lookback."""
        try:
            planned = [redirects.plan(thing, found, present=True) for thing, found in await client.read()]
            (playbook,) = [one.id for one in client.things if one.kind == PLAYBOOK]
            lost = any(one.action == "create" for one in planned)
            runs = [] if lost else await workflow_runs.listed(client.arm, playbook, time.time() - wanted.lookback)
            return [told(planned, runs)]
        except OnboardingError as error:
            return [Flow(SOURCE, UNREADABLE, error=error)]

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"Redirect rule of {wanted.workspace.rpartition('/')[2]}"

    def summary(self, client: Way, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"credentials": wanted.identity.expiries(), **client.arm.costs()}


def told(planned: Sequence[Verdict], runs: Sequence[Run]) -> Flow:
    """By what there is and by the runs, the newest first. Silence of what is not as wanted has no reason. Pure."""
    lost = [one.target for one in planned if one.action == "create"]
    if lost:
        return Flow(SOURCE, ABSENT, message=f"there is no {' and no '.join(lost)}", next_step=ONBOARD_STEP)
    found = workflow_runs.judged(SOURCE, runs, QUIET_TEXT, FAILED_STEP)
    changed = [one.target for one in planned if one.status != IN_SYNC]
    if found.state != QUIET or not changed:
        return found
    text = f"nothing was told, and the {' and the '.join(changed)} is not as wanted"
    return found._replace(state=STALE, code="not_as_wanted", message=text, next_step=DRIFT_STEP)
