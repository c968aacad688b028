# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines of incident_sync in this process, against the lab's Graph security and ServiceNow."""

from __future__ import annotations

import hmac
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import http
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import memory, servicenow
from lab.client import LabClient
from lab.testing import CONTOSO, PROSEWARE

from .engines import OWN_WORKSPACE
from .incident_engines import Sync

CUSTOMER, PROVIDER = "customer's administrator", "MSSP's administrator"


@pytest.fixture
def sync(lab: LabClient, tmp_path: Path) -> Sync:
    return Sync(lab, tmp_path)


def outcome(found: dict[str, Any]) -> tuple[bool, str]:
    assert "exception" not in found, found["exception"]
    return found["changed"], found["summary"]["outcome"]


def codes(found: dict[str, Any]) -> list[str]:
    return [one["code"] for one in found["problems"]]


def test_incidents_through_their_life(sync: Sync) -> None:
    sync.incident("29", displayName="Malware [code]<b>[/code]", severity="high")
    sync.incident("31", status="inProgress")
    told = sync.converge(check=True)
    assert (outcome(told), sync.writes(), sync.states()) == ((True, "drifted"), 0, {})
    assert outcome(sync.converge()) == (True, "corrected")
    made = sync.tickets()["29"]
    assert (made["short_description"], made["priority"]) == ("Malware (code)<b>(/code)", "1")
    assert (made["caller_id"][-3:], made["assignment_group"][-3:], made["category"]) == ("a01", "b01", "security")
    again = sync.converge()
    assert outcome(again) == (False, "in_sync")
    assert set(again["summary"]["requests"]) == {"graph GET", "itsm GET"}
    sync.merge("29", "31")
    assert outcome(sync.converge()) == (True, "corrected")
    assert sync.states() == {"29": "6", "31": "1"}
    assert sync.tickets()["29"]["number"] in sync.notes("31")[0]
    assert sync.tickets()["31"]["number"] in sync.notes("29")[0]
    sync.change("31", status="resolved")
    sync.converge()
    assert sync.states() == {"29": "6", "31": "6"}
    assert outcome(sync.converge()) == (False, "in_sync")


def test_a_chain_leads_to_one_ticket_and_a_cycle_to_a_person(sync: Sync) -> None:
    for id in ("1", "2", "3"):
        sync.incident(id)
    sync.converge()
    sync.merge("1", "2")
    sync.merge("2", "3")
    sync.converge()
    assert sync.states() == {"1": "6", "2": "6", "3": "1"}
    assert len(sync.notes("3")) == 2
    for id in ("4", "5"):
        sync.incident(id)
    sync.converge()
    sync.merge("4", "5")
    sync.merge("5", "4")
    found = sync.converge()
    assert (outcome(found)[1], codes(found)) == ("drifted", ["redirect_cycle"])
    assert [sync.states()[id] for id in ("4", "5")] == ["1", "1"]


def test_where_a_redirect_leads_is_read_though_it_did_not_change_lately(sync: Sync) -> None:
    sync.incident("29")
    sync.converge()
    sync.incident("7", ago=90_000)
    sync.lab.edit("security_merge", tenant=CONTOSO, source="29", target="7")
    sync.change("7", ago=90_000)
    assert outcome(sync.converge()) == (True, "corrected")
    assert sync.states() == {"29": "6", "7": "1"}


def test_a_target_that_nobody_may_read_leaves_the_ticket_open_and_is_looked_at_again(sync: Sync) -> None:
    sync.incident("29")
    sync.converge()
    sync.change("29", status="redirected", redirectIncidentId="31")
    found = sync.converge()
    assert (outcome(found), codes(found), sync.states()) == ((False, "drifted"), ["NotFound"], {"29": "1"})
    sync.incident("31")
    sync.converge()
    assert sync.states() == {"29": "6", "31": "1"}


