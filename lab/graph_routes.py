# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From method and path under /graph to (kind, what must be checked before, handler)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lab import graph_applications as applications
from lab import graph_keys, graph_wire
from lab import graph_principals as principals
from lab.wire import Call, Handler, Reply

if TYPE_CHECKING:
    from lab.app import Lab

PREFIX = "/graph/"
GRAPH = "graph"
_PATH = re.compile(
    r"/graph/v1\.0/(?P<set>\w+)(?:\((?P<by>\w+)='(?P<value>[^']*)'\)|/(?P<id>[^/()]+))?"
    r"(?:/(?:microsoft\.graph\.)?(?P<part>\w+)(?:/(?P<item>[^/]+))?)?",
    re.I,
)
_GRANTS = ("approleassignments", "approleassignedto")
# (method, set, names one of it, part of that one, names one of that part) -> (kind, handler)
_ROUTES: dict[tuple[str, str, bool, str, bool], tuple[str, Handler]] = {
    ("GET", "applications", False, "", False): ("graph.applications.list", applications.listing),
    ("POST", "applications", False, "", False): ("graph.applications.create", applications.create),
    ("GET", "applications", True, "", False): ("graph.applications.get", applications.get),
    ("PATCH", "applications", True, "", False): ("graph.applications.update", applications.update),
    ("DELETE", "applications", True, "", False): ("graph.applications.delete", applications.delete),
    **{
        ("POST", "applications", True, part, False): (f"graph.{part}", applications.credential(change))
        for part, change in (
            ("addkey", graph_keys.add_key),
            ("removekey", graph_keys.remove_key),
            ("addpassword", graph_keys.add_password),
            ("removepassword", graph_keys.remove_password),
        )
    },
    ("GET", "serviceprincipals", False, "", False): ("graph.principals.list", principals.listing),
    ("POST", "serviceprincipals", False, "", False): ("graph.principals.create", principals.create),
    ("GET", "serviceprincipals", True, "", False): ("graph.principals.get", principals.get),
    ("DELETE", "serviceprincipals", True, "", False): ("graph.principals.delete", principals.delete),
    ("GET", "serviceprincipals", True, _GRANTS[0], False): ("graph.grants.list", principals.granted_to),
    ("GET", "serviceprincipals", True, _GRANTS[1], False): ("graph.grants.list", principals.granted_of),
    ("POST", "serviceprincipals", True, _GRANTS[0], False): ("graph.grants.create", principals.assign),
    ("POST", "serviceprincipals", True, _GRANTS[1], False): ("graph.grants.create", principals.assign),
    ("DELETE", "serviceprincipals", True, _GRANTS[0], True): ("graph.grants.delete", principals.unassign),
    ("DELETE", "serviceprincipals", True, _GRANTS[1], True): ("graph.grants.delete", principals.unassign),
}


def find(call: Call) -> tuple[str, str, Handler]:
    """Sets the call's scope to «property=value» of the object that the path names, and its name to that of a part."""
    match = _PATH.fullmatch(call.path)
    if match is None:
        return "graph.unknown", GRAPH, _nothing
    named = match["id"] or match["value"]
    call.scope = f"{match['by'] or 'id'}={named}"
    call.name = match["item"] or ""
    part = (match["part"] or "").lower()
    route = _ROUTES.get((call.method, match["set"].lower(), named is not None, part, bool(call.name)))
    return (route[0], GRAPH, route[1]) if route else ("graph.unknown", GRAPH, _nothing)


def _nothing(_lab: Lab, call: Call) -> Reply:
    text = f"Resource not found for the segment '{call.path.rsplit('/', 1)[1]}'."
    raise graph_wire.refuse(call, 400, "BadRequest", text)
