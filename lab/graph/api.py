# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph v1.0: who comes in, who may, its errors, and the query options that the lab knows.

Errors: learn.microsoft.com graph/errors. Invalid tokens: as quoted in public issues. Query options that are not listed
here are refused, though Graph has them.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from lab.entra import directory_roles, users
from lab.graph.state import Graph
from lab.kernel.clock import stamp
from lab.kernel.http import Call, Principal, Refusal, Reply, dumps, ok

Item = dict[str, Any]
Relations = Mapping[str, Callable[[], list[Item]]]
PAGE, MOST, EXPANDED = 100, 999, 20
READERS = frozenset(
    {
        "Application.Read.All",
        "Application.ReadWrite.All",
        "Application.ReadWrite.OwnedBy",
        "Directory.Read.All",
    }
)
_OPTIONS = frozenset({"$select", "$filter", "$top", "$skiptoken", "$count", "$expand"})
_EQUALS = re.compile(r"\s*(\w+)\s+eq\s+(?:'((?:[^']|'')*)'|([0-9a-f-]{36}))\s*", re.I)
_TOKEN_TEXTS = {
    "ExpiredAuthenticationToken": "Lifetime validation failed, the token is expired.",
    "AuthenticationFailed": "Access token is empty.",
    "InvalidAuthenticationToken": "CompactToken parsing failed with error code: 80049217",
}


# -- errors -----------------------------------------------------------------------------------------------------------


def refuse(call: Call, status: int, code: str, message: str, detail: str = "") -> Refusal:
    """`detail`: the code in `details`, which repeats the message."""
    inner = {
        "date": stamp(time.time())[:19],
        "request-id": call.extra.get("request-id", ""),
        "client-request-id": call.extra.get("client-request-id", ""),
    }
    more = {"details": [{"code": detail, "message": message}]} if detail else {}
    return Refusal(Reply(status, dumps({"error": {"code": code, "message": message, **more, "innerError": inner}})))


def bad(call: Call, message: str, detail: str = "") -> Refusal:
    return refuse(call, 400, "Request_BadRequest", message, detail)


