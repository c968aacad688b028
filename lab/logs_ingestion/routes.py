# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs Ingestion over ARM, at its endpoint, and in the answers of queries.

Shapes: azure-rest-api-specs, operationalinsights 2022-10-01 (tables) and insights 2023-03-11 (dataCollectionRules), as
the facts have them; the endpoint as azure-monitor-ingestion 1.1 speaks it (2023-01-01). InvalidPayload and its details:
terraform-provider-azurerm#28709. OperationFailed with its flags, up to half an hour after the role was assigned:
azure-sdk-for-net#37173, azure-sdk-for-python#30168. Limits: 1 MB a call, 10 flows a rule (azure-guardrails#742).

Assumed: words of a missing rule or stream, of a column's type that changes and of a classic table; a table and a rule
are there at once; a name of a stream without a declaration is refused; a rule's endpoint stays as long as the rule.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from lab.azure import arm, flows, logs
from lab.azure.bodies import json_object
from lab.azure.diagnostics import check_version, exists, subscription_of, writable
from lab.azure.rbac import require, roles_at
from lab.azure.subscriptions import registered
from lab.entra import token_endpoint
from lab.entra.tokens import unauthorized
from lab.kernel.clock import stamp
from lab.kernel.http import Call, Handler, Refusal, Reply, nested, ok
from lab.kernel.registration import Operation
from lab.kernel.router import Table as Routes
from lab.logs_ingestion.state import LogsIngestion, Rule, Table
from lab.logs_ingestion.transform import Transform, TransformError

GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers"
TABLE = GROUP + "/Microsoft.OperationalInsights/workspaces/{workspace}/tables/{name}"
RULE = GROUP + "/Microsoft.Insights/dataCollectionRules/{name}"
STREAM = "/dataCollectionRules/{rule}/streams/{stream}"
TABLE_VERSIONS = frozenset({"2022-10-01", "2023-09-01", "2025-02-01"})
RULE_VERSIONS = frozenset({"2022-06-01", "2023-03-11", "2024-03-11"})
TYPES = frozenset({"string", "int", "long", "real", "boolean", "datetime", "guid", "dynamic"})
PUBLISHER = "Monitoring Metrics Publisher"
MOST_BYTES, MOST_FLOWS, MOST_FIELD = 2**20, 10, 64 * 1024
_QUERY = re.compile(r"/v1/.+/query")
_CUSTOM = re.compile(rb"\b\w+_CL\b")
_WHERE = re.compile(r"where\s+(\w+)\s*(==|!startswith)\s*'([^']*)'")


def enter(state: LogsIngestion, call: Call) -> None:
    call.scope = call.path
    arm.enter(state.azure, call)


# -- tables -----------------------------------------------------------------------------------------------------------


def _table(state: LogsIngestion, call: Call, verb: str) -> Table | None:
    check_version(call, TABLE_VERSIONS, "workspaces/tables", "Microsoft.OperationalInsights")
    require(state.azure, call.who, f"Microsoft.OperationalInsights/workspaces/tables/{verb}", call.path)
    workspace = call.path.rpartition("/tables/")[0]
    if state.azure.resource(workspace) is None:
        raise nested(404, "ParentResourceNotFound", f"The workspace '{workspace}' could not be found.")
    return state.tables.get(call.low)


def get_table(state: LogsIngestion, call: Call) -> Reply:
    found = _table(state, call, "read")
    if found is None:
        raise nested(404, "ResourceNotFound", f"Table {call.args['name']} was not found.")
    return ok(shown_table(found))


