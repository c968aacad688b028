# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role definitions, role assignments and elevateAccess: who may give rights, and when they count."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any
from urllib.parse import quote

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.authorization import AuthorizationManagementClient

from lab.client import LabClient
from lab.testing import CONTOSO, FABRIKAM, NORTHWIND, PROSEWARE
from tests.lab.azure.arm_tools import Arm, Given, administrator, app, client_options, text

VERSION = "2022-04-01"
PRODUCTION = f"/subscriptions/{CONTOSO[:-1]}1"
DEVELOPMENT = f"/subscriptions/{CONTOSO[:-1]}2"
SHOP = f"{PRODUCTION}/resourceGroups/rg-shop-prod"
ASSIGNMENTS = "/providers/Microsoft.Authorization/roleAssignments"
DEFINITIONS = "/providers/Microsoft.Authorization/roleDefinitions"
AADIAM = "/providers/Microsoft.aadiam"
READER, MONITORING = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "749f88d5-cbae-40b8-bcfc-e573ddc772fa"


@pytest.fixture
def admin(lab: LabClient) -> Arm:
    return administrator(lab, CONTOSO, VERSION)


@pytest.fixture
def oid(lab: LabClient) -> str:
    """Of the app's principal in Contoso."""
    return claims(app(lab, VERSION).bearer)["oid"]


def claims(bearer: str) -> dict[str, str]:
    part = bearer.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def assign(arm: Arm, scope: str, oid: str, role: str = READER, name: str = "", **more: Any) -> tuple[int, str, Any]:
    where = f"{scope}{ASSIGNMENTS}/{name or uuid.uuid4()}"
    return arm.put(where, roleDefinitionId=f"{scope}{DEFINITIONS}/{role}", principalId=oid, **more)


def listed(arm: Arm, scope: str, keep: str = "") -> list[tuple[str, str]]:
    """(scope, role id) of what a list has, sorted."""
    found = arm.get(f"{scope}{ASSIGNMENTS}" + (f"?$filter={quote(keep)}" if keep else ""))["value"]
    shown = [item["properties"] for item in found]
    return sorted((one["scope"], one["roleDefinitionId"].rpartition("/")[2]) for one in shown)


def roles(arm: Arm, keep: str) -> list[Any]:
    return list(arm.get(f"{PRODUCTION}{DEFINITIONS}?$filter={quote(keep)}")["value"])


# -- definitions ------------------------------------------------------------------------------------------------------


def test_a_role_is_found_by_its_name(admin: Arm) -> None:
    found = roles(admin, "roleName eq 'Monitoring Contributor'")
    assert [item["id"] for item in found] == [f"{PRODUCTION}{DEFINITIONS}/{MONITORING}"]
    assert found[0]["properties"]["type"] == "BuiltInRole"
    assert "Microsoft.Insights/DiagnosticSettings/*" in found[0]["properties"]["permissions"][0]["actions"]
    assert admin.get(f"{AADIAM}{DEFINITIONS}/{MONITORING}")["properties"]["roleName"] == "Monitoring Contributor"
    custom = roles(admin, "type eq 'CustomRole'")
    assert [item["properties"]["roleName"] for item in custom] == ["Diagnostic Destination User"]


def test_a_role_that_does_not_exist(admin: Arm, oid: str) -> None:
    name = str(uuid.uuid4())
    assert admin.call("GET", f"{PRODUCTION}{DEFINITIONS}/{name}")[:2] == (404, "RoleDefinitionDoesNotExist")
    assert assign(admin, PRODUCTION, oid, name)[:2] == (400, "RoleDefinitionDoesNotExist")
    assert admin.call("GET", f"{PRODUCTION}{DEFINITIONS}?$filter=name%20eq%20'x'")[:2] == (400, "BadRequestFormat")


# -- a life -----------------------------------------------------------------------------------------------------------


def test_an_assignment_gives_and_takes_a_right(lab: LabClient, admin: Arm, oid: str) -> None:
    mine, group = app(lab, "2024-11-01"), f"{DEVELOPMENT}/resourcegroups/rg-new"
    body = {"location": "westeurope"}
    assert mine.call("PUT", group, body)[:2] == (403, "AuthorizationFailed")
    name = str(uuid.uuid4())
    status, _code, made = assign(admin, DEVELOPMENT, oid, "b24988ac-6180-42a0-ab88-20f7382dd24c", name)
    assert status == 201
    assert made["id"] == f"{DEVELOPMENT}{ASSIGNMENTS}/{name}"
    assert made["properties"]["principalType"] == "ServicePrincipal"
    assert made["properties"]["createdBy"] == claims(admin.bearer)["oid"]
    assert admin.get(made["id"]) == made
    assert mine.call("PUT", group, body)[0] == 201
    assert mine.call("PUT", group, body)[0] == 200
    assert admin.call("DELETE", made["id"])[0] == 200
    assert admin.call("DELETE", made["id"])[0] == 204
    assert admin.call("GET", made["id"])[:2] == (404, "RoleAssignmentNotFound")
    assert mine.call("PUT", group, body)[0] == 403


