# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: each right taken away gives exactly its finding, with who can cure it and how."""

from __future__ import annotations

from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import CLIENT_ID, CONTOSO, EVENT_HUB_RULE, FABRIKAM, PROSEWARE, STORAGE, TAILSPIN, WORKSPACE

from .engines import DEVELOPMENT, OWN_WORKSPACE, PRODUCTION, SHARED, Tenant, log, statuses

CUSTOMER, PROVIDER = "customer's administrator", "MSSP's administrator"
READER = "/subscriptions/10000000-0000-4000-8000-000000000001/resourceGroups/rg-sentinel"
HUB_NAMESPACE = EVENT_HUB_RULE.partition("/authorizationRules")[0]
SINKS = {"event_hub_authorization_rule_id": EVENT_HUB_RULE, "storage_account_id": STORAGE}


def look(lab: LabClient, tenant: str = CONTOSO, **given: Any) -> dict[str, Any]:
    return Tenant(lab, tenant, **given).run("access")


def bad(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(check, subject, status) of findings that are not ok."""
    return [(one["check"], one["subject"], one["status"]) for one in result["findings"] if one["status"] != "ok"]


def details(result: dict[str, Any], check: str) -> set[str]:
    return {one["detail"] for one in result["findings"] if one["check"] == check}


@pytest.mark.parametrize("tenant", [CONTOSO, FABRIKAM, TAILSPIN], ids=["contoso", "fabrikam", "tailspin"])
def test_the_fleet_is_ready(lab: LabClient, tenant: str) -> None:
    result = look(lab, tenant, **SINKS)
    assert bad(result) == []
    assert result["msg"].startswith("Ready: all ")
    assert result["summary"]["outcome"] == "in_sync"
    assert result["problems"] == []
    assert not result["changed"]
    asked = {line["method"] for line in log(lab) if line["kind"] not in ("token", "resource_graph")}
    assert asked == {"GET"}, "preflight only reads"


PATHS = {
    "Lighthouse": (FABRIKAM, "by Lighthouse", "by the primary token"),
    "auxiliary": (CONTOSO, "by the customer's own tenant", f"by an auxiliary token of tenant {PROSEWARE}"),
}


@pytest.mark.parametrize("path", PATHS)
def test_the_path_is_named(lab: LabClient, path: str) -> None:
    tenant, settings, destination = PATHS[path]
    result = look(lab, tenant)
    assert details(result, "write_settings") == {settings}
    assert details(result, "use_destination") == {destination}


def test_a_destination_of_the_customers_own_is_used_by_the_primary_token(lab: LabClient) -> None:
    lab.edit("assign_role", tenant=CONTOSO, role="Log Analytics Contributor", scope=OWN_WORKSPACE)
    result = look(lab, workspace_id=OWN_WORKSPACE)
    assert details(result, "use_destination") == {"by the primary token"}
    assert {line["path"].split("/")[1] for line in log(lab, "token")} == {CONTOSO}


def test_what_is_left_out_is_told(lab: LabClient) -> None:
    result = look(lab, TAILSPIN)
    assert "left out: is Disabled, so it takes no writes" in details(result, "subscriptions")
    assert bad(result) == []


ROLE = {"tenant": CONTOSO, "role": "Monitoring Contributor", "scope": f"/subscriptions/{DEVELOPMENT}"}
LENT = {"tenant": PROSEWARE, "role": "Monitoring Contributor", "scope": f"/subscriptions/{FABRIKAM[:-1]}2"}
DEV_SUBJECT = f"contoso-development ({DEVELOPMENT})"
PLANTS = f"fabrikam-plants ({FABRIKAM[:-1]}2)"

# Tenant, edits, the one finding, pieces of its detail and of its next step, and who can cure it.
LACKING: dict[str, tuple[str, list[dict[str, Any]], tuple[str, str, str], str, str, str]] = {
    "write in one subscription": (
        CONTOSO,
        [{"edit": "unassign_role", **ROLE}, {"edit": "assign_role", **ROLE, "role": "Monitoring Reader"}],
        ("write_settings", DEV_SUBJECT, "missing"),
        "lacks Microsoft.Insights/diagnosticSettings/write, Microsoft.Insights/diagnosticSettings/delete",
        f'az role assignment create --assignee {CLIENT_ID} --role "Monitoring Contributor" '
        f"--scope /subscriptions/{DEVELOPMENT}",
        CUSTOMER,
    ),
    "write in one delegated subscription": (
        FABRIKAM,
        [{"edit": "unassign_role", **LENT}, {"edit": "assign_role", **LENT, "role": "Reader"}],
        ("write_settings", PLANTS, "missing"),
        "lacks Microsoft.Insights/diagnosticSettings/write",
        f"delegate Monitoring Contributor on /subscriptions/{FABRIKAM[:-1]}2 by Azure Lighthouse",
        CUSTOMER,
    ),
    "registration of Microsoft.Insights": (
        CONTOSO,
        [{"edit": "unregister", "subscription": DEVELOPMENT}],
        ("provider_registered", DEV_SUBJECT, "missing"),
        "Microsoft.Insights is NotRegistered",
        f"az provider register --namespace Microsoft.Insights --subscription {DEVELOPMENT}",
        CUSTOMER,
    ),
    "the workspace's keys": (
        CONTOSO,
        [{"edit": "unassign_role", "tenant": PROSEWARE, "role": "Log Analytics Contributor", "scope": WORKSPACE}],
        ("use_destination", WORKSPACE, "missing"),
        "lacks Microsoft.OperationalInsights/workspaces/sharedKeys/action",
        f'az role assignment create --assignee {CLIENT_ID} --role "Log Analytics Contributor" --scope {WORKSPACE}',
        PROVIDER,
    ),
    "the Event Hub's keys": (
        CONTOSO,
        [{"edit": "unassign_role", "tenant": PROSEWARE, "role": "Azure Event Hubs Data Owner",
          "scope": HUB_NAMESPACE}],
        ("use_destination", EVENT_HUB_RULE, "missing"),
        "lacks Microsoft.EventHub/namespaces/authorizationRules/listKeys/action",
        f'az role assignment create --assignee {CLIENT_ID} --role "Azure Event Hubs Data Owner"',
        PROVIDER,
    ),
    "the storage account's keys": (
        CONTOSO,
        [{"edit": "unassign_role", "tenant": PROSEWARE, "role": "Storage Account Key Operator Service Role",
          "scope": STORAGE}],
        ("use_destination", STORAGE, "missing"),
        "lacks Microsoft.Storage/storageAccounts/listKeys/action",
        f'az role assignment create --assignee {CLIENT_ID} --role "Storage Account Contributor" --scope {STORAGE}',
        PROVIDER,
    ),
    "consent of the customer": (
        CONTOSO,
        [{"edit": "remove_principal", "tenant": CONTOSO}],
        ("sign_in", CONTOSO, "missing"),
        "AADSTS7000229",
        "have its admin consent to client_id there",
        CUSTOMER,
    ),
    "the secret": (
        CONTOSO, [{"edit": "expire_secret"}], ("sign_in", CONTOSO, "missing"), "AADSTS7000222", "new client secret",
        PROVIDER,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LACKING)
def test_one_right_taken_away(lab: LabClient, case: str) -> None:
    tenant, edits, finding, detail, step, who = LACKING[case]
    for edit in edits:
        lab.edit(**edit)
    result = look(lab, tenant, **SINKS)
    assert bad(result) == [finding]
    (told,) = [one for one in result["findings"] if one["status"] != "ok"]
    assert detail in told["detail"]
    assert step in told["next_step"]
    assert told["who"] == who
    assert result["summary"]["outcome"] == "failed"
    (problem,) = result["problems"]
    assert problem["next_step"] == f"{who}: {told['next_step']}"
    assert told["next_step"] in result["msg"]


def test_consent_of_the_mssps_own_tenant(lab: LabClient) -> None:
    lab.edit("remove_principal", tenant=PROSEWARE)
    result = look(lab)
    assert bad(result) == [("sign_in", PROSEWARE, "missing"), ("use_destination", WORKSPACE, "missing")]
    assert {one["who"] for one in result["findings"] if one["status"] != "ok"} == {PROVIDER}


def test_no_way_to_the_destinations_tenant(lab: LabClient) -> None:
    result = look(lab, auxiliary_tenant_ids=None)
    assert bad(result) == [("use_destination", WORKSPACE, "missing")]
    step = result["problems"][0]["next_step"]
    assert "auxiliary_tenant_ids" in step
    assert "managing_tenant_id" in step


def test_the_right_auxiliary_tenant_of_several_is_found(lab: LabClient) -> None:
    result = look(lab, auxiliary_tenant_ids=[TAILSPIN, PROSEWARE])
    assert details(result, "use_destination") == {f"by an auxiliary token of tenant {PROSEWARE}"}


def test_no_subscription_is_visible(lab: LabClient) -> None:
    for subscription in (PRODUCTION, DEVELOPMENT, SHARED):
        lab.edit("unassign_role", **{**ROLE, "scope": f"/subscriptions/{subscription}"})
    result = look(lab)
    assert bad(result) == [("subscriptions", CONTOSO, "missing")]
    assert '--role "Monitoring Contributor"' in result["problems"][0]["next_step"]


def test_a_wanted_subscription_that_is_not_delegated(lab: LabClient) -> None:
    lab.edit("unassign_role", **LENT)
    result = look(lab, FABRIKAM, subscriptions=["fabrikam-erp", "fabrikam-plants"])
    assert bad(result) == [("subscriptions", "fabrikam-plants", "missing")]
    assert f"delegate the subscriptions to tenant {PROSEWARE}" in result["problems"][0]["next_step"]


UNREADABLE = {
    "permissions of a subscription": ("permissions.list", PRODUCTION, "write_settings"),
    "registration": ("provider.get", PRODUCTION, "provider_registered"),
    "permissions on the destination": ("permissions.list", "law-sentinel", "use_destination"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_is_unknown_and_not_missing(lab: LabClient, hasty: list[float], case: str) -> None:
    kind, path, check = UNREADABLE[case]
    lab.fault("status", kind=kind, path=path, status=500, code="InternalServerError", message="oops", count=None)
    result = look(lab)
    assert [(one[0], one[2]) for one in bad(result)] == [(check, "unknown")]
    assert "InternalServerError: oops" in result["problems"][0]["message"]
    assert "role assignment" not in result["problems"][0]["next_step"], "nobody knows that a right is lacking"
    assert result["summary"]["counts"]["unknown"] == 1


@pytest.mark.parametrize("kind", ["permissions.list", "provider.get"])
@pytest.mark.parametrize("action", ["empty", "status"])
def test_an_answer_of_another_shape_is_unknown(lab: LabClient, hasty: list[float], kind: str, action: str) -> None:
    lab.fault(action, kind=kind, path=PRODUCTION, status=200, count=None)
    result = look(lab)
    assert [one[2] for one in bad(result)] == ["unknown"], result["msg"]
    assert "Internal error" not in result["msg"]


def test_an_auxiliary_tenant_that_cannot_be_read_is_unknown(lab: LabClient, hasty: list[float]) -> None:
    lab.fault("status", kind="subscriptions.list", tenant=PROSEWARE, status=500, count=None)
    assert bad(look(lab)) == [("use_destination", WORKSPACE, "unknown")]


def test_no_right_to_read_rights_is_missing(lab: LabClient) -> None:
    lab.fault("status", kind="permissions.list", path=DEVELOPMENT, status=403, code="AuthorizationFailed")
    assert bad(look(lab)) == [("write_settings", DEV_SUBJECT, "missing")]


def test_an_error_of_the_whole_tenant_fails_the_task(lab: LabClient, hasty: list[float]) -> None:
    lab.fault("status", kind="subscriptions.list", status=503, count=None)
    result = look(lab)
    assert result["failed"]
    assert "list the subscriptions" in result["msg"]


def test_a_registration_that_may_not_be_looked_at_is_a_note(lab: LabClient) -> None:
    """The app's roles are on the destination alone, as the README advises."""
    result = look(lab)
    assert bad(result) == []
    subject = f"subscription of the destination {WORKSPACE}"
    (finding,) = [one for one in result["findings"] if one["subject"] == subject]
    assert (finding["check"], finding["status"]) == ("provider_registered", "ok")
    assert "was not looked at" in finding["detail"]
    assert "az provider show --namespace Microsoft.Insights" in result["msg"]


def test_regional_destinations_are_looked_at(lab: LabClient) -> None:
    gone = STORAGE + "x"
    result = look(lab, regional_destinations={"westeurope": {"storage_account_id": STORAGE},
                                              "uksouth": {"storage_account_id": gone}})  # fmt: skip
    assert bad(result) == [("use_destination", gone, "missing")]


def test_check_mode_is_no_different(lab: LabClient) -> None:
    tenant = Tenant(lab)
    assert tenant.run("access", check=True)["findings"] == tenant.run("access")["findings"]
    assert statuses(lab).keys() <= {200, 400}, "400: a type that has no log categories"
