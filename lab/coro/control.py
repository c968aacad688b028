# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control of the lab's Coro cloud: `POST /_lab/coro` with {"do": one of the following, and its fields}.

put_workspace       id, name, type, parent
remove_workspace    id; its children go with it
put_connector       workspace, name, type, its fields with secrets in the clear, applyToAllCustomers, status: by the
                    console, without a test event; replaces one of that name. {connector: id}
remove_connector    workspace, name
set_status          workspace, name, status
rename_connector    workspace, name, to
expire_tokens       every token is over
expire_client       client_id; expired (true unless given)
rotate_client       client_id: {secret}
configure           switches: lab.coro.state.Switches
trust               pem: a CA whose receivers are sent to, until the lab ends
emit                workspace, event (a ticket as in Coro's guide unless given): {event, deliveries: delivery.emit}
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from lab.coro import delivery
from lab.coro.fields import parse
from lab.coro.state import CONNECTED, DISCONNECTED, Connector, Coro, Workspace, shown
from lab.kernel.http import Call, Refusal

Deed = dict[str, Any]


def state(coro: Coro, _call: Call, _body: Any) -> dict[str, Any]:
    """Everything there is; connectors as the API shows them, with `stored` (secrets in the clear) and `lost`."""
    return {
        "workspaces": {one.id: asdict(one) for one in coro.workspaces.values()},
        "clients": {one.client_id: asdict(one) for one in coro.clients.values()},
        "connectors": {
            workspace: [
                {**shown(one, coro.lab.clock.offset), "stored": one.settings, "lost": one.lost} for one in held.values()
            ]
            for workspace, held in coro.held.items()
        },
        "switches": asdict(coro.switches),
    }


async def apply(coro: Coro, _call: Call, deed: Deed) -> Deed:
    """One deed; ValueError, KeyError or TypeError for what is wrong with it."""
    fields = dict(deed)
    name = fields.pop("do", None)
    if name == "emit":
        return await _emit(coro, **fields)
    if name not in _DEEDS:
        raise ValueError(f"do must be one of {sorted([*_DEEDS, 'emit'])}, not {name!r}")
    return _DEEDS[name](coro, **fields) or {}


async def _emit(coro: Coro, workspace: str, event: Deed | None = None) -> Deed:
    coro.tickets += 1
    made = event or delivery.ticket(workspace, 1478 + coro.tickets, coro.shown(coro.now()))
    return {"event": made, "deliveries": await delivery.emit(coro, workspace, made)}


# -- workspaces and clients -------------------------------------------------------------------------------------------


def _put_workspace(coro: Coro, **fields: Any) -> None:
    new = Workspace(**fields)
    old = coro.workspaces.get(new.id)
    if old is None:
        coro.add_workspace(new)
    elif (old.type, old.parent) == (new.type, new.parent):
        old.name = new.name
    else:
        raise ValueError(f"the workspace '{new.id}' is {old.type} of {old.parent}, which cannot be changed")


def _remove_workspace(coro: Coro, id: str) -> None:
    coro.remove_workspace(id)


def _expire_tokens(coro: Coro) -> None:
    coro.tokens.clear()


def _expire_client(coro: Coro, client_id: str, expired: bool = True) -> None:
    coro.clients[client_id].expired = expired


def _rotate_client(coro: Coro, client_id: str) -> Deed:
    secret = coro.clients[client_id].secret = secrets.token_urlsafe(40)
    return {"secret": secret}


def _configure(coro: Coro, **switches: Any) -> None:
    coro.switches.change(switches)


def _trust(coro: Coro, pem: str) -> None:
    coro.sender.trust(pem)


# -- connectors -------------------------------------------------------------------------------------------------------


def _named(coro: Coro, workspace: str, name: str) -> Connector:
    found = coro.named(workspace, name)
    if not found:
        raise ValueError(f"there is no connector '{name}' in '{workspace}'")
    return found[0]


def _put_connector(coro: Coro, workspace: str, status: str = CONNECTED, **body: Any) -> Deed:
    if workspace not in coro.workspaces:
        raise ValueError(f"there is no workspace '{workspace}'")
    try:
        made = parse(workspace, body, None, "keep")
    except Refusal as refusal:
        raise ValueError(refusal.reply.body.decode()) from None
    for old in coro.named(workspace, made.name):
        coro.remove(old)
    made.status, made.updated = _status(status), coro.now()
    coro.add(made)
    return {"connector": made.id}


def _remove_connector(coro: Coro, workspace: str, name: str) -> None:
    coro.remove(_named(coro, workspace, name))


def _set_status(coro: Coro, workspace: str, name: str, status: str) -> None:
    found = _named(coro, workspace, name)
    delivery.connected(coro, found)
    found.status = _status(status)


def _rename_connector(coro: Coro, workspace: str, name: str, to: str) -> None:
    found = _named(coro, workspace, name)
    found.name, found.updated = to, coro.now()
    coro.spread(found)


def _status(text: str) -> str:
    if text not in (CONNECTED, DISCONNECTED):
        raise ValueError(f"status must be {CONNECTED} or {DISCONNECTED}")
    return text


_DEEDS: dict[str, Callable[..., Deed | None]] = {
    "put_workspace": _put_workspace,
    "remove_workspace": _remove_workspace,
    "put_connector": _put_connector,
    "remove_connector": _remove_connector,
    "set_status": _set_status,
    "rename_connector": _rename_connector,
    "expire_tokens": _expire_tokens,
    "expire_client": _expire_client,
    "rotate_client": _rotate_client,
    "configure": _configure,
    "trust": _trust,
}
