# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the modules that give rights in this process, against a lab, as Ansible's action would start them."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.lighthouse import capability as lighthouse
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.lighthouse import options as lighthouse_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights import capability as role_assignments
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights import options as rights_options
from lab.client import LabClient
from lab.testing import CLIENT_ID, NORTHWIND, PROSEWARE

from .engines import log

PRODUCTION, DEVELOPMENT = f"{NORTHWIND[:-1]}1", f"{NORTHWIND[:-1]}2"
SCOPE = f"/subscriptions/{PRODUCTION}"
AUTHORIZATION = "/providers/Microsoft.Authorization/roleAssignments"
MANAGED = f"{SCOPE}/providers/Microsoft.ManagedServices"
MONITORING = "Monitoring Contributor"

ENGINES: dict[str, tuple[Any, dict[str, Any]]] = {
    "role": (role_assignments, rights_options.ROLE_ASSIGNMENT_MODULE_SPEC),
    "delegation": (lighthouse, lighthouse_options.DELEGATION_MODULE_SPEC),
}


class Rights:
    """Runs on Northwind, with the token of its administrator unless a run says access_token=None."""

    def __init__(self, lab: LabClient, engine: str, **given: Any) -> None:
        self.lab = lab
        self.module, self.spec = ENGINES[engine]
        self.given = {
            "tenant_id": NORTHWIND,
            "client_id": CLIENT_ID,
            "client_secret": lab.secret,
            "access_token": lab.admin_token(NORTHWIND, "arm"),
            "resource_manager_url": lab.url,
            "authority_url": lab.url,
            "ca_file": lab.ca_file,
            "wait_seconds": 60,
            **given,
        }

    def run(self, *, check: bool = False, diff: bool = False, reporter: Any = None, **args: Any) -> dict[str, Any]:
        wanted = {name: value for name, value in {**self.given, **args}.items() if value is not None}
        found = ArgumentSpecValidator(self.spec, **identity_options.ADMINISTRATOR_RULES).validate(wanted)
        assert not found.error_messages, found.error_messages
        return execute(
            self.module.converge, "rights", dict(found.validated_parameters), check=check, diff=diff,
            secrets=set(found._no_log_values), reporter=reporter,
        )  # fmt: skip

    def written(self) -> list[tuple[str, str]]:
        """(method, last part of the path) of every request that writes, in order."""
        return [(one["method"], one["path"].rpartition("/")[2]) for one in log(self.lab)
                if one["method"] in ("PUT", "DELETE")]  # fmt: skip


def role(lab: LabClient, **given: Any) -> Rights:
    """Monitoring Contributor for the app on Northwind's production, where the app is known."""
    return Rights(lab, "role", **{"scope": SCOPE, "role": MONITORING, **given})


def delegation(lab: LabClient, **given: Any) -> Rights:
    """Northwind's production, delegated to Proseware."""
    wanted = {"managing_tenant_id": PROSEWARE, "subscription_id": PRODUCTION, "name": "Proseware SOC"}
    return Rights(lab, "delegation", **{**wanted, **given})


def consented(lab: LabClient) -> str:
    """Make the app known in Northwind; its object id there."""
    status, made = lab.graph(NORTHWIND, "POST", "servicePrincipals", {"appId": CLIENT_ID})
    assert status == 201, made
    return str(made["id"])


def arm(lab: LabClient, method: str, path: str, version: str, body: Any = None) -> tuple[int, Any]:
    """(status, body) of a request by Northwind's administrator."""
    bearer = {"Authorization": f"Bearer {lab.admin_token(NORTHWIND, 'arm')}"}
    mark = "&" if "?" in path else "?"
    status, _headers, answer = lab.call(method, f"{path}{mark}api-version={version}", body, bearer)
    return status, answer
