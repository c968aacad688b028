# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Diagnostic settings and categories: what reads back differently from what was put."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import CONTOSO, FABRIKAM, PROSEWARE, WORKSPACE

PRODUCTION = f"/subscriptions/{CONTOSO[:-1]}1"
SHOP = f"{PRODUCTION}/resourceGroups/rg-shop-prod/providers"
DATA = f"{PRODUCTION}/resourceGroups/rg-data-prod/providers"
NET = f"{PRODUCTION}/resourceGroups/rg-hub-network/providers/Microsoft.Network"
VAULT = f"{SHOP}/Microsoft.KeyVault/vaults/kv-shop-prod"
STORAGE = f"{SHOP}/Microsoft.Storage/storageAccounts/stshopassets"
FACTORY = f"{DATA}/Microsoft.DataFactory/factories/adf-contoso-erp"
OWN_WORKSPACE = (
    f"/subscriptions/{CONTOSO[:-1]}3/resourceGroups/rg-operations/providers/Microsoft.OperationalInsights/workspaces"
    "/law-contoso-ops"
)
CATEGORIES = "/providers/Microsoft.Insights/diagnosticSettingsCategories"
ALL = [{"categoryGroup": "allLogs", "enabled": True}]
Callers = Callable[..., Any]


def on(*categories: str) -> list[dict[str, Any]]:
    return [{"category": category, "enabled": True} for category in categories]


def made(caller: Any, target: str, **properties: Any) -> dict[str, Any]:
    """PUT of the setting `soc`; its properties as the next LIST shows them."""
    status, body = caller.put(target, "soc", **({"workspaceId": WORKSPACE, "logs": ALL} | properties))
    assert status == 200, body
    return dict(next(item for item in caller.list(target) if item["name"] == "soc")["properties"])


def categories(caller: Any, target: str) -> dict[str, list[str]]:
    """category -> its groups, metrics left out"""
    status, body = caller.get(target + CATEGORIES)
    assert status == 200, body
    return {
        item["name"]: item["properties"]["categoryGroups"]
        for item in body["value"]
        if item["properties"]["categoryType"] == "Logs"
    }


# -- what GET makes of a PUT ------------------------------------------------------------------------------------------


def test_shape_of_a_setting(contoso: Any) -> None:
    properties = made(contoso, VAULT)
    setting = contoso.list(VAULT)[0]
    assert setting["id"] == f"{VAULT.lower()}/providers/microsoft.insights/diagnosticSettings/soc"
    assert "/resourcegroups/" in setting["id"]
    assert [setting[key] for key in ("type", "location", "kind", "tags")] == [
        "Microsoft.Insights/diagnosticSettings",
        None,
        None,
        None,
    ]
    assert properties["workspaceId"] == WORKSPACE
    absent = ("storageAccountId", "serviceBusRuleId", "eventHubAuthorizationRuleId", "eventHubName")
    assert [properties[key] for key in absent] == [None] * 4
    assert properties["logs"] == [
        {
            "category": None,
            "categoryGroup": "allLogs",
            "enabled": True,
            "retentionPolicy": {"enabled": False, "days": 0},
        }
    ]


def test_shape_at_a_subscription(contoso: Any) -> None:
    made(contoso, PRODUCTION, logs=on("Security", "Alert"))
    setting = next(item for item in contoso.list(PRODUCTION) if item["name"] == "soc")
    assert setting["id"] == f"{PRODUCTION[1:]}/providers/microsoft.insights/diagnosticSettings/soc"
    assert setting["location"] == "global"
    logs = setting["properties"]["logs"]
    assert len(logs) == 8  # this type lists all of them
    assert {item["category"] for item in logs if item["enabled"]} == {"Security", "Alert"}
    assert all(item["retentionPolicy"] is None for item in logs)


def test_sink_keeps_the_spelling_of_the_caller(contoso: Any) -> None:
    assert made(contoso, VAULT, workspaceId=WORKSPACE.upper())["workspaceId"] == WORKSPACE.upper()
    assert made(contoso, VAULT, workspaceId=WORKSPACE.lower() + "/")["workspaceId"] == WORKSPACE.lower() + "/"


