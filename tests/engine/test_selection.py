# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a tenant is looked at by subscription, family, type, group and tag, and what is left out for which reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import CONTOSO, FABRIKAM, PROSEWARE, TAILSPIN

from .engines import DEV_VAULT, DEVELOPMENT, PRODUCTION, SHARED, SHOP, TEST_VAULT, VAULT, Tenant, counts, log


@pytest.fixture
def chosen(contoso: Tenant, evidence: Path) -> Any:
    """chosen(**options): the targets of a run in check mode, with their types, in lower case."""

    def look(**args: Any) -> dict[str, str]:
        result = contoso.run(check=True, evidence_path=str(evidence), **args)
        assert not result["failed"], result["msg"]
        lines = [json.loads(line) for line in evidence.read_text().splitlines()]
        evidence.unlink()
        return {line["target"].casefold(): line["type"] for line in lines}

    return look


SUBSCRIPTIONS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "every enabled one": ({}, {PRODUCTION, DEVELOPMENT, SHARED}),
    "by id": ({"subscriptions": [DEVELOPMENT]}, {DEVELOPMENT}),
    "by id in capitals": ({"subscriptions": [DEVELOPMENT.upper()]}, {DEVELOPMENT}),
    "by name": ({"subscriptions": ["contoso-production"]}, {PRODUCTION}),
    "by name in another case": ({"subscriptions": ["Contoso-Production"]}, {PRODUCTION}),
    "by glob": ({"subscriptions": ["*-[dp]*"]}, {PRODUCTION, DEVELOPMENT}),
    "by two": ({"subscriptions": ["contoso-production", SHARED]}, {PRODUCTION, SHARED}),
    "but one by id": ({"exclude_subscriptions": [SHARED]}, {PRODUCTION, DEVELOPMENT}),
    "but one by name": ({"exclude_subscriptions": ["contoso-development"]}, {PRODUCTION, SHARED}),
    "but some by glob": ({"exclude_subscriptions": ["*-services", "*-development"]}, {PRODUCTION}),
    "out goes before in": (
        {"subscriptions": ["contoso-*"], "exclude_subscriptions": ["contoso-p*"]},
        {DEVELOPMENT, SHARED},
    ),
}


@pytest.mark.parametrize("case", SUBSCRIPTIONS)
def test_subscriptions(chosen: Any, case: str) -> None:
    args, wanted = SUBSCRIPTIONS[case]
    assert {target.split("/")[2] for target in chosen(families=["activity_log"], **args)} == wanted


FAMILIES = {
    "activity_log": {"microsoft.resources/subscriptions": 3},
    "application_gateway": {"microsoft.network/applicationgateways": 1},
    "azure_firewall": {"microsoft.network/azurefirewalls": 2},
    "front_door": {"microsoft.network/frontdoors": 1, "microsoft.cdn/profiles": 1},
    "key_vault": {"microsoft.keyvault/vaults": 7},
    "kubernetes": {"microsoft.containerservice/managedclusters": 2},
    "network_security_group": {"microsoft.network/networksecuritygroups": 9},
    "public_ip": {"microsoft.network/publicipaddresses": 5},
    "sql": {"microsoft.sql/servers/databases": 7},
    "storage": {
        "microsoft.storage/storageaccounts/blobservices": 6,
        "microsoft.storage/storageaccounts/fileservices": 6,
        "microsoft.storage/storageaccounts/queueservices": 5,
        "microsoft.storage/storageaccounts/tableservices": 5,
    },
    "waf_policy": {
        "microsoft.cdn/cdnwebapplicationfirewallpolicies": 1,
        "microsoft.network/applicationgatewaywebapplicationfirewallpolicies": 1,
        "microsoft.network/frontdoorwebapplicationfirewallpolicies": 1,
    },
}


@pytest.mark.parametrize("family", FAMILIES)
def test_family(chosen: Any, family: str) -> None:
    types = list(chosen(families=[family]).values())
    assert {kind: types.count(kind) for kind in types} == FAMILIES[family]


