# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the engines about custom logs in this process, against a lab."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.custom_logs import capability, options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity.options import IDENTITY_RULES
from lab.client import LabClient
from lab.testing import CONTOSO

from .engines import OWN_WORKSPACE, identity

NAME = "SplunkAlert_CL"
TABLE = f"{OWN_WORKSPACE}/tables/{NAME}"
GROUP = OWN_WORKSPACE.partition("/providers/")[0]
RULE = f"{GROUP}/providers/Microsoft.Insights/dataCollectionRules/mssp-onboarding"
COLUMNS = {"TimeGenerated": "datetime", "SearchName": "string", "Result": "dynamic"}
STREAM = {"SearchName": "string", "Result": "string"}
TRANSFORM = "source | extend TimeGenerated = now(), Result = todynamic(Result)"
ROLES = ("Log Analytics Contributor", "Monitoring Contributor", "Role Based Access Control Administrator")
ENGINES: dict[str, tuple[Any, dict[str, Any]]] = {
    "table": (capability.converge_table, options.TABLE_MODULE_SPEC),
    "rule": (capability.converge, options.RULE_MODULE_SPEC),
    "access": (capability.preflight, options.ACCESS_SPEC),
    "flow": (capability.verify, options.FLOW_MODULE_SPEC),
}


class Logs:
    """Contoso with a table for alerts; options given to a run replace these."""

    def __init__(self, lab: LabClient) -> None:
        self.lab = lab
        self.given: dict[str, Any] = {
            **identity(lab, CONTOSO),
            "workspace_id": OWN_WORKSPACE,
            "table": NAME,
            "columns": COLUMNS,
            "stream_columns": STREAM,
            "transform": TRANSFORM,
            "wait_seconds": 5,
        }

    def may(self, *roles: str) -> None:
        for role in roles or ROLES:
            self.lab.edit("assign_role", tenant=CONTOSO, role=role, scope=GROUP)

    def run(self, engine: str, *, check: bool = False, **args: Any) -> dict[str, Any]:
        function, spec = ENGINES[engine]
        given = {key: value for key, value in {**self.given, **args}.items() if key in spec and value is not None}
        found = ArgumentSpecValidator(spec, **IDENTITY_RULES).validate(given)
        assert not found.error_messages, found.error_messages
        secrets = [str(self.given["client_secret"])]
        return execute(
            function, "azure_custom_logs", found.validated_parameters, check=check, diff=False, secrets=secrets
        )

    def made(self) -> Logs:
        self.may()
        assert not self.run("table")["failed"]
        assert not self.run("rule")["failed"]
        return self

    def flow(self, **args: Any) -> dict[str, Any]:
        (found,) = self.run("flow", **args)["flows"]
        return dict(found)
