# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets out of an inventory, and the choice among them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.resource_types import wanted_types
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.resources import (
    Filter,
    Subscription,
    choose_subscriptions,
    targets_of,
)

TENANT, OTHER = "20000000-0000-4000-8000-000000000000", "30000000-0000-4000-8000-000000000000"
SUB = "20000000-0000-4000-8000-000000000001"
RG = f"/subscriptions/{SUB}/resourceGroups/RG-one/providers"
PROD = Subscription(SUB, "Contoso-Production", "Enabled", TENANT)
EVERYTHING = Filter()


def row(type_: str, name: str, **more: Any) -> dict[str, Any]:
    namespace, *kinds = type_.split("/")
    path = "/".join(f"{kind}/{part}" for kind, part in zip(kinds, name.split("/"), strict=True))
    return {"id": f"{RG}/{namespace}/{path}", "type": type_, "resourceGroup": "rg-one", "tags": None, **more}


def ids(rows: list[dict[str, Any]], wanted: frozenset[str] | None = None, chosen: Filter = EVERYTHING) -> list[str]:
    """Targets without the subscriptions, the part behind the providers."""
    found = targets_of([PROD], rows, wanted, chosen)
    return [target.id.removeprefix(RG + "/") for target in found if target.id.count("/") > 2]


# ---- subscriptions ------------------------------------------------------------------------------------------------


STATES = {"Enabled": True, "Warned": False, "PastDue": True, "Disabled": False, "Deleted": False, "": False}


@pytest.mark.parametrize("state", STATES)
def test_states_that_take_writes(state: str) -> None:
    taken, left, _unmatched = choose_subscriptions([PROD._replace(state=state)], TENANT, [], [])
    assert bool(taken) is STATES[state]
    assert bool(left) is not STATES[state]


def test_a_home_tenant_in_another_case_is_the_same() -> None:
    assert choose_subscriptions([PROD], TENANT.upper(), [], [])[0] == [PROD]


def test_a_home_tenant_elsewhere() -> None:
    taken, left, _unmatched = choose_subscriptions([PROD._replace(tenant_id=OTHER)], TENANT, [SUB], [])
    assert taken == []
    assert left[0][1] == f"belongs to tenant {OTHER}"


def test_an_unknown_home_tenant_is_taken() -> None:
    assert choose_subscriptions([PROD._replace(tenant_id="")], TENANT, [], [])[0]


def test_patterns_without_a_match_are_told() -> None:
    assert choose_subscriptions([PROD], TENANT, ["contoso-*", "nope", SUB], [])[2] == ["nope"]


# ---- storage ------------------------------------------------------------------------------------------------------

ALL_FOUR = ["blobServices", "fileServices", "queueServices", "tableServices"]
ACCOUNTS = {
    ("StorageV2", "Standard_LRS"): ALL_FOUR,
    ("Storage", "Standard_GRS"): ALL_FOUR,
    ("BlobStorage", "Standard_LRS"): ["blobServices"],
    ("BlockBlobStorage", "Premium_LRS"): ["blobServices"],
    ("FileStorage", "Premium_LRS"): ["fileServices"],
    ("StorageV2", "Premium_LRS"): ["blobServices", "fileServices"],
}


@pytest.mark.parametrize("account", ACCOUNTS)
def test_services_of_an_account(account: tuple[str, str]) -> None:
    kind, sku = account
    found = ids([row("Microsoft.Storage/storageAccounts", "st", kind=kind, sku={"name": sku})])
    assert found == [f"Microsoft.Storage/storageAccounts/st/{name}/default" for name in ACCOUNTS[account]]


def test_services_share_their_categories_whatever_the_accounts_sku() -> None:
    rows = [row("Microsoft.Storage/storageAccounts", name, kind="StorageV2", sku={"name": f"Standard_{name}"})
            for name in ("LRS", "GRS")]  # fmt: skip
    found = targets_of([], rows, frozenset({"microsoft.storage/storageaccounts/blobservices"}), EVERYTHING)
    assert len(found) == 2
    assert len({target.key for target in found}) == 1


# ---- sql ----------------------------------------------------------------------------------------------------------


def test_master_is_there_whether_the_inventory_lists_it_or_not() -> None:
    server = row("Microsoft.Sql/servers", "srv", kind="v12.0")
    master = row("Microsoft.Sql/servers/databases", "srv/master", kind="v12.0,system", sku={"name": "System"})
    expected = ["Microsoft.Sql/servers/srv/databases/master"]
    assert ids([server]) == ids([server, master]) == ids([master, server]) == ids([master]) == expected


def test_master_in_another_case_is_the_same_target() -> None:
    master = row("Microsoft.Sql/servers/databases", "SRV/MASTER")
    assert len(ids([row("Microsoft.Sql/servers", "srv"), master])) == 1