@pytest.mark.parametrize(
    ("target", "name", "count"),
    [
        ("networkSecurityGroups/nsg-shop-web", "NetworkSecurityGroupEvent", 2),
        ("azureFirewalls/afw-hub-weu", "AZFWDnsQuery", 1),
    ],
    ids=["lists all", "lists what was put"],
)
def test_some_types_list_every_category(contoso: Any, target: str, name: str, count: int) -> None:
    logs = made(contoso, f"{NET}/{target}", logs=on(name))["logs"]
    assert len(logs) == count
    assert [item["category"] for item in logs if item["enabled"]] == [name]


def test_disabled_entries_are_echoed(contoso: Any) -> None:
    logs = [*on("AuditEvent"), {"category": "AzurePolicyEvaluationDetails", "enabled": False}]
    found = made(contoso, VAULT, logs=logs)["logs"]
    assert {item["category"]: item["enabled"] for item in found} == {
        "AuditEvent": True,
        "AzurePolicyEvaluationDetails": False,
    }


def test_metrics_that_nobody_asked_for_are_echoed_as_disabled(contoso: Any) -> None:
    target = f"{DATA}/Microsoft.Sql/servers/sql-contoso-erp/databases/erp"
    assert {item["enabled"] for item in made(contoso, target)["metrics"]} == {False}


def test_order_is_not_that_of_the_put_but_always_the_same(contoso: Any) -> None:
    target = f"{NET}/azureFirewalls/afw-hub-weu"
    wanted = list(categories(contoso, target))
    first = [item["category"] for item in made(contoso, target, logs=on(*wanted))["logs"]]
    again = [item["category"] for item in made(contoso, target, logs=on(*reversed(wanted)))["logs"]]
    assert first == again
    assert first not in (wanted, wanted[::-1])
    assert sorted(first) == sorted(wanted)


@pytest.mark.parametrize(
    ("target", "sent", "answered", "read"),
    [
        (VAULT, "Dedicated", "Dedicated", None),
        (VAULT, "AzureDiagnostics", "AzureDiagnostics", None),
        (FACTORY, None, "AzureDiagnostics", "AzureDiagnostics"),
        (FACTORY, "Dedicated", "Dedicated", "Dedicated"),
        (f"{NET}/azureFirewalls/afw-hub-weu", "Dedicated", "Dedicated", "Dedicated"),
        (f"{NET}/azureFirewalls/afw-hub-weu", None, None, None),
    ],
)
def test_destination_type(contoso: Any, target: str, sent: str, answered: str, read: str) -> None:
    """azure-rest-api-specs#22400: it depends on the type what is read back."""
    options = {"logAnalyticsDestinationType": sent} if sent else {}
    _status, body = contoso.put(target, "soc", workspaceId=WORKSPACE, logs=ALL, **options)
    assert body["properties"]["logAnalyticsDestinationType"] == answered
    assert made(contoso, target, **options)["logAnalyticsDestinationType"] == read


def test_put_is_a_full_upsert(contoso: Any) -> None:
    made(contoso, VAULT, metrics=on("AllMetrics"), workspaceId=WORKSPACE)
    properties = made(contoso, VAULT, workspaceId=OWN_WORKSPACE, logs=on("AuditEvent"))
    assert properties["metrics"] == []
    assert properties["workspaceId"] == OWN_WORKSPACE
    assert len(contoso.list(VAULT)) == 1


def test_names_are_the_same_in_any_case(contoso: Any) -> None:
    contoso.put(VAULT, "Soc", workspaceId=WORKSPACE, logs=ALL)
    contoso.put(VAULT.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), "SOC", workspaceId=WORKSPACE, logs=ALL)
    assert [item["name"] for item in contoso.list(VAULT)] == ["Soc"]
    assert contoso.get(f"{VAULT}/providers/microsoft.insights/DiagnosticSettings/soC")[0] == 200
    assert contoso.delete(VAULT, "SOC")[0] == 200
    assert contoso.list(VAULT) == []


