# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coro's paths: kind of the request by which the journal counts and faults match, and its handler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import coro_api
from lab.wire import Call, Handler, Reply, flat

if TYPE_CHECKING:
    from lab.app import Lab

TOKEN = "/oauth/token"
_FIXED: dict[tuple[str, str], tuple[str, Handler]] = {
    ("GET", "/v1/workspaces"): ("coro.workspaces.list", coro_api.workspaces),
    ("POST", "/v1/workspaces/search"): ("coro.workspaces.search", coro_api.search),
    ("GET", coro_api.CONNECTORS): ("coro.connectors.list", coro_api.connectors),
    ("POST", coro_api.CONNECTORS): ("coro.connectors.post", coro_api.create),
}
_NAMED: dict[tuple[str, str], tuple[str, Handler]] = {
    ("GET", ""): ("coro.connectors.get", coro_api.connector),
    ("PUT", ""): ("coro.connectors.put", coro_api.change),
    ("DELETE", ""): ("coro.connectors.delete", coro_api.delete),
    ("POST", "test"): ("coro.connectors.test", coro_api.test),
}


def find(call: Call) -> tuple[str, Handler] | None:
    """Sets the call's name to the connector's id. None for a path that is not Coro's."""
    found = _FIXED.get((call.method, call.low))
    if found is not None or not f"{call.low}/".startswith(f"{coro_api.CONNECTORS}/"):
        return found
    call.name, _, tail = call.path[len(coro_api.CONNECTORS) + 1 :].partition("/")
    return _NAMED.get((call.method, tail) if call.name else ("", ""), ("unknown", _method))


def _method(_lab: Lab, call: Call) -> Reply:
    raise flat(405, "METHOD_NOT_ALLOWED", f"{call.method} is not supported here.")
