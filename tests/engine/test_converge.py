# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Onboarding, the second run, check mode, drift and removal, for each way into a tenant."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import CONTOSO, FABRIKAM, PROSEWARE, TAILSPIN, WORKSPACE

from .engines import (
    DEV,
    DEV_VAULT,
    DEVELOPMENT,
    FIREWALL,
    OURS,
    OWN_WORKSPACE,
    PRODUCTION,
    SERVED_VAULT,
    TEST_VAULT,
    VAULT,
    Tenant,
    counts,
    foreign,
    held,
    log,
    ours,
    planned,
)

TENANTS = [CONTOSO, FABRIKAM, TAILSPIN]
ALL_LOGS = [{"categoryGroup": "allLogs", "enabled": True}]


@pytest.mark.parametrize("tenant", TENANTS, ids=["contoso", "fabrikam", "tailspin"])
def test_the_second_run_changes_nothing(lab: LabClient, tenant: str) -> None:
    one = Tenant(lab, tenant)
    first = one.run()
    assert first["changed"], first["msg"]
    assert not first["failed"], first["msg"]
    assert set(counts(first)) <= {"corrected", "in_sync", "skipped"}, first["msg"]
    world = held(lab)
    lab.reset_requests()
    second = one.run()
    assert not second["changed"], "a second run must change nothing"
    assert set(counts(second)) <= {"in_sync", "skipped"}, second["msg"]
    assert one.written() == [], "a second run must write nothing"
    assert held(lab) == world


@pytest.mark.parametrize("tenant", TENANTS, ids=["contoso", "fabrikam", "tailspin"])
def test_check_mode_predicts_exactly_and_writes_nothing(lab: LabClient, tenant: str, tmp_path: Path) -> None:
    one = Tenant(lab, tenant)
    before = held(lab)
    foretold = one.run(check=True, diff=True, evidence_path=str(tmp_path / "check.jsonl"))
    assert one.written() == [], "check mode must not write"
    assert held(lab) == before
    done = one.run(diff=True, evidence_path=str(tmp_path / "run.jsonl"))
    assert actions(tmp_path / "check.jsonl") == actions(tmp_path / "run.jsonl")
    assert foretold["changes"] == done["changes"], "check mode must name the same targets and actions as the run"
    assert foretold["diff"] == done["diff"]
    assert foretold["changed"] is done["changed"] is True
    assert counts(foretold)["drifted"] == counts(done)["corrected"]
    assert foretold["summary"]["drift"] == done["summary"]["drift"]


def actions(evidence: Path) -> list[tuple[Any, ...]]:
    """(target, action, drift, after) of every target that evidence shows as written or to be written."""
    lines = [json.loads(line) for line in evidence.read_text().splitlines()]
    return sorted(
        (line["target"], line["action"], line["drift"], str(line["after"])) for line in lines if "action" in line
    )


def test_check_mode_predicts_a_mixed_run(contoso: Tenant) -> None:
    """Creates, updates and what is blocked, after drift."""
    contoso.given["families"] = ["storage", "network_security_group"]
    contoso.run()
    contoso.lab.drift()
    foretold = contoso.run(check=True, diff=True)
    lab_before = held(contoso.lab)
    done = contoso.run(diff=True)
    assert planned(foretold) == planned(done)
    assert foretold["diff"] == done["diff"], "the diff of check mode must be the diff of the run"
    assert {action for _target, action in planned(done)} == {"create", "update"}
    assert held(contoso.lab) != lab_before


def test_the_diff_shows_the_setting_before_and_after(dev: Tenant) -> None:
    dev.run()
    dev.lab.edit("change_sink", target=DEV_VAULT, name=OURS, workspace_id=OWN_WORKSPACE)
    (shown,) = dev.run(check=True, diff=True)["diff"]
    assert shown["before_header"] == f"{DEV_VAULT} (update)"
    assert shown["before"]["workspace_id"] == OWN_WORKSPACE
    assert shown["after"]["workspace_id"] == WORKSPACE
    assert shown["after"]["logs"] == ["group:alllogs"]


