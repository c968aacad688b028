# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph: /applications, which only the tenant has that is their home.

Source: learn.microsoft.com, resource application, application-upsert. Assumed: which properties may be written here,
and the wording of the 400s.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from lab.entra.directory import App, guid
from lab.graph import api, keys
from lab.graph.api import Item
from lab.graph.state import Graph
from lab.kernel.http import Call, Reply

AUDIENCES = ("AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount")
CREATORS = frozenset({"Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"})
# Properties that are kept as they were written, and what they are before.
_KEPT: Item = {"description": None, "identifierUris": [], "notes": None, "tags": []}
_FILTERS = ("appId", "displayName", "id", "uniqueName")


def find(graph: Graph, call: Call) -> App:
    """The application that the path names; 404 in other tenants, and while its making has not got around."""
    by, value = api.key_of(call)
    for app in _seen(graph, call):
        if value == {"id": app.object_id, "appid": app.client_id, "uniquename": app.unique_name}.get(by.lower()):
            return app
    raise api.missing(call, value)


def _seen(graph: Graph, call: Call) -> list[App]:
    apps = graph.entra.apps.values()
    return [app for app in apps if app.home_tenant == call.who.tid and not graph.entra.lags(app.made)]


def shown(graph: Graph, app: App, *, raw: bool = False) -> Item:
    return {
        "id": app.object_id,
        "deletedDateTime": None,
        "appId": app.client_id,
        "uniqueName": app.unique_name,
        "createdDateTime": api.when(graph, app.created),
        "displayName": app.name,
        "publisherDomain": graph.entra.tenants[app.home_tenant].domain,
        "signInAudience": app.sign_in_audience,
        **_KEPT,
        **app.more,
        "keyCredentials": [keys.shown_key(graph, key, raw=raw) for key in app.certificates],
        "passwordCredentials": [keys.shown_secret(graph, secret) for secret in app.secrets],
        "requiredResourceAccess": app.required,
        "web": {
            "homePageUrl": None,
            "logoutUrl": None,
            "redirectUris": app.redirect_uris,
            "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
        },
    }


# -- handlers ---------------------------------------------------------------------------------------------------------


def listing(graph: Graph, call: Call) -> Reply:
    """GET /applications"""
    api.require_read(call)
    return api.many(graph, call, "applications", [shown(graph, app) for app in _seen(graph, call)], _FILTERS)


def get(graph: Graph, call: Call) -> Reply:
    """GET /applications/{id}"""
    api.require_read(call)
    item = shown(graph, find(graph, call), raw="keyCredentials" in api.selected(call))
    return api.one(graph, call, "applications", item)


def create(graph: Graph, call: Call) -> Reply:
    """POST /applications. The app that makes one owns it."""
    return _created(graph, call, api.body(call))


def _created(graph: Graph, call: Call, sent: Item) -> Reply:
    if not (api.is_admin(call.who) or (not call.who.user and call.who.roles & CREATORS)):
        raise api.denied(call)
    if not sent.get("displayName"):
        raise api.bad(call, "A value is required for property 'displayName' of resource 'Application'.")
    app = App(guid(), "", call.who.tid, sign_in_audience="AzureADMyOrg", owners={call.who.oid})
    app.created, app.made = graph.now(), time.time()
    _write(graph, call, app, sent)
    graph.entra.apps[app.client_id] = app
    return api.one(graph, call, "applications", shown(graph, app), 201)


def update(graph: Graph, call: Call) -> Reply:
    """PATCH /applications/{id}, and the upsert by uniqueName with «Prefer: create-if-missing»."""
    by, value = api.key_of(call)
    upsert = by.lower() == "uniquename" and "create-if-missing" in call.headers.get("Prefer", "")
    if upsert and value not in [app.unique_name for app in graph.entra.apps.values()]:
        return _created(graph, call, {**api.body(call), "uniqueName": value})
    app = find(graph, call)
    api.require_write(call, app.owners)
    _write(graph, call, app, api.body(call))
    return Reply(204)


