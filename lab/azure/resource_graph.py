# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""POST /providers/Microsoft.ResourceGraph/resources (2021-03-01 and later).

Shapes, paging and quota: learn.microsoft.com, governance/resource-graph. Resource Graph lower-cases `type` and
`resourceGroup` and keeps ids as they were made. The code of the refusal where no subscription may be
seen is assumed.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from lab.azure import kql, rbac
from lab.azure.bodies import json_object
from lab.azure.limits import GRAPH_QUERIES, GRAPH_WINDOW
from lab.azure.model import Resource, Subscription
from lab.azure.state import Azure
from lab.kernel.http import Call, Refusal, Reply, nested, ok

MAX_PAGE = 1000


def query(azure: Azure, call: Call) -> Reply:
    _quota(azure, call)
    body = json_object(call)
    options = body.get("options") or {}
    text = body.get("query")
    if not isinstance(text, str) or not text.strip():
        raise _bad("EmptyQuery", "Query can not be empty or null.")
    return ok(_page(_rows(azure, call, _subscriptions(azure, call, body), text), options))


def _rows(azure: Azure, call: Call, subscriptions: list[Subscription], text: str) -> list[dict[str, Any]]:
    """Rows of all pages. The last query's are kept until the inventory changes: its pages come one after another."""
    key = (azure.inventory, azure.assignments.changes, call.who.oid, text, *[sub.id for sub in subscriptions])
    if azure.kept[0] == key:
        return azure.kept[1]
    rows = [_row(azure, item) for sub in subscriptions for item in _readable(azure, call, sub)]
    try:
        found = kql.run(text, rows)
    except kql.KqlError as error:
        raise _bad(
            "InvalidQuery",
            f"Query is invalid. Please refer to the documentation for the Azure Resource Graph "
            f"service and fix the error before retrying: {error}",
        ) from None
    azure.kept = (key, found)
    return found


def _quota(azure: Azure, call: Call) -> None:
    left, resets = azure.lab.throttle.window(call.who.oid, GRAPH_QUERIES, GRAPH_WINDOW)
    seconds = int(resets) + 1
    headers = {"x-ms-user-quota-remaining": str(max(0, left)), "x-ms-user-quota-resets-after": f"00:00:{seconds:02d}"}
    call.extra.update(headers)
    if left < 0:
        refusal = nested(
            429,
            "RateLimiting",
            "Please provide below info when asking for support: timestamp and correlationId. Client application has "
            "been "
            "throttled and should not attempt to repeat the request until an amount of time has elapsed.",
        )
        refusal.headers.update(headers, **{"Retry-After": str(seconds)})
        raise refusal


def _subscriptions(azure: Azure, call: Call, body: dict[str, Any]) -> list[Subscription]:
    asked = body.get("subscriptions")
    seen = [
        sub
        for sub in azure.subscriptions.values()
        if azure.sees(call.who.tid, sub) and rbac.may_see(azure, call.who.oid, sub.id)
    ]
    if not asked:
        return seen
    wanted = {str(item).lower() for item in asked}
    found = [sub for sub in seen if sub.id in wanted]
    if not found:
        raise _bad(
            "NoValidSubscriptionsInQueryRequest",
            "There must be at least one subscription that is eligible to contain resources. Given: "
            f"'{', '.join(sorted(wanted))}'.",
        )
    return found


def _readable(azure: Azure, call: Call, sub: Subscription) -> list[Resource]:
    oid, read = call.who.oid, "microsoft.resources/subscriptions/resources/read"
    if rbac.may(azure, oid, read, f"/subscriptions/{sub.id}"):
        return list(sub.resources.values())
    return [item for low, item in sub.resources.items() if rbac.may(azure, oid, read, low)]


def _row(azure: Azure, item: Resource) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name.rsplit("/", 1)[-1],
        "type": item.type.lower(),
        "kind": item.kind,
        "location": item.location,
        "resourceGroup": item.group.lower(),
        "subscriptionId": item.subscription,
        "tenantId": azure.subscriptions[item.subscription].tenant,
        "tags": item.tags,
        "sku": item.sku,
        "properties": item.properties,
    }


def _page(found: list[dict[str, Any]], options: dict[str, Any]) -> dict[str, Any]:
    try:
        size = min(MAX_PAGE, int(options.get("$top") or MAX_PAGE))
        start = int(options.get("$skip") or 0)
        if options.get("$skipToken"):
            start = int(json.loads(base64.b64decode(options["$skipToken"]))["start"])
    except (ValueError, TypeError, KeyError):
        raise _bad("InvalidSkipToken", "The options of the request are invalid.") from None
    rows = found[start : start + size]
    answer = {
        "totalRecords": len(found),
        "count": len(rows),
        "data": _data(rows, options),
        "facets": [],
        "resultTruncated": "false",
    }
    if start + size < len(found):
        answer["$skipToken"] = base64.b64encode(json.dumps({"start": start + size}).encode()).decode()
    return answer


def _data(rows: list[dict[str, Any]], options: dict[str, Any]) -> Any:
    if options.get("resultFormat") != "table":
        return rows
    columns = list(rows[0]) if rows else []
    return {
        "columns": [
            {"name": name, "type": "integer" if isinstance(rows[0][name], int) else "string"} for name in columns
        ],
        "rows": [list(row.values()) for row in rows],
    }


def _bad(code: str, message: str) -> Refusal:
    return nested(
        400,
        "BadRequest",
        "Please provide below info when asking for support: timestamp and correlationId.",
        details=[{"code": code, "message": message}],
    )
