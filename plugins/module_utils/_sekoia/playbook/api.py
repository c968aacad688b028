# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations on playbooks, their configurations and runs, from and to Sekoia.io's words.

Source: docs.sekoia.io («Playbooks»), meshroom 0.3.4 and public notes on this API. Assumed: that trigger configurations
are listed as module configurations are, that both and the list of playbooks show community_uuid, that this list shows
tags, and fields of alerts and runs beside those that meshroom reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..._core.bodies import items, mapping, piece, text, texts, words
from ..._core.client import documented
from ..._core.errors import NoAnswerError, RefusedError
from ..api import each, get, moment
from ..client import Call, Sekoia
from . import graph
from .plan import Configuration, Playbook, Wanted
from .profile import Way

PLAYBOOKS = "/v1/symphony/playbooks"
TRIGGERS = "/v1/symphony/trigger-configurations"
MODULES = "/v1/symphony/module-configurations"
RUNS = "/v1/symphony/playbook-runs"
NODE_RUNS = "/v1/symphony/node-runs"
ALERTS = "/v1/sic/alerts"
# Of the answer to a way of switching that Sekoia.io does not have.
NO_WAY = (404, 405)
RUNNING = frozenset({"running", "pending", "queued", "started"})
DONE = frozenset({"finished", "succeeded", "success"})
NEWEST = 5
SHOWN_TEXT = 200


class Alert(NamedTuple):
    """created: seconds since the epoch."""

    uuid: str
    short_id: str
    created: float
    rule: str
    event: Mapping[str, Any] = {}


class PlaybookRun(NamedTuple):
    """A run. nodes: id of the node -> (uuid, status) of its own run."""

    uuid: str
    status: str
    started: float
    error: str = ""
    nodes: Mapping[str, tuple[str, str]] = {}


# --- playbooks


async def playbooks(client: Sekoia) -> list[Playbook]:
    """Those of the community, without their nodes. Raises OnboardingError."""
    operation = "list the playbooks"
    found = []
    async for one in each(client, PLAYBOOKS, operation, match_community_uuid=client.community):
        with documented(operation):
            if _of_community(client, one):
                found.append(listed(one))
    return found


def _of_community(client: Sekoia, one: Mapping[str, Any]) -> bool:
    """An API that passes over a parameter that it does not know would show those of others, too."""
    return words(one.get("community_uuid")).lower() in ("", client.community)


def listed(one: Mapping[str, Any]) -> Playbook:
    """A playbook as lists show it. Raises what ODD_SHAPE names for another shape."""
    return Playbook(
        piece(one["uuid"]),
        text(one["name"]),
        words(one.get("status")),
        frozenset(texts(one.get("tags"))),
        frozenset(texts(one.get("status_tags"))),
    )


def parsed(one: Mapping[str, Any]) -> Playbook:
    """A playbook as it is read by itself."""
    nodes = mapping(one.get("content")).get("nodes") or one.get("nodes")
    named = [mapping(each_) for each_ in items(one.get("trigger_configurations") or [])]
    pairs = [(words(each_.get("uuid")), words(each_.get("trigger_uuid"))) for each_ in named]
    return listed(one)._replace(nodes=graph.parsed(nodes), configurations=tuple(pairs))


async def playbook(client: Sekoia, uuid: str) -> Playbook:
    call = get(f"{PLAYBOOKS}/{uuid}", f"read the playbook {uuid}")
    found = await client.call(call)
    with documented(call.operation):
        return parsed(found)


async def create(client: Sekoia, wanted: Wanted, tags: Sequence[str]) -> str:
    """Make it, without nodes yet. Raises NoAnswerError where nobody knows whether it was made."""
    body = {"name": wanted.name, "description": "", "community_uuid": client.community, "tags": list(tags), "nodes": {}}
    operation = f"create the playbook {wanted.name}"
    found = await client.call(Call("POST", PLAYBOOKS, operation, {"playbook": body}, again=False))
    with documented(operation):
        return piece(found["uuid"])


async def update(client: Sekoia, uuid: str, definition: Mapping[str, Any]) -> None:
    operation = f"update the playbook {definition['name']}"
    await client.call(Call("PATCH", f"{PLAYBOOKS}/{uuid}", operation, {"playbook": dict(definition)}))


async def switch(client: Sekoia, one: Playbook, ways: Sequence[Way], wanted: bool, enabled: frozenset[str]) -> str:
    """Switch it on or off by the first way after which its status says so; that way. Raises OnboardingError."""
    operation = f"switch the playbook {one.name} {'on' if wanted else 'off'}"
    tried = []
    for way in ways:
        try:
            path = way.path.replace("{uuid}", one.uuid)
            await client.call(Call(way.method, path, operation, dict(way.body) if way.body else None))
        except RefusedError as error:
            if error.status not in NO_WAY:
                raise
            tried.append(f"{way.words}: HTTP {error.status}")
            continue
        status = (await playbook(client, one.uuid)).status
        if (status in enabled) == wanted:
            return way.words
        tried.append(f"{way.words}: its status is still {status[:40]}")
    step = "switch it by hand in Sekoia.io, and tell us which request the page makes: it goes into the profile"
    raise RefusedError(operation, "; ".join(tried), code="NotSwitched", next_step=step)


# --- configurations


async def configurations(client: Sekoia, path: str, name: str, kind: str) -> list[Configuration]:
    """Those of a name, of one trigger or module. Raises OnboardingError."""
    key = _kind(path)
    operation = f"list the configurations at {path}"
    found = []
    async for one in each(client, path, operation, **{f"match_{key}": kind, "match_name": name}):
        with documented(operation):
            held = configuration(one, key)
            if held.name == name and held.kind == kind and _of_community(client, one):
                found.append(held)
    return found


