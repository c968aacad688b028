# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of tickets, one by one; whole histories are in test_histories.py."""

from __future__ import annotations

import time

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import (
    BLOCKED,
    DRIFTED,
    IN_SYNC,
    SKIPPED,
    UNKNOWN,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Verdict
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import plan as rules
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import tickets as t
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync.plan import Incident, Policy
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync.tickets import LIVE, Memo, Ticket

from .world import World


def verdict(world: World, id: str) -> Verdict:
    (found,) = [one for one in world.planned() if one.target == f"incident {id}"]
    return found


def kinds(world: World, id: str) -> list[tuple[str, str]]:
    """(kind of step, incident whose ticket it changes)."""
    return [(step.kind, step.incident) for step in verdict(world, id).subject or ()]


@pytest.fixture
def world() -> World:
    """Two incidents with a ticket each."""
    made = World()
    made.incident("29")
    made.incident("31")
    made.settle()
    return made


def test_an_active_incident_gets_a_ticket_and_the_tag_comes_after_it() -> None:
    world = World()
    world.incident("29", title="Malware [code]<script>[/code]\x1b[31m")
    assert kinds(world, "29") == [("create", "29"), ("tag", "29")]
    world.settle()
    (made,) = world.of("29")
    assert (made.key, made.title) == ("contoso:29", "Malware (code)<script>(/code)?[31m")
    assert verdict(world, "29").status == IN_SYNC


def test_a_severity_that_is_not_wanted_gets_none_unless_it_absorbs_what_has_one() -> None:
    world = World(Policy(frozenset({"medium"})))
    world.incident("31", severity="low")
    assert verdict(world, "31").status == SKIPPED
    world.incident("29")
    world.settle()
    world.incident("29", t.REDIRECTED, "31")
    assert kinds(world, "31") == [("create", "31")]
    world.settle()
    assert [one.state for one in (*world.of("29"), *world.of("31"))] == [t.DONE, t.OPEN]


@pytest.mark.parametrize("status", [t.RESOLVED, t.REDIRECTED])
def test_an_incident_whose_work_is_over_gets_no_ticket(status: str) -> None:
    world = World()
    world.incident("31")
    world.incident("29", status, "31" if status == t.REDIRECTED else "")
    world.settle()
    assert not world.of("29")


def test_a_resolved_incident_closes_its_ticket(world: World) -> None:
    world.incident("29", t.RESOLVED)
    assert kinds(world, "29") == [("close", "29")]
    world.settle()
    world.edit("29", state=t.OPEN)
    assert (verdict(world, "29").status, verdict(world, "29").drift) == (IN_SYNC, ("kept_open",))


def test_a_redirect_is_noted_before_the_ticket_is_closed(world: World) -> None:
    world.incident("29", t.REDIRECTED, "31")
    assert kinds(world, "29") == [("note", "31"), ("close", "29")]
    world.run(crash=1)
    assert kinds(world, "29") == [("close", "29")]
    world.settle()
    assert world.notes == {("INC0002", "29"): 1}


def test_a_chain_leads_to_its_end_and_who_is_on_the_way_is_redirected_too(world: World) -> None:
    world.incident("33")
    world.incident("31", t.REDIRECTED, "33")
    world.incident("29", t.REDIRECTED, "31")
    assert kinds(world, "33")[0] == ("create", "33")
    world.settle()
    assert world.notes == {("INC0003", "29"): 1, ("INC0003", "31"): 1}
    assert [world.current(id).state for id in ("29", "31", "33")] == [t.DONE, t.DONE, t.OPEN]  # type: ignore[union-attr]


def test_no_ticket_is_closed_on_doubt(world: World) -> None:
    world.incident("29", t.REDIRECTED, "31")
    world.incident("31", t.REDIRECTED, "29")
    assert (verdict(world, "29").status, verdict(world, "29").drift) == (BLOCKED, ("redirect_cycle",))
    world.incident("31", "new_word")
    assert verdict(world, "29").drift == ("target_unknown",)
    assert verdict(world, "31").status == UNKNOWN
    del world.incidents["31"]
    assert verdict(world, "29").drift == ("NotFound",)
    world.incident("29", t.REDIRECTED, "")
    assert verdict(world, "29").drift == ("target_unknown",)
    for number in range(20):
        world.incident(f"c{number}", t.REDIRECTED, f"c{number + 1}")
    world.incident("29", t.REDIRECTED, "c0")
    assert verdict(world, "29").drift == ("redirect_cycle",)
    assert not world.run()


def test_a_ticket_that_was_closed_by_hand_is_told_and_left(world: World) -> None:
    world.edit("29", state=t.DONE)
    assert (verdict(world, "29").status, verdict(world, "29").drift) == (IN_SYNC, ("closed_by_hand",))


@pytest.mark.parametrize(("policy", "closes"), [(rules.NOTE, True), (rules.KEEP, False)])
def test_where_the_targets_ticket_was_closed_by_hand_policy_decides(world: World, policy: str, closes: bool) -> None:
    world.policy = world.policy._replace(closed_target=policy)
    world.edit("31", state=t.DONE)
    world.incident("29", t.REDIRECTED, "31")
    found = verdict(world, "29")
    assert (found.status, "INC0002" in found.next_step) == (DRIFTED if closes else BLOCKED, True)
    world.settle()
    assert (world.notes[("INC0002", "29")], world.current("29").state) == (int(closes), t.DONE if closes else t.OPEN)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("policy", "state", "tickets"),
    [
        (rules.REOPEN, t.DONE, [t.OPEN]),
        (rules.REOPEN, t.CLOSED, [t.CLOSED, t.OPEN]),
        (rules.NEW, t.DONE, [t.DONE, t.OPEN]),
        (rules.LEAVE, t.DONE, [t.DONE]),
    ],
)
def test_an_incident_that_comes_back(world: World, policy: str, state: str, tickets: list[str]) -> None:
    world.policy = world.policy._replace(reopened=policy)
    world.incident("29", t.RESOLVED)
    world.settle()
    world.edit("29", state=state)
    world.incident("29", LIVE)
    world.settle()
    assert [one.state for one in world.of("29")] == tickets
    assert [one.key for one in world.of("29")][1:] == ["contoso:29/2"] * (len(tickets) - 1)


