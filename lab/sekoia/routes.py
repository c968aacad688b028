# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sekoia.io's API: who may ask, and what is answered; and the HTTP intake.

Paths, fields, lists and statuses: docs.sekoia.io and meshroom 0.3.4. Assumed: codes and words of errors, the list of
trigger configurations, community_uuid in lists, tags in the list of playbooks, fields of runs beside status, started_at
and node_runs, a search job that is done at once, the newest event first, and that a playbook's definition is refused
where its nodes have no type or lead nowhere.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from lab.kernel.clock import stamp
from lab.kernel.http import Call, Principal, Refusal, Reply, flat, ok
from lab.kernel.registration import Operation
from lab.kernel.router import Table
from lab.sekoia import runtime
from lab.sekoia.state import (
    DISABLED,
    ENABLED,
    MASK,
    NODE_SECRETS,
    SEKOIA_MODULE,
    Configuration,
    Intake,
    Key,
    Playbook,
    Run,
    Sekoia,
    new_uuid,
)  # fmt: skip

BLOCK_SECONDS = 10.0
MAX_EVENT = 250 * 1024
MAX_LIMIT = 100
API, SYMPHONY, CONF, INTAKE = "/api/v1", "/api/v1/symphony", "/api/v1/sic/conf", "/sekoia-intake"
TERM = re.compile(r'sekoiaio\.intake\.uuid\s*:\s*"([0-9a-f-]{36})"(?:\s+AND\s+"([^"]*)")?')


# -- who may ask ------------------------------------------------------------------------------------------------------


def enter(sekoia: Sekoia, call: Call, *, permission: str = "") -> None:
    if sekoia.blocked:
        raise flat(403, "blocked", "Your address has been blocked.")
    try:
        key = sekoia.key_of(call.headers.get("Authorization", "").removeprefix("Bearer "))
        if key is None:
            raise flat(401, "unauthorized", "The API key is not valid.")
        call.principal = Principal(key.community, key.name, key.name, "sekoia", 0.0, frozenset(key.permissions))
        if permission and permission not in key.permissions:
            raise flat(403, "permission_denied", f"The permission {permission} is missing.")
    except Refusal:
        _erred(sekoia)
        raise


def _erred(sekoia: Sekoia) -> None:
    """Two errors in a short time block whoever makes them: a draft of Sekoia.io's page on errors."""
    now = sekoia.now()
    sekoia.errors = [one for one in sekoia.errors if now - one < BLOCK_SECONDS] + [now]
    sekoia.blocked = sekoia.sekoia_blocks and len(sekoia.errors) > 1


def _no(sekoia: Sekoia, status: int, code: str, message: str) -> Refusal:
    _erred(sekoia)
    return flat(status, code, message)


def _key(sekoia: Sekoia, call: Call) -> Key:
    return sekoia.keys[call.who.oid]


def _body(sekoia: Sekoia, call: Call) -> dict[str, Any]:
    try:
        found = json.loads(call.body)
    except ValueError:
        raise _no(sekoia, 400, "bad_request", "The body is not JSON.") from None
    if not isinstance(found, dict):
        raise _no(sekoia, 400, "bad_request", "The body is no object.")
    return found


def _community(sekoia: Sekoia, call: Call, given: Any) -> str:
    """Where something is made: in the key's own community, or in one below it."""
    wanted = str(given or call.who.tid)
    if not sekoia.reaches(_key(sekoia, call), wanted):
        raise _no(sekoia, 403, "permission_denied", "The community is out of reach.")
    return wanted


def _listed(sekoia: Sekoia, call: Call, held: Iterable[Any], shown: Callable[[Any], dict[str, Any]]) -> Reply:
    """Those that the key reaches and that match, page by page. match[name] is exact; assumed."""
    query = dict(parse_qsl(call.query_string, keep_blank_values=True))
    key = _key(sekoia, call)
    found = [shown(one) for one in held if sekoia.reaches(key, one.community)]
    wanted = {name[6:-1]: value for name, value in query.items() if name.startswith("match[")}
    found = [one for one in found if all(str(one.get(name, value)) == value for name, value in wanted.items())]
    return _page(sekoia, query, found)