def test_all_takes_types_of_no_family(chosen: Any) -> None:
    types = set(chosen().values())
    assert {kind for family in FAMILIES.values() for kind in family} <= types
    assert {"microsoft.web/sites", "microsoft.web/sites/slots", "microsoft.logic/workflows"} <= types


def test_storage_services_follow_the_accounts_kind(chosen: Any) -> None:
    services = [target.split("/")[-2] for target in chosen(families=["storage"]) if "stcontosofiles" in target]
    assert services == ["fileservices"], "premium file storage has files only"
    services = [target.split("/")[-2] for target in chosen(families=["storage"]) if "stshoptest" in target]
    assert services == ["blobservices"], "blob storage has blobs only"
    assert not [target for target in chosen() if target.endswith("/storageaccounts/stshopassets")], "metrics only"


def test_the_master_database_is_one_target_of_each_server(chosen: Any) -> None:
    masters = [target for target in chosen(families=["sql"]) if target.endswith("/databases/master")]
    assert sorted(target.split("/")[-3] for target in masters) == ["sql-contoso-dw", "sql-contoso-erp", "sql-shop-dev"]


def test_slots_are_targets(chosen: Any) -> None:
    assert f"{SHOP}/Microsoft.Web/sites/app-shop-web/slots/staging".casefold() in chosen()


def test_types_beside_families(chosen: Any) -> None:
    types = chosen(families=["azure_firewall"], resource_types=["Microsoft.Logic/workflows"]).values()
    assert set(types) == {"microsoft.network/azurefirewalls", "microsoft.logic/workflows"}


def test_types_alone(chosen: Any) -> None:
    assert set(chosen(families=[], resource_types=["microsoft.web/SITES"]).values()) == {"microsoft.web/sites"}


FILTERS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "resource group": ({"resource_groups": ["RG-shop-dev"]}, {DEV_VAULT, TEST_VAULT}),
    "resource groups by glob": ({"resource_groups": ["rg-shop-*"], "exclude_tags": {"pci": None}},
                                {DEV_VAULT, TEST_VAULT, VAULT}),
    "a tag": ({"include_tags": {"env": "dev"}}, {DEV_VAULT}),
    "a tag's name in another case": ({"include_tags": {"ENV": "Dev"}}, {DEV_VAULT}),
    "a tag of any value": ({"include_tags": {"owner": None}}, {VAULT}),
    "a tag by glob": ({"include_tags": {"env": "*e*"}}, {DEV_VAULT, TEST_VAULT}),
    "two tags at once": ({"include_tags": {"env": "prod", "owner": "ecommerce"}}, {VAULT}),
    "not a tag": ({"include_tags": {"env": None}, "exclude_tags": {"env": "prod"}}, {DEV_VAULT, TEST_VAULT}),
    "not a resource": ({"resource_groups": ["rg-shop-dev"], "exclude_resources": [DEV_VAULT.upper()]}, {TEST_VAULT}),
    "not resources by glob": ({"include_tags": {"env": None}, "exclude_resources": ["*/vaults/kv-shop-[dt]*",
                                                                                    "*/kv-payments-prod"]}, {VAULT}),
}  # fmt: skip


@pytest.mark.parametrize("case", FILTERS)
def test_filter(chosen: Any, case: str) -> None:
    args, wanted = FILTERS[case]
    assert set(chosen(families=["key_vault"], **args)) == {target.casefold() for target in wanted}


def test_excluding_an_account_excludes_its_services(chosen: Any) -> None:
    targets = chosen(families=["storage"], exclude_resources=[f"{SHOP}/Microsoft.Storage/storageAccounts/stshopassets"])
    assert not [target for target in targets if "stshopassets" in target]
    assert len(targets) == 18


def test_a_subscription_of_another_home_tenant_is_left_out_with_the_reason(lab: LabClient) -> None:
    result = Tenant(lab, FABRIKAM).run(check=True)
    assert result["summary"]["left_out"] == [f"proseware-soc: belongs to tenant {PROSEWARE}"]
    assert {name.split(" ")[0] for name in result["summary"]["subscriptions"]} == {"fabrikam-erp", "fabrikam-plants"}


