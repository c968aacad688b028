# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The query of a workspace, and what its rows come to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import Volume
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import records
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics.records import Arrival

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT = NOON.timestamp()
COLUMNS = ["SubscriptionId", "ResourceType", "Newest", "Ingested", "Records", "Day", "Day7", "Day14"]


def row(subscription: str, kind: str, hour: int, *numbers: int, resource: str = "") -> dict[str, Any]:
    values = [subscription, kind, NOON.replace(hour=hour), NOON, *(numbers or (1, 1, 0, 0))]
    return dict(zip(COLUMNS, values, strict=True)) | ({"Resource": resource} if resource else {})


def arrivals(*rows: dict[str, Any], columns: list[str] = COLUMNS) -> dict[records.Key, Arrival]:
    return records.arrivals_of(records.rows_of(SimpleNamespace(rows=rows, columns=columns)), {"s", "t"})


def test_the_newest_of_a_type_in_each_subscription() -> None:
    found = arrivals(row("S", "a", 9, 1, 1, 5, 6), row("s", "a", 11, 2, 1, 1, 9), row("t", "a", 10), row("x", "a", 11))
    assert found["s", "a", ""] == Arrival(AT - 3600, AT, 3, 2, (6, 15))
    assert (found["s", "a", ""].lag, found["s", "a", ""].volume) == (3600.0, Volume(2, 15))
    assert set(found) == {("s", "a", ""), ("t", "a", "")}, "what others send to the workspace is not this tenant's"


def test_resources_are_told_apart_and_are_one_type() -> None:
    named = [*COLUMNS, "Resource"]
    found = arrivals(row("s", "a", 9, resource="/V1"), row("s", "a", 11, resource="/v2"), columns=named)
    assert set(found) == {("s", "a", "/v1"), ("s", "a", "/v2")}
    assert records.by_type(found) == {("s", "a"): Arrival(AT - 3600, AT, 2, 2, (0, 0))}
    assert found["s", "a", "/v1"].volume.usual is None, "a source that was not there in the weeks before has no usual"


def text(*tables: str, **given: Any) -> str:
    return records.query(tables, timedelta(hours=2), **{"resources": False, "subscriptions": ["b", "a"], **given})


def test_the_query_asks_for_these_subscriptions_and_this_window_only() -> None:
    asked = text("AzureActivity", "AKSAudit")
    assert asked.startswith("union AzureActivity, AKSAudit | where")
    assert "withsource" not in asked
    assert "_SubscriptionId in~ ('a', 'b')" in asked
    assert "ago(120m)" in asked
    assert "max(ingestion_time())" in asked
    assert text("AKSAudit").startswith("AKSAudit | where")
    assert "Type == 'AzureActivity', 'microsoft.resources/subscriptions'" in asked
    assert asked.endswith("by SubscriptionId, ResourceType")


def test_the_query_of_all_tenants_names_no_subscription() -> None:
    shared = text("AKSAudit", subscriptions=None, resources=True)
    assert "in~" not in shared
    assert shared.endswith("by SubscriptionId, ResourceType, Resource")
