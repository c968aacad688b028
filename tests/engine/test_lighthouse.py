# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delegations in the lab: given, seen from the managing tenant, corrected, given back; and how that goes wrong."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import FABRIKAM, NORTHWIND, PROSEWARE

from .rights_engines import DEVELOPMENT, MANAGED, MONITORING, PRODUCTION, Rights, arm, delegation

API = "2022-10-01"
DELETE_ROLE = "Managed Services Registration assignment Delete Role"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


@pytest.fixture
def given(lab: LabClient) -> Rights:
    """Northwind's production, delegated; the administrator's token at hand."""
    one = delegation(lab)
    assert one.run()["changed"]
    lab.reset_requests()
    return one


def app(one: Rights, **args: Any) -> dict[str, Any]:
    """A run of the managing tenant's app, without the customer's administrator."""
    return one.run(access_token=None, **args)


def there(lab: LabClient) -> list[str]:
    """The kinds of what there is of Lighthouse in the subscription, as its administrator sees it."""
    found = []
    for kind in ("registrationDefinitions", "registrationAssignments"):
        found += [kind] * len(arm(lab, "GET", f"{MANAGED}/{kind}", API)[1]["value"])
    return found


def definition(lab: LabClient, one: Rights) -> tuple[str, dict[str, Any]]:
    """(path, body) of our definition."""
    path = one.run(check=True)["delegation"]["definition_id"]
    return path, arm(lab, "GET", path, API)[1]


def test_there_and_back(lab: LabClient) -> None:
    one = delegation(lab)
    predicted = one.run(check=True, diff=True)
    assert (predicted["changed"], one.written()) == (True, [])
    first = one.run(diff=True)
    assert (first["changed"], first["failed"], first["delegation"]["effective"]) == (True, False, True)
    assert (first["diff"], first["changes"]) == (predicted["diff"], predicted["changes"])
    assert there(lab) == ["registrationDefinitions", "registrationAssignments"]
    second = one.run(diff=True)
    assert (second["changed"], second["summary"]["outcome"], second["diff"]) == (False, "in_sync", [])
    back = one.run(state="absent", diff=True)
    assert (back["changed"], back["failed"], there(lab)) == (True, False, [])
    again = one.run(state="absent")
    assert (again["changed"], again["failed"], again["summary"]["outcome"]) == (False, False, "in_sync")
    name = first["delegation"]["definition_id"].rpartition("/")[2]
    assert one.written() == [("PUT", name)] * 2 + [("DELETE", name)] * 2


def test_the_default_lets_the_provider_give_it_back(lab: LabClient, given: Rights) -> None:
    """Seen, and removed, by the app alone; the definition stays, and that is told. A second time changes nothing."""
    seen = app(given)
    assert (seen["changed"], seen["summary"]["outcome"], seen["delegation"]["effective"]) == (False, "in_sync", True)
    back = app(given, state="absent")
    assert (back["changed"], back["failed"], back["summary"]["counts"]["skipped"]) == (True, False, 1)
    assert there(lab) == ["registrationDefinitions"]
    again = app(given, state="absent")
    assert (again["changed"], again["failed"]) == (False, False)
    assert "can only be removed in the customer's tenant" in again["warnings"][0]
    assert given.run(state="absent")["changed"], "the customer's administrator removes the rest"
    assert there(lab) == []


def test_the_provider_alone_waits_for_the_customer(lab: LabClient, tmp_path: Path) -> None:
    path = tmp_path / "northwind.json"
    one = delegation(lab, template_path=str(path))
    assert app(one, check=True)["changed"]
    assert not path.exists()
    result = app(one)
    assert (result["changed"], result["failed"], result["summary"]["outcome"]) == (True, False, "waiting")
    assert result["summary"]["counts"]["waiting"] == 2
    command = result["delegation"]["deploy_command"]
    assert result["problems"][0]["next_step"] == command
    assert (
        command == f"az deployment sub create --subscription {PRODUCTION} --location westeurope --template-file {path}"
    )
    again = app(one)
    assert (again["changed"], again["summary"]["outcome"]) == (False, "waiting")
    deploy(lab, json.loads(path.read_text()))
    after = app(one)
    assert (after["changed"], after["summary"]["outcome"], after["delegation"]["effective"]) == (False, "in_sync", True)
    assert one.run(state="absent")["changed"], "what was deployed by hand is ours"
    assert there(lab) == []


