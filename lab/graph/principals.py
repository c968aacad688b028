# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph: /servicePrincipals, and the app roles that are granted to them.

Source: learn.microsoft.com, resources servicePrincipal and appRoleAssignment; that granting needs a right to read, too:
microsoft-graph-docs#12833; «Not a valid reference update»: #20133; no application object, also while that is new:
openshift-azure#1534; a grant that is there already: 400, as many public scripts match it.
Assumed: that the making app owns the principal, and what OwnedBy may read.
"""

from __future__ import annotations

import time
import uuid

from lab.entra import directory_roles
from lab.entra.directory import Grant, ServicePrincipal, grant
from lab.graph import api
from lab.graph.api import Item
from lab.graph.state import Graph
from lab.kernel.http import Call, Reply

GRANT = "AppRoleAssignment.ReadWrite.All"
_FILTERS = ("appId", "displayName", "id")


def find(graph: Graph, call: Call) -> ServicePrincipal:
    """The principal that the path names, in the caller's tenant."""
    by, value = api.key_of(call)
    return _find(graph, call, by, value)


def _find(graph: Graph, call: Call, by: str, value: str) -> ServicePrincipal:
    for one in _seen(graph, call):
        if value == {"id": one.oid, "appid": one.app_id}.get(by.lower()):
            return one
    raise api.missing(call, value)


def _seen(graph: Graph, call: Call) -> list[ServicePrincipal]:
    return [one for one in graph.entra.directory.of(call.who.tid) if not graph.entra.lags(one.made)]


def shown(graph: Graph, one: ServicePrincipal) -> Item:
    resource = directory_roles.BY_ID.get(one.app_id)
    app = graph.entra.apps.get(one.app_id)
    return {
        "id": one.oid,
        "deletedDateTime": None,
        "accountEnabled": one.enabled,
        "appDisplayName": one.name,
        "appId": one.app_id,
        "appOwnerOrganizationId": one.home_tenant,
        "appRoleAssignmentRequired": False,
        "createdDateTime": api.when(graph, one.created),
        "displayName": one.name,
        "replyUrls": app.redirect_uris if app else [],
        "servicePrincipalNames": [one.app_id, *(resource.uris if resource else ())],
        "servicePrincipalType": "Application",
        "signInAudience": app.sign_in_audience if app else "AzureADMultipleOrgs",
        "tags": [],
        "appRoles": _roles(graph, one),
        "oauth2PermissionScopes": [],
        "keyCredentials": [],
        "passwordCredentials": [],
    }


def _roles(graph: Graph, one: ServicePrincipal) -> list[Item]:
    if one.app_id not in directory_roles.BY_ID:
        return []
    ids = directory_roles.ids(one.app_id, graph.entra.tenants[one.tenant].other_guids)
    # Real resources have roles that no app can be given: of users only, of the same name, or switched off.
    first = next(iter(ids), "")
    return [
        _app_role(first, "User", _other_id(one, "user")),
        _app_role("Retired.Read.All", "Application", _other_id(one, "off"), enabled=False),
        *(_app_role(name, "Application", id_) for name, id_ in ids.items()),
        _app_role(first, "User", _other_id(one, "later")),
    ]


