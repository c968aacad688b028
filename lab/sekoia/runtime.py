# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs a playbook: Alert Created, Get Alert, Request URL and Comment Alert, with templates, for real.

Source: manifests and http_module/action_request.py of SEKOIA-IO/automation-library; templates keep the type of a value
that is one template alone (public notes). Not as there: Request URL is tried once and not five times, to loopback only.
Assumed: the error branch, that five failed runs in a row switch a playbook off, words of errors.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from jinja2 import ChainableUndefined
from jinja2.exceptions import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from lab.kernel.sender import Outgoing
from lab.sekoia.state import DISABLED, ENABLED, SEKOIA_MODULE, Playbook, Run, Sekoia, new_uuid

ALERT_CREATED = "785583cf-4377-43ce-a5fb-f4572eb57456"
GET_ALERT = "8d189665-5401-4098-8d60-944de9a6199a"
REQUEST_URL = "40bcf3c0-aa8b-4111-9b4e-f3caffccb4e5"
COMMENT_ALERT = "0d323de3-a864-4afe-a0c3-e7ff45883d7a"
ERRORS_OFF = 5
PATIENCE = 10.0
ALONE = re.compile(r"\{\{((?:(?!\{\{|\}\}).)*)\}\}", re.DOTALL)
_ENVIRONMENT = SandboxedEnvironment(undefined=ChainableUndefined)


class NodeError(Exception):
    """A block has failed."""


def rendered(value: Any, results: dict[int, Any]) -> Any:
    """A value with its templates filled in, by what the nodes before have given."""
    if isinstance(value, dict):
        return {name: rendered(one, results) for name, one in value.items()}
    if isinstance(value, list):
        return [rendered(one, results) for one in value]
    if not isinstance(value, str):
        return value
    try:
        if alone := ALONE.fullmatch(value.strip()):
            return _ENVIRONMENT.compile_expression(alone[1].strip())(node=results)
        return _ENVIRONMENT.from_string(value).render(node=results)
    except TemplateError as error:
        raise NodeError(f"template: {error}") from error


async def alert_created(sekoia: Sekoia, community: str, event: dict[str, Any]) -> list[Run]:
    """Start each playbook that is on, is wired at both places, and whose filters take the alert."""
    return [
        await start(sekoia, one, event)
        for one in list(sekoia.playbooks.values())
        if _takes(sekoia, one, community, event)
    ]


def _takes(sekoia: Sekoia, one: Playbook, community: str, event: dict[str, Any]) -> bool:
    trigger = sekoia.triggers.get(wired(one))
    if one.status != ENABLED or one.community != community or trigger is None:
        return False
    names, rule = trigger.value.get("rule_names_filter"), event.get("rule", {})
    one_rule = trigger.value.get("rule_filter")
    return (not names or rule.get("name") in names) and (
        not one_rule or one_rule in (rule.get("name"), rule.get("uuid"))
    )


def wired(one: Playbook) -> str:
    """The trigger configuration that the node and the playbook both name, '' for none."""
    named = {str(item.get("uuid")) for item in one.configurations if item.get("trigger_uuid") == ALERT_CREATED}
    nodes = {str(node.get("trigger_configuration_uuid")) for node in one.nodes.values() if node["type"] == "trigger"}
    return next(iter(sorted(named & nodes)), "")


async def start(sekoia: Sekoia, one: Playbook, event: dict[str, Any]) -> Run:
    """Run it, from its trigger on."""
    now = sekoia.now()
    run = Run(new_uuid(), one.uuid, now, now + sekoia.sekoia_start_seconds)
    sekoia.runs[run.uuid] = run
    heads = [key for key, node in one.nodes.items() if node.get("trigger_uuid") == ALERT_CREATED]
    results: dict[int, Any] = {int(key): event for key in heads}
    queue = [str(after) for key in heads for after in one.nodes[key].get("outputs", {}).get("default", [])]
    done: set[str] = set()
    while queue:
        key = queue.pop(0)
        if key in done:
            continue
        done.add(key)
        queue += await _step(sekoia, one, run, key, results)
    one.errors = one.errors + 1 if run.status == "error" else 0
    if one.errors >= ERRORS_OFF:
        one.status, one.errors = DISABLED, 0
    return run


async def _step(sekoia: Sekoia, one: Playbook, run: Run, key: str, results: dict[int, Any]) -> list[str]:
    """Do one block; what comes after it."""
    node = one.nodes[key]
    outputs = node.get("outputs", {})
    held = run.nodes[key] = {"uuid": new_uuid(), "status": "finished", "error": "", "results": None}
    try:
        held["results"] = results[int(key)] = await _done(sekoia, one.community, node, results)
        return [str(after) for after in outputs.get("default", [])]
    except NodeError as error:
        held |= {"status": "error", "error": str(error)}
        if not outputs.get("error"):
            run.status, run.error = "error", f"{node['name']}: {error}"
        return [str(after) for after in outputs.get("error", [])]


async def _done(sekoia: Sekoia, community: str, node: dict[str, Any], results: dict[int, Any]) -> Any:
    arguments = rendered(node.get("arguments", {}), results)
    if node.get("action_uuid") == REQUEST_URL:
        return await _request(sekoia, arguments)
    if node.get("action_uuid") == GET_ALERT:
        return _alert(sekoia, community, node, arguments, "SIC_READ_ALERTS")
    if node.get("action_uuid") == COMMENT_ALERT:
        alert = _alert(sekoia, community, node, arguments, "SIC_COMMENT_ALERTS")
        alert.setdefault("comments", []).append({"content": arguments["content"], "author": arguments.get("author")})
        return {"content": arguments["content"]}
    raise NodeError(f"the lab does not run the block {node['name']!r}")


def _alert(
    sekoia: Sekoia, community: str, node: dict[str, Any], arguments: dict[str, Any], permission: str
) -> dict[str, Any]:
    held = sekoia.modules.get(str(node.get("module_configuration_uuid")))
    key = sekoia.key_of(held.value.get("api_key", "")) if held and held.kind == SEKOIA_MODULE else None
    if key is None or not sekoia.reaches(key, community):
        raise NodeError("401 Unauthorized")
    if permission not in key.permissions:
        raise NodeError("403 Forbidden")
    found = sekoia.alerts.get(str(arguments.get("uuid")))
    if found is None or found["community_uuid"] != community:
        raise NodeError("404 Not Found")
    return found


async def _request(sekoia: Sekoia, arguments: dict[str, Any]) -> dict[str, Any]:
    """As requests would: an object becomes the body; the proof comes from its own arguments."""
    headers = {"Content-Type": "application/json", **arguments.get("headers", {})}
    if arguments.get("auth_type") == "Bearer":
        headers["Authorization"] = f"Bearer {arguments['auth_token']}"
    elif arguments.get("auth_type") == "Basic":
        pair = f"{arguments['auth_username']}:{arguments['auth_password']}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    if arguments.get("method") != "post":
        raise NodeError("the lab does post only")
    body = json.dumps(arguments.get("json")).encode()
    answer = await sekoia.sender.send(Outgoing(arguments["url"], headers, body), PATIENCE)
    if not answer.accepted and arguments.get("fail_on_http_error", True):
        raise NodeError(f"HTTP {answer.status}: {answer.body[:200]}" if answer.status else answer.body[:200])
    return {"status_code": answer.status, "url": arguments["url"], "text": answer.body}
