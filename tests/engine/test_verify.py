# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: each state of a flow, brought about by the lab's clock and by stopping records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import http
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import OutOfTimeError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.shared_answers import SharedAnswers
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import freshness
from lab.client import LabClient
from lab.testing import CONTOSO, EVENT_HUB_RULE, FABRIKAM, PROSEWARE, TAILSPIN, WORKSPACE

from .engines import DEV_VAULT, DEVELOPMENT, OURS, OWN_WORKSPACE, PRODUCTION, Tenant, log

HOUR, DAY = 3600.0, 86400.0
VAULTS = "microsoft.keyvault/vaults"
HUB: dict[str, Any] = {"workspace_id": None, "event_hub_authorization_rule_id": EVENT_HUB_RULE}


def states(result: dict[str, Any]) -> dict[str, str]:
    """By resource type, or source where it is none."""
    return {one.get("type", one["source"]): one["state"] for one in result["flows"]}


@pytest.fixture
def vaults(lab: LabClient) -> Tenant:
    """The two vaults of contoso-development."""
    return Tenant(lab, subscriptions=["contoso-development"], families=["key_vault"])


def only(result: dict[str, Any]) -> dict[str, Any]:
    (flow,) = result["flows"]
    return dict(flow)


def test_absent_before_onboarding(vaults: Tenant) -> None:
    result = vaults.run("flow")
    assert states(result) == {VAULTS: "absent"}
    assert "run the onboard playbook" in only(result)["next_step"]
    assert result["problems"][0]["code"] == "absent"
    assert result["summary"]["outcome"] == "drifted"
    assert vaults.written() == [], "verify only reads"


def test_pending_then_flowing(vaults: Tenant) -> None:
    vaults.run()
    soon = vaults.run("flow")
    assert states(soon) == {VAULTS: "pending"}
    assert soon["problems"] == [], "what is on its way is no finding"
    assert "90 minutes" in only(soon)["next_step"]
    vaults.lab.advance(HOUR)
    later = vaults.run("flow")
    flow = only(later)
    assert flow["state"] == "flowing"
    assert (flow["targets"], flow["served"]) == (2, 2)
    assert 0 <= flow["age_seconds"] < 600
    assert 30 <= flow["lag_seconds"] <= 60
    assert flow["records"] > 10
    assert flow["newest"]
    assert later["summary"]["outcome"] == "in_sync"
    assert later["summary"]["counts"]["in_sync"] == 1


def test_pending_ends_with_the_grace(vaults: Tenant) -> None:
    vaults.run()
    vaults.lab.edit("stop_flow", subscription=DEVELOPMENT, resource_type=VAULTS, workspace_id=WORKSPACE)
    vaults.lab.advance(3 * HOUR)
    silent = vaults.run("flow")
    assert states(silent) == {VAULTS: "stale"}, "set three hours ago and nothing came"
    assert "remove the setting and run onboard again" in only(silent)["next_step"]
    assert silent["problems"][0]["code"] == "stale"
    assert states(vaults.run("flow", grace_minutes=240)) == {VAULTS: "pending"}


def test_quiet_then_stale(vaults: Tenant) -> None:
    vaults.run()
    vaults.lab.advance(3 * DAY)
    vaults.lab.edit("stop_flow", subscription=DEVELOPMENT, resource_type=VAULTS, workspace_id=WORKSPACE,
                    seconds_ago=5 * HOUR)  # fmt: skip
    quiet = vaults.run("flow")
    assert states(quiet) == {VAULTS: "quiet"}
    assert quiet["problems"] == []
    assert 5 * HOUR <= only(quiet)["age_seconds"] < 5 * HOUR + 600
    assert states(vaults.run("flow", stale_hours=4)) == {VAULTS: "stale"}
    assert states(vaults.run("flow", grace_minutes=360)) == {VAULTS: "flowing"}
    vaults.lab.advance(DAY)
    assert states(vaults.run("flow")) == {VAULTS: "stale"}


def test_the_window_bounds_what_is_looked_at(vaults: Tenant) -> None:
    vaults.run()
    vaults.lab.advance(9 * DAY)
    vaults.lab.edit("stop_flow", subscription=DEVELOPMENT, resource_type=VAULTS, workspace_id=WORKSPACE,
                    seconds_ago=3 * DAY)  # fmt: skip
    assert only(vaults.run("flow"))["newest"]
    assert only(vaults.run("flow", window_hours=48))["newest"] is None


