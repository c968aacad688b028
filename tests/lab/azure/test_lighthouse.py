# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Lighthouse: a customer delegates subscriptions to the MSSP, and takes them back."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.managedservices import ManagedServicesClient

from lab.client import LabClient
from lab.testing import CONTOSO, FABRIKAM, NORTHWIND, PROSEWARE
from tests.lab.azure.arm_tools import Arm, Given, administrator, app, client_options, text
from tests.lab.azure.test_role_assignments import MONITORING, READER, claims

VERSION = "2022-10-01"
SUBSCRIPTION = f"/subscriptions/{NORTHWIND[:-1]}1"
DELEGATED = f"/subscriptions/{FABRIKAM[:-1]}1"
DEFINITIONS = "/providers/Microsoft.ManagedServices/registrationDefinitions"
ASSIGNMENTS = "/providers/Microsoft.ManagedServices/registrationAssignments"
NAME = str(uuid.uuid5(uuid.NAMESPACE_DNS, "proseware.example"))
DEFINITION, ASSIGNMENT = f"{SUBSCRIPTION}{DEFINITIONS}/{NAME}", f"{SUBSCRIPTION}{ASSIGNMENTS}/{NAME}"


@pytest.fixture
def customer(lab: LabClient) -> Arm:
    return administrator(lab, NORTHWIND, VERSION)


@pytest.fixture
def mssp(lab: LabClient) -> Arm:
    return app(lab, VERSION, PROSEWARE)


def offer(mssp: Arm, role: str = MONITORING, **more: Any) -> dict[str, Any]:
    """Properties of a definition that gives the MSSP's app one role."""
    one = {"principalId": claims(mssp.bearer)["oid"], "principalIdDisplayName": "SOC", "roleDefinitionId": role}
    return {
        "registrationDefinitionName": "Proseware SOC",
        "description": "Log onboarding",
        "managedByTenantId": PROSEWARE,
        "authorizations": [{**one, **more}],
    }


def delegate(customer: Arm, mssp: Arm) -> None:
    assert customer.put(DEFINITION, **offer(mssp))[0] == 201
    assert customer.put(ASSIGNMENT, registrationDefinitionId=DEFINITION)[0] == 201


def subscriptions(mssp: Arm) -> set[str]:
    return {item["id"] for item in mssp.get("/subscriptions")["value"]}


# -- a life -----------------------------------------------------------------------------------------------------------


def test_delegation_and_its_end(lab: LabClient, customer: Arm, mssp: Arm) -> None:
    assert SUBSCRIPTION not in subscriptions(mssp)
    assert mssp.call("GET", SUBSCRIPTION)[:2] == (401, "InvalidAuthenticationTokenTenant")
    delegate(customer, mssp)
    assert mssp.get(SUBSCRIPTION)["managedByTenants"] == [{"tenantId": PROSEWARE}]
    assert SUBSCRIPTION in subscriptions(mssp)
    assert mssp.call("PUT", f"{SUBSCRIPTION}/resourcegroups/rg-a", {"location": "westeurope"})[0] == 403
    assert customer.call("DELETE", DEFINITION)[:2] == (409, "RegistrationDefinitionInUse")
    assert customer.call("DELETE", ASSIGNMENT)[0] == 200
    assert customer.call("DELETE", ASSIGNMENT)[0] == 204
    assert customer.call("DELETE", DEFINITION)[0] == 200
    assert customer.call("DELETE", DEFINITION)[0] == 204
    assert SUBSCRIPTION not in subscriptions(mssp)
    assert customer.get(SUBSCRIPTION)["managedByTenants"] == []


def test_what_is_read_back(customer: Arm, mssp: Arm) -> None:
    delegate(customer, mssp)
    found = customer.get(DEFINITION)
    assert (found["id"], found["name"]) == (DEFINITION, NAME)
    assert {key: found["properties"][key] for key in offer(mssp)} == offer(mssp)
    assert found["properties"]["manageeTenantId"] == NORTHWIND
    plain = customer.get(ASSIGNMENT)["properties"]
    assert plain == {"registrationDefinitionId": DEFINITION, "provisioningState": "Succeeded"}
    expanded = customer.get(f"{SUBSCRIPTION}{ASSIGNMENTS}?$expandRegistrationDefinition=true")["value"]
    assert expanded[0]["properties"]["registrationDefinition"]["properties"]["managedByTenantId"] == PROSEWARE
    assert [item["id"] for item in customer.get(f"{SUBSCRIPTION}{DEFINITIONS}")["value"]] == [DEFINITION]


