# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.Authorization: role definitions, role assignments, elevateAccess.

Shapes: azure-rest-api-specs, authorization 2022-04-01 and 2015-07-01 (elevateAccess), as azure-mgmt-authorization 4
reads them. Which assignments a filter keeps: learn.microsoft.com, role-assignments-list-rest. RoleAssignmentExists:
terraform-provider-azurerm#28557, azure-cli#8599; PrincipalNotFound: azure-docs#103085, avdaccelerator#76;
RoleAssignmentUpdateNotPermitted: Azure-Landing-Zones#2040 (400). Assumed: RoleDefinitionDoesNotExist is a 400, the
words about a wrong name, type or filter, that a PUT of the same again answers 200, that removal counts at once.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from lab.azure import roles
from lab.azure.arm import page
from lab.azure.assignments import ROOT, Assignment
from lab.azure.bodies import json_object
from lab.azure.diagnostics import check_version, exists, subscription_of
from lab.azure.rbac import require
from lab.azure.state import Azure
from lab.entra import users
from lab.kernel.clock import stamp
from lab.kernel.http import Call, Handler, Reply, nested, ok

VERSIONS = frozenset({"2015-07-01", "2018-01-01-preview", "2020-04-01-preview", "2020-10-01-preview", "2022-04-01"})
_WRITE = "Microsoft.Authorization/roleAssignments/write"
_PRINCIPAL = re.compile(r"(?:principalId\s+eq|assignedTo\()\s*'([^']*)'\)?", re.I)
_ROLE_FILTER = re.compile(r"(roleName|type)\s+eq\s+'([^']*)'", re.I)


# -- role definitions -------------------------------------------------------------------------------------------------


def definitions(azure: Azure, call: Call) -> Reply:
    """All roles, or those of a filter: roleName eq '…', type eq 'BuiltInRole'. Custom ones are in every tenant."""
    _enter(azure, call, "roleDefinitions", "read")
    text = call.query.get("$filter", "").strip()
    wanted: dict[str, str] = {}
    for part in re.split(r"\s+and\s+", text) if text and text.lower() != "atscopeandbelow()" else []:
        match = _ROLE_FILTER.fullmatch(part)
        if match is None:
            raise _bad_filter(text)
        wanted[match[1].lower()] = match[2].lower()
    found = [_definition(call, name) for name in roles.ROLES]
    return ok({"value": [item for item in found if _keeps(item["properties"], wanted)]})


def definition(azure: Azure, call: Call) -> Reply:
    _enter(azure, call, "roleDefinitions", "read")
    name = roles.named(call.name)
    if name is None:
        raise _no_role(404, call.name)
    return ok(_definition(call, name))


def _keeps(properties: dict[str, Any], wanted: dict[str, str]) -> bool:
    shown = {"rolename": properties["roleName"], "type": properties["type"]}
    return all(shown[field].lower() == value for field, value in wanted.items())


def _definition(call: Call, name: str) -> dict[str, Any]:
    role = roles.ROLES[name]
    return {
        "id": role_id(call.scope, name),
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": role.id,
        "properties": {
            "roleName": name,
            "type": "CustomRole" if role.custom else "BuiltInRole",
            "description": f"The lab's {name}.",
            "assignableScopes": ["/"],
            "permissions": [role.permission()],
        },
    }


def role_id(scope: str, name: str) -> str:
    """Id of a role's definition as it is shown at a scope: that of the subscription, or of the tenant."""
    head = "/".join(scope.split("/")[:3]) if scope.lower().startswith("/subscriptions/") else ""
    return f"{head}/providers/Microsoft.Authorization/roleDefinitions/{roles.ROLES[name].id}"


def _no_role(status: int, id_: str) -> Exception:
    short = id_.rpartition("/")[2].replace("-", "")
    return nested(
        status, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{short}' does not exist."
    )


# -- role assignments -------------------------------------------------------------------------------------------------


