# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One test for each rule of the plan."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import BLOCKED, DRIFTED, IN_SYNC
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint.plan import (
    Access,
    Begun,
    Filters,
    Held,
    Kept,
    Policy,
    Stream,
    Wanted,
    plan,
)

NAME = "SIEM"
ALL, ANY = Filters(frozenset(), frozenset()), Filters()
OURS = Stream(17, NAME, ALL)
THEIRS = [Stream(number, f"theirs {number}", ALL) for number in range(1, 6)]
HELD = Held({NAME: Kept(NAME, 17, "https://x", Access("user", "password", "event_stream_17", "x", 443), ALL, 0.0)})


def one(found: list[Stream], held: Held = HELD, filters: Filters = ANY, **policy: Any) -> Any:
    (verdict,) = plan([Wanted(NAME, filters)], held, found, Policy(**policy))
    return verdict


@pytest.mark.parametrize(
    ("found", "held", "status", "drift", "action"),
    [
        ([OURS], HELD, IN_SYNC, (), ""),
        ([OURS._replace(name="renamed")], HELD, IN_SYNC, ("renamed",), ""),
        ([], Held(), DRIFTED, ("missing",), "create"),
        (THEIRS[:4], HELD, DRIFTED, ("missing",), "create"),
        (THEIRS, HELD, BLOCKED, ("limit",), ""),
        ([OURS], Held(), BLOCKED, ("password_lost",), ""),
        ([OURS, OURS._replace(id=18)], Held(), BLOCKED, ("duplicate",), ""),
        ([OURS, OURS._replace(id=18)], HELD, IN_SYNC, (), ""),
        ([OURS._replace(id=18)], HELD, BLOCKED, ("password_lost",), ""),
    ],
)
def test_what_is_found_against_what_was_kept(
    found: list[Stream], held: Held, status: str, drift: tuple[str, ...], action: str
) -> None:
    verdict = one(found, held)
    assert (verdict.status, verdict.drift, verdict.action) == (status, drift, action)
    assert bool(verdict.next_step) == (status == BLOCKED or drift == ("renamed",))


@pytest.mark.parametrize("found", [[OURS], [OURS, OURS._replace(id=18)]])
def test_what_is_not_kept_is_replaced_on_request_only_and_never_one_of_two(found: list[Stream]) -> None:
    verdict = one(found, Held(), replace_lost=True)
    assert (verdict.action, verdict.level) == (("replace", "delete") if len(found) == 1 else ("", ""))


def test_a_create_that_did_not_end_is_told_by_what_was_there_before() -> None:
    begun = {NAME: Begun(NAME, frozenset({1}), "2026-11-30T12:00:00Z")}
    assert "2026-11-30T12:00:00Z" in one([OURS], Held({}, begun)).reason
    assert "2026-11-30" not in one([OURS._replace(id=1)], Held({}, begun)).reason


@pytest.mark.parametrize(
    ("wanted", "shown", "kept", "drift"),
    [
        (None, frozenset({5}), frozenset(), ()),
        (frozenset({5}), frozenset({5}), frozenset(), ()),
        (frozenset({5}), frozenset(), frozenset({5}), ("event_types",)),
        (frozenset(), frozenset({5}), frozenset(), ("event_types",)),
        (frozenset({5}), None, frozenset({5}), ()),
        (frozenset({5}), None, None, ("event_types",)),
    ],
)
def test_filters_are_compared_where_both_say_them(wanted: Any, shown: Any, kept: Any, drift: tuple[str, ...]) -> None:
    """What the vendor does not show is what we have set last."""
    held = Held({NAME: HELD.streams[NAME]._replace(filters=Filters(kept))})
    verdict = one([OURS._replace(filters=Filters(shown))], held, Filters(wanted))
    assert verdict.drift == drift
    if drift:
        assert (verdict.action, verdict.after.filters) == ("update", Filters(wanted, None))


def test_leaving_takes_what_was_kept_and_nothing_else() -> None:
    held = Held({**HELD.streams, "old": HELD.streams[NAME]._replace(name="old", id=3)})
    found = [OURS, Stream(3, "old", ALL), Stream(4, "HR", ALL)]
    verdicts = plan([Wanted(NAME)], held, found, Policy(leaving=True))
    assert [(one.action, one.subject.id) for one in verdicts] == [("delete", 17), ("delete", 3)]
    assert one([], leaving=True).status == IN_SYNC
    assert one([OURS], Held(), leaving=True).drift == ("password_lost",)
    assert one([OURS], Held(), leaving=True, replace_lost=True).action == "delete"


def test_the_limit_counts_those_that_are_about_to_be_made() -> None:
    verdicts = plan([Wanted("a"), Wanted("b")], Held(), THEIRS[:4], Policy())
    assert [one.action for one in verdicts] == ["create", ""]
