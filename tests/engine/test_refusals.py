# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every answer that is not a clear yes: said with Azure's own words and a next step, and nothing written over it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import http
from lab.client import LabClient
from lab.testing import CONTOSO, PROSEWARE, WORKSPACE

from .engines import (
    DEV,
    DEV_VAULT,
    DEVELOPMENT,
    OURS,
    OWN_WORKSPACE,
    TEST_VAULT,
    Tenant,
    counts,
    foreign,
    held,
    log,
    ours,
)

# ---- on LIST ------------------------------------------------------------------------------------------------------

# Fault; the code, the status and a piece of the text and of the next step that must be told.
UNREADABLE: dict[str, tuple[dict[str, Any], str, int | None, str, str]] = {
    "403 nested": (
        {"action": "status", "status": 403, "code": "AuthorizationFailed", "message": "no right"},
        "AuthorizationFailed", 403, "no right", "Monitoring Contributor",
    ),
    "403 flat": (
        {"action": "status", "status": 403, "code": "AuthorizationFailed", "message": "no right", "shape": "flat"},
        "AuthorizationFailed", 403, "no right", "Monitoring Contributor",
    ),
    "404": (
        {"action": "status", "status": 404, "code": "ResourceNotFound", "message": "gone"},
        "ResourceNotFound", 404, "gone", "run again",
    ),
    "404 of the group": (
        {"action": "status", "status": 404, "code": "ResourceGroupNotFound", "message": "gone"},
        "ResourceGroupNotFound", 404, "gone", "run again",
    ),
    "409 flat": (
        {"action": "status", "status": 409, "code": "Conflict", "shape": "flat",
         "message": "The subscription is not registered to use microsoft.insights."},
        "Conflict", 409, "not registered", "az provider register --namespace Microsoft.Insights",
    ),
    "409 of ARM": (
        {"action": "status", "status": 409, "code": "MissingSubscriptionRegistration", "message": "register it"},
        "MissingSubscriptionRegistration", 409, "register it", "register the resource provider",
    ),
    "401 for ever": (
        {"action": "status", "status": 401, "code": "InvalidAuthenticationToken", "message": "bad token",
         "count": None},
        "InvalidAuthenticationToken", 401, "bad token", "check the identity",
    ),
    "a code without text": (
        {"action": "status", "status": 418, "code": "Teapot", "message": ""},
        "Teapot", 418, "Azure gave no text", "run again",
    ),
    "429 for ever": (
        {"action": "throttle", "count": None, "seconds": 7},
        "TooManyRequests", 429, "throttled", "run again later",
    ),
    "500 for ever": (
        {"action": "status", "status": 500, "code": "InternalServerError", "message": "oops", "count": None},
        "InternalServerError", 500, "oops", "request id",
    ),
    "503 for ever": (
        {"action": "status", "status": 503, "code": "ServiceUnavailable", "message": "down", "count": None},
        "ServiceUnavailable", 503, "down", "request id",
    ),
    "502 of a proxy, in html": (
        {"action": "html", "status": 502, "count": None},
        "HTTP502", 502, "Bad Gateway", "proxy",
    ),
    "dropped": ({"action": "drop", "count": None}, "ServerDisconnectedError", None, "isconnected", "run again"),
    "dropped after": (
        {"action": "drop_after", "count": None},
        "ServerDisconnectedError", None, "isconnected", "run again",
    ),
    "ended early": ({"action": "truncated", "count": None}, "ClientPayloadError", None, "not completed", "run again"),
    "cut short": ({"action": "malformed", "count": None}, "BadJson", 200, "not JSON", "run again"),
    "html with 200": ({"action": "html", "status": 200, "count": None}, "BadJson", 200, "not JSON", "run again"),
    "empty": ({"action": "empty", "count": None}, "BadShape", None, "another shape", "run again"),
    "another shape": ({"action": "status", "status": 200}, "BadShape", None, "another shape", "run again"),
    "204": ({"action": "status", "status": 204, "count": None}, "BadShape", None, "another shape", "run again"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_is_unknown_and_not_written_over(
    dev: Tenant, hasty: list[float], evidence: Path, case: str
) -> None:
    fault, code, status, text, step = UNREADABLE[case]
    dev.lab.fault(kind="settings.list", path=DEV_VAULT, **fault)
    told: list[str] = []

    class Reporter:
        failure = staticmethod(told.append)

        def update(self, **_given: Any) -> None: ...

    result = dev.run(evidence_path=str(evidence), reporter=Reporter())
    assert counts(result) == {"unknown": 1, "corrected": 1}, f"«{case}» must leave the target unknown; the rest goes on"
    assert result["failed"]
    assert result["summary"]["outcome"] == "unknown"
    assert result["summary"]["drift"] == {"missing": 1, "unknown": 1}, "unknown is never missing"
    (problem,) = result["problems"]
    assert problem["target"] == DEV_VAULT
    assert problem["operation"] == f"list the diagnostic settings of {DEV_VAULT}"
    assert (problem["code"], problem["status"]) == (code, status)
    assert text in problem["message"]
    assert step in problem["next_step"], "a problem has its next step"
    assert problem["code"] in result["msg"]
    assert problem["next_step"] in result["msg"]
    assert len(told) == 1, "a failure is told at once"
    line = next(line for line in map(json.loads, evidence.read_text().splitlines()) if line["target"] == DEV_VAULT)
    assert (line["status"], line["problem"]["code"]) == ("unknown", code)
    assert DEV_VAULT.lower() not in ours(dev.lab)
    assert [path.partition("/providers/Microsoft.Insights")[0] for _method, path in dev.written()] == [TEST_VAULT]


@pytest.mark.parametrize("case", ["403 nested", "429 for ever", "another shape"])
def test_what_cannot_be_read_is_not_removed_either(dev: Tenant, hasty: list[float], case: str) -> None:
    dev.run()
    dev.lab.reset_requests()
    dev.lab.fault(kind="settings.list", path=DEV_VAULT, **UNREADABLE[case][0])
    result = dev.run(state="absent")
    assert counts(result) == {"unknown": 1, "corrected": 1}
    assert result["failed"], "absent with an error is no success"
    assert DEV_VAULT.lower() in ours(dev.lab)


def test_a_hanging_answer_is_unknown(dev: Tenant, hasty: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.4)
    monkeypatch.setattr(http, "ATTEMPTS", 2)
    dev.lab.fault("hang", kind="settings.list", path=DEV_VAULT, count=None)
    result = dev.run()
    assert counts(result) == {"unknown": 1, "corrected": 1}
    assert result["problems"][0]["code"] == "Timeout"
    assert "no answer within" in result["problems"][0]["message"]


PASSING: dict[str, dict[str, Any]] = {
    "429": {"action": "throttle", "seconds": 3},
    "408": {"action": "status", "status": 408, "code": "RequestTimeout"},
    "500": {"action": "status", "status": 500},
    "502": {"action": "html", "status": 502},
    "503": {"action": "status", "status": 503},
    "504": {"action": "status", "status": 504},
    "401": {"action": "status", "status": 401},
    "dropped": {"action": "drop"},
    "dropped after": {"action": "drop_after"},
    "ended early": {"action": "truncated"},
    "cut short": {"action": "malformed"},
    "html with 200": {"action": "html", "status": 200},
}


@pytest.mark.parametrize("kind", ["settings.list", "settings.put"])
@pytest.mark.parametrize("case", PASSING)
def test_what_passes_is_tried_again(dev: Tenant, hasty: list[float], kind: str, case: str) -> None:
    dev.lab.fault(kind=kind, path=DEV_VAULT, **PASSING[case])
    result = dev.run()
    assert counts(result) == {"corrected": 2}, result["msg"]
    assert result["problems"] == []
    assert len([one for one in log(dev.lab, kind) if DEV_VAULT in one["path"]]) == 2
    assert counts(dev.run()) == {"in_sync": 2}


@pytest.mark.parametrize("case", ["403 nested", "404", "409 flat"])
def test_what_does_not_pass_is_asked_once(dev: Tenant, case: str) -> None:
    dev.lab.fault(kind="settings.list", path=DEV_VAULT, **{**UNREADABLE[case][0], "count": None})
    dev.run()
    assert len([one for one in log(dev.lab, "settings.list") if DEV_VAULT in one["path"]]) == 1


def test_a_redirect_is_not_followed_since_the_token_would_go_along(dev: Tenant) -> None:
    elsewhere = (
        f"{dev.lab.url}{TEST_VAULT}/providers/Microsoft.Insights/diagnosticSettings?api-version=2021-05-01-preview"
    )
    dev.lab.fault("status", kind="settings.list", path=DEV_VAULT, status=307, headers={"Location": elsewhere})
    result = dev.run(check=True)
    assert counts(result) == {"unknown": 1, "drifted": 1}
    assert result["problems"][0]["status"] == 307
    assert len(log(dev.lab, "settings.list")) == 2


def test_the_wait_that_azure_names_is_kept(dev: Tenant) -> None:
    """No patched waits here: two seconds are two seconds."""
    dev.lab.fault("throttle", kind="settings.list", path=DEV_VAULT, seconds=2)
    result = dev.run()
    first, second = [one["at"] for one in log(dev.lab, "settings.list") if DEV_VAULT in one["path"]]
    assert second - first >= 1.9
    assert result["summary"]["throttled_answers"] == 1
    assert result["summary"]["throttled_seconds"] >= 1.9


def test_the_retries_have_an_end(dev: Tenant, hasty: list[float]) -> None:
    dev.lab.fault("status", kind="settings.list", path=DEV_VAULT, status=503, count=None)
    dev.run()
    assert len([one for one in log(dev.lab, "settings.list") if DEV_VAULT in one["path"]]) == http.ATTEMPTS


def test_same_causes_are_one_problem_with_their_number(contoso: Tenant) -> None:
    contoso.lab.fault("status", kind="settings.list", status=403, code="AuthorizationFailed", count=None)
    result = contoso.run(families=["key_vault"])
    (problem,) = result["problems"]
    assert problem["count"] == 7
    assert result["summary"]["outcome"] == "unknown"


def test_the_request_id_is_told(dev: Tenant) -> None:
    dev.lab.edit("remove_resource", id=DEV_VAULT, keep_in_graph=True)
    (problem,) = dev.run()["problems"]
    assert len(problem["request_id"]) == 36


def test_an_error_on_the_list_of_subscriptions_ends_the_tenant(dev: Tenant) -> None:
    dev.lab.fault("status", kind="subscriptions.list", status=403, code="AuthorizationFailed", message="no right")
    result = dev.run()
    assert result["failed"]
    assert not result["changed"]
    assert "Could not list the subscriptions: HTTP 403, AuthorizationFailed: no right" in result["msg"]
    assert result["summary"]["counts"]["targets"] == 0
    assert dev.written() == []


def test_an_unregistered_provider_is_told_with_the_command(dev: Tenant) -> None:
    dev.lab.edit("unregister", subscription=DEVELOPMENT)
    result = dev.run()
    assert counts(result) == {"unknown": 2}
    (problem,) = result["problems"]
    assert problem["next_step"] == "run: az provider register --namespace Microsoft.Insights"
    assert problem["status"] == 409
    assert dev.written() == []


# ---- on PUT and DELETE --------------------------------------------------------------------------------------------

UNWRITABLE: dict[str, tuple[dict[str, Any], str]] = {
    "disabled subscription": (
        {"status": 409, "code": "ReadOnlyDisabledSubscription", "message": "The subscription is disabled."},
        "enable the subscription",
    ),
    "unregistered provider": (
        {"status": 409, "code": "Conflict", "shape": "flat",
         "message": "The subscription 'x' is not registered to use microsoft.insights."},
        "az provider register",
    ),
    "unregistered provider of the destination": (
        {"status": 409, "code": "MissingSubscriptionRegistration", "message": "not registered to use 'Microsoft.X'"},
        "register the resource provider",
    ),
    "type without settings": (
        {"status": 400, "code": "ResourceTypeNotSupported", "shape": "flat", "message": "not supported"},
        "exclude the resource type",
    ),
    "no right": ({"status": 403, "code": "AuthorizationFailed", "message": "no"}, "Monitoring Contributor"),
    "policy": (
        {"status": 403, "code": "RequestDisallowedByPolicy", "message": "'x' was disallowed by policy."}, "exempt this",
    ),
    "front door": ({"action": "html", "status": 403}, "see who answered"),
    "json in json": (
        {"status": 400, "code": "BadRequest",
         "message": '{"error":{"code":"ReadOnlyDisabledSubscription","message":"The subscription is disabled."}}'},
        "enable the subscription",
    ),
    "a tenant that is not the subscription's": (
        {"status": 400, "code": "InvalidAuthenticationTokenTenant", "message": "wrong issuer"}, "check tenant_id",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNWRITABLE)
def test_a_refused_write_is_a_failure_of_that_target(dev: Tenant, evidence: Path, case: str) -> None:
    fault, step = UNWRITABLE[case]
    dev.lab.fault(kind="settings.put", path=DEV_VAULT, **{"action": "status", **fault})
    result = dev.run(evidence_path=str(evidence))
    assert counts(result) == {"failed": 1, "corrected": 1}
    assert result["failed"]
    assert result["changed"], "the rest was done"
    (problem,) = result["problems"]
    assert (problem["target"], problem["status"]) == (DEV_VAULT, fault["status"])
    assert problem["operation"] == f"create the diagnostic setting of {DEV_VAULT}"
    assert step in problem["next_step"]
    (change,) = result["changes"]
    assert (change["target"], change["action"], change["drift"]) == (TEST_VAULT, "create", ["missing"])
    statuses = {line["target"]: line["status"] for line in map(json.loads, evidence.read_text().splitlines())}
    assert statuses == {DEV_VAULT: "failed", TEST_VAULT: "corrected"}


def test_a_lock_is_told_on_write(dev: Tenant) -> None:
    dev.lab.edit("lock", scope=DEV_VAULT, level="ReadOnly")
    result = dev.run()
    assert counts(result) == {"failed": 1, "corrected": 1}
    (problem,) = result["problems"]
    assert (problem["code"], problem["status"]) == ("ScopeLocked", 409)
    assert "lab-lock" in problem["message"]
    assert problem["next_step"] == "remove the lock for the change, or exclude the resource"


def test_a_lock_is_told_on_removal(dev: Tenant) -> None:
    dev.run()
    dev.lab.edit("lock", scope=DEV_VAULT, level="CanNotDelete")
    result = dev.run(state="absent")
    assert counts(result) == {"failed": 1, "corrected": 1}
    assert result["problems"][0]["code"] == "ScopeLocked"
    assert result["problems"][0]["operation"] == f"delete the diagnostic setting of {DEV_VAULT}"
    assert DEV_VAULT.lower() in ours(dev.lab)


def test_no_right_on_the_destination(dev: Tenant) -> None:
    """LinkedAuthorizationFailed, variant A."""
    dev.lab.edit("unassign_role", tenant=PROSEWARE, role="Log Analytics Contributor", scope=WORKSPACE)
    result = dev.run()
    assert counts(result) == {"failed": 2}
    (problem,) = result["problems"]
    assert (problem["code"], problem["count"]) == ("LinkedAuthorizationFailed", 2)
    assert "sharedKeys/action" in problem["message"]
    assert "Log Analytics Contributor on the destination" in problem["next_step"]
    assert "auxiliary_tenant_ids" not in problem["next_step"]


def test_no_token_for_the_destinations_tenant(lab: LabClient) -> None:
    """LinkedAuthorizationFailed, variant B: the option that is missing is named."""
    tenant = Tenant(lab, CONTOSO, auxiliary_tenant_ids=None, families=["key_vault"], subscriptions=[DEVELOPMENT])
    (problem,) = tenant.run()["problems"]
    assert problem["code"] == "LinkedAuthorizationFailed"
    assert "is not authorized to access linked subscription" in problem["message"]
    assert "auxiliary_tenant_ids" in problem["next_step"]


def test_a_destination_that_refused_three_times_is_not_tried_again(lab: LabClient, evidence: Path) -> None:
    result = Tenant(lab, auxiliary_tenant_ids=None).run(
        families=["key_vault"], concurrency=1, evidence_path=str(evidence)
    )
    assert len(log(lab, "settings.put")) == 3
    assert counts(result) == {"failed": 6, "in_sync": 1}
    untried = [line for line in map(json.loads, evidence.read_text().splitlines()) if "not tried" in str(line)]
    assert len(untried) == 3
    assert untried[0]["problem"]["next_step"] == "see to the first failure, then run again"


def test_refusals_of_the_targets_own_do_not_count_for_the_destination(contoso: Tenant) -> None:
    contoso.lab.fault("status", kind="settings.put", status=409, code="ScopeLocked", count=4)
    assert counts(contoso.run(families=["key_vault"], concurrency=1)) == {"failed": 4, "corrected": 2, "in_sync": 1}


def test_another_destination_is_still_tried(contoso: Tenant) -> None:
    contoso.lab.edit("unassign_role", tenant=PROSEWARE, role="Log Analytics Contributor", scope=WORKSPACE)
    contoso.run(families=["key_vault"], concurrency=1)
    assert len(log(contoso.lab, "settings.put")) == 3
    assert counts(contoso.run(families=["key_vault"], workspace_id=OWN_WORKSPACE)) == {"corrected": 7}


class Meanwhile:
    """A reporter that lets someone else act between observing and writing, which C(max_changes) keeps apart."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act

    def update(self, **given: Any) -> None:
        if given.get("phase") == "apply":
            self.act()

    def failure(self, text: str) -> None: ...


ALL_LOGS = [{"categoryGroup": "allLogs", "enabled": True}]


def test_a_conflict_that_appeared_meanwhile(dev: Tenant) -> None:
    def act() -> None:
        dev.lab.edit("put_setting", target=DEV_VAULT, name="sec",
                     properties={"workspaceId": WORKSPACE, "logs": ALL_LOGS})  # fmt: skip

    result = dev.run(reporter=Meanwhile(act))
    assert counts(result) == {"failed": 1, "corrected": 1}
    (problem,) = result["problems"]
    assert (problem["code"], problem["status"]) == ("Conflict", 409)
    assert "'sec'" in problem["message"]
    assert "on_conflict" in problem["next_step"]
    assert len([key for key in foreign(dev.lab) if key[0] == DEV_VAULT.lower()]) == 1
    assert counts(dev.run()) == {"in_sync": 2}, (
        "in the next run the other setting is seen, and it sends all that is wanted"
    )


def test_a_sixth_setting_that_appeared_meanwhile(dev: Tenant) -> None:
    def act() -> None:
        for number in range(5):
            dev.lab.edit("add_resource", subscription=DEVELOPMENT, group="rg-shop-dev", name=f"law-{number}",
                         type="Microsoft.OperationalInsights/workspaces")  # fmt: skip
            workspace = f"{DEV}/Microsoft.OperationalInsights/workspaces/law-{number}"
            dev.lab.edit("put_setting", target=DEV_VAULT, name=f"other-{number}",
                         properties={"workspaceId": workspace, "logs": ALL_LOGS})  # fmt: skip

    result = dev.run(reporter=Meanwhile(act))
    assert counts(result) == {"failed": 1, "corrected": 1}
    (problem,) = result["problems"]
    assert (problem["code"], problem["status"]) == ("Conflict", 409)
    assert "limit of 5" in problem["message"]
    assert "no longer needed" in problem["next_step"]


def test_a_resource_that_went_away_meanwhile(dev: Tenant) -> None:
    result = dev.run(reporter=Meanwhile(lambda: dev.lab.edit("remove_resource", id=DEV_VAULT)), max_changes=9)
    assert counts(result) == {"failed": 1, "corrected": 1}
    assert result["problems"][0]["code"] == "ResourceNotFound"
    assert counts(dev.run()) == {"in_sync": 1}


def test_our_setting_that_someone_removed_meanwhile_is_no_failure_of_removal(dev: Tenant) -> None:
    dev.run()
    meanwhile = Meanwhile(lambda: dev.lab.edit("delete_setting", target=DEV_VAULT, name=OURS))
    assert counts(dev.run(state="absent", reporter=meanwhile, max_changes=9)) == {"corrected": 2}


def test_a_write_whose_answer_is_lost_leaves_a_clean_second_run(dev: Tenant, hasty: list[float]) -> None:
    dev.lab.fault("drop_after", kind="settings.put", path=DEV_VAULT, count=None)
    first = dev.run()
    assert counts(first) == {"failed": 1, "corrected": 1}
    assert first["problems"][0]["code"] == "ServerDisconnectedError"
    dev.lab.clear_faults()
    world = held(dev.lab)
    second = dev.run()
    assert counts(second) == {"in_sync": 2}, "the write had been processed"
    assert held(dev.lab) == world


@pytest.mark.parametrize(("fault", "ended"), [
    ({"action": "empty"}, {"corrected": 2}),
    ({"action": "status", "status": 200}, {"corrected": 1, "failed": 1}),
])  # fmt: skip
def test_a_write_whose_answer_shows_nothing_is_read_back(
    dev: Tenant, fault: dict[str, Any], ended: dict[str, int]
) -> None:
    dev.lab.fault(kind="settings.put", path=DEV_VAULT, **fault)
    result = dev.run()
    assert counts(result) == ended
    assert [one["code"] for one in result["problems"]] == ["NotShown"] * ended.get("failed", 0)
    assert len(log(dev.lab, "settings.list")) == 3


def test_a_failure_of_the_run_is_corrected_by_the_next(dev: Tenant) -> None:
    dev.lab.fault("status", kind="settings.put", path=DEV_VAULT, status=403, code="AuthorizationFailed")
    dev.run()
    (change,) = dev.run()["changes"]
    assert (change["target"], change["action"], change["drift"]) == (DEV_VAULT, "create", ["missing"])


def test_without_a_network_the_tenant_fails_in_words(dev: Tenant, hasty: list[float]) -> None:
    """The sign-in answers and Resource Manager does not."""
    result = dev.run(resource_manager_url="https://127.0.0.1:9")
    assert result["failed"]
    assert result["msg"].startswith("Could not ")
    assert "Internal error" not in result["msg"]
