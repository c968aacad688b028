# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra's logs to a hub of the lab: the 403 and its cure, delays, drift, and what is not ours."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.entra_logs.api import LICENCE_STEP
from lab.client import LabClient
from lab.testing import CONTOSO, FABRIKAM, PROSEWARE

from .engines import counts, identity, log
from .event_hub_engines import API, ENTRA_SCOPE, HUB, NAMESPACE, OURS, READER, SHARED, WRITER, Customer, drift

ENTRA_API = "api-version=2017-04-01"
SETTINGS = "/providers/microsoft.aadiam/diagnosticSettings"
FEW = ["AuditLogs", "SignInLogs"]


@pytest.fixture
def customer(lab: LabClient) -> Customer:
    """Contoso with a hub; the app has no role at Entra's scope yet."""
    found = Customer(lab)
    found.may()
    found.run()
    lab.reset_requests()
    return found


@pytest.fixture
def ready(customer: Customer) -> Customer:
    customer.may(scope=ENTRA_SCOPE)
    return customer


def settings(customer: Customer) -> dict[str, set[str]]:
    """Name -> categories that are on."""
    _status, answer = customer.arm("GET", SETTINGS, version=ENTRA_API)
    return {
        one["name"]: {entry["category"] for entry in one["properties"]["logs"] if entry["enabled"]}
        for one in answer["value"]
    }


def by_hand(customer: Customer, name: str, categories: list[str], rule: str = WRITER, **more: Any) -> None:
    properties = {
        "eventHubAuthorizationRuleId": rule,
        "logs": [{"category": one, "enabled": True} for one in categories],
    }
    customer.lab.edit("change_aadiam_setting", tenant=CONTOSO, name=name, properties={**properties, **more})


def test_the_well_known_403_and_the_step_that_cures_it(customer: Customer) -> None:
    refused = customer.run("entra")
    assert (refused["failed"], settings(customer)) == (True, {})
    (problem,) = refused["problems"]
    assert problem["status"] == 403
    assert "elevateAccess" in problem["next_step"]
    oid = problem["message"].split("object id '")[1].split("'")[0]
    assert f"--assignee-object-id {oid} " in problem["next_step"], "the app's own, in this tenant"
    customer.may(scope=ENTRA_SCOPE)
    assert counts(customer.run("entra")) == {"corrected": 1}


def test_check_predicts_the_run_and_the_second_run_changes_nothing(ready: Customer) -> None:
    predicted = ready.run("entra", check=True, diff=True)
    assert settings(ready) == {}
    real = ready.run("entra", diff=True)
    assert predicted["changed"]
    assert (predicted["changes"], predicted["diff"]) == (real["changes"], real["diff"])
    assert settings(ready) == {OURS: set(real["categories"])}
    again = ready.run("entra", diff=True)
    assert (again["changed"], again["diff"], counts(again)) == (False, [], {"in_sync": 1})


def test_a_setting_that_is_shown_late_is_waited_for(ready: Customer) -> None:
    ready.lab.configure(aadiam_lag=3)
    assert counts(ready.run("entra")) == {"corrected": 1}
    assert not ready.run("entra")["changed"], "the next run finds it"


def test_a_setting_that_is_never_shown_is_said_to_be_missing(ready: Customer) -> None:
    ready.lab.configure(aadiam_lag=3600)
    result = ready.run("entra", wait_seconds=1)
    assert (result["failed"], result["problems"][0]["code"]) == (True, "NotFinished")


def test_an_administrators_token_does_it_once(customer: Customer) -> None:
    token = customer.lab.admin_token(CONTOSO, "arm", role="Security Administrator")
    given = {"access_token": token, "client_secret": None}
    # That administrator may use Entra's settings and has no right on the hub.
    refused = customer.run("entra", **given)
    assert [one["code"] for one in refused["problems"]] == ["LinkedAuthorizationFailed"]
    assert token not in json.dumps(refused)
    owner = customer.lab.admin_token(CONTOSO, "arm")
    assert counts(customer.run("entra", access_token=owner, client_secret=None)) == {"corrected": 1}


def test_a_user_without_the_role_is_told_of_it(customer: Customer) -> None:
    token = customer.lab.admin_token(CONTOSO, "arm", role="User")
    (problem,) = customer.run("entra", access_token=token, client_secret=None)["problems"]
    assert "Security Administrator" in problem["next_step"]


def test_lighthouse_does_not_reach_entra(lab: LabClient) -> None:
    """The app signs in to the customer's own tenant, where it has no service principal."""
    customer = Customer(lab)
    result = customer.run("entra", **{**identity(lab, FABRIKAM), "client_secret": None})
    assert (result["failed"], result["problems"][0]["operation"]) == (True, f"sign in to tenant {FABRIKAM}")
    subscription = f"{FABRIKAM[:-1]}1"
    lab.edit("assign_role", tenant=PROSEWARE, role="Contributor", scope=f"/subscriptions/{subscription}")
    given = {**identity(lab, FABRIKAM), "client_secret": None, "subscription_id": subscription}
    assert findings(customer, **given) == {**READY, "entra_settings": "missing"}
    assert "AADSTS7000229" in customer.run("access", **given)["msg"], "of the customer's tenant, not of the provider's"