def test_masters_share_one_set_of_categories() -> None:
    listed = row("Microsoft.Sql/servers/databases", "b/master", kind="v12.0,system", sku={"name": "System"})
    rows = [row("Microsoft.Sql/servers", "a"), listed]
    assert len({target.key for target in targets_of([], rows, None, EVERYTHING)}) == 1


def test_the_server_itself_has_no_settings() -> None:
    assert "Microsoft.Sql/servers/srv" not in ids([row("Microsoft.Sql/servers", "srv")])


def test_databases_keep_kind_and_sku() -> None:
    database = row("Microsoft.Sql/servers/databases", "srv/dw", kind="v12.0,user,DataWarehouse",
                   sku={"name": "DataWarehouse", "tier": "DW"})  # fmt: skip
    (target,) = targets_of([], [database], None, EVERYTHING)
    assert target.key == ("microsoft.sql/servers/databases", "v12.0,user,datawarehouse", "datawarehouse/dw")


# ---- everything else ----------------------------------------------------------------------------------------------


def test_the_same_resource_twice_is_one_target() -> None:
    vault = row("Microsoft.KeyVault/vaults", "kv")
    assert len(ids([vault, {**vault, "id": vault["id"].upper()}])) == 1


def test_a_region_in_words_is_the_region() -> None:
    (target,) = targets_of([], [row("Microsoft.KeyVault/vaults", "kv", location="West Europe")], None, EVERYTHING)
    assert target.location == "westeurope"


@pytest.mark.parametrize("missing", ["kind", "sku", "location", "tags"])
def test_nulls_are_nothing(missing: str) -> None:
    (target,) = targets_of([], [row("Microsoft.KeyVault/vaults", "kv", **{missing: None})], None, EVERYTHING)
    assert (target.kind, target.sku, target.location) == ("", "", "")


def test_subscriptions_are_targets_only_where_wanted() -> None:
    assert targets_of([PROD], [], wanted_types(["key_vault"], []), EVERYTHING) == []
    (target,) = targets_of([PROD], [], wanted_types(["activity_log"], []), EVERYTHING)
    assert (target.id, target.type) == (f"/subscriptions/{SUB}", "microsoft.resources/subscriptions")


def test_a_subscription_can_be_excluded_as_a_resource() -> None:
    chosen = Filter.of([], {}, {}, [f"/subscriptions/{SUB}"])
    assert targets_of([PROD], [row("Microsoft.KeyVault/vaults", "kv")], None, chosen) == []


# ---- filters ------------------------------------------------------------------------------------------------------


def test_the_group_comes_from_the_id_where_the_list_does_not_name_it() -> None:
    bare = {key: value for key, value in row("Microsoft.KeyVault/vaults", "kv").items() if key != "resourceGroup"}
    assert ids([bare], chosen=Filter.of(["rg-ONE"], {}, {}, [])) == ["Microsoft.KeyVault/vaults/kv"]
    assert ids([bare], chosen=Filter.of(["rg-two"], {}, {}, [])) == []


TAGS: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "none asked": ({}, {}, True),
    "as asked": ({"env": "prod"}, {}, True),
    "name and value in another case": ({"ENV": "PROD"}, {}, True),
    "glob": ({"env": "pr*"}, {}, True),
    "another value": ({"env": "dev"}, {}, False),
    "any value": ({"env": None}, {}, True),
    "a number": ({"tier": 1}, {}, True),
    "one of two lacks": ({"env": "prod", "owner": None}, {}, False),
    "excluded": ({}, {"env": "prod"}, False),
    "another is excluded": ({}, {"env": "dev"}, True),
    "any of two excludes": ({}, {"owner": None, "env": None}, False),
    "excluded goes before included": ({"env": "prod"}, {"tier": "1"}, False),
}


@pytest.mark.parametrize("case", TAGS)
def test_tags(case: str) -> None:
    include, exclude, taken = TAGS[case]
    vault = row("Microsoft.KeyVault/vaults", "kv", tags={"Env": "Prod", "tier": "1"})
    assert Filter.of([], include, exclude, []).takes(vault) is taken


def test_a_name_is_no_prefix() -> None:
    rows = [row("Microsoft.KeyVault/vaults", "kv"), row("Microsoft.KeyVault/vaults", "kv2")]
    assert ids(rows, chosen=Filter.of([], {}, {}, [rows[0]["id"]])) == ["Microsoft.KeyVault/vaults/kv2"]


@pytest.mark.parametrize("shape", ["{}", "{}/", "/{}"])
def test_an_excluded_id_with_slashes_at_its_ends(shape: str) -> None:
    vault = row("Microsoft.KeyVault/vaults", "kv")
    assert ids([vault], chosen=Filter.of([], {}, {}, [shape.format(vault["id"].strip("/"))])) == []