def test_the_same_again(admin: Arm, oid: str) -> None:
    name = str(uuid.uuid4())
    assert assign(admin, SHOP, oid, name=name)[0] == 201
    assert assign(admin, SHOP, oid, name=name, description="why")[0] == 200
    status, code, body = assign(admin, SHOP, oid)
    assert (status, code) == (409, "RoleAssignmentExists")
    assert name.replace("-", "") in text(body)
    answer = assign(admin, SHOP, oid, MONITORING, name)
    assert answer[:2] == (400, "RoleAssignmentUpdateNotPermitted")
    assert assign(admin, SHOP, oid, MONITORING)[0] == 201


def test_what_a_scenario_gives_is_listed(lab: LabClient, admin: Arm, oid: str) -> None:
    assert listed(admin, PRODUCTION, f"principalId eq '{oid}'") == [(PRODUCTION, MONITORING)]
    lab.edit("assign_role", tenant=CONTOSO, role="Reader", scope=SHOP)
    assert listed(admin, PRODUCTION, f"principalId eq '{oid}'") == [(PRODUCTION, MONITORING), (SHOP, READER)]
    assert listed(admin, PRODUCTION, f"atScope() and assignedTo('{oid}')") == [(PRODUCTION, MONITORING)]
    assert (SHOP, READER) in listed(admin, SHOP)
    lab.edit("unassign_role", tenant=CONTOSO, role="Reader", scope=SHOP)
    assert listed(admin, SHOP, f"principalId eq '{oid}'") == [(PRODUCTION, MONITORING)]


def test_an_edit_takes_away_what_was_assigned_over_the_api(lab: LabClient, admin: Arm, oid: str) -> None:
    assign(admin, SHOP, oid)
    lab.edit("unassign_role", tenant=CONTOSO, role="Reader", scope=SHOP)
    assert listed(admin, SHOP, f"principalId eq '{oid}'") == [(PRODUCTION, MONITORING)]


def test_delegated_roles_are_in_no_list(lab: LabClient) -> None:
    """learn.microsoft.com, role-assignments-list-rest; nor does the managing tenant see the customer's."""
    subscription = f"/subscriptions/{FABRIKAM[:-1]}1"
    own = listed(administrator(lab, FABRIKAM, VERSION), subscription)
    assert [scope for scope, _role in own] == ["/", subscription]
    assert listed(app(lab, VERSION, PROSEWARE), subscription) == []


def test_pages(lab: LabClient, admin: Arm) -> None:
    lab.configure(page_size=1)
    first = admin.get(f"{PRODUCTION}{ASSIGNMENTS}")
    assert len(first["value"]) == 1
    assert first["nextLink"].startswith(f"{lab.url}{PRODUCTION}{ASSIGNMENTS}?")


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_who_may_not_assign(lab: LabClient, oid: str) -> None:
    for caller in (app(lab, VERSION), administrator(lab, CONTOSO, VERSION, "User")):
        status, code, body = assign(caller, PRODUCTION, oid)
        assert (status, code) == (403, "AuthorizationFailed")
        assert "'Microsoft.Authorization/roleAssignments/write' over scope" in text(body)
    stranger = administrator(lab, PROSEWARE, VERSION)
    assert assign(stranger, PRODUCTION, oid)[:2] == (401, "InvalidAuthenticationTokenTenant")


def test_the_mssps_administrator_has_no_right_in_a_delegated_subscription(lab: LabClient, oid: str) -> None:
    delegated = f"/subscriptions/{FABRIKAM[:-1]}1"
    assert assign(administrator(lab, PROSEWARE, VERSION), delegated, oid)[:2] == (403, "AuthorizationFailed")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"principalId": str(uuid.uuid4())}, "PrincipalNotFound"),
        ({"principalType": "User"}, "UnmatchedPrincipalType"),
        ({"principalId": None}, "InvalidRequestContent"),
    ],
)
def test_bodies_that_are_refused(admin: Arm, oid: str, change: dict[str, Any], code: str) -> None:
    given = {"principalId": oid, "roleDefinitionId": f"{DEFINITIONS}/{READER}"} | change
    assert admin.put(f"{SHOP}{ASSIGNMENTS}/{uuid.uuid4()}", **given)[:2] == (400, code)


def test_a_principal_of_another_tenant(lab: LabClient, admin: Arm) -> None:
    other = claims(app(lab, VERSION, PROSEWARE).bearer)["oid"]
    status, code, body = assign(admin, SHOP, other, principalType="ServicePrincipal")
    assert (status, code) == (400, "PrincipalNotFound")
    assert f"Principal {other.replace('-', '')} does not exist in the directory {CONTOSO}." in text(body)


def test_names_scopes_and_filters_that_are_refused(admin: Arm, oid: str) -> None:
    assert assign(admin, SHOP, oid, name="mine")[:2] == (400, "InvalidRoleAssignmentId")
    assert assign(admin, f"{PRODUCTION}/resourceGroups/rg-none", oid)[:2] == (404, "ResourceGroupNotFound")
    vault = f"{SHOP}/providers/Microsoft.KeyVault/vaults/kv-none"
    assert assign(admin, vault, oid)[:2] == (404, "ResourceNotFound")
    assert admin.call("GET", f"{SHOP}{ASSIGNMENTS}?$filter=x")[:2] == (400, "BadRequestFormat")
    assert admin.call("GET", f"{SHOP}{ASSIGNMENTS}?api-version=2099-01-01")[:2] == (400, "InvalidResourceType")


