# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logic Apps, registered: their paths stand among Azure's."""

from __future__ import annotations

import uuid
from typing import Any

from lab.entra.trace import trace
from lab.kernel.http import Call
from lab.kernel.registration import Vendor
from lab.logic.routes import ROUTES
from lab.logic.state import Logic, Run, Workflow


def _state(state: Logic, _call: Call, _body: Any) -> dict[str, Any]:
    return {
        one.id: {"body": one.body, "principal": one.principal, "runs": [[run.status, run.code] for run in one.runs]}
        for one in state.workflows.values()
    }


def _status(state: Logic) -> dict[str, Any]:
    return {"workflows": len(state.workflows)}


# -- what others do ---------------------------------------------------------------------------------------------------


def script(logic: Logic, id: str) -> None:
    """Somebody has run Microsoft's published script: a workflow with a client secret in its definition."""
    secret = "client_id=x&client_secret=canary5ecret&grant_type=client_credentials"
    token = {"type": "Http", "inputs": {"method": "POST", "uri": "https://login.example/token", "body": secret}}
    definition = {"triggers": {"manual": {"type": "Request", "kind": "Http"}}, "actions": {"GetToken": token}}
    body = {"location": "westeurope", "properties": {"state": "Enabled", "definition": definition}}
    logic.workflows[id.lower()] = Workflow(id, "westeurope", body, logic.lab.derive(id).hex()[:32])


def change(logic: Logic, id: str, **properties: Any) -> None:
    """Somebody changes a workflow by hand."""
    logic.workflows[id.lower()].body["properties"] |= properties


def run(logic: Logic, id: str, status: str = "Succeeded") -> None:
    """Something else than a request has begun a run, and it has ended."""
    logic.workflows[id.lower()].runs.insert(0, Run(str(uuid.uuid4()), logic.now(), status))


VENDOR = Vendor(
    name="logic",
    state=Logic,
    segments=frozenset({"subscriptions", "workflows"}),
    within="azure",
    find=ROUTES.find,
    operations=ROUTES.operations,
    next_link="nextLink",
    trace=trace,
    control={("GET", ""): _state},
    mutations={"workflow_script": script, "workflow_change": change, "workflow_run": run},
    status=_status,
)