def _page(sekoia: Sekoia, query: Mapping[str, str], found: list[dict[str, Any]]) -> Reply:
    try:
        limit, offset = int(query.get("limit", 20)), int(query.get("offset", 0))
    except ValueError:
        limit = offset = -1
    if not 0 < limit <= MAX_LIMIT or offset < 0:
        raise _no(sekoia, 400, "bad_request", "limit must be 1 to 100, offset a number.")
    page = found[offset : offset + min(limit, sekoia.sekoia_page)]
    return ok({"items": page, "total": len(found)})


def _held(sekoia: Sekoia, call: Call, held: Mapping[str, Any]) -> Any:
    found = held.get(call.args["uuid"].lower())
    if found is None or not sekoia.reaches(_key(sekoia, call), found.community):
        raise _no(sekoia, 404, "not_found", "There is no such object.")
    return found


def me(sekoia: Sekoia, call: Call) -> Reply:
    return ok({"uuid": call.who.oid, "community": call.who.tid, "community_uuid": call.who.tid})


def communities(sekoia: Sekoia, call: Call) -> Reply:
    reached = [one for one in sekoia.communities.values() if sekoia.reaches(_key(sekoia, call), one["uuid"])]
    return _page(sekoia, call.query, [{"uuid": one["uuid"], "name": one["name"]} for one in reached])


# -- playbooks --------------------------------------------------------------------------------------------------------


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
    return _listed(sekoia, call, sekoia.playbooks.values(), _brief)


def playbook(sekoia: Sekoia, call: Call) -> Reply:
    return ok(_whole(sekoia, _held(sekoia, call, sekoia.playbooks)))


def create_playbook(sekoia: Sekoia, call: Call) -> Reply:
    given = _body(sekoia, call).get("playbook")
    if not isinstance(given, dict) or not given.get("name"):
        raise _no(sekoia, 400, "bad_request", "playbook.name is missing.")
    made = Playbook(new_uuid(), _community(sekoia, call, given.get("community_uuid")), str(given["name"]))
    _define(sekoia, made, given)
    sekoia.playbooks[made.uuid] = made
    return ok(_whole(sekoia, made))


def change_playbook(sekoia: Sekoia, call: Call) -> Reply:
    one, given = _held(sekoia, call, sekoia.playbooks), _body(sekoia, call)
    if "playbook" in given:
        _define(sekoia, one, given["playbook"])
    elif set(given) == {"status"} and "patch" in sekoia.sekoia_switches and given["status"] in (ENABLED, DISABLED):
        one.status = given["status"]
    else:
        raise _no(sekoia, 405, "method_not_allowed", "Neither a definition nor a status.")
    return ok(_whole(sekoia, one))


def _define(sekoia: Sekoia, one: Playbook, given: dict[str, Any]) -> None:
    nodes = given.get("nodes", one.nodes)
    for node in nodes.values():
        after = [str(key) for keys in node.get("outputs", {}).values() for key in keys]
        if node.get("type") not in ("trigger", "action", "operator") or not set(after) <= set(nodes):
            raise _no(sekoia, 400, "bad_request", "A node has no type, or leads to none.")
    one.nodes = nodes
    one.name, one.tags = str(given.get("name", one.name)), list(given.get("tags", one.tags))
    one.description = str(given.get("description", one.description))
    one.configurations = list(given.get("trigger_configurations", one.configurations))


def switch(sekoia: Sekoia, call: Call, *, status: str) -> Reply:
    if "activate" not in sekoia.sekoia_switches:
        raise _no(sekoia, 404, "not_found", "There is nothing here.")
    _held(sekoia, call, sekoia.playbooks).status = status
    return Reply(204)


def delete(sekoia: Sekoia, call: Call, *, of: str) -> Reply:
    held = getattr(sekoia, of)
    del held[_held(sekoia, call, held).uuid]
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
    return _listed(sekoia, call, getattr(sekoia, of).values(), lambda one: _configuration(sekoia, one, of))