# -- drift, and others' -----------------------------------------------------------------------------------------------


def test_what_somebody_changed_comes_back(ready: Customer) -> None:
    ready.run("entra", categories=FEW)
    by_hand(ready, OURS, ["AuditLogs"], eventHubName=OURS)
    assert drift(ready.run("entra", categories=FEW, check=True)) == {"disabled": 1}
    assert ready.run("entra", categories=FEW)["changed"]
    assert settings(ready) == {OURS: set(FEW)}
    ready.lab.edit("remove_aadiam_setting", tenant=CONTOSO, name=OURS)
    assert drift(ready.run("entra", categories=FEW, check=True)) == {"missing": 1}


def test_what_somebody_added_to_ours_is_kept_unless_exact(ready: Customer) -> None:
    ready.run("entra", categories=FEW)
    by_hand(ready, OURS, [*FEW, "RiskyUsers"], eventHubName=OURS)
    kept = ready.run("entra", categories=FEW)
    assert (kept["changed"], drift(kept)) == (False, {"unexpected": 1})
    assert ready.run("entra", categories=FEW, exact=True)["changed"]
    assert settings(ready) == {OURS: set(FEW)}


def test_others_settings_are_never_changed_without_being_asked(ready: Customer) -> None:
    by_hand(ready, "theirs", ["AuditLogs"], eventHubName=OURS)
    told = ready.run("entra", categories=FEW)
    assert (told["changed"], drift(told), told["problems"][0]["code"]) == (False, {"conflict": 1}, "conflict")
    assert settings(ready) == {"theirs": {"AuditLogs"}}
    assert ready.run("entra", categories=FEW, on_conflict="adopt")["changed"]
    assert settings(ready) == {"theirs": set(FEW)}
    assert not ready.run("entra", state="absent")["changed"], "adopted is not ours to delete"


def test_the_limit_of_five_is_told_before_azure_does(ready: Customer) -> None:
    for number in range(5):
        by_hand(ready, f"s{number}", ["AuditLogs"], rule=WRITER, eventHubName=f"hub{number}")
    result = ready.run("entra")
    assert (result["changed"], drift(result)) == (False, {"limit": 1})
    assert not [one for one in log(ready.lab) if one["method"] == "PUT"]


def test_ours_goes_and_a_second_time_nothing(ready: Customer) -> None:
    ready.run("entra", categories=FEW)
    by_hand(ready, "theirs", ["RiskyUsers"], eventHubName="other")
    assert ready.run("entra", state="absent", check=True)["changed"]
    assert counts(ready.run("entra", state="absent")) == {"corrected": 1}
    assert set(settings(ready)) == {"theirs"}
    assert not ready.run("entra", state="absent")["changed"]


# -- what goes wrong --------------------------------------------------------------------------------------------------

