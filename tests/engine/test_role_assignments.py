# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role assignments in the lab: from nothing to a role that counts and back, and every way in which that goes wrong."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import CONTOSO, NORTHWIND, PROSEWARE, WORKSPACE

from .rights_engines import AUTHORIZATION, MONITORING, SCOPE, Rights, arm, consented, role

API = "2022-04-01"
ROLE_ID = f"{SCOPE}/providers/Microsoft.Authorization/roleDefinitions/749f88d5-cbae-40b8-bcfc-e573ddc772fa"


@pytest.fixture
def app(lab: LabClient) -> str:
    """The app's object id in Northwind."""
    oid = consented(lab)
    lab.reset_requests()
    return oid


def assign_by_hand(lab: LabClient, principal: str) -> str:
    """What somebody did in the portal: the same assignment under a name of its own."""
    name = str(uuid.uuid4())
    body = {"properties": {"roleDefinitionId": ROLE_ID, "principalId": principal}}
    status, answer = arm(lab, "PUT", f"{SCOPE}{AUTHORIZATION}/{name}", API, body)
    assert status == 201, answer
    return name


def held(lab: LabClient) -> list[str]:
    """Names of the assignments at the subscription that are not the administrator's."""
    _status, answer = arm(lab, "GET", f"{SCOPE}{AUTHORIZATION}", API)
    return [one["name"] for one in answer["value"] if one["properties"]["principalType"] == "ServicePrincipal"]


def test_there_and_back(lab: LabClient, app: str) -> None:
    one = role(lab)
    predicted = one.run(check=True, diff=True)
    assert (predicted["changed"], held(lab), one.written()) == (True, [], [])
    first = one.run(diff=True)
    assert (first["changed"], first["failed"], first["assignment"]["effective"]) == (True, False, True)
    assert (first["diff"], first["changes"]) == (predicted["diff"], predicted["changes"])
    assert first["assignment"]["principal_id"] == app
    assert held(lab) == [first["assignment"]["name"]]
    second = one.run(diff=True)
    assert (second["changed"], second["summary"]["outcome"], second["diff"]) == (False, "in_sync", [])
    back = one.run(state="absent")
    assert (back["changed"], back["failed"], held(lab)) == (True, False, [])
    again = one.run(state="absent")
    assert (again["changed"], again["failed"]) == (False, False)
    assert [method for method, _name in one.written()] == ["PUT", "DELETE"]


def test_a_role_takes_effect_later(lab: LabClient, app: str) -> None:
    lab.configure(propagation=2)
    result = role(lab).run()
    assert (result["failed"], result["assignment"]["effective"]) == (False, True)
    assert result["summary"]["seconds"] > 1


def test_a_role_that_takes_effect_too_late_is_said_to(lab: LabClient, app: str) -> None:
    lab.configure(propagation=600)
    one = role(lab)
    result = one.run(wait_seconds=1)
    assert (result["changed"], result["failed"], result["assignment"]["effective"]) == (True, True, False)
    assert result["problems"][0]["code"] == "NotEffective"
    result = one.run(wait_seconds=1)
    assert (result["changed"], result["failed"]) == (False, True), "and still, on a second run"
    assert not one.run(wait_seconds=0)["failed"], "nobody asked"


def test_a_principal_that_is_new_is_taken_for_its_type(lab: LabClient) -> None:
    lab.configure(propagation=2)
    consented(lab)
    result = role(lab).run()
    assert (result["changed"], result["failed"]) == (True, False)


def test_an_app_that_is_not_known_there_yet(lab: LabClient) -> None:
    result = role(lab).run()
    assert (result["failed"], result["problems"][0]["code"]) == (True, "AADSTS7000229")
    assert "consent" in result["problems"][0]["next_step"]


def test_what_somebody_assigned_satisfies_and_stays(lab: LabClient, app: str) -> None:
    name, one = assign_by_hand(lab, app), role(lab)
    lab.reset_requests()
    result = one.run()
    assert (result["changed"], result["assignment"]["effective"]) == (False, True)
    assert f"another assignment, {name}" in result["msg"].casefold()
    result = one.run(state="absent")
    assert (result["changed"], result["failed"], result["summary"]["drift"]) == (False, False, {"not_ours": 1})
    assert (held(lab), one.written()) == ([name], [])


def test_by_the_apps_own_rights_in_the_providers_tenant(lab: LabClient) -> None:
    """Without an administrator's token the app needs the right itself, and Azure's refusal says which."""
    one = role(lab, tenant_id=PROSEWARE, access_token=None, scope=WORKSPACE, role="Monitoring Reader")
    result = one.run()
    assert (result["changed"], result["failed"]) == (False, True)
    problem = result["problems"][0]
    assert (problem["code"], problem["status"]) == ("AuthorizationFailed", 403)
    assert "access_token" in problem["next_step"]


def test_an_administrator_of_the_provider(lab: LabClient) -> None:
    token = lab.admin_token(PROSEWARE, "arm")
    result = role(lab, tenant_id=PROSEWARE, access_token=token, scope=WORKSPACE, role="Monitoring Reader").run()
    assert (result["changed"], result["failed"], result["assignment"]["effective"]) == (True, False, True)


def test_at_the_scope_of_a_provider(lab: LabClient, app: str) -> None:
    arm(lab, "POST", "/providers/Microsoft.Authorization/elevateAccess", "2016-07-01")
    one = role(lab, scope="/providers/Microsoft.aadiam", role="Contributor")
    result = one.run()
    assert (result["changed"], result["failed"], result["assignment"]["effective"]) == (True, False, None)
    assert not one.run()["changed"]
    assert one.run(state="absent")["changed"]


