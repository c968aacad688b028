# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the environment of azure-mgmt-logic: a workflow's life, of what is on stdin, and what was seen of it."""

from __future__ import annotations

import json
import sys
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.logic import LogicManagementClient
from azure.mgmt.logic.models import ManagedServiceIdentity, Workflow

given: dict[str, Any] = json.load(sys.stdin)
credential = ClientSecretCredential(
    given["tenant"], given["app"], given["secret"], authority=given["url"], disable_instance_discovery=True,
    connection_verify=given["ca_file"],
)  # fmt: skip
client = LogicManagementClient(
    credential, given["subscription"], base_url=given["url"], credential_scopes=[f"{given['url']}/.default"],
    connection_verify=given["ca_file"],
)  # fmt: skip
group, name = given["group"], "made-by-the-sdk"
wanted = Workflow(location="westeurope", state="Enabled", definition=given["definition"],
                  identity=ManagedServiceIdentity(type="SystemAssigned"))  # fmt: skip
made = client.workflows.create_or_update(group, name, wanted)
told: dict[str, Any] = {"principal": bool(made.identity.principal_id), "state": made.state}
told["definition"] = client.workflows.get(group, name).definition == given["definition"]
told["listed"] = [one.name for one in client.workflows.list_by_resource_group(group)]
url = client.workflow_triggers.list_callback_url(group, name, "manual")
told["url"] = [url.method, bool(url.queries.sig)]
told["runs"] = len(list(client.workflow_runs.list(group, name)))
client.workflows.delete(group, name)
try:
    client.workflows.get(group, name)
except ResourceNotFoundError as error:
    told["gone"] = error.error.code if error.error else ""
json.dump(told, sys.stdout)
