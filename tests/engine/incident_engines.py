# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the engines of incident_sync in this process, against a lab, as Ansible's action would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity.options import IDENTITY_RULES
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import capability, options
from lab.client import LabClient
from lab.servicenow.client import USER
from lab.testing import CLIENT_ID, CONTOSO

from .engines import OWN_WORKSPACE


class Sync:
    """Runs on one tenant. folder: of the evidence, None for none."""

    def __init__(self, lab: LabClient, folder: Path | None, tenant: str = CONTOSO) -> None:
        self.lab, self.folder, self.tenant = lab, folder, tenant
        self.given = {
            "tenant_id": tenant,
            "client_id": CLIENT_ID,
            "client_secret": lab.secret,
            "authority_url": lab.url,
            "graph_url": f"{lab.url}/graph",
            "ca_file": lab.ca_file,
            "servicenow_url": lab.url,
            "servicenow_username": USER,
            "servicenow_password": lab.servicenow.password(),
            "caller": USER,
            "assignment_group": "SOC",
            "category": "security",
            "close_code": "Resolved by caller",
        }

    def run(self, engine: Any, spec: dict[str, Any], *, check: bool = False, **given: Any) -> dict[str, Any]:
        if self.folder:
            given["evidence_path"] = str(self.folder / "customer.incident_sync.jsonl")
        found = ArgumentSpecValidator(spec, **IDENTITY_RULES).validate({**self.given, **given})
        assert not found.error_messages, found.error_messages
        secrets = found._no_log_values
        return execute(engine, "incident_sync", found.validated_parameters, check=check, diff=True, secrets=secrets)

    def converge(self, *, check: bool = False, **given: Any) -> dict[str, Any]:
        return self.run(capability.converge, options.CONVERGE_SPEC, check=check, **given)

    def verify(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.verify, options.FLOW_SPEC, **given)

    def preflight(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.preflight, options.FEED_SPEC, **given)

    # --- what happens in the tenant

    def incident(self, id: str, **fields: Any) -> None:
        self.lab.edit("security_incident", tenant=self.tenant, id=id, **fields)

    def change(self, id: str, **fields: Any) -> None:
        self.lab.edit("security_change", tenant=self.tenant, kind="incidents", id=id, **fields)

    def merge(self, source: str, target: str) -> None:
        self.lab.edit("security_merge", tenant=self.tenant, source=source, target=target)

    # --- what became of it

    def tickets(self) -> dict[str, dict[str, str]]:
        """By correlation id, without the tenant where it is this one."""
        return {one["correlation_id"].removeprefix(f"{self.tenant}:"): one for one in self.lab.servicenow.incidents()}

    def states(self) -> dict[str, str]:
        return {id: one["state"] for id, one in self.tickets().items()}

    def notes(self, id: str) -> list[str]:
        return list(self.lab.servicenow.notes(self.tickets()[id]["number"]))

    def writes(self) -> int:
        asked = self.lab.requests(last=2000)["last"]
        return sum(
            one["method"] not in ("GET",) and one["kind"].startswith(("servicenow", "security")) for one in asked
        )


class Sentinel(Sync):
    """The same by the incidents of a workspace. One of id 29 has the name of a GUID that ends so."""

    def __init__(self, lab: LabClient, folder: Path | None) -> None:
        super().__init__(lab, folder)
        self.given |= {"feed": "sentinel", "sentinel_workspace_id": OWN_WORKSPACE, "resource_manager_url": lab.url}

    @staticmethod
    def named(id: str) -> str:
        return f"00000000-0000-4000-8000-{int(id):012}"

    def incident(self, id: str, **fields: Any) -> None:
        given = {"title": f"Incident {id}", "providerIncidentId": id, **fields}
        self.lab.edit("sentinel_incident", workspace=OWN_WORKSPACE, name=self.named(id), **given)

    def change(self, id: str, **fields: Any) -> None:
        self.lab.edit("sentinel_change", workspace=OWN_WORKSPACE, name=self.named(id), **fields)

    def merge(self, source: str, target: str, **how: Any) -> None:
        names = {"source": self.named(source), "target": self.named(target)}
        self.lab.edit("sentinel_merge", workspace=OWN_WORKSPACE, **names, **how)

    def allow(self, role: str) -> None:
        self.lab.edit("assign_role", tenant=self.tenant, role=role, scope=OWN_WORKSPACE)

    def labels(self, id: str) -> list[str]:
        held = self.lab.sentinel.incidents(OWN_WORKSPACE)[self.named(id)]["labels"]
        return [one["labelName"] for one in held]

    def tickets(self) -> dict[str, dict[str, str]]:
        return {str(int(name[-12:])): one for name, one in super().tickets().items()}
