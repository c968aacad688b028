# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Event Hub on the wire: what answers mean, what is sent, and runs over scripted conversations."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError, OnboardingError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import capability
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import options as specs
from tests.unit.plugins.module_utils._microsoft.scripts_of_http import Script, answer, scripted, told

SUBSCRIPTION = "20000000-0000-4000-8000-000000000001"
OURS = "mssp-onboarding"
PARAMS: dict[str, Any] = {
    "subscription_id": SUBSCRIPTION,
    "resource_group": "rg-siem",
    "namespace": "evh-siem",
    "hub": OURS,
    **{name: spec["default"] for name, spec in {**specs.PARTS_SPEC, **specs.KEYS_SPEC, **specs.WAIT_SPEC}.items()},
    "location": "westeurope",
    "state": "present",
    "fail_on": "error",
    "correct": "all",
}
RAW_NAMESPACE = {
    "name": "evh-siem",
    "location": "West Europe",
    "tags": {"mssp-onboarding": "event_hub_export", "team": "x"},
    "sku": {"name": "Standard", "tier": "Standard", "capacity": 3},
    "properties": {
        "provisioningState": "Succeeded",
        "minimumTlsVersion": "1.2",
        "disableLocalAuth": False,
        "createdAt": "2026-01-01T00:00:00Z",
        "isAutoInflateEnabled": True,
        "maximumThroughputUnits": 7,
        "clusterArmId": None,
    },
}
RAW_HUB = {
    "name": OURS,
    "properties": {
        "partitionCount": 4,
        "messageRetentionInDays": 7,
        "status": "Active",
        "partitionIds": ["0", "1", "2", "3"],
        "captureDescription": {"enabled": True},
        "retentionDescription": {"cleanupPolicy": "Delete", "retentionTimeInHours": 168},
    },
}


