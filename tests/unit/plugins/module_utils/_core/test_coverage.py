# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What matches nothing is named, with what is spelled most like it."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import coverage
from ansible_collections.mssp.onboarding.plugins.module_utils._core.coverage import Part, Scope, Seen
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError

GROUPS = ["rg-shop-prod", "rg-shop-dev", "rg-sentinel"]


@pytest.mark.parametrize("name", ["rg-shop-prod", "RG-Shop-Prod", "rg-*", "rg-[s]*"])
def test_names_and_globs_match_in_any_case(name: str) -> None:
    assert coverage.unmatched("resource_groups", [name], GROUPS) == []


def test_a_name_with_a_bracket_is_also_itself() -> None:
    assert coverage.unmatched("resource_groups", ["rg[1]"], ["rg[1]"]) == []


def test_each_that_matches_nothing_is_named_with_the_nearest() -> None:
    assert coverage.unmatched("resource_groups", ["rg-shop-prd", "rg-shop-dev", "zzz"], GROUPS) == [
        "resource_groups: nothing matches rg-shop-prd (did you mean rg-shop-prod?)",
        "resource_groups: nothing matches zzz (there are rg-sentinel, rg-shop-dev, rg-shop-prod)",
    ]


def test_the_known_are_bounded() -> None:
    (text,) = coverage.unmatched("x", ["zzz"], [f"a{number}" for number in range(100)])
    assert text.endswith(" and 92 more)")
    assert coverage.unmatched("x", ["zzz"], []) == ["x: nothing matches zzz (there is none)"]


def test_a_complaint_is_an_error_before_anything_is_written() -> None:
    coverage.refuse("choose", [])
    with pytest.raises(InputError) as caught:
        coverage.refuse("choose", [f"c{number}" for number in range(12)])
    assert caught.value.code == "NoMatch"
    assert caught.value.message.endswith("c9; and 2 more")
    assert "correct the names" in caught.value.next_step


def test_of_several_targets_one_that_is_covered_stands_for_a_scope_else_the_worst() -> None:
    covered, lost, off = (Part("x", state) for state in (coverage.COVERED, coverage.UNREACHABLE, coverage.UNSUPPORTED))
    assert min(off, lost, covered, key=coverage.weight) == covered
    assert min(off, lost, key=coverage.weight) == lost


def test_a_scope_stands_as_its_own_record_says_and_what_has_gone_keeps_its_reason() -> None:
    scopes = [Scope("DA1", "Litware (DA1)"), Scope("DA2", "Wingtip (DA2)")]
    late = Part("DA2", coverage.WAITING, "another deployment", "ask them")
    lost = Scope("DA3", "Fourth (DA3)", seen="2026-11-01")
    asked = Part("Fourth (DA3)", coverage.NOT_ASKED)
    gone = [(lost, coverage.missing_error(lost, "duo_logs", ""))]
    found = {one.name: one for one in coverage.parts_of(Seen(scopes, parts=[asked]), gone, {"DA2": late})}
    assert found["Wingtip (DA2)"] == late._replace(name="Wingtip (DA2)")
    assert found["Litware (DA1)"].state == coverage.COVERED
    assert (found["Fourth (DA3)"].state, "not seen now" in found["Fourth (DA3)"].why) == (coverage.UNREACHABLE, True)


def test_the_worst_parts_are_told_first_and_no_more_than_so_many() -> None:
    parts = [Part(f"c{number}", coverage.COVERED) for number in range(30)]
    parts += [Part("w", coverage.WAITING, "x" * 300, "ask"), Part("u", coverage.UNREACHABLE)]
    told, less = (
        coverage.report(33, 32, {"b": 1, "a": "why"}, [Scope("s", "label")], parts, whole=whole)
        for whole in (True, False)
    )
    worst = [
        {"name": "u", "state": "unreachable"},
        {"name": "w", "state": "waiting", "why": "x" * 300, "next_step": "ask"},
    ]
    assert (told["parts"][:3], len(told["parts"])) == ([*worst, {"name": "c0", "state": "covered"}], 20)
    assert less == told | {"parts": worst}, "counted all the same"
    assert told["states"] == {"unreachable": 1, "waiting": 1, "covered": 30}
    assert (told["expected"], told["looked_at"], told["missing"]) == (33, 32, ["s"])
    assert list(told["left_out"]) == ["a", "b"]