def test_an_assignment_takes_its_time(lab: LabClient, customer: Arm, mssp: Arm) -> None:
    lab.configure(operation=600, propagation=900)
    customer.put(DEFINITION, **offer(mssp))
    made = customer.put(ASSIGNMENT, registrationDefinitionId=DEFINITION)[2]
    assert made["properties"]["provisioningState"] == "Creating"
    assert customer.get(ASSIGNMENT)["properties"]["provisioningState"] == "Creating"
    lab.advance(601)
    assert customer.get(ASSIGNMENT)["properties"]["provisioningState"] == "Succeeded"
    assert mssp.call("GET", SUBSCRIPTION)[:2] == (401, "InvalidAuthenticationTokenTenant"), "not seen before it counts"
    lab.advance(300)
    assert mssp.call("GET", SUBSCRIPTION)[0] == 200


def test_a_changed_definition_changes_the_rights(customer: Arm, mssp: Arm) -> None:
    delegate(customer, mssp)
    key = "/providers/Microsoft.Authorization/permissions"
    assert "Microsoft.Insights/DiagnosticSettings/*" in mssp.get(SUBSCRIPTION + key)["value"][0]["actions"]
    assert customer.put(DEFINITION, **offer(mssp, READER))[0] == 200
    assert [one["actions"] for one in mssp.get(SUBSCRIPTION + key)["value"]] == [["*/read"]]


def test_a_delegated_group(customer: Arm, mssp: Arm) -> None:
    group = str(customer.get(f"{SUBSCRIPTION}/resourcegroups")["value"][0]["id"])
    assert customer.put(DEFINITION, **offer(mssp))[0] == 201
    assert customer.put(f"{group}{ASSIGNMENTS}/{NAME}", registrationDefinitionId=DEFINITION)[0] == 201
    assert mssp.call("GET", group)[0] == 200
    assert mssp.call("GET", SUBSCRIPTION)[:2] == (403, "AuthorizationFailed")
    assert [item["name"] for item in customer.get(f"{SUBSCRIPTION}{ASSIGNMENTS}")["value"]] == [NAME]


def test_the_scenarios_delegation_and_edits_of_it(lab: LabClient, mssp: Arm) -> None:
    owner = administrator(lab, FABRIKAM, VERSION)
    one = owner.get(f"{DELEGATED}{ASSIGNMENTS}")["value"][0]["properties"]["registrationDefinitionId"]
    given = owner.get(one)["properties"]["authorizations"]
    assert [item["roleDefinitionId"] for item in given] == [MONITORING]
    assert given[0]["principalId"] == claims(mssp.bearer)["oid"]
    lab.edit("unassign_role", tenant=PROSEWARE, role="Monitoring Contributor", scope=DELEGATED)
    assert owner.get(one)["properties"]["authorizations"] == []
    assert mssp.call("GET", DELEGATED)[0] == 403
    lab.edit("remove_delegation", subscription=FABRIKAM[:-1] + "1")
    assert mssp.call("GET", DELEGATED)[0] == 401
    assert owner.get(f"{DELEGATED}{ASSIGNMENTS}")["value"] == []
    assert mssp.call("GET", DELEGATED[:-1] + "2")[0] == 200


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "is restricted for registration"),  # Owner
        ("92aaf0da-9dab-42b6-94a3-d43ce8d16293", "with data actions not allowed"),  # Log Analytics Contributor
        ("d1a6d1a6-0000-4000-8000-000000000001", "Only built in role definitions"),
        ("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "because of restricted actions"),  # User Access Administrator
        ("00000000-0000-4000-8000-000000000000", "does not exist"),
    ],
)
def test_roles_that_cannot_be_delegated(customer: Arm, mssp: Arm, role: str, words: str) -> None:
    status, code, body = customer.put(DEFINITION, **offer(mssp, role))
    assert (status, code) == (400, "InvalidRegistrationDefinitionCreateRequest")
    assert words in text(body)


def test_who_may_assign_only_some_roles_may_be_delegated(customer: Arm, mssp: Arm) -> None:
    wanted = offer(mssp, "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", delegatedRoleDefinitionIds=[READER])
    assert customer.put(DEFINITION, **wanted)[0] == 201


@pytest.mark.parametrize(
    "change", [{"managedByTenantId": NORTHWIND}, {"authorizations": []}, {"registrationDefinitionName": ""}]
)
def test_definitions_that_are_refused(customer: Arm, mssp: Arm, change: dict[str, Any]) -> None:
    answer = customer.put(DEFINITION, **(offer(mssp) | change))
    assert answer[:2] == (400, "InvalidRegistrationDefinitionCreateRequest")