def listing(azure: Azure, call: Call) -> Reply:
    """Without a filter those above, at and below the scope; none of it to a tenant that the scope is delegated to."""
    _enter(azure, call, "roleAssignments", "read")
    scope, keep = _scope(call), _filter(call.query.get("$filter", ""), _scope(call))
    tenant = _tenant(azure, call)
    found = [
        show(azure, item)
        for item in azure.assignments.listed()
        if item.tenant == tenant == call.who.tid and (_above(item.low, scope) or _above(scope, item.low)) and keep(item)
    ]
    return page(azure, call, found)


def get(azure: Azure, call: Call) -> Reply:
    _enter(azure, call, "roleAssignments", "read")
    found = _find(azure, call)
    if found is None:
        raise nested(404, "RoleAssignmentNotFound", f"The role assignment '{call.name}' is not found.")
    return ok(show(azure, found))


def put(azure: Azure, call: Call) -> Reply:
    _enter(azure, call, "roleAssignments", "write")
    _existing_scope(azure, call)
    wanted = _parse(azure, call, json_object(call))
    before = _find(azure, call)
    if before is not None:
        if (before.principal, before.role) != (wanted.principal, wanted.role):
            raise nested(
                400,
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            )
        before.description = wanted.description
        return ok(show(azure, before))
    other = azure.assignments.same(wanted)
    if other is not None:
        raise nested(
            409,
            "RoleAssignmentExists",
            f"The role assignment already exists. The ID of the existing role assignment is "
            f"{other.name.replace('-', '')}.",
        )
    azure.assignments.put(wanted)
    return ok(show(azure, wanted), 201)


def delete(azure: Azure, call: Call) -> Reply:
    _enter(azure, call, "roleAssignments", "delete")
    found = _find(azure, call)
    if found is None:
        return Reply(204)
    azure.assignments.drop(found)
    return ok(show(azure, found))


def show(azure: Azure, item: Assignment) -> dict[str, Any]:
    made = stamp(azure.shown(item.made))
    return {
        "properties": {
            "roleDefinitionId": role_id(item.scope, item.role),
            "principalId": item.principal,
            "principalType": item.principal_type,
            "scope": item.scope,
            "condition": None,
            "conditionVersion": None,
            "createdOn": made,
            "updatedOn": made,
            "createdBy": item.by,
            "updatedBy": item.by,
            "delegatedManagedIdentityResourceId": None,
            "description": item.description,
        },
        "id": item.id,
        "type": "Microsoft.Authorization/roleAssignments",
        "name": item.name,
    }


def elevate(azure: Azure, call: Call) -> Reply:
    """POST /providers/Microsoft.Authorization/elevateAccess: User Access Administrator at the root, to who may."""
    check_version(call, VERSIONS | {"2016-07-01", "2017-05-01"}, "elevateAccess", "Microsoft.Authorization")
    who = call.who
    if who.oid != azure.entra.user_oid(who.tid):
        require(azure, who, "Microsoft.Authorization/elevateAccess/action", ROOT)
    azure.assign(who.oid, roles.ACCESS, ROOT, tenant=who.tid, principal_type="User")
    return Reply(200)


# -- the rules --------------------------------------------------------------------------------------------------------


def _enter(azure: Azure, call: Call, what: str, verb: str) -> None:
    check_version(call, VERSIONS, what, "Microsoft.Authorization")
    require(azure, call.who, f"Microsoft.Authorization/{what}/{verb}", call.scope or ROOT)


def _scope(call: Call) -> str:
    return call.scope.lower().rstrip("/") or ROOT


def _tenant(azure: Azure, call: Call) -> str:
    """The directory of the call's scope."""
    return subscription_of(azure, call.scope).tenant if _scope(call).startswith("/subscriptions/") else call.who.tid


def _above(upper: str, lower: str) -> bool:
    """Whether one lower-cased scope is another or holds it."""
    return upper in (ROOT, lower) or lower.startswith(upper + "/")


def _find(azure: Azure, call: Call) -> Assignment | None:
    found = azure.assignments.held.get((_tenant(azure, call), _scope(call), call.name.lower()))
    return None if found is None or found.delegation else found


def _existing_scope(azure: Azure, call: Call) -> None:
    """Groups and resources must exist; tenant scopes and what lies in a resource are taken as they come."""
    parts = call.scope.split("/")
    if len(parts) == 5 and parts[4].lower() not in subscription_of(azure, call.scope).groups:
        raise nested(404, "ResourceGroupNotFound", f"Resource group '{parts[4]}' could not be found.")
    if len(parts) == 9:
        exists(azure, call)


