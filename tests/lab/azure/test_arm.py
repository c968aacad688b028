# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource Manager: the way in, subscriptions, resources, permissions, throttling."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from lab.azure import rbac
from lab.client import LabClient
from lab.testing import CLIENT_ID, CONTOSO, FABRIKAM, PROSEWARE, TAILSPIN, WORKSPACE, running_lab

Callers = Callable[..., Any]
PRODUCTION = f"/subscriptions/{CONTOSO[:-1]}1"
VAULT = f"{PRODUCTION}/resourceGroups/rg-shop-prod/providers/Microsoft.KeyVault/vaults/kv-shop-prod"
CATEGORIES = "/providers/Microsoft.Insights/diagnosticSettingsCategories"
SETTINGS = "/providers/Microsoft.Insights/diagnosticSettings"


def error(answer: tuple[int, Any]) -> tuple[int, str]:
    """(status, code) of the nested shape, after a look that it is that."""
    status, body = answer
    assert set(body) == {"error"}
    assert body["error"]["message"]
    return status, body["error"]["code"]


# -- the way in -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "AuthenticationFailed"),
        ("Basic eDp5", "AuthenticationFailed"),
        ("Bearer not.a.token", "InvalidAuthenticationToken"),
    ],
)
def test_no_good_token(lab: LabClient, header: str, code: str) -> None:
    status, headers, body = lab.call("GET", "/subscriptions?api-version=2022-12-01", None, {"Authorization": header})
    assert error((status, body)) == (401, code)
    assert "error=" in headers["www-authenticate"]


def test_token_expires(lab: LabClient, caller: Callers) -> None:
    lab.configure(token_life=1)
    contoso = caller(CONTOSO)
    assert contoso.get("/subscriptions")[0] == 200
    time.sleep(1.2)
    assert error(contoso.get("/subscriptions")) == (401, "ExpiredAuthenticationToken")


def test_token_for_another_audience(lab: LabClient, caller: Callers, ask: Callers) -> None:
    contoso = caller(CONTOSO)
    contoso.headers["Authorization"] = (
        "Bearer " + ask(CONTOSO, "https://api.loganalytics.io/.default")[1]["access_token"]
    )
    assert error(contoso.get("/subscriptions")) == (401, "InvalidAuthenticationTokenAudience")


def test_subscription_of_another_tenant(caller: Callers) -> None:
    status, headers, body = caller(TAILSPIN).call("GET", VAULT + SETTINGS)
    assert error((status, body)) == (401, "InvalidAuthenticationTokenTenant")
    assert CONTOSO in body["error"]["message"]
    assert CONTOSO in headers["www-authenticate"]


def test_unknown_subscription(caller: Callers) -> None:
    assert error(caller(CONTOSO).get("/subscriptions/" + "9" * 8 + CONTOSO[8:])) == (404, "SubscriptionNotFound")


def test_auxiliary_tokens_must_all_be_good(caller: Callers) -> None:
    contoso = caller(CONTOSO, PROSEWARE)
    assert contoso.get(PRODUCTION)[0] == 200
    contoso.headers["x-ms-authorization-auxiliary"] += ", Bearer broken"
    assert error(contoso.get(PRODUCTION)) == (401, "InvalidAuthenticationToken")


def test_expired_auxiliary_token_is_named(lab: LabClient, caller: Callers) -> None:
    contoso = caller(CONTOSO)
    lab.configure(token_life=0)
    contoso.headers |= {"x-ms-authorization-auxiliary": caller(PROSEWARE).headers["Authorization"]}
    status, body = contoso.get(PRODUCTION)
    assert error((status, body)) == (401, "ExpiredAuthenticationToken")
    assert f"client '{CLIENT_ID}' and tenant '{PROSEWARE}'" in body["error"]["message"]


def test_at_most_three_auxiliary_tokens(caller: Callers) -> None:
    contoso = caller(CONTOSO, PROSEWARE, TAILSPIN, CONTOSO)
    assert contoso.get(PRODUCTION)[0] == 200
    contoso.headers["x-ms-authorization-auxiliary"] += ", " + contoso.headers["Authorization"]
    assert contoso.get(PRODUCTION)[0] == 400


