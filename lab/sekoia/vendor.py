# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sekoia.io, registered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from lab.kernel.http import Call
from lab.kernel.registration import Vendor
from lab.sekoia import runtime
from lab.sekoia.routes import ROUTES
from lab.sekoia.state import DISABLED, Configuration, Intake, Playbook, Sekoia, load, new_uuid


def _state(sekoia: Sekoia, _call: Call, _body: Any) -> dict[str, Any]:
    named = ("keys", "playbooks", "triggers", "modules", "runs", "intakes")
    found = {name: {key: asdict(one) for key, one in getattr(sekoia, name).items()} for name in named}
    for key in found["keys"].values():
        key["permissions"] = sorted(key["permissions"])
    plain = {name: getattr(sekoia, name) for name in ("communities", "alerts", "entities", "formats", "blocked")}
    return {**found, **plain}


async def _alert(sekoia: Sekoia, _call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """An alert is created {community, rule, severity, ago}: its uuid, and the runs that it has started."""
    number = len(sekoia.alerts) + 1
    uuid, rule = (
        new_uuid(),
        {"name": body.get("rule", "Lab rule"), "uuid": new_uuid(), "severity": body.get("severity", 40)},
    )
    at = sekoia.now() - float(body.get("ago", 0.0))
    created = int(sekoia.shown(at))
    told = {
        "status": {"name": "Pending", "description": ""},
        "entity": {"name": "Main Entity", "uuid": new_uuid()},
        "alert_type": {"value": "phishing", "category": "fraud"},
        "rule": rule,
        "short_id": f"AL{number:010d}",
    }
    sekoia.alerts[uuid] = {
        **told, "uuid": uuid, "community_uuid": body["community"], "at": at, "created_at": created,
        "urgency": {"current_value": 42, "value": 40}, "title": rule["name"], "details": "Lab", "comments": [],
    }  # fmt: skip
    event = {**told, "event_type": "alert-created", "alert_uuid": uuid, "urgency": 42, "created_at": created}
    started = await runtime.alert_created(sekoia, body["community"], event)
    return {"uuid": uuid, "short_id": told["short_id"], "runs": [asdict(one) for one in started]}


def _status(sekoia: Sekoia) -> dict[str, Any]:
    return {"communities": len(sekoia.communities), "playbooks": len(sekoia.playbooks), "intakes": len(sekoia.intakes)}


def _files(sekoia: Sekoia) -> Iterator[tuple[str, str]]:
    for one in sekoia.keys.values():
        yield f"sekoia-{one.name}.key", one.secret


def _endless(value: Any, _code: str, _message: str) -> Any:
    """There is always more."""
    return {**value, "total": 10**9} if isinstance(value, dict) and "total" in value else value


# -- what others do, in Sekoia.io's pages -----------------------------------------------------------------------------


def put_community(sekoia: Sekoia, uuid: str, name: str) -> None:
    """One below the first, with an entity."""
    parent = next(iter(sekoia.communities))
    sekoia.communities[uuid] = {"uuid": uuid, "name": name, "parent": parent}
    entity = {"uuid": new_uuid(), "name": "Main Entity", "entity_id": "main_entity", "community_uuid": uuid}
    sekoia.entities[entity["uuid"]] = entity


def put_playbook(sekoia: Sekoia, community: str, name: str, **fields: Any) -> None:
    made = Playbook(new_uuid(), community, name, **fields)
    sekoia.playbooks[made.uuid] = made


def change_playbook(sekoia: Sekoia, uuid: str, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(sekoia.playbooks[uuid], name, value)


def put_configuration(sekoia: Sekoia, of: str, community: str, name: str, kind: str, value: dict[str, Any]) -> None:
    """of: triggers or modules."""
    made = Configuration(new_uuid(), community, name, kind, value)
    getattr(sekoia, of)[made.uuid] = made


def change_configuration(sekoia: Sekoia, of: str, uuid: str, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(getattr(sekoia, of)[uuid], name, value)


def delete(sekoia: Sekoia, of: str, uuid: str) -> None:
    """of: playbooks, triggers, modules or intakes."""
    del getattr(sekoia, of)[uuid]


def put_intake(sekoia: Sekoia, community: str, name: str, entity: str, format: str) -> None:
    made = Intake(new_uuid(), community, name, entity, format, new_uuid().replace("-", ""), sekoia.now())
    sekoia.intakes[made.uuid] = made


def change_intake(sekoia: Sekoia, uuid: str, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(sekoia.intakes[uuid], name, value)


def change_key(sekoia: Sekoia, name: str, **fields: Any) -> None:
    """secret; permissions, as a list."""
    for field, value in fields.items():
        setattr(sekoia.keys[name], field, set(value) if field == "permissions" else value)


def receive(sekoia: Sekoia, uuid: str, text: str = "lab", ago: float = 0.0) -> None:
    """An event came to the intake, so many seconds ago."""
    sekoia.intakes[uuid].events.append((sekoia.now() - ago, text))


def drift(sekoia: Sekoia) -> list[dict[str, Any]]:
    """Somebody switches each playbook off."""
    edit = {"edit": "change_sekoia_playbook"}
    done = []
    for one in sekoia.playbooks.values():
        one.status = DISABLED
        tenant = sekoia.communities[one.community]["name"]
        done.append(edit | {"tenant": tenant, "name": one.name, "target": one.uuid})
    return done


VENDOR = Vendor(
    name="sekoia",
    state=Sekoia,
    load=load,
    segments=frozenset({"api", "sekoia-intake"}),
    find=ROUTES.find,
    operations=ROUTES.operations,
    shapes={"flat": lambda code, message, _status: {"code": code, "message": message}},
    throttled=("too_many_requests", "Too many requests."),
    faults={"sekoia_endless_total": _endless},
    control={("GET", ""): _state, ("POST", "alert"): _alert},
    mutations={
        "put_sekoia_community": put_community,
        "put_sekoia_playbook": put_playbook,
        "change_sekoia_playbook": change_playbook,
        "put_sekoia_configuration": put_configuration,
        "change_sekoia_configuration": change_configuration,
        "delete_sekoia": delete,
        "put_sekoia_intake": put_intake,
        "change_sekoia_intake": change_intake,
        "change_sekoia_key": change_key,
        "sekoia_event": receive,
    },
    drift=drift,
    status=_status,
    files=_files,
)