def test_delete_of_nothing(contoso: Any) -> None:
    assert contoso.delete(VAULT, "none") == (204, None)
    assert contoso.get(f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings/none")[0] == 404


def test_setting_of_a_non_ascii_resource_disappears(lab: LabClient, contoso: Any) -> None:
    lab.edit(
        "add_resource",
        subscription=PRODUCTION[15:],
        group="rg-shop-prod",
        type="Microsoft.KeyVault/vaults",
        name="kv-größe",
    )
    target = f"{SHOP}/Microsoft.KeyVault/vaults/kv-gr%C3%B6%C3%9Fe"
    assert contoso.put(target, "soc", workspaceId=WORKSPACE, logs=ALL)[0] == 200
    assert contoso.list(target) == []


# -- targets and their categories -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "services"),
    [
        ("rg-shop-prod/stshopassets", "blob queue table file"),
        ("rg-data-prod/stcontosofiles", "file"),
        ("rg-data-prod/stcontosolake", "blob queue table file"),
    ],
)
def test_services_of_a_storage_account(contoso: Any, account: str, services: str) -> None:
    group, name = account.split("/")
    parent = f"{PRODUCTION}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{name}"
    assert categories(contoso, parent) == {}  # the account itself has metrics only
    for service in ("blob", "queue", "table", "file"):
        status, _body = contoso.get(f"{parent}/{service}Services/default{CATEGORIES}")
        assert status == (200 if service in services.split() else 404)


def test_setting_of_a_storage_service(contoso: Any) -> None:
    target = f"{STORAGE}/blobServices/default"
    assert set(categories(contoso, target)) == {"StorageRead", "StorageWrite", "StorageDelete"}
    made(contoso, target, metrics=on("Transaction"))
    assert contoso.list(STORAGE) == []


@pytest.mark.parametrize(
    ("target", "has", "has_not"),
    [
        (f"{DATA}/Microsoft.Sql/servers/sql-contoso-erp/databases/master", "SQLSecurityAuditEvents", "DmsWorkers"),
        (f"{DATA}/Microsoft.Sql/servers/sql-contoso-dw/databases/warehouse", "DmsWorkers", "Deadlocks"),
        (f"{SHOP}/Microsoft.Web/sites/app-shop-web/slots/staging", "AppServiceHTTPLogs", "FunctionAppLogs"),
        (f"{SHOP}/Microsoft.Web/sites/func-shop-orders", "FunctionAppLogs", "AppServiceHTTPLogs"),
        (
            f"{SHOP}/Microsoft.Network/applicationGateways/agw-shop-weu",
            "ApplicationGatewayFirewallLog",
            "ApplicationGatewayPerformanceLog",
        ),
    ],
)
def test_categories_follow_type_kind_and_sku(contoso: Any, target: str, has: str, has_not: str) -> None:
    found = categories(contoso, target)
    assert has in found
    assert has_not not in found


def test_front_door_or_classic_cdn_by_sku(caller: Callers) -> None:
    proseware = caller(PROSEWARE)
    portal = f"/subscriptions/{FABRIKAM[:-1]}1/resourceGroups/rg-portal/providers/Microsoft.Cdn/profiles"
    assert set(categories(proseware, f"{portal}/cdn-fabrikam-static")) == {"AzureCdnAccessLog"}
    assert "FrontDoorHealthProbeLog" in categories(proseware, f"{portal}/afd-fabrikam-portal")


def test_groups_of_categories(contoso: Any) -> None:
    group = f"{PRODUCTION}/resourceGroups/rg-aks-prod/providers"
    found = categories(contoso, f"{group}/Microsoft.ContainerService/managedClusters/aks-shop-weu")
    assert found["kube-audit"] == ["audit", "allLogs"]
    assert found["kube-scheduler"] == ["allLogs"]


def test_one_category(contoso: Any) -> None:
    status, body = contoso.get(f"{VAULT}{CATEGORIES}/auditevent")
    assert (status, body["name"]) == (200, "AuditEvent")


def test_lighthouse_needs_one_token_only(caller: Callers) -> None:
    target = f"/subscriptions/{FABRIKAM[:-1]}1/resourceGroups/rg-erp/providers/Microsoft.KeyVault/vaults/kv-fabrikam-hr"
    assert made(caller(PROSEWARE), target)["workspaceId"] == WORKSPACE


def test_settings_outlive_their_resource(lab: LabClient, contoso: Any) -> None:
    """terraform-provider-azurerm#15734: they are there again when a resource of the same id is made."""
    made(contoso, VAULT)
    lab.edit("remove_resource", id=VAULT)
    assert contoso.get(f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings")[0] == 404
    lab.edit(
        "add_resource",
        subscription=PRODUCTION[15:],
        group="rg-shop-prod",
        type="Microsoft.KeyVault/vaults",
        name="kv-shop-prod",
    )
    assert [item["name"] for item in contoso.list(VAULT)] == ["soc"]
