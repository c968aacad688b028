# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft's own management clients of the last releases that had diagnostic settings, driven against the lab.

Run by test_clients.py in a process of its own, since these releases do not go with those of the environment.
Usage: sdk_driver.py STATE_DIR TASK; prints one JSON document.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.core.policies import AuxiliaryAuthenticationPolicy
from azure.mgmt.monitor import MonitorManagementClient
from azure.mgmt.resource import ResourceManagementClient, SubscriptionClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from lab.client import LabClient
from lab.testing import CLIENT_ID, CONTOSO, PROSEWARE, WORKSPACE

PRODUCTION = CONTOSO[:-1] + "1"
VAULT = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod/providers/Microsoft.KeyVault/vaults/kv-shop-prod"
BODY = {"workspace_id": WORKSPACE, "logs": [{"category_group": "allLogs", "enabled": True}]}


class Sdk:
    """Clients of Contoso's service principal."""

    def __init__(self, lab: LabClient) -> None:
        self.scope = f"{lab.url}/.default"
        self.verify: dict[str, Any] = {"connection_verify": lab.ca_file}
        self.common: dict[str, Any] = self.verify | {"base_url": lab.url, "credential_scopes": [self.scope]}
        self.contoso = self.credential(lab, CONTOSO)
        self.proseware = self.credential(lab, PROSEWARE)

    def credential(self, lab: LabClient, tenant: str) -> ClientSecretCredential:
        return ClientSecretCredential(
            tenant, CLIENT_ID, lab.secret, authority=lab.url, disable_instance_discovery=True, **self.verify
        )

    def monitor(self, **options: Any) -> MonitorManagementClient:
        return MonitorManagementClient(self.contoso, PRODUCTION, **self.common, **options)


def refused(call: Any) -> list[Any]:
    try:
        call()
    except HttpResponseError as error:
        return [error.status_code, error.message]
    return []


def settings(sdk: Sdk) -> Any:
    """Without and with the auxiliary token; a setting's whole life."""
    one = sdk.monitor().diagnostic_settings
    policy = AuxiliaryAuthenticationPolicy([sdk.proseware], sdk.scope)
    two = sdk.monitor(per_call_policies=[policy]).diagnostic_settings
    alone = refused(lambda: one.create_or_update(VAULT, "sdk", BODY))
    made = two.create_or_update(VAULT, "sdk", BODY)
    conflict = refused(lambda: two.create_or_update(VAULT, "other", BODY))
    listed = list(one.list(VAULT))
    got = one.get(VAULT, "sdk")
    one.delete(VAULT, "sdk")
    return {
        "alone": alone,
        "made": made.name,
        "conflict": conflict,
        "listed": [[item.name, item.workspace_id, item.logs[0].category_group] for item in listed],
        "got": [got.id, got.log_analytics_destination_type],
        "after": [item.name for item in one.list(VAULT)],
    }


def categories(sdk: Sdk) -> Any:
    found = sdk.monitor().diagnostic_settings_category.list(VAULT)
    return {item.name: [item.category_type, item.category_groups] for item in found}


def activity_log(sdk: Sdk) -> Any:
    found = sdk.monitor().subscription_diagnostic_settings.list()
    return [[item.name, item.id, sorted(log.category for log in item.logs if log.enabled)] for item in found]


def resources(sdk: Sdk) -> Any:
    """The subscriptions, the plain list with its pages, Resource Graph with its pages."""
    listed = ResourceManagementClient(sdk.contoso, PRODUCTION, **sdk.common).resources.list()
    graph = ResourceGraphClient(sdk.contoso, **sdk.common)
    rows, token = [], None
    while True:
        options = QueryRequestOptions(top=20, skip_token=token)
        request = QueryRequest(
            subscriptions=[PRODUCTION], query="resources | project id | order by id asc", options=options
        )
        answer = graph.resources(request)
        rows += answer.data
        token = answer.skip_token
        if not token:
            break
    return {
        "subscriptions": [
            [item.display_name, item.state]
            for item in SubscriptionClient(sdk.contoso, **sdk.common).subscriptions.list()
        ],
        "listed": sorted(item.id for item in listed),
        "graph": sorted(row["id"] for row in rows),
    }


TASKS = {"settings": settings, "categories": categories, "activity_log": activity_log, "resources": resources}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[2]](Sdk(LabClient(sys.argv[1])))))
