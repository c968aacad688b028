# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines of incident_sync with the incidents of a workspace of Microsoft Sentinel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import sentinel
from lab.client import LabClient

from .engines import OWN_WORKSPACE
from .incident_engines import Sentinel
from .test_incident_sync import codes, outcome


@pytest.fixture
def sync(lab: LabClient, tmp_path: Path) -> Sentinel:
    return Sentinel(lab, tmp_path)


def test_incidents_through_their_life(sync: Sentinel) -> None:
    sync.incident("29", severity="High")
    sync.incident("31", status="Active")
    assert outcome(sync.converge()) == (True, "corrected")
    assert (sync.states(), sync.tickets()["29"]["priority"]) == ({"29": "1", "31": "1"}, "1")
    assert "https://security.microsoft.com/incidents/29" in sync.tickets()["29"]["description"]
    again = sync.converge()
    assert outcome(again) == (False, "in_sync")
    assert again["summary"]["requests"] == {"sentinel GET reads": 1, "itsm GET": 1}
    sync.merge("29", "31")
    assert outcome(sync.converge()) == (True, "corrected")
    assert sync.states() == {"29": "6", "31": "1"}
    assert sync.tickets()["31"]["number"] in sync.notes("29")[0]
    assert "merged into this one" in sync.notes("31")[0]
    sync.change("31", status="Closed")
    sync.converge()
    assert sync.states() == {"29": "6", "31": "6"}
    assert outcome(sync.converge()) == (False, "in_sync")
    assert sync.verify()["summary"]["outcome"] == "in_sync"


def test_where_a_redirect_leads_is_found_though_it_did_not_change_lately(sync: Sentinel) -> None:
    sync.incident("7", ago=90_000)
    sync.incident("29")
    sync.converge()
    assert list(sync.tickets()) == ["29"]
    sync.merge("29", "7")
    sync.change("7", ago=90_000)
    assert outcome(sync.converge()) == (True, "corrected")
    assert sync.states() == {"29": "6", "7": "1"}


def test_a_number_of_before_the_onboarding_is_none_of_defender(sync: Sentinel) -> None:
    """An old incident's providerIncidentId is its number in Sentinel, which another one may have in Defender."""
    sync.lab.configure(sentinel_page_size=1)
    sync.incident("5", providerIncidentId="31", providerName="Azure Sentinel")
    sync.incident("29")
    sync.incident("31")
    sync.converge()
    sync.change("5", labels=[{"labelName": "Redirected", "labelType": "User"}])
    sync.merge("29", "31")
    sync.converge()
    assert sync.states() == {"5": "1", "29": "6", "31": "1"}
    assert (len(sync.notes("5")), len(sync.notes("31"))) == (0, 1)


@pytest.mark.parametrize("numbered", [True, False])
def test_a_chain_is_followed_where_sentinel_says_where_it_leads(sync: Sentinel, *, numbered: bool) -> None:
    """Without it the one in the middle has lost its number in Defender: never closed on doubt."""
    for id in ("1", "2", "3"):
        sync.incident(id)
    sync.converge()
    sync.merge("1", "2", numbered=numbered)
    sync.merge("2", "3", numbered=numbered)
    found = sync.converge()
    assert sync.states() == {"1": "6" if numbered else "1", "2": "6", "3": "1"}
    assert codes(found) == ([] if numbered else ["target_unknown"])


def test_a_label_that_somebody_gave_is_no_redirect(sync: Sentinel) -> None:
    sync.incident("29")
    sync.converge()
    sync.change("29", status="Closed", labels=[{"labelName": "redirected", "labelType": "User"}])
    sync.converge()
    assert (sync.states(), sync.notes("29")) == ({"29": "6"}, ["The incident is resolved."])