def test_a_disabled_subscription_is_left_out_with_the_reason(lab: LabClient) -> None:
    result = Tenant(lab, TAILSPIN).run()
    assert result["summary"]["left_out"] == ["tailspin-legacy: is Disabled, so it takes no writes"]
    assert not any(f"{TAILSPIN[:-1]}3" in one["path"] for one in log(lab, "settings.list"))


def test_a_subscription_that_still_takes_writes_is_taken(lab: LabClient) -> None:
    lab.edit("subscription_state", subscription=DEVELOPMENT, state="PastDue")
    assert counts(Tenant(lab).run(check=True, families=["activity_log"])) == {"drifted": 3}


@pytest.mark.parametrize("state", ["Warned", "Disabled"])
def test_a_subscription_that_takes_deletes_only_is_left_out_but_cleaned_up(lab: LabClient, state: str) -> None:
    tenant = Tenant(lab, families=["activity_log"])
    tenant.run()
    lab.edit("subscription_state", subscription=DEVELOPMENT, state=state)
    kept = tenant.run(check=True)
    assert kept["summary"]["left_out"] == [f"contoso-development: is {state}, so it takes no writes"]
    gone = tenant.run(state="absent")
    assert counts(gone) == {"corrected": 3}, gone["msg"]


def test_no_visible_subscription_is_an_error_and_no_empty_tenant(lab: LabClient) -> None:
    for subscription in (PRODUCTION, DEVELOPMENT, SHARED):
        lab.edit("unassign_role", tenant=CONTOSO, role="Monitoring Contributor",
                 scope=f"/subscriptions/{subscription}")  # fmt: skip
    result = Tenant(lab).run()
    assert result["failed"]
    assert result["problems"][0]["code"] == "NoSubscriptions"
    assert "the identity sees no subscription" in result["msg"]
    assert "Monitoring Contributor" in result["problems"][0]["next_step"]


def test_a_pattern_that_matches_nothing_is_an_error(contoso: Tenant) -> None:
    result = contoso.run(subscriptions=["contoso-production", "contoso-prodution", "x-*"])
    assert result["failed"]
    assert result["problems"][0]["code"] == "NoMatch"
    assert "subscriptions: nothing matches contoso-prodution (did you mean contoso-production?)" in result["msg"]
    assert "nothing matches x-*" in result["msg"]
    assert contoso.written() == []


# Options, and pieces of what is said of each part that matches nothing.
NOTHING: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a type": (
        {"families": [], "resource_types": ["Microsoft.KeyVault/vault"]},
        ["resource_types: nothing matches microsoft.keyvault/vault (did you mean microsoft.keyvault/vaults?)"],
    ),
    "a type beside families": (
        {"families": ["key_vault"], "resource_types": ["microsoft.web/site"]},
        ["resource_types: nothing matches microsoft.web/site"],
    ),
    "a type that has parts": (
        {"families": ["key_vault"], "resource_types": ["Microsoft.Storage/storageAccounts"]},
        ["name its parts: microsoft.storage/storageaccounts/blobservices"],
    ),
    "no type": ({"families": []}, ["families and resource_types are both empty"]),
    "a tag's name": ({"include_tags": {"envv": "prod"}}, ["nothing matches envv=prod (did you mean env=prod?)"]),
    "a tag's value": ({"include_tags": {"env": "prd"}}, ["nothing matches env=prd (did you mean env=prod?)"]),
    "a tag to leave out": ({"exclude_tags": {"envv": "prod"}}, ["exclude_tags: nothing matches envv"]),
    "a group": (
        {"families": ["all"], "resource_groups": ["rg-nosuch", "rg-shop-prd"]},
        ["nothing matches rg-nosuch", "nothing matches rg-shop-prd (did you mean rg-shop-prod?)"],
    ),
    "one group of two": ({"resource_groups": ["rg-shop-prod", "rg-shop-dv"]}, ["did you mean rg-shop-dev?"]),
    "a resource to leave out": (
        {"exclude_resources": [VAULT + "x"]},
        [f"exclude_resources: nothing matches {VAULT.casefold()}x (did you mean {VAULT}?)"],
    ),
    "a subscription to leave out": (
        {"exclude_subscriptions": ["contoso-developmnt"]},
        ["exclude_subscriptions: nothing matches contoso-developmnt (did you mean contoso-development?)"],
    ),
    "all of it": (
        {"resource_groups": ["rg-shop-dev"], "include_tags": {"env": "prod"}},
        ["the tenant has nothing of what is chosen"],
    ),
    "a category": (
        {"logs": {"key_vault": {"categories": ["AuditEvnt"]}}},
        ["logs[key_vault].categories: nothing matches auditevnt (did you mean AuditEvent?)"],
    ),
    "a category of two": (
        {"families": ["network_security_group"],
         "logs": {"default": {"categories": ["NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCountr"]}}},
        ["logs[default].categories: nothing matches networksecuritygrouprulecountr"],
    ),
    "a group of categories": (
        {"families": ["network_security_group"], "logs": {"default": {"category_group": "audit"}}},
        ["logs[default].category_group: nothing matches audit"],
    ),
    "a type of logs": ({"logs": {"Microsoft.KeyVault/vault": {"categories": ["AuditEvent"]}}}, ["did you mean"]),
    "a metric": ({"metrics": ["AllMetric"]}, ["metrics: nothing matches allmetric (did you mean AllMetrics?)"]),
}  # fmt: skip