def test_no_diff_unless_asked_for(dev: Tenant) -> None:
    assert "diff" not in dev.run()


def drifts(lab: LabClient) -> dict[str, tuple[dict[str, Any], str]]:
    """Edit -> drift class."""
    one = {"target": DEV_VAULT, "name": OURS}
    single = [{"category": "AuditEvent", "enabled": True}]
    return {
        "deleted": ({"edit": "delete_setting", **one}, "missing"),
        "another workspace": ({"edit": "change_sink", **one, "workspace_id": OWN_WORKSPACE}, "sink_changed"),
        "switched off": ({"edit": "disable_category", **one}, "disabled"),
        "a category less": (
            {"edit": "put_setting", **one, "properties": {"workspaceId": WORKSPACE, "logs": single}},
            "category_missing",
        ),
    }


@pytest.mark.parametrize("case", ["deleted", "another workspace", "switched off", "a category less"])
def test_drift_is_found_named_and_corrected(dev: Tenant, case: str) -> None:
    dev.run()
    wanted = held(dev.lab)
    edit, name = drifts(dev.lab)[case]
    dev.lab.edit(**edit)
    assert held(dev.lab) != wanted
    found = dev.run(check=True)
    assert found["summary"]["drift"] == {name: 1}, f"«{case}» must be drift of class {name}"
    assert found["summary"]["outcome"] == "drifted"
    corrected = dev.run()
    kept = ("target", "action", "drift")
    assert [{name: change[name] for name in kept} for change in corrected["changes"]] == [
        {"target": DEV_VAULT, "action": "create" if name == "missing" else "update", "drift": [name]}
    ]
    assert held(dev.lab) == wanted, "correction must bring back what was"
    assert not dev.run()["changed"]


def test_the_labs_own_drift_is_corrected(lab: LabClient) -> None:
    fabrikam = Tenant(lab, FABRIKAM)
    fabrikam.run()
    assert len(lab.drift()) == 4
    assert fabrikam.run(check=True)["summary"]["drift"] == {"disabled": 1, "missing": 1, "sink_changed": 1}
    beside = foreign(lab)
    assert fabrikam.run()["changed"]
    assert not fabrikam.run()["changed"]
    assert foreign(lab) == beside, "the setting beside ours is not ours to touch"


def test_the_settings_of_other_tenants_stay_as_they_are(contoso: Tenant) -> None:
    contoso.run()
    touched = {path.split("/")[2] for _method, path in contoso.written()}
    assert all(one.startswith(CONTOSO[:8]) for one in touched), touched


def test_the_summary_says_what_was_done(contoso: Tenant) -> None:
    result = contoso.run()
    number, summary = result["summary"]["counts"], result["summary"]
    assert number["targets"] == sum(number[name] for name in number if name != "targets")
    assert summary["requests"]["PUT writes"] == number["corrected"] == len(contoso.written())
    assert summary["inventory"] == "resource_graph"
    assert summary["throttled_answers"] == 0
    by_subscription = {name.split(" ")[0]: value for name, value in summary["subscriptions"].items()}
    assert set(by_subscription) == {"contoso-production", "contoso-development", "contoso-shared-services"}
    assert sum(value["corrected"] for value in by_subscription.values()) == number["corrected"]
    assert len(result["changes"]) == 50, "the list of changes is bounded; the evidence has all"


def test_one_list_a_target_and_no_other_reads(contoso: Tenant) -> None:
    contoso.run()
    kinds = contoso.lab.requests()["by_kind"]
    lists = [one["path"].casefold() for one in log(contoso.lab, "settings.list")]
    assert len(lists) == len(set(lists)), "settings are to be listed once a target"
    assert set(kinds) <= {
        "token", "subscriptions.list", "resource_graph", "categories.list", "settings.list", "settings.put",
    }, kinds  # fmt: skip


