# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure's answers mean, and what is sent: azure-rest-api-specs issue 22400 and azure-cli issue 18242 as cases."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.settings.setting import (
    Offered,
    body,
    parse_offered,
    parse_setting,
    parse_settings,
    same_id,
)
from tests.unit.plugins.module_utils._microsoft.builders import HUB_RULE, STORAGE, VAULT, WORKSPACE, setting


def answer(**properties: Any) -> dict[str, Any]:
    """A setting as GET shows it, nulls and all."""
    return {
        "id": "/subscriptions/x/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv/providers/"
        "microsoft.insights/diagnosticSettings/mssp-onboarding",
        "type": "Microsoft.Insights/diagnosticSettings",
        "name": "mssp-onboarding",
        "location": None,
        "kind": None,
        "tags": None,
        "properties": {
            "storageAccountId": None,
            "serviceBusRuleId": None,
            "workspaceId": WORKSPACE.lower(),
            "eventHubAuthorizationRuleId": None,
            "eventHubName": None,
            "marketplacePartnerId": None,
            "metrics": [],
            "logs": [],
            "logAnalyticsDestinationType": None,
            **properties,
        },
        "identity": None,
    }


def log(category: str | None, group: str | None, enabled: bool) -> dict[str, Any]:
    return {"category": category, "categoryGroup": group, "enabled": enabled, "retentionPolicy": {"enabled": False}}


def test_nulls_are_no_destinations() -> None:
    assert parse_setting(answer()).sinks == {"workspace_id": WORKSPACE.lower()}


def test_entries_that_are_off_are_not_sent() -> None:
    found = parse_setting(answer(logs=[log("A", None, True), log("B", None, False), log(None, "allLogs", False)]))
    assert (set(found.categories), set(found.groups), set(found.disabled)) == ({"a"}, set(), {"b", "alllogs"})


def test_order_and_case_do_not_count() -> None:
    one = parse_setting(answer(logs=[log(None, "allLogs", True), log(None, "audit", True)]))
    other = parse_setting(answer(logs=[log(None, "AUDIT", True), log(None, "alllogs", True)]))
    assert one == other


def test_metrics_that_are_off_are_not_sent() -> None:
    metrics = [{"category": "AllMetrics", "enabled": True}, {"category": "Capacity", "enabled": False}]
    assert parse_setting(answer(metrics=metrics)).metrics == {"allmetrics"}


@pytest.mark.parametrize(
    ("said", "meant"),
    [(None, None), ("Dedicated", "dedicated"), ("dedicated", "dedicated"), ("AzureDiagnostics", "azure_diagnostics")],
)
def test_destination_type(said: str | None, meant: str | None) -> None:
    assert parse_setting(answer(logAnalyticsDestinationType=said)).table == meant


@pytest.mark.parametrize("missing", ["logs", "metrics", "logAnalyticsDestinationType", "eventHubName"])
def test_what_is_left_out_is_nothing(missing: str) -> None:
    given = answer()
    del given["properties"][missing]
    assert parse_setting(given).categories == frozenset()


SHAPES: dict[str, Any] = {
    "nothing": None,
    "a list": [],
    "a text": "value",
    "an error": {"error": {"code": "x"}},
    "no list": {"value": None},
    "a list of texts": {"value": ["x"]},
    "no name": {"value": [{"properties": {}}]},
    "no properties": {"value": [{"name": "x"}]},
    "a log without a name": {"value": [{"name": "x", "properties": {"logs": [{"enabled": True}]}}]},
    "logs that are a text": {"value": [{"name": "x", "properties": {"logs": "all"}}]},
}


@pytest.mark.parametrize("case", SHAPES)
def test_another_shape_is_no_empty_list(case: str) -> None:
    with pytest.raises((KeyError, TypeError, AttributeError)):
        parse_settings(SHAPES[case])


@pytest.mark.parametrize("case", ["nothing", "a list", "a text", "an error", "no list", "a list of texts", "no name"])
def test_categories_of_another_shape_are_no_empty_list(case: str) -> None:
    with pytest.raises((KeyError, TypeError, AttributeError)):
        parse_offered(SHAPES[case])


@pytest.mark.parametrize(
    "same", [WORKSPACE, WORKSPACE.upper(), WORKSPACE.lower(), WORKSPACE + "/", WORKSPACE[1:], f" {WORKSPACE} "]
)
def test_ids_that_are_the_same(same: str) -> None:
    assert same_id(same) == same_id(WORKSPACE)