def put_table(state: LogsIngestion, call: Call) -> Reply:
    before, body = _table(state, call, "write"), json_object(call)
    schema = (body.get("properties") or {}).get("schema") or {}
    columns = {one["name"]: one["type"].lower() for one in schema.get("columns") or ()}
    if not call.args["name"].endswith("_CL") or schema.get("name") != call.args["name"]:
        raise nested(400, "InvalidParameter", "A custom table's name must end with '_CL' and equal its schema's.")
    if columns.get("TimeGenerated") != "datetime" or not set(columns.values()) <= TYPES:
        raise nested(400, "InvalidParameter", "The schema must have TimeGenerated, and types that exist.")
    for name, kind in before.columns.items() if before else ():
        if columns.get(name, kind) != kind:
            raise nested(400, "InvalidParameter", f"The type of column '{name}' cannot be changed.")
    made = before or Table(call.path, call.args["name"], {})
    made.columns, made.description = {**made.columns, **columns}, schema.get("description", made.description)
    state.put_table(made)
    return ok(shown_table(made))


def delete_table(state: LogsIngestion, call: Call) -> Reply:
    found = _table(state, call, "delete")
    if found is None:
        return Reply(204)
    state.drop_table(found)
    return Reply(200)


def shown_table(table: Table) -> dict[str, Any]:
    return {
        "id": table.id,
        "name": table.name,
        "properties": {
            "plan": "Analytics",
            "retentionInDays": 90,
            "provisioningState": "Succeeded",
            "schema": {
                "name": table.name,
                "tableType": "CustomLog",
                "tableSubType": "Classic" if table.classic else "DataCollectionRuleBased",
                "description": table.description,
                "columns": [{"name": name, "type": kind} for name, kind in table.columns.items()],
                "standardColumns": [{"name": "TenantId", "type": "guid"}],
            },
        },
    }


# -- rules ------------------------------------------------------------------------------------------------------------


def _rule(state: LogsIngestion, call: Call, verb: str) -> Rule | None:
    check_version(call, RULE_VERSIONS, "dataCollectionRules")
    require(state.azure, call.who, f"Microsoft.Insights/dataCollectionRules/{verb}", call.path)
    if verb != "read":
        writable(state.azure, call)
        registered(state.azure, call, "Microsoft.Insights")
    return state.rules.get(call.low)


def get_rule(state: LogsIngestion, call: Call) -> Reply:
    found = _rule(state, call, "read")
    if found is None:
        exists(state.azure, call)
        raise nested(404, "ResourceNotFound", f"The rule {call.args['name']} was not found.")
    return ok(shown_rule(state, found))


def put_rule(state: LogsIngestion, call: Call) -> Reply:
    before, body = _rule(state, call, "write"), json_object(call)
    if call.args["group"].lower() not in subscription_of(state.azure, call.path).groups:
        raise nested(404, "ResourceGroupNotFound", f"Resource group '{call.args['group']}' could not be found.")
    location = str(body.get("location") or "").replace(" ", "").lower()
    _checked(state, body.get("properties") or {}, location)
    if before is None:
        immutable = "dcr-" + state.lab.derive(call.low).hex()[:32]
        before = Rule(call.path, immutable, location, body, state.now(), endpoint=body.get("kind") == "Direct")
        state.rules[call.low] = before
        group = subscription_of(state.azure, call.path).groups[call.args["group"].lower()][0]
        state.azure.add_resource(
            call.args["subscription"].lower(), group, "Microsoft.Insights/dataCollectionRules", call.args["name"],
            location,
        )  # fmt: skip
    elif before.location != location:
        raise nested(409, "InvalidResourceLocation", f"The rule is in '{before.location}' and stays there.")
    before.body = body
    return ok(shown_rule(state, before))


def delete_rule(state: LogsIngestion, call: Call) -> Reply:
    if _rule(state, call, "delete") is None:
        return Reply(204)
    del state.rules[call.low]
    subscription_of(state.azure, call.path).resources.pop(call.low, None)
    return Reply(200)


