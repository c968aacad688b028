# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Lighthouse, from the customer's side: Microsoft.ManagedServices registration definitions and assignments.

Shapes: azure-rest-api-specs, managedservices 2022-10-01, as azure-mgmt-managedservices 6 reads them. Roles that are
refused: azure-docs#117760 (code), #52919 (Owner), Azure-Lighthouse-samples#137 (data actions; built-in only); a second
assignment: Azure-Lighthouse-samples#85 (words). Who may delegate: learn.microsoft.com, lighthouse/how-to/onboard-
customer. Assumed: the codes and statuses of a second assignment, of a definition in use and of a definition that is
missing, the words about User Access Administrator and about the tenant itself; that a definition takes part in no
operation, and an assignment in one that ends after `operation` seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab import roles
from lab.arm import page
from lab.delegations import ASSIGNMENTS, DEFINITIONS, Definition, Delegation, derive
from lab.diagnostics import check_version, subscription_of, writable
from lab.rbac import require
from lab.role_assignments import is_guid
from lab.subscriptions import registered
from lab.wire import Call, Handler, Refusal, Reply, json_object, nested, ok

if TYPE_CHECKING:
    from lab.app import Lab

VERSIONS = frozenset({"2019-06-01", "2019-09-01", "2020-02-01-preview", "2022-01-01-preview", "2022-10-01"})
_NAMESPACE = "Microsoft.ManagedServices"
_FIELDS = ("principalId", "principalIdDisplayName", "roleDefinitionId", "delegatedRoleDefinitionIds")


# -- definitions ------------------------------------------------------------------------------------------------------


def list_definitions(lab: Lab, call: Call) -> Reply:
    _enter(lab, call, DEFINITIONS, "read")
    prefix = call.scope.lower() + "/providers/"
    return page(
        lab, call, [_definition(lab, one) for id_, one in lab.world.definitions.items() if id_.startswith(prefix)]
    )


def get_definition(lab: Lab, call: Call) -> Reply:
    _enter(lab, call, DEFINITIONS, "read")
    found = lab.world.definitions.get(_id(call, DEFINITIONS))
    if found is None:
        raise _missing("RegistrationDefinitionNotFound", "registration definition", call)
    return ok(_definition(lab, found))


def put_definition(lab: Lab, call: Call) -> Reply:
    _enter_write(lab, call, DEFINITIONS)
    wanted = _parse(lab, call)
    before = lab.world.definitions.get(wanted.id.lower())
    if before is not None and before.manager != wanted.manager:
        raise _invalid(f"The managing tenant of the registration definition '{call.name}' cannot be changed.")
    lab.world.definitions[wanted.id.lower()] = wanted
    if before is not None:
        derive(lab.world)
    return ok(_definition(lab, wanted), 200 if before else 201)


def delete_definition(lab: Lab, call: Call) -> Reply:
    _enter(lab, call, DEFINITIONS, "delete")
    id_ = _id(call, DEFINITIONS)
    used = [one.id for one in lab.world.delegations.values() if one.definition == id_]
    if used:
        raise nested(
            409,
            "RegistrationDefinitionInUse",
            f"The registration definition '{call.name}' cannot be deleted because it is used by the registration "
            f"assignments '{', '.join(used)}'.",
        )
    return Reply(204) if lab.world.definitions.pop(id_, None) is None else Reply(200)


def _definition(lab: Lab, one: Definition) -> dict[str, Any]:
    return {"properties": _properties(lab, one), "id": one.id, "type": DEFINITIONS, "name": one.name}


def _properties(lab: Lab, one: Definition) -> dict[str, Any]:
    managee = lab.world.tenants[lab.world.subscriptions[one.id.split("/")[2].lower()].tenant]
    manager = lab.world.tenants.get(one.manager)
    return {
        "description": one.description,
        "authorizations": one.authorizations,
        "registrationDefinitionName": one.offer,
        "managedByTenantId": one.manager,
        "managedByTenantName": manager.slug if manager else None,
        "manageeTenantId": managee.id,
        "manageeTenantName": managee.slug,
        "provisioningState": "Succeeded",
    }