def test_labels_and_all_else_of_others_survive(sync: Sentinel) -> None:
    """A PUT replaces all; somebody else writes between our read and our write, twice."""
    sync.incident("29", labels=[{"labelName": "keep-me", "labelType": "User"}], description="theirs")
    refused = sync.converge(write_tags=True)
    assert (refused["failed"], codes(refused)) == (True, ["AuthorizationFailed"])
    sync.allow("Microsoft Sentinel Responder")
    conflict: dict[str, Any] = {"kind": "sentinel.incidents.put", "status": 409, "code": "Conflict", "count": 2}
    sync.lab.fault("status", **conflict)
    assert outcome(sync.converge(write_tags=True)) == (True, "corrected")
    assert sync.labels("29") == ["keep-me", sync.tickets()["29"]["number"]]
    held = sync.lab.sentinel.incidents(OWN_WORKSPACE)[sync.named("29")]
    assert (held["description"], held["title"], held["owner"]["email"]) == ("theirs", "Incident 29", None)
    assert outcome(sync.converge(write_tags=True)) == (False, "in_sync")
    sync.incident("31")
    sync.lab.fault("status", **{**conflict, "count": None})
    assert sync.converge(write_tags=True)["failed"]
    assert sync.labels("31") == []


def test_an_etag_that_is_old_is_refused_and_read_anew(sync: Sentinel, monkeypatch: pytest.MonkeyPatch) -> None:
    sync.allow("Microsoft Sentinel Responder")
    sync.incident("29")
    read, edited = sentinel.Workspace._read, []

    async def read_then_somebody_edits(self: sentinel.Workspace, id: str) -> dict[str, Any]:
        body = await read(self, id)
        if not edited:
            edited.append(id)
            sync.change("29", description="newer", labels=[{"labelName": "theirs", "labelType": "User"}])
        return body

    monkeypatch.setattr(sentinel.Workspace, "_read", read_then_somebody_edits)
    assert outcome(sync.converge(write_tags=True)) == (True, "corrected")
    assert sync.labels("29") == ["theirs", sync.tickets()["29"]["number"]]
    assert sync.lab.sentinel.incidents(OWN_WORKSPACE)[sync.named("29")]["description"] == "newer"


def test_preflight_tells_a_missing_role_and_that_this_way_ends(sync: Sentinel) -> None:
    sync.incident("29")
    found = {one["check"]: one for one in sync.preflight()["findings"]}
    assert found["permission"]["status"] == found["incidents"]["status"] == "ok"
    assert "March 2027" in found["feed"]["detail"]
    assert "incident_sync_feed: graph" in found["feed"]["next_step"]
    lacking = {one["check"]: one for one in sync.preflight(write_tags=True)["findings"]}["permission"]
    assert lacking["status"] == "missing"
    assert '--role "Microsoft Sentinel Responder"' in lacking["next_step"]


@pytest.mark.parametrize("kind", ["sentinel.incidents", "servicenow.list"])
def test_what_cannot_be_read_is_never_nothing(sync: Sentinel, kind: str) -> None:
    sync.incident("29")
    sync.lab.fault("status", kind=kind, status=403, code="AuthorizationFailed", count=None)
    assert sync.converge()["failed"]
    assert not sync.lab.servicenow.incidents()
    assert sync.verify()["summary"]["outcome"] == "unknown"


# --- who stays on Logic Apps

SECRET = "canary-of-the-playbook"
GROUP = OWN_WORKSPACE.partition("/providers/")[0]
PLAYBOOK = f"{GROUP}/providers/Microsoft.Logic/workflows/mssp-redirected-incidents"


@pytest.fixture
def logic(sync: Sentinel) -> dict[str, Any]:
    """The options, of an app that may write, in a workspace with a rule of somebody else."""
    sync.allow("Microsoft Sentinel Contributor")
    sync.lab.edit("assign_role", tenant=sync.tenant, role="Logic App Contributor", scope=GROUP)
    sync.lab.edit("sentinel_rule", workspace=OWN_WORKSPACE, name="theirs")
    return {"itsm": "logic_app", "webhook_url": "https://itsm.example/redirected", "webhook_secret": SECRET}