def denied(call: Call) -> Refusal:
    return refuse(call, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def missing(call: Call, what: str) -> Refusal:
    text = f"Resource '{what}' does not exist or one of its queried reference-property objects are not present."
    return refuse(call, 404, "Request_ResourceNotFound", text)


# -- the way in -------------------------------------------------------------------------------------------------------


def enter(graph: Graph, call: Call) -> None:
    """Token and audience; and that the principal of an app's token is still there."""
    number = str(uuid.uuid4())
    call.extra["request-id"] = number
    call.extra["client-request-id"] = call.headers.get("client-request-id", number)
    try:
        who = graph.entra.tokens.check(call.headers.get("Authorization", ""))
    except Refusal as refusal:
        code = json.loads(refusal.reply.body)["error"]["code"]
        raise refuse(call, 401, "InvalidAuthenticationToken", _TOKEN_TEXTS[code]) from None
    app = directory_roles.BY_ID[directory_roles.GRAPH]
    if who.audience not in graph.entra.graph_audiences and who.audience not in (app.app_id, *app.uris):
        text = "Access token validation failure. Invalid audience."
        raise refuse(call, 401, "InvalidAuthenticationToken", text)
    if not who.user and graph.entra.principal(who.tid, who.appid) != who.oid:
        text = "The identity of the calling application could not be established."
        raise refuse(call, 401, "Authorization_IdentityNotFound", text)
    call.principal = who


def is_admin(who: Principal) -> bool:
    return who.user and users.GLOBAL_ADMINISTRATOR in who.roles


def require_read(call: Call) -> None:
    """Every user may read the directory."""
    if not (call.who.user or call.who.roles & READERS):
        raise denied(call)


def may_write(call: Call, owners: set[str]) -> bool:
    """Applications and service principals: an administrator, or an app for all or for those that it owns."""
    who = call.who
    if who.user:
        return is_admin(who)
    return "Application.ReadWrite.All" in who.roles or (
        "Application.ReadWrite.OwnedBy" in who.roles and who.oid in owners
    )


def require_write(call: Call, owners: set[str]) -> None:
    if not may_write(call, owners):
        raise denied(call)


# -- what is sent -----------------------------------------------------------------------------------------------------


def body(call: Call) -> Item:
    """The body as an object, without annotations, which clients add."""
    try:
        value = json.loads(call.body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise refuse(call, 400, "BadRequest", "Unable to read JSON request payload.")
    return {key: held for key, held in value.items() if "@odata" not in key}


def key_of(call: Call) -> tuple[str, str]:
    """By what the path names an object: (id | appId | uniqueName, value)."""
    name, _, value = call.scope.partition("=")
    return name, value


# -- what is answered -------------------------------------------------------------------------------------------------


def _options(call: Call) -> dict[str, str]:
    query = call.query
    unknown = sorted(set(query) - _OPTIONS)
    if unknown:
        raise refuse(call, 400, "BadRequest", f"The lab does not know the query option '{unknown[0]}'.")
    return query


def selected(call: Call) -> list[str]:
    return _names(call, "$select")


def _names(call: Call, option: str) -> list[str]:
    return [name.strip() for name in _options(call).get(option, "").split(",") if name.strip()]


def _expand(call: Call, item: Item, relations: Relations) -> Item:
    """With the first entries of relations, as Graph has it for objects of the directory."""
    for name in _names(call, "$expand"):
        if name not in relations:
            raise refuse(call, 400, "BadRequest", f"The lab does not expand '{name}' here.")
        item = {**item, name: relations[name]()[:EXPANDED]}
    return item


def _cut(call: Call, item: Item, names: list[str]) -> Item:
    for name in names:
        if name not in item:
            text = f"Parsing OData Select and Expand failed: Could not find a property named '{name}'."
            raise refuse(call, 400, "BadRequest", text)
    return {name: item[name] for name in names} if names else item


def one(
    graph: Graph, call: Call, kind: str, item: Item, status: int = 200, relations: Relations | None = None
) -> Reply:
    """`relations`: what $expand may add, by name."""
    item, names = _expand(call, item, relations or {}), selected(call)
    names += [name for name in _names(call, "$expand") if names and name not in names]
    context = f"{graph.entra.graph_url}/v1.0/$metadata#{kind}{'(' + ','.join(names) + ')' if names else ''}/$entity"
    return ok({"@odata.context": context, **_cut(call, item, names)}, status)


def many(graph: Graph, call: Call, kind: str, items: Iterable[Item], filters: Iterable[str] = ()) -> Reply:
    """A page of a list, of those that $filter keeps; `filters` are the properties that may be filtered by."""
    options = _options(call)
    _expand(call, {}, {})
    kept = _kept(call, items, options.get("$filter", ""), set(filters))
    size = min(_number(call, options.get("$top") or str(PAGE), MOST), graph.page_size)
    start = _number(call, options.get("$skiptoken") or "0", len(kept))
    names = selected(call)
    answer: Item = {
        "@odata.context": f"{graph.entra.graph_url}/v1.0/$metadata#{kind}",
        "value": [_cut(call, item, names) for item in kept[start : start + size]],
    }
    if start + size < len(kept):
        query = {**options, "$skiptoken": str(start + size)}
        text = "&".join(f"{key}={quote(value, safe='')}" for key, value in query.items())
        answer["@odata.nextLink"] = f"{graph.url}{call.path}?{text}"
    return ok(answer)


def _kept(call: Call, items: Iterable[Item], text: str, filters: set[str]) -> list[Item]:
    if not text:
        return list(items)
    match = _EQUALS.fullmatch(text)
    if match is None or match[1] not in filters:
        raise refuse(call, 400, "Request_UnsupportedQuery", f"Unsupported or invalid query filter clause: '{text}'.")
    value = match[3] or match[2].replace("''", "'")
    return [item for item in items if str(item[match[1]] or "").lower() == value.lower()]


def _number(call: Call, text: str, most: int) -> int:
    if not text.isdecimal() or int(text) > most:
        raise bad(call, f"Invalid page size or skip token specified: '{text}'.")
    return int(text)


def when(graph: Graph, seconds: float) -> str:
    """World seconds as Graph prints times."""
    return stamp(graph.shown(seconds))[:19] + "Z"