def test_an_incident_that_nobody_may_read_any_more_is_not_forgotten(sync: Sync) -> None:
    """It was to be looked at again, and its own ticket is open."""
    sync.incident("29")
    sync.converge()
    sync.change("29", status="redirected", redirectIncidentId="77")
    assert codes(sync.converge()) == ["NotFound"]
    sync.change("29", ago=90_000)
    sync.lab.fault("status", kind="security.incidents.get", status=403, code="Forbidden", count=None)
    for _run in range(2):
        found = sync.converge()
        assert (outcome(found)[1], codes(found)) == ("unknown", ["Forbidden"])
    assert {one["state"] for one in sync.verify()["flows"]} >= {"stale"}


def killed_after(number: int, run: Callable[[], Any]) -> None:
    """A run in a process that is killed after so many writes, with the last one done and its answer not heard."""
    send, left = http.send, [number]

    async def sent(client: Any, method: str, url: str, **rest: Any) -> Any:
        if method == "GET" or "/oauth2/" in url:
            return await send(client, method, url, **rest)
        left[0] -= 1
        answer = await send(client, method, url, **rest)
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    child = os.fork()
    if not child:
        http.send = sent
        run()
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)


@pytest.mark.parametrize("number", range(1, 6))
def test_a_run_that_is_killed_after_any_write_leaves_one_ticket_an_incident(sync: Sync, number: int) -> None:
    sync.lab.edit(
        "grant_permission", tenant=CONTOSO, resource="microsoft_graph", permission="SecurityIncident.ReadWrite.All"
    )
    sync.incident("1")
    sync.incident("2")
    sync.converge()
    sync.incident("3")
    sync.merge("1", "3")
    sync.merge("2", "3")
    killed_after(number, lambda: sync.converge(write_tags=True))
    sync.converge(write_tags=True)
    assert sync.states() == {"1": "6", "2": "6", "3": "1"}
    assert len(sync.lab.servicenow.incidents()) == 3
    assert [len(sync.notes(id)) for id in ("1", "2", "3")] == [1, 1, 2]
    assert sync.lab.graph_security.incidents(CONTOSO)["3"]["customTags"] == [sync.tickets()["3"]["number"]]
    assert outcome(sync.converge(write_tags=True)) == (False, "in_sync")


def test_a_lost_answer_makes_no_second_ticket(sync: Sync) -> None:
    sync.incident("29")
    sync.lab.fault("drop_after", kind="servicenow.insert", count=1)
    assert outcome(sync.converge()) == (True, "corrected")
    assert len(sync.lab.servicenow.incidents()) == 1


def test_two_runs_at_one_time_leave_one_open_ticket(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run makes it between our look-up and our insert."""
    sync.incident("29")
    create, other = servicenow.ServiceNow.create, []

    async def create_later(desk: servicenow.ServiceNow, step: Any) -> Any:
        if not other:
            other.append(await create(desk, step))
        return await create(desk, step)

    monkeypatch.setattr(servicenow.ServiceNow, "create", create_later)
    sync.converge()
    held = sync.lab.servicenow.incidents()
    assert [one["state"] for one in held] == ["1", "6"]
    assert outcome(sync.converge()) == (False, "in_sync")


def test_a_run_leaves_another_one_alone(sync: Sync) -> None:
    """Who only looks is not kept out."""
    sync.incident("29")
    with memory.alone(str(sync.folder / "customer.incident_sync.jsonl")):  # type: ignore[operator]
        assert codes(found := sync.converge()) == ["Locked"], found
        assert found["failed"]
        assert outcome(sync.converge(check=True)) == (True, "drifted")
        assert sync.verify()["flows"][0]["state"] == "absent"
    assert outcome(sync.converge()) == (True, "corrected")


def test_an_instance_that_hides_the_field_that_tickets_are_found_by(sync: Sync) -> None:
    for id in ("29", "31", "33"):
        sync.incident(id)
    sync.lab.configure(servicenow_hidden=["incident.correlation_display"])
    found = sync.converge()
    assert (found["failed"], "HiddenField" in codes(found)) == (True, True)
    assert [one["state"] for one in sync.lab.servicenow.incidents()] == ["6"]
    assert "incident.correlation_display" in found["problems"][0]["next_step"]


def test_an_instance_whose_queries_hide_what_was_just_made(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a rule before queries does: each run would make each ticket once more. Found later, it is reopened."""

    async def nothing(_desk: servicenow.ServiceNow, _query: str) -> list[Any]:
        return []

    for id in ("29", "31"):
        sync.incident(id)
    with monkeypatch.context() as patched:
        patched.setattr(servicenow.ServiceNow, "_tickets", nothing)
        found = sync.converge()
    assert (found["failed"], "HiddenField" in codes(found)) == (True, True)
    assert [one["state"] for one in sync.lab.servicenow.incidents()] == ["6"]
    sync.converge()
    assert sync.states() == {"29": "2", "31": "1"}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "servicenow.list", "status": 403, "code": "Insufficient rights"}, "HTTP403"),
        ({"kind": "servicenow.list", "status": 401, "code": "User Not Authenticated"}, "HTTP401"),
        ({"kind": "security.incidents", "status": 403, "code": "Forbidden"}, "Forbidden"),
    ],
)
def test_what_cannot_be_read_is_never_nothing(sync: Sync, fault: dict[str, Any], code: str) -> None:
    sync.incident("29")
    sync.lab.fault("status", count=None, **fault)
    found = sync.converge()
    assert (found["failed"], codes(found)) == (True, [code])
    assert found["problems"][0]["next_step"]
    assert not sync.lab.servicenow.incidents()
    assert sync.verify()["summary"]["outcome"] == "unknown"