def shown_rule(state: LogsIngestion, rule: Rule) -> dict[str, Any]:
    given = rule.body.get("properties") or {}
    ends = {"endpoints": {"logsIngestion": state.url, "metricsIngestion": state.url}} if rule.endpoint else {}
    return {
        "id": rule.id,
        "name": rule.id.rpartition("/")[2],
        "type": "Microsoft.Insights/dataCollectionRules",
        "location": rule.location,
        "kind": rule.body.get("kind"),
        "tags": rule.body.get("tags") or {},
        "properties": {**given, "immutableId": rule.immutable, "provisioningState": "Succeeded", **ends},
        "systemData": {"createdAt": stamp(state.shown(rule.made))},
    }


def _checked(state: LogsIngestion, given: dict[str, Any], location: str) -> None:
    """What Azure refuses of a rule, all of it as details of one error."""
    details: list[tuple[str, str]] = []
    streams, ways = given.get("streamDeclarations") or {}, given.get("dataFlows") or []
    homes = {
        one["name"]: one["workspaceResourceId"] for one in (given.get("destinations") or {}).get("logAnalytics") or ()
    }
    if not ways or max(len(ways), len(streams)) > MOST_FLOWS:
        details.append(("InvalidDataFlow", f"A rule has 1 to {MOST_FLOWS} data flows."))
    for home in homes.values():
        workspace = state.azure.resource(home)
        if workspace is None or workspace.location != location:
            details.append(("InvalidDestination", f"Workspace '{home}' does not exist in location '{location}'."))
    for way in ways:
        for stream in way["streams"]:
            details += _flow(state, way, stream, streams, homes)
    if details:
        raise nested(400, "InvalidPayload", "Data collection rule is invalid",
                     details=[{"code": code, "message": message} for code, message in details])  # fmt: skip


def _flow(
    state: LogsIngestion, way: dict[str, Any], stream: str, streams: dict[str, Any], homes: dict[str, str]
) -> list[tuple[str, str]]:
    if stream not in streams:
        return [("InvalidStream", f"Stream '{stream}' is not declared.")]
    output = str(way.get("outputStream") or stream)
    table = state.table(homes.get(way["destinations"][0], ""), output.removeprefix("Custom-"))
    if table is None:
        return [("InvalidOutputTable", f"Table for output stream '{output}' is not available for destination "
                 f"'{way['destinations'][0]}'.")]  # fmt: skip
    try:
        made = _transform(way, streams[stream]).columns
    except TransformError as error:
        return [("InvalidTransformQuery", str(error))]
    wrong = [
        f"{name} [produced:'{kind}', output:'{table.columns[name]}']"
        for name, kind in made.items()
        if table.columns.get(name, kind) != kind
    ]
    if wrong:
        return [("InvalidTransformOutput", "Types of transform output columns do not match the ones defined by the "
                 f"output stream: {', '.join(wrong)}")]  # fmt: skip
    if made.get("TimeGenerated") != "datetime":
        return [("InvalidTransformOutput", "The transform output has no column TimeGenerated of type datetime.")]
    return []


def _transform(way: dict[str, Any], declared: dict[str, Any]) -> Transform:
    return Transform(way.get("transformKql") or "source", {one["name"]: one["type"] for one in declared["columns"]})


# -- the endpoint -----------------------------------------------------------------------------------------------------


def enter_endpoint(state: LogsIngestion, call: Call) -> None:
    if state.azure.assignments.waiting:
        state.azure.assignments.settle()
    who = state.azure.entra.tokens.check(call.headers.get("Authorization", ""))
    if who.audience.rstrip("/") not in token_endpoint.INGESTION_AUDIENCES:
        raise unauthorized(state.lab, "InvalidAudience", "The audience of the token is not the ingestion service's.")
    call.principal = who