def configuration(sekoia: Sekoia, call: Call, *, of: str) -> Reply:
    return ok(_configuration(sekoia, _held(sekoia, call, getattr(sekoia, of)), of))


def create_configuration(sekoia: Sekoia, call: Call, *, of: str) -> Reply:
    given = _body(sekoia, call)
    if not given.get("name") or not given.get(_kind(of)):
        raise _no(sekoia, 400, "bad_request", f"name or {_kind(of)} is missing.")
    community, kind = _community(sekoia, call, given.get("community_uuid")), str(given[_kind(of)])
    made = Configuration(new_uuid(), community, str(given["name"]), kind, _value(sekoia, kind, given))
    getattr(sekoia, of)[made.uuid] = made
    return ok(_configuration(sekoia, made, of))


def change_configuration(sekoia: Sekoia, call: Call, *, of: str) -> Reply:
    one, given = _held(sekoia, call, getattr(sekoia, of)), _body(sekoia, call)
    one.name, one.value = str(given.get("name", one.name)), _value(sekoia, one.kind, given)
    return ok(_configuration(sekoia, one, of))


def _value(sekoia: Sekoia, kind: str, given: dict[str, Any]) -> dict[str, Any]:
    value = dict(given.get("value") or {})
    if kind == SEKOIA_MODULE and set(value) - set(sekoia.sekoia_asks):
        raise _no(sekoia, 400, "bad_request", "value has what the module does not ask for.")
    return value


def module(sekoia: Sekoia, call: Call) -> Reply:
    if call.args["uuid"] != SEKOIA_MODULE:
        raise _no(sekoia, 404, "not_found", "There is no such module.")
    properties = {name: {"type": "string"} for name in sekoia.sekoia_asks if name != "api_key"}
    secrets = [name for name in sekoia.sekoia_asks if name == "api_key"]
    return ok(
        {"uuid": SEKOIA_MODULE, "name": "Sekoia.io", "configuration": {"properties": properties, "secrets": secrets}}
    )


async def emit(sekoia: Sekoia, call: Call) -> Reply:
    """Start a playbook by hand, whether it is on or not; assumed: one that is wired nowhere starts nothing."""
    trigger, given = _held(sekoia, call, sekoia.triggers), _body(sekoia, call)
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
    return _page(sekoia, query, brief)


def _mine(sekoia: Sekoia, call: Call, one: Run) -> bool:
    held = sekoia.playbooks.get(one.playbook)
    return held is not None and sekoia.reaches(_key(sekoia, call), held.community)


def run(sekoia: Sekoia, call: Call) -> Reply:
    found = sekoia.runs.get(call.args["uuid"])
    if found is None or not _mine(sekoia, call, found):
        raise _no(sekoia, 404, "not_found", "There is no such run.")
    return ok(_run(sekoia, found))


def node_run(sekoia: Sekoia, call: Call) -> Reply:
    for one in sekoia.runs.values():
        for held in one.nodes.values():
            if held["uuid"] == call.args["uuid"] and _mine(sekoia, call, one):
                return ok({name: held[name] or None for name in ("uuid", "status", "error")})
    raise _no(sekoia, 404, "not_found", "There is no such run.")


def alerts(sekoia: Sekoia, call: Call) -> Reply:
    query = dict(parse_qsl(call.query_string))
    community, key = query.get("match[community_uuid]", call.who.tid), _key(sekoia, call)
    held = [
        one for one in sekoia.alerts.values() if one["community_uuid"] == community and sekoia.reaches(key, community)
    ]
    newest = sorted(held, key=lambda one: -float(one["at"]))
    return _page(sekoia, query, [_alert(sekoia, one) for one in newest])


def alert(sekoia: Sekoia, call: Call) -> Reply:
    found = sekoia.alerts.get(call.args["uuid"])
    if found is None or not sekoia.reaches(_key(sekoia, call), found["community_uuid"]):
        raise _no(sekoia, 404, "not_found", "There is no such alert.")
    return ok(_alert(sekoia, found))


