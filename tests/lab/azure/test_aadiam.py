# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""microsoft.aadiam: who may write a tenant's own diagnostic settings, and what they say."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import CONTOSO, EVENT_HUB_RULE, NORTHWIND, PROSEWARE, TAILSPIN, WORKSPACE
from tests.lab.azure.arm_tools import Arm, administrator, app, text
from tests.lab.azure.test_role_assignments import assign, claims
from tests.lab.conftest import token

VERSION = "2017-04-01"
SETTINGS = "/providers/microsoft.aadiam/diagnosticSettings"
CATEGORIES = "/providers/microsoft.aadiam/diagnosticSettingsCategories"
OPERATIONS = f"/subscriptions/{CONTOSO[:-1]}3/resourceGroups/rg-operations/providers"
OWN = f"{OPERATIONS}/Microsoft.OperationalInsights/workspaces/law-contoso-ops"
HUB = f"{OPERATIONS}/Microsoft.EventHub/namespaces/evh-contoso-ops/authorizationRules/RootManageSharedAccessKey"
AUDIT = [{"category": "AuditLogs", "enabled": True}]
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"


@pytest.fixture
def admin(lab: LabClient) -> Arm:
    return administrator(lab, CONTOSO, VERSION)


def put(arm: Arm, name: str = "soc", **properties: Any) -> tuple[int, str, Any]:
    return arm.put(f"{SETTINGS}/{name}", **({"workspaceId": OWN, "logs": AUDIT} | properties))


def enabled(setting: dict[str, Any]) -> set[str]:
    return {log["category"] for log in setting["properties"]["logs"] if log["enabled"]}


def let_write(lab: LabClient, scope: str = "/providers/Microsoft.aadiam") -> Arm:
    """Contoso's principal with the role that cures its 403."""
    mine = app(lab, VERSION)
    giver = administrator(lab, CONTOSO, "2022-04-01")
    assert assign(giver, scope, claims(mine.bearer)["oid"], CONTRIBUTOR)[0] == 201
    return mine


# -- a life -----------------------------------------------------------------------------------------------------------


def test_a_settings_life(admin: Arm) -> None:
    assert admin.get(SETTINGS) == {"value": []}
    status, _code, made = put(admin)
    assert (status, made["id"]) == (200, f"{SETTINGS[1:]}/soc")
    assert admin.get(f"{SETTINGS}/SOC") == made
    assert enabled(made) == {"AuditLogs"}
    assert put(admin, workspaceId=None, eventHubAuthorizationRuleId=HUB, eventHubName="entra")[0] == 200
    found = admin.get(SETTINGS)["value"][0]["properties"]
    assert (found["workspaceId"], found["eventHubAuthorizationRuleId"]) == (None, HUB)
    assert found["eventHubName"] == "entra"
    assert admin.call("DELETE", f"{SETTINGS}/soc")[0] == 200
    assert admin.call("DELETE", f"{SETTINGS}/soc")[0] == 204
    assert admin.call("GET", f"{SETTINGS}/soc")[:2] == (404, "ResourceNotFound")


def test_categories_that_are_off_are_listed(admin: Arm) -> None:
    names = {item["name"] for item in admin.get(CATEGORIES)["value"]}
    assert names >= {"AuditLogs", "SignInLogs", "NonInteractiveUserSignInLogs", "RiskyUsers"}
    put(admin)
    assert {log["category"] for log in admin.get(f"{SETTINGS}/soc")["properties"]["logs"]} == names


def test_tenants_have_their_own(lab: LabClient, admin: Arm) -> None:
    put(admin)
    assert administrator(lab, TAILSPIN, VERSION).get(SETTINGS) == {"value": []}


def test_edits(lab: LabClient, admin: Arm) -> None:
    put(admin)
    logs = [{"category": "SignInLogs", "enabled": True}]
    lab.edit("change_aadiam_setting", tenant=CONTOSO, name="soc", properties={"workspaceId": OWN, "logs": logs})
    assert enabled(admin.get(f"{SETTINGS}/soc")) == {"SignInLogs"}
    lab.edit("remove_aadiam_setting", tenant=CONTOSO, name="soc")
    assert admin.get(SETTINGS) == {"value": []}


def test_a_new_setting_is_not_found_for_a_moment(lab: LabClient, admin: Arm) -> None:
    """azure-rest-api-specs#38858"""
    lab.configure(aadiam_lag=600)
    assert put(admin)[0] == 200
    assert admin.call("GET", f"{SETTINGS}/soc")[0] == 404
    assert admin.get(SETTINGS) == {"value": []}
    lab.advance(601)
    assert admin.call("GET", f"{SETTINGS}/soc")[0] == 200
    assert put(admin, logs=[{"category": "SignInLogs", "enabled": True}])[0] == 200
    assert admin.call("GET", f"{SETTINGS}/soc")[0] == 200


# -- who may ----------------------------------------------------------------------------------------------------------


