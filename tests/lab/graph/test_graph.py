# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph: applications, service principals, what is granted to them, and who may do what."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from lab.client import LabClient
from lab.entra.directory_roles import GRAPH, RESOURCES
from lab.testing import CLIENT_ID, CONTOSO, FABRIKAM, NORTHWIND, PROSEWARE, TAILSPIN
from tests.lab.conftest import ask_token, token
from tests.lab.graph.graph_tools import GRAPH_SCOPE, OURS, code, error, grant, resource, roles

PRINCIPAL = f"servicePrincipals(appId='{CLIENT_ID}')"


# -- the way in -------------------------------------------------------------------------------------------------------


def test_token_names_the_roles_of_the_resource_in_the_tenant(lab: LabClient) -> None:
    assert roles(lab, CONTOSO, "microsoft_graph") == ["SecurityAlert.Read.All", "SecurityIncident.Read.All"]
    assert roles(lab, CONTOSO, "office365_management") == ["ActivityFeed.Read"]
    assert roles(lab, CONTOSO, "windows_defender_atp") == []
    assert "Application.ReadWrite.OwnedBy" in roles(lab, PROSEWARE, "microsoft_graph")
    assert "roles" not in jwt.decode(token(lab, CONTOSO), options={"verify_signature": False})  # Azure's own API


@pytest.mark.parametrize("scope", ["{lab}/graph", "https://graph.microsoft.com", GRAPH])
def test_graph_has_several_names(lab: LabClient, scope: str) -> None:
    name = scope.format(lab=lab.url)
    text = token(lab, PROSEWARE, scope=f"{name}/.default")
    assert jwt.decode(text, options={"verify_signature": False})["aud"] == name
    assert lab.graph(PROSEWARE, "GET", OURS, token=text)[0] == 200


@pytest.mark.parametrize("tenant", [TAILSPIN, FABRIKAM])
def test_tenant_without_the_service_has_no_such_resource(lab: LabClient, tenant: str) -> None:
    status, body = ask_token(lab, tenant, f"{RESOURCES['windows_defender_atp'].app_id}/.default")
    assert (status, body["error_codes"]) == (400, [500011])


@pytest.mark.parametrize(
    ("bearer", "text"),
    [
        ("", "Access token is empty."),
        ("Bearer nonsense", "CompactToken parsing failed with error code: 80049217"),
        ("arm", "Access token validation failure. Invalid audience."),
        ("old", "Lifetime validation failed, the token is expired."),
    ],
)
def test_tokens_that_do_not_let_in(lab: LabClient, bearer: str, text: str) -> None:
    made = {
        "arm": lambda: "Bearer " + lab.admin_token(PROSEWARE, "arm"),
        "old": lambda: "Bearer " + lab.admin_token(PROSEWARE, "graph", life=-10),
    }
    header = {"Authorization": made[bearer]() if bearer in made else bearer}
    status, headers, body = lab.call("GET", "/graph/v1.0/applications", headers=header if bearer else None)
    assert (status, body["error"]["code"], body["error"]["message"]) == (401, "InvalidAuthenticationToken", text)
    assert headers["request-id"] == body["error"]["innerError"]["request-id"]


def test_token_of_a_principal_that_is_gone(lab: LabClient) -> None:
    text = token(lab, CONTOSO, scope=GRAPH_SCOPE)
    lab.edit("remove_principal", tenant=CONTOSO)
    assert code(lab.graph(CONTOSO, "GET", OURS, token=text)) == (401, "Authorization_IdentityNotFound")


def test_fault_and_journal_know_the_kinds(lab: LabClient) -> None:
    lab.fault("throttle", kind="graph.applications.list", seconds=3)
    bearer = {"Authorization": f"Bearer {lab.admin_token(PROSEWARE, 'graph')}"}
    status, headers, _body = lab.call("GET", "/graph/v1.0/applications", headers=bearer)
    assert (status, headers["retry-after"]) == (429, "3")
    assert headers["request-id"]
    assert lab.requests()["by_kind"]["graph.applications.list"] == 1


# -- applications -----------------------------------------------------------------------------------------------------