def comment(sekoia: Sekoia, call: Call) -> Reply:
    alert(sekoia, call)
    given = _body(sekoia, call)
    if not given.get("content"):
        raise _no(sekoia, 400, "bad_request", "content is missing.")
    made = {"content": str(given["content"]), "author": given.get("author")}
    sekoia.alerts[call.args["uuid"]]["comments"].append(made)
    return ok({"uuid": new_uuid(), **made})


def _alert(sekoia: Sekoia, one: dict[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in one.items() if name != "at"}, "created_at": int(sekoia.shown(one["at"]))}


# -- intakes ----------------------------------------------------------------------------------------------------------


def _intake(one: Intake) -> dict[str, Any]:
    return {
        "uuid": one.uuid,
        "name": one.name,
        "community_uuid": one.community,
        "entity": {"uuid": one.entity},
        "entity_uuid": one.entity,
        "format_uuid": one.format,
        "intake_key": one.key,
        "status": "RUNNING",
    }


def intakes(sekoia: Sekoia, call: Call) -> Reply:
    return _listed(sekoia, call, sekoia.intakes.values(), _intake)


def intake(sekoia: Sekoia, call: Call) -> Reply:
    return ok(_intake(_held(sekoia, call, sekoia.intakes)))


def create_intake(sekoia: Sekoia, call: Call) -> Reply:
    given = _body(sekoia, call)
    entity = sekoia.entities.get(str(given.get("entity_uuid")))
    if not given.get("name") or entity is None or given.get("format_uuid") not in sekoia.formats:
        raise _no(sekoia, 400, "bad_request", "name, entity_uuid or format_uuid is missing or unknown.")
    community = _community(sekoia, call, entity["community_uuid"])
    secret = sekoia.lab.derive(f"intake {new_uuid()}").hex()[:32]
    made = Intake(new_uuid(), community, str(given["name"]), entity["uuid"], given["format_uuid"], secret)
    sekoia.intakes[made.uuid] = made
    return ok(_intake(made))


def change_intake(sekoia: Sekoia, call: Call) -> Reply:
    """Its name and entity; assumed: that its format is fixed."""
    one, given = _held(sekoia, call, sekoia.intakes), _body(sekoia, call)
    if "format_uuid" in given or given.get("entity_uuid", one.entity) not in sekoia.entities:
        raise _no(sekoia, 400, "bad_request", "The format is fixed, or the entity is unknown.")
    one.name, one.entity = str(given.get("name", one.name)), given.get("entity_uuid", one.entity)
    return ok(_intake(one))


def entities(sekoia: Sekoia, call: Call) -> Reply:
    key = _key(sekoia, call)
    held = [one for one in sekoia.entities.values() if sekoia.reaches(key, one["community_uuid"])]
    query = dict(parse_qsl(call.query_string))
    community = query.get("match[community_uuid]")
    return _page(sekoia, query, [one for one in held if community in (None, one["community_uuid"])])


def create_entity(sekoia: Sekoia, call: Call) -> Reply:
    given = _body(sekoia, call)
    if not given.get("name") or not given.get("entity_id"):
        raise _no(sekoia, 400, "bad_request", "name or entity_id is missing.")
    community = _community(sekoia, call, given.get("community_uuid"))
    made = {"uuid": new_uuid(), **{name: str(given.get(name, "")) for name in ("name", "entity_id", "description")}}
    sekoia.entities[made["uuid"]] = {**made, "community_uuid": community}
    return ok(sekoia.entities[made["uuid"]])


def generation_modes(sekoia: Sekoia, call: Call) -> Reply:
    return _page(sekoia, call.query, [{"uuid": "1f2f6b0e-0000-4000-8000-000000000001", "name": "default"}])


def formats(sekoia: Sekoia, call: Call) -> Reply:
    """Pages by indexPage, from zero, and sizePage; unlike all others."""
    query = dict(parse_qsl(call.query_string))
    held = [one for one in sekoia.formats.values() if query.get("match[name]", "").lower() in one["name"].lower()]
    size = min(int(query.get("sizePage", 100)), MAX_LIMIT)
    begins = int(query.get("indexPage", 0)) * size
    return ok({"items": held[begins : begins + size], "total": len(held)})


