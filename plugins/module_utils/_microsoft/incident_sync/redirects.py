# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The automation rule and the playbook that tell redirected incidents to an ITSM that Logic Apps feed: pure.

Facts: techcommunity.microsoft.com, «Microsoft Sentinel and Defender: ITSM integrations explained»: a rule for updated
incidents with the tag Redirected runs a playbook, which has the ITSM close the source and note it on the target.
azure-rest-api-specs: Microsoft.SecurityInsights AutomationRules 2023-11-01, Microsoft.Logic workflows 2019-05-01,
Microsoft.Web connections 2016-06-01. assumed: the trigger's path and body, as Microsoft's published playbooks have
them; that a SecureString is never shown again, and what else is shown as it was written.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.status import BLOCKED, DRIFTED, IN_SYNC
from ..._core.verdict import Verdict

MARK, SECRET_MARK = "mssp-onboarding", "mssp-secret"
OWNER = "incident_sync"
NAME = "mssp-redirected-incidents"
CONNECTION, PLAYBOOK, RULE = ORDER = ("connection", "playbook", "rule")
SCHEMA = "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#"
INCIDENT = "@{triggerBody()?['object']?['properties']?['%s']}"
# What the ITSM is told: the incident that has lost its alerts, and the one that has them now.
TOLD = {
    "action": "redirected",
    "incident": "@{triggerBody()?['object']?['name']}",
    "incident_number": INCIDENT % "incidentNumber",
    "title": INCIDENT % "title",
    "url": INCIDENT % "incidentUrl",
    "target": INCIDENT % "providerIncidentId",
    "target_url": "@{triggerBody()?['object']?['properties']?['additionalData']?['providerIncidentUrl']}",
}
NOT_OURS = f"rename or remove it: somebody else made one of the name {NAME}"


class Thing(NamedTuple):
    """One object of Azure. body: as it is to be; secret: what of its properties is written and never shown again."""

    kind: str
    id: str
    api_version: str
    body: Mapping[str, Any]
    secret: Mapping[str, Any] = {}

    @property
    def sent(self) -> dict[str, Any]:
        properties = self.body["properties"]
        parameters = {"parameters": {**properties.get("parameters", {}), **self.secret}} if self.secret else {}
        return {**self.body, "properties": {**properties, **parameters}}


def things(workspace: str, tenant: str, location: str, url: str, secret: str) -> list[Thing]:
    """In the order in which each needs the one before."""
    head, subscription = workspace.partition("/providers/")[0], workspace.split("/")[2]
    connection, playbook = f"{head}/providers/Microsoft.Web/connections/{NAME}", (
        f"{head}/providers/Microsoft.Logic/workflows/{NAME}")  # fmt: skip
    api = f"/subscriptions/{subscription}/providers/Microsoft.Web/locations/{location}/managedApis/azuresentinel"
    rule = f"{workspace}/providers/Microsoft.SecurityInsights/automationRules/{uuid.uuid5(uuid.NAMESPACE_URL, NAME)}"
    made = {"location": location, "tags": {MARK: OWNER}}
    linked = {"connectionId": connection, "connectionName": NAME, "id": api,
              "connectionProperties": {"authentication": {"type": "ManagedServiceIdentity"}}}  # fmt: skip
    flow = {
        "state": "Enabled",
        "definition": _definition(url),
        "parameters": {"$connections": {"value": {"azuresentinel": linked}}},
    }
    return [
        Thing(CONNECTION, connection, "2016-06-01",
              {**made, "kind": "V1", "properties": {"displayName": NAME, "api": {"id": api},
                                                    "parameterValueType": "Alternative"}}),
        Thing(PLAYBOOK, playbook, "2019-05-01",
              {**made, "tags": {MARK: OWNER, SECRET_MARK: fingerprint(secret)}, "identity": {"type": "SystemAssigned"},
               "properties": flow}, {"secret": {"value": secret}}),
        Thing(RULE, rule, "2023-11-01", {"properties": _rule(playbook, tenant)}),
    ]  # fmt: skip


