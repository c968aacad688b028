# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event Hubs namespaces over ARM; what is in them is in event_hub_entities.py.

Shapes: azure-rest-api-specs, eventhub 2024-01-01, as azure-mgmt-eventhub 12 reads them. Codes and words:
learn.microsoft.com, event-hubs/resource-manager-exceptions. A new namespace is Creating until `operation` seconds are
over, and its own answer always says so; its location is shown by the region's display name. A deletion takes as long,
and until then the namespace is shown and nobody else gets its name. Assumed: the shape of a missing hub's 404,
InvalidResourceLocation's words, the states of a namespace that goes, and what a write to it is answered.
"""

from __future__ import annotations

import re
from typing import Any

from lab.azure.arm import page
from lab.azure.bodies import json_object
from lab.azure.diagnostics import check_version, exists, subscription_of, writable
from lab.azure.event_hub_state import ROOT_RULE, TYPE, Namespace, Rule
from lab.azure.model import Resource
from lab.azure.rbac import require
from lab.azure.state import Azure
from lab.azure.subscriptions import registered
from lab.kernel.clock import stamp
from lab.kernel.http import Call, Handler, Refusal, Reply, nested, ok

VERSIONS = frozenset(
    {"2017-04-01", "2021-11-01", "2022-10-01-preview", "2023-01-01-preview", "2024-01-01", "2024-05-01-preview"}
    | {"2025-05-01-preview", "2026-01-01"}
)
_NAMESPACE = "Microsoft.EventHub"
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{4,48}[a-zA-Z0-9]")
_SKUS = ("Basic", "Standard", "Premium")


# -- namespaces -------------------------------------------------------------------------------------------------------


def listing(azure: Azure, call: Call) -> Reply:
    """Namespaces of a subscription or a group."""
    enter(azure, call, "read")
    prefix = call.low.partition("/providers/")[0] + "/"
    found = [
        show(azure, item)
        for id_, item in subscription_of(azure, call.scope).resources.items()
        if item.type.lower() == TYPE.lower() and not item.gone and id_.startswith(prefix)
    ]
    return page(azure, call, found)


def get(azure: Azure, call: Call) -> Reply:
    enter(azure, call, "read")
    return ok(show(azure, _resource(azure, call)))


def put(azure: Azure, call: Call) -> Reply:
    enter(azure, call, "write")
    parts, body = call.path.split("/"), json_object(call)
    if parts[4].lower() not in subscription_of(azure, call.scope).groups:
        raise nested(404, "ResourceGroupNotFound", f"Resource group '{parts[4]}' could not be found.")
    location = str(body.get("location") or "").replace(" ", "").lower()
    if not location:
        raise nested(400, "LocationRequired", "The location property is required for this definition.")
    before = azure.resource(call.path)
    if before is not None and azure.contents(before).going:
        raise nested(409, "Conflict", f"SubCode=40900. The namespace '{parts[8]}' is being deleted.")
    if before is not None and before.location != location:
        raise nested(
            409,
            "InvalidResourceLocation",
            f"The resource '{parts[8]}' already exists in location '{before.location}' in resource group '{parts[4]}'. "
            f"A resource with the same name cannot be created in location '{location}'. Please select a new resource "
            "name.",
        )
    resource = before or _make(azure, parts, location)
    _change(azure.contents(resource), resource, body)
    return ok(show(azure, resource) if before else _creating(azure, resource), 200 if before else 201)


def delete(azure: Azure, call: Call) -> Reply:
    enter(azure, call, "delete")
    resource = azure.resource(call.path)
    if resource is None:
        return Reply(204)
    held = azure.contents(resource)
    held.going = held.going or azure.now() + azure.operation
    _let_go(azure, resource)
    version = call.query["api-version"]
    call.extra["Location"] = f"{azure.url}{call.path}/operationresults/{resource.name}?api-version={version}"
    return Reply(202)


def result(azure: Azure, call: Call) -> Reply:
    """GET of what a deletion's Location says."""
    enter(azure, call, "read")
    return Reply(202 if azure.resource("/".join(call.path.split("/")[:9])) else 200)


def _let_go(azure: Azure, resource: Resource) -> None:
    """Take it away when its deletion is over."""
    low = resource.id.lower()
    if 0 < azure.contents(resource).going <= azure.now():
        del azure.subscriptions[low.split("/")[2]].resources[low]
        azure.namespaces.pop(low, None)
        azure.inventory += 1


def _let_all_go(azure: Azure) -> None:
    for low in [*azure.namespaces]:
        if gone := azure.resource(low):
            _let_go(azure, gone)


def check_name(azure: Azure, call: Call) -> Reply:
    """POST /subscriptions/{id}/providers/Microsoft.EventHub/checkNameAvailability"""
    call.scope = "/".join(call.path.split("/")[:3])
    check_version(call, VERSIONS, "checkNameAvailability", _NAMESPACE)
    _let_all_go(azure)
    require(azure, call.who, "Microsoft.EventHub/checkNameAvailability/action", call.scope)
    name = str(json_object(call).get("name", ""))
    reason = "InvalidName" if not _NAME.fullmatch(name) else "NameInUse" if _taken(azure, name) else "None"
    words = {"InvalidName": "The specified name is not valid.", "NameInUse": "The specified name is not available."}
    return ok({"nameAvailable": reason == "None", "reason": reason, "message": words.get(reason, "")})


# As learn.microsoft.com «Azure regions list» spells them; others are shown as they were written.
REGIONS = {
    "westeurope": "West Europe",
    "northeurope": "North Europe",
    "eastus": "East US",
    "germanywestcentral": "Germany West Central",
}


