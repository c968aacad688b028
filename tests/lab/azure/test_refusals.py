# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure refuses on diagnostic settings, with its status, code, shape and the words that clients read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import CONTOSO, EVENT_HUB_RULE, PROSEWARE, STORAGE, TAILSPIN, WORKSPACE

PRODUCTION = f"/subscriptions/{CONTOSO[:-1]}1"
SHOP = f"{PRODUCTION}/resourceGroups/rg-shop-prod/providers"
VAULT = f"{SHOP}/Microsoft.KeyVault/vaults/kv-shop-prod"
FAR_VAULT = f"{PRODUCTION}/resourceGroups/rg-data-prod/providers/Microsoft.KeyVault/vaults/kv-data-prod"
OPERATIONS = f"/subscriptions/{CONTOSO[:-1]}3/resourceGroups/rg-operations/providers"
OWN_WORKSPACE = f"{OPERATIONS}/Microsoft.OperationalInsights/workspaces/law-contoso-ops"
OWN_STORAGE = f"{OPERATIONS}/Microsoft.Storage/storageAccounts/stcontosoaudit"
OWN_RULE = f"{OPERATIONS}/Microsoft.EventHub/namespaces/evh-contoso-ops/authorizationRules/send"
SETTINGS = "/providers/Microsoft.Insights/diagnosticSettings"
CATEGORIES = "/providers/Microsoft.Insights/diagnosticSettingsCategories"
ALL = [{"categoryGroup": "allLogs", "enabled": True}]
Callers = Callable[..., Any]


def flat(answer: tuple[int, Any]) -> tuple[int, str]:
    """(status, code) of the resource provider's shape, after a look that it is that."""
    status, body = answer
    assert set(body) == {"code", "message"}, body
    return status, body["code"]


def nested(answer: tuple[int, Any]) -> tuple[int, str]:
    """(status, code) of ARM's shape."""
    status, body = answer
    assert set(body) == {"error"}, body
    return status, body["error"]["code"]


def put(caller: Any, target: str = VAULT, name: str = "soc", **properties: Any) -> tuple[int, Any]:
    return tuple(caller.put(target, name, **({"workspaceId": WORKSPACE, "logs": ALL} | properties)))  # type: ignore[return-value]


def text(answer: tuple[int, Any]) -> str:
    body = answer[1]
    return str((body.get("error") or body)["message"])


# -- linked authorization ---------------------------------------------------------------------------------------------


def test_sink_in_a_tenant_that_no_token_covers(caller: Callers) -> None:
    answer = put(caller(CONTOSO))
    assert nested(answer) == (403, "LinkedAuthorizationFailed")
    assert f"the current tenant '{CONTOSO}' is not authorized to access linked subscription" in text(answer)
    assert WORKSPACE.split("/")[2] in text(answer)
    assert put(caller(CONTOSO, TAILSPIN))[0] == 403
    assert put(caller(CONTOSO, TAILSPIN, PROSEWARE))[0] == 200


@pytest.mark.parametrize(
    ("sink", "action"),
    [
        ({"storageAccountId": OWN_STORAGE}, "Microsoft.Storage/storageAccounts/listKeys/action"),
        (
            {"eventHubAuthorizationRuleId": OWN_RULE},
            "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action",
        ),
    ],
)
def test_no_right_on_the_sink(contoso: Any, sink: dict[str, str], action: str) -> None:
    answer = put(contoso, workspaceId=None, **sink)
    assert nested(answer) == (403, "LinkedAuthorizationFailed")
    assert action in text(answer)
    assert next(iter(sink.values())) in text(answer)
    assert "linked scope(s)" in text(answer)


def test_no_right_on_the_workspace_of_the_other_tenant(lab: LabClient, contoso: Any) -> None:
    lab.edit("unassign_role", tenant=PROSEWARE, role="Log Analytics Contributor", scope=WORKSPACE)
    answer = put(contoso)
    assert nested(answer) == (403, "LinkedAuthorizationFailed")
    assert "sharedKeys/action" in text(answer)


def test_sinks_of_the_mssp_are_usable(contoso: Any) -> None:
    assert put(contoso, eventHubAuthorizationRuleId=EVENT_HUB_RULE, storageAccountId=STORAGE)[0] == 200


# -- the sink itself --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sink", ["workspaceId", "storageAccountId", "eventHubAuthorizationRuleId"])
def test_sink_that_does_not_exist(lab: LabClient, contoso: Any, sink: str) -> None:
    lab.edit("assign_role", tenant=CONTOSO, role="Owner", scope=OPERATIONS.rpartition("/")[0])
    missing = {"workspaceId": OWN_WORKSPACE, "storageAccountId": OWN_STORAGE, "eventHubAuthorizationRuleId": OWN_RULE}
    answer = put(contoso, **({"workspaceId": None} | {sink: missing[sink] + "x"}))
    assert nested(answer) == (404, "ResourceNotFound")
    assert missing[sink].rsplit("/", 1)[1] + "x" in text(answer)


