# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever happened, in whatever order it was polled, wherever runs were cut off: the tickets end the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import plan as rules
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import tickets as t

from .world import World

IDS = ("A", "B", "C", "D")
STATUSES = (t.LIVE, t.RESOLVED, t.REDIRECTED)
ids = st.sampled_from(IDS)
RUNS = st.tuples(st.just("run"), st.lists(ids, unique=True), st.none() | st.integers(0, 6), st.booleans())
HAPPENS = st.tuples(st.just("incident"), ids, st.sampled_from(STATUSES), st.sampled_from((*IDS, "gone")))
RETITLED = st.tuples(st.just("title"), ids, st.sampled_from(("one", "two")))
BY_HAND = st.tuples(st.just("hand"), ids, st.sampled_from(("title", "close", "reopen", "memo")))


def play(world: World, history: Sequence[tuple[Any, ...]]) -> None:
    """What happens, one after the other."""
    for what, *more in history:
        if what == "run":
            polled, crash, other = more
            world.run(polled, crash, other)
        elif what == "incident":
            id, status, target = more
            world.incident(id, status, target if status == t.REDIRECTED else "")
        elif what == "title":
            world.incident(more[0], world.incidents[more[0]].status if more[0] in world.incidents else t.LIVE,
                           world.incidents[more[0]].target if more[0] in world.incidents else "",
                           title=more[1])  # fmt: skip
        else:
            id, how = more
            world.edit(id, **{"title": {"title": "by hand"}, "close": {"state": t.DONE}, "reopen": {"state": t.OPEN},
                              "memo": {"memo": None}}[how])  # fmt: skip


def reference(world: World, id: str, passed: tuple[str, ...] = ()) -> str | None:
    """The state that the ticket of an incident is to have where no person has touched it, None for as it was."""
    one = world.incidents.get(id)
    if one is None or id in passed:
        return None
    if one.status == t.REDIRECTED:
        return t.DONE if reference(world, one.target, (*passed, id)) else None
    return t.OPEN if one.status == t.LIVE else t.DONE


def check(world: World) -> None:
    """Nobody's hand was in it: each ticket is as the reference model says, and no note is twice on one."""
    world.settle()
    for id, one in world.incidents.items():
        held = world.current(id)
        if one.status == t.LIVE:
            assert held is not None
            assert held.title == one.title
            assert held.number in one.tags
        wanted = reference(world, id)
        assert held is None or wanted is None or held.state == wanted
        assert sum(ticket.state == t.OPEN for ticket in world.of(id)) <= 1
    assert set(world.notes.values()) <= {1}


@settings(max_examples=40, deadline=None)
@given(st.lists(HAPPENS | RUNS | RETITLED, max_size=12), st.sampled_from(rules.REOPENED[:2]))
def test_any_history_ends_as_the_reference_model_says(history: list[tuple[Any, ...]], reopened: str) -> None:
    world = World(rules.Policy(tags=True, reopened=reopened))
    play(world, history)
    check(world)


@settings(max_examples=40, deadline=None)
@given(st.lists(HAPPENS | RUNS | BY_HAND, max_size=12))
def test_what_a_person_has_done_stays(history: list[tuple[Any, ...]]) -> None:
    world = World()
    play(world, history)
    by_hand = {id for id, one in world.tickets.items() if one.title == "by hand"}
    world.settle()
    assert not world.run()
    assert all(world.tickets[id].title == "by hand" for id in by_hand)


def happening(chance: random.Random) -> tuple[Any, ...]:
    if chance.random() < 0.5:
        crash = chance.choice((None, 0, 1, 2, 3, 4))
        return "run", chance.sample(IDS, chance.randrange(5)), crash, chance.random() < 0.2
    return "incident", chance.choice(IDS), chance.choice(STATUSES), chance.choice((*IDS, "gone"))


def test_a_thousand_random_histories() -> None:
    for seed in range(1000):
        chance = random.Random(seed)
        world = World()
        play(world, [happening(chance) for _number in range(8)])
        check(world)


def test_a_run_that_is_ended_between_any_two_writes_leaves_one_ticket_an_incident() -> None:
    for cut in range(12):
        world = World()
        for id in IDS:
            world.incident(id)
        world.run(IDS[:2])
        world.incident("A", t.REDIRECTED, "B")
        world.incident("B", t.REDIRECTED, "C")
        world.run(crash=cut)
        check(world)
        assert [len(world.of(id)) for id in IDS] == [1, 1, 1, 1]