def show(azure: Azure, resource: Resource) -> dict[str, Any]:
    held = azure.contents(resource)
    sku = str((resource.sku or {}).get("name", "Standard"))
    made = stamp(azure.shown(held.made))
    return {
        "sku": {"name": sku, "tier": sku, "capacity": (resource.sku or {}).get("capacity", 1)},
        "id": resource.id,
        "name": resource.name,
        "type": "Microsoft.EventHub/Namespaces",
        "location": REGIONS.get(resource.location, resource.location),
        "tags": resource.tags or {},
        "properties": {
            "minimumTlsVersion": held.tls,
            "publicNetworkAccess": "Enabled",
            "disableLocalAuth": not held.local_auth,
            "zoneRedundant": True,
            "isAutoInflateEnabled": False,
            "maximumThroughputUnits": 0,
            "kafkaEnabled": sku != "Basic",
            "provisioningState": "Deleting" if held.going else "Creating" if azure.busy(held) else "Succeeded",
            "status": "Removing" if held.going else "Activating" if azure.busy(held) else "Active",
            "metricId": f"{resource.subscription}:{resource.name}",
            "createdAt": made,
            "updatedAt": made,
            "serviceBusEndpoint": f"https://{resource.name}.servicebus.windows.net:443/",
        },
    }


def _creating(azure: Azure, resource: Resource) -> dict[str, Any]:
    shown = show(azure, resource)
    shown["properties"] |= {"provisioningState": "Creating", "status": "Activating"}
    return shown


def _make(azure: Azure, parts: list[str], location: str) -> Resource:
    name = parts[8]
    if not _NAME.fullmatch(name):
        raise bad(f"The specified name '{name}' is not valid.")
    if _taken(azure, name):
        raise bad("The specified name is not available.")
    group = subscription_of(azure, "/".join(parts)).groups[parts[4].lower()][0]
    resource = azure.add_resource(parts[2].lower(), group, TYPE, name, location)
    rule = Rule(f"{resource.id}/authorizationRules/{ROOT_RULE}", ROOT_RULE)
    azure.namespaces[resource.id.lower()] = Namespace({ROOT_RULE.lower(): rule}, made=azure.now())
    return resource


def _change(held: Namespace, resource: Resource, body: dict[str, Any]) -> None:
    sku, given = body.get("sku") or {}, body.get("properties") or {}
    name = sku.get("name", (resource.sku or {}).get("name", "Standard"))
    if name not in _SKUS:
        raise bad(f"The SKU '{name}' is not valid.")
    resource.sku = {"name": name, "capacity": sku.get("capacity", (resource.sku or {}).get("capacity", 1))}
    resource.tags = body.get("tags", resource.tags)
    held.tls = given.get("minimumTlsVersion", held.tls)
    held.local_auth = not given.get("disableLocalAuth", not held.local_auth)


def _taken(azure: Azure, name: str) -> bool:
    """Namespaces have names of DNS: one in all tenants."""
    return any(
        item.name.lower() == name.lower() and item.type.lower() == TYPE.lower()
        for sub in azure.subscriptions.values()
        for item in sub.resources.values()
    )


# -- the way in -------------------------------------------------------------------------------------------------------


def enter(azure: Azure, call: Call, verb: str) -> None:
    """Version, right and, for writes, that the subscription takes them. `verb` follows the type in the action."""
    _let_all_go(azure)
    check_version(call, VERSIONS, "namespaces", _NAMESPACE)
    parts = call.scope[call.low.index("/providers/") + 11 :].split("/")
    require(azure, call.who, "/".join([parts[0], *parts[1::2], verb]), call.scope)
    if verb in ("write", "delete"):
        writable(azure, call)
        registered(azure, call, _NAMESPACE)


def namespace(azure: Azure, call: Call) -> Namespace:
    """That of a path into it; 404 when there is none, 429 while it is being made."""
    parts = call.path.split("/")
    resource = azure.resource("/".join(parts[:9]))
    if resource is None:
        raise nested(
            404,
            "ParentResourceNotFound",
            f"Failed to perform '{call.method.lower()}' on resource(s) of type '{'/'.join(parts[6:8])}', because the "
            f"parent resource '{'/'.join(parts[:9])}' could not be found.",
        )
    held = azure.contents(resource)
    if azure.busy(held):
        raise nested(429, "429", "Namespace provisioning in transition")
    return held


def tier(azure: Azure, call: Call) -> str:
    resource = azure.resource("/".join(call.path.split("/")[:9]))
    return str(((resource.sku if resource else None) or {}).get("name", "Standard"))


def _resource(azure: Azure, call: Call) -> Resource:
    found = exists(azure, call)[1]
    assert found is not None
    return found


def bad(message: str, subcode: int | None = None) -> Refusal:
    """400 of the resource provider, as hashicorp/terraform#19029 shows it."""
    return nested(400, "BadRequest", f"SubCode={subcode}. {message}" if subcode else message)


Routes = dict[str, dict[str, tuple[str, Handler]]]
# Types, with a star for each name.
ROUTES: Routes = {
    "microsoft.eventhub/checknameavailability": {"POST": ("namespaces.check_name", check_name)},
    "microsoft.eventhub/namespaces": {"GET": ("namespaces.list", listing)},
    "microsoft.eventhub/namespaces/*": {
        "GET": ("namespaces.get", get),
        "PUT": ("namespaces.put", put),
        "DELETE": ("namespaces.delete", delete),
    },
    "microsoft.eventhub/namespaces/*/operationresults/*": {"GET": ("namespaces.result", result)},
}
