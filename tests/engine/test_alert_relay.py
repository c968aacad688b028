# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay made, kept and removed in the lab; and an alert of its Splunk, by the relay, in the customer's table."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.alert_relay import capability, options, plan
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity.options import IDENTITY_RULES
from lab.client import LabClient

from .custom_logs_engines import GROUP, NAME, RULE, Logs
from .engines import counts
from .test_splunk import BRUTE, Splunk

WORKFLOW = f"{GROUP}/providers/Microsoft.Logic/workflows/mssp-onboarding-splunk-alerts"
OLD = f"{GROUP}/providers/Microsoft.Logic/workflows/SplunkAlertAutomationLogicApp"
STREAM = dict.fromkeys(plan.COLUMNS, "string")
COLUMNS = {"TimeGenerated": "datetime", **STREAM, "Result": "dynamic"}
ENGINES = {
    "converge": (capability.converge, options.RELAY_MODULE_SPEC),
    "preflight": (capability.preflight, options.RELAY_ACCESS_SPEC),
    "verify": (capability.verify, options.RELAY_FLOW_SPEC),
}


class Relay:
    """Contoso with a table for alerts, and the right to make a relay into it."""

    def __init__(self, lab: LabClient) -> None:
        self.lab, self.logs = lab, Logs(lab)
        self.logs.given |= {"columns": COLUMNS, "stream_columns": STREAM}
        self.logs.made()
        self.logs.may("Logic App Contributor")
        self.given = {**self.logs.given, "rule_id": RULE, "stream": "Custom-SplunkAlert", "callers": ["127.0.0.1"]}

    def run(self, engine: str = "converge", *, check: bool = False, **args: Any) -> dict[str, Any]:
        function, spec = ENGINES[engine]
        given = {key: value for key, value in {**self.given, **args}.items() if key in spec}
        found = ArgumentSpecValidator(spec, **IDENTITY_RULES).validate(given)
        assert not found.error_messages, found.error_messages
        secrets = [str(self.given["client_secret"])]
        return execute(
            function, "splunk_alert_relay", found.validated_parameters, check=check, diff=True, secrets=secrets
        )

    def flow(self) -> dict[str, Any]:
        return dict(self.run("verify")["flows"][0])

    def url(self) -> str:
        return str(self.run(return_url=True)["webhook_url"])

    def post(self, url: str) -> int:
        return int(self.lab.call("POST", url.removeprefix(self.lab.url), {"search_name": "by hand"})[0])


@pytest.fixture
def relay(lab: LabClient) -> Relay:
    return Relay(lab)


def codes(result: dict[str, Any]) -> list[str]:
    return [one["code"] for one in result["problems"]]


def test_an_alert_of_splunk_is_a_row_in_the_workspace(relay: Relay) -> None:
    assert counts(relay.run()) == {"corrected": 2}
    splunk = Splunk(relay.lab)
    splunk.given |= {"webhook_url": relay.url(), "alerts": {BRUTE: {"delivery": "per_result"}}}
    relay.lab.edit("splunk_allow", entries={"theirs": "^https://hooks"})
    assert counts(splunk.run()) == {"corrected": 2, "in_sync": 1}
    relay.lab.edit("splunk_results", name=BRUTE, rows=[{"src": "203.0.113.1"}, {"src": "203.0.113.2"}])
    relay.lab.splunk.fire(BRUTE)
    rows = relay.lab.logs_ingestion.rows(NAME)
    assert [one["Result"] for one in rows] == [{"src": "203.0.113.1"}, {"src": "203.0.113.2"}]
    assert {(one["SearchName"], one["App"], one["Owner"]) for one in rows} == {(BRUTE, "search", "admin")}
    assert (relay.flow()["state"], relay.logs.flow()["state"]) == ("flowing", "flowing")
    assert splunk.flows(alerts={BRUTE: {}})[BRUTE]["state"] == "flowing"


def test_check_predicts_the_run_and_the_second_run_changes_nothing(relay: Relay) -> None:
    predicted = relay.run(check=True)
    assert relay.lab.logic.workflows() == {}
    real = relay.run()
    assert (predicted["changes"], predicted["diff"]) == (real["changes"], real["diff"])
    again = relay.run()
    assert (again["changed"], counts(again)) == (False, {"in_sync": 2})
    assert "secret" not in str(relay.lab.logic.workflows()[WORKFLOW]["body"])


def test_the_url_is_dated_the_same_in_a_period_and_refused_after(relay: Relay) -> None:
    relay.run()
    url = relay.url()
    assert url == relay.url()
    (told,) = [one for one in relay.run()["summary"]["credentials"] if one["name"].startswith("URL")]
    days = (datetime.fromisoformat(told["expires"]).timestamp() - time.time()) / 86400
    assert 180 <= days <= 360
    assert [relay.post(url), relay.post(url[:-1] + "0x")] == [202, 401]
    relay.lab.advance(days * 86400 + 60)
    assert relay.post(url) == 401


def test_the_other_key_is_changed_and_the_one_in_use_never(relay: Relay) -> None:
    relay.run()
    first = relay.url()
    second = str(relay.run(return_url=True, key="secondary")["webhook_url"])
    assert [relay.post(first), relay.post(second)] == [202, 202]
    assert codes(relay.run(rotate="primary")) == ["InputError"]
    assert relay.run(rotate="primary", key="secondary", check=True)["changed"]
    assert relay.post(first) == 202
    ended = relay.run(rotate="primary", key="secondary", correct="never")
    assert counts(ended) == {"corrected": 1, "in_sync": 2}
    assert [relay.post(first), relay.post(second)] == [401, 202]