# -- propagation ------------------------------------------------------------------------------------------------------


def test_an_assignment_counts_later_than_it_is_listed(lab: LabClient, admin: Arm, oid: str) -> None:
    lab.configure(propagation=600)
    assert assign(admin, SHOP, oid)[0] == 201
    assert (SHOP, READER) in listed(admin, SHOP, f"principalId eq '{oid}'")
    lab.edit("unassign_role", tenant=CONTOSO, role="Monitoring Contributor", scope=PRODUCTION)
    mine = app(lab, "2024-11-01")
    assert mine.call("GET", SHOP)[0] == 403
    lab.advance(601)
    assert mine.call("GET", SHOP)[0] == 200


def test_a_new_principal_needs_its_type(lab: LabClient) -> None:
    """azure-docs#103085: until it is everywhere, only who says what it is may name it."""
    lab.configure(propagation=600)
    graph = Arm(lab, lab.admin_token(NORTHWIND, "graph"), "")
    status, _headers, made = lab.call(
        "POST",
        "/graph/v1.0/servicePrincipals",
        {"appId": "a0000000-0000-4000-8000-00000000000a"},
        {"Authorization": f"Bearer {graph.bearer}"},
    )
    assert status == 201, made
    northwind, scope = administrator(lab, NORTHWIND, VERSION), f"/subscriptions/{NORTHWIND[:-1]}1"
    assert assign(northwind, scope, made["id"])[:2] == (400, "PrincipalNotFound")
    assert assign(northwind, scope, made["id"], principalType="ServicePrincipal")[0] == 201


# -- the tenant's own scopes ------------------------------------------------------------------------------------------


def test_roles_of_the_tenant(lab: LabClient, admin: Arm, oid: str) -> None:
    assert assign(admin, AADIAM, oid)[0] == 201
    assert listed(admin, AADIAM, f"principalId eq '{oid}'") == [(AADIAM, READER)]
    other = administrator(lab, PROSEWARE, VERSION)
    assert [scope for scope, _role in listed(other, AADIAM)] == ["/"]
    assert assign(app(lab, VERSION), AADIAM, oid)[:2] == (403, "AuthorizationFailed")


def test_elevated_access_comes_and_goes(lab: LabClient, admin: Arm, oid: str) -> None:
    path = "/providers/Microsoft.Authorization/elevateAccess?api-version=2016-07-01"
    root = next(item for item in admin.get(ASSIGNMENTS)["value"] if item["properties"]["scope"] == "/")
    assert admin.call("DELETE", root["id"])[0] == 200
    assert assign(admin, AADIAM, oid)[:2] == (403, "AuthorizationFailed")
    assert app(lab, VERSION).call("POST", path)[:2] == (403, "AuthorizationFailed")
    assert administrator(lab, CONTOSO, VERSION, "User").call("POST", path)[0] == 403
    assert admin.call("POST", path)[0] == 200
    assert admin.call("POST", path)[0] == 200
    assert assign(admin, AADIAM, oid)[0] == 201
    assert [scope for scope, _role in listed(admin, "", "atScope()")] == ["/"]


def test_permissions_say_what_an_assignment_gave(lab: LabClient, admin: Arm, oid: str) -> None:
    def permissions() -> Any:
        return app(lab, VERSION).get(f"{AADIAM}/providers/Microsoft.Authorization/permissions")["value"]

    assert permissions() == []
    assign(admin, AADIAM, oid)
    assert permissions()[0]["actions"] == ["*/read"]


# -- Microsoft's client -----------------------------------------------------------------------------------------------


def test_azure_mgmt_authorization(lab: LabClient, admin: Arm, oid: str) -> None:
    options = client_options(lab)
    with AuthorizationManagementClient(Given(admin.bearer), CONTOSO[:-1] + "1", VERSION, **options) as client:
        role = next(iter(client.role_definitions.list(PRODUCTION, filter="roleName eq 'Reader'")))
        body = {"role_definition_id": role.id, "principal_id": oid, "principal_type": "ServicePrincipal"}
        name = str(uuid.uuid4())
        made = client.role_assignments.create(SHOP, name, body)
        assert (made.name, made.scope, made.principal_type) == (name, SHOP, "ServicePrincipal")
        with pytest.raises(HttpResponseError) as refused:
            client.role_assignments.create(SHOP, str(uuid.uuid4()), body)
        assert (refused.value.status_code, refused.value.error.code) == (409, "RoleAssignmentExists")
        lab.configure(page_size=1)
        found = client.role_assignments.list_for_scope(SHOP, filter=f"principalId eq '{oid}'")
        assert sorted(item.scope for item in found) == [PRODUCTION, SHOP]
        assert client.role_assignments.delete(SHOP, name).name == name
        assert client.role_assignments.delete(SHOP, name) is None
