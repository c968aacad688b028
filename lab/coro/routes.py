# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coro's paths."""

from __future__ import annotations

from lab.coro import api
from lab.coro.state import Coro
from lab.kernel.http import Call, Handler, Reply, flat
from lab.kernel.registration import Operation


def _known(kind: str, handler: Handler) -> Operation:
    return Operation(kind, handler, api.enter)


def _method(_coro: Coro, call: Call) -> Reply:
    raise flat(405, "METHOD_NOT_ALLOWED", f"{call.method} is not supported here.")


_FIXED: dict[tuple[str, str], Operation] = {
    ("POST", "/oauth/token"): Operation("coro.token", api.token),
    ("GET", "/v1/workspaces"): _known("coro.workspaces.list", api.workspaces),
    ("POST", "/v1/workspaces/search"): _known("coro.workspaces.search", api.search),
    ("GET", api.CONNECTORS): _known("coro.connectors.list", api.connectors),
    ("POST", api.CONNECTORS): _known("coro.connectors.post", api.create),
}
_NAMED: dict[tuple[str, str], Operation] = {
    ("GET", ""): _known("coro.connectors.get", api.connector),
    ("PUT", ""): _known("coro.connectors.put", api.change),
    ("DELETE", ""): _known("coro.connectors.delete", api.delete),
    ("POST", "test"): _known("coro.connectors.test", api.test),
}
_METHOD = _known("unknown", _method)
OPERATIONS = (*_FIXED.values(), *_NAMED.values())


def find(call: Call) -> Operation | None:
    """Sets the call's name to the connector's id. None for a path that is not Coro's."""
    found = _FIXED.get((call.method, call.low))
    if found is not None or not f"{call.low}/".startswith(f"{api.CONNECTORS}/"):
        return found
    call.name, _, tail = call.path[len(api.CONNECTORS) + 1 :].partition("/")
    return _NAMED.get((call.method, tail) if call.name else ("", ""), _METHOD)