@pytest.mark.parametrize("case", NOTHING)
def test_what_matches_nothing_is_an_error_before_anything_is_written(contoso: Tenant, case: str) -> None:
    given, texts = NOTHING[case]
    contoso.given |= {"families": ["key_vault"], **given}
    result = contoso.run()
    assert result["failed"]
    assert result["problems"][0]["code"] == "NoMatch", result["msg"]
    assert [text for text in texts if text not in result["msg"]] == [], result["msg"]
    assert contoso.written() == []
    assert contoso.run("flow")["summary"]["outcome"] == "failed"
    preflight = contoso.run("access")
    assert texts[0] in preflight["msg"]
    assert preflight["summary"]["outcome"] == "failed"


def test_what_matches_nothing_does_not_hinder_removal(contoso: Tenant) -> None:
    given = {"families": ["key_vault"], "resource_groups": ["rg-gone"], "logs": {"default": {"categories": ["Gone"]}}}
    assert not contoso.run(state="absent", **given)["failed"]


def test_a_family_that_this_tenant_lacks_is_no_error(contoso: Tenant) -> None:
    """A fleet's defaults name more than each tenant has."""
    given = {"families": ["key_vault", "kubernetes"], "resource_groups": ["rg-shop-*"], "exclude_tags": {"mssp": "no"}}
    assert not contoso.run(check=True, subscriptions=["contoso-development"], **given)["failed"]


def test_what_could_not_be_listed_may_be_what_a_name_means(contoso: Tenant) -> None:
    contoso.lab.fault(kind="resource_graph", action="status", status=403)
    contoso.lab.fault(kind="resources.list", action="status", status=403, subscription=DEVELOPMENT)
    result = contoso.run(families=["key_vault"], resource_groups=["rg-shop-prod", "rg-shop-dev"])
    assert counts(result)["unknown"] == 1, result["msg"]


def test_leaving_everything_out_is_an_error(contoso: Tenant) -> None:
    result = contoso.run(exclude_subscriptions=["*"])
    assert result["failed"]
    assert "none of the 3 visible subscriptions is taken: contoso-production excluded" in result["msg"]


def test_the_wrong_tenant_is_an_error(lab: LabClient) -> None:
    """managing_tenant_id leads to proseware, where nothing of contoso is delegated."""
    result = Tenant(lab, CONTOSO, managing_tenant_id=PROSEWARE, auxiliary_tenant_ids=None).run()
    assert result["failed"]
    assert f"proseware-soc belongs to tenant {PROSEWARE}" in result["msg"]
    assert "managing_tenant_id" in result["problems"][0]["next_step"]
