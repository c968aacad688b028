# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role assignments: the conversation with Azure, request by request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights import capability as role_assignments
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights import options as rights_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights.definitions import parse_role
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights.plan import Wanted
from tests.unit.plugins.module_utils._microsoft.rights_scripts import (
    OID,
    SCOPE,
    STRANGER,
    SUBSCRIPTION,
    jwt,
    listed,
    refused,
    role,
    run,
    spoken,
)
from tests.unit.plugins.module_utils._microsoft.rights_scripts import conversation as talk
from tests.unit.plugins.module_utils._microsoft.scripts_of_http import HOME, OTHER, answer

ROLE = parse_role(role())
NAME = Wanted(SCOPE, ROLE, OID, "ServicePrincipal", True).name
PERMITTED = listed({"actions": ["*/read", "Microsoft.Insights/DiagnosticSettings/*"], "notActions": []})
NOTHING = listed()
SHOWN: dict[str, Any] = {"properties": {}}
PUT, DELETE = f"PUT {NAME}", f"DELETE {NAME}"
READS = ["GET roleDefinitions", "GET roleAssignments"]


def assign(**args: Any) -> dict[str, Any]:
    spec = rights_options.ROLE_ASSIGNMENT_MODULE_SPEC
    return run(role_assignments, spec, **{"scope": SCOPE, "role": "Monitoring Contributor", **args})


def listing(name: str = NAME, **more: Any) -> Any:
    properties = {"roleDefinitionId": ROLE.id, "principalId": OID, "scope": SCOPE, **more}
    return listed({"name": name, "properties": properties})


