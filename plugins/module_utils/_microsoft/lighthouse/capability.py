# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Lighthouse: a customer's subscription delegated to the managing tenant, and taken back.

Definition before assignment, assignment before definition when they go; beside them the template's file, for the
customer to deploy.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ..._core import engines
from ..._core.capability import Applied, Capability, Give
from ..._core.entry import Engine
from ..._core.errors import InputError, OnboardingError
from ..._core.evidence import write_whole
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.status import DRIFTED, FAILED, IN_SYNC, SKIPPED
from ..._core.verdict import Record, Verdict, not_tried
from ..arm.polling import finished
from ..rights.identities import Identities
from ..rights.plan import CONFIRM
from . import options
from . import template as lighthouse_template
from .api import DELETE_ROLE, Wanted
from .client import Delegations
from .options import Setup
from .plan import ASSIGNMENT, DEFINITION, KINDS, TEMPLATE, plan

TEMPLATE_MODE = 0o644


class Lighthouse(Capability[Setup, Delegations]):
    """Targets: the definition and the assignment by their ids, the template by its path."""

    name = "azure_lighthouse_delegation"
    # One subscription, named by an option: its delegation is there, or it is drift.
    collects = False

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Delegations]:
        async with Identities(wanted.identity, redactor) as identities:
            yield Delegations(identities, wanted, options.correct)

    async def survey(self, client: Delegations, wanted: Setup, give: Give) -> None:
        await client.resolve()
        asks = wanted.template_path and wanted.present
        files = [template_verdict(client.wanted, wanted.template_path)] if asks else []
        first, second = plan(client.wanted, await client.observe())
        whole = first.status == IN_SYNC or first.due(client.level)
        if client.confirms and whole and second.status == IN_SYNC:
            second = second._replace(action=CONFIRM)
        for verdict in (first, second, *files):
            give(verdict)

    def order(self, record: Record) -> int:
        place = KINDS.index(record.verdict.subject)
        return -place if record.verdict.action == "delete" else place

    def veto(self, client: Delegations, verdict: Verdict, records: Mapping[str, Record]) -> OnboardingError | None:
        """After a definition or an assignment that is not as wanted in the end, the other one is left."""
        failed = [one.verdict.subject for one in records.values() if one.status == FAILED]
        other = next((kind for kind in failed if TEMPLATE not in (kind, verdict.subject)), "")
        return not_tried(verdict, f"its {other} is not as wanted") if other else None

    async def apply(self, client: Delegations, wanted: Setup, verdict: Verdict) -> Applied | None:
        if verdict.subject == TEMPLATE:
            write_template(verdict)
            return None
        if verdict.action == CONFIRM:
            return await finished(client.confirm())
        assigned = {"registrationDefinitionId": client.wanted.definition_id}
        done = await client.write(verdict, client.wanted.properties() if verdict.subject == DEFINITION else assigned)
        return done or (await finished(client.confirm()) if verdict.subject == ASSIGNMENT else None)

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"Delegation of {wanted.subscription} to {wanted.manager}"

    def summary(self, client: Delegations, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return client.identities.summary()

    def outputs(self, client: Delegations, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        asked = client.wanted
        return {
            "delegation": {
                **asked.definition.view(asked.role_names),
                "definition_id": asked.definition_id,
                "assignment_id": asked.assignment_id,
                "effective": client.effective,
                "deploy_command": wanted.command if wanted.present else "",
            },
            "warnings": _warnings(asked, records),
        }


def _warnings(wanted: Wanted, records: Sequence[Record]) -> list[str]:
    told = [record.verdict.reason for record in records if record.status == SKIPPED]
    if wanted.present and DELETE_ROLE not in wanted.role_names.values():
        told.append(f"no authorization has the role {DELETE_ROLE}: only the customer can take the delegation back")
    return [f"{text[0].upper()}{text[1:]}." for text in told]


def template_verdict(wanted: Wanted, path: str) -> Verdict:
    """Whether the file says what it should. Raises InputError where that cannot be read."""
    after = lighthouse_template.template(wanted)
    missing = Verdict(path, DRIFTED, ("missing",), action="create", after=after, subject=TEMPLATE)
    try:
        before = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return missing
    except ValueError:
        before = {"": "a file of another kind"}
    except OSError as error:
        raise InputError("read template_path", f"{path}: {error.strerror or error}") from error
    if before == after:
        return Verdict(path, IN_SYNC, subject=TEMPLATE)
    return missing._replace(drift=("template",), action="update", before=before)


def write_template(verdict: Verdict) -> None:
    """Raises InputError."""
    try:
        write_whole(Path(verdict.target), lighthouse_template.text(verdict.after), TEMPLATE_MODE)
    except OSError as error:
        text = error.strerror or str(error)
        raise InputError(f"write the template to {verdict.target}", text, next_step="check template_path") from error


converge: Engine = engines.converge(Lighthouse())