def ingest(state: LogsIngestion, call: Call) -> Reply:
    rule = state.rule(call.args["rule"])
    if rule is None or not rule.endpoint:
        raise nested(404, "NotFound", f"Data collection rule with immutable Id '{call.args['rule']}' not found.")
    if PUBLISHER not in roles_at(state.azure, call.who.oid, rule.id):
        raise _no_access(rule)
    given = rule.body["properties"]
    stream = call.args["stream"]
    way = next((one for one in given["dataFlows"] if stream in one["streams"]), None)
    if way is None:
        raise nested(404, "NotFound", f"Stream '{stream}' not found in the data collection rule.")
    (home,) = given["destinations"]["logAnalytics"]
    table = state.table(home["workspaceResourceId"], str(way.get("outputStream")).removeprefix("Custom-"))
    transform, now = _transform(way, given["streamDeclarations"][stream]), state.now()
    for record in _records(call):
        row = transform.run(record, state.shown(now))
        if table is not None:  # what has no table is taken and dropped
            kept = {name: _cut(row[name]) for name in table.columns if name in row}
            state.add(table, kept, datetime.fromisoformat(kept["TimeGenerated"]).timestamp() + state.lab.clock.offset)
    return Reply(204)


def _records(call: Call) -> list[dict[str, Any]]:
    if len(call.body) > MOST_BYTES:  # the server has unpacked it
        raise nested(413, "ContentLengthLimitExceeded", "Maximum allowed content length: 1048576 bytes.")
    try:
        found = json.loads(call.body)
    except ValueError:
        raise nested(400, "InvalidRequest", "The body is no JSON.") from None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise nested(400, "InvalidRequest", "The body must be an array of objects.")
    return found


def _cut(value: Any) -> Any:
    return value[:MOST_FIELD] if isinstance(value, str) else value


def _no_access(rule: Rule) -> Refusal:
    text = (
        f"The authentication token provided does not have access to ingest data for the data collection rule with "
        f"immutable Id '{rule.immutable}' PipelineAccessResult: AccessGranted: False, IsRbacPresent: False, "
        "IsDcrDceBindingValid: True, DcrArmId: " + rule.id
    )
    return nested(403, "OperationFailed", text)


# -- queries of custom tables -----------------------------------------------------------------------------------------


def query(state: LogsIngestion, call: Call) -> Reply:
    """A query of one custom table, over the rows that are there."""
    workspace = logs.allowed(state.azure, call)
    asked, (start, end) = logs.wanted(state.azure, call, workspace)
    (name,) = asked.tables
    table = state.table(workspace.id, name)
    kept = _WHERE.findall(str(json_object(call)["query"]))
    found = [
        flows.Flow(call.args.get("subscription", ""), "", "", row.at, row.at)
        for row in (table.rows if table else ())
        if start <= row.at <= end and row.seen <= state.now() and all(_keeps(row.values, *one) for one in kept)
    ]
    return logs.answer(state.azure, call, asked, found, end)


def _keeps(values: dict[str, Any], name: str, operator: str, text: str) -> bool:
    value = str(values.get(name) or "")
    return value == text if operator == "==" else not value.lower().startswith(text.lower())


def _arm(kind: str, handler: Handler) -> Operation:
    return Operation(kind, handler, enter)


_QUERIES = Operation("logs.query", query, lambda state, call: logs.enter(state.azure, call))
_ROUTES = Routes(
    {
        ("GET", TABLE): _arm("custom_tables.get", get_table),
        ("PUT", TABLE): _arm("custom_tables.put", put_table),
        ("DELETE", TABLE): _arm("custom_tables.delete", delete_table),
        ("GET", RULE): _arm("data_collection_rules.get", get_rule),
        ("PUT", RULE): _arm("data_collection_rules.put", put_rule),
        ("DELETE", RULE): _arm("data_collection_rules.delete", delete_rule),
        ("POST", STREAM): Operation("logs_ingestion.send", ingest, enter_endpoint),
    }
)
OPERATIONS = _ROUTES.operations


def find(call: Call) -> Operation | None:
    if call.method == "POST" and _QUERY.fullmatch(call.low) and _CUSTOM.search(call.body):
        return _QUERIES
    return _ROUTES.find(call)
