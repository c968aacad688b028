# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From method and path under /graph to the operation."""

from __future__ import annotations

import re

from lab.graph import api, applications, keys, principals
from lab.graph.state import Graph
from lab.kernel.http import Call, Handler, Reply
from lab.kernel.registration import Operation

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
            ("addkey", keys.add_key),
            ("removekey", keys.remove_key),
            ("addpassword", keys.add_password),
            ("removepassword", keys.remove_password),
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


def _nothing(_graph: Graph, call: Call) -> Reply:
    text = f"Resource not found for the segment '{call.path.rsplit('/', 1)[1]}'."
    raise api.refuse(call, 400, "BadRequest", text)


_OPERATIONS = {key: Operation(kind, handler, api.enter) for key, (kind, handler) in _ROUTES.items()}
_NOTHING = Operation("graph.unknown", _nothing, api.enter)
OPERATIONS = (*_OPERATIONS.values(), _NOTHING)
ELSEWHERE = "/graph/v1.0/security/"  # a package of its own


def find(call: Call) -> Operation | None:
    """Sets the call's scope to «property=value» of the object that the path names, and its name to that of a part."""
    if call.low.startswith(ELSEWHERE):
        return None
    match = _PATH.fullmatch(call.path)
    if match is None:
        return _NOTHING
    named = match["id"] or match["value"]
    call.scope = f"{match['by'] or 'id'}={named}"
    call.name = match["item"] or ""
    part = (match["part"] or "").lower()
    return _OPERATIONS.get((call.method, match["set"].lower(), named is not None, part, bool(call.name)), _NOTHING)
