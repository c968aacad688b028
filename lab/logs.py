# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Log Analytics query API: POST /v1/workspaces/{customerId}/query and POST /v1/{workspace id}/query.

Request, answer and errors as azure-monitor-query has them. The query language is not emulated: the one thing read from
the text is the list in `_SubscriptionId in~ ('id', ...)`, and the answer always has the columns SubscriptionId,
ResourceType, Newest, Ingested and Records, a row for each pair that has records in the timespan. A query without that
list is refused as one the lab does not understand.
"""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import TYPE_CHECKING

from lab import flows, rbac
from lab.wire import Call, Refusal, Reply, json_object, nested, ok
from lab.world import Resource, stamp

if TYPE_CHECKING:
    from lab.app import Lab

_LIST = re.compile(r"_SubscriptionId\s+in~?\s*\(([^)]*)\)", re.IGNORECASE)
_COLUMNS = (
    ("SubscriptionId", "string"),
    ("ResourceType", "string"),
    ("Newest", "datetime"),
    ("Ingested", "datetime"),
    ("Records", "long"),
)
_DAY = 86400.0


def query(lab: Lab, call: Call) -> Reply:
    workspace = _workspace(lab, call)
    action = "Microsoft.OperationalInsights/workspaces/query/read"
    if not rbac.may(lab.world, call.who.oid, action, workspace.id):
        raise nested(
            403,
            "InsufficientAccessError",
            "The provided credentials have insufficient access to perform the requested operation",
        )
    body = json_object(call)
    text = str(body.get("query") or "")
    listed = _LIST.search(text)
    if listed is None:
        raise _bad("SYN0002", "The lab answers only queries that say _SubscriptionId in~ ('id', ...).")
    wanted = {item.strip(" '\"\n").lower() for item in listed[1].split(",")}
    start, end = _window(lab, body.get("timespan"))
    found = flows.flows(lab.world, workspace.id, wanted, start, end)
    shown = lab.world.shown
    rows = [
        [held, type_, stamp(shown(flow.newest)), stamp(shown(flow.newest + flows.INGESTION)), flow.records]
        for (held, type_), flow in sorted(found.items())
    ]
    columns = [{"name": name, "type": type_} for name, type_ in _COLUMNS]
    return ok({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]})


def _workspace(lab: Lab, call: Call) -> Resource:
    """By customerId, or by resource id."""
    name = call.low.removeprefix("/v1").removesuffix("/query")
    found = lab.world.resource(name) if name.startswith("/subscriptions/") else None
    if found is None:
        customer = name.removeprefix("/workspaces/")
        found = next((item for item in _workspaces(lab) if item.properties.get("customerId") == customer), None)
    if found is None:
        raise nested(404, "WorkspaceNotFoundError", f"The workspace '{name}' could not be found")
    return found


def _workspaces(lab: Lab) -> list[Resource]:
    return [
        item
        for sub in lab.world.subscriptions.values()
        for item in sub.resources.values()
        if item.type.lower() == "microsoft.operationalinsights/workspaces"
    ]


def _window(lab: Lab, timespan: object) -> tuple[float, float]:
    """Start and end in world seconds; a day when not given."""
    now = lab.world.now()
    if not timespan:
        return now - _DAY, now
    first, slash, second = str(timespan).partition("/")
    try:
        if not slash:
            return now - flows.seconds(first), now
        start = datetime.fromisoformat(first).timestamp()
        end = start + flows.seconds(second) if second.startswith("P") else datetime.fromisoformat(second).timestamp()
    except ValueError:
        raise _bad("BadArgumentError", f"The timespan '{timespan}' is invalid.") from None
    return start + lab.world.offset, min(end, time.time()) + lab.world.offset


def _bad(code: str, message: str) -> Refusal:
    return nested(
        400,
        "BadArgumentError",
        "The request had some invalid properties",
        innererror={"code": code, "message": message},
    )
