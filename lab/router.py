# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From method and path to (kind, what must be checked before, handler).

Kinds are the names by which the journal counts and faults match. Providers and ids match in any case, as in Azure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lab import (
    aadiam,
    activity,
    arm,
    consent,
    coro_api,
    coro_routes,
    diagnostics,
    entra,
    entra_discovery,
    event_hub,
    event_hub_entities,
    falcon_api,
    graph_routes,
    lighthouse,
    logs,
    metrics,
    resource_graph,
    role_assignments,
    subscriptions,
)
from lab.wire import Call, Handler, Reply, nested

if TYPE_CHECKING:
    from lab.app import Lab

ARM, LOGS, CORO, FALCON, FEED, NOTHING = "arm", "logs", "coro", "falcon", "feed", ""
Route = tuple[str, str, Handler]
Extensions = dict[tuple[str, bool], dict[str, Route]]


def _arm(routes: dict[tuple[str, bool], dict[str, tuple[str, Handler]]]) -> Extensions:
    return {key: {verb: (kind, ARM, handler) for verb, (kind, handler) in one.items()} for key, one in routes.items()}


# Behind the last /providers/ of a path: (namespace/type, has a name) -> method -> route.
_EXTENSIONS: Extensions = {
    ("microsoft.insights/diagnosticsettings", False): {"GET": ("settings.list", ARM, diagnostics.list_settings)},
    ("microsoft.insights/diagnosticsettings", True): {
        "GET": ("settings.get", ARM, diagnostics.get_setting),
        "PUT": ("settings.put", ARM, diagnostics.put_setting),
        "DELETE": ("settings.delete", ARM, diagnostics.delete_setting),
    },
    ("microsoft.insights/diagnosticsettingscategories", False): {
        "GET": ("categories.list", ARM, diagnostics.list_categories)
    },
    ("microsoft.insights/diagnosticsettingscategories", True): {
        "GET": ("categories.get", ARM, diagnostics.get_category)
    },
    ("microsoft.authorization/permissions", False): {"GET": ("permissions.list", ARM, arm.permissions)},
    ("microsoft.insights/metrics", False): {"GET": ("metrics.list", ARM, metrics.listing)},
    ("microsoft.insights/eventtypes/management/values", False): {"GET": ("activity_log.list", ARM, activity.listing)},
    **_arm(role_assignments.ROUTES),
    **_arm(lighthouse.ROUTES),
}
# What a tenant has: Entra's settings, and roles at scopes of its own.
_OF_TENANT = {
    **{key: route for key, route in _EXTENSIONS.items() if key[0].startswith("microsoft.authorization/")},
    **_arm(aadiam.ROUTES),
}
_FIXED: dict[tuple[str, str], Route] = {
    ("GET", "/subscriptions"): ("subscriptions.list", ARM, arm.subscriptions),
    ("GET", "/tenants"): ("tenants.list", ARM, arm.tenants),
    ("GET", "/metadata/endpoints"): ("metadata", NOTHING, arm.metadata),
    ("POST", "/providers/microsoft.authorization/elevateaccess"): ("elevate_access", ARM, role_assignments.elevate),
    ("POST", arm.RESOURCE_GRAPH): ("resource_graph", ARM, resource_graph.query),
    ("GET", "/common/discovery/instance"): ("discovery", NOTHING, entra_discovery.instance_discovery),
    ("POST", coro_routes.TOKEN): ("coro.token", NOTHING, coro_api.token),
}
_ENTRA = (
    ("POST", "/oauth2/v2.0/token", ("token", NOTHING, entra.token)),
    ("GET", "/v2.0/.well-known/openid-configuration", ("openid", NOTHING, entra_discovery.openid)),
    ("GET", "/discovery/v2.0/keys", ("keys", NOTHING, entra_discovery.keys)),
    ("GET", "/adminconsent", ("consent.page", NOTHING, consent.page)),
    ("POST", "/adminconsent", ("consent.decide", NOTHING, consent.decide)),
    ("GET", "/v2.0/adminconsent", ("consent.page", NOTHING, consent.page)),
    ("POST", "/v2.0/adminconsent", ("consent.decide", NOTHING, consent.decide)),
)
_FALCON: dict[tuple[str, str], Route] = {
    ("POST", "/oauth2/token"): ("falcon.token", NOTHING, falcon_api.token),
    ("POST", "/oauth2/revoke"): ("falcon.revoke", NOTHING, falcon_api.revoke),
    ("GET", "/sensors/entities/datafeed/v2"): ("falcon.discover", FALCON, falcon_api.discover),
    ("GET", falcon_api.FEED): ("falcon.feed", FEED, falcon_api.feed),
    ("POST", falcon_api.ACTIONS): ("falcon.refresh", FALCON, falcon_api.refresh),
}
# Types, with a star for each name -> method -> route.
_TYPES: dict[str, dict[str, Route]] = {
    key: {verb: (kind, ARM, handler) for verb, (kind, handler) in one.items()}
    for key, one in (event_hub.ROUTES | event_hub_entities.ROUTES).items()
}
# Of a subscription's resource provider, whose namespace the path ends in or is followed by a verb.
_PROVIDER: dict[tuple[str, str], Route] = {
    ("GET", ""): ("provider.get", ARM, subscriptions.provider),
    ("POST", "register"): ("provider.register", ARM, subscriptions.register),
}
_QUERY = re.compile(r"/v1/(?:workspaces/[^/]+|subscriptions/.+/workspaces/[^/]+)/query")