def _filter(text: str, scope: str) -> Callable[[Assignment], bool]:
    """atScope(), principalId eq '…', assignedTo('…'), and two of them joined by and."""
    keeps: list[Callable[[Assignment], bool]] = []
    for part in re.split(r"\s+and\s+", text.strip()) if text.strip() else []:
        match = _PRINCIPAL.fullmatch(part)
        if match is not None:
            keeps.append(_of(match[1].lower()))
        elif part.lower() == "atscope()":
            keeps.append(lambda item: _above(item.low, scope))
        else:
            raise _bad_filter(text)
    return lambda item: all(keep(item) for keep in keeps)


def _of(oid: str) -> Callable[[Assignment], bool]:
    return lambda item: item.principal == oid


def _bad_filter(text: str) -> Exception:
    return nested(400, "BadRequestFormat", f"The filter '{text}' is not supported.")


def _parse(azure: Azure, call: Call, body: dict[str, Any]) -> Assignment:
    given = body.get("properties")
    if not isinstance(given, dict) or not given.get("roleDefinitionId") or not given.get("principalId"):
        raise nested(400, "InvalidRequestContent", "The request content was invalid: 'roleDefinitionId' and "
                     "'principalId' are required properties.")  # fmt: skip
    if not is_guid(call.name):
        raise nested(
            400,
            "InvalidRoleAssignmentId",
            f"The role assignment ID '{call.name}' is not valid. The role assignment ID must be a GUID.",
        )
    role = roles.named(str(given["roleDefinitionId"]))
    if role is None:
        raise _no_role(400, str(given["roleDefinitionId"]))
    now, tenant, oid = azure.now(), _tenant(azure, call), str(given["principalId"]).lower()
    return Assignment(
        call.name,
        tenant,
        call.scope or ROOT,
        role,
        oid,
        _principal(azure, tenant, oid, given.get("principalType")),
        given.get("description"),
        call.who.oid,
        now,
        now + azure.propagation,
    )


def _principal(azure: Azure, tenant: str, oid: str, given: str | None) -> str:
    """The principal's type; 400 for one that the directory does not have, or does not show yet when none is given."""
    known = _known(azure, tenant, oid)
    fresh = known is not None and time.time() - known[1] < azure.propagation
    if known is None or (fresh and not given):
        raise nested(
            400,
            "PrincipalNotFound",
            f"Principal {oid.replace('-', '')} does not exist in the directory {tenant}. Check that you have the "
            "correct principal ID. If you are creating this principal and then immediately assigning a role, this "
            "error might be related to a replication delay. In this case, set the role assignment principalType "
            "property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
        )
    if given and given.lower() != known[0].lower():
        raise nested(
            400,
            "UnmatchedPrincipalType",
            f"The PrincipalId '{oid.replace('-', '')}' has type '{known[0]}' , which is different from specified "
            f"PrinciaplType '{given}'.",
        )
    return known[0]


def _known(azure: Azure, tenant: str, oid: str) -> tuple[str, float] | None:
    """(type, when it was made in real seconds) of an object id in a directory."""
    if oid in (azure.entra.user_oid(tenant, role) for role in users.ROLES):
        return "User", 0.0
    found = azure.entra.directory.by_oid(oid)
    return ("ServicePrincipal", found.made) if found and found.tenant == tenant else None


def is_guid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


ROUTES: dict[tuple[str, bool], dict[str, tuple[str, Handler]]] = {
    ("microsoft.authorization/roledefinitions", False): {"GET": ("role_definitions.list", definitions)},
    ("microsoft.authorization/roledefinitions", True): {"GET": ("role_definitions.get", definition)},
    ("microsoft.authorization/roleassignments", False): {"GET": ("role_assignments.list", listing)},
    ("microsoft.authorization/roleassignments", True): {
        "GET": ("role_assignments.get", get),
        "PUT": ("role_assignments.put", put),
        "DELETE": ("role_assignments.delete", delete),
    },
}
