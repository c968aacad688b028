# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secure Endpoint's REST API, version 1: who may ask, and what is answered.

Documented (api-docs.amp.cisco.com): paths, five streams, ten days, 3,000 calls an hour, headers of the limit, a
password in the answer to a create only. Seen in public code: the envelopes of answers and errors, 401 elsewhere.
Assumed: a credential that may only read is refused the list of streams; the text of the limit; that a name may be
taken twice; whether a list shows filters, and as event_types and group_guids; ids of what is not there are 404.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from lab.kernel.http import Call, Principal, Refusal, Reply, dumps, ok
from lab.kernel.registration import Operation
from lab.kernel.router import Table
from lab.secure_endpoint.state import EVENT_TYPES, Organisation, SecureEndpoint, Stream

VERSION = "v1.2.0"
MAX_STREAMS = 5
HOURLY = 3000
PAGE = 500
TEXTS = {
    400: ("Bad Request", ""),
    401: ("Unauthorized", "Unknown API key or Client ID"),
    403: ("Forbidden", "The API credential's scope does not allow this"),
    404: ("Not found", ""),
    429: ("Too Many Requests", "Rate limit exceeded"),
}


def shape(code: str, message: str, status: int) -> dict[str, Any]:
    """The body of an error."""
    number = int(code) if code.isdigit() else status
    error = {"error_code": number, "description": message, "details": [message]}
    return {"version": VERSION, "data": {}, "errors": [error]}


def fail(status: int, detail: str = "") -> Refusal:
    description, usual = TEXTS[status]
    body = shape(str(status), description, status)
    body["errors"][0]["details"] = [detail or usual]
    return Refusal(Reply(status, dumps(body)))


def answer(call: Call, data: Any, status: int = 200, **metadata: Any) -> Reply:
    links = {"self": f"https://{call.headers.get('Host')}{call.path}", **metadata.pop("links", {})}
    return ok({"version": VERSION, "metadata": {"links": links, **metadata}, "data": data}, status)


def paged(call: Call, items: list[Any]) -> Reply:
    try:
        limit = min(int(call.query.get("limit", PAGE)), PAGE)
        offset = int(call.query.get("offset", 0))
    except ValueError:
        raise fail(400, "limit, offset") from None
    page = items[offset : offset + limit]
    links = {}
    if offset + limit < len(items):
        query = urlencode({**call.query, "limit": limit, "offset": offset + limit})
        links = {"next": f"https://{call.headers.get('Host')}{call.path}?{query}"}
    results = {"total": len(items), "current_item_count": len(page), "index": offset, "items_per_page": limit}
    return answer(call, page, links=links, results=results)


# -- who may ask ------------------------------------------------------------------------------------------------------


def enter(state: SecureEndpoint, call: Call, *, streams: bool = False) -> None:
    """streams: what only a credential with scope Read & Write may."""
    one = _organisation(state, call)
    left, resets = state.lab.throttle.window(f"secure_endpoint {one.client_id}", HOURLY, 3600.0)
    limits = {"Limit": HOURLY, "Remaining": max(0, left), "Reset": int(resets)}
    headers = {f"{name}-{key}": str(value) for name in ("X-RateLimit", "X-Rate-Limit") for key, value in limits.items()}
    call.extra.update(headers)
    if left < 0:
        refusal = fail(429)
        refusal.headers.update(headers)
        raise refusal
    if streams and not one.writes:
        raise fail(state.secure_endpoint_refusal)
    call.principal = Principal(one.client_id, one.client_id, one.client_id, "secure_endpoint", 0.0)


def _organisation(state: SecureEndpoint, call: Call) -> Organisation:
    """By HTTP Basic, in its own region only."""
    kind, _, given = call.headers.get("Authorization", "").partition(" ")
    try:
        client_id, _, key = base64.b64decode(given, validate=True).decode().partition(":")
    except ValueError:
        raise fail(401) from None
    one = state.organisations.get(client_id)
    host = call.headers.get("Host", "").rpartition(":")[0].lower()
    if kind.lower() != "basic" or one is None or one.host != host or key != state.key(client_id):
        raise fail(401)
    return one


# -- streams ----------------------------------------------------------------------------------------------------------


