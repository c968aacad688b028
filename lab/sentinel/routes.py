# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""{workspace}/providers/Microsoft.SecurityInsights/automationRules and incidents.

Shapes: azure-rest-api-specs, Microsoft.SecurityInsights AutomationRules and Incidents 2023-11-01, as
azure-mgmt-securityinsight 1.0.0 reads them. A PUT of an incident replaces it whole, needs title, severity and status,
and is refused with another etag than that of the last GET: techcommunity, «Microsoft Sentinel and Defender: ITSM
integrations explained», and facts other_systems.md §4a. Assumed: what is no workspace with Sentinel answers 404; codes
and words of refusals; which properties $filter takes; that a rule that is written over needs no etag.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from lab.azure import arm
from lab.azure.bodies import json_object
from lab.azure.rbac import require
from lab.kernel.clock import stamp
from lab.kernel.http import Call, Refusal, Reply, nested, ok
from lab.kernel.registration import Operation
from lab.kernel.router import Table
from lab.sentinel.state import Item, Sentinel

GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
WORKSPACE = GROUP + "/providers/Microsoft.OperationalInsights/workspaces/{workspace}"
PROVIDER = "/providers/Microsoft.SecurityInsights"
RULES, INCIDENTS = WORKSPACE + PROVIDER + "/automationRules", WORKSPACE + PROVIDER + "/incidents"
CONFLICT = "Newer instance of Incident exists for this workspace. The etag does not match."
NEEDED = ("title", "severity", "status")
# What the service itself says of an incident, whatever a PUT says.
KEPT = ("incidentNumber", "incidentUrl", "providerName", "providerIncidentId", "createdTimeUtc", "additionalData",
        "relatedAnalyticRuleIds")  # fmt: skip
MOST = 1000
_COMPARISON = re.compile(r"\s*properties/(\w+)\s+(eq|ge|gt)\s+('[^']*'|\S+)\s*")
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {"eq": operator.eq, "ge": operator.ge, "gt": operator.gt}
FILTERS = ("lastModifiedTimeUtc", "incidentNumber", "providerIncidentId")


def enter(sentinel: Sentinel, call: Call) -> None:
    arm.enter(sentinel.azure, call)
    call.scope = call.path[: call.low.rindex(PROVIDER.lower())]


def _allow(sentinel: Sentinel, call: Call, action: str) -> str:
    """The workspace, in lower case, of somebody who may do that there."""
    require(sentinel.azure, call.who, f"Microsoft.SecurityInsights/{action}", call.scope)
    if not sentinel.known(call.scope):
        raise nested(404, "ResourceNotFound", f"'{call.scope}' is not onboarded to Microsoft Sentinel.")
    return call.scope.lower()


def _missing(call: Call) -> Refusal:
    return nested(404, "NotFound", f"'{call.args['name']}' was not found.")


def _page(sentinel: Sentinel, call: Call, found: list[Item], size: int) -> Reply:
    first = int(call.query.get("$skiptoken", "0"))
    after = first + min(size, sentinel.sentinel_page_size)
    answer: Item = {"value": found[first:after]}
    if after < len(found):
        following = "&".join(f"{key}={quote(value, safe='')}" for key, value in call.query.items()
                             if key != "$skiptoken")  # fmt: skip
        answer["nextLink"] = f"{sentinel.url}{call.path}?{following}&$skipToken={after}"
    return ok(answer)


# -- automation rules -------------------------------------------------------------------------------------------------


def rules(sentinel: Sentinel, call: Call) -> Reply:
    workspace = _allow(sentinel, call, "automationRules/read")
    return _page(sentinel, call, list(sentinel.rules[workspace].values()), MOST)


def rule(sentinel: Sentinel, call: Call) -> Reply:
    found = sentinel.rules[_allow(sentinel, call, "automationRules/read")].get(call.args["name"].lower())
    if found is None:
        raise _missing(call)
    return ok(found)


def put_rule(sentinel: Sentinel, call: Call) -> Reply:
    held, body = sentinel.rules[_allow(sentinel, call, "automationRules/write")], json_object(call)
    properties = body.get("properties") or {}
    lost = [name for name in ("displayName", "order", "triggeringLogic", "actions") if name not in properties]
    if lost:
        raise nested(400, "BadRequest", f"Invalid data model. The property {lost[0]} is required.")
    for action in properties["actions"]:
        playbook = (action.get("actionConfiguration") or {}).get("logicAppResourceId", "")
        if action.get("actionType") == "RunPlaybook" and sentinel.azure.resource(playbook) is None:
            raise nested(400, "BadRequest", f"Invalid playbook: '{playbook}' does not exist, or Microsoft Sentinel has "
                         "no permission to run it.")  # fmt: skip
    name = call.args["name"]
    made = {"id": call.path, "name": name, "type": "Microsoft.SecurityInsights/AutomationRules",
            "etag": sentinel.etag(), "properties": properties}  # fmt: skip
    status = 200 if name.lower() in held else 201
    held[name.lower()] = made
    return ok(made, status)


def delete_rule(sentinel: Sentinel, call: Call) -> Reply:
    gone = sentinel.rules[_allow(sentinel, call, "automationRules/delete")].pop(call.args["name"].lower(), None)
    return Reply(200 if gone else 204)