def deploy(lab: LabClient, template: dict[str, Any]) -> None:
    """What Azure does with the template: each resource in its order, the one expression worked out."""
    for resource in template["resources"]:
        kind, name = resource["type"].rpartition("/")[2], resource["name"]
        text = json.dumps(resource["properties"])
        expression = f"[subscriptionResourceId('Microsoft.ManagedServices/registrationDefinitions', '{name}')]"
        body = {"properties": json.loads(text.replace(expression, f"{MANAGED}/registrationDefinitions/{name}"))}
        status, answer = arm(lab, "PUT", f"{MANAGED}/{kind}/{name}", resource["apiVersion"], body)
        assert status in (200, 201), answer


def test_what_somebody_changed_in_our_definition_is_put_back(lab: LabClient, given: Rights) -> None:
    path, raw = definition(lab, given)
    [monitoring, *_rest] = raw["properties"]["authorizations"]
    raw["properties"]["authorizations"] = [monitoring, {**monitoring, "roleDefinitionId": READER}]
    assert arm(lab, "PUT", path, API, {"properties": raw["properties"]})[0] == 200
    seen = app(given, check=True)
    assert (seen["changed"], seen["summary"]["outcome"]) == (False, "waiting"), "only the customer can"
    assert seen["summary"]["drift"] == {"authorization_extra": 1, "authorization_missing": 1}
    assert not given.run(correct="safe")["changed"]
    result = given.run(diff=True)
    assert (result["changed"], result["failed"]) == (True, False)
    [shown] = result["diff"]
    roles = [{one["role"] for one in shown[side]["authorizations"]} for side in ("before", "after")]
    assert roles == [{MONITORING, READER}, {MONITORING, DELETE_ROLE}]
    assert not given.run()["changed"]


def test_what_the_customer_took_away_is_seen_and_given_again(lab: LabClient, given: Rights) -> None:
    lab.edit("remove_delegation", subscription=PRODUCTION)
    assert app(given)["summary"]["outcome"] == "waiting"
    result = given.run()
    assert [change["target"].split("/")[-2] for change in result["changes"]] == ["registrationAssignments"]
    assert app(given)["summary"]["outcome"] == "in_sync"


def test_one_offer_for_two_subscriptions(lab: LabClient, given: Rights) -> None:
    assert given.run(subscription_id=DEVELOPMENT)["changed"]
    assert not given.run()["changed"]


def test_another_offer_that_gives_the_same_is_enough(lab: LabClient, given: Rights) -> None:
    result = given.run(name="Another offer", state="present")
    assert (result["changed"], result["summary"]["outcome"]) == (False, "in_sync")
    assert "The offer 'Proseware SOC' already delegates this" in result["msg"]
    result = given.run(name="Another offer", state="absent")
    assert (result["changed"], result["summary"]["drift"]) == (False, {"not_ours": 1})
    assert len(there(lab)) == 2


def test_another_offer_with_the_same_principal_is_in_the_way(lab: LabClient, given: Rights) -> None:
    result = given.run(name="Another offer", authorizations=[{"role": "Contributor"}])
    assert (result["changed"], result["summary"]["drift"]) == (False, {"conflict": 2})
    assert "have the customer remove that offer" in result["problems"][0]["next_step"]
    assert given.written() == []


def test_an_assignment_of_another_name_satisfies_and_stays(lab: LabClient, given: Rights) -> None:
    lab.edit("remove_delegation", subscription=PRODUCTION)
    path, _raw = definition(lab, given)
    body = {"properties": {"registrationDefinitionId": path}}
    assert arm(lab, "PUT", f"{MANAGED}/registrationAssignments/{uuid.uuid4()}", API, body)[0] == 201
    lab.reset_requests()
    result = given.run()
    assert (result["changed"], result["summary"]["outcome"]) == (False, "in_sync")
    result = given.run(state="absent")
    assert (result["changed"], result["summary"]["drift"]) == (False, {"in_use": 1, "not_ours": 1})
    assert given.written() == []