def test_assign_and_see_it_count(monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(
        monkeypatch,
        listed(role()),
        NOTHING,
        answer(201, SHOWN),
        NOTHING,
        refused(403, "AuthorizationFailed"),
        PERMITTED,
    )
    result = assign()
    assert (result["changed"], result["failed"], result["summary"]["outcome"]) == (True, False, "corrected")
    assert result["assignment"]["effective"] is True
    assert spoken(script) == [*READS, PUT, *["GET permissions"] * 3]
    assert "$filter=roleName%20eq%20%27Monitoring%20Contributor%27" in script.requests[0].url
    assert f"$filter=principalId%20eq%20%27{OID}%27" in script.requests[1].url
    assert script.requests[2].body == {
        "properties": {"roleDefinitionId": ROLE.id, "principalId": OID, "principalType": "ServicePrincipal"}
    }


def test_a_second_run_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(monkeypatch, listed(role()), listing(), PERMITTED)
    result = assign(diff=True)
    assert (result["changed"], result["summary"]["outcome"], result["diff"]) == (False, "in_sync", [])
    assert spoken(script) == [*READS, "GET permissions"]


def test_check_mode_predicts_and_shows_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(monkeypatch, listed(role()), NOTHING)
    predicted = assign(check=True, diff=True)
    assert spoken(script) == READS
    talk(monkeypatch, listed(role()), NOTHING, answer(201, SHOWN))
    done = assign(diff=True, wait_seconds=0)
    for key in ("changed", "changes", "diff"):
        assert predicted[key] == done[key], key
    [shown] = done["diff"]
    assert (shown["before"], shown["after"]["role"], shown["after"]["scope"]) == ({}, "Monitoring Contributor", SCOPE)


def test_without_waiting_nobody_asks_whether_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(monkeypatch, listed(role()), NOTHING, answer(201, SHOWN))
    assert assign(wait_seconds=0)["assignment"]["effective"] is None
    assert spoken(script) == [*READS, PUT]


def test_a_role_that_does_not_count_in_time_is_a_failure_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(monkeypatch, listed(role()), NOTHING, answer(201, SHOWN), *[NOTHING] * 20)
    result = assign(wait_seconds=10)
    assert (result["changed"], result["failed"], result["summary"]["outcome"]) == (True, True, "failed")
    assert result["assignment"]["effective"] is False
    [problem] = result["problems"]
    assert (problem["code"], "after 10 s the app may not yet */read" in problem["message"]) == ("NotEffective", True)
    assert len(script.requests) < 12, "asked ever more rarely"


def test_an_existing_one_that_does_not_count_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    talk(monkeypatch, listed(role()), listing(), *[refused(404, "SubscriptionNotFound", "not seen")] * 9)
    result = assign(wait_seconds=3)
    assert (result["changed"], result["failed"]) == (False, True)
    assert "SubscriptionNotFound: not seen" in result["problems"][0]["message"]


def test_what_cannot_be_asked_is_no_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    talk(monkeypatch, listed(role()), NOTHING, answer(201, SHOWN), refused(400, "Odd", "odd"))
    result = assign()
    assert (result["changed"], result["failed"], result["problems"][0]["code"]) == (True, True, "Odd")


@pytest.mark.parametrize(
    ("args", "effective"),
    [
        ({"principal_id": STRANGER}, None),
        ({"principal_id": OID.upper()}, True),
        ({"principal_id": OID, "access_token": jwt(tid=HOME, exp=9e9), "client_secret": None}, None),
        ({"access_token": jwt(tid=HOME, exp=9e9)}, True),
    ],
)
def test_only_the_app_itself_can_tell_whether_it_counts(
    monkeypatch: pytest.MonkeyPatch, args: dict[str, Any], effective: bool | None
) -> None:
    talk(monkeypatch, listed(role()), NOTHING, answer(201, SHOWN), *[PERMITTED] * bool(effective))
    result = assign(**args)
    assert (result["failed"], result["assignment"]["effective"]) == (False, effective)


def test_an_administrators_token_does_the_work_and_the_app_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    token = jwt(tid=HOME, exp=9e9)
    script = talk(monkeypatch, listed(role()), NOTHING, answer(201, SHOWN), PERMITTED)
    assign(access_token=token)
    assert [one.headers["Authorization"] == f"Bearer {token}" for one in script.requests] == [True, True, True, False]


def test_a_scope_outside_of_subscriptions_is_not_asked_for_permissions(monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(monkeypatch, listed(role()), NOTHING, answer(201, SHOWN))
    result = assign(scope="/providers/Microsoft.aadiam")
    assert (result["changed"], result["failed"], result["assignment"]["effective"]) == (True, False, None)
    start = "https://arm.example/providers/Microsoft.aadiam/providers/Microsoft.Authorization/roleAssignments/"
    assert script.requests[2].url.startswith(start)


def test_the_root_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(monkeypatch, listed(role()), NOTHING, answer(201, SHOWN))
    assign(scope="/")
    start = "https://arm.example/providers/Microsoft.Authorization/"
    assert all(one.url.startswith(start) for one in script.requests)


def test_an_unknown_role_ends_before_anything_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(monkeypatch, NOTHING, listed(role(), role("Reader", "r")))
    result = assign(role="Monitoring Contribtor")
    assert result["failed"]
    assert result["problems"][0]["code"] == "RoleUnknown"
    assert "near it are Monitoring Contributor" in result["msg"]
    assert spoken(script) == ["GET roleDefinitions"] * 2


def test_a_name_with_a_quote_stays_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(monkeypatch, listed(role("Bob's role")), NOTHING)
    assign(role="Bob's role", check=True)
    assert "%27Bob%27%27s%20role%27" in script.requests[0].url


# ---- refusals and faults ------------------------------------------------------------------------------------------

EXISTS = refused(409, "RoleAssignmentExists", "The role assignment already exists. The ID is x.")


def test_a_new_principal_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown_yet = refused(400, "PrincipalNotFound", "Principal does not exist in the directory")
    script = talk(monkeypatch, listed(role()), NOTHING, unknown_yet, unknown_yet, answer(201, SHOWN), PERMITTED)
    assert assign()["summary"]["outcome"] == "corrected"
    assert spoken(script) == [*READS, *[PUT] * 3, "GET permissions"]


@pytest.mark.parametrize("seconds", [0, 5])
def test_a_principal_that_stays_unknown_is_azures_refusal(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    refusal = refused(400, "PrincipalNotFound", "Principal does not exist in the directory")
    talk(monkeypatch, listed(role()), NOTHING, *[refusal] * 9)
    result = assign(wait_seconds=seconds)
    assert (result["changed"], result["failed"]) == (False, True)
    problem = result["problems"][0]
    assert (problem["code"], problem["status"]) == ("PrincipalNotFound", 400)
    assert "check principal_id" in problem["next_step"]


@pytest.mark.parametrize(
    ("after", "changed", "told"),
    [
        (listing(), True, ""),
        (listing("another"), False, "another assignment, another, already gives the role"),
        (NOTHING, False, "Azure says it exists"),
    ],
)
def test_an_assignment_that_came_meanwhile(
    monkeypatch: pytest.MonkeyPatch, after: Any, changed: bool, told: str
) -> None:
    """Ours is there when the answer to a first try was lost: Azure refuses the second."""
    talk(monkeypatch, listed(role()), NOTHING, EXISTS, after, PERMITTED)
    result = assign()
    assert (result["changed"], result["failed"]) == (changed, False)
    assert told.casefold() in result["msg"].casefold()


REFUSED = {
    "no right": (refused(403, "AuthorizationFailed", "… action 'Microsoft.Authorization/roleAssignments/write' …"),
                 "AuthorizationFailed", "access_token of an Owner"),
    "another of the name": (refused(400, "RoleAssignmentUpdateNotPermitted"), "RoleAssignmentUpdateNotPermitted",
                            "remove the role assignment"),
    "locked": (refused(409, "ScopeLocked"), "ScopeLocked", "remove the lock"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_write_is_told_with_its_next_step(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    refusal, code, step = REFUSED[case]
    talk(monkeypatch, listed(role()), NOTHING, refusal)
    result = assign(diff=True)
    assert (result["changed"], result["failed"], result["changes"], result["diff"]) == (False, True, [], [])
    assert result["summary"]["correctable"] == {"safe": 0, "all": 0}
    assert (result["problems"][0]["code"], step in result["problems"][0]["next_step"]) == (code, True)


UNREADABLE = {
    "refused": refused(403, "AuthorizationFailed"),
    "no list": answer(body={"values": []}),
    "a list of texts": listed("x"),
    "an entry without properties": listed({"name": "x"}),
    "properties without a principal": listed({"name": "x", "properties": {"roleDefinitionId": "r", "scope": "/"}}),
    "a text": answer(body="x"),
}


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_is_never_absent(monkeypatch: pytest.MonkeyPatch, case: str, state: str) -> None:
    script = talk(monkeypatch, listed(role()), UNREADABLE[case])
    result = assign(state=state)
    assert (result["failed"], result["summary"]["outcome"]) == (True, "failed")
    assert spoken(script) == READS, "nothing is written"


@pytest.mark.parametrize("body", [{"value": [{"id": "x"}]}, {"value": [role() | {"properties": {}}]}, {}])
def test_role_definitions_of_another_shape(monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    talk(monkeypatch, answer(body=body))
    assert assign()["problems"][0]["code"] == "BadShape"


def test_pages_are_read_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    first = answer(body={"value": [], "nextLink": "https://arm.example/next?$skipToken=t"})
    script = talk(monkeypatch, listed(role()), first, listing(), PERMITTED)
    assert not assign()["changed"]
    assert script.requests[2].url.startswith("https://arm.example/next?")


# ---- taking back --------------------------------------------------------------------------------------------------


def test_take_back_and_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(monkeypatch, listed(role()), listing(), answer(200), listed(role()), NOTHING)
    first, second = assign(state="absent", diff=True), assign(state="absent")
    assert (first["changed"], first["changes"][0]["action"], first["diff"][0]["after"]) == (True, "delete", {})
    assert (second["changed"], second["failed"]) == (False, False)
    assert spoken(script) == [*READS, DELETE, *READS]


def test_one_that_went_meanwhile_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    talk(monkeypatch, listed(role()), listing(), refused(404, "RoleAssignmentNotFound"))
    assert not assign(state="absent")["failed"]


def test_what_others_assigned_stays_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(monkeypatch, listed(role()), listing("theirs"))
    result = assign(state="absent")
    assert (result["changed"], result["summary"]["drift"]) == (False, {"not_ours": 1})
    assert "Not ours and kept: assignment theirs" in result["msg"]
    assert spoken(script) == READS


@pytest.mark.parametrize(("state", "correct", "written"), [
    ("present", "never", False), ("present", "safe", True), ("absent", "safe", False), ("absent", "all", True),
])  # fmt: skip
def test_correct_says_what_may_be_written(
    monkeypatch: pytest.MonkeyPatch, state: str, correct: str, written: bool
) -> None:
    before = NOTHING if state == "present" else listing()
    talk(monkeypatch, listed(role()), before, *[answer(200, SHOWN)] * written)
    result = assign(state=state, correct=correct, wait_seconds=0)
    assert (result["changed"], result["failed"]) == (written, False)
    assert result["summary"]["outcome"] == ("corrected" if written else "drifted")


# ---- options ------------------------------------------------------------------------------------------------------

WRONG: dict[str, dict[str, Any]] = {
    "no scope": {"scope": " "},
    "a name": {"scope": "northwind-production"},
    "a subscription's id alone": {"scope": SUBSCRIPTION},
    "a subscription that is no GUID": {"scope": "/subscriptions/production"},
    "a query": {"scope": f"{SCOPE}?x=1"},
    "two slashes": {"scope": f"{SCOPE}//x"},
    "a principal's name": {"principal_id": "app"},
    "Lighthouse": {"managing_tenant_id": OTHER},
    "nobody who knows the app": {"access_token": jwt(tid=HOME, exp=9e9), "client_secret": None},
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_options_are_said_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    script = talk(monkeypatch)
    result = assign(**WRONG[case])
    assert result["failed"]
    assert result["problems"][0]["code"] == "InputError"
    assert not script.requests


def test_a_token_of_another_tenant_is_refused_by_us(monkeypatch: pytest.MonkeyPatch) -> None:
    talk(monkeypatch)
    assert assign(access_token=jwt(tid=OTHER, exp=9e9))["problems"][0]["code"] == "WrongTenant"


# ---- secrets ------------------------------------------------------------------------------------------------------


def test_no_secret_gets_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    token, path = jwt(tid=HOME, exp=9e9, canary="c"), tmp_path / "e.jsonl"
    echo = refused(403, "Echo", f"no right with {token} and canary-secret")
    talk(monkeypatch, listed(role()), NOTHING, echo)
    result = assign(access_token=token, evidence_path=str(path), diff=True)
    assert result["failed"]
    assert result["evidence"] == str(path)
    [line] = path.read_text().splitlines()
    assert json.loads(line)["problem"]["code"] == "Echo"
    for canary in (token, "canary-secret"):
        assert canary not in json.dumps(result) + line
