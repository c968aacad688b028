# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From method and path to the operation. Providers and ids match in any case, as in Azure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lab.azure import (
    aadiam,
    activity,
    arm,
    automations,
    diagnostics,
    event_hub,
    event_hub_entities,
    lighthouse,
    logs,
    metrics,
    resource_graph,
    role_assignments,
    subscriptions,
)
from lab.azure.state import Azure
from lab.kernel.http import Call, Handler, Reply, nested
from lab.kernel.registration import Operation

Table = dict[tuple[str, bool], dict[str, Operation]]
Routes = dict[tuple[str, bool], dict[str, tuple[str, Handler]]]


def _arm(kind: str, handler: Handler) -> Operation:
    return Operation(kind, handler, arm.enter)


def _verbs(routes: Mapping[str, tuple[str, Handler]]) -> dict[str, Operation]:
    return {verb: _arm(kind, handler) for verb, (kind, handler) in routes.items()}


# Behind the last /providers/ of a path: (namespace/type, has a name) -> method -> operation.
_READ: Routes = {
    ("microsoft.authorization/permissions", False): {"GET": ("permissions.list", arm.permissions)},
    ("microsoft.insights/metrics", False): {"GET": ("metrics.list", metrics.listing)},
    ("microsoft.insights/eventtypes/management/values", False): {"GET": ("activity_log.list", activity.listing)},
}
_EXTENSIONS: Table = {
    key: _verbs(routes)
    for key, routes in (diagnostics.ROUTES | _READ | role_assignments.ROUTES | lighthouse.ROUTES).items()
}
# What a tenant has: Entra's settings, and roles at scopes of its own.
_OF_TENANT: Table = {
    **{key: routes for key, routes in _EXTENSIONS.items() if key[0].startswith("microsoft.authorization/")},
    **{key: _verbs(routes) for key, routes in aadiam.ROUTES.items()},
}
_FIXED: dict[tuple[str, str], Operation] = {
    ("GET", "/subscriptions"): _arm("subscriptions.list", arm.subscriptions),
    ("GET", "/tenants"): _arm("tenants.list", arm.tenants),
    ("GET", "/metadata/endpoints"): Operation("metadata", arm.metadata),
    ("POST", "/providers/microsoft.authorization/elevateaccess"): _arm("elevate_access", role_assignments.elevate),
    ("POST", arm.RESOURCE_GRAPH): _arm("resource_graph", resource_graph.query),
}
# Types, with a star for each name -> method -> operation.
_TYPES = {
    key: _verbs(routes)
    for key, routes in (event_hub.ROUTES | event_hub_entities.ROUTES | automations.ROUTES | logs.ROUTES).items()
}
# Of a subscription's resource provider, whose namespace the path ends in or is followed by a verb.
_PROVIDER: dict[tuple[str, str], Operation] = {
    ("GET", ""): _arm("provider.get", subscriptions.provider),
    ("POST", "register"): _arm("provider.register", subscriptions.register),
}
_PLAIN: dict[str, Operation] = {
    kind: _arm(kind, handler)
    for kind, handler in {
        "resource.get": arm.resource,
        "resource_group.put": subscriptions.put_group,
        "subscription.get": arm.subscription,
        "resources.list": arm.resources,
        "resource_groups.list": arm.groups,
        "resource_group.get": arm.group,
    }.items()
}
_QUERY = re.compile(r"/v1/(?:workspaces/[^/]+|subscriptions/.+/workspaces/[^/]+)/query")
_LOGS = Operation("logs.query", logs.query, logs.enter)


def _nothing(_azure: Azure, call: Call) -> Reply:
    raise nested(404, "InvalidResourceType", f"The lab serves nothing at '{call.method} {call.path}'.")


def _method(_azure: Azure, call: Call) -> Reply:
    raise nested(405, "MethodNotAllowed", f"The HTTP method '{call.method}' is not supported at this scope.")


_NOTHING, _METHOD = _arm("unknown", _nothing), _arm("unknown", _method)
OPERATIONS = (
    *(one for verbs in (*_EXTENSIONS.values(), *_OF_TENANT.values(), *_TYPES.values()) for one in verbs.values()),
    *(*_FIXED.values(), *_PROVIDER.values(), *_PLAIN.values()),
    _LOGS,
)
SEGMENTS = frozenset({"subscriptions", "tenants", "metadata", "providers", "v1"})


# What another package serves.
ELSEWHERE = "/providers/microsoft.securityinsights/"


def find(call: Call) -> Operation | None:
    """Sets the call's scope and name on the way. What nobody serves goes to a handler that says so."""
    low = call.low
    if ELSEWHERE in low:
        return None
    if low.startswith("/subscriptions/"):
        return _subscription(call)
    fixed = _FIXED.get((call.method, low))
    if fixed is not None:
        return fixed
    if low.startswith("/providers/"):
        return _extension(call, low.rfind("/providers/"), _OF_TENANT) or _NOTHING
    return _LOGS if call.method == "POST" and _QUERY.fullmatch(low) else None


def _subscription(call: Call) -> Operation:
    low, path = call.low, call.path
    cut = low.rfind("/providers/")
    parts = low.split("/")
    if cut < 0:
        return _plain(call, parts)
    route = _extension(call, cut, _EXTENSIONS)
    if route is not None:
        return route
    tail = low[cut + 11 :]
    provider = _PROVIDER.get((call.method, tail.partition("/")[2])) if cut == len("/subscriptions/") + 36 else None
    if provider is not None:
        call.name = path.split("/")[4]
        return provider
    segments = tail.split("/")
    segments[2::2] = ["*"] * len(segments[2::2])
    typed = _TYPES.get("/".join(segments))
    if typed is not None:
        call.scope = path
        return typed.get(call.method) or _METHOD
    if tail.count("/") >= 2 and tail.count("/") % 2 == 0 and call.method == "GET" and len(parts) > 6:
        call.scope = path
        return _PLAIN["resource.get"]
    return _NOTHING


def _extension(call: Call, cut: int, table: Table) -> Operation | None:
    """The route of what stands behind the last /providers/ of a path, which begins at `cut`."""
    low, path = call.low, call.path
    tail = low[cut + 11 :]
    call.scope = path[:cut]
    route = table.get((tail, False))
    if route is None:
        head, _, name = tail.rpartition("/")
        route = table.get((head, True))
        if route is not None:
            call.name = path[len(path) - len(name) :]
    return None if route is None else route.get(call.method) or _METHOD


def _plain(call: Call, parts: list[str]) -> Operation:
    """Paths of a subscription without a provider in them."""
    call.scope = "/".join(call.path.split("/")[:3])
    if len(parts) == 5 and parts[3] == "resourcegroups" and call.method == "PUT":
        call.scope = call.path
        return _PLAIN["resource_group.put"]
    if call.method != "GET":
        return _METHOD
    if len(parts) == 3:
        return _PLAIN["subscription.get"]
    if len(parts) == 4 and parts[3] == "resources":
        return _PLAIN["resources.list"]
    if len(parts) == 4 and parts[3] == "resourcegroups":
        return _PLAIN["resource_groups.list"]
    if len(parts) == 5 and parts[3] == "resourcegroups":
        call.scope = call.path
        return _PLAIN["resource_group.get"]
    return _NOTHING