def delete(graph: Graph, call: Call) -> Reply:
    """DELETE /applications/{id}: with its service principal at home; those of other tenants stay and are of no use."""
    app = find(graph, call)
    api.require_write(call, app.owners)
    del graph.entra.apps[app.client_id]
    principal = graph.entra.directory.find(app.home_tenant, app.client_id)
    if principal is not None:
        graph.entra.directory.remove(principal)
    return Reply(204)


def credential(change: Callable[[Graph, Call, App], Reply]) -> Callable[[Graph, Call], Reply]:
    """POST /applications/{id}/addKey and its like."""

    def handler(graph: Graph, call: Call) -> Reply:
        return change(graph, call, find(graph, call))

    return handler


# -- writing ----------------------------------------------------------------------------------------------------------


def _write(graph: Graph, call: Call, app: App, sent: Item) -> None:
    """All or nothing: every property is checked before the first is written."""
    done = [_PROPERTIES.get(name, _unknown)(graph, call, app, name, value) for name, value in sent.items()]
    for field, value in done:
        if field in _KEPT:
            app.more[field] = value
        else:
            setattr(app, field, value)


def _unknown(_graph: Graph, call: Call, _app: App, name: str, _value: Any) -> tuple[str, Any]:
    raise api.bad(call, f"Invalid property '{name}'.")


def _invalid(call: Call, name: str) -> Exception:
    return api.bad(call, f"Invalid value specified for property '{name}' of resource 'Application'.")


def _name(_graph: Graph, call: Call, _app: App, name: str, value: Any) -> tuple[str, Any]:
    if not isinstance(value, str) or not 0 < len(value) <= 256:
        raise _invalid(call, name)
    return "name", value


def _unique(graph: Graph, call: Call, app: App, name: str, value: Any) -> tuple[str, Any]:
    taken = [one.unique_name for one in graph.entra.apps.values() if one is not app]
    if value in taken or (app.unique_name and value != app.unique_name):
        text = f"Another object with the same value for property {name} already exists."
        raise api.refuse(call, 409, "Request_MultipleObjectsWithSameKeyValue", text)
    return "unique_name", value


def _audience(_graph: Graph, call: Call, _app: App, name: str, value: Any) -> tuple[str, Any]:
    if value not in AUDIENCES:
        raise _invalid(call, name)
    return "sign_in_audience", value


def _web(_graph: Graph, call: Call, app: App, _name: str, value: Any) -> tuple[str, Any]:
    uris = value.get("redirectUris", app.redirect_uris)
    for uri in uris:
        if not uri.startswith(("https://", "http://localhost")):
            raise api.bad(call, f"Reply address '{uri}' is invalid: it must begin with https or be http://localhost.")
    return "redirect_uris", uris


def _required(_graph: Graph, call: Call, _app: App, name: str, value: Any) -> tuple[str, Any]:
    try:
        made = [
            {
                "resourceAppId": resource["resourceAppId"],
                "resourceAccess": [{"id": item["id"], "type": item["type"]} for item in resource["resourceAccess"]],
            }
            for resource in value
        ]
    except (KeyError, TypeError):
        raise _invalid(call, name) from None
    if any(item["type"] not in ("Role", "Scope") for resource in made for item in resource["resourceAccess"]):
        raise _invalid(call, name)
    return "required", made


def _keys(graph: Graph, call: Call, app: App, _name: str, value: Any) -> tuple[str, Any]:
    return "certificates", keys.replaced(graph, call, app, value)


def _keep(_graph: Graph, _call: Call, _app: App, name: str, value: Any) -> tuple[str, Any]:
    return name, value


_PROPERTIES: dict[str, Callable[[Graph, Call, App, str, Any], tuple[str, Any]]] = {
    "displayName": _name,
    "uniqueName": _unique,
    "signInAudience": _audience,
    "web": _web,
    "requiredResourceAccess": _required,
    "keyCredentials": _keys,
    **dict.fromkeys(_KEPT, _keep),
}