def test_a_user_of_the_tenant_may_not(lab: LabClient, app: str) -> None:
    result = role(lab, access_token=lab.admin_token(NORTHWIND, "arm", "User")).run()
    assert (result["changed"], result["failed"], result["problems"][0]["status"]) == (False, True, 403)
    assert held(lab) == []


@pytest.mark.parametrize("name", ["Monitoring Contributer", "monitoring  contributor"])
def test_an_unknown_role_touches_nothing(lab: LabClient, app: str, name: str) -> None:
    one = role(lab, role=name)
    result = one.run()
    assert (result["failed"], result["problems"][0]["code"]) == (True, "RoleUnknown")
    assert f"near it are {MONITORING}" in result["msg"]
    assert one.written() == []


# ---- faults -------------------------------------------------------------------------------------------------------

LISTS = {"role_definitions.list": "list the role definitions", "role_assignments.list": "list the role assignments"}


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("fault", ["malformed", "truncated", "html", "empty", "drop"])
def test_what_cannot_be_read_is_not_written_over(lab: LabClient, app: str, hasty: Any, kind: str, fault: str) -> None:
    lab.fault(fault, kind=kind, count=None)
    one = role(lab)
    result = one.run()
    assert (result["changed"], result["failed"], one.written()) == (False, True, [])
    assert LISTS[kind] in result["problems"][0]["operation"]


PASSING: dict[str, dict[str, Any]] = {
    "throttled": {"action": "throttle", "seconds": 1},
    "slow": {"action": "slow", "seconds": 0.5},
    "unavailable": {"action": "status", "status": 503, "code": "ServerTimeout"},
    "cut before": {"action": "drop"},
}


@pytest.mark.parametrize("kind", [*LISTS, "role_assignments.put", "permissions.list"])
@pytest.mark.parametrize("case", PASSING)
def test_what_passes_is_tried_again(lab: LabClient, app: str, hasty: Any, kind: str, case: str) -> None:
    lab.fault(**PASSING[case], kind=kind)
    result = role(lab).run()
    assert (result["changed"], result["failed"]) == (True, False)
    assert len(held(lab)) == 1


def test_an_answer_that_is_lost_after_the_write(lab: LabClient, app: str, hasty: Any) -> None:
    """Half done: the assignment is there, and the second try finds it under our name."""
    lab.fault("drop_after", kind="role_assignments.put")
    lab.fault("status", kind="role_assignments.put", status=409, code="RoleAssignmentExists", after=1)
    result = role(lab).run()
    assert (result["changed"], result["failed"], len(held(lab))) == (True, False, 1)


@pytest.mark.parametrize(("fault", "codes"), [
    ({"action": "empty"}, []), ({"action": "status", "status": 200}, ["RoleAssignmentNotFound"]),
])  # fmt: skip
def test_a_write_whose_answer_shows_nothing_is_read_back(
    lab: LabClient, app: str, fault: dict[str, Any], codes: list[str]
) -> None:
    lab.fault(kind="role_assignments.put", **fault)
    assert [one["code"] for one in role(lab).run()["problems"]] == codes


def test_a_removal_whose_answer_is_lost(lab: LabClient, app: str, hasty: Any) -> None:
    one = role(lab)
    one.run()
    lab.fault("drop_after", kind="role_assignments.delete")
    assert not one.run(state="absent")["failed"]
    assert held(lab) == []


def test_a_refused_write_is_a_failed_target(lab: LabClient, app: str) -> None:
    lab.fault("status", kind="role_assignments.put", status=409, code="ScopeLocked", message="locked")
    result = role(lab).run()
    assert (result["changed"], result["failed"], result["summary"]["counts"]["failed"]) == (False, True, 1)


def test_a_permission_list_that_cannot_be_read_is_no_yes(lab: LabClient, app: str, hasty: Any) -> None:
    lab.fault("malformed", kind="permissions.list", count=None)
    result = role(lab).run()
    assert (result["changed"], result["failed"], result["assignment"]["effective"]) == (True, True, False)


# ---- secrets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["role_assignments.list", "role_assignments.put", "permissions.list"])
def test_no_secret_gets_out(lab: LabClient, app: str, tmp_path: Path, kind: str) -> None:
    one = role(lab, evidence_path=str(tmp_path / "e.jsonl"))
    text = f"no right with {lab.secret} and {one.given['access_token']}"
    lab.fault("status", kind=kind, status=400, code="Echo", message=text)
    result = one.run(diff=True)
    assert result["failed"]
    everything = json.dumps(result) + "".join(path.read_text() for path in tmp_path.iterdir())
    assert "VALUE_HIDDEN" in everything
    for canary in (lab.secret, one.given["access_token"]):
        assert canary not in everything


def test_a_token_of_another_tenant_is_not_sent(lab: LabClient, app: str) -> None:
    one = role(lab, access_token=lab.admin_token(CONTOSO, "arm"))
    result = one.run()
    assert (result["failed"], result["problems"][0]["code"]) == (True, "WrongTenant")


def test_a_certificate_that_is_missing(lab: LabClient, tmp_path: Path) -> None:
    """Found when the app's way opens; the administrator's, which is open by then, is closed again."""
    result = role(lab, client_secret=None, client_certificate_path=str(tmp_path / "no.pem")).run()
    assert (result["failed"], result["problems"][0]["code"]) == (True, "InputError")


def test_the_app_alone_is_enough_where_it_has_the_right(lab: LabClient, app: str) -> None:
    lab.edit("assign_role", tenant=NORTHWIND, role="User Access Administrator", scope=SCOPE)
    one: Rights = role(lab, access_token=None)
    result = one.run()
    assert (result["changed"], result["failed"], result["assignment"]["effective"]) == (True, False, True)