def test_api_version_is_required_and_known(lab: LabClient, caller: Callers) -> None:
    headers = caller(CONTOSO).headers
    status, _headers, body = lab.call("GET", VAULT + SETTINGS, None, headers)
    assert error((status, body)) == (400, "MissingApiVersionParameter")
    status, _headers, body = lab.call("GET", VAULT + SETTINGS + "?api-version=2030-01-01", None, headers)
    assert error((status, body)) == (400, "InvalidResourceType")


def test_answers_carry_ids_and_what_is_left(caller: Callers) -> None:
    _status, headers, _body = caller(CONTOSO).call("GET", VAULT + SETTINGS)
    assert headers["x-ms-request-id"]
    assert headers["x-ms-correlation-request-id"]
    assert headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"


# -- what there is ----------------------------------------------------------------------------------------------------


def names(answer: tuple[int, Any]) -> list[str]:
    assert answer[0] == 200, answer[1]
    return [item.get("displayName") or item["name"] for item in answer[1]["value"]]


def test_subscriptions_of_the_tenant(caller: Callers) -> None:
    status, body = caller(TAILSPIN).get("/subscriptions")
    assert {item["displayName"]: item["state"] for item in body["value"]} == {
        "tailspin-platform": "Enabled",
        "tailspin-web": "Enabled",
        "tailspin-legacy": "Disabled",
    }
    assert {item["tenantId"] for item in body["value"]} == {TAILSPIN}
    assert status == 200


def test_subscriptions_by_lighthouse(caller: Callers) -> None:
    _status, body = caller(PROSEWARE).get("/subscriptions")
    found = {item["displayName"]: item for item in body["value"]}
    assert set(found) == {"proseware-soc", "fabrikam-erp", "fabrikam-plants"}
    assert found["fabrikam-erp"]["tenantId"] == FABRIKAM
    assert found["fabrikam-erp"]["managedByTenants"] == [{"tenantId": PROSEWARE}]


def test_subscription_without_a_role_is_not_listed(lab: LabClient, caller: Callers) -> None:
    lab.edit("unassign_role", tenant=CONTOSO, role="Monitoring Contributor", scope=PRODUCTION)
    assert names(caller(CONTOSO).get("/subscriptions")) == ["contoso-development", "contoso-shared-services"]


def test_pages(lab: LabClient, caller: Callers) -> None:
    contoso = caller(CONTOSO)
    whole = names(contoso.get(f"{PRODUCTION}/resources"))
    lab.configure(page_size=7)
    paged, path = [], f"{PRODUCTION}/resources?api-version=2021-04-01"
    while path:
        status, body = contoso.get(path)
        paged += names((status, body))
        assert len(body["value"]) <= 7
        path = body.get("nextLink", "").removeprefix(lab.url)
    assert paged == whole
    assert len(whole) > 40


def test_filter_of_resources(caller: Callers) -> None:
    contoso = caller(CONTOSO)
    query = "?$filter=resourceType%20eq%20'Microsoft.KeyVault/vaults'&$expand=createdTime"
    assert names(contoso.get(f"{PRODUCTION}/resources{query}")) == ["kv-shop-prod", "kv-payments-prod", "kv-data-prod"]
    assert error(contoso.get(f"{PRODUCTION}/resources?$filter=zodiac%20eq%20'x'"))[0] == 400


def test_resource_by_id_in_any_case(caller: Callers) -> None:
    status, body = caller(PROSEWARE).get(WORKSPACE.upper().replace("/SUBSCRIPTIONS/", "/subscriptions/"))
    assert status == 200
    assert body["id"] == WORKSPACE
    assert len(body["properties"]["customerId"]) == 36


@pytest.mark.parametrize(
    ("path", "code"), [("rg-shop-prod", "ResourceNotFound"), ("rg-nowhere", "ResourceGroupNotFound")]
)
def test_resource_that_is_not_there(caller: Callers, path: str, code: str) -> None:
    answer = caller(CONTOSO).get(f"{PRODUCTION}/resourceGroups/{path}/providers/Microsoft.KeyVault/vaults/none")
    assert error(answer) == (404, code)


def test_provider_registration(lab: LabClient, caller: Callers) -> None:
    contoso, path = caller(CONTOSO), f"{PRODUCTION}/providers/Microsoft.Insights"
    assert contoso.get(path)[1]["registrationState"] == "Registered"
    lab.edit("unregister", subscription=PRODUCTION[15:], provider="Microsoft.Insights")
    assert contoso.get(path)[1]["registrationState"] == "NotRegistered"


