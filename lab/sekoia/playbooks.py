# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sekoia.io's playbooks with their configurations and runs, and the alerts that start them.

Sources and what is assumed: lab/sekoia/routes.py.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from lab.kernel.clock import stamp
from lab.kernel.http import Call, Reply, ok
from lab.sekoia import runtime
from lab.sekoia.access import body_of, community_of, held_in, listed, own_key, page_of, refused
from lab.sekoia.state import (
    DISABLED,
    ENABLED,
    MASK,
    NODE_SECRETS,
    SEKOIA_MODULE,
    Configuration,
    Playbook,
    Run,
    Sekoia,
    new_uuid,
)  # fmt: skip


def _brief(one: Playbook) -> dict[str, Any]:
    issues = ["configuration_issues"] if one.status == ENABLED and not runtime.wired(one) and not one.nodes else []
    return {
        "uuid": one.uuid,
        "name": one.name,
        "description": one.description,
        "community_uuid": one.community,
        "tags": one.tags,
        "status": one.status,
        "status_tags": issues,
    }


def _whole(sekoia: Sekoia, one: Playbook) -> dict[str, Any]:
    nodes = {key: _masked(sekoia, node) for key, node in one.nodes.items()}
    return {**_brief(one), "content": {"nodes": nodes}, "trigger_configurations": one.configurations}


def _masked(sekoia: Sekoia, node: dict[str, Any]) -> dict[str, Any]:
    arguments = node.get("arguments") or {}
    kept = {name: value for name, value in arguments.items() if name not in NODE_SECRETS}
    hidden = {name: MASK for name in arguments if name in NODE_SECRETS and sekoia.sekoia_masks}
    # Positions and icons are the editor's, which opens and saves it.
    return {**node, "arguments": {**kept, **hidden}, "position": {"x": 86, "y": 350}, "icon": "data:,"}


def playbooks(sekoia: Sekoia, call: Call) -> Reply:
    return listed(sekoia, call, sekoia.playbooks.values(), _brief)


def playbook(sekoia: Sekoia, call: Call) -> Reply:
    return ok(_whole(sekoia, held_in(sekoia, call, sekoia.playbooks)))


def create_playbook(sekoia: Sekoia, call: Call) -> Reply:
    given = body_of(sekoia, call).get("playbook")
    if not isinstance(given, dict) or not given.get("name"):
        raise refused(sekoia, 400, "bad_request", "playbook.name is missing.")
    made = Playbook(new_uuid(), community_of(sekoia, call, given.get("community_uuid")), str(given["name"]))
    _define(sekoia, made, given)
    sekoia.playbooks[made.uuid] = made
    return ok(_whole(sekoia, made))


def change_playbook(sekoia: Sekoia, call: Call) -> Reply:
    one, given = held_in(sekoia, call, sekoia.playbooks), body_of(sekoia, call)
    if "playbook" in given:
        _define(sekoia, one, given["playbook"])
    elif set(given) == {"status"} and "patch" in sekoia.sekoia_switches and given["status"] in (ENABLED, DISABLED):
        one.status = given["status"]
    else:
        raise refused(sekoia, 405, "method_not_allowed", "Neither a definition nor a status.")
    return ok(_whole(sekoia, one))


def _define(sekoia: Sekoia, one: Playbook, given: dict[str, Any]) -> None:
    nodes = given.get("nodes", one.nodes)
    for node in nodes.values():
        after = [str(key) for keys in node.get("outputs", {}).values() for key in keys]
        if node.get("type") not in ("trigger", "action", "operator") or not set(after) <= set(nodes):
            raise refused(sekoia, 400, "bad_request", "A node has no type, or leads to none.")
    one.nodes = nodes
    one.name, one.tags = str(given.get("name", one.name)), list(given.get("tags", one.tags))
    one.description = str(given.get("description", one.description))
    one.configurations = list(given.get("trigger_configurations", one.configurations))


def switch(sekoia: Sekoia, call: Call, *, status: str) -> Reply:
    if "activate" not in sekoia.sekoia_switches:
        raise refused(sekoia, 404, "not_found", "There is nothing here.")
    held_in(sekoia, call, sekoia.playbooks).status = status
    return Reply(204)


# -- configurations ---------------------------------------------------------------------------------------------------


def _kind(of: str) -> str:
    return "trigger_uuid" if of == "triggers" else "module_uuid"


def _configuration(sekoia: Sekoia, one: Configuration, of: str) -> dict[str, Any]:
    value = {name: text for name, text in one.value.items() if name != "api_key"}
    value |= {"api_key": MASK} if "api_key" in one.value and sekoia.sekoia_masks else {}
    return {
        "uuid": one.uuid, "name": one.name, _kind(of): one.kind, "community_uuid": one.community, "value": value,
    }  # fmt: skip


def configurations(sekoia: Sekoia, call: Call, *, of: str) -> Reply:
    return listed(sekoia, call, getattr(sekoia, of).values(), lambda one: _configuration(sekoia, one, of))


def configuration(sekoia: Sekoia, call: Call, *, of: str) -> Reply:
    return ok(_configuration(sekoia, held_in(sekoia, call, getattr(sekoia, of)), of))


