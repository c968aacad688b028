# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each capability says in each verb is what it said before: tests/golden has it, and a change of it is meant.

UPDATE_GOLDEN=1 python -m pytest tests/engine/test_golden.py writes it anew; read the difference before it is committed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.client import LabClient

from . import coro_engines, graph_engines, rights_engines
from .engines import Tenant
from .event_hub_engines import ENTRA_SCOPE, Customer
from .golden import compared
from .test_duo import NETWORKS, Duo
from .test_tenant_access import look

Run = Callable[..., dict[str, Any]]
Story = dict[str, Any]


def life(run: Run) -> Story:
    """The verbs that write, in the order in which a tenant meets them."""
    return {
        "1 onboard, check mode": run(check=True, diff=True),
        "2 onboard": run(diff=True),
        "3 again": run(diff=True),
        "4 offboard": run(diff=True, state="absent"),
        "5 offboard again": run(state="absent"),
    }


def azure(lab: LabClient, folder: Path) -> Story:
    tenant = Tenant(lab, subscriptions=["contoso-development"], families=["key_vault"])
    path = folder / "azure.jsonl"
    found = {"0 preflight": tenant.run("access")}
    found["0 verify"] = tenant.run("flow")
    found |= life(lambda **given: tenant.run(evidence_path=str(path), **given))
    return found | {"6 evidence": [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]}


def event_hub(lab: LabClient, folder: Path) -> Story:
    customer = Customer(lab)
    refused = {"0 preflight": customer.run("access"), "0 refused": customer.run()}
    customer.may()
    made = {"1 onboard": customer.run(diff=True), "2 verify": customer.run("flow"), "3 again": customer.run(diff=True)}
    return refused | made | {"4 drift": customer.run(check=True, diff=True, partition_count=8)}


def entra_logs(lab: LabClient, folder: Path) -> Story:
    customer = Customer(lab)
    customer.may()
    customer.run()
    refused = customer.run("entra")
    customer.may(scope=ENTRA_SCOPE)
    return {"0 refused": refused} | life(lambda **given: customer.run("entra", categories=["AuditLogs"], **given))


def coro(lab: LabClient, folder: Path) -> Story:
    workspace = coro_engines.Workspace(lab)
    wanted = workspace.wanted("splunk")
    found = {"0 preflight": workspace.run(engine="access")}
    return found | life(lambda **given: workspace.run(wanted, **given)) | {"6 verify": workspace.run(engine="info")}


def duo(lab: LabClient, folder: Path) -> Story:
    account = Duo(lab)

    def run(diff: bool = False, **given: Any) -> dict[str, Any]:
        return account.converge(application=NETWORKS, **given)

    return {"0 preflight": account.preflight(), "0 verify": account.verify()} | life(run)


def application(lab: LabClient, folder: Path) -> Story:
    home = graph_engines.provider(lab, permissions=graph_engines.WANTED)
    return {"1 check mode": home.run(check=True, diff=True), "2 run": home.run(diff=True), "3 again": home.run()}


def principal(lab: LabClient, folder: Path) -> Story:
    customer = graph_engines.customer(lab)
    return {"0 before consent": customer.run()} | life(graph_engines.customer(lab, access_token=lab.admin_token(
        graph_engines.NORTHWIND, "graph")).run)  # fmt: skip


def role_assignment(lab: LabClient, folder: Path) -> Story:
    rights_engines.consented(lab)
    return life(rights_engines.role(lab).run)


def lighthouse(lab: LabClient, folder: Path) -> Story:
    return life(rights_engines.delegation(lab).run)


def tenant_access(lab: LabClient, folder: Path) -> Story:
    return {"0 before consent": look(lab)}


STORIES = (azure, event_hub, entra_logs, coro, duo, application, principal, role_assignment, lighthouse, tenant_access)


@pytest.mark.parametrize("story", STORIES, ids=lambda one: one.__name__)
def test_what_is_said_is_what_was_said(lab: LabClient, tmp_path: Path, story: Callable[..., Story]) -> None:
    now, before = compared(story.__name__, story(lab, tmp_path), [tmp_path])
    assert now == before