def test_evidence_has_a_line_for_every_target(contoso: Tenant, evidence: Path) -> None:
    result = contoso.run(evidence_path=str(evidence))
    assert result["evidence"] == str(evidence)
    lines = [json.loads(line) for line in evidence.read_text().splitlines()]
    number = result["summary"]["counts"]
    assert len(lines) == len({line["target"].casefold() for line in lines}) == number["targets"]
    for status in ("corrected", "in_sync", "skipped"):
        assert sum(line["status"] == status for line in lines) == number[status], status
    changed = next(line for line in lines if line["status"] == "corrected")
    assert changed["action"] == "create"
    assert changed["after"]["workspace_id"] == WORKSPACE
    assert all(line["reason"] for line in lines if line["status"] == "skipped"), "what is skipped has its reason"


def test_evidence_of_check_mode_tells_what_would_be_done(dev: Tenant, evidence: Path) -> None:
    dev.run(check=True, evidence_path=str(evidence))
    lines = [json.loads(line) for line in evidence.read_text().splitlines()]
    assert [(line["status"], line["action"]) for line in lines] == [("drifted", "create")] * 2


def test_evidence_has_its_time_and_of_writes_the_request_ids_of_azure(dev: Tenant, evidence: Path) -> None:
    for _twice in range(2):
        dev.run(evidence_path=str(evidence))
    lines = [json.loads(line) for line in evidence.read_text().splitlines()]
    assert all(datetime.fromisoformat(line["time"]).tzinfo for line in lines)
    assert {line["status"]: len(line.get("requests", [])) for line in lines} == {"corrected": 1, "in_sync": 0}
    assert len({line["requests"][0] for line in lines if "requests" in line}) == 2


