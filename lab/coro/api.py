# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coro's public API: token and workspaces as documented (docs.coro.net), SIEM connectors as assumed.

Documented: the token call and its statuses, `Authorization: Bearer`, the `Workspace` header, `items` and
`totalElements`, `page` from 0, 20 items a page, X-Coro-Trace-Id. Assumed: every error body, as Coro describes none;
that a page has 100 items at most; and all of /v1/siem-connectors, which is shaped on /v1/webhook-configuration.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lab.coro import delivery, fields
from lab.coro.state import Connector, Coro, Workspace, shown
from lab.kernel.http import Call, Principal, Refusal, Reply, flat, ok
from lab.kernel.sender import Answer

AUDIENCES = frozenset({"https://secure.coro.net/api", "https://api.secure.coro.net"})
CONNECTORS = "/v1/siem-connectors"
LARGEST_PAGE = 100


def body_of(call: Call) -> dict[str, Any]:
    try:
        value = json.loads(call.body or b"{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise flat(400, "INVALID_BODY", "The body is not a JSON object.")
    return value


# -- the way in -------------------------------------------------------------------------------------------------------


def token(coro: Coro, call: Call) -> Reply:
    """POST /oauth/token: documented, save the error bodies. The lab's own address is an audience, too."""
    body = body_of(call)
    for name in ("client_id", "client_secret", "audience", "grant_type"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise flat(400, "INVALID_REQUEST", f"The field '{name}' is missing.")
    if body["grant_type"] != "client_credentials":
        raise flat(400, "UNSUPPORTED_GRANT_TYPE", "The grant type must be client_credentials.")
    client = coro.clients.get(body["client_id"])
    if client is None or client.secret != body["client_secret"]:
        raise flat(401, "INVALID_CLIENT", "The client id or the client secret is wrong.")
    if client.expired:
        raise flat(401, "CREDENTIALS_EXPIRED", "These API credentials have expired or were revoked.")
    if body["audience"].rstrip("/") not in AUDIENCES | coro.lab.origins | {f"{own}/api" for own in coro.lab.origins}:
        raise flat(403, "INVALID_AUDIENCE", f"The client has no access to the audience '{body['audience']}'.")
    call.principal = Principal(client.workspace, client.client_id, client.client_id, body["audience"], 0.0)
    return ok({"access_token": coro.issue(client), "token_type": "Bearer", "expires_in": coro.switches.token_life})


def enter(coro: Coro, call: Call) -> None:
    """Who asks, for which workspace (headers documented, error bodies assumed). Sets call.scope to the workspace."""
    scheme, _, text = call.headers.get("Authorization", "").partition(" ")
    client = coro.bearer(text.strip()) if scheme.lower() == "bearer" else None
    if client is None:
        raise flat(401, "UNAUTHORIZED", "The access token is missing, unknown or expired.")
    call.scope = call.headers.get("Workspace", "")
    call.principal = Principal(call.scope, client.client_id, client.client_id, "", 0.0)
    if not call.scope:
        raise flat(400, "WORKSPACE_REQUIRED", "The header 'Workspace' is missing.")
    if not coro.admits(client):
        raise _throttled(call, 1)
    workspace = coro.workspaces.get(call.scope)
    if workspace is None or not coro.reaches(client, workspace):
        raise flat(403, "FORBIDDEN", f"These API credentials have no access to the workspace '{call.scope}'.")


def _throttled(call: Call, seconds: int) -> Refusal:
    call.extra["Retry-After"] = str(seconds)
    return flat(429, "TOO_MANY_REQUESTS", "Too many requests.")


# -- workspaces -------------------------------------------------------------------------------------------------------


def workspaces(coro: Coro, call: Call) -> Reply:
    """GET /v1/workspaces: what the credentials reach. Documented; that it is all of that is assumed."""
    home = coro.workspaces[coro.clients[call.who.appid].workspace]
    return _page([_workspace(one) for one in (home, *coro.descendants(home.id))], call.query)


def search(coro: Coro, call: Call) -> Reply:
    """POST /v1/workspaces/search: the children of the workspace in the header. Documented, fields of it assumed."""
    body = {key.lower(): str(value) for key, value in body_of(call).items()}
    return _page([_workspace(one) for one in coro.children(call.scope)], body)


def _workspace(one: Workspace) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "type": one.type, "parentId": one.parent}


def _page(items: Sequence[Any], given: dict[str, str]) -> Reply:
    try:
        page, size = int(given.get("page", 0)), int(given.get("pagesize", 20))
    except ValueError:
        page = size = -1
    if page < 0 or size < 1:
        raise flat(400, "INVALID_PAGE", "page and pageSize must be whole numbers, from 0 and from 1.")
    start, size = page * min(size, LARGEST_PAGE), min(size, LARGEST_PAGE)
    return ok({"items": items[start : start + size], "totalElements": len(items)})


# -- connectors -------------------------------------------------------------------------------------------------------


def connectors(coro: Coro, call: Call) -> Reply:
    """GET /v1/siem-connectors: assumed."""
    held = coro.held[call.scope].values()
    return _page([shown(one, coro.lab.clock.offset) for one in held], call.query)


def connector(coro: Coro, call: Call) -> Reply:
    """GET /v1/siem-connectors/{id}: assumed."""
    return ok(shown(_find(coro, call), coro.lab.clock.offset))


async def create(coro: Coro, call: Call) -> Reply:
    """POST /v1/siem-connectors: assumed. That nothing is saved when the test event fails: Coro's guide."""
    _may_write(coro, call.scope)
    made = fields.parse(call.scope, body_of(call), None, coro.switches.blank_secret)
    await _check(coro, made, None)
    made.updated = coro.now()
    coro.add(made)
    return ok(shown(made, coro.lab.clock.offset), 201)


async def change(coro: Coro, call: Call) -> Reply:
    """PUT /v1/siem-connectors/{id}: assumed, as is that it runs the test event first."""
    old = _own(coro, call)
    new = fields.parse(call.scope, body_of(call), old, coro.switches.blank_secret)
    await _check(coro, new, old)
    old.name, old.settings, old.apply_to_all = new.name, new.settings, new.apply_to_all
    old.updated = coro.now()
    delivery.connected(coro, old)
    coro.spread(old)
    return ok(shown(old, coro.lab.clock.offset))


def delete(coro: Coro, call: Call) -> Reply:
    """DELETE /v1/siem-connectors/{id}: assumed. From all descendants, too: Coro's guide."""
    coro.remove(_own(coro, call))
    return Reply(204)


async def test(coro: Coro, call: Call) -> Reply:
    """POST /v1/siem-connectors/{id}/test, «Sync»: assumed."""
    found = _own(coro, call)
    answer = await delivery.sync(coro, found)
    if not answer.accepted:
        raise _refused(answer)
    return ok(shown(found, coro.lab.clock.offset))


def _find(coro: Coro, call: Call) -> Connector:
    found = coro.held[call.scope].get(call.name)
    if found is None:
        raise _not_found(call.name)
    return found


def _own(coro: Coro, call: Call) -> Connector:
    """A connector that this workspace may edit, delete and sync: not one of its channel's (Coro's guide, last note)."""
    found = _find(coro, call)
    if found.origin is not None:
        raise flat(403, "INHERITED", f"This connector belongs to the workspace '{found.origin.workspace}'.")
    _may_write(coro, call.scope)
    return found


def _may_write(coro: Coro, workspace: str) -> None:
    if coro.workspaces[workspace].type == "child" and coro.switches.child_connectors == "none":
        raise flat(403, "CHILD_WORKSPACE", "Connectors are managed in regular and channel workspaces only.")


async def _check(coro: Coro, new: Connector, old: Connector | None) -> None:
    """What is refused beyond wrong fields, before the test event and, since the world goes on, after it."""
    _savable(coro, new, old)
    answer = await delivery.try_event(coro, new)
    if not answer.accepted:
        raise _refused(answer)
    _savable(coro, new, old)


def _savable(coro: Coro, new: Connector, old: Connector | None) -> None:
    held = coro.held.get(new.workspace)
    if held is None or (old is not None and held.get(old.id) is not old):
        raise _not_found(old.id if old else "")
    if new.apply_to_all and coro.workspaces[new.workspace].type != "channel":
        raise fields.wrong({"applyToAllCustomers": "only in a channel workspace"})
    if coro.switches.unique_names and any(one is not old for one in coro.named(new.workspace, new.name)):
        raise flat(409, "NAME_TAKEN", f"A connector named '{new.name}' exists in this workspace.")


def _refused(answer: Answer) -> Refusal:
    what = f"status {answer.status}" if answer.status else "no answer"
    message = f"The test event was not accepted by the receiver: {what}."
    return Refusal(ok({"code": "TEST_EVENT_FAILED", "message": message, "receiver": answer.error()}, 422))


def _not_found(id_: str) -> Refusal:
    return flat(404, "NOT_FOUND", f"There is no connector '{id_}' in this workspace.")
