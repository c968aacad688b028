# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra's own diagnostic setting: what is wanted of it, its refusals told as what they are, and its delays awaited."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError, OnboardingError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.entra_logs import (
    api,
    capability,
    options,
    scopes,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.settings.plan import LogChoice
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.settings.setting import Category, Offered
from tests.unit.plugins.module_utils._microsoft.builders import HUB_RULE, OURS, WORKSPACE
from tests.unit.plugins.module_utils._microsoft.scripts_of_http import HOME, IDENTITY, OTHER, answer, scripted, told

PARAMS: dict[str, Any] = {
    **{name: spec.get("default") for name, spec in options.ENTRA_MODULE_SPEC.items()},
    **IDENTITY,
    "event_hub_authorization_rule_id": HUB_RULE,
    "event_hub_name": OURS,
}
NAMES = ("AuditLogs", "SignInLogs", "RiskyUsers")
HUB_SUBSCRIPTION = HUB_RULE.split("/")[2]


def categories(*names: str) -> Any:
    return answer(200, {"value": [{"name": name, "properties": {"categoryType": "Logs"}} for name in names]})


def raw(name: str = OURS, on: tuple[str, ...] = NAMES, rule: str = HUB_RULE, hub: str = OURS) -> dict[str, Any]:
    logs = [{"category": one, "enabled": one in on, "retentionPolicy": {"enabled": False, "days": 0}} for one in NAMES]
    properties = {"eventHubAuthorizationRuleId": rule, "eventHubName": hub, "workspaceId": None, "logs": logs}
    return {"id": "x", "name": name, "properties": properties}


def listed(*values: Any) -> Any:
    return answer(200, {"value": list(values)})


def refused(status: int, code: str, message: str) -> Any:
    return answer(status, {"error": {"code": code, "message": message}})


class Conversation:
    """A run over a script."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Any, check: bool = False, **params: Any) -> None:
        self.arm, self.script, self.clock, self.tokens = scripted(monkeypatch, *answers)
        self.monkeypatch, self.check, self.params = monkeypatch, check, {**PARAMS, **params}

    def run(self) -> dict[str, Any]:
        result = told(self.monkeypatch, capability, self.arm, self.params, check=self.check)
        assert self.script.answers == [], "answers that nobody asked for"
        return result

    def sent(self) -> list[tuple[str, Any]]:
        return [(one.method, one.body) for one in self.script.requests if one.method != "GET"]


def drift(result: dict[str, Any]) -> tuple[str, ...]:
    return tuple(result["summary"]["drift"])


def test_a_setting_is_made_with_all_categories_and_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Conversation(monkeypatch, categories(*NAMES), listed(), answer(200, raw()), listed(), listed(),
                        listed(raw()))  # fmt: skip
    result = talk.run()
    assert (result["changed"], drift(result), result["summary"]["counts"]["corrected"]) == (True, ("missing",), 1)
    ((method, sent),) = talk.sent()
    assert method == "PUT"
    assert sent == {
        "properties": {
            "eventHubAuthorizationRuleId": HUB_RULE,
            "eventHubName": OURS,
            "logs": [{"category": name, "enabled": True} for name in ("AuditLogs", "RiskyUsers", "SignInLogs")],
        }
    }
    put = next(one for one in talk.script.requests if one.method == "PUT")
    assert put.url == (
        f"https://arm.example/providers/microsoft.aadiam/diagnosticSettings/{OURS}?api-version=2017-04-01"
    )
    assert "2017-04-01-preview" in talk.script.requests[0].url


def test_what_is_as_wanted_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in another spelling, with nulls, and with disabled categories listed."""
    shown = raw(on=("AuditLogs", "SignInLogs"), rule=HUB_RULE.upper())
    talk = Conversation(monkeypatch, categories(*NAMES), listed(shown), categories=["auditlogs", "SIGNINLOGS"])
    result = talk.run()
    assert (result["changed"], result["summary"]["outcome"], talk.sent()) == (False, "in_sync", [])
    assert result["categories"] == ["AuditLogs", "RiskyUsers", "SignInLogs"]


@pytest.mark.parametrize(
    ("found", "classes"),
    [
        (raw(on=("AuditLogs",)), ("disabled",)),
        (raw(hub="other"), ("sink_changed",)),
        (raw(rule=HUB_RULE + "2"), ("sink_changed",)),
    ],
)
def test_our_setting_is_put_right(monkeypatch: pytest.MonkeyPatch, found: Any, classes: tuple[str, ...]) -> None:
    talk = Conversation(monkeypatch, categories(*NAMES), listed(found), answer(200, {}), listed(raw()))
    result = talk.run()
    assert (result["changed"], drift(result)) == (True, classes)
    predicted = Conversation(monkeypatch, categories(*NAMES), listed(found), check=True).run()
    assert (predicted["changed"], predicted["changes"]) == (True, result["changes"])