# -- incidents --------------------------------------------------------------------------------------------------------


def shown(sentinel: Sentinel, item: Item) -> Item:
    """With times on the client's clock."""
    properties = {
        name: stamp(sentinel.shown(value)) if name.endswith("TimeUtc") and isinstance(value, float) else value
        for name, value in item["properties"].items()
    }
    return {**item, "properties": properties}


def incidents(sentinel: Sentinel, call: Call) -> Reply:
    held = sentinel.incidents[_allow(sentinel, call, "incidents/read")]
    size = int(call.query.get("$top", "50"))
    if size > MOST:
        raise nested(400, "BadRequest", f"Invalid $top: at most {MOST}.")
    text = call.query.get("$filter", "")
    keeps = [_keep(part) for part in re.split(r"\s+and\s+", text)] if text else []
    found = [one for one in held.values() if all(keep(one["properties"]) for keep in keeps)]
    found.sort(key=lambda one: one["properties"]["lastModifiedTimeUtc"])
    return _page(sentinel, call, [shown(sentinel, one) for one in found], size)


def _keep(text: str) -> Callable[[Item], bool]:
    match = _COMPARISON.fullmatch(text)
    if match is None or match[1] not in FILTERS:
        raise nested(400, "BadRequest", f"Invalid filter: '{text}'.")
    name, compare, literal = match[1], _COMPARED[match[2]], match[3]
    if name.endswith("TimeUtc"):
        value: Any = datetime.fromisoformat(literal).timestamp()
    else:
        value = literal.strip("'") if literal.startswith("'") else int(literal)
    return lambda properties: compare(properties[name], value)


def incident(sentinel: Sentinel, call: Call) -> Reply:
    found = sentinel.incidents[_allow(sentinel, call, "incidents/read")].get(call.args["name"].lower())
    if found is None:
        raise _missing(call)
    return ok(shown(sentinel, found))


def put_incident(sentinel: Sentinel, call: Call) -> Reply:
    """Replaces it whole. A new one is Sentinel's own, and not in Defender."""
    held, body = sentinel.incidents[_allow(sentinel, call, "incidents/write")], json_object(call)
    given = body.get("properties") or {}
    lost = [name for name in NEEDED if not given.get(name)]
    if lost:
        raise nested(400, "BadRequest", f"Invalid data model. The property {lost[0]} is required.")
    name = call.args["name"].lower()
    before = held.get(name)
    if before and body.get("etag") != before["etag"]:
        raise nested(409, "Conflict", CONFLICT)
    properties = dict(before["properties"]) if before else made(sentinel, call.scope, name)["properties"]
    kept = {key: properties[key] for key in KEPT if key in properties}
    held[name] = {"id": call.path, "name": call.args["name"], "type": "Microsoft.SecurityInsights/Incidents",
                  "etag": sentinel.etag(),
                  "properties": {"labels": [], **given, **kept, "lastModifiedTimeUtc": sentinel.now()}}  # fmt: skip
    return ok(shown(sentinel, held[name]), 200 if before else 201)


def delete_incident(sentinel: Sentinel, call: Call) -> Reply:
    gone = sentinel.incidents[_allow(sentinel, call, "incidents/delete")].pop(call.args["name"].lower(), None)
    return Reply(200 if gone else 204)


def made(sentinel: Sentinel, workspace: str, name: str, ago: float = 0.0, **properties: Any) -> Item:
    """A new incident, which Defender has under the number that providerIncidentId says."""
    when, number = sentinel.now() - ago, len(sentinel.incidents[workspace.lower()]) + 1
    id = f"{workspace}{PROVIDER}/Incidents/{name}"
    return {
        "id": id, "name": name, "etag": sentinel.etag(), "type": "Microsoft.SecurityInsights/Incidents",
        "properties": {
            "title": f"Incident {number}", "description": "", "severity": "Medium", "status": "New", "labels": [],
            "owner": {"objectId": None, "email": None, "assignedTo": None, "userPrincipalName": None},
            "incidentNumber": number, "incidentUrl": f"https://portal.azure.com/#asset/{id}",
            "providerName": "Azure Sentinel", "providerIncidentId": str(number), "relatedAnalyticRuleIds": [],
            "createdTimeUtc": when, "lastModifiedTimeUtc": when,
            "additionalData": {"alertsCount": 1, "bookmarksCount": 0, "commentsCount": 0, "alertProductNames": [],
                               "tactics": []},
            **properties,
        },
    }  # fmt: skip


def _arm(kind: str, handler: Any) -> Operation:
    return Operation(f"sentinel.{kind}", handler, enter)


ROUTES = Table(
    {
        ("GET", RULES): _arm("rules", rules),
        ("GET", RULES + "/{name}"): _arm("rules.get", rule),
        ("PUT", RULES + "/{name}"): _arm("rules.put", put_rule),
        ("DELETE", RULES + "/{name}"): _arm("rules.delete", delete_rule),
        ("GET", INCIDENTS): _arm("incidents", incidents),
        ("GET", INCIDENTS + "/{name}"): _arm("incidents.get", incident),
        ("PUT", INCIDENTS + "/{name}"): _arm("incidents.put", put_incident),
        ("DELETE", INCIDENTS + "/{name}"): _arm("incidents.delete", delete_incident),
    }
)