def test_a_key_of_what_is_not_ours_is_left(relay: Relay) -> None:
    relay.lab.edit("workflow_script", id=OLD)
    found = relay.run(rotate="secondary", workflow=OLD.rpartition("/")[2], return_url=True)
    assert (set(codes(found)), found["webhook_url"]) == ({"rotation", "secret"}, "")


def test_a_search_gets_the_next_periods_url_while_its_old_one_is_good(relay: Relay) -> None:
    relay.run()
    splunk = Splunk(relay.lab)

    def told(**given: Any) -> list[float]:
        listed = splunk.run(**given)["summary"]["credentials"]
        return [datetime.fromisoformat(one["expires"]).timestamp() for one in listed]

    days = {"url_days": 90}
    splunk.given |= {"alerts": {BRUTE: {}}, "webhook_url": str(relay.run(return_url=True, **days)["webhook_url"])}
    (old,) = told()
    splunk.given["webhook_url"] = relay.url()  # of another period, as in the next one
    assert splunk.run(check=True)["summary"]["drift"] == {"url": 1}
    assert told(check=True) == [old]  # what is in Splunk, whatever is to come
    assert told()[0] != old
    assert relay.post(splunk.given["webhook_url"]) == 202


def test_callers_are_limited(relay: Relay) -> None:
    relay.run(callers=["192.0.2.0/24"])
    assert relay.post(relay.run(callers=["192.0.2.0/24"], return_url=True)["webhook_url"]) == 403


@pytest.mark.parametrize(
    ("changed", "drift"),
    [
        ({"state": "Disabled"}, "disabled"),
        ({"accessControl": None}, "callers"),
        ({"definition": {"triggers": {}, "actions": {"a": {}}}}, "definition"),
    ],
)
def test_what_somebody_changed_comes_back(relay: Relay, changed: dict[str, Any], drift: str) -> None:
    relay.run()
    relay.lab.edit("workflow_change", id=WORKFLOW, **changed)
    found = relay.run(check=True)
    assert (counts(found), found["summary"]["drift"]) == ({"drifted": 1, "in_sync": 1}, {drift: 1})
    assert not relay.run(correct="safe")["changed"]
    assert relay.run()["changed"]
    assert not relay.run()["changed"]


def test_what_microsofts_script_left_is_found_and_replaced_on_request(relay: Relay) -> None:
    relay.lab.edit("workflow_script", id=OLD)
    found = relay.run("preflight")
    assert [one["subject"] for one in found["findings"] if one["status"] != "ok"] == [OLD.rpartition("/")[2]]
    named = {"workflow": OLD.rpartition("/")[2]}
    assert codes(relay.run(**named)) == ["secret"]
    told = str([found, relay.run(check=True, replace=True, **named), relay.run(replace=True, **named)])
    assert "canary5ecret" not in told
    assert "canary5ecret" not in str(relay.lab.logic.workflows())
    assert relay.run("preflight")["summary"]["outcome"] == "in_sync"


def test_without_a_rule_nothing_is_made(relay: Relay) -> None:
    relay.logs.run("rule", state="absent")
    assert codes(relay.run(fail_on="blocked")) == ["rule"]
    assert [relay.run("preflight", rule_to_come=one)["summary"]["outcome"] for one in (False, True)] == [
        *("failed", "in_sync"),
    ]
    assert relay.lab.logic.workflows() == {}


def test_a_stream_that_would_lose_columns_is_told(relay: Relay) -> None:
    relay.logs.run("rule", stream_columns={"SearchName": "string", "Result": "string"})
    (found,) = [one for one in relay.run("preflight")["findings"] if one["status"] != "ok"]
    assert (found["check"], "App, Owner, Sid, ResultsLink" in found["next_step"]) == ("rule", True)


def test_runs_that_failed_are_told(relay: Relay) -> None:
    assert relay.flow()["state"] == "absent"
    relay.lab.configure(propagation=600)
    relay.run()
    assert relay.flow()["state"] == "quiet"
    assert relay.post(relay.url()) == 202
    found = relay.flow()
    assert (found["state"], "OperationFailed" in found["message"]) == ("pending", True)
    relay.lab.advance(3600)
    assert relay.flow()["state"] == "stale"


@pytest.mark.parametrize("kind", ["workflows.get", "data_collection_rules.get", "role_assignments.list"])
def test_what_may_not_be_read_is_never_missing(relay: Relay, kind: str) -> None:
    relay.run()
    relay.lab.fault("status", kind=kind, status=403, code="AuthorizationFailed")
    result = relay.run()
    assert (result["failed"], result["changed"], codes(result)[0]) == (True, False, "AuthorizationFailed")


def test_a_url_that_is_refused_is_the_one_thing_that_evidence_tells(relay: Relay, tmp_path: Path) -> None:
    relay.run()
    relay.lab.fault("status", kind="workflows.callback", status=403, code="AuthorizationFailed")
    path = tmp_path / "contoso.splunk_alert_relay.jsonl"
    assert codes(relay.run(return_url=True, evidence_path=str(path))) == ["AuthorizationFailed"]
    lines = [json.loads(one) for one in path.read_text().splitlines()]
    assert [one["status"] for one in lines if one.get("target", "").casefold() == WORKFLOW.casefold()] == ["failed"]


def test_ours_goes_with_its_role_and_another_stays(relay: Relay) -> None:
    relay.lab.edit("workflow_script", id=OLD)
    relay.run()
    assert counts(relay.run(state="absent")) == {"corrected": 2}
    assert set(relay.lab.logic.workflows()) == {OLD}
    assert not relay.run(state="absent")["changed"]
    assert counts(relay.run(state="absent", workflow=OLD.rpartition("/")[2])) == {"in_sync": 2}
