# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Lighthouse, from the customer's side: Microsoft.ManagedServices registration definitions and assignments.

Shapes: azure-rest-api-specs, managedservices 2022-10-01, as azure-mgmt-managedservices 6 reads them. Roles that are
refused: azure-docs#117760 (code), #52919 (Owner), Azure-Lighthouse-samples#137 (data actions; built-in only); a second
assignment: Azure-Lighthouse-samples#85 (words). Who may delegate: learn.microsoft.com, lighthouse/how-to/onboard-
customer. Assumed: the codes and statuses of a second assignment, of a definition in use and of a definition that is
missing, the words about User Access Administrator and about the tenant itself; that the provisioning of either ends
after `operation` seconds, and what it is called until then.
"""

from __future__ import annotations

from typing import Any

from lab.azure import roles
from lab.azure.arm import page
from lab.azure.bodies import json_object
from lab.azure.delegating import derive
from lab.azure.delegations import ASSIGNMENTS, DEFINITIONS, Definition, Delegation
from lab.azure.diagnostics import check_version, subscription_of, writable
from lab.azure.rbac import require
from lab.azure.role_assignments import is_guid
from lab.azure.state import Azure
from lab.azure.subscriptions import registered
from lab.kernel.http import Call, Handler, Refusal, Reply, nested, ok

VERSIONS = frozenset({"2019-06-01", "2019-09-01", "2020-02-01-preview", "2022-01-01-preview", "2022-10-01"})
_NAMESPACE = "Microsoft.ManagedServices"
_FIELDS = ("principalId", "principalIdDisplayName", "roleDefinitionId", "delegatedRoleDefinitionIds")


# -- definitions ------------------------------------------------------------------------------------------------------


def list_definitions(azure: Azure, call: Call) -> Reply:
    _enter(azure, call, DEFINITIONS, "read")
    prefix = call.scope.lower() + "/providers/"
    return page(
        azure, call, [_definition(azure, one) for id_, one in azure.definitions.items() if id_.startswith(prefix)]
    )


def get_definition(azure: Azure, call: Call) -> Reply:
    _enter(azure, call, DEFINITIONS, "read")
    found = azure.definitions.get(_id(call, DEFINITIONS))
    if found is None:
        raise _missing("RegistrationDefinitionNotFound", "registration definition", call)
    return ok(_definition(azure, found))


def put_definition(azure: Azure, call: Call) -> Reply:
    _enter_write(azure, call, DEFINITIONS)
    wanted = _parse(azure, call)
    before = azure.definitions.get(wanted.id.lower())
    if before is not None and before.manager != wanted.manager:
        raise _invalid(f"The managing tenant of the registration definition '{call.name}' cannot be changed.")
    azure.definitions[wanted.id.lower()] = wanted
    if before is not None:
        derive(azure)
    return ok(_definition(azure, wanted), 200 if before else 201)


def delete_definition(azure: Azure, call: Call) -> Reply:
    _enter(azure, call, DEFINITIONS, "delete")
    id_ = _id(call, DEFINITIONS)
    used = [one.id for one in azure.delegations.values() if one.definition == id_]
    if used:
        raise nested(
            409,
            "RegistrationDefinitionInUse",
            f"The registration definition '{call.name}' cannot be deleted because it is used by the registration "
            f"assignments '{', '.join(used)}'.",
        )
    return Reply(204) if azure.definitions.pop(id_, None) is None else Reply(200)


def _definition(azure: Azure, one: Definition) -> dict[str, Any]:
    return {"properties": _properties(azure, one), "id": one.id, "type": DEFINITIONS, "name": one.name}


def _properties(azure: Azure, one: Definition) -> dict[str, Any]:
    managee = azure.entra.tenants[azure.subscriptions[one.id.split("/")[2].lower()].tenant]
    manager = azure.entra.tenants.get(one.manager)
    return {
        "description": one.description,
        "authorizations": one.authorizations,
        "registrationDefinitionName": one.offer,
        "managedByTenantId": one.manager,
        "managedByTenantName": manager.slug if manager else None,
        "manageeTenantId": managee.id,
        "manageeTenantName": managee.slug,
        "provisioningState": _state(azure, one),
    }


def _parse(azure: Azure, call: Call) -> Definition:
    given = json_object(call).get("properties")
    if not isinstance(given, dict):
        raise _invalid("The registration definition has no properties.")
    for name in ("managedByTenantId", "authorizations", "registrationDefinitionName"):
        if not given.get(name):
            raise _invalid(f"The required property '{name}' is missing in the registration definition '{call.name}'.")
    if not is_guid(call.name):
        raise _invalid(f"The registration definition name '{call.name}' is not a valid GUID.")
    if given["managedByTenantId"] == subscription_of(azure, call.scope).tenant:
        raise _invalid("The managing tenant cannot be the tenant of the subscription.")
    for one in given["authorizations"]:
        _delegable(call, one)
    return Definition(
        f"{call.scope}/providers/{DEFINITIONS}/{call.name}",
        call.name,
        given["managedByTenantId"],
        given["registrationDefinitionName"],
        given.get("description"),
        [{name: one[name] for name in _FIELDS if one.get(name)} for one in given["authorizations"]],
        azure.now(),
    )


def _delegable(call: Call, one: dict[str, Any]) -> None:
    """Built-in roles without data actions; Owner never, who may assign roles only with the list of those."""
    if not one.get("principalId") or not one.get("roleDefinitionId"):
        raise _invalid("An authorization needs principalId and roleDefinitionId.")
    id_ = str(one["roleDefinitionId"])
    name = roles.named(id_)
    role = roles.ROLES[name] if name else None
    if role is None:
        raise _invalid(f"The role definition '{id_}' does not exist.")
    if role.data_actions or role.custom:
        raise _invalid(
            f"The role definition '{id_}' with data actions not allowed for registration definition '{call.name}'. "
            "Only built in role definitions without any data and notData actions are allowed."
        )
    if name == roles.OWNER:
        raise _invalid(f"The role definition '{id_}' is restricted for registration.")
    if name == roles.ACCESS and not one.get("delegatedRoleDefinitionIds"):
        raise _invalid(
            f"The role definition '{id_}' is not allowed for registration definition '{call.name}' because of "
            "restricted actions."
        )


def _invalid(message: str) -> Refusal:
    return nested(400, "InvalidRegistrationDefinitionCreateRequest", message)


# -- assignments ------------------------------------------------------------------------------------------------------


def list_assignments(azure: Azure, call: Call) -> Reply:
    """Those at the scope and below it."""
    _enter(azure, call, ASSIGNMENTS, "read")
    low = call.scope.lower()
    found = [one for one in azure.delegations.values() if (one.scope.lower() + "/").startswith(low + "/")]
    return page(azure, call, [_assignment(azure, call, one) for one in found])


def get_assignment(azure: Azure, call: Call) -> Reply:
    _enter(azure, call, ASSIGNMENTS, "read")
    found = azure.delegations.get(_id(call, ASSIGNMENTS))
    if found is None:
        raise _missing("RegistrationAssignmentNotFound", "registration assignment", call)
    return ok(_assignment(azure, call, found))


def put_assignment(azure: Azure, call: Call) -> Reply:
    _enter_write(azure, call, ASSIGNMENTS)
    definition = str((json_object(call).get("properties") or {}).get("registrationDefinitionId", "")).lower()
    known = azure.definitions.get(definition)
    if known is None or definition.split("/")[2] != call.low.split("/")[2]:
        raise nested(
            404, "RegistrationDefinitionNotFound", f"The registration definition '{definition}' could not be found."
        )
    id_ = f"{call.scope}/providers/{ASSIGNMENTS}/{call.name}"
    before = azure.delegations.get(id_.lower())
    if before is None:
        _check_single(azure, call, definition)
        before = Delegation(id_, call.name, call.scope, definition, azure.now())
        azure.delegations[id_.lower()] = before
        derive(azure)
        return ok(_assignment(azure, call, before, "Creating"), 201)
    if before.definition != definition:
        raise nested(
            409,
            "RegistrationAssignmentUpdateNotPermitted",
            f"The registration definition of the registration assignment '{call.name}' cannot be changed.",
        )
    return ok(_assignment(azure, call, before))


def delete_assignment(azure: Azure, call: Call) -> Reply:
    _enter(azure, call, ASSIGNMENTS, "delete")
    found = azure.delegations.pop(_id(call, ASSIGNMENTS), None)
    if found is None:
        return Reply(204)
    shown = _assignment(azure, call, found, "Deleted")
    derive(azure)
    return ok(shown)


def _check_single(azure: Azure, call: Call, definition: str) -> None:
    for one in azure.delegations.values():
        if one.scope.lower() == call.scope.lower() and one.definition == definition:
            raise nested(
                409,
                "RegistrationAssignmentExists",
                f"Another registration assignment present at this scope '{call.scope}' for registration definition "
                f"'{definition}'. Multiple registration assignments are not allowed.",
            )


def _assignment(azure: Azure, call: Call, one: Delegation, state: str = "") -> dict[str, Any]:
    definition = azure.definitions[one.definition]
    properties: dict[str, Any] = {
        "registrationDefinitionId": definition.id,
        "provisioningState": state or _state(azure, one),
    }
    if call.query.get("$expandregistrationdefinition", "").lower() == "true":
        properties["registrationDefinition"] = {**_definition(azure, definition), "plan": None}
    return {"properties": properties, "id": one.id, "type": ASSIGNMENTS, "name": one.name}


def _state(azure: Azure, one: Definition | Delegation) -> str:
    return "Succeeded" if azure.now() >= one.made + azure.operation else "Creating"


# -- the way in -------------------------------------------------------------------------------------------------------


def _enter(azure: Azure, call: Call, what: str, verb: str) -> None:
    check_version(call, VERSIONS, what.partition("/")[2], _NAMESPACE)
    require(azure, call.who, f"{what}/{verb}", call.scope)


def _enter_write(azure: Azure, call: Call, what: str) -> None:
    """Delegating is giving roles away: the caller must be allowed to do that, too."""
    _enter(azure, call, what, "write")
    require(azure, call.who, "Microsoft.Authorization/roleAssignments/write", call.scope)
    registered(azure, call, _NAMESPACE)
    writable(azure, call)


def _id(call: Call, what: str) -> str:
    return f"{call.scope}/providers/{what}/{call.name}".lower()


def _missing(code: str, what: str, call: Call) -> Refusal:
    return nested(404, code, f"The {what} '{call.name}' could not be found.")


ROUTES: dict[tuple[str, bool], dict[str, tuple[str, Handler]]] = {
    ("microsoft.managedservices/registrationdefinitions", False): {"GET": ("lighthouse.definitions", list_definitions)},
    ("microsoft.managedservices/registrationdefinitions", True): {
        "GET": ("lighthouse.definition.get", get_definition),
        "PUT": ("lighthouse.definition.put", put_definition),
        "DELETE": ("lighthouse.definition.delete", delete_definition),
    },
    ("microsoft.managedservices/registrationassignments", False): {"GET": ("lighthouse.assignments", list_assignments)},
    ("microsoft.managedservices/registrationassignments", True): {
        "GET": ("lighthouse.assignment.get", get_assignment),
        "PUT": ("lighthouse.assignment.put", put_assignment),
        "DELETE": ("lighthouse.assignment.delete", delete_assignment),
    },
}
