# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines of incident_sync in this process, against the lab's Graph security and ServiceNow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import http
from lab.client import LabClient
from lab.testing import CONTOSO

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


class Killed(BaseException):
    """The process is gone."""


def kill_after(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """The process ends after so many writes, with the last one done and its answer not heard."""
    send, left = http.send, [number]

    async def sent(client: Any, method: str, url: str, **rest: Any) -> Any:
        if method == "GET" or "/oauth2/" in url:
            return await send(client, method, url, **rest)
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        answer = await send(client, method, url, **rest)
        if left[0] == 0:
            raise Killed
        return answer

    monkeypatch.setattr(http, "send", sent)


@pytest.mark.parametrize("number", range(1, 6))
def test_a_run_that_is_killed_after_any_write_leaves_one_ticket_an_incident(
    sync: Sync, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    sync.lab.edit(
        "grant_permission", tenant=CONTOSO, resource="microsoft_graph", permission="SecurityIncident.ReadWrite.All"
    )
    sync.incident("1")
    sync.incident("2")
    sync.converge()
    sync.incident("3")
    sync.merge("1", "3")
    sync.merge("2", "3")
    with monkeypatch.context() as patched:
        kill_after(patched, number)
        with pytest.raises(Killed):
            sync.converge(write_tags=True)
    sync.converge(write_tags=True)
    assert sync.states() == {"1": "6", "2": "6", "3": "1"}
    assert len(sync.lab.servicenow.incidents()) == 3
    assert [len(sync.notes(id)) for id in ("1", "2", "3")] == [1, 1, 2]
    assert sync.lab.graph_security.incidents(CONTOSO)["3"]["customTags"] == [sync.tickets()["3"]["number"]]
    assert outcome(sync.converge(write_tags=True)) == (False, "in_sync")
