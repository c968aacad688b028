# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the inventory and the categories are found, and what happens when finding them fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm import subscriptions as inventory
from lab.client import LabClient
from lab.scenarios.sizes import BENCH
from lab.testing import running_lab

from .engines import DEV, DEVELOPMENT, GRAPH, PRODUCTION, SHOP, VAULT, Tenant, counts, log, ours


@pytest.fixture(scope="module")
def large() -> Iterator[LabClient]:
    with running_lab("spread:1050x10") as lab:
        yield lab


def test_more_than_a_page_of_resources_is_found_whole_and_categories_asked_once(large: LabClient) -> None:
    result = Tenant(large, BENCH).run(check=True)
    assert result["summary"]["counts"]["targets"] == 1060
    assert len(log(large, GRAPH)) == 2, "1000 rows are a page"
    assert len(log(large, "categories.list")) == 10, "categories are to be asked once per (type, kind, sku)"
    assert len(log(large, "settings.list")) == 1060


def test_pages_follow_each_other(contoso: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = contoso.run(check=True)
    contoso.lab.reset_requests()
    monkeypatch.setattr(inventory, "GRAPH_PAGE", 40)
    paged = contoso.run(check=True)
    assert len(log(contoso.lab, GRAPH)) > 1
    assert counts(paged) == counts(whole)
    assert paged["changes"] == whole["changes"]


GRAPH_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "403": ({"action": "status", "status": 403, "code": "AuthorizationFailed"}, "AuthorizationFailed"),
    "400 flat": ({"action": "status", "status": 400, "code": "BadRequest", "shape": "flat"}, "BadRequest"),
    "500 for ever": ({"action": "status", "status": 500, "count": None}, "InternalServerError"),
    "429 for ever": ({"action": "throttle", "count": None}, "TooManyRequests"),
    "cut short": ({"action": "malformed", "count": None}, "BadJson"),
    "html": ({"action": "html", "status": 200, "count": None}, "BadJson"),
    "dropped": ({"action": "drop", "count": None}, "ServerDisconnectedError"),
    "ended early": ({"action": "truncated", "count": None}, "ClientPayloadError"),
    "empty": ({"action": "empty"}, "BadShape"),
    "another shape": ({"action": "status", "status": 200}, "BadShape"),
}


@pytest.mark.parametrize("case", GRAPH_FAULTS)
def test_without_resource_graph_the_lists_find_the_same(contoso: Tenant, hasty: list[float], case: str) -> None:
    contoso.given["subscriptions"] = ["contoso-development"]
    whole = contoso.run(check=True)
    fault, code = GRAPH_FAULTS[case]
    contoso.lab.fault(kind=GRAPH, **fault)
    result = contoso.run(check=True)
    assert result["summary"]["inventory"] == f"lists, since Resource Graph failed: {code}"
    assert counts(result) == counts(whole)
    assert result["changes"] == whole["changes"]


def test_the_lists_have_pages_too(contoso: Tenant) -> None:
    whole = contoso.run(check=True)
    contoso.lab.configure(page_size=7)
    contoso.lab.fault("status", kind=GRAPH, status=403)
    result = contoso.run(check=True)
    assert len(log(contoso.lab, "resources.list")) > 3
    assert counts(result) == counts(whole)


def test_one_fault_of_resource_graph_that_passes_is_no_reason_for_lists(contoso: Tenant, hasty: list[float]) -> None:
    contoso.lab.fault("status", kind=GRAPH, status=503)
    assert contoso.run(check=True, families=["key_vault"])["summary"]["inventory"] == "resource_graph"


def test_a_subscription_that_cannot_be_listed_is_unknown_and_the_rest_goes_on(
    contoso: Tenant, evidence: Path, hasty: list[float]
) -> None:
    contoso.lab.fault("status", kind=GRAPH, status=403, code="AuthorizationFailed")
    contoso.lab.fault("status", kind="resources.list", subscription=DEVELOPMENT, status=403, code="AuthorizationFailed",
                      message="no right to list")  # fmt: skip
    result = contoso.run(families=["key_vault"], evidence_path=str(evidence))
    assert counts(result) == {"unknown": 1, "corrected": 4, "in_sync": 1}
    assert result["failed"]
    assert result["summary"]["outcome"] == "unknown"
    assert result["summary"]["drift"]["unknown"] == 1
    (problem,) = result["problems"]
    assert (problem["code"], problem["status"], problem["message"]) == ("AuthorizationFailed", 403, "no right to list")
    assert problem["operation"] == f"list the resources of subscription {DEVELOPMENT}"
    assert problem["next_step"]
    assert not any(DEVELOPMENT in path for _method, path in contoso.written())


def test_a_subscription_that_cannot_be_listed_keeps_its_activity_log(contoso: Tenant, hasty: list[float]) -> None:
    contoso.lab.fault("status", kind=GRAPH, status=403)
    contoso.lab.fault("status", kind="resources.list", subscription=DEVELOPMENT, status=403)
    result = contoso.run(families=["activity_log", "azure_firewall"])
    assert counts(result) == {"unknown": 1, "corrected": 5}, "the list of resources and the subscription are two things"
    assert f"/subscriptions/{DEVELOPMENT}" in ours(contoso.lab)