def test_ids_that_are_not() -> None:
    assert same_id(WORKSPACE + "2") != same_id(WORKSPACE)


def test_two_hubs_below_one_rule_are_two_destinations() -> None:
    kind = "event_hub_authorization_rule_id"
    keys = {setting(sinks={kind: HUB_RULE}, event_hub_name=name).sink_key(kind) for name in ("", "a", "A", "b")}
    assert len(keys) == 3


# ---- what is offered ----------------------------------------------------------------------------------------------


def category(name: str, kind: str, *groups: str) -> dict[str, Any]:
    return {"name": name, "properties": {"categoryType": kind, "categoryGroups": list(groups) or None}}


def test_logs_and_metrics_are_told_apart() -> None:
    found = parse_offered(
        {"value": [category("AuditEvent", "Logs", "audit", "allLogs"), category("AllMetrics", "Metrics")]}
    )
    assert set(found.logs) == {"auditevent"}
    assert found.logs["auditevent"].groups == {"audit", "alllogs"}
    assert found.metrics == {"allmetrics": "AllMetrics"}


def test_a_type_without_groups_has_none() -> None:
    found = parse_offered({"value": [category("X", "Logs")]})
    assert not found.has_group("alllogs")
    assert found.expand(["alllogs"], []) == {"x"}, "every log is every log"


def test_unknown_names_stand_for_nothing() -> None:
    assert VAULT.expand(["audit2"], ["nope"]) == frozenset()
    assert VAULT.expand(["audit"], []) == {"auditevent"}


# ---- what is sent -------------------------------------------------------------------------------------------------


def test_the_body_of_a_group() -> None:
    assert body(setting(), VAULT) == {
        "properties": {
            "workspaceId": WORKSPACE,
            "logs": [{"categoryGroup": "allLogs", "enabled": True}],
            "metrics": [],
        }
    }


def test_the_body_of_everything() -> None:
    wanted = setting(
        sinks={"event_hub_authorization_rule_id": HUB_RULE, "storage_account_id": STORAGE},
        event_hub_name="insights",
        groups=(),
        categories={"auditevent"},
        metrics={"allmetrics"},
        table="dedicated",
    )
    assert body(wanted, VAULT) == {
        "properties": {
            "eventHubAuthorizationRuleId": HUB_RULE,
            "eventHubName": "insights",
            "storageAccountId": STORAGE,
            "logs": [{"category": "AuditEvent", "enabled": True}],
            "metrics": [{"category": "AllMetrics", "enabled": True}],
            "logAnalyticsDestinationType": "Dedicated",
        }
    }


def test_retention_is_never_sent() -> None:
    assert "retentionPolicy" not in str(body(setting(metrics={"allmetrics"}), VAULT))


def test_a_hubs_name_goes_only_with_a_hub() -> None:
    assert "eventHubName" not in body(setting(event_hub_name="insights"), VAULT)["properties"]


def test_a_group_of_another_name_is_sent_as_it_is() -> None:
    assert body(setting(groups={"audit"}), VAULT)["properties"]["logs"] == [{"categoryGroup": "audit", "enabled": True}]


def test_what_was_sent_reads_back_the_same() -> None:
    wanted = setting(groups=(), categories={"auditevent"}, metrics={"allmetrics"}, table="dedicated")
    assert parse_setting({"name": wanted.name, **body(wanted, VAULT)}) == wanted


def test_view() -> None:
    assert setting(categories={"b", "a"}, disabled={"c"}, metrics={"m"}, table="dedicated").view() == {
        "name": "mssp-onboarding",
        "workspace_id": WORKSPACE,
        "logs": ["group:alllogs", "a", "b"],
        "disabled": ["c"],
        "metrics": ["m"],
        "destination_table": "dedicated",
    }


def test_nothing_offered() -> None:
    assert Offered({}, {}).expand(["alllogs"], ["a"]) == frozenset()


def test_what_the_contract_calls_optional_is_not_demanded() -> None:
    raw = {
        "name": "x",
        "properties": {
            "workspaceId": "/w",
            "metrics": [{"timeGrain": "PT1M", "enabled": True}],
            "logs": [{"category": "AuditEvent", "enabled": True}],
        },
    }
    found = parse_setting(raw)
    assert (found.metrics, found.categories) == ({"allmetrics"}, {"auditevent"})
    assert list(parse_offered({"value": [{"name": "AuditEvent", "properties": {}}]}).logs) == ["auditevent"]