def test_application_is_known_at_home_only(lab: LabClient) -> None:
    assert lab.graph(PROSEWARE, "GET", OURS)[0] == 200
    assert code(lab.graph(CONTOSO, "GET", OURS)) == (404, "Request_ResourceNotFound")


def test_application_from_nothing(lab: LabClient) -> None:
    _status, role = resource(lab, PROSEWARE, "office365_management", "ActivityFeed.Read")
    wanted = [{"resourceAppId": role["app"], "resourceAccess": [{"id": role["id"], "type": "Role"}]}]
    sent = {
        "displayName": "soc",
        "signInAudience": "AzureADMultipleOrgs",
        "web": {"redirectUris": ["https://soc.example/consent"]},
        "requiredResourceAccess": wanted,
    }
    status, made = lab.graph(PROSEWARE, "POST", "applications", sent)
    assert status == 201
    _status, read = lab.graph(PROSEWARE, "GET", f"applications/{made['id']}")
    assert {key: read[key] for key in ("displayName", "requiredResourceAccess")} == {
        "displayName": "soc",
        "requiredResourceAccess": wanted,
    }
    assert read["web"]["redirectUris"] == ["https://soc.example/consent"]
    assert lab.graph(PROSEWARE, "PATCH", f"applications/{made['id']}", {"displayName": "soc-2"}) == (204, None)
    found = lab.graph(PROSEWARE, "GET", "applications?$filter=displayName eq 'soc-2'&$select=id")[1]["value"]
    assert found == [{"id": made["id"]}]
    assert lab.graph(PROSEWARE, "DELETE", f"applications/{made['id']}")[0] == 204
    assert code(lab.graph(PROSEWARE, "DELETE", f"applications/{made['id']}")) == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    "change",
    [
        {"displayName": ""},
        {"signInAudience": "Everybody"},
        {"web": {"redirectUris": ["http://soc.example/consent"]}},
        {"requiredResourceAccess": [{"resourceAppId": GRAPH}]},
        {"colour": "red"},
    ],
)
def test_nothing_is_written_where_one_property_is_wrong(lab: LabClient, change: dict[str, Any]) -> None:
    before = lab.graph(PROSEWARE, "GET", OURS)[1]
    answer = lab.graph(PROSEWARE, "PATCH", OURS, {"notes": "changed", **change})
    assert code(answer) == (400, "Request_BadRequest")
    assert lab.graph(PROSEWARE, "GET", OURS)[1] == before


def test_upsert_by_unique_name(lab: LabClient) -> None:
    headers = {"Authorization": f"Bearer {lab.admin_token(PROSEWARE, 'graph')}", "Prefer": "create-if-missing"}
    path = "/graph/v1.0/applications(uniqueName='soc')"
    first = lab.call("PATCH", path, {"displayName": "soc"}, headers)
    second = lab.call("PATCH", path, {"displayName": "soc again"}, headers)
    assert (first[0], second[0]) == (201, 204)
    read = lab.graph(PROSEWARE, "GET", "applications(uniqueName='soc')")[1]
    assert (read["id"], read["displayName"]) == (first[2]["id"], "soc again")
    answer = lab.graph(PROSEWARE, "POST", "applications", {"displayName": "x", "uniqueName": "soc"})
    assert code(answer) == (409, "Request_MultipleObjectsWithSameKeyValue")


def test_lists_come_in_pages(lab: LabClient) -> None:
    for number in range(4):
        lab.graph(PROSEWARE, "POST", "applications", {"displayName": f"app-{number}"})
    found, path, pages = [], "applications?$top=2&$select=displayName", 0
    while path:
        body = lab.graph(PROSEWARE, "GET", path)[1]
        found += [item["displayName"] for item in body["value"]]
        path = body.get("@odata.nextLink", "").removeprefix(f"{lab.graph.url}/v1.0/")
        pages += 1
    assert (len(found), len(set(found)), pages) == (5, 5, 3)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("$filter=startswith(displayName,'x')", (400, "Request_UnsupportedQuery")),
        ("$filter=notes eq 'x'", (400, "Request_UnsupportedQuery")),
        ("$select=colour", (400, "BadRequest")),
        ("$search=x", (400, "BadRequest")),
        ("$expand=owners", (400, "BadRequest")),
        ("$top=1000", (400, "Request_BadRequest")),
    ],
)
def test_queries_that_are_refused(lab: LabClient, query: str, expected: tuple[int, str]) -> None:
    assert code(lab.graph(PROSEWARE, "GET", f"applications?{query}")) == expected


