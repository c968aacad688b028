# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A custom table and its rule made, kept, probed and removed in the lab."""

from __future__ import annotations

from typing import Any

import pytest

from lab.client import LabClient

from .custom_logs_engines import COLUMNS, NAME, RULE, TABLE, Logs
from .engines import counts

SENDER = "d0000000-0000-4000-8000-00000000000d"


@pytest.fixture
def logs(lab: LabClient) -> Logs:
    """Contoso, who lets the app make it."""
    found = Logs(lab)
    found.may()
    return found


@pytest.fixture
def made(logs: Logs) -> Logs:
    return logs.made()


def codes(result: dict[str, Any]) -> list[str]:
    return [one["code"] for one in result["problems"]]


def test_check_predicts_the_runs_and_second_ones_change_nothing(logs: Logs) -> None:
    assert counts(logs.run("table", check=True)) == {"drifted": 1}
    assert logs.lab.logs_ingestion.columns(NAME) is None
    assert counts(logs.run("table")) == {"corrected": 1}
    assert counts(logs.run("rule", check=True)) == {"drifted": 2}
    first = logs.run("rule")
    assert counts(first) == {"corrected": 2}
    assert first["ingestion"]["immutable_id"].startswith("dcr-")
    again = [logs.run(engine) for engine in ("table", "rule")]
    assert [(one["changed"], counts(one)) for one in again] == [(False, {"in_sync": 1}), (False, {"in_sync": 2})]
    assert again[1]["ingestion"] == first["ingestion"]
    assert logs.lab.logs_ingestion.columns(NAME) == COLUMNS


def test_a_column_more_is_added_and_those_of_others_stay(made: Logs) -> None:
    more = {**COLUMNS, "Owner": "string"}
    assert counts(made.run("table", columns=more, correct="safe")) == {"corrected": 1}
    assert not made.run("table")["changed"]
    assert made.lab.logs_ingestion.columns(NAME) == more


def test_another_type_is_told_and_left(made: Logs) -> None:
    result = made.run("table", columns={**COLUMNS, "Result": "string"}, fail_on="blocked")
    assert (result["failed"], codes(result)) == (True, ["type"])


def test_a_table_of_the_retired_api_is_told_by_name(logs: Logs) -> None:
    logs.lab.edit("make_table", id=TABLE, columns={"TimeGenerated": "datetime", "SearchName_s": "string"}, classic=True)
    assert codes(logs.run("table")) == ["classic"]
    (found,) = [one for one in logs.run("access")["findings"] if one["check"] == "table"]
    assert (found["status"], "HTTP Data Collector" in found["detail"]) == ("missing", True)


def test_a_table_of_somebody_else_is_used_and_not_changed(logs: Logs) -> None:
    logs.lab.edit("make_table", id=TABLE, columns=COLUMNS)
    assert counts(logs.run("table")) == {"in_sync": 1}
    assert codes(logs.run("table", columns={**COLUMNS, "Owner": "string"})) == ["not_ours"]
    assert counts(logs.run("table", state="absent", remove_table=True)) == {"in_sync": 1}
    assert logs.lab.logs_ingestion.columns(NAME) == COLUMNS


def test_a_rule_that_somebody_changed_comes_back(made: Logs) -> None:
    ways = made.lab.logs_ingestion.rules()[RULE]["properties"]["dataFlows"]
    made.lab.edit(
        "change_rule", id=RULE, dataFlows=[{**ways[0], "transformKql": "source | extend TimeGenerated = now()"}]
    )
    found = made.run("rule", check=True)
    assert (counts(found), found["summary"]["drift"]) == ({"drifted": 1, "in_sync": 1}, {"transform": 1})
    assert not made.run("rule", correct="safe")["changed"]
    assert made.run("rule")["changed"]
    assert made.lab.logs_ingestion.rules()[RULE]["properties"]["dataFlows"] == ways


def test_a_rule_without_an_address_is_told(made: Logs) -> None:
    made.lab.edit("change_rule", id=RULE, endpoint=False)
    result = made.run("rule", fail_on="blocked")
    assert (result["failed"], codes(result)) == (True, ["no_endpoint"])


def test_a_transform_of_the_wrong_type_is_refused_with_azures_reason(logs: Logs) -> None:
    logs.run("table")
    result = logs.run("rule", transform="source | extend TimeGenerated = now()")
    assert counts(result) == {"failed": 2}
    assert "Result [produced:'string', output:'dynamic']" in result["problems"][0]["message"]
    assert codes(result) == ["InvalidPayload", "NotTried"]


def test_a_sender_that_nobody_knows_is_told_and_the_rest_stays(made: Logs) -> None:
    result = made.run("rule", senders=[SENDER], wait_seconds=0)
    assert codes(result) == ["PrincipalNotFound"]
    assert counts(result) == {"in_sync": 2, "failed": 1}


@pytest.mark.parametrize(("kind", "engine"), [("custom_tables.get", "table"), ("data_collection_rules.get", "rule")])
def test_what_may_not_be_read_is_never_missing(made: Logs, kind: str, engine: str) -> None:
    made.lab.fault("status", kind=kind, status=403, code="AuthorizationFailed", count=2)
    result = made.run(engine)
    assert (result["failed"], result["changed"], codes(result)[0]) == (True, False, "AuthorizationFailed")
    assert made.flow()["state"] == "unreadable"