def test_a_service_principal_may_not(lab: LabClient) -> None:
    """The words of terraform-provider-azurerm#12986."""
    mine = app(lab, VERSION)
    for method, tail, verb in (("GET", "/soc", "read"), ("PUT", "/soc", "write"), ("DELETE", "/soc", "delete")):
        status, code, body = mine.call(method, f"{SETTINGS}{tail}", {"properties": {}} if method == "PUT" else None)
        assert (status, code) == (403, "AuthorizationFailed")
        words = f"perform action 'microsoft.aadiam/diagnosticSettings/{verb}' over scope '{SETTINGS}/soc' or the scope"
        assert words in text(body)
    assert mine.call("GET", SETTINGS)[0] == 403
    assert mine.call("GET", CATEGORIES)[0] == 403


@pytest.mark.parametrize("scope", ["/providers/Microsoft.aadiam", "/"])
def test_a_role_lets_a_service_principal(lab: LabClient, scope: str) -> None:
    """terraform-provider-azapi#247: Contributor at the provider's scope, or above it."""
    mine = let_write(lab, scope if scope != "/" else "")
    lab.edit("assign_role", tenant=CONTOSO, role="Log Analytics Contributor", scope=OWN)
    assert put(mine)[0] == 200
    assert mine.call("DELETE", f"{SETTINGS}/soc")[0] == 200


def test_a_role_on_subscriptions_does_not(lab: LabClient) -> None:
    lab.edit("assign_role", tenant=CONTOSO, role="Owner", scope=f"/subscriptions/{CONTOSO[:-1]}3")
    assert put(app(lab, VERSION))[:2] == (403, "AuthorizationFailed")


def test_users(lab: LabClient) -> None:
    """entra-docs#868: Security Administrator is enough for the setting; the destination asks for its own right."""
    officer = administrator(lab, CONTOSO, VERSION, "Security Administrator")
    assert officer.get(SETTINGS) == {"value": []}
    assert put(officer)[:2] == (403, "LinkedAuthorizationFailed")
    assert administrator(lab, CONTOSO, VERSION, "User").call("GET", SETTINGS)[:2] == (403, "AuthorizationFailed")


# -- destinations and bodies ------------------------------------------------------------------------------------------


def test_destinations_of_another_tenant(lab: LabClient, admin: Arm) -> None:
    status, code, body = put(admin, workspaceId=WORKSPACE)
    assert (status, code) == (403, "LinkedAuthorizationFailed")
    assert "perform action 'microsoft.aadiam/diagnosticSettings/write' on scope" in text(body)
    assert f"the current tenant '{CONTOSO}' is not authorized to access linked subscription" in text(body)
    mine = let_write(lab)
    status, _headers, _value = lab.call(
        "PUT",
        f"{SETTINGS}/soc?api-version={VERSION}",
        {"properties": {"eventHubAuthorizationRuleId": EVENT_HUB_RULE, "logs": AUDIT}},
        {
            "Authorization": f"Bearer {mine.bearer}",
            "x-ms-authorization-auxiliary": f"Bearer {token(lab, PROSEWARE)}",
        },
    )
    assert status == 200


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"workspaceId": None}, "At least one data sink needs to be specified."),
        ({"logs": [{"category": "Nonsense", "enabled": True}]}, "Category 'Nonsense' is not supported."),
        ({"logs": [{"categoryGroup": "allLogs", "enabled": True}]}, "Category group 'allLogs' is not supported."),
    ],
)
def test_bodies_that_are_refused(admin: Arm, properties: dict[str, Any], words: str) -> None:
    status, code, body = put(admin, **properties)
    assert (status, code, text(body)) == (400, "BadRequest", words)


def test_a_destination_that_is_not_there(admin: Arm) -> None:
    assert put(admin, workspaceId=f"{OWN}-x")[:2] == (404, "ResourceNotFound")


def test_the_same_category_to_the_same_destination_twice(admin: Arm) -> None:
    put(admin)
    status, code, body = put(admin, "other")
    assert (status, code) == (409, "Conflict")
    assert "is already used in diagnostic setting 'soc' for category 'AuditLogs'" in text(body)
    assert put(admin, "other", logs=[{"category": "SignInLogs", "enabled": True}])[0] == 200


def test_five_are_enough(admin: Arm) -> None:
    names = [item["name"] for item in admin.get(CATEGORIES)["value"]]
    for number, name in enumerate(names[:5]):
        assert put(admin, f"s{number}", logs=[{"category": name, "enabled": True}])[0] == 200
    status, code, body = put(admin, "s5", logs=[{"category": names[5], "enabled": True}])
    assert (status, code) == (409, "Conflict")
    assert "The limit of 5 diagnostic settings was reached." in text(body)
    assert put(admin, "s0", logs=[{"category": names[5], "enabled": True}])[0] == 200


def test_versions(admin: Arm) -> None:
    assert admin.call("GET", f"{SETTINGS}?api-version=2099-01-01")[:2] == (400, "InvalidResourceType")
    assert admin.call("GET", f"{SETTINGS}?api-version=2017-04-01-preview")[0] == 200
    assert admin.call("POST", SETTINGS)[:2] == (405, "MethodNotAllowed")
    assert admin.call("GET", f"/providers/microsoft.other/things/{uuid.uuid4()}")[:2] == (404, "InvalidResourceType")


def test_northwind_has_nothing_of_it(lab: LabClient) -> None:
    assert administrator(lab, NORTHWIND, VERSION).get(SETTINGS) == {"value": []}
