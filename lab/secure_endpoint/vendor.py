# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco Secure Endpoint, registered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from lab.kernel.http import Call
from lab.kernel.registration import Vendor
from lab.secure_endpoint.broker import Memory
from lab.secure_endpoint.routes import ROUTES, TEXTS, shape
from lab.secure_endpoint.state import EVENT_TYPES, Organisation, SecureEndpoint, load


def _state(state: SecureEndpoint, _call: Call, _body: Any) -> dict[str, Any]:
    """Queues as the memory counts them; those of a real broker it counts itself."""
    broker = state.broker
    counted = {"messages": broker.messages, "consumers": broker.consumers} if isinstance(broker, Memory) else {}
    return {
        "organisations": {one.client_id: asdict(one) for one in state.organisations.values()},
        "keys": {client_id: state.key(client_id) for client_id in state.organisations},
        "streams": {one.id: {**asdict(one), "queue": one.queue} for one in state.streams.values()},
        **counted,
    }


def _status(state: SecureEndpoint) -> dict[str, Any]:
    return {"organisations": len(state.organisations), "streams": len(state.streams)}


def _files(state: SecureEndpoint) -> Iterator[tuple[str, str]]:
    for client_id in state.organisations:
        yield f"secure_endpoint-{client_id}.key", state.key(client_id)


def _endless(value: Any, _code: str, _message: str) -> Any:
    """The next page is always the first one."""
    links = value["metadata"]["links"]
    return {**value, "metadata": {**value["metadata"], "links": {**links, "next": links["self"]}}}


def _elsewhere(value: Any, _code: str, _message: str) -> Any:
    links = {"next": "https://elsewhere.example/v1/event_streams?offset=5"}
    return {**value, "metadata": {**value["metadata"], "links": links}}


# -- what others do ---------------------------------------------------------------------------------------------------


def put(state: SecureEndpoint, client_id: str, name: str) -> None:
    """Somebody makes a stream; one of the name may be there already."""
    state.add(client_id, name, [], [])


def change(state: SecureEndpoint, id: int, **fields: Any) -> None:
    """name, event_type, group_guid."""
    for name, value in fields.items():
        setattr(state.streams[id], name, value)


def remove(state: SecureEndpoint, id: int) -> None:
    state.remove(state.streams[id])


def organisation(state: SecureEndpoint, client_id: str, **fields: Any) -> None:
    """writes, host."""
    for name, value in fields.items():
        setattr(state.organisations[client_id], name, value)


def add_organisation(state: SecureEndpoint, client_id: str, name: str, host: str = "localhost") -> None:
    state.organisations[client_id] = Organisation(client_id, name, host)


def happen(
    state: SecureEndpoint, client_id: str, ago: float = 60.0, number: int = 1, event_type: int = 553648130
) -> None:
    """Events of that long ago, each with an id of its own and one detection."""
    at = state.now() - ago
    events = [
        {"at": at, "id": 1000 + one, "event_type": EVENT_TYPES[event_type], "detection_id": "6159251516445163587"}
        for one in range(number)
    ]
    for event in events:
        state.happen(client_id, event_type, event)


def readers(state: SecureEndpoint, id: int, consumers: int, messages: int | None = None) -> None:
    """Consumers come or go, and leave so many events; of the memory only."""
    broker, queue = state.broker, state.streams[id].queue
    if not isinstance(broker, Memory):
        raise ValueError("a real broker has real consumers")
    broker.consumers[queue] = consumers
    broker.messages[queue] = broker.messages[queue] if messages is None else messages


def drift(state: SecureEndpoint) -> list[dict[str, Any]]:
    """Somebody narrows each stream to one type of event."""
    for one in state.streams.values():
        one.event_type = [1090519054]
    edit = {"edit": "change_secure_endpoint_stream"}
    return [
        edit | {"tenant": state.organisations[one.organisation].name, "name": one.name, "target": one.queue}
        for one in state.streams.values()
    ]


VENDOR = Vendor(
    name="secure_endpoint",
    state=SecureEndpoint,
    load=load,
    segments=frozenset({"v1"}),
    find=ROUTES.find,
    operations=ROUTES.operations,
    shapes={"envelope": shape},
    throttled=("429", TEXTS[429][0]),
    retry=lambda seconds: {"X-RateLimit-Reset": str(int(seconds))},
    faults={"endless_links": _endless, "link_elsewhere": _elsewhere},
    control={("GET", ""): _state},
    mutations={
        "put_secure_endpoint_stream": put,
        "change_secure_endpoint_stream": change,
        "remove_secure_endpoint_stream": remove,
        "change_secure_endpoint_organisation": organisation,
        "add_secure_endpoint_organisation": add_organisation,
        "secure_endpoint_event": happen,
        "secure_endpoint_readers": readers,
    },
    drift=drift,
    status=_status,
    files=_files,
)