def test_the_managing_tenant_of_a_definition_stays(customer: Arm, mssp: Arm) -> None:
    delegate(customer, mssp)
    answer = customer.put(DEFINITION, **(offer(mssp) | {"managedByTenantId": CONTOSO}))
    assert answer[:2] == (400, "InvalidRegistrationDefinitionCreateRequest")
    assert SUBSCRIPTION in subscriptions(mssp)


def test_assignments_that_are_refused(customer: Arm, mssp: Arm) -> None:
    missing = customer.put(ASSIGNMENT, registrationDefinitionId=DEFINITION)
    assert missing[:2] == (404, "RegistrationDefinitionNotFound")
    assert customer.call("GET", ASSIGNMENT)[:2] == (404, "RegistrationAssignmentNotFound")
    assert customer.call("GET", DEFINITION)[:2] == (404, "RegistrationDefinitionNotFound")
    delegate(customer, mssp)
    assert customer.put(ASSIGNMENT, registrationDefinitionId=DEFINITION)[0] == 200
    second = f"{SUBSCRIPTION}{ASSIGNMENTS}/{uuid.uuid4()}"
    status, code, body = customer.put(second, registrationDefinitionId=DEFINITION)
    assert (status, code) == (409, "RegistrationAssignmentExists")
    assert "Multiple registration assignments are not allowed." in text(body)


def test_who_may_not_delegate(lab: LabClient, mssp: Arm) -> None:
    body = offer(mssp)
    user = administrator(lab, NORTHWIND, VERSION, "User")
    assert user.put(DEFINITION, **body)[:2] == (403, "AuthorizationFailed")
    manager = app(lab, VERSION, PROSEWARE)
    path = f"{DELEGATED}{DEFINITIONS}/{NAME}"
    assert manager.put(path, **body)[:2] == (403, "AuthorizationFailed")
    assert manager.call("DELETE", f"{DELEGATED}{ASSIGNMENTS}/{NAME}")[:2] == (403, "AuthorizationFailed")


def test_the_right_to_give_roles_is_needed_beside_contributor(lab: LabClient, mssp: Arm) -> None:
    """learn.microsoft.com, lighthouse/how-to/onboard-customer."""
    path = f"/subscriptions/{FABRIKAM[:-1]}2{DEFINITIONS}/{NAME}"
    lab.edit("assign_role", tenant=PROSEWARE, role="Contributor", scope=path.partition("/providers/")[0])
    status, _code, body = mssp.put(path, **offer(mssp))
    assert status == 403
    assert "'Microsoft.Authorization/roleAssignments/write'" in text(body)


def test_a_provider_that_is_not_registered(lab: LabClient, customer: Arm, mssp: Arm) -> None:
    lab.edit("unregister", subscription=NORTHWIND[:-1] + "1", provider="Microsoft.ManagedServices")
    assert customer.put(DEFINITION, **offer(mssp))[:2] == (409, "MissingSubscriptionRegistration")
    lab.configure(operation=600)
    provider = f"{SUBSCRIPTION}/providers/Microsoft.ManagedServices"
    made = customer.call("POST", f"{provider}/register")[2]
    assert made["registrationState"] == "Registering"
    assert customer.get(provider)["registrationState"] == "Registering"
    assert customer.put(DEFINITION, **offer(mssp))[0] == 409
    lab.advance(601)
    assert customer.get(provider)["registrationState"] == "Registered"
    assert customer.put(DEFINITION, **offer(mssp))[0] == 201


# -- Microsoft's client -----------------------------------------------------------------------------------------------


def test_azure_mgmt_managedservices(lab: LabClient, customer: Arm, mssp: Arm) -> None:
    scope = SUBSCRIPTION.strip("/")
    with ManagedServicesClient(Given(customer.bearer), **client_options(lab)) as client:
        made = client.registration_definitions.begin_create_or_update(NAME, scope, {"properties": offer(mssp)}).result()
        assert made.properties.managed_by_tenant_id == PROSEWARE
        body = {"properties": {"registrationDefinitionId": made.id}}
        one = client.registration_assignments.begin_create_or_update(scope, NAME, body).result()
        assert one.properties.provisioning_state == "Succeeded"
        found = client.registration_assignments.list(scope, expand_registration_definition=True)
        assert [item.properties.registration_definition.properties.managed_by_tenant_id for item in found] == [
            PROSEWARE
        ]
        assert SUBSCRIPTION in subscriptions(mssp)
        with pytest.raises(HttpResponseError) as refused:
            client.registration_definitions.delete(NAME, scope)
        assert refused.value.status_code == 409
        client.registration_assignments.begin_delete(scope, NAME).result()
        client.registration_definitions.delete(NAME, scope)
        assert list(client.registration_definitions.list(scope)) == []
