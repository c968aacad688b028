# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delegations: the conversation with Azure, request by request, and what is said before any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.lighthouse import capability as lighthouse
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.lighthouse import options as lighthouse_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.lighthouse.api import (
    DELETE_ROLE,
    Authorization,
    Wanted,
)
from tests.unit.plugins.module_utils._microsoft.rights_scripts import DELETE_ROLE as DELETE_GUID
from tests.unit.plugins.module_utils._microsoft.rights_scripts import (
    MONITORING,
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

TOKEN = jwt(tid=HOME, exp=9e9, canary="c")
GIVEN = tuple(
    Authorization(OID, guid, name=f"SOC: {name}", role_name=name)
    for name, guid in (("Monitoring Contributor", MONITORING), (DELETE_ROLE, DELETE_GUID))
)
WISH = Wanted(SUBSCRIPTION, OTHER, "SOC", "SOC", GIVEN, True, True)
ROLES = (listed(role(DELETE_ROLE, DELETE_GUID)), listed(role()))
NOTHING = listed()
DONE = answer(body={"id": WISH.definition_id, "properties": {**WISH.properties(), "provisioningState": "Succeeded"}})
CREATING = answer(body={"properties": {"provisioningState": "Creating"}})
BOTH = [{"actions": one["properties"]["permissions"][0]["actions"]} for one in (role(), role(DELETE_ROLE))]
PERMITTED = listed(*BOTH)
FOREIGN = refused(401, "InvalidAuthenticationTokenTenant", "wrong issuer")


def delegate(**args: Any) -> dict[str, Any]:
    wanted = {"managing_tenant_id": OTHER, "subscription_id": SUBSCRIPTION, "name": "SOC", "access_token": TOKEN}
    return run(lighthouse, lighthouse_options.DELEGATION_MODULE_SPEC, **{**wanted, **args})


def there(**more: Any) -> dict[str, Any]:
    """Our assignment with its definition as Azure lists them."""
    properties = {**WISH.properties(), "provisioningState": "Succeeded", **more}
    found = {"id": WISH.definition_id, "properties": properties}
    return {"id": WISH.assignment_id, "name": WISH.name, "properties": {"registrationDefinition": found}}


def test_delegate_and_see_it_count(monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(
        monkeypatch, *ROLES, NOTHING, NOTHING, answer(201), CREATING, DONE, answer(201), DONE, NOTHING, PERMITTED
    )
    result = delegate()
    assert (result["changed"], result["failed"], result["delegation"]["effective"]) == (True, False, True)
    put, get = f"PUT {WISH.name}", f"GET {WISH.name}"
    assert spoken(script)[2:] == [
        "GET registrationAssignments", "GET registrationDefinitions", put, get, get, put, get,
        "GET permissions", "GET permissions",
    ]  # fmt: skip
    assert "$expandRegistrationDefinition=true" in script.requests[2].url
    assert script.requests[4].body == {"properties": WISH.properties()}
    assert script.requests[7].body == {"properties": {"registrationDefinitionId": WISH.definition_id}}
    by_customer = [one.headers["Authorization"] == f"Bearer {TOKEN}" for one in script.requests]
    assert by_customer == [True] * 9 + [False] * 2, "the app looks from its own tenant"


def test_a_second_run_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(monkeypatch, *ROLES, listed(there()), PERMITTED)
    result = delegate(diff=True)
    assert (result["changed"], result["summary"]["outcome"], result["diff"]) == (False, "in_sync", [])
    assert len(script.requests) == 4


def test_delegations_of_resource_groups_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    group = {
        **there(),
        "id": f"{SCOPE}/resourceGroups/rg/providers/Microsoft.ManagedServices/registrationAssignments/x",
    }
    talk(monkeypatch, *ROLES, listed(group), NOTHING)
    assert delegate(check=True)["summary"]["drift"] == {"missing": 2}


def test_an_end_other_than_success_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = answer(body={"properties": {"provisioningState": "Failed"}})
    script = talk(monkeypatch, *ROLES, NOTHING, NOTHING, answer(201), failed)
    result = delegate()
    assert (result["failed"], result["problems"][0]["code"]) == (True, "ProvisioningFailed")
    assert [one["code"] for one in result["problems"]] == ["ProvisioningFailed", "NotTried"], "the assignment"
    assert result["changed"], "Azure has taken the definition"
    assert not script.answers


REFUSED = {
    "restricted": (refused(400, "InvalidRegistrationDefinitionCreateRequest", "… because of restricted actions."),
                   "choose the built-in roles"),
    "not registered": (refused(409, "MissingSubscriptionRegistration", "The subscription is not registered to use "
                               "namespace 'Microsoft.ManagedServices'."),
                       "az provider register --namespace Microsoft.ManagedServices"),
    "no right": (refused(403, "AuthorizationFailed", "… action 'Microsoft.ManagedServices/registrationDefinitions/"
                         "write' …"), "access_token of an Owner"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_write_is_told_with_its_next_step(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    refusal, step = REFUSED[case]
    talk(monkeypatch, *ROLES, NOTHING, NOTHING, refusal)
    result = delegate()
    assert (result["changed"], result["failed"]) == (False, True)
    assert step in result["problems"][0]["next_step"]


def test_what_is_written_and_not_to_be_read_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    talk(
        monkeypatch, *ROLES, NOTHING, NOTHING, answer(201), refused(404, "NotFound"), DONE, answer(201), DONE, PERMITTED
    )
    assert not delegate()["failed"]


def test_an_assignment_is_not_made_of_a_definition_that_may_not_be_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a careful run would give away what somebody put into the definition."""
    found = there(authorizations=[GIVEN[0].body()])["properties"]["registrationDefinition"]
    script = talk(monkeypatch, *ROLES, NOTHING, listed(found))
    result = delegate(correct="safe")
    assert (result["changed"], result["summary"]["outcome"]) == (False, "drifted")
    assert not script.answers


NO_LIST = {
    "refused": refused(403, "AuthorizationFailed"),
    "not found": refused(404, "SubscriptionNotFound"),
    "of another tenant": FOREIGN,
    "no list": answer(body={}),
    "an entry without an id": listed({"name": "x", "properties": {}}),
    "an assignment without its definition": listed({"id": WISH.assignment_id, "name": "x", "properties": {}}),
    "a definition without authorizations": listed(
        {**there(), "properties": {"registrationDefinition": {"id": "x", "properties": {"managedByTenantId": "x"}}}}
    ),
}


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("case", NO_LIST)
def test_what_cannot_be_read_is_never_absent(monkeypatch: pytest.MonkeyPatch, case: str, state: str) -> None:
    asked = ROLES if state == "present" else ()
    script = talk(monkeypatch, *asked, NO_LIST[case])
    result = delegate(state=state)
    assert (result["changed"], result["failed"]) == (False, True)
    assert not any(one.method in ("PUT", "DELETE") for one in script.requests)


# ---- from the managing tenant -------------------------------------------------------------------------------------

SEEN = listed({"subscriptionId": f"{OTHER[:-1]}1", "tenantId": OTHER, "displayName": "soc", "state": "Enabled"})


def test_the_names_of_roles_are_read_where_the_app_sees_something(monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(monkeypatch, SEEN, *ROLES, FOREIGN, FOREIGN)
    result = delegate(access_token=None)
    assert (result["failed"], result["summary"]["outcome"]) == (False, "waiting")
    assert f"/subscriptions/{OTHER[:-1]}1/providers/Microsoft.Authorization/roleDefinitions" in script.requests[1].url


def test_where_no_names_may_be_read_the_known_ones_do(monkeypatch: pytest.MonkeyPatch) -> None:
    no = refused(403, "AuthorizationFailed")
    talk(monkeypatch, NOTHING, no, no, FOREIGN, FOREIGN)
    result = delegate(access_token=None)
    assert (result["failed"], result["summary"]["outcome"]) == (False, "waiting")
    talk(monkeypatch, NOTHING, no)
    result = delegate(access_token=None, authorizations=[{"role": "Owner"}])
    assert (result["failed"], result["problems"][0]["code"]) == (True, "AuthorizationFailed")


def test_the_managing_tenants_access_ends_with_the_delegation(monkeypatch: pytest.MonkeyPatch) -> None:
    script = talk(monkeypatch, listed(there()), answer(202), DONE, FOREIGN, FOREIGN)
    result = delegate(access_token=None, state="absent")
    assert (result["changed"], result["failed"], result["summary"]["counts"]["skipped"]) == (True, False, 1)
    assert [one.method for one in script.requests].count("DELETE") == 1
    talk(monkeypatch, FOREIGN, FOREIGN)
    again = delegate(access_token=None, state="absent")
    assert (again["changed"], again["failed"], again["summary"]["outcome"]) == (False, False, "in_sync")


def test_another_refusal_of_the_managing_tenant_is_no_proof_either(monkeypatch: pytest.MonkeyPatch) -> None:
    talk(monkeypatch, refused(403, "AuthorizationFailed"))
    assert delegate(access_token=None, state="absent")["failed"]


def test_for_the_customer_a_refusal_is_no_proof_that_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    talk(monkeypatch, listed(there()), answer(200), refused(403, "AuthorizationFailed"))
    assert delegate(state="absent")["problems"][0]["code"] == "AuthorizationFailed"


def test_a_definition_that_is_in_use_for_a_moment_more(monkeypatch: pytest.MonkeyPatch) -> None:
    gone, busy = refused(404, "NotFound"), refused(409, "InUse")
    talk(monkeypatch, listed(there()), answer(200), gone, busy, busy, answer(200), gone)
    assert not delegate(state="absent")["failed"]
    talk(monkeypatch, listed(there()), answer(200), gone, *[busy] * 9)
    result = delegate(state="absent", wait_seconds=3)
    assert (result["changed"], result["problems"][0]["code"]) == (True, "InUse")


def test_what_azure_does_not_finish_was_written_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    talk(monkeypatch, *ROLES, NOTHING, NOTHING, answer(201), *[CREATING] * 9)
    result = delegate(wait_seconds=3)
    assert (result["changed"], result["failed"], result["problems"][0]["code"]) == (True, True, "NotFinished")


def test_a_role_whose_permissions_are_not_known_is_not_said_to_count(monkeypatch: pytest.MonkeyPatch) -> None:
    talk(monkeypatch, NOTHING, *[refused(403, "AuthorizationFailed")] * 2, listed(there()))
    result = delegate(access_token=None)
    assert (result["summary"]["outcome"], result["delegation"]["effective"]) == ("in_sync", None)


def test_the_token_of_a_person_of_the_managing_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    token = jwt(tid=OTHER, exp=9e9)
    script = talk(monkeypatch, SEEN, *ROLES, FOREIGN, FOREIGN)
    assert delegate(access_token=token)["summary"]["outcome"] == "waiting"
    assert all(one.headers["Authorization"] == f"Bearer {token}" for one in script.requests)


# ---- the template's file ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [None, "{}", "no JSON"])
def test_the_file_is_written_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: str | None) -> None:
    path = tmp_path / "t.json"
    if before is not None:
        path.write_text(before)
    for expected in (True, False):
        talk(monkeypatch, *ROLES, listed(there()), PERMITTED)
        result = delegate(template_path=str(path), diff=True)
        assert (result["changed"], len(result["diff"])) == (expected, int(expected))
    assert json.loads(path.read_text())["resources"][0]["properties"] == WISH.properties()
    assert path.stat().st_mode & 0o777 == 0o644


def test_no_file_is_written_when_the_customer_leaves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    talk(monkeypatch, NOTHING, NOTHING)
    assert not delegate(state="absent", template_path=str(tmp_path / "t.json"))["changed"]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_a_failed_target(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    talk(monkeypatch, *ROLES, listed(there()), PERMITTED)
    result = delegate(template_path=str(tmp_path / "no" / "t.json"))
    assert (result["changed"], result["failed"], result["summary"]["counts"]["in_sync"]) == (False, True, 2)
    talk(monkeypatch, *ROLES)
    assert "template_path" in delegate(template_path=str(tmp_path))["msg"], "a folder"


# ---- options ------------------------------------------------------------------------------------------------------

WRONG: dict[str, dict[str, Any]] = {
    "a subscription's name": {"subscription_id": "production"},
    "its own tenant": {"managing_tenant_id": HOME},
    "no name": {"name": " "},
    "nobody": {"authorizations": []},
    "a principal's name": {"authorizations": [{"role": "Reader", "principal_id": "soc"}]},
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_options_are_said_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    script = talk(monkeypatch)
    result = delegate(**WRONG[case])
    assert (result["failed"], result["problems"][0]["code"], script.requests) == (True, "InputError", [])


@pytest.mark.parametrize("more", [{"dataActions": ["x"]}, {"kind": "CustomRole"}])
def test_a_role_that_lighthouse_would_refuse_is_not_sent(monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]) -> None:
    script = talk(monkeypatch, listed(role("Reader", **more)))
    result = delegate(authorizations=[{"role": "Reader"}])
    assert (result["failed"], result["problems"][0]["code"]) == (True, "RoleNotDelegable")
    assert spoken(script) == ["GET roleDefinitions"]


def test_without_the_app_somebody_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    talk(monkeypatch, *ROLES)
    assert "principal_id is missing" in delegate(client_secret=None)["msg"]
    reader = {"role": "Reader", "principal_id": STRANGER}
    talk(monkeypatch, listed(role("Reader")), NOTHING, NOTHING)
    result = delegate(client_secret=None, authorizations=[reader], check=True)
    assert result["delegation"]["authorizations"][0]["principal_id"] == STRANGER


NOT_YET = {
    "not known to be delegated": refused(401, "InvalidAuthenticationTokenTenant"),
    "not seen": refused(404, "SubscriptionNotFound"),
    "not to be read": refused(403, "AuthorizationFailed"),
}


@pytest.mark.parametrize("case", NOT_YET)
def test_a_delegation_that_does_not_count_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    """Azure's own cache takes 10 to 15 minutes: Azure/OpenShift#8."""
    again = [NOT_YET[case]] * (2 if "401" in str(NOT_YET[case]) or case == "not known to be delegated" else 1)
    talk(monkeypatch, *ROLES, NOTHING, NOTHING, answer(201), DONE, answer(201), DONE, *again, PERMITTED)
    result = delegate()
    assert (result["failed"], result["delegation"]["effective"]) == (False, True)


def test_a_proxys_refusal_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    talk(monkeypatch, *ROLES, NOTHING, NOTHING, answer(201), DONE, answer(201), DONE, answer(403, "<html>"))
    result = delegate()
    assert result["problems"][0]["code"] == "HTTP403"


def test_a_definition_that_is_left_out_of_a_list_is_read_by_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = there()
    definition = whole["properties"]["registrationDefinition"]
    bare = {**whole, "properties": {"registrationDefinitionId": definition["id"]}}
    talk(monkeypatch, *ROLES, listed(bare), answer(body=definition), PERMITTED)
    assert delegate()["summary"]["outcome"] == "in_sync"