def test_what_lies_within_is_told_with_what_holds_it_only() -> None:
    """And what could not be looked into is neither there nor gone."""
    whole, inner, lone = Scope("sub", "Sub"), Scope("type", "Type", within=("sub",)), Scope("own", "Own")
    before = coverage.Memory({one.name: one for one in (whole, inner, lone)})

    def missing(*seen: Scope, unread: str = "", accepted: str = "") -> tuple[list[str], set[str]]:
        found, after = coverage.compare(
            before, Seen(seen, frozenset({unread})), lambda _scope: True, [accepted], "2026-11-30", "kim"
        )
        return [one.name for one in found], set(after.scopes)

    everything = {"sub", "type", "own"}
    assert missing(lone) == (["sub"], everything)
    assert missing(lone, whole) == (["type"], everything)
    assert missing(lone, whole, unread="sub") == ([], everything)
    assert missing(lone, accepted="SUB") == ([], {"own"})
    assert missing(lone, whole, accepted="s*") == (["type"], everything)


def test_what_is_said_of_no_scope_by_name_holds_for_those_of_which_nothing_is_said() -> None:
    """A log is in its account; the worst that is said of a scope stands, and what is general names none."""
    seen = Seen([Scope("1", "Litware (1)"), Scope("2", "Wingtip (2)"), Scope("3", "Contoso (3)")])
    said = [
        Part("Litware (1)/authentication", coverage.COVERED),
        Part("Litware (1)/administrator", coverage.UNREACHABLE, "refused"),
        Part("2", coverage.COVERED),
        Part("the destination", coverage.UNREACHABLE, "nobody knows"),
        Part("a permission", coverage.WAITING, "of one part only"),
    ]
    told, general = coverage.spoken(seen, said)
    assert {name: part.state for name, part in told.items()} == {"1": "unreachable", "2": "covered"}
    assert general == said[3]
    states = {part.name: part.state for part in coverage.parts_of(seen, [], told, general or coverage.IS_COVERED)}
    assert states == {"Litware (1)": "unreachable", "Wingtip (2)": "covered", "Contoso (3)": "unreachable"}
    assert coverage.spoken(None, said[:2]) == ({}, said[1])
    assert coverage.spoken(seen, said[4:]) == ({}, said[4]), "waiting is not covered either"


def test_what_is_said_of_an_appliance_is_said_of_each_of_its_logs() -> None:
    seen = Seen([Scope("a/mail", "mail of a"), Scope("a/gui", "gui of a"), Scope("b/mail", "mail of b")])
    locked = Part("a", coverage.WAITING, "the account is locked")
    told, general = coverage.spoken(seen, [locked, Part("b", coverage.COVERED)])
    assert {name: part.state for name, part in told.items()} == {
        "a/mail": "waiting",
        "a/gui": "waiting",
        "b/mail": "covered",
    }
    assert general is None


def test_what_is_found_of_no_scope_in_a_run_holds_for_those_of_which_nothing_is_found() -> None:
    seen = Seen([Scope("alerts", "alerts"), Scope("streaming", "streaming")])
    setting = Part("streaming setting x", coverage.WAITING)
    told = {"alerts": Part("alerts", coverage.COVERED), setting.name: setting}
    assert coverage.strays(seen, told) == [setting]
    assert coverage.general([Part("", coverage.UNSUPPORTED), Part("", coverage.COVERED)]) is None
    assert coverage.general([setting, Part("", coverage.UNREACHABLE)]) == Part("", coverage.UNREACHABLE)
