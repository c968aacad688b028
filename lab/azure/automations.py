# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.Security/automations: continuous export of Defender for Cloud, as far as it goes to an Event Hub.

Shapes: bicep-types-az microsoft.security 2023-12-01-preview, openapi 2019-01-01-preview: a connection string is taken
and never shown. An exported alert: learn.microsoft.com «Alerts schemas». Assumed: words of the refusals; that Azure
looks whether the hub is there and the key is one of its.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from lab.azure.arm import page
from lab.azure.bodies import json_object
from lab.azure.diagnostics import check_version, exists, subscription_of, writable
from lab.azure.event_hub import Routes
from lab.azure.model import Resource
from lab.azure.rbac import require
from lab.azure.state import Azure
from lab.azure.subscriptions import registered
from lab.kernel.http import Call, Refusal, Reply, nested, ok

VERSIONS = frozenset({"2019-01-01-preview", "2023-12-01-preview"})
TYPE = "Microsoft.Security/automations"
_PROVIDER = "Microsoft.Security"
SOURCES = frozenset(
    {"Alerts", "Assessments", "AssessmentsSnapshot", "SubAssessments", "SubAssessmentsSnapshot", "SecureScores"}
    | {"SecureScoresSnapshot", "SecureScoreControls", "SecureScoreControlsSnapshot", "AttackPaths"}
    | {"RegulatoryComplianceAssessment", "RegulatoryComplianceAssessmentSnapshot"}
)


def _enter(azure: Azure, call: Call, verb: str) -> None:
    check_version(call, VERSIONS, "automations", _PROVIDER)
    require(azure, call.who, f"{TYPE}/{verb}", call.scope)
    if verb != "read":
        writable(azure, call)
        registered(azure, call, _PROVIDER)


def listing(azure: Azure, call: Call) -> Reply:
    """Of a subscription or a group."""
    _enter(azure, call, "read")
    prefix = call.low.partition("/providers/")[0] + "/"
    held = subscription_of(azure, call.scope).resources.items()
    found = [one for id_, one in held if one.type.lower() == TYPE.lower() and id_.startswith(prefix)]
    return page(azure, call, [_shown(one) for one in found])


def get(azure: Azure, call: Call) -> Reply:
    _enter(azure, call, "read")
    found = exists(azure, call)[1]
    assert found is not None
    return ok(_shown(found))


def put(azure: Azure, call: Call) -> Reply:
    _enter(azure, call, "write")
    parts, body = call.path.split("/"), json_object(call)
    if parts[4].lower() not in subscription_of(azure, call.scope).groups:
        raise nested(404, "ResourceGroupNotFound", f"Resource group '{parts[4]}' could not be found.")
    if not body.get("location"):
        raise nested(400, "LocationRequired", "The location property is required for this definition.")
    properties = dict(body.get("properties") or {})
    _check(azure, call, properties)
    properties["actions"] = [_kept(one) for one in properties["actions"]]
    before = azure.resource(call.path)
    made = before or azure.add_resource(parts[2].lower(), parts[4], TYPE, parts[8], body["location"])
    made.tags, made.properties = body.get("tags"), properties
    return ok(_shown(made), 200 if before else 201)


def delete(azure: Azure, call: Call) -> Reply:
    _enter(azure, call, "delete")
    found = azure.resource(call.path)
    if found is None:
        return Reply(204)
    del subscription_of(azure, call.scope).resources[found.id.lower()]
    azure.inventory += 1
    return Reply(200)


def _check(azure: Azure, call: Call, properties: dict[str, Any]) -> None:
    """The lab takes exports to Event Hubs only."""
    scopes = [str(one.get("scopePath", "")).lower() for one in properties.get("scopes") or ()]
    own = "/".join(call.low.split("/")[:3])
    if not scopes or not all(one == own or one.startswith(own + "/") for one in scopes):
        raise _bad("The automation scopes must be of the automation's own subscription.")
    sources = [one.get("eventSource") for one in properties.get("sources") or ()]
    if not sources or not set(sources) <= SOURCES:
        raise _bad(f"The automation sources are not valid: {sources}.")
    for action in properties.get("actions") or [{}]:
        _check_action(azure, action)


def _check_action(azure: Azure, action: dict[str, Any]) -> None:
    if action.get("actionType") != "EventHub":
        raise _bad(f"The lab does not know the action type '{action.get('actionType')}'.")
    namespace, _, hub = str(action.get("eventHubResourceId", "")).lower().partition("/eventhubs/")
    found = azure.resource(namespace)
    held = azure.contents(found) if found else None
    if held is None or hub not in held.hubs:
        raise _bad(f"The event hub '{action.get('eventHubResourceId')}' was not found.")
    rules = {**held.rules, **held.hubs[hub].rules}
    said = _pairs(action)
    rule = rules.get(said.get("SharedAccessKeyName", "").lower())
    keys = [rule.key(azure.lab.derive, which) for which in rule.made] if rule and "Send" in rule.rights else []
    if said.get("SharedAccessKey") not in keys:
        raise _bad("The connection string does not let anybody send to the event hub.")


def _pairs(action: dict[str, Any]) -> dict[str, str]:
    parts = [part.partition("=") for part in str(action.get("connectionString", "")).split(";")]
    return {name: value for name, _, value in parts}


def _kept(action: dict[str, Any]) -> dict[str, Any]:
    return {
        "actionType": "EventHub",
        "eventHubResourceId": action["eventHubResourceId"],
        "sasPolicyName": _pairs(action)["SharedAccessKeyName"],
    }


def _shown(item: Resource) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "type": TYPE,
        "kind": None,
        "location": item.location,
        "tags": item.tags,
        "properties": item.properties,
    }


def _bad(message: str) -> Refusal:
    return nested(400, "BadRequest", message)


def hubs_of(azure: Azure, resource: str, source: str) -> list[str]:
    """Where the exports that are on send what this source has of a resource."""
    held = subscription_of(azure, resource).resources.values()
    return [
        action["eventHubResourceId"]
        for one in (item.properties for item in held if item.type == TYPE)
        if one.get("isEnabled", True) and any(part["eventSource"] == source for part in one["sources"])
        if any(resource.lower().startswith(scope["scopePath"].lower()) for scope in one["scopes"])
        for action in one["actions"]
    ]


def alert(resource: str) -> str:
    """An event of an export, @time@ in it being when it came."""
    told = {
        "VendorName": "Microsoft", "ProductName": "Azure Security Center", "AlertType": "LAB_Alert",
        "AlertDisplayName": "Lab alert", "Severity": "High", "Status": "New", "IsIncident": False,
        "SystemAlertId": f"lab_{uuid.uuid4()}", "CompromisedEntity": resource.rsplit("/", 1)[1], "Entities": [],
        "StartTimeUtc": "@time@", "EndTimeUtc": "@time@", "TimeGenerated": "@time@",
        "ResourceIdentifiers": [{"Type": "AzureResource", "AzureResourceId": resource}],
    }  # fmt: skip
    return json.dumps(told)


ROUTES: Routes = {
    "microsoft.security/automations": {"GET": ("automations.list", listing)},
    "microsoft.security/automations/*": {
        "GET": ("automations.get", get),
        "PUT": ("automations.put", put),
        "DELETE": ("automations.delete", delete),
    },
}
