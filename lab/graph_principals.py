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
from typing import TYPE_CHECKING

from lab import directory_roles
from lab import graph_wire as graph
from lab.directory import Grant, ServicePrincipal, grant
from lab.graph_wire import Item
from lab.wire import Call, Reply

if TYPE_CHECKING:
    from lab.app import Lab

GRANT = "AppRoleAssignment.ReadWrite.All"
_FILTERS = ("appId", "displayName", "id")


def find(lab: Lab, call: Call) -> ServicePrincipal:
    """The principal that the path names, in the caller's tenant."""
    by, value = graph.key_of(call)
    return _find(lab, call, by, value)


def _find(lab: Lab, call: Call, by: str, value: str) -> ServicePrincipal:
    for one in _seen(lab, call):
        if value == {"id": one.oid, "appid": one.app_id}.get(by.lower()):
            return one
    raise graph.missing(call, value)


def _seen(lab: Lab, call: Call) -> list[ServicePrincipal]:
    return [one for one in lab.world.directory.of(call.who.tid) if not lab.lags(one.made)]


def shown(lab: Lab, one: ServicePrincipal) -> Item:
    resource = directory_roles.BY_ID.get(one.app_id)
    app = lab.world.apps.get(one.app_id)
    return {
        "id": one.oid,
        "deletedDateTime": None,
        "accountEnabled": True,
        "appDisplayName": one.name,
        "appId": one.app_id,
        "appOwnerOrganizationId": one.home_tenant,
        "appRoleAssignmentRequired": False,
        "createdDateTime": graph.when(lab, one.created),
        "displayName": one.name,
        "replyUrls": app.redirect_uris if app else [],
        "servicePrincipalNames": [one.app_id, *(resource.uris if resource else ())],
        "servicePrincipalType": "Application",
        "signInAudience": app.sign_in_audience if app else "AzureADMultipleOrgs",
        "tags": [],
        "appRoles": _roles(lab, one),
        "oauth2PermissionScopes": [],
        "keyCredentials": [],
        "passwordCredentials": [],
    }


def _roles(lab: Lab, one: ServicePrincipal) -> list[Item]:
    if one.app_id not in directory_roles.BY_ID:
        return []
    return [
        {
            "allowedMemberTypes": ["Application"],
            "description": f"Allows the app {name} without a signed-in user.",
            "displayName": name,
            "id": id_,
            "isEnabled": True,
            "origin": "Application",
            "value": name,
        }
        for name, id_ in directory_roles.ids(one.app_id, lab.world.tenants[one.tenant].other_guids).items()
    ]


# -- service principals -----------------------------------------------------------------------------------------------


def listing(lab: Lab, call: Call) -> Reply:
    """GET /servicePrincipals"""
    graph.require_read(call)
    return graph.many(lab, call, "servicePrincipals", [shown(lab, one) for one in _seen(lab, call)], _FILTERS)


def get(lab: Lab, call: Call) -> Reply:
    """GET /servicePrincipals/{id}"""
    graph.require_read(call)
    found = find(lab, call)
    relations = {
        "appRoleAssignedTo": lambda: _held_of(lab, call, found),
        "appRoleAssignments": lambda: _held_by(lab, found),
    }
    return graph.one(lab, call, "servicePrincipals", shown(lab, found), relations=relations)


def create(lab: Lab, call: Call) -> Reply:
    """POST /servicePrincipals {appId}"""
    graph.require_write(call, {call.who.oid})
    app_id = str(graph.body(call).get("appId"))
    app = lab.world.apps.get(app_id)
    if app is None or not app.known_in(call.who.tid) or lab.lags(app.made):
        text = f"The appId '{app_id}' of the service principal does not reference a valid application object."
        raise graph.bad(call, text, "NoBackingApplicationObject")
    owned_only = not call.who.user and "Application.ReadWrite.All" not in call.who.roles
    if owned_only and app.home_tenant != call.who.tid:
        text = (
            "When using this permission, the backing application of the service principal being created must in the "
            "local tenant"
        )
        raise graph.refuse(call, 403, "Authorization_RequestDenied", text)
    if lab.world.principal(call.who.tid, app_id):
        text = (
            "The service principal cannot be created, updated, or restored because the service principal name "
            f"{app_id} is already in use."
        )
        raise graph.refuse(call, 409, "Request_MultipleObjectsWithSameKeyValue", text)
    lab.world.add_principal(call.who.tid, app_id, time.time())
    made = lab.world.directory.held[call.who.tid, app_id]
    made.owners.add(call.who.oid)
    return graph.one(lab, call, "servicePrincipals", shown(lab, made), 201)