def test_what_is_not_served(lab: LabClient) -> None:
    assert code(lab.graph(PROSEWARE, "GET", "users")) == (400, "BadRequest")
    assert code(lab.graph(PROSEWARE, "PATCH", "applications", {})) == (400, "BadRequest")


# -- service principals -----------------------------------------------------------------------------------------------


def test_northwind_starts_with_nothing(lab: LabClient) -> None:
    assert code(lab.graph(NORTHWIND, "GET", PRINCIPAL)) == (404, "Request_ResourceNotFound")
    assert ask_token(lab, NORTHWIND)[1]["error_codes"] == [7000229]
    found = lab.graph(NORTHWIND, "GET", "servicePrincipals?$select=appId")[1]["value"]
    assert {item["appId"] for item in found} == {app.app_id for app in RESOURCES.values()}


def test_principal_from_nothing_and_back(lab: LabClient) -> None:
    status, made = lab.graph(NORTHWIND, "POST", "servicePrincipals", {"appId": CLIENT_ID})
    assert (status, made["appOwnerOrganizationId"]) == (201, PROSEWARE)
    claims = jwt.decode(token(lab, NORTHWIND), options={"verify_signature": False})
    assert claims["oid"] == made["id"]
    answer = lab.graph(NORTHWIND, "POST", "servicePrincipals", {"appId": CLIENT_ID})
    assert code(answer) == (409, "Request_MultipleObjectsWithSameKeyValue")
    assert lab.graph(NORTHWIND, "DELETE", f"servicePrincipals/{made['id']}")[0] == 204
    assert code(lab.graph(NORTHWIND, "DELETE", f"servicePrincipals/{made['id']}"))[0] == 404
    again = lab.graph(NORTHWIND, "POST", "servicePrincipals", {"appId": CLIENT_ID})[1]
    assert again["id"] != made["id"]  # who comes back is another one, and has not what was assigned to the first


def test_principal_of_no_application(lab: LabClient) -> None:
    status, body = lab.graph(NORTHWIND, "POST", "servicePrincipals", {"appId": str(uuid.UUID(int=7))})
    assert (status, body["error"]["details"][0]["code"]) == (400, "NoBackingApplicationObject")


def test_application_of_one_tenant_cannot_leave_it(lab: LabClient) -> None:
    made = lab.graph(PROSEWARE, "POST", "applications", {"displayName": "own", "signInAudience": "AzureADMyOrg"})[1]
    answer = lab.graph(NORTHWIND, "POST", "servicePrincipals", {"appId": made["appId"]})
    assert error(answer)["details"][0]["code"] == "NoBackingApplicationObject"
    assert lab.graph(PROSEWARE, "POST", "servicePrincipals", {"appId": made["appId"]})[0] == 201


def test_ids_of_roles_differ_by_cloud(lab: LabClient) -> None:
    _app, ours = resource(lab, CONTOSO, "microsoft_graph", "SecurityAlert.Read.All")
    _app, theirs = resource(lab, TAILSPIN, "microsoft_graph", "SecurityAlert.Read.All")
    assert ours["id"] == "472e4a4d-bb4a-4026-98d1-0b0d74cb74a5"
    assert theirs["id"] == "64c33fcb-e6aa-490d-bed5-6016a9ef8f6d"
    assert roles(lab, TAILSPIN, "microsoft_graph") == roles(lab, CONTOSO, "microsoft_graph")


def test_a_resource_has_roles_that_no_app_can_be_given(lab: LabClient) -> None:
    app_id = RESOURCES["microsoft_graph"].app_id
    held = lab.graph(CONTOSO, "GET", f"servicePrincipals(appId='{app_id}')?$select=appRoles")[1]["appRoles"]
    users = [one for one in held if one["allowedMemberTypes"] == ["User"]]
    assert {one["value"] for one in users} <= {one["value"] for one in held if one not in users}, "of the same names"
    assert [one["value"] for one in held if not one["isEnabled"]] == ["Retired.Read.All"]


