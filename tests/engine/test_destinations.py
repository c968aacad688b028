# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event Hub, storage and destinations by region."""

from __future__ import annotations

from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import EVENT_HUB_RULE, PROSEWARE, STORAGE, WORKSPACE

from .engines import DEV_VAULT, TEST_VAULT, Tenant, counts, log, ours

HUB: dict[str, Any] = {
    "workspace_id": None, "event_hub_authorization_rule_id": EVENT_HUB_RULE, "event_hub_name": "insights",
}  # fmt: skip
RG = "/subscriptions/10000000-0000-4000-8000-000000000001/resourceGroups/rg-sentinel/providers"
NORTH_STORAGE = f"{RG}/Microsoft.Storage/storageAccounts/stnorth"
NORTH = {"northeurope": {"storage_account_id": NORTH_STORAGE}}
WEST = {"West Europe": {"storage_account_id": STORAGE}}
GLOBAL = {"global": {"storage_account_id": STORAGE}}


@pytest.fixture
def north(lab: LabClient) -> LabClient:
    """A storage account of the MSSP's in northeurope."""
    lab.edit("add_resource", subscription=f"{PROSEWARE[:-1]}1", group="rg-sentinel", name="stnorth",
             type="Microsoft.Storage/storageAccounts", location="northeurope", kind="StorageV2",
             sku="Standard_LRS")  # fmt: skip
    lab.edit("assign_role", tenant=PROSEWARE, role="Storage Account Key Operator Service Role", scope=NORTH_STORAGE)
    return lab


def test_event_hub(dev: Tenant) -> None:
    assert counts(dev.run(**HUB)) == {"corrected": 2}
    sent = ours(dev.lab)[DEV_VAULT.lower()]
    assert (sent["eventHubAuthorizationRuleId"], sent["eventHubName"]) == (EVENT_HUB_RULE, "insights")
    assert sent["workspaceId"] is None
    assert not dev.run(**HUB)["changed"]


def test_another_hub_of_the_same_rule_is_drift(dev: Tenant) -> None:
    dev.run(**HUB)
    assert dev.run(check=True, **{**HUB, "event_hub_name": "other"})["summary"]["drift"] == {"sink_changed": 2}


def test_storage_and_workspace_together(dev: Tenant) -> None:
    given: dict[str, Any] = {"storage_account_id": STORAGE}
    assert counts(dev.run(**given)) == {"corrected": 2}
    sent = ours(dev.lab)[DEV_VAULT.lower()]
    assert (sent["workspaceId"], sent["storageAccountId"]) == (WORKSPACE, STORAGE)
    assert not dev.run(**given)["changed"]


def test_a_destination_that_is_added_later_is_an_update(dev: Tenant) -> None:
    dev.run()
    result = dev.run(storage_account_id=STORAGE)
    assert {change["action"] for change in result["changes"]} == {"update"}
    assert result["summary"]["drift"] == {"sink_changed": 2}


def test_what_others_send_to_one_destination_does_not_serve_the_other(dev: Tenant) -> None:
    dev.lab.edit("put_setting", target=DEV_VAULT, name="sec",
                 properties={"workspaceId": WORKSPACE, "logs": [{"categoryGroup": "allLogs", "enabled": True}]},
                 )  # fmt: skip
    assert counts(dev.run(storage_account_id=STORAGE)) == {"corrected": 2}
    sent = ours(dev.lab)
    assert (sent[DEV_VAULT.lower()]["workspaceId"], sent[DEV_VAULT.lower()]["storageAccountId"]) == (None, STORAGE)
    assert sent[TEST_VAULT.lower()]["workspaceId"] == WORKSPACE
    assert not dev.run(storage_account_id=STORAGE)["changed"]


def test_the_regions_own_destination_is_used(north: LabClient) -> None:
    tenant = Tenant(north, workspace_id=None, regional_destinations=NORTH | WEST, families=["key_vault"])
    result = tenant.run()
    assert counts(result) == {"corrected": 7}, result["msg"]
    sent = {target.rsplit("/", 1)[1]: value["storageAccountId"] for target, value in ours(north).items()}
    assert sent["kv-data-prod"] == NORTH_STORAGE
    assert sent["kv-shop-prod"] == STORAGE
    assert not tenant.run()["changed"]


def test_a_region_without_a_destination_is_a_gap_and_nothing_is_tried(lab: LabClient) -> None:
    tenant = Tenant(lab, workspace_id=None, regional_destinations=WEST, families=["key_vault"])
    result = tenant.run()
    assert counts(result) == {"corrected": 6, "drifted": 1}
    assert result["summary"]["drift"]["no_destination"] == 1
    (problem,) = result["problems"]
    assert problem["target"].endswith("/kv-data-prod")
    assert "northeurope" in problem["message"]
    assert "regional_destinations" in problem["next_step"]
    assert not any("kv-data-prod" in line["path"] for line in log(lab, "settings.put"))


def test_a_region_without_a_destination_still_gets_the_workspace(lab: LabClient) -> None:
    tenant = Tenant(lab, regional_destinations=WEST, families=["key_vault"], satisfied_by="any")
    result = tenant.run()
    sent = {target.rsplit("/", 1)[1]: value for target, value in ours(lab).items()}
    assert (sent["kv-data-prod"]["workspaceId"], sent["kv-data-prod"]["storageAccountId"]) == (WORKSPACE, None)
    assert result["summary"]["drift"]["no_destination"] == 1
    again = tenant.run()
    assert not again["changed"]
    assert again["summary"]["drift"] == {"no_destination": 1}, "the gap stays drift until it is closed"


def test_what_has_no_region_uses_the_global_destination(lab: LabClient) -> None:
    given: dict[str, Any] = {"families": ["activity_log", "front_door"], "workspace_id": None}
    missing = Tenant(lab, regional_destinations=WEST, **given).run()
    assert counts(missing) == {"drifted": 5}
    assert "global" in missing["problems"][0]["message"]
    assert counts(Tenant(lab, regional_destinations=WEST | GLOBAL, **given).run()) == {"corrected": 5}


def test_a_hub_of_another_region_is_told_in_azures_words(contoso: Tenant) -> None:
    """One destination for all regions, against Azure's rule."""
    result = contoso.run(families=["key_vault"], subscriptions=["contoso-production"], **HUB)
    assert counts(result) == {"corrected": 2, "failed": 1}
    (problem,) = result["problems"]
    assert "should be in the same region" in problem["message"]
    assert "regional_destinations" in problem["next_step"]
