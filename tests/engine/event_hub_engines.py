# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the engines about Event Hubs and Entra's logs in this process, against a lab."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.entra_logs import capability as entra_logs
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.entra_logs import options as entra_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import capability as event_hub
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import options as specs
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity_options
from lab.client import LabClient
from lab.testing import CONTOSO

from .engines import SHARED, identity, log

GROUP, NAMESPACE, OURS = "rg-siem", "evh-contoso-siem", "mssp-onboarding"
PLACE = f"/subscriptions/{SHARED}/resourceGroups/{GROUP}/providers/Microsoft.EventHub/namespaces/{NAMESPACE}"
WRITER = f"{PLACE}/authorizationRules/{OURS}-writer"
HUB = f"{PLACE}/eventhubs/{OURS}"
READER = f"{HUB}/authorizationRules/{OURS}-reader"
ENTRA_SCOPE = "/providers/Microsoft.aadiam"
API = "api-version=2024-01-01"
ENGINES: dict[str, tuple[Any, dict[str, Any]]] = {
    "hub": (event_hub.converge, specs.HUB_MODULE_SPEC),
    "access": (event_hub.preflight, specs.HUB_ACCESS_MODULE_SPEC),
    "flow": (event_hub.verify, specs.HUB_FLOW_MODULE_SPEC),
    "entra": (entra_logs.converge, entra_options.ENTRA_MODULE_SPEC),
}


class Customer:
    """Contoso with a place for an Event Hub; options given to a run replace these, None leaves one out."""

    def __init__(self, lab: LabClient) -> None:
        self.lab = lab
        self.given: dict[str, Any] = {
            **identity(lab, CONTOSO),
            "auxiliary_tenant_ids": [],
            "subscription_id": SHARED,
            "resource_group": GROUP,
            "namespace": NAMESPACE,
            "location": "westeurope",
            "event_hub_authorization_rule_id": WRITER,
            "event_hub_name": OURS,
            "wait_seconds": 30,
        }

    def may(self, role: str = "Contributor", scope: str = f"/subscriptions/{SHARED}") -> None:
        """The customer gives the app a role."""
        self.lab.edit("assign_role", tenant=CONTOSO, role=role, scope=scope)

    def run(self, engine: str = "hub", *, check: bool = False, diff: bool = False, **args: Any) -> dict[str, Any]:
        function, spec = ENGINES[engine]
        reporter = args.pop("reporter", None)
        given = {key: value for key, value in {**self.given, **args}.items() if key in spec and value is not None}
        found = ArgumentSpecValidator(spec, **identity_options.ADMINISTRATOR_RULES).validate(given)
        assert not found.error_messages, found.error_messages
        parameters = dict(found.validated_parameters)
        secrets = [parameters[name] for name in ("client_secret", "access_token") if parameters[name]]
        return execute(
            function, "event_hub_export", parameters, check=check, diff=diff, secrets=secrets, reporter=reporter
        )

    def arm(self, method: str, path: str, body: Any = None, version: str = API) -> tuple[int, Any]:
        """What the customer's administrator does by hand."""
        headers = {"Authorization": f"Bearer {self.lab.admin_token(CONTOSO, 'arm')}"}
        status, _headers, answer = self.lab.call(method, f"{path}?{version}", body, headers)
        return status, answer

    def make_namespace(self, name: str = NAMESPACE, tags: dict[str, str] | None = None, **given: Any) -> str:
        """A namespace of the customer's own; its id."""
        group = f"/subscriptions/{SHARED}/resourceGroups/{GROUP}"
        assert self.arm("PUT", group, {"location": "westeurope"}, "api-version=2021-04-01")[0] in (200, 201)
        sku = given.pop("sku", "Standard")
        body = {"location": "westeurope", "sku": {"name": sku}, "tags": tags or {}, "properties": given}
        path = f"{group}/providers/Microsoft.EventHub/namespaces/{name}"
        assert self.arm("PUT", path, body)[0] in (200, 201)
        return path

    def make_hub(self, name: str = OURS, namespace: str = PLACE, partitions: int = 4, hours: int = 168) -> None:
        described = {"cleanupPolicy": "Delete", "retentionTimeInHours": hours}
        body = {"properties": {"partitionCount": partitions, "retentionDescription": described}}
        assert self.arm("PUT", f"{namespace}/eventhubs/{name}", body)[0] == 200

    def shown(self, path: str) -> Any:
        """What a GET shows, None for what is not there."""
        status, answer = self.arm("GET", path)
        return answer if status == 200 else None

    def written(self) -> list[tuple[str, str]]:
        """(method, last two pieces of the path) of every write since the last look."""
        found = [
            (one["method"], "/".join(one["path"].split("/")[-2:]))
            for one in log(self.lab)
            if one["method"] in ("PUT", "DELETE", "PATCH") or "regeneratekeys" in one["path"].lower()
        ]
        self.lab.reset_requests()
        return found


def drift(result: dict[str, Any]) -> dict[str, int]:
    return dict(result["summary"]["drift"])