def test_a_rule_and_its_playbook_are_made_kept_and_removed(sync: Sentinel, logic: dict[str, Any]) -> None:
    told = sync.converge(check=True, **logic)
    assert (outcome(told), told["summary"]["drift"]) == ((True, "drifted"), {"missing": 3})
    assert sync.verify(**logic)["flows"][0]["state"] == "absent"
    assert outcome(sync.converge(**logic)) == (True, "corrected")
    assert outcome(again := sync.converge(**logic)) == (False, "in_sync")
    (rule,) = [one for one in sync.lab.sentinel.rules(OWN_WORKSPACE) if one["name"] != "theirs"]
    playbook = sync.lab.logic.workflows()[PLAYBOOK]
    (action,) = playbook["body"]["properties"]["definition"]["actions"].values()
    assert rule["properties"]["actions"][0]["actionConfiguration"]["logicAppResourceId"] == PLAYBOOK
    assert rule["properties"]["triggeringLogic"]["conditions"][1]["conditionProperties"]["propertyValues"] == [
        "Redirected"
    ]
    assert action["inputs"]["uri"] == "https://itsm.example/redirected"
    assert (SECRET in str(action), playbook["body"]["properties"]["parameters"]["secret"]) == (False, {"value": SECRET})
    assert SECRET not in f"{told}{again}{[one.read_text() for one in sync.folder.iterdir() if one.is_file()]}"  # type: ignore[union-attr]
    assert "itsm GET" not in again["summary"]["requests"]
    sync.lab.edit("workflow_change", id=PLAYBOOK, state="Disabled")
    assert outcome(sync.converge(**logic)) == (True, "corrected")
    logic["webhook_secret"] = "another"
    assert sync.verify(**logic)["flows"][0]["state"] == "stale", "the receiver may take the new one only"
    changed = sync.converge(**logic)
    assert (outcome(changed), changed["summary"]["drift"]) == ((True, "corrected"), {"changed": 1})
    assert sync.verify(**logic)["flows"][0]["state"] == "quiet"
    sync.lab.edit("workflow_change", id=PLAYBOOK, state="Disabled")
    (silent,) = sync.verify(**logic)["flows"]
    assert (silent["state"], "the playbook is not as wanted" in silent["message"]) == ("stale", True)
    for status, state in (("Running", "pending"), ("Succeeded", "flowing"), ("TimedOut", "stale")):
        sync.lab.edit("workflow_run", id=PLAYBOOK, status=status)
        assert sync.verify(**logic)["flows"][0]["state"] == state
    assert outcome(sync.converge(state="absent", **logic)) == (True, "corrected")
    assert outcome(sync.converge(state="absent", **logic)) == (False, "in_sync")
    assert [one["name"] for one in sync.lab.sentinel.rules(OWN_WORKSPACE)] == ["theirs"]
    assert not sync.lab.logic.workflows()


def test_a_playbook_of_somebody_else_stays(sync: Sentinel, logic: dict[str, Any]) -> None:
    sync.lab.edit("workflow_script", id=PLAYBOOK)
    found = sync.converge(**logic)
    assert {*codes(found)} == {"not_ours", "NotTried"}
    assert [one["name"] for one in sync.lab.sentinel.rules(OWN_WORKSPACE)] == ["theirs"]
    assert "canary5ecret" in str(sync.lab.logic.workflows()[PLAYBOOK])
    sync.converge(state="absent", **logic)
    assert PLAYBOOK in sync.lab.logic.workflows()


def test_preflight_tells_what_the_rule_needs(sync: Sentinel, logic: dict[str, Any]) -> None:
    found = {one["check"]: one for one in sync.preflight(**logic)["findings"]}
    assert {one["status"] for one in found.values()} == {"ok"}
    assert "Microsoft Sentinel Automation Contributor" in found["playbook_right"]["next_step"]