def find(call: Call) -> Route:
    """Sets the call's scope and name on the way. What nobody serves goes to a handler that says so."""
    low = call.low
    if low.startswith("/subscriptions/"):
        return _subscription(call)
    if low.startswith(graph_routes.PREFIX):
        return graph_routes.find(call)
    if falcon_api.owns(call):
        head = low[: low.rfind("/") + 1]
        found = _FALCON.get((call.method, low)) or _FALCON.get((call.method, head))
        return found or ("unknown", NOTHING, falcon_api.nothing)
    fixed = _FIXED.get((call.method, low))
    if fixed is not None:
        return fixed
    if low.startswith("/providers/"):
        return _extension(call, low.rfind("/providers/"), _OF_TENANT) or ("unknown", ARM, _nothing)
    coro = coro_routes.find(call)
    if coro is not None:
        return coro[0], CORO, coro[1]
    for method, tail, route in _ENTRA:
        if call.method == method and low.endswith(tail) and low.count("/") == tail.count("/") + 1:
            return route
    if call.method == "POST" and _QUERY.fullmatch(low):
        return "logs.query", LOGS, logs.query
    return "unknown", NOTHING, _nothing


def _subscription(call: Call) -> Route:
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
        return typed.get(call.method) or ("unknown", ARM, _method)
    if tail.count("/") >= 2 and tail.count("/") % 2 == 0 and call.method == "GET" and len(parts) > 6:
        call.scope = path
        return "resource.get", ARM, arm.resource
    return "unknown", ARM, _nothing


def _extension(call: Call, cut: int, table: Extensions) -> Route | None:
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
    return None if route is None else route.get(call.method) or ("unknown", ARM, _method)


def _plain(call: Call, parts: list[str]) -> Route:
    """Paths of a subscription without a provider in them."""
    call.scope = "/".join(call.path.split("/")[:3])
    if len(parts) == 5 and parts[3] == "resourcegroups" and call.method == "PUT":
        call.scope = call.path
        return "resource_group.put", ARM, subscriptions.put_group
    if call.method != "GET":
        return "unknown", ARM, _method
    if len(parts) == 3:
        return "subscription.get", ARM, arm.subscription
    if len(parts) == 4 and parts[3] == "resources":
        return "resources.list", ARM, arm.resources
    if len(parts) == 4 and parts[3] == "resourcegroups":
        return "resource_groups.list", ARM, arm.groups
    if len(parts) == 5 and parts[3] == "resourcegroups":
        call.scope = call.path
        return "resource_group.get", ARM, arm.group
    return "unknown", ARM, _nothing


def enter_logs(lab: Lab, call: Call) -> None:
    """The token of a call to the Log Analytics API."""
    who = lab.tokens.check(call.headers.get("Authorization", ""))
    if who.audience not in entra.LOGS_AUDIENCES and who.audience not in lab.audiences:
        raise nested(403, "InvalidTokenError", "The provided authentication token has a wrong audience.")
    call.principal = who


def _nothing(_lab: Lab, call: Call) -> Reply:
    raise nested(404, "InvalidResourceType", f"The lab serves nothing at '{call.method} {call.path}'.")


def _method(_lab: Lab, call: Call) -> Reply:
    raise nested(405, "MethodNotAllowed", f"The HTTP method '{call.method}' is not supported at this scope.")
