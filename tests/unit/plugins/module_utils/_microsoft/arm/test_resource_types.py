# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The families' tables: spelled as the engine compares, without doubles, and asked for by their parents."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm import resource_types as families
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.resource_types import (
    FAMILIES,
    FAMILY_OF,
    PARENTS,
    types_to_query,
    wanted_types,
)

ELEVEN = {
    "activity_log", "key_vault", "network_security_group", "sql", "azure_firewall", "public_ip",
    "application_gateway", "front_door", "waf_policy", "kubernetes", "storage",
}  # fmt: skip


def test_the_families_of_the_seed() -> None:
    assert set(FAMILIES) == ELEVEN


def test_types_are_lower_case_and_in_one_family() -> None:
    every = [kind for kinds in FAMILIES.values() for kind in kinds]
    assert every == [kind.casefold() for kind in every]
    assert len(every) == len(set(every)) == len(FAMILY_OF)


def test_all_is_every_type() -> None:
    assert wanted_types(["all", "sql"], ["Microsoft.Web/sites"]) is None
    assert types_to_query(None) is None


def test_families_and_types_add_up() -> None:
    assert set(wanted_types(["public_ip"], ["Microsoft.Web/Sites"]) or ()) == {
        "microsoft.network/publicipaddresses", "microsoft.web/sites",
    }  # fmt: skip


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_what_is_asked_for_finds_the_family(family: str) -> None:
    asked = types_to_query(wanted_types([family], []))
    assert asked is not None
    for kind in FAMILIES[family]:
        if kind != families.SUBSCRIPTION_TYPE:
            assert PARENTS.get(kind, kind) in asked


def test_subscriptions_are_not_asked_of_the_inventory() -> None:
    assert types_to_query(wanted_types(["activity_log"], [])) == []


def test_servers_are_asked_for_with_databases() -> None:
    assert "microsoft.sql/servers" in (types_to_query(wanted_types(["sql"], [])) or [])


def test_the_eight_categories_of_the_activity_log() -> None:
    assert set(families.ACTIVITY_LOG_CATEGORIES) == {
        "Administrative", "Security", "ServiceHealth", "Alert", "Recommendation", "Policy", "Autoscale",
        "ResourceHealth",
    }  # fmt: skip


def test_quiet_types_are_spelled_as_types_are_compared() -> None:
    assert {kind.casefold() for kind in families.QUIET_TYPES} == families.QUIET_TYPES
