# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Log Analytics query API: POST /v1/workspaces/{customerId}/query and POST /v1/{workspace id}/query.

Request, answer and errors as azure-monitor-query has them. What the lab reads of the language is in log_query.py; the
answer has a row for each subscription, type and resource (as far as the query is summarized by them) that has records
in the timespan. Of the columns the lab knows those in `_FIGURES`; a query with others is refused.

What Azure refuses of tables is refused: a table that is not there, a Basic or Auxiliary one beside others
(Azure-Sentinel issue 12172), and `withsource` by the name of a column that a table has
(Application-Insights-Workbooks issue 962).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from lab.azure import flows, log_query, rbac
from lab.azure.bodies import json_object
from lab.azure.log_query import Asked
from lab.azure.model import Resource
from lab.azure.state import Azure, Table
from lab.entra import token_endpoint
from lab.kernel.clock import stamp
from lab.kernel.http import Call, Handler, Refusal, Reply, nested, ok

_AGO = r"ago \( (\w+) \)"
_COUNTED = re.compile(rf"countif \( TimeGenerated (?:> {_AGO}|between \( {_AGO} \.\. {_AGO} \)) \)")
_FIGURES: dict[str, tuple[str, Callable[[list[flows.Flow]], float]]] = {
    "max ( TimeGenerated )": ("datetime", lambda found: max(flow.newest for flow in found)),
    "max ( ingestion_time ( ) )": ("datetime", lambda found: max(flow.newest for flow in found) + flows.INGESTION),
    "count ( )": ("long", lambda found: sum(flow.records for flow in found)),
}
_KEYS = ("SubscriptionId", "ResourceType", "Resource")
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
    workspace = allowed(azure, call)
    asked, (start, end) = wanted(azure, call, workspace)
    return answer(
        azure, call, asked, flows.flows(azure, workspace.id, asked.subscriptions, start, end, asked.tables), end
    )


def allowed(azure: Azure, call: Call) -> Resource:
    """The workspace, of whom may query it."""
    workspace = _workspace(azure, call)
    action = "Microsoft.OperationalInsights/workspaces/query/read"
    if not rbac.may(azure, call.who.oid, action, workspace.id):
        raise nested(
            403,
            "InsufficientAccessError",
            "The provided credentials have insufficient access to perform the requested operation",
        )
    return workspace


def wanted(azure: Azure, call: Call, workspace: Resource) -> tuple[Asked, tuple[float, float]]:
    """What is asked, and of which time in world seconds."""
    body = json_object(call)
    asked = _asked(str(body.get("query") or ""), azure.tables_of(workspace.id))
    start, end = _window(azure, body.get("timespan"))
    return asked, (start if asked.since is None else max(start, end - asked.since), end)


def answer(azure: Azure, call: Call, asked: Asked, records: list[flows.Flow], end: float) -> Reply:
    """The answer by the records that were found; without a key there is a row of nothing, too."""
    grouped: dict[tuple[str, ...], list[flows.Flow]] = {} if asked.keys else {(): []}
    for flow in records:
        key = dict(zip(_KEYS, (flow.subscription, flow.type, flow.resource), strict=True))
        grouped.setdefault(tuple(key[name] for name in asked.keys), []).append(flow)
    figures = {name: _figure(text, end) for name, text in asked.columns.items()}
    rows = [
        [*key, *(_shown(azure, kind, value(found) if found else None) for kind, value in figures.values())]
        for key, found in sorted(grouped.items())
    ]
    columns = [{"name": name, "type": "string"} for name in asked.keys]
    columns += [{"name": name, "type": kind} for name, (kind, _value) in figures.items()]
    told: dict[str, Any] = {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]}
    if "include-statistics=true" in call.headers.get("Prefer", ""):
        scanned = sum(flow.records for found in grouped.values() for flow in found)
        told["statistics"] = {
            "query": {"executionTime": 0.25, "inputDatasetStatistics": {"rows": {"total": scanned, "scanned": scanned}}}
        }
    return ok(told)


def _shown(azure: Azure, kind: str, value: float | None) -> str | int | None:
    if kind == "datetime":
        return None if value is None else stamp(azure.shown(value))
    return int(value or 0)


def _figure(text: str, now: float) -> tuple[str, Callable[[list[flows.Flow]], float]]:
    """(type, how it is counted) of a column. Raises Refusal for one that the lab does not know."""
    if text in _FIGURES:
        return _FIGURES[text]
    match = _COUNTED.fullmatch(text)
    if match is None:
        raise _bad("LAB", f"The lab does not answer the column {text}")
    first, last = match[1] or match[2], match[3]
    start, end = now - log_query.seconds(first), now - log_query.seconds(last) if last else now
    return "long", lambda found: sum(flow.between(start, end) for flow in found)


def _asked(text: str, there: dict[str, Table]) -> Asked:
    """What a query asks. Raises Refusal where Azure would."""
    try:
        asked = log_query.parse(text, {name: table.columns for name, table in there.items()})
    except log_query.QueryError as error:
        raise _bad(error.code, str(error)) from error
    if len(asked.tables) > 1 and any(there[name].plan != "Analytics" for name in asked.tables):
        raise _bad("BadArgumentError", "The query should contain a single Basic or Auxiliary Logs table. "
                   "The query should contain up to five Analytics Logs tables.")  # fmt: skip
    if not set(asked.keys) <= set(_KEYS) or not asked.columns:
        raise _bad("LAB", f"The lab answers only queries that are summarized by some of {', '.join(_KEYS)}.")
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