def create_configuration(sekoia: Sekoia, call: Call, *, of: str) -> Reply:
    given = body_of(sekoia, call)
    if not given.get("name") or not given.get(_kind(of)):
        raise refused(sekoia, 400, "bad_request", f"name or {_kind(of)} is missing.")
    community, kind = community_of(sekoia, call, given.get("community_uuid")), str(given[_kind(of)])
    made = Configuration(new_uuid(), community, str(given["name"]), kind, _value(sekoia, kind, given))
    getattr(sekoia, of)[made.uuid] = made
    return ok(_configuration(sekoia, made, of))


def change_configuration(sekoia: Sekoia, call: Call, *, of: str) -> Reply:
    one, given = held_in(sekoia, call, getattr(sekoia, of)), body_of(sekoia, call)
    one.name, one.value = str(given.get("name", one.name)), _value(sekoia, one.kind, given)
    return ok(_configuration(sekoia, one, of))


def _value(sekoia: Sekoia, kind: str, given: dict[str, Any]) -> dict[str, Any]:
    value = dict(given.get("value") or {})
    if kind == SEKOIA_MODULE and set(value) - set(sekoia.sekoia_asks):
        raise refused(sekoia, 400, "bad_request", "value has what the module does not ask for.")
    return value


def module(sekoia: Sekoia, call: Call) -> Reply:
    if call.args["uuid"] != SEKOIA_MODULE:
        raise refused(sekoia, 404, "not_found", "There is no such module.")
    properties = {name: {"type": "string"} for name in sekoia.sekoia_asks if name != "api_key"}
    secrets = [name for name in sekoia.sekoia_asks if name == "api_key"]
    return ok(
        {"uuid": SEKOIA_MODULE, "name": "Sekoia.io", "configuration": {"properties": properties, "secrets": secrets}}
    )


async def emit(sekoia: Sekoia, call: Call) -> Reply:
    """Start a playbook by hand, whether it is on or not; assumed: one that is wired nowhere starts nothing."""
    trigger, given = held_in(sekoia, call, sekoia.triggers), body_of(sekoia, call)
    event = dict(given.get("event") or {})
    one = sekoia.playbooks.get(str(given.get("playbook_uuid") or event.get("playbook_uuid")))
    if one is not None and runtime.wired(one) == trigger.uuid:
        await runtime.start(sekoia, one, event)
    return Reply(204)


# -- runs and alerts --------------------------------------------------------------------------------------------------


def _run(sekoia: Sekoia, one: Run) -> dict[str, Any]:
    going = sekoia.now() < one.ends
    nodes = {key: {"uuid": held["uuid"], "status": held["status"]} for key, held in one.nodes.items()}
    return {
        "uuid": one.uuid,
        "playbook_uuid": one.playbook,
        "status": "running" if going else one.status,
        "started_at": stamp(sekoia.shown(one.started)),
        "error": None if going else one.error or None,
        "node_runs": {} if going else nodes,
    }


def runs(sekoia: Sekoia, call: Call) -> Reply:
    query = dict(parse_qsl(call.query_string))
    found = [one for one in sekoia.runs.values() if one.playbook == query.get("match[playbook_uuid]", one.playbook)]
    found = [one for one in found if _mine(sekoia, call, one)]
    newest = sorted(found, key=lambda one: one.started, reverse=query.get("direction") == "desc")
    brief = [{name: value for name, value in _run(sekoia, one).items() if name != "node_runs"} for one in newest]
    return page_of(sekoia, query, brief)


def _mine(sekoia: Sekoia, call: Call, one: Run) -> bool:
    held = sekoia.playbooks.get(one.playbook)
    return held is not None and sekoia.reaches(own_key(sekoia, call), held.community)


def run(sekoia: Sekoia, call: Call) -> Reply:
    found = sekoia.runs.get(call.args["uuid"])
    if found is None or not _mine(sekoia, call, found):
        raise refused(sekoia, 404, "not_found", "There is no such run.")
    return ok(_run(sekoia, found))


def node_run(sekoia: Sekoia, call: Call) -> Reply:
    for one in sekoia.runs.values():
        for held in one.nodes.values():
            if held["uuid"] == call.args["uuid"] and _mine(sekoia, call, one):
                return ok({name: held[name] or None for name in ("uuid", "status", "error")})
    raise refused(sekoia, 404, "not_found", "There is no such run.")


def alerts(sekoia: Sekoia, call: Call) -> Reply:
    query = dict(parse_qsl(call.query_string))
    community, key = query.get("match[community_uuid]", call.who.tid), own_key(sekoia, call)
    held = [
        one for one in sekoia.alerts.values() if one["community_uuid"] == community and sekoia.reaches(key, community)
    ]
    newest = sorted(held, key=lambda one: -float(one["at"]))
    return page_of(sekoia, query, [_alert(sekoia, one) for one in newest])


def alert(sekoia: Sekoia, call: Call) -> Reply:
    found = sekoia.alerts.get(call.args["uuid"])
    if found is None or not sekoia.reaches(own_key(sekoia, call), found["community_uuid"]):
        raise refused(sekoia, 404, "not_found", "There is no such alert.")
    return ok(_alert(sekoia, found))


def comment(sekoia: Sekoia, call: Call) -> Reply:
    alert(sekoia, call)
    given = body_of(sekoia, call)
    if not given.get("content"):
        raise refused(sekoia, 400, "bad_request", "content is missing.")
    made = {"content": str(given["content"]), "author": given.get("author")}
    sekoia.alerts[call.args["uuid"]]["comments"].append(made)
    return ok({"uuid": new_uuid(), **made})


def _alert(sekoia: Sekoia, one: dict[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in one.items() if name != "at"}, "created_at": int(sekoia.shown(one["at"]))}