def test_a_business_rule_that_rewrites_titles_makes_no_endless_change(sync: Sync) -> None:
    sync.lab.configure(servicenow_prefix="[SOC] ")
    sync.incident("29")
    sync.converge()
    sync.change("29", displayName="Another")
    assert outcome(sync.converge()) == (False, "in_sync")
    assert sync.tickets()["29"]["short_description"] == "[SOC] Incident 29"


def test_what_a_person_has_changed_stays(sync: Sync) -> None:
    sync.incident("29")
    sync.incident("31")
    sync.converge()
    sync.lab.edit("servicenow_edit", number=sync.tickets()["29"]["number"], short_description="Ours", urgency="1")
    sync.lab.edit("servicenow_edit", number=sync.tickets()["31"]["number"], state="7")
    sync.change("29", displayName="Another", severity="low")
    found = sync.converge()
    assert (outcome(found)[0], found["summary"]["drift"]) == (False, {"closed_by_hand": 1})
    assert (sync.tickets()["29"]["short_description"], sync.states()["31"]) == ("Ours", "7")


def test_tags_of_others_survive(sync: Sync) -> None:
    permission = "SecurityIncident.ReadWrite.All"
    sync.incident("29", customTags=["keep-me"])
    refused = sync.converge(write_tags=True)
    assert (refused["failed"], permission in refused["problems"][0]["next_step"]) == (True, True)
    sync.lab.edit("grant_permission", tenant=CONTOSO, resource="microsoft_graph", permission=permission)
    sync.converge(write_tags=True)
    tags = sync.lab.graph_security.incidents(CONTOSO)["29"]["customTags"]
    assert tags == ["keep-me", sync.tickets()["29"]["number"]]


def test_two_tenants_with_one_incident_id_have_a_ticket_each(sync: Sync) -> None:
    other = Sync(sync.lab, None, PROSEWARE)
    for one in (sync, other):
        one.incident("29")
        one.converge()
    sync.change("29", status="resolved")
    sync.converge()
    assert (sync.states()["29"], other.states()["29"]) == ("6", "1")


def test_the_cursor_saves_requests_and_may_be_lost(sync: Sync) -> None:
    sync.incident("29", ago=7200)
    sync.converge()
    cheap = sync.converge()
    (read,) = [line for line in evidence(sync) if line["target"] == "incidents"][-1:]
    assert read["read"] == 1
    sync.incident("31")
    sync.converge()
    sync.converge()
    assert evidence(sync)[-1]["read"] == 1
    for path in (sync.folder / "coverage").iterdir():  # type: ignore[operator]
        path.unlink()
    assert outcome(sync.converge()) == outcome(cheap) == (False, "in_sync")