def test_permissions(lab: LabClient, caller: Callers) -> None:
    path = "/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
    contoso = caller(CONTOSO)
    _status, body = contoso.get(VAULT + path)
    assert "Microsoft.Insights/DiagnosticSettings/*" in body["value"][0]["actions"]
    _status, body = caller(PROSEWARE).get(WORKSPACE + path)
    assert ["Microsoft.OperationalInsights/*" in item["actions"] for item in body["value"]].count(True) == 1
    lab.edit("unassign_role", tenant=CONTOSO, role="Monitoring Contributor", scope=PRODUCTION)
    assert contoso.get(VAULT + path) == (200, {"value": []})


def test_roles_take_back_what_they_except() -> None:
    assert rbac.allows("Contributor", "microsoft.insights/diagnosticsettings/write")
    assert not rbac.allows("Contributor", "microsoft.authorization/roleassignments/write")
    assert rbac.allows("Owner", "microsoft.authorization/roleassignments/write")


def test_no_right(lab: LabClient, caller: Callers) -> None:
    lab.edit("unassign_role", tenant=CONTOSO, role="Monitoring Contributor", scope=PRODUCTION)
    status, body = caller(CONTOSO).get(VAULT + SETTINGS)
    assert error((status, body)) == (403, "AuthorizationFailed")
    for part in (CLIENT_ID, "Microsoft.Insights/diagnosticSettings/read", VAULT):
        assert part in body["error"]["message"]


def test_right_to_read_is_none_to_write(lab: LabClient, caller: Callers) -> None:
    lab.edit("unassign_role", tenant=CONTOSO, role="Monitoring Contributor", scope=PRODUCTION)
    lab.edit("assign_role", tenant=CONTOSO, role="Monitoring Reader", scope=f"{PRODUCTION}/resourceGroups/rg-shop-prod")
    contoso = caller(CONTOSO)
    assert contoso.get(VAULT + SETTINGS)[0] == 200
    assert contoso.get(VAULT + CATEGORIES)[0] == 200
    assert error(contoso.put(VAULT, "x", workspaceId=WORKSPACE)) == (403, "AuthorizationFailed")
    assert error(contoso.delete(VAULT, "x")) == (403, "AuthorizationFailed")
    assert error(contoso.get(f"{PRODUCTION}/resourceGroups")) == (403, "AuthorizationFailed")


def test_metadata_in_both_forms(lab: LabClient) -> None:
    old = lab.call("GET", "/metadata/endpoints?api-version=2019-05-01")[2]
    new = lab.call("GET", "/metadata/endpoints?api-version=2022-09-01")[2]
    assert old == [new]
    assert new["resourceManager"] == new["authentication"]["loginEndpoint"] == lab.url


def test_tenants(caller: Callers) -> None:
    assert [item["tenantId"] for item in caller(CONTOSO).get("/tenants")[1]["value"]] == [CONTOSO]


# -- throttling -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "operation", "capacity"), [("GET", "reads", 250), ("PUT", "writes", 200), ("DELETE", "deletes", 200)]
)
def test_bucket_of_a_subscription(lab: LabClient, caller: Callers, method: str, operation: str, capacity: int) -> None:
    contoso = caller(CONTOSO)
    header = f"x-ms-ratelimit-remaining-subscription-{operation}"
    path = f"{VAULT}{SETTINGS}/x"
    assert contoso.call(method, path, {})[1][header] == str(capacity - 1)
    lab.configure(drain=[PRODUCTION[15:], operation])
    status, headers, body = contoso.call(method, path, {})
    assert error((status, body)) == (429, "SubscriptionRequestsThrottled")
    assert headers["retry-after"] == "1"
    assert headers[header] == "0"
    other = path.replace(PRODUCTION, PRODUCTION[:-1] + "2")
    assert contoso.call(method, other, {})[1][header] == str(capacity - 1)  # a bucket per subscription
    time.sleep(1.05)
    assert contoso.call(method, path, {})[0] != 429


def test_buckets_can_be_switched_off() -> None:
    with running_lab(throttle=False) as lab:
        assert lab.status()["throttle"] is False


def test_tenant_bucket(lab: LabClient, caller: Callers) -> None:
    contoso = caller(CONTOSO)
    assert contoso.call("GET", "/subscriptions")[1]["x-ms-ratelimit-remaining-tenant-reads"] == "249"
    lab.configure(drain=[CONTOSO, "reads"])
    assert contoso.call("GET", "/subscriptions")[0] == 429
