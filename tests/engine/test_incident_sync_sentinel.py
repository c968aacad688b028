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