def test_what_may_not_be_corrected_is_not_passed_over(sync: Sync) -> None:
    """The cursor stays, though nothing that was allowed is left to do."""
    sync.incident("29", ago=3000)
    sync.converge()
    sync.change("29", status="resolved", ago=2900)
    sync.incident("31")
    for _run in range(2):
        found = sync.converge(correct="safe")
        assert found["summary"]["drift"].get("resolved") == 1
    sync.converge()
    assert sync.states() == {"29": "6", "31": "1"}


def evidence(sync: Sync) -> list[dict[str, Any]]:
    assert sync.folder
    text = (sync.folder / "customer.incident_sync.jsonl").read_text()
    return [one for one in map(json.loads, text.splitlines()) if "read" in one]


def test_offboard_leaves_tickets_unless_it_is_asked_to_close_them(sync: Sync) -> None:
    sync.incident("29")
    sync.converge()
    told = sync.converge(state="absent")
    assert (outcome(told), told["summary"]["drift"]) == ((False, "in_sync"), {"left_open": 1})
    assert sync.states() == {"29": "1"}
    assert outcome(sync.converge(state="absent", close_tickets=True)) == (True, "corrected")
    assert (sync.states(), outcome(sync.converge(state="absent", close_tickets=True))[0]) == ({"29": "6"}, False)


def test_offboard_of_a_webhook_remembers_what_is_left_open(sync: Sync, hasty: list[float]) -> None:
    """Nothing else knows of it."""
    sync.lab.receivers.configure("generic", headers={})
    hook = {"itsm": "webhook", "webhook_url": f"{sync.lab.url}/hooks/itsm", "webhook_secret": "s3cret"}
    sync.incident("29")
    sync.converge(**hook)
    for _run in range(2):
        assert sync.converge(state="absent", **hook)["summary"]["drift"] == {"left_open": 1}
    sync.lab.receivers.configure("generic", answer="500")
    assert sync.converge(state="absent", close_tickets=True, **hook)["failed"]
    sync.lab.receivers.configure("generic", answer="")
    assert outcome(sync.converge(state="absent", close_tickets=True, **hook)) == (True, "corrected")
    assert outcome(sync.converge(state="absent", close_tickets=True, **hook)) == (False, "in_sync")


# --- verify and preflight


def test_verify_tells_what_is_behind(sync: Sync) -> None:
    def states() -> dict[str, str]:
        return {one["source"]: one["state"] for one in sync.verify()["flows"]}

    assert list(states().values()) == ["absent", "quiet", "quiet"]
    sync.incident("29", ago=3600)
    sync.incident("31", ago=3600)
    assert list(states().values()) == ["absent", "stale", "flowing"]
    sync.converge()
    assert list(states().values()) == ["flowing", "flowing", "flowing"]
    sync.merge("29", "31")
    assert list(states().values()) == ["flowing", "flowing", "flowing"]
    sync.change("29", ago=3600)
    assert list(states().values()) == ["flowing", "flowing", "stale"]


