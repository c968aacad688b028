# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the Azure engines in this process, against a lab, as Ansible's action would start them."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import capability as sweep
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import freshness as arrivals
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import preflight as access
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity_options
from lab.client import LabClient
from lab.testing import CLIENT_ID, CONTOSO, FABRIKAM, PROSEWARE, TAILSPIN, WORKSPACE

OURS = "mssp-onboarding"
GRAPH = "resource_graph"
PRODUCTION, DEVELOPMENT, SHARED = (f"{CONTOSO[:-1]}{number}" for number in (1, 2, 3))
SHOP = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod/providers"
HUB_NETWORK = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-hub-network/providers/Microsoft.Network"
VAULT = f"{SHOP}/Microsoft.KeyVault/vaults/kv-shop-prod"
SERVED_VAULT = f"{SHOP}/Microsoft.KeyVault/vaults/kv-payments-prod"
FIREWALL = f"{HUB_NETWORK}/azureFirewalls/afw-hub-weu"
DEV = f"/subscriptions/{DEVELOPMENT}/resourceGroups/rg-shop-dev/providers"
DEV_VAULT = f"{DEV}/Microsoft.KeyVault/vaults/kv-shop-dev"
TEST_VAULT = f"{DEV}/Microsoft.KeyVault/vaults/kv-shop-test"
OWN_WORKSPACE = (
    f"/subscriptions/{SHARED}/resourceGroups/rg-operations/providers/"
    "Microsoft.OperationalInsights/workspaces/law-contoso-ops"
)

ENGINES: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "settings": (sweep.converge, sweep.Diagnostics.name, options.SETTINGS_MODULE_SPEC),
    "access": (access.preflight, access.Access.name, options.ACCESS_MODULE_SPEC),
    "flow": (arrivals.verify, arrivals.LogFlow.name, options.FLOW_MODULE_SPEC),
}


def identity(lab: LabClient, tenant: str) -> dict[str, Any]:
    """The options by which the lab's fleet reaches a tenant."""
    ways: dict[str, dict[str, Any]] = {
        CONTOSO: {"client_secret": lab.secret, "auxiliary_tenant_ids": [PROSEWARE]},
        FABRIKAM: {"client_certificate_path": lab.certificate_path, "managing_tenant_id": PROSEWARE},
        TAILSPIN: {"federated_token_file": lab.federated_token_file, "auxiliary_tenant_ids": [PROSEWARE]},
    }
    return {
        "tenant_id": tenant,
        "client_id": CLIENT_ID,
        "resource_manager_url": lab.url,
        "authority_url": lab.url,
        "log_analytics_url": lab.url,
        "ca_file": lab.ca_file,
        **ways.get(tenant, ways[CONTOSO]),
    }


def checked(spec: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    """Parameters as Ansible hands them over."""
    found = ArgumentSpecValidator(spec, **identity_options.IDENTITY_RULES).validate(args)
    assert not found.error_messages, found.error_messages
    return dict(found.validated_parameters)


class Tenant:
    """Runs on one tenant; options given here hold for every run unless a run says otherwise. None leaves one out."""

    def __init__(self, lab: LabClient, tenant: str = CONTOSO, **given: Any) -> None:
        self.lab = lab
        self.id = tenant
        self.given = {"workspace_id": WORKSPACE, **identity(lab, tenant), **given}

    def run(self, engine: str = "settings", *, check: bool = False, diff: bool = False, **args: Any) -> dict[str, Any]:
        function, capability, spec = ENGINES[engine]
        reporter = args.pop("reporter", None)
        wanted = {key: value for key, value in {**self.given, **args}.items() if key in spec and value is not None}
        parameters = checked(spec, wanted)
        secret = parameters["client_secret"] or ""
        return execute(
            function, capability, parameters, check=check, diff=diff, secrets=[secret] if secret else [],
            reporter=reporter,
        )  # fmt: skip

    def written(self) -> list[tuple[str, str]]:
        """(method, path) of every request that writes, in order."""
        return [(one["method"], one["path"]) for one in log(self.lab) if one["method"] in ("PUT", "DELETE", "PATCH")]


def log(lab: LabClient, kind: str = "") -> list[dict[str, Any]]:
    """Requests that the lab has seen since the last reset, oldest first."""
    return [one for one in lab.requests(last=20_000)["last"] if kind in ("", one["kind"])]


def statuses(lab: LabClient) -> dict[int, int]:
    """How many answers of each status."""
    found: dict[int, int] = {}
    for line in lab.requests()["counts"]:
        found[line["status"]] = found.get(line["status"], 0) + line["count"]
    return found


def held(lab: LabClient) -> dict[tuple[str, str], Any]:
    """(lower target, name) -> the setting as a GET shows it, for the whole world."""
    return {
        (target, name): value["shown"]
        for target, names in lab.azure.world()["settings"].items()
        for name, value in names.items()
    }


def foreign(lab: LabClient) -> dict[tuple[str, str], Any]:
    """Settings that are not ours."""
    return {key: value for key, value in held(lab).items() if key[1] != OURS}


def ours(lab: LabClient) -> dict[str, Any]:
    """Lower target -> our setting's properties."""
    return {target: value["properties"] for (target, name), value in held(lab).items() if name == OURS}


def planned(result: dict[str, Any]) -> list[tuple[str, str]]:
    """(target, action) of a result's changes, sorted."""
    return sorted((change["target"], change["action"]) for change in result["changes"])


def counts(result: dict[str, Any]) -> dict[str, int]:
    """Counts that are not zero."""
    return {name: number for name, number in result["summary"]["counts"].items() if number and name != "targets"}