def _parse(lab: Lab, call: Call) -> Definition:
    given = json_object(call).get("properties")
    if not isinstance(given, dict):
        raise _invalid("The registration definition has no properties.")
    for name in ("managedByTenantId", "authorizations", "registrationDefinitionName"):
        if not given.get(name):
            raise _invalid(f"The required property '{name}' is missing in the registration definition '{call.name}'.")
    if not is_guid(call.name):
        raise _invalid(f"The registration definition name '{call.name}' is not a valid GUID.")
    if given["managedByTenantId"] == subscription_of(lab, call.scope).tenant:
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
        lab.world.now(),
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


def list_assignments(lab: Lab, call: Call) -> Reply:
    """Those at the scope and below it."""
    _enter(lab, call, ASSIGNMENTS, "read")
    low = call.scope.lower()
    found = [one for one in lab.world.delegations.values() if (one.scope.lower() + "/").startswith(low + "/")]
    return page(lab, call, [_assignment(lab, call, one) for one in found])


def get_assignment(lab: Lab, call: Call) -> Reply:
    _enter(lab, call, ASSIGNMENTS, "read")
    found = lab.world.delegations.get(_id(call, ASSIGNMENTS))
    if found is None:
        raise _missing("RegistrationAssignmentNotFound", "registration assignment", call)
    return ok(_assignment(lab, call, found))


def put_assignment(lab: Lab, call: Call) -> Reply:
    _enter_write(lab, call, ASSIGNMENTS)
    definition = str((json_object(call).get("properties") or {}).get("registrationDefinitionId", "")).lower()
    known = lab.world.definitions.get(definition)
    if known is None or definition.split("/")[2] != call.low.split("/")[2]:
        raise nested(
            404, "RegistrationDefinitionNotFound", f"The registration definition '{definition}' could not be found."
        )
    id_ = f"{call.scope}/providers/{ASSIGNMENTS}/{call.name}"
    before = lab.world.delegations.get(id_.lower())
    if before is None:
        _check_single(lab, call, definition)
        before = Delegation(id_, call.name, call.scope, definition, lab.world.now())
        lab.world.delegations[id_.lower()] = before
        derive(lab.world)
        return ok(_assignment(lab, call, before, "Creating"), 201)
    if before.definition != definition:
        raise nested(
            409,
            "RegistrationAssignmentUpdateNotPermitted",
            f"The registration definition of the registration assignment '{call.name}' cannot be changed.",
        )
    return ok(_assignment(lab, call, before))


def delete_assignment(lab: Lab, call: Call) -> Reply:
    _enter(lab, call, ASSIGNMENTS, "delete")
    found = lab.world.delegations.pop(_id(call, ASSIGNMENTS), None)
    if found is None:
        return Reply(204)
    shown = _assignment(lab, call, found, "Deleted")
    derive(lab.world)
    return ok(shown)


def _check_single(lab: Lab, call: Call, definition: str) -> None:
    for one in lab.world.delegations.values():
        if one.scope.lower() == call.scope.lower() and one.definition == definition:
            raise nested(
                409,
                "RegistrationAssignmentExists",
                f"Another registration assignment present at this scope '{call.scope}' for registration definition "
                f"'{definition}'. Multiple registration assignments are not allowed.",
            )


def _assignment(lab: Lab, call: Call, one: Delegation, state: str = "") -> dict[str, Any]:
    definition = lab.world.definitions[one.definition]
    done = lab.world.now() >= one.made + lab.world.operation
    properties: dict[str, Any] = {
        "registrationDefinitionId": definition.id,
        "provisioningState": state or ("Succeeded" if done else "Creating"),
    }
    if call.query.get("$expandregistrationdefinition", "").lower() == "true":
        properties["registrationDefinition"] = {**_definition(lab, definition), "plan": None}
    return {"properties": properties, "id": one.id, "type": ASSIGNMENTS, "name": one.name}


# -- the way in -------------------------------------------------------------------------------------------------------


def _enter(lab: Lab, call: Call, what: str, verb: str) -> None:
    check_version(call, VERSIONS, what.partition("/")[2], _NAMESPACE)
    require(lab.world, call.who, f"{what}/{verb}", call.scope)


def _enter_write(lab: Lab, call: Call, what: str) -> None:
    """Delegating is giving roles away: the caller must be allowed to do that, too."""
    _enter(lab, call, what, "write")
    require(lab.world, call.who, "Microsoft.Authorization/roleAssignments/write", call.scope)
    registered(lab, call, _NAMESPACE)
    writable(lab, call)


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