def receive(sekoia: Sekoia, call: Call) -> Reply:
    """The HTTP intake: its root takes {json, intake_key}, /plain the event itself, with the key in a header or as the
    password of Basic."""
    event, key = call.body.decode("utf-8", "replace"), call.headers.get("X-SEKOIAIO-INTAKE-KEY", "")
    scheme, _, rest = call.headers.get("Authorization", "").partition(" ")
    if scheme == "Basic":
        key = _password(rest)
    if call.low == INTAKE:
        given = _body(sekoia, call)
        event, key = str(given.get("json", "")), str(given.get("intake_key", key))
    one = next((held for held in sekoia.intakes.values() if held.key == key), None)
    if one is None:
        raise flat(401, "unauthorized", "The intake key is not valid.")
    if len(event.encode()) > MAX_EVENT:
        raise flat(413, "too_large", "The event is too large.")
    one.events.append((sekoia.now(), event))
    return ok({"event_id": new_uuid()})


def _password(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def search(sekoia: Sekoia, call: Call) -> Reply:
    given = _body(sekoia, call)
    found = TERM.fullmatch(str(given.get("term", "")))
    if found is None or not given.get("earliest_time") or not given.get("latest_time"):
        raise _no(sekoia, 400, "bad_request", "The lab's search knows an intake, and a text of its events.")
    one = sekoia.intakes.get(found[1])
    if one is None or not sekoia.reaches(_key(sekoia, call), one.community):
        raise _no(sekoia, 404, "not_found", "There is no such intake.")
    uuid = new_uuid()
    sekoia.jobs[uuid] = {"uuid": uuid, "intake": one.uuid, "text": found[2] or "", "earliest": given["earliest_time"]}
    return ok({"uuid": uuid, "status": "pending"})


def _job(sekoia: Sekoia, call: Call) -> dict[str, Any]:
    found = sekoia.jobs.get(call.args["uuid"])
    if found is None:
        raise _no(sekoia, 404, "not_found", "There is no such job.")
    return found


def job(sekoia: Sekoia, call: Call) -> Reply:
    return ok({"uuid": _job(sekoia, call)["uuid"], "status": "done"})


def job_events(sekoia: Sekoia, call: Call) -> Reply:
    asked = _job(sekoia, call)
    held = sekoia.intakes[asked["intake"]].events
    found = [
        {"timestamp": stamp(sekoia.shown(at)), "message": text, "sekoiaio.intake.uuid": asked["intake"]}
        for at, text in sorted(held, reverse=True)
        if asked["text"] in text and stamp(sekoia.shown(at)) >= asked["earliest"]
    ]
    return _page(sekoia, call.query, found)


# -- all of it --------------------------------------------------------------------------------------------------------


def _known(kind: str, handler: Any, permission: str = "") -> Operation:
    return Operation(f"sekoia.{kind}", handler, partial(enter, permission=permission))


_READ, _WRITE = "SYMPHONY_READ_PLAYBOOKS", "SYMPHONY_WRITE_PLAYBOOKS"


def _crud(of: str, path: str) -> dict[tuple[str, str], Operation]:
    one = f"{path}/{{uuid}}"
    return {
        ("GET", path): _known(f"{of}.list", partial(configurations, of=of), _READ),
        ("POST", path): _known(f"{of}.create", partial(create_configuration, of=of), _WRITE),
        ("GET", one): _known(f"{of}.get", partial(configuration, of=of), _READ),
        ("PATCH", one): _known(f"{of}.update", partial(change_configuration, of=of), _WRITE),
        ("DELETE", one): _known(f"{of}.delete", partial(delete, of=of), _WRITE),
    }


_PLAYBOOKS, _JOBS = f"{SYMPHONY}/playbooks", f"{CONF}/events/search/jobs"
_INTAKES = f"{CONF}/intakes"
ROUTES = Table(
    {
        ("GET", f"{API}/me"): _known("me", me),
        ("GET", f"{API}/apiauth/auth/validate"): _known("validate", me),
        ("GET", f"{API}/communities"): _known("communities", communities),
        ("GET", _PLAYBOOKS): _known("playbooks.list", playbooks, _READ),
        ("POST", _PLAYBOOKS): _known("playbooks.create", create_playbook, _WRITE),
        ("GET", f"{_PLAYBOOKS}/{{uuid}}"): _known("playbooks.get", playbook, _READ),
        ("PATCH", f"{_PLAYBOOKS}/{{uuid}}"): _known("playbooks.update", change_playbook, _WRITE),
        ("DELETE", f"{_PLAYBOOKS}/{{uuid}}"): _known("playbooks.delete", partial(delete, of="playbooks"), _WRITE),
        ("POST", f"{_PLAYBOOKS}/{{uuid}}/activate"): _known(
            "playbooks.activate", partial(switch, status=ENABLED), _WRITE
        ),
        ("POST", f"{_PLAYBOOKS}/{{uuid}}/deactivate"): _known(
            "playbooks.deactivate", partial(switch, status=DISABLED), _WRITE
        ),
        **_crud("triggers", f"{SYMPHONY}/trigger-configurations"),
        **_crud("modules", f"{SYMPHONY}/module-configurations"),
        ("POST", f"{SYMPHONY}/trigger-configurations/{{uuid}}"): _known("triggers.emit", emit, _WRITE),
        ("GET", f"{SYMPHONY}/modules/{{uuid}}"): _known("module", module, _READ),
        ("GET", f"{SYMPHONY}/playbook-runs"): _known("runs.list", runs, _READ),
        ("GET", f"{SYMPHONY}/playbook-runs/{{uuid}}"): _known("runs.get", run, _READ),
        ("GET", f"{SYMPHONY}/node-runs/{{uuid}}"): _known("runs.node", node_run, _READ),
        ("GET", f"{API}/sic/alerts"): _known("alerts.list", alerts, "SIC_READ_ALERTS"),
        ("GET", f"{API}/sic/alerts/{{uuid}}"): _known("alerts.get", alert, "SIC_READ_ALERTS"),
        ("POST", f"{API}/sic/alerts/{{uuid}}/comments"): _known("alerts.comment", comment, "SIC_COMMENT_ALERTS"),
        ("GET", _INTAKES): _known("intakes.list", intakes, "SIC_READ_INTAKES"),
        ("POST", _INTAKES): _known("intakes.create", create_intake, "SIC_WRITE_INTAKES"),
        ("GET", f"{_INTAKES}/{{uuid}}"): _known("intakes.get", intake, "SIC_READ_INTAKES"),
        ("PATCH", f"{_INTAKES}/{{uuid}}"): _known("intakes.update", change_intake, "SIC_WRITE_INTAKES"),
        ("DELETE", f"{_INTAKES}/{{uuid}}"): _known(
            "intakes.delete", partial(delete, of="intakes"), "SIC_WRITE_INTAKES"
        ),
        ("GET", f"{CONF}/entities"): _known("entities.list", entities, "SIC_READ_ENTITIES"),
        ("POST", f"{CONF}/entities"): _known("entities.create", create_entity, "SIC_WRITE_INTAKES"),
        ("GET", f"{CONF}/generation-modes"): _known("generation_modes", generation_modes),
        ("GET", f"{API}/ingest/formats"): _known("formats", formats),
        ("POST", _JOBS): _known("search.create", search, "SIC_READ_EVENTS"),
        ("GET", f"{_JOBS}/{{uuid}}"): _known("search.get", job, "SIC_READ_EVENTS"),
        ("GET", f"{_JOBS}/{{uuid}}/events"): _known("search.events", job_events, "SIC_READ_EVENTS"),
        ("POST", INTAKE): Operation("sekoia.receive", receive),
        ("POST", f"{INTAKE}/plain"): Operation("sekoia.receive_plain", receive),
    }
)
