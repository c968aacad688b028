# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sekoia.io's intakes, what is sent to them, and the search over it.

Sources and what is assumed: lab/sekoia/routes.py.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from lab.kernel.clock import stamp
from lab.kernel.http import Call, Reply, flat, ok
from lab.sekoia.access import MAX_LIMIT, body_of, community_of, held_in, listed, own_key, page_of, refused
from lab.sekoia.state import Intake, Sekoia, new_uuid

MAX_EVENT = 250 * 1024
INTAKE = "/sekoia-intake"
TERM = re.compile(r'sekoiaio\.intake\.uuid\s*:\s*"([0-9a-f-]{36})"(?:\s+AND\s+"([^"]*)")?')


def _intake(sekoia: Sekoia, one: Intake) -> dict[str, Any]:
    return {
        "uuid": one.uuid,
        "name": one.name,
        "community_uuid": one.community,
        "entity": {"uuid": one.entity},
        "entity_uuid": one.entity,
        "format_uuid": one.format,
        "intake_key": one.key,
        "status": "RUNNING",
        "created_at": stamp(sekoia.shown(one.created)),
    }


def intakes(sekoia: Sekoia, call: Call) -> Reply:
    return listed(sekoia, call, sekoia.intakes.values(), partial(_intake, sekoia))


def intake(sekoia: Sekoia, call: Call) -> Reply:
    return ok(_intake(sekoia, held_in(sekoia, call, sekoia.intakes)))


def create_intake(sekoia: Sekoia, call: Call) -> Reply:
    given = body_of(sekoia, call)
    entity = sekoia.entities.get(str(given.get("entity_uuid")))
    if not given.get("name") or entity is None or given.get("format_uuid") not in sekoia.formats:
        raise refused(sekoia, 400, "bad_request", "name, entity_uuid or format_uuid is missing or unknown.")
    community = community_of(sekoia, call, entity["community_uuid"])
    secret = sekoia.lab.derive(f"intake {new_uuid()}").hex()[:32]
    made = Intake(new_uuid(), community, str(given["name"]), entity["uuid"], given["format_uuid"], secret, sekoia.now())
    sekoia.intakes[made.uuid] = made
    return ok(_intake(sekoia, made))


def change_intake(sekoia: Sekoia, call: Call) -> Reply:
    """Its name and entity; assumed: that its format is fixed."""
    one, given = held_in(sekoia, call, sekoia.intakes), body_of(sekoia, call)
    if "format_uuid" in given or given.get("entity_uuid", one.entity) not in sekoia.entities:
        raise refused(sekoia, 400, "bad_request", "The format is fixed, or the entity is unknown.")
    one.name, one.entity = str(given.get("name", one.name)), given.get("entity_uuid", one.entity)
    return ok(_intake(sekoia, one))


def entities(sekoia: Sekoia, call: Call) -> Reply:
    key = own_key(sekoia, call)
    held = [one for one in sekoia.entities.values() if sekoia.reaches(key, one["community_uuid"])]
    query = dict(parse_qsl(call.query_string))
    community = query.get("match[community_uuid]")
    return page_of(sekoia, query, [one for one in held if community in (None, one["community_uuid"])])


def create_entity(sekoia: Sekoia, call: Call) -> Reply:
    given = body_of(sekoia, call)
    if not given.get("name") or not given.get("entity_id"):
        raise refused(sekoia, 400, "bad_request", "name or entity_id is missing.")
    community = community_of(sekoia, call, given.get("community_uuid"))
    made = {"uuid": new_uuid(), **{name: str(given.get(name, "")) for name in ("name", "entity_id", "description")}}
    sekoia.entities[made["uuid"]] = {**made, "community_uuid": community}
    return ok(sekoia.entities[made["uuid"]])


def generation_modes(sekoia: Sekoia, call: Call) -> Reply:
    return page_of(sekoia, call.query, [{"uuid": "1f2f6b0e-0000-4000-8000-000000000001", "name": "default"}])


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
        given = body_of(sekoia, call)
        event, key = str(given.get("json", "")), str(given.get("intake_key", key))
    one = _of_key(sekoia, key)
    if len(event.encode()) > MAX_EVENT:
        raise flat(413, "too_large", "The event is too large.")
    one.events.append((sekoia.now(), event))
    return ok({"event_id": new_uuid()})


def receive_batch(sekoia: Sekoia, call: Call) -> Reply:
    """{jsons, intake_key}: those that are not too large, refused where all are."""
    given = body_of(sekoia, call)
    one = _of_key(sekoia, str(given.get("intake_key", "")))
    taken = [str(event) for event in given.get("jsons") or () if len(str(event).encode()) <= MAX_EVENT]
    if not taken:
        raise flat(413, "too_large", "There is no event, or all are too large.")
    one.events += [(sekoia.now(), event) for event in taken]
    return ok({"event_ids": [new_uuid() for _event in taken]})


def _of_key(sekoia: Sekoia, key: str) -> Intake:
    found = next((held for held in sekoia.intakes.values() if held.key == key), None)
    if found is None:
        raise flat(401, "unauthorized", "The intake key is not valid.")
    return found


def _password(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def search(sekoia: Sekoia, call: Call) -> Reply:
    given = body_of(sekoia, call)
    found = TERM.fullmatch(str(given.get("term", "")))
    if found is None or not given.get("earliest_time") or not given.get("latest_time"):
        raise refused(sekoia, 400, "bad_request", "The lab's search knows an intake, and a text of its events.")
    one = sekoia.intakes.get(found[1])
    if one is None or not sekoia.reaches(own_key(sekoia, call), one.community):
        raise refused(sekoia, 404, "not_found", "There is no such intake.")
    uuid = new_uuid()
    sekoia.jobs[uuid] = {"uuid": uuid, "intake": one.uuid, "text": found[2] or "", "earliest": given["earliest_time"]}
    return ok({"uuid": uuid, "status": "pending"})


def _job(sekoia: Sekoia, call: Call) -> dict[str, Any]:
    found = sekoia.jobs.get(call.args["uuid"])
    if found is None:
        raise refused(sekoia, 404, "not_found", "There is no such job.")
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
    return page_of(sekoia, call.query, found)
