# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the Coro engines in this process, against the lab's Coro cloud, as Ansible's action would start them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core import token_cache
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._coro import capability, options
from lab.client import LabClient

CONTOSO, FABRIKAM, TAILSPIN = "contoso_Qx7d_b", "fabrikam_Lm4T_b", "tailspin_Kp2W_u"
GAMES, KIDS, RETAIL = CHILDREN = ("tailspingames_Ae9R_b", "tailspinkids_Bv3N_b", "tailspinretail_Cz8H_b")
CLIENTS = {CONTOSO: "coro-contoso", FABRIKAM: "coro-fabrikam", TAILSPIN: "coro-tailspin"}
CONNECTORS = "/v1/siem-connectors"
NAME = capability.CoroConnectors.name

ENGINES: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "connectors": (capability.converge, NAME, options.TENANT_MODULE_SPEC),
    "connector": (capability.converge_one, NAME, options.CONNECTOR_MODULE_SPEC),
    "info": (capability.verify, NAME, options.INFO_MODULE_SPEC),
    "access": (capability.preflight, NAME, options.WORKSPACE_MODULE_SPEC),
}


class Workspace:
    """Runs on one workspace; options given here hold for every run unless a run says otherwise. None leaves one out."""

    def __init__(self, lab: LabClient, workspace: str = CONTOSO, **given: Any) -> None:
        token_cache.cache = token_cache.TokenCache()
        self.lab = lab
        self.id = workspace
        self.receivers = lab.receivers.describe()
        client, secret = lab.coro.client(CLIENTS.get(workspace, CLIENTS[TAILSPIN]))
        self.given: dict[str, Any] = {
            "client_id": client,
            "client_secret": secret,
            "api_url": lab.url,
            "ca_file": lab.ca_file,
            "workspace": workspace,
            **given,
        }

    def wanted(self, kind: str, name: str = "", **more: Any) -> dict[str, Any]:
        """Options of one connector of a format, to the lab's receiver of it."""
        at = self.receivers
        by_format: dict[str, dict[str, Any]] = {
            "splunk": {"listener_url": at["splunk"]["url"], "authorization": at["splunk"].get("token")},
            "generic": {"listener_url": at["generic"]["url"], "headers": at["generic"].get("headers")},
            "fluency": {"listener_url": at["fluency"]["url"], "token": at["fluency"].get("token")},
            "azure_sentinel": {
                "workspace_id": at["azure"].get("workspace_id"),
                "primary_key": at["azure"].get("primary_key"),
            },
        }
        return {"name": name or kind, "format": kind, **by_format[kind], **more}

    def run(self, *connectors: dict[str, Any], engine: str = "connectors", check: bool = False, diff: bool = False,
            reporter: Any = None, **args: Any) -> dict[str, Any]:  # fmt: skip
        function, capability, spec = ENGINES[engine]
        given = {**self.given, **args, **(split(connectors) if engine == "connectors" else {})}
        wanted = {key: value for key, value in given.items() if key in spec and value is not None}
        found = ArgumentSpecValidator(spec).validate(wanted)
        assert not found.error_messages, found.error_messages
        secrets = set(found._no_log_values)
        return execute(function, capability, dict(found.validated_parameters), check=check, diff=diff,
                       secrets=secrets, reporter=reporter)  # fmt: skip

    def held(self, workspace: str = "") -> dict[str, dict[str, Any]]:
        """Connectors by name, with `stored` (secrets in the clear)."""
        return self.lab.coro.connectors(workspace or self.id)

    def writes(self) -> list[tuple[str, str]]:
        """(method, path) of every request that changes connectors, in order."""
        listed = self.lab.requests(last=20_000)["last"]
        return [
            (one["method"], one["path"])
            for one in listed
            if one["path"].startswith(CONNECTORS) and one["method"] != "GET"
        ]


def split(connectors: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Options of single connectors as the two dictionaries of a tenant."""
    hidden = set(options.SECRET_SPEC)
    return {
        "connectors": {
            one["name"]: {key: value for key, value in one.items() if key != "name" and key not in hidden}
            for one in connectors
        },
        "secrets": {one["name"]: {key: one[key] for key in hidden & set(one)} for one in connectors},
    }


def counts(result: dict[str, Any]) -> dict[str, int]:
    """Counts that are not zero."""
    return {name: number for name, number in result["summary"]["counts"].items() if number and name != "targets"}


def actions(result: dict[str, Any]) -> list[tuple[str, str]]:
    """(name, action) of a result's changes."""
    return [(change["target"].partition("/")[2], change["action"]) for change in result["changes"]]