def findings(found: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {f"{one['check']} {one['subject']}": (one["status"], one["who"]) for one in found["findings"]}


def test_preflight_tells_each_name_that_is_retired_or_missing(sync: Sync) -> None:
    assert sync.preflight()["summary"]["outcome"] == "in_sync"
    found = findings(
        sync.preflight(caller="retired", assignment_group="Nobody", category="x", close_code="Old code",
                       closed_states=["7", "9"], write_tags=True)
    )  # fmt: skip
    missing = {name: who for name, (status, who) in found.items() if status == "missing"}
    assert missing == {
        "permission SecurityIncident.ReadWrite.All": CUSTOMER,
        "caller retired": PROVIDER,
        "assignment_group Nobody": PROVIDER,
        "category x": PROVIDER,
        "close_code Old code": PROVIDER,
        "states 9": PROVIDER,
    }
    sync.lab.configure(servicenow_denied=["sys_choice"])
    assert findings(sync.preflight())["category category"][0] == "missing"
    sync.incident("29")
    sync.converge()
    sync.lab.configure(servicenow_denied=[], servicenow_hidden=["incident.correlation_display"])
    assert findings(sync.preflight())[f"tickets {sync.lab.url.removeprefix('https://')}"] == ("missing", PROVIDER)
    wrong = sync.preflight(servicenow_password="wrong")
    assert "servicenow_password" in wrong["msg"]
    assert "wrong" not in json.dumps(wrong).replace("wrong options", "")


def test_preflight_tells_what_a_first_run_would_do(sync: Sync) -> None:
    for number in range(21):
        sync.incident(str(number))
    found = sync.preflight()
    assert found["summary"]["outcome"] == "in_sync"
    (told,) = [one for one in found["findings"] if one["check"] == "backlog"]
    assert told["detail"] == "the next run opens 21 tickets and closes 0"
    assert "incident_sync_max_changes" in told["next_step"]


def test_preflight_names_automation_rules_that_break(sync: Sync) -> None:
    given = {"sentinel_workspace_id": OWN_WORKSPACE, "resource_manager_url": sync.lab.url}
    sync.lab.edit("sentinel_rule", workspace=OWN_WORKSPACE, name="By title", properties=["IncidentTitle"])
    sync.lab.edit("sentinel_rule", workspace=OWN_WORKSPACE, name="By provider", properties=["IncidentProviderName"])
    sync.lab.configure(sentinel_page_size=1)
    found = sync.preflight(**given)
    told = {one["subject"]: one["next_step"] for one in found["findings"] if one["check"] == "automation_rule"}
    assert told == {
        "By title": "ask for Analytic rule name instead",
        "By provider": "ask for Alert product names instead",
    }
    assert len(sync.lab.sentinel.rules(OWN_WORKSPACE)) == 2
    sync.lab.fault("status", kind="sentinel.rules", status=403, code="AuthorizationFailed", count=None)
    assert sync.preflight(**given)["summary"]["outcome"] != "in_sync"


# --- the webhook


def test_a_webhook_is_told_each_step_once_and_signed(sync: Sync, hasty: list[float]) -> None:
    sync.lab.receivers.configure("generic", headers={})
    hook = {"itsm": "webhook", "webhook_url": f"{sync.lab.url}/hooks/itsm", "webhook_secret": "s3cret"}
    sync.incident("29")
    sync.incident("31")
    assert outcome(sync.converge(**hook)) == (True, "corrected")
    assert outcome(sync.converge(**hook)) == (False, "in_sync")
    sync.merge("29", "31")
    sync.lab.receivers.configure("generic", answer="500")
    assert sync.converge(**hook)["failed"]
    sync.lab.receivers.configure("generic", answer="")
    sync.converge(**hook)
    told = [one for one in sync.lab.receivers.records("generic") if one["status"] == 200]
    actions = [json.loads(one["body"])["action"] for one in told]
    assert sorted(actions[:2]) + actions[2:] == ["create", "create", "note", "close"]
    for one in told:
        signed = hmac.new(b"s3cret", f"{one['headers']['X-MSSP-Timestamp']}.{one['body']}".encode(), "sha256")
        assert one["headers"]["X-MSSP-Signature"] == f"sha256={signed.hexdigest()}"
    ids = [one["headers"]["Idempotency-Key"] for one in sync.lab.receivers.records("generic")]
    assert len({*ids}) == 4
    assert findings(sync.preflight(**hook))[f"webhook {sync.lab.url.removeprefix('https://')}"][0] == "ok"


def test_a_webhook_without_a_memory_is_told_nothing(sync: Sync) -> None:
    """Each run would tell all of it, and offboard find nothing open."""
    sync.lab.receivers.configure("generic", headers={})
    sync.folder = None
    sync.incident("29")
    hook = {"itsm": "webhook", "webhook_url": f"{sync.lab.url}/hooks/itsm", "webhook_secret": "s3cret"}
    for state in ("present", "absent"):
        found = sync.converge(state=state, **hook)
        assert (found["failed"], codes(found)) == (True, ["NoMemory"])
    assert not sync.lab.receivers.records("generic")
    assert sync.verify(**hook)["summary"]["outcome"] == "unknown"