@pytest.mark.parametrize("sink", ["storageAccountId", "eventHubAuthorizationRuleId"])
def test_sink_in_another_region(contoso: Any, sink: str) -> None:
    value = {"storageAccountId": STORAGE, "eventHubAuthorizationRuleId": EVENT_HUB_RULE}[sink]
    answer = put(contoso, FAR_VAULT, **{sink: value})
    assert flat(answer) == (400, "BadRequest")
    assert "is in region 'northeurope' and resource" in text(answer)
    assert "is in region 'westeurope'" in text(answer)
    assert put(contoso, FAR_VAULT)[0] == 200  # a workspace may be anywhere
    edge = f"{PRODUCTION}/resourceGroups/rg-edge/providers/Microsoft.Cdn/profiles/afd-contoso"
    assert put(contoso, edge, **{sink: value})[0] == 200  # a global resource has no region


def test_premium_storage(lab: LabClient, contoso: Any) -> None:
    lab.edit("assign_role", tenant=CONTOSO, role="Owner", scope=PRODUCTION)
    files = f"{PRODUCTION}/resourceGroups/rg-data-prod/providers/Microsoft.Storage/storageAccounts/stcontosofiles"
    assert flat(put(contoso, FAR_VAULT, workspaceId=None, storageAccountId=files)) == (400, "BadRequest")


@pytest.mark.parametrize("body", [{}, {"properties": None}, {"properties": {"logs": ALL}}])
def test_body_without_a_sink(contoso: Any, body: dict[str, Any]) -> None:
    status, _headers, answer = contoso.call("PUT", f"{VAULT}{SETTINGS}/soc", body)
    assert flat((status, answer)) == (400, "BadRequest")


def test_body_that_is_no_json(contoso: Any) -> None:
    status, _headers, answer = contoso.call("PUT", f"{VAULT}{SETTINGS}/soc", b"{")
    assert nested((status, answer)) == (400, "InvalidRequestContent")


# -- categories -------------------------------------------------------------------------------------------------------


def test_unknown_category(contoso: Any) -> None:
    answer = put(contoso, logs=[{"category": "AuditEvents", "enabled": True}])
    assert flat(answer) == (400, "BadRequest")
    assert text(answer) == "Category 'AuditEvents' is not supported."


def test_unknown_metric(contoso: Any) -> None:
    answer = put(contoso, metrics=[{"category": "Transaction", "enabled": True}])
    assert flat(answer) == (400, "BadRequest")
    assert text(answer) == "Metric category 'Transaction' is not supported."


def test_unknown_group(contoso: Any) -> None:
    target = f"{PRODUCTION}/resourceGroups/rg-hub-network/providers/Microsoft.Network/networkSecurityGroups/nsg-bastion"
    assert flat(put(contoso, target, logs=[{"categoryGroup": "audit", "enabled": True}])) == (400, "BadRequest")


def test_groups_and_categories_do_not_mix(contoso: Any) -> None:
    assert flat(put(contoso, logs=[*ALL, {"category": "AuditEvent", "enabled": True}])) == (400, "BadRequest")
    assert put(contoso, logs=[*ALL, {"category": "AuditEvent", "enabled": False}])[0] == 200
    assert flat(put(contoso, logs=[{"enabled": True}])) == (400, "BadRequest")


# -- limit and conflict -----------------------------------------------------------------------------------------------


def test_sink_and_category_in_two_settings(contoso: Any) -> None:
    assert put(contoso, name="first", logs=[{"category": "AuditEvent", "enabled": True}])[0] == 200
    answer = put(contoso, name="second", workspaceId=WORKSPACE.lower())
    assert flat(answer) == (409, "Conflict")
    assert text(answer).startswith(
        f"Data sink '{WORKSPACE.lower()}' is already used in diagnostic setting 'first' for category 'AuditEvent'."
    )
    other = [{"category": "AzurePolicyEvaluationDetails", "enabled": True}]
    assert put(contoso, name="second", logs=other)[0] == 200  # other categories may go there
    assert put(contoso, name="third", workspaceId=OWN_WORKSPACE)[0] == 200  # and all of them elsewhere
    assert put(contoso, name="first", logs=[{"category": "AuditEvent", "enabled": True}])[0] == 200  # no own rival


def test_metrics_conflict_too(contoso: Any) -> None:
    metrics = [{"category": "AllMetrics", "enabled": True}]
    assert put(contoso, name="first", logs=[], metrics=metrics)[0] == 200
    answer = put(contoso, name="second", metrics=metrics)
    assert flat(answer) == (409, "Conflict")
    assert "'AllMetrics'" in text(answer)


def test_five_settings_at_most(lab: LabClient, contoso: Any) -> None:
    for number in range(5):
        properties = {"workspaceId": f"{OWN_WORKSPACE}{number}", "logs": ALL}
        lab.edit("put_setting", target=VAULT, name=f"own-{number}", properties=properties)
    answer = put(contoso)
    assert flat(answer) == (409, "Conflict")
    assert "limit of 5 diagnostic settings" in text(answer)
    assert put(contoso, name="OWN-3")[0] == 200  # an update is none too many