def test_without_a_workspace_nothing_is_made(logs: Logs) -> None:
    result = logs.run("table", workspace_id=logs.given["workspace_id"] + "x")
    assert (result["failed"], codes(result)) == (True, ["ResourceNotFound"])


# -- preflight --------------------------------------------------------------------------------------------------------


def test_each_right_is_told_by_itself(lab: LabClient) -> None:
    logs = Logs(lab)
    logs.may("Log Analytics Contributor")
    found = {one["check"]: one for one in logs.run("access")["findings"]}
    missing = {check for check, one in found.items() if one["status"] == "missing"}
    assert missing == {"let_senders"}
    assert "Role Based Access Control Administrator" in found["let_senders"]["next_step"]
    logs.may()
    assert logs.run("access")["summary"]["outcome"] == "in_sync"


# -- verify -----------------------------------------------------------------------------------------------------------


def test_a_record_is_seen_and_silence_is_told(made: Logs) -> None:
    assert made.flow()["state"] == "pending"
    made.lab.edit("add_row", table=TABLE, ago=600, TimeGenerated="", SearchName="Brute force")
    found = made.flow()
    assert (found["state"], found["records"], found["records_last_day"]) == ("flowing", 1, 1)
    made.lab.advance(3 * 86400)
    assert made.flow()["state"] == "stale"
    assert made.flow(may_be_quiet=True)["state"] == "quiet"


def test_a_probe_arrives_and_is_no_record(made: Logs) -> None:
    found = made.flow(probe=True)
    assert "the probe arrived" in found["message"]
    assert found["state"] == "pending"
    (row,) = made.lab.logs_ingestion.rows(NAME)
    assert row["SearchName"].startswith("mssp-onboarding-probe-")
    assert made.flow()["records"] == 0


def test_a_role_that_does_not_count_yet_is_pending_and_an_old_one_is_not(logs: Logs) -> None:
    logs.run("table")
    logs.lab.configure(propagation=2400)
    logs.run("rule")
    found = logs.flow(probe=True)
    assert (found["state"], "does not count yet" in found["message"]) == ("pending", True)
    logs.lab.advance(1900)
    assert logs.flow(probe=True)["state"] == "stale"


def test_without_a_role_the_probe_says_so(made: Logs) -> None:
    made.run("rule", state="absent")
    made.run("rule", probes=False)
    found = made.flow(probe=True)
    assert (found["state"], "no role" in found["message"]) == ("absent", True)


def test_a_probe_that_is_not_found_is_pending_only_while_the_rule_is_new(made: Logs) -> None:
    made.lab.configure(ingestion_lag=600)
    assert made.flow(probe=True, probe_seconds=0)["state"] == "pending"
    made.lab.advance(1000)
    found = made.flow(probe=True, probe_seconds=0)
    assert (found["state"], "DCRLogErrors" in found["next_step"]) == ("stale", True)


def test_a_rule_that_refuses_all_is_told_at_once(made: Logs) -> None:
    text = "no access: AccessGranted: False, IsRbacPresent: True, IsDcrDceBindingValid: False"
    made.lab.fault("status", kind="logs_ingestion.send", status=403, code="OperationFailed", message=text)
    found = made.flow(probe=True)
    assert (found["state"], "not bound" in found["message"]) == ("stale", True)


def test_a_probe_without_an_answer_is_unknown(made: Logs) -> None:
    made.lab.fault("status", kind="logs_ingestion.send", status=400, code="InvalidRequest")
    assert made.flow(probe=True)["state"] == "unreadable"


# -- offboard ---------------------------------------------------------------------------------------------------------


def test_ours_goes_and_the_table_stays_with_its_records(made: Logs) -> None:
    made.lab.edit("add_row", table=TABLE, ago=60, SearchName="x")
    assert counts(made.run("rule", state="absent")) == {"corrected": 2}
    assert made.lab.logs_ingestion.rules() == {}
    assert counts(made.run("table", state="absent")) == {"in_sync": 1}
    assert len(made.lab.logs_ingestion.rows(NAME)) == 1
    assert not made.run("rule", state="absent")["changed"]
    assert counts(made.run("table", state="absent", remove_table=True)) == {"corrected": 1}
    assert made.lab.logs_ingestion.columns(NAME) is None


def test_a_role_that_stays_keeps_the_rule(made: Logs) -> None:
    made.lab.fault("status", kind="role_assignments.delete", status=409, code="ScopeLocked")
    assert codes(made.run("rule", state="absent")) == ["ScopeLocked", "NotTried"]
    assert RULE in made.lab.logs_ingestion.rules()


@pytest.mark.parametrize("engine", ["rule", "flow"])
def test_no_secret_is_told(made: Logs, engine: str) -> None:
    secret = made.given["client_secret"]
    assert secret not in str(made.run(engine, **({"probe": True} if engine == "flow" else {})))
