# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Log Analytics query API: POST /v1/workspaces/{customerId}/query and POST /v1/{workspace id}/query.

Request, answer and errors as azure-monitor-query has them. The query language is not emulated: read from the text are
the tables that it asks (by name, or all by `union *`) and the list in `_SubscriptionId in~ ('id', ...)`, and the answer
always has the columns SubscriptionId, ResourceType, Newest, Ingested and Records, a row for each pair that has records
in the timespan. A query without that list is refused as one the lab does not understand.

What Azure refuses of tables is refused: a table that is not there, a Basic or Auxiliary one beside others
(Azure-Sentinel issue 12172), and `withsource` by the name of a column that a table has
(Application-Insights-Workbooks issue 962).
"""

from __future__ import annotations

import re
import time
from datetime import datetime

from lab.azure import flows, rbac
from lab.azure.bodies import json_object
from lab.azure.model import Resource
from lab.azure.state import Azure, Table
from lab.entra import token_endpoint
from lab.kernel.clock import stamp
from lab.kernel.http import Call, Handler, Refusal, Reply, nested, ok

_LIST = re.compile(r"_SubscriptionId\s+in~?\s*\(([^)]*)\)", re.IGNORECASE)
_UNION = re.compile(r"\s*union\s+(?:isfuzzy\s*=\s*true\s+)?(?:withsource\s*=\s*(\w+)\s+)?([^|]+)\|", re.IGNORECASE)
_ALONE = re.compile(r"\s*(\w+)\s*\|")
_COLUMNS = (
    ("SubscriptionId", "string"),
    ("ResourceType", "string"),
    ("Newest", "datetime"),
    ("Ingested", "datetime"),
    ("Records", "long"),
)
_DAY = 86400.0


def enter(azure: Azure, call: Call) -> None:
    """The token of a call to the Log Analytics API."""
    if azure.assignments.waiting:
        azure.assignments.settle()
    who = azure.entra.tokens.check(call.headers.get("Authorization", ""))
    if who.audience not in token_endpoint.LOGS_AUDIENCES and who.audience not in azure.lab.origins:
        raise nested(403, "InvalidTokenError", "The provided authentication token has a wrong audience.")
    call.principal = who


def query(azure: Azure, call: Call) -> Reply:
    workspace = _workspace(azure, call)
    action = "Microsoft.OperationalInsights/workspaces/query/read"
    if not rbac.may(azure, call.who.oid, action, workspace.id):
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
    start, end = _window(azure, body.get("timespan"))
    asked = _asked(text, azure.tables_of(workspace.id))
    found = flows.flows(azure, workspace.id, wanted, start, end, asked)
    shown = azure.shown
    rows = [
        [held, type_, stamp(shown(flow.newest)), stamp(shown(flow.newest + flows.INGESTION)), flow.records]
        for (held, type_), flow in sorted(found.items())
    ]
    columns = [{"name": name, "type": type_} for name, type_ in _COLUMNS]
    return ok({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]})


def _asked(text: str, there: dict[str, Table]) -> set[str]:
    """The tables that a query asks. Raises Refusal where Azure would."""
    union, alone = _UNION.match(text), _ALONE.match(text)
    source, listed = (union[1] or "", union[2]) if union else ("", alone[1] if alone else "")
    names = {name.strip() for name in listed.split(",")}
    asked = set(there) if names == {"*"} else names
    for name in sorted(asked - there.keys()):
        raise _bad("SEM0100", f"'union' operator: Failed to resolve table expression named '{name}'")
    if len(asked) > 1 and any(there[name].plan != "Analytics" for name in asked):
        raise _bad("BadArgumentError", "The query should contain a single Basic or Auxiliary Logs table. "
                   "The query should contain up to five Analytics Logs tables.")  # fmt: skip
    if source and any(source in there[name].columns for name in asked):
        raise _bad("SEM0100", f"'union' operator: column named '{source}' already exists")
    return asked


def tables(azure: Azure, call: Call) -> Reply:
    """GET of a workspace's tables. assumed: nothing but the name and the plan counts."""
    id_ = call.path.rpartition("/")[0]
    rbac.require(azure, call.who, "Microsoft.OperationalInsights/workspaces/tables/read", id_)
    workspace = azure.resource(id_)
    if workspace is None:
        raise nested(404, "ResourceNotFound", f"The Resource '{id_}' was not found.")
    held = azure.tables_of(workspace.id).items()
    return ok({"value": [{"name": name, "properties": {"plan": table.plan}} for name, table in held]})


ROUTES: dict[str, dict[str, tuple[str, Handler]]] = {
    "microsoft.operationalinsights/workspaces/*/tables": {"GET": ("workspace_tables.list", tables)},
}


def _workspace(azure: Azure, call: Call) -> Resource:
    """By customerId, or by resource id."""
    name = call.low.removeprefix("/v1").removesuffix("/query")
    found = azure.resource(name) if name.startswith("/subscriptions/") else None
    if found is None:
        customer = name.removeprefix("/workspaces/")
        found = next((item for item in _workspaces(azure) if item.properties.get("customerId") == customer), None)
    if found is None:
        raise nested(404, "WorkspaceNotFoundError", f"The workspace '{name}' could not be found")
    return found


def _workspaces(azure: Azure) -> list[Resource]:
    return [
        item
        for sub in azure.subscriptions.values()
        for item in sub.resources.values()
        if item.type.lower() == "microsoft.operationalinsights/workspaces"
    ]


def _window(azure: Azure, timespan: object) -> tuple[float, float]:
    """Start and end in world seconds; a day when not given."""
    now = azure.now()
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
    return start + azure.lab.clock.offset, min(end, time.time()) + azure.lab.clock.offset


def _bad(code: str, message: str) -> Refusal:
    return nested(
        400,
        "BadArgumentError",
        "The request had some invalid properties",
        innererror={"code": code, "message": message},
    )