def delete(lab: Lab, call: Call) -> Reply:
    """DELETE /servicePrincipals/{id}: with what is granted to it. What it was is not kept: no deletedItems here."""
    one = find(lab, call)
    graph.require_write(call, one.owners)
    lab.world.directory.remove(one)
    return Reply(204)


# -- what is granted --------------------------------------------------------------------------------------------------


def shown_grant(lab: Lab, holder: ServicePrincipal, held: Grant) -> Item:
    resource = lab.world.directory.held[holder.tenant, held.resource]
    return {
        "id": held.id,
        "deletedDateTime": None,
        "appRoleId": held.role_id,
        "createdDateTime": graph.when(lab, held.created),
        "principalDisplayName": holder.name,
        "principalId": holder.oid,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": resource.name,
        "resourceId": resource.oid,
    }


def granted_to(lab: Lab, call: Call) -> Reply:
    """GET /servicePrincipals/{id}/appRoleAssignments: what it has."""
    graph.require_read(call)
    return graph.many(lab, call, "appRoleAssignments", _held_by(lab, find(lab, call)), ("resourceId",))


def granted_of(lab: Lab, call: Call) -> Reply:
    """GET /servicePrincipals/{id}/appRoleAssignedTo: who has its roles."""
    graph.require_read(call)
    return graph.many(lab, call, "appRoleAssignments", _held_of(lab, call, find(lab, call)))


def _held_by(lab: Lab, holder: ServicePrincipal) -> list[Item]:
    return [shown_grant(lab, holder, held) for held in holder.grants.values()]


def _held_of(lab: Lab, call: Call, resource: ServicePrincipal) -> list[Item]:
    return [
        shown_grant(lab, holder, held)
        for holder in _seen(lab, call)
        for held in holder.grants.values()
        if held.resource == resource.app_id
    ]


def _require_grant(call: Call) -> None:
    may = graph.is_admin(call.who) if call.who.user else GRANT in call.who.roles
    if not may:
        raise graph.denied(call)
    graph.require_read(call)


def assign(lab: Lab, call: Call) -> Reply:
    """POST to either of the two lists; the path's principal must be the body's principal, or its resource."""
    _require_grant(call)
    sent = graph.body(call)
    named = find(lab, call)
    holder = _find(lab, call, "id", str(sent.get("principalId")))
    resource = _find(lab, call, "id", str(sent.get("resourceId")))
    if named is not (resource if call.low.endswith("/approleassignedto") else holder):
        raise graph.bad(call, "Not a valid reference update.")
    role_id = str(sent.get("appRoleId"))
    if role_id not in [role["id"] for role in _roles(lab, resource)]:
        raise graph.bad(call, "Permission being assigned was not found on application")
    if any((held.resource, held.role_id) == (resource.app_id, role_id) for held in holder.grants.values()):
        raise graph.bad(call, "Permission being assigned already exists on the object", "InvalidUpdate")
    made = grant(holder, resource.app_id, role_id, lab.world.now())
    return graph.one(lab, call, "appRoleAssignments", shown_grant(lab, holder, made), 201)


def unassign(lab: Lab, call: Call) -> Reply:
    """DELETE of either list's entry."""
    _require_grant(call)
    named = find(lab, call)
    by_resource = "/approleassignedto/" in call.low
    for holder in _seen(lab, call) if by_resource else [named]:
        held = holder.grants.get(call.name)
        if held is not None and (not by_resource or held.resource == named.app_id):
            del holder.grants[held.id]
            return Reply(204)
    raise graph.missing(call, call.name)
