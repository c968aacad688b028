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
from typing import TYPE_CHECKING, Any

from lab import graph_keys
from lab import graph_wire as graph
from lab.directory import App, guid
from lab.graph_wire import Item
from lab.wire import Call, Reply

if TYPE_CHECKING:
    from lab.app import Lab

AUDIENCES = ("AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount")
CREATORS = frozenset({"Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"})
# Properties that are kept as they were written, and what they are before.
_KEPT: Item = {"description": None, "identifierUris": [], "notes": None, "tags": []}
_FILTERS = ("appId", "displayName", "id", "uniqueName")


def find(lab: Lab, call: Call) -> App:
    """The application that the path names; 404 in other tenants, and while its making has not got around."""
    by, value = graph.key_of(call)
    for app in _seen(lab, call):
        if value == {"id": app.object_id, "appid": app.client_id, "uniquename": app.unique_name}.get(by.lower()):
            return app
    raise graph.missing(call, value)


def _seen(lab: Lab, call: Call) -> list[App]:
    apps = lab.world.apps.values()
    return [app for app in apps if app.home_tenant == call.who.tid and not lab.lags(app.made)]


def shown(lab: Lab, app: App, *, raw: bool = False) -> Item:
    return {
        "id": app.object_id,
        "deletedDateTime": None,
        "appId": app.client_id,
        "uniqueName": app.unique_name,
        "createdDateTime": graph.when(lab, app.created),
        "displayName": app.name,
        "publisherDomain": lab.world.tenants[app.home_tenant].domain,
        "signInAudience": app.sign_in_audience,
        **_KEPT,
        **app.more,
        "keyCredentials": [graph_keys.shown_key(lab, key, raw=raw) for key in app.certificates],
        "passwordCredentials": [graph_keys.shown_secret(lab, secret) for secret in app.secrets],
        "requiredResourceAccess": app.required,
        "web": {
            "homePageUrl": None,
            "logoutUrl": None,
            "redirectUris": app.redirect_uris,
            "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
        },
    }


# -- handlers ---------------------------------------------------------------------------------------------------------


def listing(lab: Lab, call: Call) -> Reply:
    """GET /applications"""
    graph.require_read(call)
    return graph.many(lab, call, "applications", [shown(lab, app) for app in _seen(lab, call)], _FILTERS)


def get(lab: Lab, call: Call) -> Reply:
    """GET /applications/{id}"""
    graph.require_read(call)
    item = shown(lab, find(lab, call), raw="keyCredentials" in graph.selected(call))
    return graph.one(lab, call, "applications", item)


def create(lab: Lab, call: Call) -> Reply:
    """POST /applications. The app that makes one owns it."""
    return _created(lab, call, graph.body(call))


def _created(lab: Lab, call: Call, sent: Item) -> Reply:
    if not (graph.is_admin(call.who) or (not call.who.user and call.who.roles & CREATORS)):
        raise graph.denied(call)
    if not sent.get("displayName"):
        raise graph.bad(call, "A value is required for property 'displayName' of resource 'Application'.")
    app = App(guid(), "", call.who.tid, sign_in_audience="AzureADMyOrg", owners={call.who.oid})
    app.created, app.made = lab.world.now(), time.time()
    _write(lab, call, app, sent)
    lab.world.apps[app.client_id] = app
    return graph.one(lab, call, "applications", shown(lab, app), 201)


def update(lab: Lab, call: Call) -> Reply:
    """PATCH /applications/{id}, and the upsert by uniqueName with «Prefer: create-if-missing»."""
    by, value = graph.key_of(call)
    upsert = by.lower() == "uniquename" and "create-if-missing" in call.headers.get("Prefer", "")
    if upsert and value not in [app.unique_name for app in lab.world.apps.values()]:
        return _created(lab, call, {**graph.body(call), "uniqueName": value})
    app = find(lab, call)
    graph.require_write(call, app.owners)
    _write(lab, call, app, graph.body(call))
    return Reply(204)


def delete(lab: Lab, call: Call) -> Reply:
    """DELETE /applications/{id}: with its service principal at home; those of other tenants stay and are of no use."""
    app = find(lab, call)
    graph.require_write(call, app.owners)
    del lab.world.apps[app.client_id]
    principal = lab.world.directory.find(app.home_tenant, app.client_id)
    if principal is not None:
        lab.world.directory.remove(principal)
    return Reply(204)


def credential(change: Callable[[Lab, Call, App], Reply]) -> Callable[[Lab, Call], Reply]:
    """POST /applications/{id}/addKey and its like."""

    def handler(lab: Lab, call: Call) -> Reply:
        return change(lab, call, find(lab, call))

    return handler


# -- writing ----------------------------------------------------------------------------------------------------------


def _write(lab: Lab, call: Call, app: App, sent: Item) -> None:
    """All or nothing: every property is checked before the first is written."""
    done = [_PROPERTIES.get(name, _unknown)(lab, call, app, name, value) for name, value in sent.items()]
    for field, value in done:
        if field in _KEPT:
            app.more[field] = value
        else:
            setattr(app, field, value)


def _unknown(_lab: Lab, call: Call, _app: App, name: str, _value: Any) -> tuple[str, Any]:
    raise graph.bad(call, f"Invalid property '{name}'.")


def _invalid(call: Call, name: str) -> Exception:
    return graph.bad(call, f"Invalid value specified for property '{name}' of resource 'Application'.")


def _name(_lab: Lab, call: Call, _app: App, name: str, value: Any) -> tuple[str, Any]:
    if not isinstance(value, str) or not 0 < len(value) <= 256:
        raise _invalid(call, name)
    return "name", value


def _unique(lab: Lab, call: Call, app: App, name: str, value: Any) -> tuple[str, Any]:
    taken = [one.unique_name for one in lab.world.apps.values() if one is not app]
    if value in taken or (app.unique_name and value != app.unique_name):
        text = f"Another object with the same value for property {name} already exists."
        raise graph.refuse(call, 409, "Request_MultipleObjectsWithSameKeyValue", text)
    return "unique_name", value


def _audience(_lab: Lab, call: Call, _app: App, name: str, value: Any) -> tuple[str, Any]:
    if value not in AUDIENCES:
        raise _invalid(call, name)
    return "sign_in_audience", value


def _web(_lab: Lab, call: Call, app: App, _name: str, value: Any) -> tuple[str, Any]:
    uris = value.get("redirectUris", app.redirect_uris)
    for uri in uris:
        if not uri.startswith(("https://", "http://localhost")):
            raise graph.bad(call, f"Reply address '{uri}' is invalid: it must begin with https or be http://localhost.")
    return "redirect_uris", uris


def _required(_lab: Lab, call: Call, _app: App, name: str, value: Any) -> tuple[str, Any]:
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


def _keys(lab: Lab, call: Call, app: App, _name: str, value: Any) -> tuple[str, Any]:
    return "certificates", graph_keys.replaced(lab, call, app, value)


def _keep(_lab: Lab, _call: Call, _app: App, name: str, value: Any) -> tuple[str, Any]:
    return name, value


_PROPERTIES: dict[str, Callable[[Lab, Call, App, str, Any], tuple[str, Any]]] = {
    "displayName": _name,
    "uniqueName": _unique,
    "signInAudience": _audience,
    "web": _web,
    "requiredResourceAccess": _required,
    "keyCredentials": _keys,
    **dict.fromkeys(_KEPT, _keep),
}