FAULTS: list[dict[str, Any]] = [
    {"action": "status", "kind": "entra_settings.put", "status": 403, "code": "Forbidden",
     "message": "The tenant needs a Premium license."},
    {"action": "status", "kind": "entra_settings.put", "status": 409, "code": "Conflict"},
    {"action": "drop", "kind": "entra_settings.put", "count": None},
    {"action": "html", "kind": "entra_settings.put", "count": None},
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_refused_write_is_told_and_can_be_done_later(
    ready: Customer, hasty: list[float], fault: dict[str, Any]
) -> None:
    ready.lab.fault(**fault)
    result = ready.run("entra", wait_seconds=1)
    assert (result["failed"], result["changed"]) == (True, False)
    assert result["coverage"]["states"].keys() == {"unreachable"}, "no category is looked after"
    assert (result["problems"][0]["next_step"] == LICENCE_STEP) == ("Premium" in fault.get("message", ""))
    ready.lab.clear_faults()
    ready.run("entra")
    assert counts(ready.run("entra")) == {"in_sync": 1}


def uncovered(result: dict[str, Any]) -> set[str]:
    return {one["name"] for one in result["coverage"]["parts"] if one["state"] == "unreachable"}


def test_one_refused_category_keeps_none_of_the_others_away(ready: Customer) -> None:
    for name in ("SignInLogs", "RiskyUsers"):
        ready.lab.edit("refuse_aadiam_category", category=name)
    result = ready.run("entra", categories=[*FEW, "RiskyUsers"])
    assert (result["failed"], result["changed"], settings(ready)) == (True, True, {OURS: {"AuditLogs"}})
    (problem,) = result["problems"]
    assert problem["message"].startswith("refused, and left out: riskyusers, signinlogs: ")
    assert "riskyusers, signinlogs" in problem["next_step"]
    assert uncovered(result) == {"Entra category RiskyUsers", "Entra category SignInLogs"}
    again = ready.run("entra", categories=FEW)
    assert (again["failed"], again["changed"], settings(ready)) == (True, False, {OURS: {"AuditLogs"}})
    alone = ready.run("entra", categories=["RiskyUsers"])
    assert (alone["failed"], alone["changed"]) == (True, False)


def test_where_the_write_without_a_refused_category_fails_too_no_category_is_covered(ready: Customer) -> None:
    ready.lab.edit("refuse_aadiam_category", category="SignInLogs")
    ready.lab.fault("status", kind="entra_settings.put", status=409, code="Conflict", after=1)
    result = ready.run("entra", categories=FEW)
    assert (result["failed"], settings(ready)) == (True, {})
    assert "covered" not in result["coverage"]["states"]


def test_a_category_without_a_licence_is_named_and_the_others_are_set(ready: Customer) -> None:
    ready.lab.fault("status", kind="entra_settings.put", status=403, code="Forbidden",
                    message="The tenant needs a Premium license for SignInLogs.")  # fmt: skip
    result = ready.run("entra", categories=FEW)
    assert (result["problems"][0]["next_step"], settings(ready)) == (LICENCE_STEP, {OURS: {"AuditLogs"}})


@pytest.mark.parametrize("kind", ["entra_settings.list", "entra_categories.list"])
@pytest.mark.parametrize("action", ["status", "malformed", "empty", "drop"])
def test_what_cannot_be_read_is_not_written_over(ready: Customer, hasty: list[float], kind: str, action: str) -> None:
    ready.run("entra", categories=FEW)
    ready.lab.reset_requests()
    ready.lab.fault(action, kind=kind, count=None)
    result = ready.run("entra")
    assert (result["failed"], result["changed"], result["problems"][0]["operation"].startswith("list")) == (
        True, False, True,
    )  # fmt: skip
    assert not [one for one in log(ready.lab) if one["method"] in ("PUT", "DELETE")]


def test_throttling_is_waited_out(ready: Customer, hasty: list[float]) -> None:
    ready.lab.fault("throttle", kind="entra_settings.put", seconds=1)
    assert counts(ready.run("entra")) == {"corrected": 1}


# -- what arrives -----------------------------------------------------------------------------------------------------


def state(customer: Customer, **args: Any) -> str:
    result = customer.run("flow", **args)
    assert result["summary"]["capability"] == "event_hub_export"
    return str(result["flows"][0]["state"])


def test_a_hub_that_is_not_there_is_absent(lab: LabClient) -> None:
    assert state(Customer(lab)) == "absent"


def test_from_pending_to_flowing_to_stale(ready: Customer) -> None:
    assert state(ready) == "pending"
    ready.run("entra")
    ready.lab.advance(3600)
    flowing = ready.run("flow")["flows"][0]
    assert (flowing["state"], flowing["records"] > 0) == ("flowing", True)
    assert datetime.fromisoformat(flowing["newest"]).tzinfo
    assert ready.run("flow")["summary"]["outcome"] == "in_sync"


def test_silence_after_the_grace_is_stale(ready: Customer) -> None:
    ready.lab.advance(30 * 3600)
    result = ready.run("flow")
    assert (result["flows"][0]["state"], result["summary"]["outcome"], result["failed"]) == ("stale", "drifted", False)
    assert "diagnostic setting" in result["problems"][0]["next_step"]


def test_a_namespace_that_is_being_made_is_pending(customer: Customer) -> None:
    customer.run(state="absent")
    customer.lab.configure(operation=3600)
    customer.run(wait_seconds=0)
    assert state(customer) == "pending"


@pytest.mark.parametrize("kind", ["namespaces.get", "event_hubs.list", "metrics.list"])
@pytest.mark.parametrize("action", ["status", "malformed", "empty"])
def test_what_cannot_be_read_is_unknown(ready: Customer, hasty: list[float], kind: str, action: str) -> None:
    ready.lab.fault(action, kind=kind, status=403, code="AuthorizationFailed", count=None)
    result = ready.run("flow")
    assert (result["flows"][0]["state"], result["summary"]["outcome"]) == ("unreadable", "unknown")
    assert not result["failed"], "a finding, as of every verify"


# -- preflight --------------------------------------------------------------------------------------------------------


def findings(customer: Customer, **args: Any) -> dict[str, str]:
    return {one["check"]: one["status"] for one in customer.run("access", **args)["findings"]}


READY = {"sign_in": "ok", "provider_registered": "ok", "make_event_hub": "ok", "entra_settings": "ok"}


def test_all_rights_are_there(ready: Customer) -> None:
    assert findings(ready) == READY
    assert ready.run("access")["summary"]["outcome"] == "in_sync"


def test_each_right_that_is_missing_is_one_finding(ready: Customer) -> None:
    """Take one right away, and exactly that is found, with what brings it back."""
    subscription, provider = f"/subscriptions/{SHARED}", "Microsoft.EventHub"
    take = {
        "entra_settings": (
            {"edit": "unassign_role", "tenant": CONTOSO, "role": "Contributor", "scope": ENTRA_SCOPE},
            "elevateAccess",
        ),
        "provider_registered": (
            {"edit": "unregister", "subscription": SHARED, "provider": provider},
            f"az provider register --namespace {provider} --subscription {SHARED}",
        ),
        "make_event_hub": (
            {"edit": "unassign_role", "tenant": CONTOSO, "role": "Contributor", "scope": subscription},
            '--role "Contributor" --scope ',
        ),
    }
    for check, (edit, step) in take.items():
        ready.lab.reset()
        ready.may()
        ready.may(scope=ENTRA_SCOPE)
        ready.lab.edit(**edit)
        result = ready.run("access")
        assert {one["check"] for one in result["findings"] if one["status"] != "ok"} == {check}
        assert step in result["msg"], check


def test_without_entra_its_settings_are_not_looked_at(customer: Customer) -> None:
    assert findings(customer, entra=False) == {key: value for key, value in READY.items() if key != "entra_settings"}


def test_no_sign_in_is_the_only_finding(customer: Customer) -> None:
    customer.lab.edit("remove_principal", tenant=CONTOSO)
    assert findings(customer) == {"sign_in": "missing"}


# -- secrets ----------------------------------------------------------------------------------------------------------


class Watch:
    """Everything that a run tells besides its result."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def update(self, **given: Any) -> None:
        self.told.append(json.dumps(given))

    def failure(self, text: str) -> None:
        self.told.append(text)


def keys(customer: Customer) -> dict[str, str]:
    _status, _headers, answer = customer.lab.call(
        "POST", f"{READER}/listKeys?{API}",
        headers={"Authorization": f"Bearer {customer.lab.admin_token(CONTOSO, 'arm')}"},
    )  # fmt: skip
    return {name: answer[name] for name in ("primaryKey", "secondaryKey")}


@pytest.mark.parametrize("which", ["primary", "secondary"])
def test_a_rotation_leaves_the_other_key(customer: Customer, which: str) -> None:
    other = {"primary": "secondaryKey", "secondary": "primaryKey"}[which]
    before = keys(customer)
    for _run in range(2):
        result = customer.run(rotate=which, return_keys=True)
        after = keys(customer)
        assert result["changed"], "each time"
        assert (after[f"{which}Key"] != before[f"{which}Key"], after[other] == before[other]) == (True, True)
        assert result["keys"][f"{which}_key"] == after[f"{which}Key"]
        before = after
    assert customer.run(rotate=which, check=True)["changed"]
    assert keys(customer) == before


def test_no_key_is_anywhere_but_in_the_answer_to_who_asks(customer: Customer, tmp_path: Any) -> None:
    watch, path = Watch(), tmp_path / "evidence.jsonl"
    given = {"diff": True, "reporter": watch, "evidence_path": str(path)}
    canaries = set(keys(customer).values())
    told = [json.dumps(customer.run(**given)), json.dumps(customer.run(rotate="primary", **given))]
    canaries |= set(keys(customer).values())
    asked = customer.run(rotate="secondary", return_keys=True, **given)
    canaries |= set(keys(customer).values())
    assert set(asked.pop("keys").values()) & canaries
    told += [json.dumps(asked), json.dumps(customer.run(state="absent", **given)), *watch.told, path.read_text()]
    everything = "\n".join(told)
    assert len(canaries) == 4
    assert [one for one in canaries if one in everything] == []
    assert customer.lab.secret not in everything
    assert (NAMESPACE in everything, HUB in everything) == (True, True)


def test_azure_says_the_secret_back(customer: Customer) -> None:
    customer.lab.fault("status", kind="event_hub_rules.keys", status=403, code="Echo", message=customer.lab.secret)
    result = customer.run(return_keys=True)
    assert (result["failed"], result["keys"]) == (True, {})
    assert "VALUE_HIDDEN" in result["problems"][0]["message"]


def test_categories_that_nobody_wants_are_told_with_the_option(ready: Customer) -> None:
    parts = ready.run("entra", categories=FEW, check=True)["coverage"]["parts"]
    (one,) = [part for part in parts if part["name"] == "Entra category RiskyUsers"]
    assert one["state"] == "not_asked"
    assert "event_hub_export_entra_categories" in one["next_step"]
    assert {part["state"] for part in ready.run("entra", check=True)["coverage"]["parts"]} == {"covered"}