def fingerprint(secret: str) -> str:
    """Enough to see that it is another one, too little to find it."""
    return hashlib.sha256(f"{NAME}:{secret}".encode()).hexdigest()[:12]


def _definition(url: str) -> dict[str, Any]:
    host = {"connection": {"name": "@parameters('$connections')['azuresentinel']['connectionId']"}}
    trigger = {
        "type": "ApiConnectionWebhook",
        "inputs": {"body": {"callback_url": "@{listCallbackUrl()}"}, "host": host, "path": "/incident-creation"},
    }
    tell = {
        "type": "Http",
        "runAfter": {},
        "inputs": {
            "method": "POST",
            "uri": url,
            "headers": {"Content-Type": "application/json", "X-MSSP-Secret": "@{parameters('secret')}"},
            "body": TOLD,
        },
        "runtimeConfiguration": {"secureData": {"properties": ["inputs"]}},
    }  # fmt: skip
    return {
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {"$connections": {"type": "Object", "defaultValue": {}}, "secret": {"type": "SecureString"}},
        "triggers": {"Microsoft_Sentinel_incident": trigger},
        "actions": {"Tell": tell},
    }


def _rule(playbook: str, tenant: str) -> dict[str, Any]:
    """When a tag is added and there is one of that name: not at each later update."""
    added = {"arrayType": "Labels", "changeType": "Added"}
    tagged = {"propertyName": "IncidentLabel", "operator": "Equals", "propertyValues": ["Redirected"]}
    return {
        "displayName": NAME,
        "order": 1,
        "triggeringLogic": {
            "isEnabled": True,
            "triggersOn": "Incidents",
            "triggersWhen": "Updated",
            "conditions": [
                {"conditionType": "PropertyArrayChanged", "conditionProperties": added},
                {"conditionType": "Property", "conditionProperties": tagged},
            ],
        },
        "actions": [
            {"order": 1, "actionType": "RunPlaybook",
             "actionConfiguration": {"logicAppResourceId": playbook, "tenantId": tenant}}
        ],
    }  # fmt: skip


def holds(found: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there; Azure adds more, and spells ids as it likes."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(holds(found.get(name), one) for name, one in wanted.items())
    if isinstance(wanted, list):
        same = isinstance(found, list) and len(found) == len(wanted)
        return same and all(holds(one, other) for one, other in zip(found, wanted, strict=True))
    if isinstance(wanted, str) and wanted.startswith("/subscriptions/"):
        return isinstance(found, str) and found.casefold() == wanted.casefold()
    return bool(found == wanted) or (not wanted and found is None)


def plan(thing: Thing, found: Mapping[str, Any] | None, *, present: bool) -> Verdict:
    """What is to be done with one. A rule has no tags: it is ours by its name, which is an id that we give."""
    tags = (found or {}).get("tags") or {}
    ours = thing.kind == RULE or tags.get(MARK) == OWNER
    if not present:
        if found is None or not ours:
            return Verdict(thing.kind, IN_SYNC, reason="kept: it is not one that we made" if found else "")
        return Verdict(thing.kind, DRIFTED, ("unexpected",), "ours is to be removed", "delete", subject=thing)
    if found is None:
        return Verdict(thing.kind, DRIFTED, ("missing",), action="create", after=thing.body, subject=thing)
    if not ours:
        text = f"{thing.id} is not one that we made"
        return Verdict(thing.kind, BLOCKED, ("not_ours",), text, next_step=NOT_OURS)
    names = ("properties", "identity") + (("tags",) if thing.kind != RULE else ())
    drift = tuple(name for name in names if name in thing.body and not holds(found.get(name), thing.body[name]))
    if not drift:
        return Verdict(thing.kind, IN_SYNC)
    before = {name: found.get(name) for name in drift}
    return Verdict(thing.kind, DRIFTED, ("changed",), f"another {', '.join(drift)}", "update", before=before,
                   after={name: thing.body[name] for name in drift}, subject=thing)  # fmt: skip