def test_a_category_that_microsoft_adds_is_taken_up_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Conversation(monkeypatch, categories(*NAMES, "Brandnew"), listed(raw()), check=True)
    assert drift(talk.run()) == ("category_missing",)


def test_single_categories_do_not_take_up_others(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Conversation(monkeypatch, categories(*NAMES, "Brandnew"), listed(raw()), categories=list(NAMES))
    assert talk.run()["summary"]["outcome"] == "in_sync"


def test_a_setting_of_another_name_is_no_ground_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    same = Conversation(monkeypatch, categories(*NAMES), listed(raw("theirs"))).run()
    assert (same["changed"], same["summary"]["outcome"]) == (False, "in_sync")
    some = Conversation(monkeypatch, categories(*NAMES), listed(raw("theirs", on=("AuditLogs",)))).run()
    assert (some["changed"], drift(some), some["problems"][0]["code"]) == (False, ("conflict",), "conflict")


def test_it_is_adopted_on_request_only(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Conversation(
        monkeypatch, categories(*NAMES), listed(raw("theirs", on=("AuditLogs",))), answer(200, {}),
        listed(raw("theirs")), on_conflict="adopt",
    )  # fmt: skip
    assert talk.run()["changed"]
    assert "/theirs?" in next(one.url for one in talk.script.requests if one.method == "PUT")


def test_the_sixth_setting_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [raw(f"s{number}", rule=f"{HUB_RULE}{number}") for number in range(5)]
    result = Conversation(monkeypatch, categories(*NAMES), listed(*others)).run()
    assert (result["changed"], drift(result), result["problems"][0]["code"]) == (False, ("limit",), "limit")


def test_absent_asks_for_no_categories_and_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = raw("theirs")
    talk = Conversation(monkeypatch, listed(raw(), theirs), answer(200, {}), listed(raw(), theirs), listed(theirs),
                        state="absent")  # fmt: skip
    assert talk.run()["changed"]
    assert talk.sent() == [("DELETE", None)]
    assert not Conversation(monkeypatch, listed(theirs), state="absent").run()["changed"]


def test_what_azure_never_shows_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Conversation(monkeypatch, categories(*NAMES), listed(), answer(200, {}), *[listed()] * 5, wait_seconds=10)
    result = talk.run()
    assert (result["failed"], result["changed"], result["problems"][0]["code"]) == (True, True, "NotFinished")


@pytest.mark.parametrize(("level", "changed"), [("never", False), ("safe", False), ("all", True)])
def test_the_level_of_correction(monkeypatch: pytest.MonkeyPatch, level: str, changed: bool) -> None:
    answers = [answer(200, {}), listed(raw())] if changed else []
    found = raw(on=("AuditLogs",))
    talk = Conversation(monkeypatch, categories(*NAMES), listed(found), *answers, correct=level)
    result = talk.run()
    assert (result["changed"], result["summary"]["correctable"]) == (changed, {"safe": 0, "all": 0 if changed else 1})


# -- refusals ---------------------------------------------------------------------------------------------------------

FORBIDDEN = refused(
    403,
    "AuthorizationFailed",
    "The client 'app' with object id 'o' does not have authorization to perform action "
    "'microsoft.aadiam/diagnosticSettings/read' over scope '/providers/microsoft.aadiam/diagnosticSettings'",
)


def token(**claims: Any) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{part}.x"


def refusal(talk: Conversation, given: str) -> OnboardingError:
    async def get(_tenant: str, _scope: str) -> str:
        return given

    talk.tokens.get = get  # type: ignore[method-assign]
    with pytest.raises(OnboardingError) as caught:
        talk.run()
    return caught.value


def test_the_403_of_service_principals_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    error = refusal(Conversation(monkeypatch, FORBIDDEN), token(oid="the-object-id", idtyp="app"))
    assert (error.status, error.code) == (403, "AuthorizationFailed")
    for words in (
        "/providers/Microsoft.Authorization/elevateAccess",
        "--assignee-object-id the-object-id",
        "--role Contributor --scope /providers/Microsoft.aadiam",
        "az role assignment delete",
        "access_token of a Security Administrator",
    ):
        assert words in error.next_step


def test_an_administrator_hears_of_a_directory_role(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Conversation(monkeypatch, FORBIDDEN, access_token="given")
    error = refusal(talk, token(oid="u", idtyp="user"))
    assert "Security Administrator" in error.next_step
    assert "elevateAccess" not in error.next_step


def test_a_refused_destination_is_another_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "has permission …; however, it does not have permission to perform action 'x' on the linked scope(s)"
    no = refused(403, "LinkedAuthorizationFailed", text)
    result = Conversation(monkeypatch, categories(*NAMES), listed(), no).run()
    assert (result["failed"], result["changed"]) == (True, False)
    assert "elevateAccess" not in result["problems"][0]["next_step"]


def test_another_refusal_is_told_as_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    no = refused(409, "Conflict", "The data sink is used by another setting.")
    (problem,) = Conversation(monkeypatch, categories(*NAMES), listed(), no).run()["problems"]
    assert "on_conflict" in problem["next_step"]


@pytest.mark.parametrize("status", [400, 403])
def test_a_missing_licence_is_told_as_one(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    no = refused(status, "Forbidden", "The tenant does not have a Premium license.")
    (problem,) = Conversation(monkeypatch, categories(*NAMES), listed(), no).run()["problems"]
    assert problem["next_step"] == api.LICENCE_STEP
    assert "Premium license" in problem["message"]


@pytest.mark.parametrize("names", [["AuditLogs", "Signins"], ["Signins"]])
def test_a_category_that_the_tenant_does_not_offer(monkeypatch: pytest.MonkeyPatch, names: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        Conversation(monkeypatch, categories(*NAMES), categories=names).run()
    assert caught.value.code == "UnknownCategory"
    assert "nothing matches signins (did you mean SignInLogs?)" in caught.value.message


def test_a_tenant_that_offers_nothing_is_no_tenant_that_has_all(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError):
        Conversation(monkeypatch, categories()).run()


@pytest.mark.parametrize("odd", [{}, {"value": None}, {"value": [{}]}, {"value": ["x"]}, []])
@pytest.mark.parametrize("place", [0, 1])
def test_odd_answers_are_no_absence(monkeypatch: pytest.MonkeyPatch, odd: Any, place: int) -> None:
    answers = [categories(*NAMES), listed()]
    answers[place] = answer(200, odd)
    with pytest.raises(OnboardingError):
        Conversation(monkeypatch, *answers).run()


# -- across tenants ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("visible", "along"), [(HUB_SUBSCRIPTION, False), (HOME, True)])
def test_another_tenants_token_goes_along_where_the_hub_is_there(
    monkeypatch: pytest.MonkeyPatch, visible: str, along: bool
) -> None:
    seen = listed({"subscriptionId": visible, "displayName": "x", "state": "Enabled", "tenantId": HOME})
    talk = Conversation(monkeypatch, categories(*NAMES), listed(), seen, answer(200, {}), listed(raw()),
                        auxiliary_tenant_ids=[OTHER])  # fmt: skip
    assert talk.run()["changed"]
    put = next(one for one in talk.script.requests if one.method == "PUT")
    assert ("x-ms-authorization-auxiliary" in put.headers) == along


def test_the_sign_in_is_to_the_customers_own_tenant() -> None:
    assert options.setup({**PARAMS, "managing_tenant_id": OTHER}).identity.sign_in == HOME


# -- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {"categories": []},
        {"event_hub_authorization_rule_id": None},
        {"event_hub_authorization_rule_id": "evh"},
        {"name": "a/b"},
    ],
)
def test_wrong_options_are_told_before_anything_is_sent(given: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        options.desired({**PARAMS, **given})


def test_any_kind_of_destination_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"event_hub_authorization_rule_id": None, "event_hub_name": None, "workspace_id": WORKSPACE}
    talk = Conversation(monkeypatch, categories(*NAMES), listed(), check=True, **given)
    assert talk.run()["changed"]


def test_absent_needs_no_destination() -> None:
    assert not options.desired({**PARAMS, "event_hub_authorization_rule_id": None, "state": "absent"}).present


def test_what_is_not_asked_for_is_told_in_one_order() -> None:
    names = [f"c{number}" for number in range(9)]
    offered = Offered({name: Category(name, frozenset()) for name in names}, {})
    found = scopes.seen(offered, LogChoice("", frozenset({"c4"})))
    assert found is not None
    assert [one.name for one in found.parts] == [f"Entra category {name}" for name in names if name != "c4"]