def changed(raw: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {**raw, "properties": {**raw["properties"], **properties}}


def rule(name: str, *rights: str) -> dict[str, Any]:
    return {"name": name, "properties": {"rights": list(rights)}}


def listed(*values: Any) -> Any:
    return answer(200, {"value": list(values)})


SHOWN: dict[str, Any] = {"properties": {}}
MISSING = answer(404, {"error": {"code": "ResourceNotFound", "message": "not found"}})
NO_GROUP = answer(404, {"error": {"code": "ResourceGroupNotFound", "message": "no such group"}})
FREE = answer(200, {"nameAvailable": True, "reason": "None", "message": ""})
WHOLE = (
    answer(200, RAW_NAMESPACE),
    listed(RAW_HUB),
    listed(rule(f"{OURS}-reader", "Listen")),
    listed({"name": "$Default", "properties": {}}, {"name": OURS, "properties": {"userMetadata": OURS}}),
    listed(rule("RootManageSharedAccessKey"), rule(f"{OURS}-writer", "Listen", "Send", "Manage")),
)
KEYS = {"keyName": f"{OURS}-reader", "primaryKey": "p-canary", "secondaryKey": "s-canary",
        "primaryConnectionString": "pc-canary", "secondaryConnectionString": "sc-canary"}  # fmt: skip


class Conversation:
    """A run over a script."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Any, check: bool = False, **params: Any) -> None:
        self.arm, self.script, self.clock, _tokens = scripted(monkeypatch, *answers)
        self.monkeypatch, self.check, self.params = monkeypatch, check, {**PARAMS, **params}

    def run(self) -> dict[str, Any]:
        result = told(self.monkeypatch, capability, self.arm, self.params, check=self.check)
        assert self.script.answers == [], "answers that nobody asked for"
        return result


def asked(script: Script, *methods: str) -> list[str]:
    """«METHOD last/pieces» of requests."""
    return [
        f"{one.method} {'/'.join(one.url.partition('?')[0].split('/')[-2:])}"
        for one in script.requests
        if not methods or one.method in methods
    ]


def test_all_as_wanted_is_five_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Conversation(monkeypatch, *WHOLE)
    result = talk.run()
    assert (result["changed"], result["failed"], result["summary"]["outcome"]) == (False, False, "in_sync")
    assert asked(talk.script) == [
        "GET namespaces/evh-siem",
        "GET evh-siem/eventhubs",
        f"GET {OURS}/authorizationRules",
        f"GET {OURS}/consumergroups",
        "GET evh-siem/authorizationRules",
    ]
    assert all("api-version=2024-01-01" in one.url for one in talk.script.requests)
    assert result["event_hub_authorization_rule_id"].endswith(f"/evh-siem/authorizationRules/{OURS}-writer")
    assert "keys" not in result


def test_all_is_made_and_the_namespace_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    creating = answer(201, changed(RAW_NAMESPACE, provisioningState="Creating"))
    made = answer(200, SHOWN)
    talk = Conversation(
        monkeypatch, MISSING, NO_GROUP, FREE, made, creating, MISSING, creating, creating, answer(200, RAW_NAMESPACE),
        made, made, made, made,
    )  # fmt: skip
    result = talk.run()
    assert (result["changed"], result["summary"]["counts"]["corrected"]) == (True, 6)
    assert asked(talk.script, "PUT") == [
        "PUT resourceGroups/rg-siem",
        "PUT namespaces/evh-siem",
        f"PUT authorizationRules/{OURS}-writer",
        f"PUT eventhubs/{OURS}",
        f"PUT authorizationRules/{OURS}-reader",
        f"PUT consumergroups/{OURS}",
    ]
    bodies = {one.url.partition("?")[0].split("/")[-1]: one.body for one in talk.script.requests if one.method == "PUT"}
    assert bodies["evh-siem"] == {
        "location": "westeurope",
        "tags": {OURS: "event_hub_export"},
        "sku": {"name": "Standard", "tier": "Standard", "capacity": 1},
        "properties": {"minimumTlsVersion": "1.2", "disableLocalAuth": False},
    }
    assert bodies[f"{OURS}-writer"] == {"properties": {"rights": ["Listen", "Manage", "Send"]}}
    assert bodies[f"{OURS}-reader"] == {"properties": {"rights": ["Listen"]}}


def test_a_namespace_that_is_never_done_ends_by_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    creating = answer(200, changed(RAW_NAMESPACE, provisioningState="Creating"))
    talk = Conversation(monkeypatch, MISSING, answer(200, SHOWN), FREE, *[creating] * 6, wait_seconds=10)
    result = talk.run()
    assert result["failed"]
    assert result["summary"]["counts"]["failed"] == 5
    codes = [one["code"] for one in result["problems"]]
    assert sorted(set(codes)) == ["NotFinished", "NotTried"]
    assert asked(talk.script, "PUT") == ["PUT namespaces/evh-siem"], "nothing is put into it"
    assert sum(talk.clock.slept) <= 10


def test_a_namespace_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = answer(200, changed(RAW_NAMESPACE, provisioningState="Failed"))
    result = Conversation(monkeypatch, MISSING, answer(200, SHOWN), FREE, answer(201, SHOWN), broken).run()
    assert "ProvisioningFailed" in [one["code"] for one in result["problems"]]


def test_a_half_made_namespace_is_waited_for_before_it_is_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    creating = answer(200, changed(RAW_NAMESPACE, provisioningState="Creating"))
    talk = Conversation(monkeypatch, creating, creating, *WHOLE, check=True)
    assert talk.run()["summary"]["outcome"] == "in_sync"


def test_a_name_that_is_taken_is_told_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = answer(200, {"nameAvailable": False, "reason": "NameInUse", "message": "The name is in use."})
    talk = Conversation(monkeypatch, MISSING, answer(200, SHOWN), taken)
    result = talk.run()
    assert result["problems"][0]["code"] == "name_taken"
    assert "unique in all of Azure" in result["problems"][0]["next_step"]
    assert asked(talk.script, "PUT") == []
    assert talk.script.requests[-1].body == {"name": "evh-siem"}


def test_who_may_not_ask_for_the_name_may_try(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = answer(403, {"error": {"code": "AuthorizationFailed", "message": "no"}})
    result = Conversation(monkeypatch, MISSING, answer(200, SHOWN), refused, check=True).run()
    assert result["summary"]["drift"] == {"missing": 5}


@pytest.mark.parametrize(
    "given",
    [
        answer(404, {"error": {"code": "SubscriptionNotFound", "message": "none"}}),
        answer(404, "<html>proxy</html>"),
        answer(403, {"error": {"code": "AuthorizationFailed", "message": "no"}}),
        answer(200, {"name": "evh-siem"}),
        answer(200, {**RAW_NAMESPACE, "sku": {"name": "Gold"}}),
        answer(200, []),
        answer(200)._replace(body=None),
    ],
)
def test_what_cannot_be_read_is_no_absence(monkeypatch: pytest.MonkeyPatch, given: Any) -> None:
    talk = Conversation(monkeypatch, given)
    with pytest.raises(OnboardingError):
        talk.run()


@pytest.mark.parametrize("place", range(1, 5))
@pytest.mark.parametrize("odd", [{}, {"value": None}, {"value": [{"name": "x"}]}, {"value": ["x"]}])
def test_odd_lists_are_no_absence_either(monkeypatch: pytest.MonkeyPatch, place: int, odd: Any) -> None:
    talk = Conversation(monkeypatch, *WHOLE[:place], answer(200, odd), *WHOLE[place + 1 :])
    with pytest.raises(OnboardingError):
        talk.run()


def test_lists_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    more = answer(200, {"value": [], "nextLink": "https://arm.example/subscriptions/x/more?api-version=2024-01-01"})
    assert Conversation(monkeypatch, WHOLE[0], more, *WHOLE[1:]).run()["summary"]["outcome"] == "in_sync"


def test_a_changed_namespace_keeps_what_else_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    old = answer(200, changed(RAW_NAMESPACE, minimumTlsVersion="1.0"))
    talk = Conversation(monkeypatch, old, *WHOLE[1:], answer(200, SHOWN), answer(200, RAW_NAMESPACE))
    assert talk.run()["changed"]
    (sent,) = [one.body for one in talk.script.requests if one.method == "PUT"]
    assert sent == {
        "location": "West Europe",
        "tags": RAW_NAMESPACE["tags"],
        "sku": {"name": "Standard", "tier": "Standard", "capacity": 3},
        "properties": {"minimumTlsVersion": "1.2", "disableLocalAuth": False, "isAutoInflateEnabled": True,
                       "maximumThroughputUnits": 7},
    }  # fmt: skip


def test_a_changed_hub_keeps_what_else_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    short = changed(RAW_HUB, retentionDescription={"cleanupPolicy": "Delete", "retentionTimeInHours": 24})
    talk = Conversation(monkeypatch, WHOLE[0], listed(short), *WHOLE[2:], answer(200, SHOWN))
    assert talk.run()["changed"]
    (sent,) = [one.body["properties"] for one in talk.script.requests if one.method == "PUT"]
    assert sent == {
        "partitionCount": 4,
        "status": "Active",
        "captureDescription": {"enabled": True},
        "retentionDescription": {"cleanupPolicy": "Delete", "retentionTimeInHours": 168},
    }


def test_a_refused_part_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    no = answer(403, {"error": {"code": "AuthorizationFailed", "message": "no"}})
    talk = Conversation(monkeypatch, WHOLE[0], listed(), listed(), no, no, check=False)
    result = talk.run()
    assert [one["code"] for one in result["problems"]].count("AuthorizationFailed") == 2, "writer rule and hub"
    assert (result["changed"], result["changes"]) == (False, [])
    assert result["summary"]["counts"] | {"unknown": 0} == {
        "targets": 6, "in_sync": 2, "corrected": 0, "drifted": 0, "pending": 0, "waiting": 0, "failed": 4, "unknown": 0,
        "skipped": 0,
    }  # fmt: skip


@pytest.mark.parametrize(("level", "writes"), [("never", 0), ("safe", 1), ("all", 2)])
def test_the_level_of_correction(monkeypatch: pytest.MonkeyPatch, level: str, writes: int) -> None:
    rules = listed(rule(f"{OURS}-writer", "Listen"))
    groups = listed({"name": "$Default", "properties": {}})
    done = [answer(200, SHOWN)] * writes
    talk = Conversation(monkeypatch, *WHOLE[:3], groups, rules, *done, correct=level)
    result = talk.run()
    assert len(asked(talk.script, "PUT")) == writes == result["summary"]["counts"]["corrected"]
    predicted = Conversation(monkeypatch, *WHOLE[:3], groups, rules, check=True, correct=level).run()
    assert (predicted["changed"], len(predicted["changes"])) == (writes > 0, writes)
    assert predicted["summary"]["correctable"] == {"safe": 1, "all": 2}
    assert predicted["msg"].startswith(f"Event Hub evh-siem/{OURS} (writer rule rights, consumer group missing): ")
    assert predicted["problems"] == [], "what can be put right is drift and no problem"


# -- keys -------------------------------------------------------------------------------------------------------------


def test_keys_are_read_only_where_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Conversation(monkeypatch, *WHOLE, answer(200, KEYS), return_keys=True)
    result = talk.run()
    assert asked(talk.script, "POST") == [f"POST {OURS}-reader/listKeys"]
    assert result["keys"]["secondary_connection_string"] == "sc-canary"
    assert not result["changed"]


@pytest.mark.parametrize("which", ["primary", "secondary"])
def test_a_rotation_changes_one_key_every_time(monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    for _run in range(2):
        talk = Conversation(monkeypatch, *WHOLE, answer(200, KEYS), rotate=which)
        result = talk.run()
        assert asked(talk.script, "POST") == [f"POST {OURS}-reader/regenerateKeys"]
        assert talk.script.requests[-1].body == {"keyType": f"{which.capitalize()}Key"}
        assert result["changed"]
        assert result["summary"]["requests"]["POST writes"] == 1
        assert "canary" not in repr(result), "nobody asked for the keys"
    predicted = Conversation(monkeypatch, *WHOLE, rotate=which, check=True).run()
    assert predicted["changed"]


def test_new_keys_are_returned_without_another_question(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Conversation(monkeypatch, *WHOLE, answer(200, KEYS), rotate="primary", return_keys=True)
    assert talk.run()["keys"]["primary_key"] == "p-canary"


def test_a_refused_rotation_gives_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    no = answer(403, {"error": {"code": "AuthorizationFailed", "message": "no"}})
    result = Conversation(monkeypatch, *WHOLE, no, rotate="primary", return_keys=True).run()
    assert (result["failed"], result["keys"]) == (True, {})


@pytest.mark.parametrize("odd", [{}, [], {**KEYS, "keyName": None}])
def test_an_odd_answer_with_keys_shows_none(monkeypatch: pytest.MonkeyPatch, odd: Any) -> None:
    result = Conversation(monkeypatch, *WHOLE, answer(200, odd), return_keys=True).run()
    assert (result["failed"], result["keys"]) == (True, {})
    assert "canary" not in repr(result)


def test_a_rotation_whose_answer_is_cut_is_done_again_for_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = NoAnswerError("x", "cut")
    talk = Conversation(monkeypatch, *WHOLE, cut, answer(200, KEYS), rotate="primary", return_keys=True)
    assert talk.run()["keys"]["primary_key"] == "p-canary"
    assert [one.body for one in talk.script.requests[-2:]] == [{"keyType": "PrimaryKey"}] * 2


def test_in_check_mode_a_rule_that_is_not_there_has_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    result = Conversation(monkeypatch, MISSING, NO_GROUP, FREE, return_keys=True, check=True).run()
    assert result["keys"] == {}


# -- going ------------------------------------------------------------------------------------------------------------

NONE_LEFT = listed()


def test_all_goes_and_the_namespace_is_seen_to_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    done = answer(200, SHOWN)
    there = answer(200, changed(RAW_NAMESPACE, provisioningState="Deleting"))
    talk = Conversation(monkeypatch, *WHOLE, done, done, done, done, NONE_LEFT, answer(202, {}), there, MISSING,
                        state="absent")  # fmt: skip
    assert talk.run()["summary"]["counts"]["corrected"] == 5
    assert asked(talk.script, "DELETE")[-1] == "DELETE namespaces/evh-siem"


def test_a_hub_that_came_meanwhile_saves_the_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    done = answer(200, SHOWN)
    late = listed(changed({**RAW_HUB, "name": "late"}))
    talk = Conversation(monkeypatch, *WHOLE, done, done, done, done, late, state="absent")
    result = talk.run()
    assert "DELETE namespaces/evh-siem" not in asked(talk.script)
    assert result["problems"][0]["code"] == "NotTried"


def test_a_namespace_that_failed_can_be_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = answer(200, changed(RAW_NAMESPACE, provisioningState="Failed"))
    talk = Conversation(monkeypatch, broken, listed(), listed(), listed(), answer(202, {}), MISSING, state="absent")
    assert talk.run()["summary"]["counts"]["corrected"] == 1


def test_a_hub_that_is_listed_for_a_while_does_not_keep_the_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    done = answer(200, SHOWN)
    talk = Conversation(monkeypatch, *WHOLE, done, done, done, done, listed(RAW_HUB), done, MISSING, state="absent")
    assert talk.run()["summary"]["counts"]["corrected"] == 5


def test_a_hub_that_could_not_be_removed_keeps_the_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    done, no = answer(200, SHOWN), answer(403, {"error": {"code": "AuthorizationFailed", "message": "no"}})
    talk = Conversation(monkeypatch, *WHOLE, done, done, no, done, state="absent")
    assert sorted(one["code"] for one in talk.run()["problems"]) == ["AuthorizationFailed", "NotTried"]
    assert "DELETE namespaces/evh-siem" not in asked(talk.script)


def test_a_namespace_whose_end_is_not_seen_was_written_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = answer(200, changed(RAW_NAMESPACE, provisioningState="Failed"))
    result = Conversation(monkeypatch, MISSING, answer(200, SHOWN), FREE, answer(201, SHOWN), broken).run()
    assert (result["failed"], result["changed"]) == (True, True)
    assert [one["action"] for one in result["changes"]] == ["create"]


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_namespace_on_its_way_out_is_waited_for(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    going = answer(200, changed(RAW_NAMESPACE, provisioningState="Deleting"))
    rest = [answer(200, SHOWN)] + ([FREE] if state == "present" else [])
    result = Conversation(monkeypatch, going, going, MISSING, *rest, state=state, check=True).run()
    assert result["summary"]["drift"] == ({"missing": 5} if state == "present" else {})


def test_what_is_gone_already_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    done, gone = answer(200, SHOWN), answer(404, {"error": {"code": "NotFound", "message": "gone"}})
    result = Conversation(monkeypatch, *WHOLE, gone, gone, gone, gone, NONE_LEFT, done, MISSING, state="absent").run()
    assert not result["failed"]


NOT_YET = {
    "the parent is not there yet": answer(404, {"error": {"code": "ParentResourceNotFound", "message": "no"}}),
    "another operation": answer(
        409, {"error": {"code": "Conflict", "message": "SubCode=40901. Another conflicting operation is in progress."}}
    ),
}


@pytest.mark.parametrize("case", NOT_YET)
def test_what_passes_right_after_something_was_made_is_tried_again(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    reads = [WHOLE[0], WHOLE[1], listed(), *WHOLE[3:]]
    talk = Conversation(monkeypatch, *reads, NOT_YET[case], NOT_YET[case], answer(200, SHOWN), check=False)
    result = talk.run()
    assert (result["changed"], result["failed"], result["problems"]) == (True, False, [])
    assert len(asked(talk.script, "PUT")) == 3


def test_what_does_not_pass_in_its_time_is_told_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = [WHOLE[0], WHOLE[1], listed(), *WHOLE[3:]]
    talk = Conversation(monkeypatch, *reads, *[next(iter(NOT_YET.values()))] * 200, check=False)
    result = told(talk.monkeypatch, capability, talk.arm, talk.params, check=False)
    assert result["problems"][0]["code"] == "ParentResourceNotFound"
    assert len(asked(talk.script, "PUT")) < 100


@pytest.mark.parametrize("trusted", [True, False])
def test_a_namespace_that_lets_nobody_in_is_told(monkeypatch: pytest.MonkeyPatch, trusted: bool) -> None:
    closed = answer(200, changed(RAW_NAMESPACE, publicNetworkAccess="Disabled"))
    rules = answer(200, {"properties": {"defaultAction": "Deny", "trustedServiceAccessEnabled": trusted}})
    result = Conversation(monkeypatch, closed, rules, *WHOLE[1:]).run()
    assert result["summary"]["outcome"] == ("in_sync" if trusted else "drifted")
    assert [one["code"] for one in result["problems"]] == ([] if trusted else ["network"])
    assert trusted or "enable-trusted-service-access" in result["problems"][0]["next_step"]