def test_a_note_on_a_ticket_that_we_closed_does_not_make_it_a_persons(world: World) -> None:
    world.incident("31", t.RESOLVED)
    world.settle()
    world.incident("29", t.REDIRECTED, "31")
    world.settle()
    assert world.notes == {("INC0002", "29"): 1}
    world.incident("31", LIVE)
    assert kinds(world, "31") == [("reopen", "31")]


def test_what_is_noted_goes_to_the_ticket_that_is_made_anew(world: World) -> None:
    world.policy = world.policy._replace(reopened=rules.NEW)
    world.incident("31", t.RESOLVED)
    world.settle()
    world.incident("31", LIVE)
    world.incident("29", t.REDIRECTED, "31")
    world.settle()
    assert world.notes == {("INC0003", "29"): 1}


def test_a_title_and_a_severity_follow_the_incident_unless_a_person_has_changed_them(world: World) -> None:
    world.incident("29", title="Multi-stage incident", severity="high")
    assert kinds(world, "29") == [("update", "29")]
    world.settle()
    held = world.current("29")
    assert held
    assert (held.title, held.severity) == ("Multi-stage incident", "high")
    world.edit("29", title="Ours: printers", severity="")
    world.incident("29", title="Another", severity="low")
    assert verdict(world, "29").status == IN_SYNC


def test_a_memo_that_was_overwritten_makes_no_edit_ours(world: World) -> None:
    world.edit("29", memo=None)
    world.incident("29", title="Another")
    assert verdict(world, "29").status == IN_SYNC
    world.incident("29", t.RESOLVED)
    world.settle()
    assert world.current("29").given_up  # type: ignore[union-attr]


def test_of_two_tickets_of_ours_the_oldest_stays_and_a_persons_is_left(world: World) -> None:
    first = world.current("29")
    assert first
    world.tickets["0009"] = first._replace(id="0009", number="INC0009", created="0009")
    assert kinds(world, "29") == [("close", "29")]
    world.settle()
    assert [one.state for one in world.of("29")] == [t.OPEN, t.DONE]
    world.tickets["0010"] = first._replace(id="0010", number="INC0010", created="0010", ours=False)
    found = verdict(world, "29")
    assert (found.status, "INC0010" in found.reason) == (BLOCKED, True)


def test_two_tenants_may_have_an_incident_of_one_id() -> None:
    assert rules.key("contoso", "29") != rules.key("fabrikam", "29")


def test_a_tag_that_was_taken_away_comes_back_and_others_are_not_ours(world: World) -> None:
    world.incidents["29"] = world.incidents["29"]._replace(tags=frozenset({"keep-me"}))
    assert kinds(world, "29") == [("tag", "29")]
    world.policy = world.policy._replace(tags=False)
    assert kinds(world, "29") == []


def test_a_memo_is_read_back_and_nothing_else_is_one() -> None:
    full = Memo(LIVE, "0a1b2c", "informational", tuple(f"{n:06x}" for n in range(20)))
    assert len(full.text) <= 100
    assert t.memo(full.text) == full._replace(absorbed=full.absorbed[-t.ABSORBED_KEPT :])
    assert t.memo(Memo(title="0a1b2c").text) == Memo(title="0a1b2c")
    for other in ("", "Sentinel", "mssp1 live", "mssp1 live 0a1b2c high x", "mssp2 live 0a1b2c high"):
        assert t.memo(other) is None


def test_ten_thousand_incidents_take_about_a_second_of_cpu() -> None:
    statuses = (LIVE, t.RESOLVED, t.REDIRECTED)
    incidents = {
        str(n): Incident(str(n), statuses[n % 3], f"title {n}", "high", str(n - 2) if n % 3 == 2 else "")
        for n in range(10_000)
    }
    held = {id: [Ticket(f"c:{id}", id, f"INC{id}", title="old", memo=Memo())] for id in incidents}
    began = time.process_time()
    verdicts = list(rules.plan("c", incidents, held, Policy(tags=True)))
    took = time.process_time() - began
    assert (len(verdicts), {one.status for one in verdicts}) == (10_000, {DRIFTED})
    assert took < 3.0, "on a busy machine; half a second on a quiet one"


def test_who_leaves_closes_no_ticket_that_somebody_else_has_made() -> None:
    ours, theirs = Ticket("contoso:1", "1", "INC1"), Ticket("contoso:1", "2", "INC2", ours=False)
    told = {one.target: (one.status, one.action) for one in rules.leaving([ours, theirs], closes=True)}
    assert told == {"ticket INC1": (DRIFTED, "close"), "ticket INC2": (IN_SYNC, "")}