# -- what is granted --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["appRoleAssignedTo", "appRoleAssignments"])
def test_grant_and_back(lab: LabClient, side: str) -> None:
    status, made = grant(lab, CONTOSO, "microsoft_graph", "ThreatHunting.Read.All", side)
    assert (status, made["principalDisplayName"]) == (201, "proseware-log-onboarding")
    assert "ThreatHunting.Read.All" in roles(lab, CONTOSO, "microsoft_graph")
    body = error(grant(lab, CONTOSO, "microsoft_graph", "ThreatHunting.Read.All", side))
    assert body["message"] == "Permission being assigned already exists on the object"
    named = made["resourceId"] if side == "appRoleAssignedTo" else made["principalId"]
    path = f"servicePrincipals/{named}/{side}"
    assert made["id"] in [item["id"] for item in lab.graph(CONTOSO, "GET", path)[1]["value"]]
    assert lab.graph(CONTOSO, "DELETE", f"{path}/{made['id']}")[0] == 204
    assert code(lab.graph(CONTOSO, "DELETE", f"{path}/{made['id']}"))[0] == 404
    assert "ThreatHunting.Read.All" not in roles(lab, CONTOSO, "microsoft_graph")


def test_grant_that_names_the_wrong_things(lab: LabClient) -> None:
    ours = lab.graph(CONTOSO, "GET", PRINCIPAL)[1]["id"]
    app, role = resource(lab, CONTOSO, "microsoft_graph", "ThreatHunting.Read.All")
    path = f"servicePrincipals/{app}/appRoleAssignedTo"
    right = {"principalId": ours, "resourceId": app, "appRoleId": role["id"]}
    wrong_role = {**right, "appRoleId": resource(lab, TAILSPIN, "microsoft_graph", "ThreatHunting.Read.All")[1]["id"]}
    assert "not found on application" in error(lab.graph(CONTOSO, "POST", path, wrong_role))["message"]
    assert code(lab.graph(CONTOSO, "POST", path, {**right, "principalId": str(uuid.UUID(int=7))}))[0] == 404
    mixed = lab.graph(CONTOSO, "POST", f"servicePrincipals/{ours}/appRoleAssignedTo", right)
    assert error(mixed)["message"] == "Not a valid reference update."


def test_expanded_relations(lab: LabClient) -> None:
    body = lab.graph(CONTOSO, "GET", f"{PRINCIPAL}?$select=id&$expand=appRoleAssignments")[1]
    assert set(body) == {"@odata.context", "id", "appRoleAssignments"}
    assert len(body["appRoleAssignments"]) == 3


def test_revoked_by_an_edit(lab: LabClient) -> None:
    lab.edit("revoke_permission", tenant=TAILSPIN, resource="microsoft_graph", permission="SecurityAlert.Read.All")
    assert roles(lab, TAILSPIN, "microsoft_graph") == ["SecurityIncident.Read.All"]


# -- who may ----------------------------------------------------------------------------------------------------------


def _app(*permissions: str) -> Callable[[LabClient], str]:
    def make(lab: LabClient) -> str:
        for name in permissions:
            grant(lab, PROSEWARE, "microsoft_graph", name)
        return token(lab, PROSEWARE, scope=GRAPH_SCOPE)

    return make


def _user(role: str) -> Callable[[LabClient], str]:
    return lambda lab: lab.admin_token(PROSEWARE, "graph", role)


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        (_user("Global Administrator"), "read write grant"),
        (_user("Security Administrator"), "read"),
        (_user("User"), "read"),
        (_app(), "read write"),  # has Application.ReadWrite.OwnedBy, and owns itself
        (_app("AppRoleAssignment.ReadWrite.All"), "read write grant"),
    ],
    ids=["admin", "security", "user", "owner", "granter"],
)
def test_rights_at_home(lab: LabClient, who: Callable[[LabClient], str], allowed: str) -> None:
    app, role = resource(lab, PROSEWARE, "microsoft_graph", "AuditLog.Read.All")
    ours = lab.graph(PROSEWARE, "GET", PRINCIPAL)[1]["id"]
    sent = {"principalId": ours, "resourceId": app, "appRoleId": role["id"]}
    text = who(lab)
    done = {
        "read": lab.graph(PROSEWARE, "GET", OURS, token=text),
        "write": lab.graph(PROSEWARE, "PATCH", OURS, {"notes": "x"}, text),
        "grant": lab.graph(PROSEWARE, "POST", f"servicePrincipals/{app}/appRoleAssignedTo", sent, text),
    }
    assert " ".join(name for name, answer in done.items() if answer[0] < 300) == allowed
    assert all(answer[0] < 300 or code(answer) == (403, "Authorization_RequestDenied") for answer in done.values())