def test_types_that_log_only_in_rare_events_are_quiet(lab: LabClient) -> None:
    tenant = Tenant(lab, subscriptions=["contoso-development"], families=["public_ip"])
    tenant.run()
    lab.advance(3 * HOUR)
    assert states(tenant.run("flow")) == {"microsoft.network/publicipaddresses": "quiet"}


@pytest.mark.parametrize("tenant", [CONTOSO, FABRIKAM, TAILSPIN], ids=["contoso", "fabrikam", "tailspin"])
def test_the_fleet_flows_after_an_hour(lab: LabClient, tenant: str) -> None:
    one = Tenant(lab, tenant)
    one.run()
    lab.advance(3 * HOUR)
    result = one.run("flow")
    assert not result["failed"], result["msg"]
    assert set(states(result).values()) <= {"flowing", "quiet"}, result["msg"]
    assert states(result)["microsoft.resources/subscriptions"] == "flowing"
    assert states(result)["microsoft.sql/servers/databases"] == "flowing", "a part has a type of its own"
    assert states(result)["microsoft.storage/storageaccounts/blobservices"] == "flowing"
    assert result["summary"]["outcome"] == "in_sync"


def test_a_setting_of_another_name_counts_as_a_flow(contoso: Tenant) -> None:
    """soc-sentinel of kv-payments-prod has sent for months; the other two vaults have no setting at all."""
    given = {"subscriptions": ["contoso-production"], "families": ["key_vault"]}
    flow = only(contoso.run("flow", by="type", **given))
    assert (flow["state"], flow["served"], flow["targets"]) == ("flowing", 1, 3)
    assert "2 of 3 targets have no setting: run onboard" in flow["next_step"]
    flow = only(contoso.run("flow", **given))
    assert (flow["state"], flow["resources"]) == ("absent", {"flowing": 1, "absent": 2})
    assert "2 of 3 are absent: kv-" in flow["message"]


def test_records_of_another_workspace_do_not_count(vaults: Tenant) -> None:
    vaults.run(workspace_id=OWN_WORKSPACE)
    vaults.lab.advance(HOUR)
    assert states(vaults.run("flow")) == {VAULTS: "absent"}


def test_records_of_another_tenant_do_not_count(lab: LabClient) -> None:
    Tenant(lab, TAILSPIN, families=["key_vault"]).run()
    lab.advance(HOUR)
    assert states(Tenant(lab, families=["key_vault"], subscriptions=["contoso-development"]).run("flow")) == {
        VAULTS: "absent"
    }


def test_one_living_subscription_hides_no_dead_one(lab: LabClient) -> None:
    tenant = Tenant(lab, families=["key_vault"])
    tenant.run()
    lab.advance(5 * DAY)
    lab.edit("stop_flow", subscription=DEVELOPMENT, resource_type=VAULTS, workspace_id=WORKSPACE, seconds_ago=4 * DAY)
    result = tenant.run("flow")
    assert {one["source"]: one["state"] for one in result["flows"]} == {
        f"{VAULTS} of contoso-development": "stale", f"{VAULTS} of contoso-production": "flowing",
        f"{VAULTS} of contoso-shared-services": "flowing",
    }  # fmt: skip
    assert result["summary"]["outcome"] == "drifted"
    assert result["msg"].startswith("3 of 3 flows have arrived: 2 flowing, 1 stale")


def test_one_living_vault_hides_no_dead_one(vaults: Tenant) -> None:
    vaults.run()
    vaults.lab.advance(5 * DAY)
    vaults.lab.edit("stop_flow", subscription=DEVELOPMENT, resource_type=DEV_VAULT, workspace_id=WORKSPACE,
                    seconds_ago=4 * DAY)  # fmt: skip
    result = vaults.run("flow")
    flow = only(result)
    assert (flow["state"], flow["resources"]) == ("stale", {"flowing": 1, "stale": 1})
    assert flow["message"] == "1 of 2 are stale: kv-shop-dev"
    assert flow["age_seconds"] < 600, "the newest record of the type is the living one's"
    assert (result["summary"]["outcome"], result["problems"][0]["code"]) == ("drifted", "stale")
    assert states(vaults.run("flow", by="type")) == {VAULTS: "flowing"}, "whoever asks for less is told less"