def test_types_without_log_categories_are_skipped_with_the_reason(contoso: Tenant, evidence: Path) -> None:
    contoso.run(evidence_path=str(evidence))
    lines = [json.loads(line) for line in evidence.read_text().splitlines()]
    reasons = {line["type"]: line["reason"] for line in lines if line["status"] == "skipped"}
    assert reasons["microsoft.compute/disks"] == "offers no log categories"
    assert reasons["microsoft.network/frontdoorwebapplicationfirewallpolicies"] == "offers no log categories"
    asked = [one["path"] for one in log(contoso.lab, "settings.list") if "Microsoft.Compute" in one["path"]]
    assert asked == [], "what is skipped is not asked for its settings"


def test_a_resource_whose_id_is_not_ascii_is_skipped_with_the_reason(contoso: Tenant, evidence: Path) -> None:
    contoso.lab.edit("add_resource", subscription=DEVELOPMENT, group="rg-shop-dev", name="afw-zürich",
                     type="Microsoft.Network/azureFirewalls")  # fmt: skip
    result = contoso.run(subscriptions=[DEVELOPMENT], families=["azure_firewall"], evidence_path=str(evidence))
    assert counts(result) == {"skipped": 1}
    assert "not ASCII" in evidence.read_text()
    assert contoso.written() == []


def test_categories_are_asked_of_the_next_resource_when_the_first_refuses(contoso: Tenant) -> None:
    contoso.lab.fault("status", kind="categories.list", path="/vaults/", status=404, code="ResourceNotFound")
    result = contoso.run(families=["key_vault"])
    assert counts(result) == {"corrected": 6, "in_sync": 1}
    assert len(log(contoso.lab, "categories.list")) == 2


def test_categories_that_nobody_answers_leave_the_kind_unknown_and_unwritten(contoso: Tenant) -> None:
    contoso.lab.fault("status", kind="categories.list", path="/vaults/", status=403, code="AuthorizationFailed",
                      message="no right to categories", count=None)  # fmt: skip
    result = contoso.run(families=["key_vault", "azure_firewall"])
    assert counts(result) == {"unknown": 7, "corrected": 2}, "the other kinds go on"
    (problem,) = result["problems"]
    assert (problem["count"], problem["code"], problem["message"]) == (
        7,
        "AuthorizationFailed",
        "no right to categories",
    )
    assert problem["operation"].startswith("list the diagnostic setting categories of ")
    assert not any("/vaults/" in path for _method, path in contoso.written())
    assert len(log(contoso.lab, "categories.list")) == 5 + 1, "a kind is given up after five resources"


def test_categories_of_another_shape_leave_the_kind_unknown(contoso: Tenant) -> None:
    contoso.lab.fault("status", kind="categories.list", path="/vaults/", status=200, count=None)
    result = contoso.run(families=["key_vault"])
    assert counts(result) == {"unknown": 7}
    assert result["summary"]["outcome"] == "unknown"
    assert result["problems"][0]["code"] == "BadShape"
    assert contoso.written() == []


def test_categories_depend_on_kind_and_sku(contoso: Tenant) -> None:
    """A data warehouse, a function app and a WAF_v2 gateway offer others than their kin: each gets what it offers."""
    result = contoso.run(families=["sql", "application_gateway"], resource_types=["Microsoft.Web/sites"],
                         logs={"default": {"categories": ["DmsWorkers", "FunctionAppLogs", "Deadlocks"]}})  # fmt: skip
    assert not result["failed"], result["msg"]
    sent = {
        target.rsplit("/", 1)[1]: [one["category"] for one in value["logs"] if one["enabled"]]
        for target, value in ours(contoso.lab).items()
    }
    assert sent["warehouse"] == ["DmsWorkers"]
    assert sent["erp"] == ["Deadlocks"]
    assert sent["func-shop-orders"] == ["FunctionAppLogs"]
    assert "app-shop-web" not in sent


def test_a_resource_that_went_away_is_unknown_and_written_to_by_nobody(contoso: Tenant) -> None:
    contoso.lab.edit("remove_resource", id=VAULT, keep_in_graph=True)
    result = contoso.run(families=["key_vault"])
    assert counts(result)["unknown"] == 1
    (problem,) = result["problems"]
    assert (problem["target"], problem["status"], problem["code"]) == (VAULT, 404, "ResourceNotFound")
    assert problem["next_step"].startswith("run again")
    assert not any(VAULT in path for _method, path in contoso.written())


def test_what_is_new_is_found_in_the_next_run(contoso: Tenant) -> None:
    given: dict[str, Any] = {"families": ["key_vault", "storage", "sql"], "subscriptions": [DEVELOPMENT]}
    contoso.run(**given)
    for type_, name in (("Microsoft.KeyVault/vaults", "kv-new"), ("Microsoft.Storage/storageAccounts", "stnew")):
        contoso.lab.edit("add_resource", subscription=DEVELOPMENT, group="rg-shop-dev", type=type_, name=name,
                         kind="StorageV2" if "Storage" in type_ else "")  # fmt: skip
    result = contoso.run(**given)
    account = f"{DEV}/Microsoft.Storage/storageAccounts/stnew"
    assert {change["target"] for change in result["changes"]} == {
        f"{DEV}/Microsoft.KeyVault/vaults/kv-new",
        *(f"{account}/{service}/default" for service in ("blobServices", "fileServices", "queueServices",
                                                         "tableServices")),
    }  # fmt: skip


def test_a_target_is_written_where_it_is(contoso: Tenant) -> None:
    contoso.run(families=["key_vault"], subscriptions=[PRODUCTION], resource_groups=["rg-shop-prod"])
    assert [path for _method, path in contoso.written()] == [
        f"{SHOP}/Microsoft.KeyVault/vaults/kv-shop-prod/providers/Microsoft.Insights/diagnosticSettings/mssp-onboarding"
    ]