def test_app_without_a_right_to_read_cannot_grant(lab: LabClient) -> None:
    """microsoft-graph-docs#12833"""
    grant(lab, CONTOSO, "microsoft_graph", "AppRoleAssignment.ReadWrite.All")
    text = token(lab, CONTOSO, scope=GRAPH_SCOPE)
    app, role = resource(lab, CONTOSO, "microsoft_graph", "AuditLog.Read.All")
    ours = lab.graph(CONTOSO, "GET", PRINCIPAL)[1]["id"]
    sent = {"principalId": ours, "resourceId": app, "appRoleId": role["id"]}
    answer = lab.graph(CONTOSO, "POST", f"servicePrincipals/{app}/appRoleAssignedTo", sent, text)
    assert code(answer) == (403, "Authorization_RequestDenied")


def test_app_may_write_what_it_made(lab: LabClient) -> None:
    text = token(lab, PROSEWARE, scope=GRAPH_SCOPE)
    made = lab.graph(PROSEWARE, "POST", "applications", {"displayName": "by the app"}, text)[1]
    other = lab.graph(PROSEWARE, "POST", "applications", {"displayName": "by the admin"})[1]
    assert lab.graph(PROSEWARE, "PATCH", f"applications/{made['id']}", {"notes": "x"}, text)[0] == 204
    assert code(lab.graph(PROSEWARE, "PATCH", f"applications/{other['id']}", {"notes": "x"}, text))[0] == 403


def test_app_that_manages_its_own_brings_no_others(lab: LabClient) -> None:
    grant(lab, CONTOSO, "microsoft_graph", "Application.ReadWrite.OwnedBy")
    wanted = {"displayName": "other", "signInAudience": "AzureADMultipleOrgs"}
    other = lab.graph(PROSEWARE, "POST", "applications", wanted)[1]
    text = token(lab, CONTOSO, scope=GRAPH_SCOPE)
    answer = lab.graph(CONTOSO, "POST", "servicePrincipals", {"appId": other["appId"]}, text)
    assert (code(answer), "local tenant" in error(answer)["message"]) == ((403, "Authorization_RequestDenied"), True)


def test_app_of_a_customer_has_no_right_to_look(lab: LabClient) -> None:
    text = token(lab, CONTOSO, scope=GRAPH_SCOPE)
    assert code(lab.graph(CONTOSO, "GET", PRINCIPAL, token=text)) == (403, "Authorization_RequestDenied")


# -- lag --------------------------------------------------------------------------------------------------------------


def test_new_objects_are_not_there_for_a_while(lab: LabClient) -> None:
    lab.configure(graph_lag=3600)
    made = lab.graph(PROSEWARE, "POST", "applications", {"displayName": "new"})[1]
    principal = lab.graph(NORTHWIND, "POST", "servicePrincipals", {"appId": CLIENT_ID})[1]
    assert code(lab.graph(PROSEWARE, "GET", f"applications/{made['id']}"))[0] == 404
    assert lab.graph(PROSEWARE, "GET", "applications?$filter=displayName eq 'new'")[1]["value"] == []
    answer = lab.graph(PROSEWARE, "POST", "servicePrincipals", {"appId": made["appId"]})
    assert error(answer)["details"][0]["code"] == "NoBackingApplicationObject"
    assert code(lab.graph(NORTHWIND, "GET", f"servicePrincipals/{principal['id']}"))[0] == 404
    lab.configure(graph_lag=0)
    assert lab.graph(PROSEWARE, "GET", f"applications/{made['id']}")[0] == 200
    assert lab.graph(NORTHWIND, "GET", f"servicePrincipals/{principal['id']}")[0] == 200