def test_evidence_that_cannot_be_written_is_a_problem_and_no_failure(dev: Tenant, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    result = dev.run(evidence_path=str(blocked / "contoso.jsonl"))
    assert counts(result) == {"corrected": 2}
    assert result["evidence"] == ""
    assert [problem["operation"] for problem in result["problems"]] == ["write evidence"]


def test_what_is_reported_live(dev: Tenant) -> None:
    told: list[dict[str, Any]] = []

    class Reporter:
        def update(self, **given: Any) -> None:
            told.append(given)

        def failure(self, text: str) -> None:
            raise AssertionError(text)

    dev.run(reporter=Reporter())
    assert list(dict.fromkeys(one["phase"] for one in told if "phase" in one)) == ["observe", "apply"]
    assert [one["total"] for one in told if "total" in one] == [2]
    assert told[-1]["done"] == told[-1]["changed"] == 2
    assert told[-1]["failed"] == 0


# ---- removal ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tenant", TENANTS, ids=["contoso", "fabrikam", "tailspin"])
def test_absent_takes_ours_away_everywhere_and_nothing_else(lab: LabClient, tenant: str) -> None:
    one = Tenant(lab, tenant)
    untouched = held(lab)
    onboarded = counts(one.run())["corrected"]
    assert foreign(lab) == {key: untouched[key] for key in untouched}, "onboarding touched what is not ours"
    foretold = one.run(check=True, state="absent")
    removed = one.run(state="absent")
    assert counts(removed)["corrected"] == onboarded
    assert {action for _target, action in planned(removed)} == {"delete"}
    assert planned(foretold) == planned(removed)
    assert held(lab) == untouched, "after removal the tenant is as it was before"
    lab.reset_requests()
    again = one.run(state="absent")
    assert not again["changed"], "removing twice is a no-op"
    assert one.written() == []


def test_absent_needs_no_destination(dev: Tenant) -> None:
    dev.run()
    assert counts(dev.run(state="absent", workspace_id=None)) == {"corrected": 2}


def test_absent_finds_our_name_in_any_case(dev: Tenant) -> None:
    dev.lab.edit("put_setting", target=DEV_VAULT, name=OURS.upper(),
                 properties={"workspaceId": WORKSPACE, "logs": ALL_LOGS})  # fmt: skip
    assert planned(dev.run(state="absent")) == [(DEV_VAULT, "delete")]
    assert held(dev.lab).keys() == foreign(dev.lab).keys()


# ---- policy -------------------------------------------------------------------------------------------------------


def test_a_setting_of_another_name_that_sends_it_all_counts(contoso: Tenant) -> None:
    result = contoso.run(families=["key_vault"])
    assert SERVED_VAULT.lower() not in ours(contoso.lab), "satisfied_by any: soc-sentinel already sends it all"
    assert VAULT.lower() in ours(contoso.lab)
    assert counts(result)["in_sync"] == 1


def test_satisfied_by_ours_counts_only_our_name(contoso: Tenant) -> None:
    result = contoso.run(families=["key_vault"], satisfied_by="ours")
    assert result["summary"]["drift"]["conflict"] == 1, "Azure would refuse the second setting, so it is a conflict"
    (problem,) = result["problems"]
    assert problem["code"] == "conflict"
    assert "'soc-sentinel' already sends" in problem["message"]
    assert "on_conflict: adopt" in problem["next_step"]
    assert not any(SERVED_VAULT in path for _method, path in contoso.written()), "a conflict is predicted, not tried"


PART = {"workspaceId": WORKSPACE, "logs": [{"category": "AuditEvent", "enabled": True}]}


def test_a_conflict_is_reported_and_not_tried(dev: Tenant) -> None:
    dev.lab.edit("put_setting", target=DEV_VAULT, name="sec", properties=PART)
    before = foreign(dev.lab)
    result = dev.run()
    assert result["summary"]["drift"] == {"conflict": 1, "missing": 1}
    assert counts(result) == {"corrected": 1, "drifted": 1}
    assert [path for _method, path in dev.written()] == [
        f"{TEST_VAULT}/providers/Microsoft.Insights/diagnosticSettings/{OURS}"
    ]
    assert foreign(dev.lab) == before


def test_adopting_changes_the_other_setting_in_place_and_keeps_the_rest_of_it(dev: Tenant) -> None:
    properties = {**PART, "metrics": [{"category": "AllMetrics", "enabled": True}]}
    dev.lab.edit("put_setting", target=DEV_VAULT, name="sec", properties=properties)
    result = dev.run(on_conflict="adopt")
    assert counts(result) == {"corrected": 2}
    assert DEV_VAULT.lower() not in ours(dev.lab)
    kept = dev.lab.azure.settings(DEV_VAULT)["sec"]["properties"]
    assert [one["categoryGroup"] for one in kept["logs"] if one["enabled"]] == ["allLogs"]
    assert [metric["category"] for metric in kept["metrics"] if metric["enabled"]] == ["AllMetrics"]
    assert not dev.run(on_conflict="adopt")["changed"]


ADDED = {
    "workspaceId": WORKSPACE,
    "storageAccountId": f"/subscriptions/{DEVELOPMENT}/resourceGroups/rg-shop-dev/providers/"
    "Microsoft.Storage/storageAccounts/stshopdev",
    "logs": ALL_LOGS,
    "metrics": [{"category": "AllMetrics", "enabled": True}],
}


def test_what_someone_added_to_our_setting_is_kept_and_reported(dev: Tenant) -> None:
    dev.run()
    dev.lab.edit("put_setting", target=DEV_VAULT, name=OURS, properties=ADDED)
    before = held(dev.lab)
    result = dev.run()
    assert not result["changed"], "exact false keeps what someone added"
    assert result["summary"]["drift"] == {"unexpected": 1}
    assert counts(result) == {"in_sync": 2}
    assert held(dev.lab) == before


def test_exact_takes_out_what_someone_added(dev: Tenant) -> None:
    dev.run()
    wanted = held(dev.lab)
    dev.lab.edit("put_setting", target=DEV_VAULT, name=OURS, properties=ADDED)
    result = dev.run(exact=True)
    (change,) = result["changes"]
    assert (change["target"], change["action"], change["drift"]) == (DEV_VAULT, "update", ["unexpected"])
    assert held(dev.lab) == wanted
    assert not dev.run(exact=True)["changed"]


def test_an_update_keeps_what_someone_added(dev: Tenant) -> None:
    dev.run()
    dev.lab.edit("put_setting", target=DEV_VAULT, name=OURS,
                 properties={**ADDED, "logs": [{"category": "AuditEvent", "enabled": True}]})  # fmt: skip
    dev.run()
    kept = ours(dev.lab)[DEV_VAULT.lower()]
    assert kept["storageAccountId"] == ADDED["storageAccountId"], "a PUT replaces it all: what was added must go along"
    assert [metric["category"] for metric in kept["metrics"] if metric["enabled"]] == ["AllMetrics"]


def test_the_limit_of_five_is_foreseen(dev: Tenant) -> None:
    for number in range(5):
        dev.lab.edit(
            "add_resource", subscription=DEVELOPMENT, group="rg-shop-dev", name=f"law-{number}",
            type="Microsoft.OperationalInsights/workspaces",
        )  # fmt: skip
        workspace = f"{DEV}/Microsoft.OperationalInsights/workspaces/law-{number}"
        dev.lab.edit("put_setting", target=DEV_VAULT, name=f"other-{number}",
                     properties={"workspaceId": workspace, "logs": ALL_LOGS})  # fmt: skip
    result = dev.run()
    assert result["summary"]["drift"] == {"limit": 1, "missing": 1}
    (problem,) = result["problems"]
    assert (problem["code"], problem["target"]) == ("limit", DEV_VAULT)
    assert "Azure allows 5" in problem["message"]
    assert not any(DEV_VAULT in path for _method, path in dev.written()), "a sixth setting must not be tried"


def test_max_changes_stops_before_any_write_and_leaves_evidence(dev: Tenant, evidence: Path) -> None:
    before = held(dev.lab)
    result = dev.run(max_changes=1, evidence_path=str(evidence))
    assert result["failed"]
    assert not result["changed"]
    assert result["problems"][0]["code"] == "MaxChanges"
    assert "2 targets would change and max_changes is 1" in result["msg"]
    assert dev.written() == []
    assert held(dev.lab) == before
    lines = [json.loads(line) for line in evidence.read_text().splitlines()]
    assert [(line["status"], line["action"]) for line in lines] == [("drifted", "create")] * 2


def test_max_changes_lets_pass_what_it_allows(dev: Tenant) -> None:
    assert counts(dev.run(max_changes=2)) == {"corrected": 2}


FAIL_ON = {
    # fail_on: (clean, drift that stays, error)
    "error": (False, False, True),
    "drift": (False, True, True),
    "never": (False, False, False),
}


@pytest.mark.parametrize("fail_on", FAIL_ON)
def test_fail_on(dev: Tenant, fail_on: str) -> None:
    clean, drift, error = FAIL_ON[fail_on]
    assert dev.run(check=True, fail_on=fail_on)["failed"] is drift
    dev.run()
    assert dev.run(fail_on=fail_on)["failed"] is clean
    dev.lab.fault("status", status=403, kind="settings.list", code="AuthorizationFailed", count=1)
    assert dev.run(fail_on=fail_on)["failed"] is error


@pytest.mark.parametrize("fail_on", FAIL_ON)
def test_drift_that_was_corrected_is_no_failure(dev: Tenant, fail_on: str) -> None:
    assert not dev.run(fail_on=fail_on)["failed"]


# ---- the wish -----------------------------------------------------------------------------------------------------


def test_destination_table_is_sent_and_not_fought_over(contoso: Tenant) -> None:
    """A firewall gives the table back, a vault hides it, a data factory answers AzureDiagnostics for none."""
    given: dict[str, Any] = {"families": ["azure_firewall", "key_vault"], "destination_table": "dedicated"}
    contoso.run(**given)
    assert ours(contoso.lab)[FIREWALL.lower()]["logAnalyticsDestinationType"] == "Dedicated"
    assert ours(contoso.lab)[VAULT.lower()]["logAnalyticsDestinationType"] is None
    assert not contoso.run(**given)["changed"], "null is unknown, not a difference"
    other = contoso.run(**{**given, "destination_table": "azure_diagnostics"})
    assert {change["target"] for change in other["changes"]} == {
        target for target, _action in planned(other) if "azureFirewalls" in target
    }, "two different tables are a difference"
    assert other["summary"]["drift"] == {"sink_changed": 2}


def test_a_default_table_is_left_to_azure(contoso: Tenant) -> None:
    given: dict[str, Any] = {"families": [], "resource_types": ["Microsoft.DataFactory/factories"]}
    assert counts(contoso.run(**given)) == {"corrected": 1}
    assert not contoso.run(**given)["changed"]


def test_an_update_keeps_the_table(contoso: Tenant) -> None:
    given: dict[str, Any] = {"families": ["azure_firewall"], "subscriptions": ["contoso-production"]}
    contoso.run(**given, destination_table="dedicated")
    contoso.lab.edit("disable_category", target=FIREWALL, name=OURS)
    contoso.run(**given)
    assert ours(contoso.lab)[FIREWALL.lower()]["logAnalyticsDestinationType"] == "Dedicated"


def test_metrics_are_off_unless_asked_for(dev: Tenant) -> None:
    dev.run()
    assert not any(metric["enabled"] for metric in ours(dev.lab)[DEV_VAULT.lower()]["metrics"])
    result = dev.run(metrics=["AllMetrics"])
    assert result["summary"]["drift"] == {"category_missing": 2}
    assert [m["category"] for m in ours(dev.lab)[DEV_VAULT.lower()]["metrics"] if m["enabled"]] == ["AllMetrics"]
    assert not dev.run(metrics=["AllMetrics"])["changed"]


def test_metrics_that_a_type_does_not_offer_are_not_sent(contoso: Tenant) -> None:
    given: dict[str, Any] = {"families": ["network_security_group", "storage"], "metrics": ["Transaction"]}
    result = contoso.run(**given)
    assert not result["failed"], result["msg"]
    assert not contoso.run(**given)["changed"]


def test_logs_by_group_and_by_family(contoso: Tenant) -> None:
    given: dict[str, Any] = {
        "families": ["key_vault", "storage"],
        "subscriptions": ["contoso-production"],
        "logs": {"default": {"category_group": "audit"}, "key_vault": {"categories": ["AuditEvent"]}},
    }
    result = contoso.run(**given)
    assert not result["failed"], result["msg"]
    sent = ours(contoso.lab)
    assert [one["category"] for one in sent[VAULT.lower()]["logs"]] == ["AuditEvent"]
    blob = next(value for target, value in sent.items() if target.endswith("/blobservices/default"))
    assert [one["categoryGroup"] for one in blob["logs"]] == ["audit"]
    assert not contoso.run(**given)["changed"]


def test_a_type_without_the_wanted_group_is_skipped_with_the_reason(contoso: Tenant, evidence: Path) -> None:
    result = contoso.run(
        families=["network_security_group", "key_vault"],
        logs={"default": {"category_group": "audit"}},
        evidence_path=str(evidence),
    )
    assert counts(result) == {"corrected": 6, "in_sync": 1, "skipped": 9}
    assert "offers none of the wanted logs (group audit)" in evidence.read_text()


def test_the_activity_log_gets_its_eight_categories(contoso: Tenant) -> None:
    given: dict[str, Any] = {"families": ["activity_log"]}
    assert counts(contoso.run(**given)) == {"corrected": 3}
    sent = ours(contoso.lab)[f"/subscriptions/{PRODUCTION}"]
    assert {one["category"] for one in sent["logs"] if one["enabled"]} == {
        "Administrative", "Alert", "Autoscale", "Policy", "Recommendation", "ResourceHealth", "Security",
        "ServiceHealth",
    }  # fmt: skip
    assert not contoso.run(**given)["changed"]
    assert log(contoso.lab, "categories.list") == [], "Azure refuses the categories of a subscription"


def test_the_lighthouse_path_sends_no_auxiliary_token(lab: LabClient) -> None:
    Tenant(lab, FABRIKAM).run()
    assert {one["auxiliary"] for one in log(lab)} == {0}
    assert {one["tenant"] for one in log(lab, "settings.put")} == {PROSEWARE}