def shown(state: SecureEndpoint, one: Stream, password: str = "") -> dict[str, Any]:
    filters = {"event_types": one.event_type, "group_guids": one.group_guid}
    return {
        "id": one.id,
        "name": one.name,
        **({} if state.secure_endpoint_hides_filters else filters),
        "amqp_credentials": {
            "user_name": one.user,
            "queue_name": one.queue,
            **({"password": password} if password else {}),
            "host": state.broker.host,
            "port": str(state.broker.port),
            "proto": "amqps",
        },
    }


def listing(state: SecureEndpoint, call: Call) -> Reply:
    return paged(call, [shown(state, one) for one in state.of(call.who.tid)])


def create(state: SecureEndpoint, call: Call) -> Reply:
    given = _body(call)
    if not isinstance(given.get("name"), str) or not given["name"]:
        raise fail(400, "name is missing")
    types, groups = _filters(state, call, given)
    if len(state.of(call.who.tid)) >= MAX_STREAMS:
        raise fail(400, "The maximum number of event streams has been reached")
    made = state.add(call.who.tid, given["name"], types or [], groups or [])
    return answer(call, shown(state, made, made.password), 201)


def get(state: SecureEndpoint, call: Call) -> Reply:
    return answer(call, shown(state, _one(state, call)))


def update(state: SecureEndpoint, call: Call) -> Reply:
    one, given = _one(state, call), _body(call)
    types, groups = _filters(state, call, given)
    one.event_type = one.event_type if types is None else types
    one.group_guid = one.group_guid if groups is None else groups
    one.name = str(given.get("name") or one.name)
    return answer(call, shown(state, one))


def delete(state: SecureEndpoint, call: Call) -> Reply:
    state.remove(_one(state, call))
    return answer(call, {"deleted": True})


def _one(state: SecureEndpoint, call: Call) -> Stream:
    text = call.args["id"]
    found = state.streams.get(int(text)) if text.isdigit() else None
    if found is None or found.organisation != call.who.tid:
        raise fail(404, "No such event stream")
    return found


def _body(call: Call) -> dict[str, Any]:
    try:
        found = json.loads(call.body)
    except ValueError:
        raise fail(400, "the body is not JSON") from None
    if not isinstance(found, dict):
        raise fail(400, "the body is no object")
    return found


def _filters(state: SecureEndpoint, call: Call, given: dict[str, Any]) -> tuple[list[int] | None, list[str] | None]:
    types, groups = given.get("event_type"), given.get("group_guid")
    if any(one not in EVENT_TYPES for one in types or ()):
        raise fail(400, "event_type is unknown")
    if any(one not in state.organisations[call.who.tid].groups for one in groups or ()):
        raise fail(400, "group_guid is unknown")
    return types, groups


# -- the rest ---------------------------------------------------------------------------------------------------------


def version(state: SecureEndpoint, call: Call) -> Reply:
    return answer(call, {})


def event_types(state: SecureEndpoint, call: Call) -> Reply:
    return paged(call, [{"id": id, "name": name, "description": name} for id, name in EVENT_TYPES.items()])


def groups(state: SecureEndpoint, call: Call) -> Reply:
    held = state.organisations[call.who.tid].groups
    return paged(call, [{"guid": guid, "name": name, "description": name} for guid, name in held.items()])


def events(state: SecureEndpoint, call: Call) -> Reply:
    """The newest first."""
    held = sorted(state.organisations[call.who.tid].events, reverse=True)
    told = [
        {"id": number, "timestamp": int(state.shown(at)), "event_type": EVENT_TYPES[kind], "event_type_id": kind}
        for number, (at, kind) in enumerate(held, 1)
    ]
    return paged(call, told)


def _known(kind: str, handler: Callable[[SecureEndpoint, Call], Reply], *, streams: bool = False) -> Operation:
    return Operation(f"secure_endpoint.{kind}", handler, partial(enter, streams=streams))


STREAMS = "/v1/event_streams"
ROUTES = Table(
    {
        ("GET", "/v1/version"): _known("version", version),
        ("GET", STREAMS): _known("streams.list", listing, streams=True),
        ("POST", STREAMS): _known("streams.create", create, streams=True),
        ("GET", f"{STREAMS}/{{id}}"): _known("streams.get", get, streams=True),
        ("PATCH", f"{STREAMS}/{{id}}"): _known("streams.update", update, streams=True),
        ("DELETE", f"{STREAMS}/{{id}}"): _known("streams.delete", delete, streams=True),
        ("GET", "/v1/event_types"): _known("event_types", event_types),
        ("GET", "/v1/groups"): _known("groups", groups),
        ("GET", "/v1/events"): _known("events", events),
    }
)