def test_a_dead_resource_is_not_kept_pending_by_an_hourly_correction(vaults: Tenant) -> None:
    vaults.run()
    vaults.lab.edit("stop_flow", subscription=DEVELOPMENT, resource_type=DEV_VAULT, workspace_id=WORKSPACE)
    assert "2 of 2" not in only(vaults.run("flow"))["message"]
    for _hour in range(3):
        vaults.lab.advance(HOUR)
        vaults.lab.edit("disable_category", target=DEV_VAULT, name=OURS)
        vaults.run()
    assert only(vaults.run("flow"))["resources"] == {"flowing": 1, "stale": 1}


def test_a_large_tenant_is_judged_by_type_unless_it_asks(vaults: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "MAX_SMALL", 1)
    vaults.run()
    vaults.lab.advance(HOUR)
    assert "resources" not in only(vaults.run("flow"))
    assert only(vaults.run("flow", by="resource"))["resources"] == {"flowing": 2}


def test_a_fall_of_the_volume_is_told_although_records_arrive(vaults: Tenant) -> None:
    vaults.run()
    vaults.lab.advance(20 * DAY)
    before = vaults.run("flow")
    told = before["summary"]["arrivals"]
    assert (told["records_last_day"], told["records_usual"]) == (pytest.approx(2880, abs=10),) * 2
    assert f"{told['records_last_day']} records in the last day, {told['records_usual']} usual" in before["msg"]
    vaults.lab.edit("thin_flow", subscription=DEVELOPMENT, resource_type=VAULTS, workspace_id=WORKSPACE, part=10,
                    seconds_ago=DAY)  # fmt: skip
    result = vaults.run("flow")
    flow = only(result)
    assert (flow["state"], flow["records_last_day"]) == ("fallen", pytest.approx(288, abs=5))
    assert flow["age_seconds"] < 600
    assert result["problems"][0]["code"] == "fallen"
    assert result["summary"]["outcome"] == "drifted"
    assert states(vaults.run("flow", window_hours=168)) == {VAULTS: "flowing"}, "a week back there is no such day"


def test_records_that_arrive_twice_are_told(vaults: Tenant) -> None:
    vaults.run()
    vaults.lab.edit("put_setting", target=DEV_VAULT, name="second", properties={
        "workspaceId": WORKSPACE, "logs": [{"category": "AuditEvent", "enabled": True}]})  # fmt: skip
    vaults.lab.advance(HOUR)
    result = vaults.run("flow")
    flow = only(result)
    assert flow["state"] == "doubled"
    assert "kv-shop-dev: settings 'mssp-onboarding' and 'second' both send AuditEvent" in flow["message"]
    assert result["problems"][0]["code"] == "doubled"


def test_what_the_query_took_is_stated_and_bounded(vaults: Tenant) -> None:
    vaults.run()
    vaults.lab.advance(HOUR)
    result = vaults.run("flow")
    queries = result["summary"]["queries"]
    assert (queries["number"], queries["window_hours"], queries["limit_seconds"]) == (1, 360, 180)
    assert queries["rows_scanned"] == only(result)["records"] > 0
    assert queries["milliseconds"] == 250


