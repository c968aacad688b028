# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may ask Sekoia.io's API for what, and what all of its answers have in common.

Sources and what is assumed: lab/sekoia/routes.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from lab.kernel.http import Call, Principal, Refusal, Reply, flat, ok
from lab.sekoia.state import Key, Sekoia

BLOCK_SECONDS = 10.0
MAX_LIMIT = 100


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


def refused(sekoia: Sekoia, status: int, code: str, message: str) -> Refusal:
    _erred(sekoia)
    return flat(status, code, message)


def own_key(sekoia: Sekoia, call: Call) -> Key:
    return sekoia.keys[call.who.oid]


def body_of(sekoia: Sekoia, call: Call) -> dict[str, Any]:
    try:
        found = json.loads(call.body)
    except ValueError:
        raise refused(sekoia, 400, "bad_request", "The body is not JSON.") from None
    if not isinstance(found, dict):
        raise refused(sekoia, 400, "bad_request", "The body is no object.")
    return found


def community_of(sekoia: Sekoia, call: Call, given: Any) -> str:
    """Where something is made: in the key's own community, or in one below it."""
    wanted = str(given or call.who.tid)
    if not sekoia.reaches(own_key(sekoia, call), wanted):
        raise refused(sekoia, 403, "permission_denied", "The community is out of reach.")
    return wanted


def listed(sekoia: Sekoia, call: Call, held: Iterable[Any], shown: Callable[[Any], dict[str, Any]]) -> Reply:
    """Those that the key reaches and that match, page by page. match[name] is exact; assumed."""
    query = dict(parse_qsl(call.query_string, keep_blank_values=True))
    key = own_key(sekoia, call)
    found = [shown(one) for one in held if sekoia.reaches(key, one.community)]
    wanted = {name[6:-1]: value for name, value in query.items() if name.startswith("match[")}
    found = [one for one in found if all(str(one.get(name, value)) == value for name, value in wanted.items())]
    return page_of(sekoia, query, found)


def page_of(sekoia: Sekoia, query: Mapping[str, str], found: list[dict[str, Any]]) -> Reply:
    try:
        limit, offset = int(query.get("limit", 20)), int(query.get("offset", 0))
    except ValueError:
        limit = offset = -1
    if not 0 < limit <= MAX_LIMIT or offset < 0:
        raise refused(sekoia, 400, "bad_request", "limit must be 1 to 100, offset a number.")
    page = found[offset : offset + min(limit, sekoia.sekoia_page)]
    return ok({"items": page, "total": len(found)})


def held_in(sekoia: Sekoia, call: Call, held: Mapping[str, Any]) -> Any:
    found = held.get(call.args["uuid"].lower())
    if found is None or not sekoia.reaches(own_key(sekoia, call), found.community):
        raise refused(sekoia, 404, "not_found", "There is no such object.")
    return found


def me(sekoia: Sekoia, call: Call) -> Reply:
    return ok({"uuid": call.who.oid, "community": call.who.tid, "community_uuid": call.who.tid})


def communities(sekoia: Sekoia, call: Call) -> Reply:
    reached = [one for one in sekoia.communities.values() if sekoia.reaches(own_key(sekoia, call), one["uuid"])]
    return page_of(sekoia, call.query, [{"uuid": one["uuid"], "name": one["name"]} for one in reached])


def delete(sekoia: Sekoia, call: Call, *, of: str) -> Reply:
    held = getattr(sekoia, of)
    del held[held_in(sekoia, call, held).uuid]
    return Reply(204)
