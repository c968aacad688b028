# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /subscriptions/{id}/providers/Microsoft.Insights/eventtypes/management/values: the activity log.

Shapes: azure-rest-api-specs, Microsoft.Insights activityLogs 2015-04-01, as azure-mgmt-monitor 7 reads them. It lists
writes and deletes of diagnostic settings, those of portal edits too, newest first.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from lab.azure.model import Event
from lab.azure.rbac import require
from lab.azure.state import Azure
from lab.kernel.clock import stamp
from lab.kernel.http import Call, Reply, flat, ok

_CLAUSE = re.compile(
    r"(eventTimestamp|resourceUri|resourceProvider|resourceGroupName|caller|status)\s+(ge|le|eq)\s+'([^']*)'",
    re.IGNORECASE,
)


def listing(azure: Azure, call: Call) -> Reply:
    require(azure, call.who, "Microsoft.Insights/eventtypes/values/read", call.scope)
    clauses = _clauses(call.query.get("$filter", ""))
    subscription = call.low.split("/", 3)[2]
    events = [
        event
        for event in reversed(azure.events)
        if event.subscription == subscription and all(_keeps(azure, event, *clause) for clause in clauses)
    ]
    return ok({"value": [_shown(azure, event) for event in events]})


def _clauses(text: str) -> list[tuple[str, str, str]]:
    parts = re.split(r"\s+and\s+", text.strip()) if text.strip() else []
    matches = [_CLAUSE.fullmatch(part) for part in parts]
    found = [(match[1].lower(), match[2].lower(), match[3]) for match in matches if match]
    if len(found) < len(parts) or ("eventtimestamp", "ge") not in [clause[:2] for clause in found]:
        raise flat(
            400, "BadRequest", "The $filter of the query must have eventTimestamp ge '...' and known clauses only."
        )
    return found


def _keeps(azure: Azure, event: Event, field: str, operator: str, value: str) -> bool:
    if field == "eventtimestamp":
        at = datetime.fromisoformat(value)
        moment = at.timestamp() if at.tzinfo else datetime.fromisoformat(value + "+00:00").timestamp()
        shown = azure.shown(event.at)
        return shown >= moment if operator == "ge" else shown <= moment
    held = {
        "resourceuri": event.resource,
        "resourceprovider": "Microsoft.Insights",
        "resourcegroupname": _group(event.resource),
        "caller": event.caller,
        "status": event.status,
    }[field]
    return held.lower() == value.lower()


def _group(id_: str) -> str:
    parts = id_.split("/")
    return parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else ""


def _shown(azure: Azure, event: Event) -> dict[str, Any]:
    def both(value: str) -> dict[str, str]:
        return {"value": value, "localizedValue": value}

    at = stamp(azure.shown(event.at))
    return {
        "caller": event.caller,
        "channels": "Operation",
        "category": both("Administrative"),
        "eventName": both("EndRequest"),
        "level": "Informational",
        "operationName": both(event.operation),
        "resourceProviderName": both("Microsoft.Insights"),
        "resourceType": both("Microsoft.Insights/diagnosticSettings"),
        "resourceGroupName": _group(event.resource),
        "resourceId": event.resource,
        "status": both(event.status),
        "subStatus": both("OK"),
        "eventTimestamp": at,
        "submissionTimestamp": at,
        "subscriptionId": event.subscription,
        "tenantId": azure.subscriptions[event.subscription].tenant,
    }