# -- states of the target ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "put_status", "delete_status"), [("CanNotDelete", 200, 409), ("ReadOnly", 409, 409)])
@pytest.mark.parametrize("scope", [VAULT, SHOP.rpartition("/")[0], PRODUCTION])
def test_locks(lab: LabClient, contoso: Any, scope: str, level: str, put_status: int, delete_status: int) -> None:
    put(contoso, name="before")
    contoso.delete(VAULT, "before")
    put(contoso, name="old", workspaceId=OWN_WORKSPACE)
    lab.edit("lock", scope=scope, level=level)
    answer = put(contoso)
    assert answer[0] == put_status
    if put_status == 409:
        assert nested(answer) == (409, "ScopeLocked")
    answer = contoso.delete(VAULT, "old")
    assert nested(answer) == (delete_status, "ScopeLocked")
    assert scope.lower() in text(answer).lower()
    assert len(contoso.list(VAULT)) == (2 if put_status == 200 else 1)
    lab.edit("unlock", scope=scope)
    assert contoso.delete(VAULT, "old")[0] == 200


def test_lock_beside_the_target(lab: LabClient, contoso: Any) -> None:
    lab.edit("lock", scope=VAULT[:-1], level="ReadOnly")  # a resource whose id begins alike
    assert put(contoso)[0] == 200


@pytest.mark.parametrize("state", ["Disabled", "Warned"])
def test_subscription_that_is_not_enabled(lab: LabClient, contoso: Any, state: str) -> None:
    lab.edit("subscription_state", subscription=PRODUCTION[15:], state=state)
    assert nested(put(contoso)) == (409, "ReadOnlyDisabledSubscription")
    assert contoso.delete(VAULT, "x")[0] == 204, "what is there may go"
    assert contoso.list(VAULT) == []


def test_provider_that_is_not_registered(lab: LabClient, contoso: Any) -> None:
    lab.edit("unregister", subscription=PRODUCTION[15:], provider="microsoft.insights")
    for answer in (contoso.get(VAULT + SETTINGS), put(contoso), contoso.delete(VAULT, "x")):
        assert flat(answer) == (409, "Conflict")
        assert "not registered to use microsoft.insights" in text(answer)
    answer = contoso.get(VAULT + CATEGORIES)
    assert nested(answer) == (409, "AuthorizationFailed")
    assert "Please register the subscription" in text(answer)


def test_type_without_settings(contoso: Any) -> None:
    policy = f"{SHOP}/Microsoft.Network/applicationGatewayWebApplicationFirewallPolicies/wafpol-shop-weu"
    for answer in (contoso.get(policy + SETTINGS), contoso.get(policy + CATEGORIES), put(contoso, policy)):
        assert flat(answer) == (400, "ResourceTypeNotSupported")


def test_type_whose_categories_answer_all_the_same(contoso: Any) -> None:
    """azure-powershell#25880"""
    disk = f"{SHOP}/Microsoft.Compute/disks/vm-shop-batch-01-os"
    status, body = contoso.get(disk + CATEGORIES)
    assert (status, [item["properties"]["categoryType"] for item in body["value"]]) == (200, ["Metrics"])
    assert flat(contoso.get(disk + SETTINGS)) == (400, "ResourceTypeNotSupported")


def test_type_with_metrics_only(contoso: Any) -> None:
    machine = f"{SHOP}/Microsoft.Compute/virtualMachines/vm-shop-batch-01"
    assert [item["name"] for item in contoso.get(machine + CATEGORIES)[1]["value"]] == ["AllMetrics"]
    assert contoso.list(machine) == []


def test_categories_of_a_subscription(contoso: Any) -> None:
    answer = contoso.get(PRODUCTION + CATEGORIES)
    assert flat(answer) == (400, "ResourceTypeNotSupported")
    assert "'/'" in text(answer)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [("kv-shop-prod", "kv-none", "ResourceNotFound"), ("rg-shop-prod", "rg-none", "ResourceGroupNotFound")],
)
def test_target_that_is_not_there(contoso: Any, old: str, new: str, code: str) -> None:
    target = VAULT.replace(old, new)
    for answer in (contoso.get(target + SETTINGS), contoso.get(target + CATEGORIES), put(contoso, target)):
        assert nested(answer) == (404, code)


def test_target_that_went_after_the_sweep(lab: LabClient, contoso: Any) -> None:
    lab.edit("remove_resource", id=VAULT, keep_in_graph=True)
    assert nested(put(contoso)) == (404, "ResourceNotFound")
    query = {"query": f"resources | where id =~ '{VAULT}' | count"}
    _status, _headers, body = contoso.call("POST", "/providers/Microsoft.ResourceGraph/resources", query)
    assert body["data"] == [{"Count": 1}]
