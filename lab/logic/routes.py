# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logic Apps over ARM, and the request by which a workflow begins.

Shapes: azure-rest-api-specs, logic 2019-05-01, as azure-mgmt-logic 10 reads them; the URL's query (api-version, sp, sv,
sig, and se where it ends): learn.microsoft.com, logic-apps-securing-a-logic-app. Callers that are not allowed are
refused, and so is a wrong or ended signature.

Assumed: codes and words of both refusals; that a request is answered by 202 at once; of a workflow the lab runs one
HTTP action that proves itself by the managed identity, with the expressions that take a field of the trigger's body; a
SecureString is not shown; of connections (Microsoft.Web, 2016-06-01) all that is written is shown, and none is used.
"""

from __future__ import annotations

import ipaddress
import json
import re
import uuid
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from lab.azure import arm
from lab.azure.bodies import json_object
from lab.azure.diagnostics import check_version, subscription_of, writable
from lab.azure.rbac import require
from lab.azure.subscriptions import registered
from lab.kernel.clock import stamp
from lab.kernel.http import Call, Handler, Principal, Refusal, Reply, nested, ok
from lab.kernel.registration import Operation
from lab.kernel.router import Table
from lab.logic.state import Logic, Run, Workflow
from lab.logs_ingestion import routes as ingestion

GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Logic/workflows"
ONE = GROUP + "/{name}"
CONNECTION = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Web/connections/{name}"
INVOKE = "/workflows/{short}/triggers/manual/paths/invoke"
VERSIONS = frozenset({"2016-06-01", "2019-05-01"})
RUN = "/triggers/manual/run"
HERE = "127.0.0.1"
_FIELD = re.compile(r"@(string\()?triggerBody\(\)\?\['(\w+)'\]\)?")


def enter(state: Logic, call: Call) -> None:
    call.scope = call.path
    arm.enter(state.azure, call)


def _of(call: Call) -> str:
    """The id of the workflow that a path lies in."""
    return "/".join(call.path.split("/")[:9])


def _enter(state: Logic, call: Call, verb: str) -> Workflow | None:
    check_version(call, VERSIONS, "workflows", "Microsoft.Logic")
    require(state.azure, call.who, f"Microsoft.Logic/workflows/{verb}", _of(call))
    if verb in ("write", "delete"):
        writable(state.azure, call)
        registered(state.azure, call, "Microsoft.Logic")
    return state.workflows.get(_of(call).lower())


def _there(state: Logic, call: Call, verb: str) -> Workflow:
    found = _enter(state, call, verb)
    if found is None:
        raise nested(404, "ResourceNotFound", f"The Resource 'Microsoft.Logic/workflows/{call.args['name']}' under "
                     f"resource group '{call.args['group']}' was not found.")  # fmt: skip
    return found


def listing(state: Logic, call: Call) -> Reply:
    check_version(call, VERSIONS, "workflows", "Microsoft.Logic")
    require(state.azure, call.who, "Microsoft.Logic/workflows/read", call.low.partition("/providers/")[0])
    found = [shown(one) for key, one in state.workflows.items() if key.startswith(call.low + "/")]
    return arm.page(state.azure, call, found)


def get(state: Logic, call: Call) -> Reply:
    return ok(shown(_there(state, call, "read")))


def put(state: Logic, call: Call) -> Reply:
    before, body = _enter(state, call, "write"), json_object(call)
    sub = subscription_of(state.azure, call.path)
    if call.args["group"].lower() not in sub.groups:
        raise nested(404, "ResourceGroupNotFound", f"Resource group '{call.args['group']}' could not be found.")
    if not (body.get("properties") or {}).get("definition"):
        raise nested(400, "InvalidRequestContent", "The request content is not valid: definition is missing.")
    made = before or Workflow(call.path, str(body.get("location")), body, state.lab.derive(call.low).hex()[:32])
    made.body = body
    if (body.get("identity") or {}).get("type") == "SystemAssigned" and not made.principal:
        made.app = str(uuid.uuid5(uuid.NAMESPACE_URL, call.low))
        made.principal = state.azure.entra.directory.add(sub.tenant, made.app, call.args["name"], sub.tenant).oid
    if before is None:
        state.workflows[call.low] = made
        state.azure.add_resource(sub.id, sub.groups[call.args["group"].lower()][0], "Microsoft.Logic/workflows",
                                 call.args["name"], made.location)  # fmt: skip
    return ok(shown(made), 200 if before else 201)


def delete(state: Logic, call: Call) -> Reply:
    found = _enter(state, call, "delete")
    if found is None:
        return Reply(204)
    del state.workflows[call.low]
    subscription_of(state.azure, call.path).resources.pop(call.low, None)
    return Reply(200)


def shown(workflow: Workflow) -> dict[str, Any]:
    given = dict(workflow.body.get("properties") or {})
    secret = [name for name, one in ((given.get("definition") or {}).get("parameters") or {}).items()
              if str(one.get("type")).lower() == "securestring"]  # fmt: skip
    if "parameters" in given:
        given["parameters"] = {name: one for name, one in given["parameters"].items() if name not in secret}
    identity = {"type": "SystemAssigned", "principalId": workflow.principal} if workflow.principal else {"type": "None"}
    return {
        "id": workflow.id,
        "name": workflow.id.rpartition("/")[2],
        "type": "Microsoft.Logic/workflows",
        "location": workflow.location,
        "tags": workflow.body.get("tags") or {},
        "identity": identity,
        "properties": {"provisioningState": "Succeeded", "state": "Enabled", "parameters": {}, **given},
    }


def callback(state: Logic, call: Call) -> Reply:
    """POST …/triggers/manual/listCallbackUrl {keyType, notAfter}."""
    found = _there(state, call, "triggers/listCallbackUrl/action")
    asked = json_object(call) if call.body else {}
    ends = str(asked.get("notAfter") or "")
    queries = {"api-version": "2016-10-01", **({"se": ends} if ends else {}), "sp": RUN, "sv": "1.0"}
    queries["sig"] = state.signature(found, str(asked.get("keyType") or "Primary"), ends)
    base = state.url + INVOKE.replace("{short}", found.short)
    value = f"{base}?" + "&".join(f"{key}={quote(value, safe='')}" for key, value in queries.items())
    return ok({"value": value, "method": "POST", "basePath": base, "queries": queries})


def rotate(state: Logic, call: Call) -> Reply:
    found = _there(state, call, "regenerateAccessKey/action")
    found.keys[str(json_object(call)["keyType"])] += 1
    return Reply(200)


def runs(state: Logic, call: Call) -> Reply:
    found = _there(state, call, "runs/read")
    listed = [
        {"name": one.name, "properties": {"startTime": stamp(state.shown(one.started)), "status": one.status,
                                          "code": one.code or None}}
        for one in found.runs
    ]  # fmt: skip
    return arm.page(state.azure, call, listed)


# -- what begins it ---------------------------------------------------------------------------------------------------


async def invoke(state: Logic, call: Call) -> Reply:
    found = next((one for one in state.workflows.values() if one.short == call.args["short"]), None)
    if found is None:
        raise nested(404, "WorkflowNotFound", "The workflow could not be found.")
    properties, query = found.body["properties"], call.query
    allowed = ((properties.get("accessControl") or {}).get("triggers") or {}).get("allowedCallerIpAddresses")
    if allowed is not None and not any(
        ipaddress.ip_address(HERE) in ipaddress.ip_network(one["addressRange"]) for one in allowed
    ):
        raise nested(403, "AuthorizationFailed", f"The caller IP address '{HERE}' is not allowed by the access policy.")
    ends = query.get("se", "")
    right = [state.signature(found, which, ends) for which in found.keys]
    if query.get("sig", "") not in right or (ends and datetime.fromisoformat(ends).timestamp() < state.now()):
        raise nested(401, "DirectApiAuthorizationRequired", "The request must be authenticated by a shared access "
                     "signature that is valid.")  # fmt: skip
    if properties.get("state", "Enabled") != "Enabled":
        raise nested(400, "WorkflowTriggerIsNotEnabled", "The workflow is not enabled.")
    run = Run(str(uuid.uuid4()), state.now(), "Succeeded")
    found.runs.insert(0, run)
    try:
        _send(state, found, json.loads(call.body or b"{}"))
    except Refusal as refusal:
        run.status, run.code = "Failed", json.loads(refusal.reply.body)["error"]["code"]
    return Reply(202)


def _send(state: Logic, workflow: Workflow, body: Any) -> None:
    """The one HTTP action. Raises Refusal."""
    (action,) = workflow.body["properties"]["definition"]["actions"].values()
    inputs = action["inputs"]
    if inputs.get("authentication", {}).get("type") != "ManagedServiceIdentity" or not workflow.principal:
        raise nested(401, "Unauthorized", "The lab runs actions that prove themselves by the managed identity.")
    parts = urlsplit(inputs["uri"])
    sub = subscription_of(state.azure, workflow.id)
    who = Principal(sub.tenant, workflow.principal, workflow.app, inputs["authentication"]["audience"], 2**40)
    sent = json.dumps(_resolved(inputs["body"], body)).encode()
    call = Call("POST", parts.path, parts.path.lower(), parts.query, {}, sent, principal=who)
    operation = ingestion.find(call)
    if operation is None or f"{parts.scheme}://{parts.netloc}" != state.url:
        raise nested(404, "NotFound", f"Nothing answers at {inputs['uri']}.")
    if state.azure.assignments.waiting:
        state.azure.assignments.settle()
    operation.handler(state.ingestion, call)


def _resolved(value: Any, body: Any) -> Any:
    if isinstance(value, dict):
        return {key: _resolved(one, body) for key, one in value.items()}
    if isinstance(value, list):
        return [_resolved(one, body) for one in value]
    match = _FIELD.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    found = body.get(match[2]) if isinstance(body, dict) else None
    return json.dumps(found) if match[1] and not isinstance(found, str) else found


# -- connections, by which a workflow reaches a service of Microsoft's -------------------------------------------------


def connection(state: Logic, call: Call) -> Reply:
    """GET, PUT and DELETE of one. Nothing goes over it here."""
    verb = {"GET": "read", "PUT": "write", "DELETE": "delete"}[call.method]
    require(state.azure, call.who, f"Microsoft.Web/connections/{verb}", call.path)
    before = state.connections.get(call.low)
    if call.method == "DELETE":
        return Reply(200 if state.connections.pop(call.low, None) else 204)
    if call.method == "PUT":
        head = {"id": call.path, "name": call.args["name"], "type": "Microsoft.Web/connections"}
        state.connections[call.low] = {**json_object(call), **head}
    elif before is None:
        raise nested(404, "ResourceNotFound", f"The Resource 'Microsoft.Web/connections/{call.args['name']}' under "
                     f"resource group '{call.args['group']}' was not found.")  # fmt: skip
    return ok(state.connections[call.low])


def _arm(kind: str, handler: Handler) -> Operation:
    return Operation(kind, handler, enter)


ROUTES = Table(
    {
        ("GET", GROUP): _arm("workflows.list", listing),
        ("GET", ONE): _arm("workflows.get", get),
        ("PUT", ONE): _arm("workflows.put", put),
        ("DELETE", ONE): _arm("workflows.delete", delete),
        ("POST", ONE + "/triggers/manual/listCallbackUrl"): _arm("workflows.callback", callback),
        ("POST", ONE + "/regenerateAccessKey"): _arm("workflows.rotate", rotate),
        ("GET", CONNECTION): _arm("connections.get", connection),
        ("PUT", CONNECTION): _arm("connections.put", connection),
        ("DELETE", CONNECTION): _arm("connections.delete", connection),
        ("GET", ONE + "/runs"): _arm("workflows.runs", runs),
        ("POST", INVOKE): Operation("workflows.invoke", invoke),
    }
)