def test_tenants_of_one_workspace_ask_it_once(lab: LabClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """And none is told of another's; a tenant that asks alone is not told what others were."""
    monkeypatch.setattr(freshness, "answers", SharedAnswers())
    one = Tenant(lab, subscriptions=["contoso-development"], families=["key_vault"])
    two = Tenant(lab, subscriptions=["contoso-shared-services"], families=["key_vault"])
    one.run()
    lab.advance(HOUR)
    lab.reset_requests()
    first, second = one.run("flow", share_query=True), two.run("flow", share_query=True)
    assert (states(first), states(second)) == ({VAULTS: "flowing"}, {VAULTS: "absent"})
    assert len(log(lab, "logs.query")) == 1
    assert [run["summary"]["queries"]["shared"] for run in (first, second)] == [0, 1]
    assert one.run("flow", share_query=True, client_secret="another")["failed"]
    one.run("flow")
    assert len(log(lab, "logs.query")) == 2


def test_an_hourly_correction_does_not_keep_a_silent_type_pending(vaults: Tenant) -> None:
    vaults.run()
    vaults.lab.edit("stop_flow", subscription=DEVELOPMENT, resource_type=VAULTS, workspace_id=WORKSPACE)
    for _hour in range(3):
        vaults.lab.advance(HOUR)
        vaults.lab.edit("disable_category", target=DEV_VAULT, name=OURS)
        vaults.run()
    assert states(vaults.run("flow")) == {VAULTS: "stale"}


def test_how_many_have_arrived_is_said(vaults: Tenant) -> None:
    vaults.run()
    result = vaults.run("flow")
    assert result["msg"].startswith("0 of 1 flows have arrived: 1 pending")
    assert result["summary"]["outcome"] == "pending"


def test_settings_that_cannot_be_read_are_neither_absent_nor_well(vaults: Tenant) -> None:
    vaults.run()
    vaults.lab.advance(HOUR)
    vaults.lab.fault(kind="settings.list", action="status", status=403, code="AuthorizationFailed", count=1)
    result = vaults.run("flow")
    assert result["summary"]["outcome"] == "unknown", result["msg"]
    assert "AuthorizationFailed" in only(result)["message"]
    assert "no setting" not in only(result)["next_step"]


@pytest.mark.parametrize("plan", ["Basic", "Auxiliary"])
def test_a_table_that_has_to_be_asked_alone_breaks_nothing(vaults: Tenant, plan: str) -> None:
    """Nor does a custom one, with whatever column; and what arrives there is found."""
    vaults.run()
    vaults.lab.advance(HOUR)
    vaults.lab.edit("table", workspace_id=WORKSPACE, name="Own_CL", columns=["SourceTable"], plan=plan)
    vaults.lab.edit("table", workspace_id=WORKSPACE, name="Other_CL", columns=["SourceTable"])
    assert states(vaults.run("flow")) == {VAULTS: "flowing"}
    assert len(log(vaults.lab, "logs.query")) == 1
    vaults.lab.edit("table", workspace_id=WORKSPACE, name="AZKVAuditLogs", plan=plan, resource_type=VAULTS)
    assert states(vaults.run("flow")) == {VAULTS: "flowing"}
    assert len(log(vaults.lab, "logs.query")) == 3, "asked alone, since it costs by what is scanned"
    vaults.lab.advance(3 * DAY)
    vaults.lab.edit("stop_flow", subscription=DEVELOPMENT, resource_type=VAULTS, workspace_id=WORKSPACE,
                    seconds_ago=2 * DAY)  # fmt: skip
    assert only(vaults.run("flow"))["newest"] is None, "and so no further back than silence is a finding"
    assert only(vaults.run("flow", stale_hours=72))["newest"]


def test_a_table_that_was_not_asked_leaves_what_is_silent_unknown(
    vaults: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics.freshness"
                        ".MAX_ALONE", 1)  # fmt: skip
    vaults.run()
    vaults.lab.advance(HOUR)
    vaults.lab.edit("table", workspace_id=WORKSPACE, name="AFirst", plan="Basic")
    vaults.lab.edit("table", workspace_id=WORKSPACE, name="AZKVAuditLogs", plan="Basic", resource_type=VAULTS)
    result = vaults.run("flow")
    assert (result["summary"]["outcome"], states(result)) == ("unknown", {VAULTS: "unreadable"})
    assert "1 of 2 Basic and Auxiliary tables were not asked" in only(result)["message"]


QUERY_ERRORS: dict[str, tuple[dict[str, Any], str, str]] = {
    "403": (
        {"action": "status", "status": 403, "code": "InsufficientAccessError", "message": "no access"},
        "no access", "Log Analytics Reader",
    ),
    "404": (
        {"action": "status", "status": 404, "code": "WorkspaceNotFoundError", "message": "no such"},
        "no such", "check workspace_id",
    ),
    "429": ({"action": "throttle", "count": None, "seconds": 0}, "throttled", "run again later"),
    "part of it": (
        {"action": "partial", "code": "QueryTimeout", "message": "some shards timed out"}, "errors when processing", "",
    ),
    "html": ({"action": "html", "status": 200, "count": None}, "another shape", "run again"),
    "cut short": ({"action": "malformed", "count": None}, "query the workspace", "run again"),
    "empty": ({"action": "empty", "count": None}, "another shape", "run again"),
    "another shape": ({"action": "status", "status": 200, "count": None}, "", "run again"),
}  # fmt: skip


@pytest.mark.parametrize("case", QUERY_ERRORS)
def test_a_query_that_fails_is_an_error_and_never_absent(vaults: Tenant, no_waits: None, case: str) -> None:
    fault, text, step = QUERY_ERRORS[case]
    vaults.run()
    vaults.lab.advance(HOUR)
    vaults.lab.fault(kind="logs.query", **fault)
    result = vaults.run("flow")
    assert states(result) == {VAULTS: "unreadable"}, result["msg"]
    flow = only(result)
    assert text in flow["message"]
    assert f"query the workspace {WORKSPACE}" in flow["message"]
    assert step in flow["next_step"]
    assert flow["next_step"], "an error has its next step"
    assert result["summary"]["outcome"] == "unknown"
    assert result["problems"][0]["code"] != "absent"


def test_the_right_to_query_is_the_labs_to_refuse(vaults: Tenant) -> None:
    vaults.run()
    for role, scope in (("Log Analytics Contributor", WORKSPACE),
                        ("Reader", WORKSPACE.partition("/providers")[0])):  # fmt: skip
        vaults.lab.edit("unassign_role", tenant=PROSEWARE, role=role, scope=scope)
    flow = only(vaults.run("flow"))
    assert flow["state"] == "unreadable"
    assert "Log Analytics Reader" in flow["next_step"]


def test_settings_that_cannot_be_read_are_no_reason_to_say_absent(vaults: Tenant) -> None:
    vaults.lab.fault("status", kind="settings.list", status=403, code="AuthorizationFailed", count=None)
    flow = only(vaults.run("flow"))
    assert flow["state"] == "unreadable"
    assert "AuthorizationFailed" in flow["message"]


def test_an_activity_log_that_cannot_be_read_is_no_reason_to_say_stale(vaults: Tenant) -> None:
    vaults.run()
    vaults.lab.fault("status", kind="activity_log.list", status=403, code="AuthorizationFailed", count=None)
    flow = only(vaults.run("flow"))
    assert flow["state"] == "unreadable"
    assert "activity log" in flow["message"]


def test_drift_shows_in_what_is_served(vaults: Tenant) -> None:
    vaults.run()
    vaults.lab.advance(HOUR)
    vaults.lab.edit("delete_setting", target=DEV_VAULT, name=OURS)
    flow = only(vaults.run("flow"))
    assert (flow["state"], flow["served"]) == ("flowing", 1)
    assert "1 of 2 targets have no setting: run onboard" in flow["next_step"]


def test_the_activity_log_is_read_only_for_silent_types(vaults: Tenant) -> None:
    vaults.run()
    vaults.lab.advance(HOUR)
    vaults.lab.reset_requests()
    vaults.run("flow")
    assert log(vaults.lab, "activity_log.list") == []


# ---- Event Hub ----------------------------------------------------------------------------------------------------


def test_an_event_hub_that_gets_messages_flows(vaults: Tenant) -> None:
    vaults.run(**HUB)
    vaults.lab.advance(HOUR)
    flow = only(vaults.run("flow", **HUB))
    assert (flow["source"], flow["state"]) == ("event hub namespace", "flowing")
    assert flow["records"] > 0
    assert (flow["targets"], flow["served"]) == (2, 2)


def test_an_event_hub_that_nothing_is_sent_to_is_absent(vaults: Tenant) -> None:
    flow = only(vaults.run("flow", **HUB))
    assert flow["state"] == "absent"
    assert "run the onboard playbook" in flow["next_step"]


def test_an_event_hub_that_was_just_set_is_pending(vaults: Tenant) -> None:
    vaults.run(**HUB)
    assert only(vaults.run("flow", **HUB))["state"] == "pending"


def test_an_event_hub_whose_metric_is_refused_is_an_error(vaults: Tenant) -> None:
    vaults.run(**HUB)
    vaults.lab.advance(HOUR)
    vaults.lab.fault("status", kind="metrics.list", status=403, code="AuthorizationFailed", message="no right")
    flow = only(vaults.run("flow", **HUB))
    assert flow["state"] == "unreadable"
    assert "IncomingMessages" in flow["message"]
    assert "no right" in flow["message"]
    assert flow["next_step"]


@pytest.mark.parametrize("action", ["html", "empty"])
def test_a_metric_of_another_shape_is_an_error(vaults: Tenant, action: str) -> None:
    vaults.run(**HUB)
    vaults.lab.fault(action, kind="metrics.list", status=200, count=None)
    flow = only(vaults.run("flow", **HUB))
    assert flow["state"] == "unreadable"
    assert flow["next_step"]


def test_workspace_and_hub_are_two_flows(vaults: Tenant) -> None:
    given = {**HUB, "workspace_id": WORKSPACE}
    vaults.run(**given)
    vaults.lab.advance(HOUR)
    assert states(vaults.run("flow", **given)) == {VAULTS: "flowing", "event hub namespace": "flowing"}


# ---- identity and evidence ----------------------------------------------------------------------------------------


def test_the_workspace_is_asked_with_a_token_of_its_own_tenant(lab: LabClient) -> None:
    tenant = Tenant(lab, subscriptions=[PRODUCTION], families=["key_vault"], auxiliary_tenant_ids=[TAILSPIN, PROSEWARE])
    assert states(tenant.run("flow", by="type")) == {VAULTS: "flowing"}
    assert {line["tenant"] for line in log(lab, "logs.query")} == {PROSEWARE}


@pytest.mark.parametrize("late", ["_hub", "written"])
def test_what_was_seen_before_the_time_was_over_is_kept(
    lab: LabClient, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    """Of two subscriptions one is silent, whose activity log is read last of the workspace's."""
    both = Tenant(lab, families=["key_vault"], subscriptions=["contoso-production", "contoso-development"])
    both.run()
    lab.edit("stop_flow", subscription=DEVELOPMENT, resource_type=VAULTS, workspace_id=WORKSPACE)
    lab.advance(3 * HOUR)

    async def over(*_given: Any) -> None:
        raise OutOfTimeError("verify", "the time is over")

    monkeypatch.setattr(freshness if late == "_hub" else freshness.Arrivals, late, over)
    result = both.run("flow", event_hub_authorization_rule_id=EVENT_HUB_RULE)
    told = [one["state"] for one in result["flows"]]
    assert (result["summary"]["outcome"], told.count("flowing")) == ("unknown", 1)
    assert len(told) == (3 if late == "_hub" else 2), "with the rest as unreadable"


def test_evidence_has_every_flow(vaults: Tenant, evidence: Path) -> None:
    result = vaults.run("flow", evidence_path=str(evidence))
    assert result["evidence"] == str(evidence)
    lines = [json.loads(line) for line in evidence.read_text().splitlines()]
    assert [{key: value for key, value in line.items() if key != "time"} for line in lines] == result["flows"]


def test_a_tenant_that_cannot_be_read_fails_the_task(vaults: Tenant) -> None:
    vaults.lab.fault("status", kind="subscriptions.list", status=403, code="AuthorizationFailed")
    result = vaults.run("flow")
    assert result["failed"]
    assert "list the subscriptions" in result["msg"]


SLOW: dict[str, dict[str, Any]] = {
    "silent": {"action": "hang"},
    "a byte now and then": {"action": "drip", "seconds": 0.2},
    "a long wait": {"action": "throttle", "seconds": 1e9},
    "without end": {"action": "endless"},
}


@pytest.mark.parametrize("kind", ["logs.query", "activity_log.list"])
@pytest.mark.parametrize("case", SLOW)
def test_azures_own_libraries_are_within_our_limits(
    vaults: Tenant, monkeypatch: pytest.MonkeyPatch, case: str, kind: str
) -> None:
    monkeypatch.setattr(freshness, "QUERY_SECONDS", 0.3)
    monkeypatch.setattr(http, "MAX_BODY", 200_000)
    vaults.lab.fault(kind=kind, count=None, **SLOW[case])
    result = vaults.run("flow")
    assert "exception" not in result
    assert result["summary"]["outcome"] == "unknown", result["msg"]


def test_a_query_is_not_taken_to_another_host(vaults: Tenant) -> None:
    vaults.lab.fault(kind="logs.query", action="redirect", status=307, url=vaults.lab.url + "/elsewhere", count=None)
    assert vaults.run("flow")["summary"]["outcome"] == "unknown"
    assert not [one for one in log(vaults.lab) if "elsewhere" in one["path"]]