def test_azure_takes_its_time(lab: LabClient) -> None:
    lab.configure(operation=1, propagation=2)
    result = delegation(lab).run()
    assert (result["failed"], result["delegation"]["effective"]) == (False, True)


def test_an_update_that_is_answered_and_not_done_is_not_called_done(lab: LabClient) -> None:
    """What is read back was finished before the update, too."""
    one = delegation(lab)
    one.run()
    lab.fault("status", kind="lighthouse.definition.put", status=200, count=1)
    result = one.run(description="Another", wait_seconds=1)
    assert (result["failed"], result["problems"][0]["code"]) == (True, "NotFinished")
    assert one.run(description="Another", wait_seconds=1)["summary"]["outcome"] == "corrected"


def test_azure_takes_too_long(lab: LabClient) -> None:
    lab.configure(operation=600)
    one = delegation(lab)
    result = one.run(wait_seconds=1)
    assert (result["changed"], result["failed"], result["problems"][0]["code"]) == (True, True, "NotFinished")
    again = one.run(check=True)
    assert {problem["code"] for problem in again["problems"]} == {"NotFinished"}, "taken is not made"
    assert (again["changed"], again["summary"]["outcome"]) == (False, "unknown")
    lab.configure(operation=0)
    assert not one.run()["failed"]


def test_an_assignment_that_azure_has_not_made_is_not_called_in_sync(lab: LabClient) -> None:
    one = delegation(lab)
    assert not one.run()["failed"]
    lab.reset_requests()
    lab.configure(operation=600)
    result = one.run(wait_seconds=0)
    assert (result["changed"], result["summary"]["outcome"], one.written()) == (False, "unknown", [])
    assert all(problem["next_step"] for problem in result["problems"])


REFUSED = {
    "Owner": "does not take Owner",
    "Diagnostic Destination User": "custom role",
    "Log Analytics Contributor": "data actions",
    "User Access Administrator": "delegated_roles",
}


@pytest.mark.parametrize("role", REFUSED)
def test_what_lighthouse_would_refuse_is_not_sent(lab: LabClient, role: str) -> None:
    one = delegation(lab, authorizations=[{"role": MONITORING}, {"role": role}])
    result = one.run()
    assert (result["failed"], result["problems"][0]["code"], one.written()) == (True, "RoleNotDelegable", [])
    assert REFUSED[role] in result["msg"]


def test_a_role_may_be_passed_on_to_managed_identities(lab: LabClient) -> None:
    access = {"role": "User Access Administrator", "delegated_roles": [MONITORING]}
    one = delegation(lab, authorizations=[access])
    assert not one.run()["failed"]
    assert not one.run()["changed"]
    assert one.run(authorizations=[{**access, "delegated_roles": ["Reader"]}])["changed"]


def test_without_the_delete_role_there_is_a_warning(lab: LabClient) -> None:
    assert DELETE_ROLE in delegation(lab, authorizations=[{"role": MONITORING}]).run(check=True)["warnings"][0]
    assert delegation(lab).run(check=True)["warnings"] == []


def test_a_provider_that_is_not_registered(lab: LabClient) -> None:
    lab.edit("unregister", subscription=PRODUCTION, provider="Microsoft.ManagedServices")
    result = delegation(lab).run()
    assert (result["changed"], result["failed"]) == (False, True)
    assert "az provider register --namespace Microsoft.ManagedServices" in result["problems"][0]["next_step"]
    assert result["problems"][1]["code"] == "NotTried", "the assignment"


def test_a_user_who_may_not_delegate(lab: LabClient) -> None:
    one = delegation(lab, access_token=lab.admin_token(NORTHWIND, "arm", "User"))
    result = one.run()
    assert (result["changed"], result["failed"], one.written()) == (False, True, [])