def _other_id(one: ServicePrincipal, word: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{one.app_id} {word}"))


def _app_role(name: str, member: str, id_: str, *, enabled: bool = True) -> Item:
    return {
        "allowedMemberTypes": [member],
        "description": f"Allows the app {name} without a signed-in user.",
        "displayName": name,
        "id": id_,
        "isEnabled": enabled,
        "origin": "Application",
        "value": name,
    }


# -- service principals -----------------------------------------------------------------------------------------------


def listing(graph: Graph, call: Call) -> Reply:
    """GET /servicePrincipals"""
    api.require_read(call)
    return api.many(graph, call, "servicePrincipals", [shown(graph, one) for one in _seen(graph, call)], _FILTERS)


def get(graph: Graph, call: Call) -> Reply:
    """GET /servicePrincipals/{id}"""
    api.require_read(call)
    found = find(graph, call)
    relations = {
        "appRoleAssignedTo": lambda: _held_of(graph, call, found),
        "appRoleAssignments": lambda: _held_by(graph, found),
    }
    return api.one(graph, call, "servicePrincipals", shown(graph, found), relations=relations)


def create(graph: Graph, call: Call) -> Reply:
    """POST /servicePrincipals {appId}"""
    api.require_write(call, {call.who.oid})
    app_id = str(api.body(call).get("appId"))
    app = graph.entra.apps.get(app_id)
    if app is None or not app.known_in(call.who.tid) or graph.entra.lags(app.made):
        text = f"The appId '{app_id}' of the service principal does not reference a valid application object."
        raise api.bad(call, text, "NoBackingApplicationObject")
    owned_only = not call.who.user and "Application.ReadWrite.All" not in call.who.roles
    if owned_only and app.home_tenant != call.who.tid:
        text = (
            "When using this permission, the backing application of the service principal being created must in the "
            "local tenant"
        )
        raise api.refuse(call, 403, "Authorization_RequestDenied", text)
    if graph.entra.principal(call.who.tid, app_id):
        text = (
            "The service principal cannot be created, updated, or restored because the service principal name "
            f"{app_id} is already in use."
        )
        raise api.refuse(call, 409, "Request_MultipleObjectsWithSameKeyValue", text)
    graph.entra.add_principal(call.who.tid, app_id, time.time())
    made = graph.entra.directory.held[call.who.tid, app_id]
    made.owners.add(call.who.oid)
    return api.one(graph, call, "servicePrincipals", shown(graph, made), 201)


def delete(graph: Graph, call: Call) -> Reply:
    """DELETE /servicePrincipals/{id}: with what is granted to it. What it was is not kept: no deletedItems here."""
    one = find(graph, call)
    api.require_write(call, one.owners)
    graph.entra.directory.remove(one)
    return Reply(204)


# -- what is granted --------------------------------------------------------------------------------------------------


def shown_grant(graph: Graph, holder: ServicePrincipal, held: Grant) -> Item:
    resource = graph.entra.directory.held[holder.tenant, held.resource]
    return {
        "id": held.id,
        "deletedDateTime": None,
        "appRoleId": held.role_id,
        "createdDateTime": api.when(graph, held.created),
        "principalDisplayName": holder.name,
        "principalId": holder.oid,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": resource.name,
        "resourceId": resource.oid,
    }


def granted_to(graph: Graph, call: Call) -> Reply:
    """GET /servicePrincipals/{id}/appRoleAssignments: what it has."""
    api.require_read(call)
    return api.many(graph, call, "appRoleAssignments", _held_by(graph, find(graph, call)), ("resourceId",))


def granted_of(graph: Graph, call: Call) -> Reply:
    """GET /servicePrincipals/{id}/appRoleAssignedTo: who has its roles."""
    api.require_read(call)
    return api.many(graph, call, "appRoleAssignments", _held_of(graph, call, find(graph, call)))


def _held_by(graph: Graph, holder: ServicePrincipal) -> list[Item]:
    return [shown_grant(graph, holder, held) for held in holder.grants.values()]


def _held_of(graph: Graph, call: Call, resource: ServicePrincipal) -> list[Item]:
    return [
        shown_grant(graph, holder, held)
        for holder in _seen(graph, call)
        for held in holder.grants.values()
        if held.resource == resource.app_id
    ]


def _require_grant(call: Call) -> None:
    may = api.is_admin(call.who) if call.who.user else GRANT in call.who.roles
    if not may:
        raise api.denied(call)
    api.require_read(call)


def assign(graph: Graph, call: Call) -> Reply:
    """POST to either of the two lists; the path's principal must be the body's principal, or its resource."""
    _require_grant(call)
    sent = api.body(call)
    named = find(graph, call)
    holder = _find(graph, call, "id", str(sent.get("principalId")))
    resource = _find(graph, call, "id", str(sent.get("resourceId")))
    if named is not (resource if call.low.endswith("/approleassignedto") else holder):
        raise api.bad(call, "Not a valid reference update.")
    role_id = str(sent.get("appRoleId"))
    if role_id not in [role["id"] for role in _roles(graph, resource)]:
        raise api.bad(call, "Permission being assigned was not found on application")
    if any((held.resource, held.role_id) == (resource.app_id, role_id) for held in holder.grants.values()):
        raise api.bad(call, "Permission being assigned already exists on the object", "InvalidUpdate")
    made = grant(holder, resource.app_id, role_id, graph.now())
    return api.one(graph, call, "appRoleAssignments", shown_grant(graph, holder, made), 201)


def unassign(graph: Graph, call: Call) -> Reply:
    """DELETE of either list's entry."""
    _require_grant(call)
    named = find(graph, call)
    by_resource = "/approleassignedto/" in call.low
    for holder in _seen(graph, call) if by_resource else [named]:
        held = holder.grants.get(call.name)
        if held is not None and (not by_resource or held.resource == named.app_id):
            del holder.grants[held.id]
            return Reply(204)
    raise api.missing(call, call.name)