def configuration(one: Mapping[str, Any], key: str) -> Configuration:
    return Configuration(piece(one["uuid"]), words(one.get("name")), text(one[key]), mapping(one.get("value")))


def _kind(path: str) -> str:
    return "trigger_uuid" if path == TRIGGERS else "module_uuid"


async def configure(
    client: Sekoia, path: str, name: str, kind: str, value: Mapping[str, Any], held: Configuration | None
) -> str:
    """Make a configuration, or give it its value; its uuid. One whose answer was lost is looked for by its name."""
    operation = f"{'update' if held else 'create'} the configuration {name} at {path}"
    if held is not None:
        await client.call(Call("PATCH", f"{path}/{held.uuid}", operation, {"name": name, "value": dict(value)}))
        return held.uuid
    body = {"name": name, _kind(path): kind, "community_uuid": client.community, "value": dict(value)}
    try:
        made = await client.call(Call("POST", path, operation, body, again=False))
    except NoAnswerError:
        there = await configurations(client, path, name, kind)
        if len(there) != 1:
            raise
        return there[0].uuid
    with documented(operation):
        return piece(made["uuid"])


async def module_value(client: Sekoia, api_key: str, base_url: str) -> dict[str, str]:
    """What the module Sekoia.io asks for, and no more: its page and its manifest differ. Raises OnboardingError."""
    call = get(f"/v1/symphony/modules/{graph.SEKOIA_MODULE}", "read what the module Sekoia.io asks for")
    found = await client.call(call)
    with documented(call.operation):
        schema = mapping(found["configuration"])
        asked = {*mapping(schema.get("properties")), *texts(schema.get("secrets"))}
    return {name: value for name, value in (("api_key", api_key), ("base_url", base_url)) if name in asked}


# --- alerts and runs


async def alerts(client: Sekoia, limit: int = NEWEST) -> list[Alert]:
    """The newest, the newest first. Raises OnboardingError."""
    params = {"match_community_uuid": client.community, "sort": "created_at", "direction": "desc", "limit": limit}
    call = get(ALERTS, "read the newest alerts", **params)
    found = await client.call(call)
    with documented(call.operation):
        return sorted((alert(one) for one in items(found["items"])), key=lambda one: -one.created)


def alert(one: Mapping[str, Any]) -> Alert:
    """An alert, and what its trigger tells of it."""
    rule = mapping(one.get("rule"))
    uuid, short_id = piece(one["uuid"]), text(one["short_id"])
    told = {name: one[name] for name in ("status", "created_at", "urgency", "entity", "alert_type") if name in one}
    event = {"event_type": "alert-created", "alert_uuid": uuid, "short_id": short_id, "rule": dict(rule), **told}
    return Alert(uuid, short_id, moment(one["created_at"]), words(rule.get("name")), event)


async def runs(client: Sekoia, uuid: str, limit: int = NEWEST) -> list[PlaybookRun]:
    """The newest runs of a playbook, the newest first. Raises OnboardingError."""
    params = {"match_playbook_uuid": uuid, "sort": "started_at", "direction": "desc", "limit": limit}
    call = get(RUNS, f"read the runs of the playbook {uuid}", **params)
    found = await client.call(call)
    with documented(call.operation):
        return sorted((playbook_run(one) for one in items(found["items"])), key=lambda one: -one.started)


def playbook_run(one: Mapping[str, Any]) -> PlaybookRun:
    nodes = {
        str(key): (piece(mapping(node)["uuid"]), text(mapping(node)["status"]).lower())
        for key, node in mapping(one.get("node_runs")).items()
    }
    return PlaybookRun(
        piece(one["uuid"]),
        text(one["status"]).lower(),
        moment(one["started_at"]),
        words(one.get("error"))[:SHOWN_TEXT],
        nodes,
    )


async def run_of(client: Sekoia, uuid: str) -> PlaybookRun:
    call = get(f"{RUNS}/{uuid}", f"read the run {uuid}")
    found = await client.call(call)
    with documented(call.operation):
        return playbook_run(found)


async def node_error(client: Sekoia, uuid: str) -> str:
    """Why a block failed, in Sekoia.io's words; '' where it does not say. Raises OnboardingError."""
    call = get(f"{NODE_RUNS}/{uuid}", f"read the run {uuid} of a block")
    found = await client.call(call)
    with documented(call.operation):
        return words(found.get("error"))[:SHOWN_TEXT]


async def emit(client: Sekoia, trigger: str, uuid: str, one: Alert) -> None:
    """Start the playbook as if the alert had just been created. Raises OnboardingError.

    Public notes have the playbook's uuid beside the event, meshroom within it.
    """
    body = {"event": {**one.event, "playbook_uuid": uuid}, "playbook_uuid": uuid}
    operation = f"emit a test event for the playbook {uuid}"
    await client.call(Call("POST", f"{TRIGGERS}/{trigger}", operation, body, again=False))


async def others_use(client: Sekoia, ours: str, uuids: Sequence[str]) -> set[str]:
    """Which of these configurations another playbook refers to. Raises OnboardingError."""
    used: set[str] = set()
    for one in await playbooks(client):
        if one.uuid != ours:
            nodes = (await playbook(client, one.uuid)).nodes.values()
            used |= {str(node.get(key)) for node in nodes for key in graph.CONFIGURATIONS}
    return used & set(uuids)