def test_the_token_of_somebody_else(lab: LabClient) -> None:
    one = delegation(lab, access_token=lab.admin_token(FABRIKAM, "arm"))
    assert one.run()["problems"][0]["code"] == "WrongTenant"


def test_an_administrator_of_the_provider_looks_from_there(lab: LabClient, given: Rights) -> None:
    """Sees the subscription, and has no role in it: an error, and no answer about the delegation."""
    result = given.run(access_token=lab.admin_token(PROSEWARE, "arm"))
    assert (result["changed"], result["failed"]) == (False, True)


# ---- faults -------------------------------------------------------------------------------------------------------

KINDS = ("role_definitions.list", "lighthouse.assignments", "lighthouse.definitions")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["malformed", "empty", "drop"])
def test_what_cannot_be_read_is_not_written_over(lab: LabClient, hasty: Any, kind: str, fault: str) -> None:
    lab.fault(fault, kind=kind, count=None)
    one = delegation(lab)
    result = one.run()
    assert (result["changed"], result["failed"], one.written()) == (False, True, [])


@pytest.mark.parametrize("kind", [*KINDS, "lighthouse.definition.put", "lighthouse.assignment.put"])
@pytest.mark.parametrize("fault", ["throttle", "slow", "drop", "drop_after"])
def test_what_passes_is_tried_again(lab: LabClient, hasty: Any, kind: str, fault: str) -> None:
    lab.fault(fault, kind=kind, seconds=0.5)
    result = delegation(lab).run()
    assert (result["changed"], result["failed"], len(there(lab))) == (True, False, 2)


def test_half_done_is_gone_on_with(lab: LabClient) -> None:
    lab.fault("status", kind="lighthouse.assignment.put", status=409, code="Conflict", message="busy")
    one = delegation(lab)
    result = one.run()
    assert (result["changed"], result["failed"], there(lab)) == (True, True, ["registrationDefinitions"])
    assert result["summary"]["counts"]["corrected"] == 1
    result = one.run()
    assert (result["changed"], result["failed"], result["summary"]["counts"]["in_sync"]) == (True, False, 1)


def test_half_given_back_is_gone_on_with(lab: LabClient, hasty: Any, given: Rights) -> None:
    lab.fault("status", kind="lighthouse.definition.delete", status=500, count=None)
    result = given.run(state="absent")
    assert (result["changed"], result["failed"], there(lab)) == (True, True, ["registrationDefinitions"])
    lab.clear_faults()
    assert given.run(state="absent")["changed"]
    assert there(lab) == []


def test_an_assignment_that_cannot_be_removed_keeps_its_definition(lab: LabClient, given: Rights) -> None:
    lab.fault("status", kind="lighthouse.assignment.delete", status=403, code="AuthorizationFailed", count=None)
    result = given.run(state="absent")
    assert (result["changed"], result["failed"], len(there(lab))) == (False, True, 2)


def test_a_definition_in_use_for_a_moment_more(lab: LabClient, given: Rights) -> None:
    lab.fault("status", kind="lighthouse.definition.delete", status=409, code="RegistrationDefinitionInUse", count=2)
    assert not given.run(state="absent")["failed"]
    assert there(lab) == []


# ---- secrets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["lighthouse.assignments", "lighthouse.definition.put", "permissions.list"])
def test_no_secret_gets_out(lab: LabClient, tmp_path: Path, kind: str) -> None:
    one = delegation(lab, evidence_path=str(tmp_path / "e.jsonl"), template_path=str(tmp_path / "t.json"))
    text = f"no right with {lab.secret} and {one.given['access_token']}"
    lab.fault("status", kind=kind, status=400, code="Echo", message=text)
    result = one.run(diff=True)
    assert result["failed"]
    everything = json.dumps(result) + "".join(path.read_text() for path in tmp_path.iterdir())
    assert "VALUE_HIDDEN" in everything
    for canary in (lab.secret, one.given["access_token"]):
        assert canary not in everything
