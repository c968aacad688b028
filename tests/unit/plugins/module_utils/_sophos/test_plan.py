# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a firewall's syslog server."""

from __future__ import annotations

import random
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import BLOCKED, DRIFTED, IN_SYNC
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Verdict
from ansible_collections.mssp.onboarding.plugins.module_utils._sophos.plan import (
    CATALOGUE,
    MORE_STEP,
    NOT_OFFERED_STEP,
    OFF,
    ON,
    SETTINGS,
    Server,
    Wanted,
    chosen,
    plan,
)

WANTED = Wanted(
    "mssp",
    (
        ("ServerAddress", "203.0.113.10"),
        ("Port", "6514"),
        ("EnableSecureConnection", ON),
        ("Facility", "DAEMON"),
        ("SeverityLevel", "Information"),
        ("Format", "DeviceStandardFormat"),
    ),
)
LEAVES = ("Events/AdminEvents", "Events/SystemEvents", "IPS/Anomaly")


def server(name: str = "mssp", on: tuple[str, ...] = LEAVES, leaves: tuple[str, ...] = LEAVES, **change: str) -> Server:
    settings = tuple((SETTINGS + leaf, ON if leaf in on else OFF) for leaf in leaves)
    return Server((("Name", name), *({**dict(WANTED.settings), **change}.items()), *settings))


LOCAL = Server((("Name", "Local"), *((SETTINGS + leaf, ON) for leaf in LEAVES)))


def verdict(*found: Server, wanted: Wanted = WANTED, leaving: bool = False) -> Verdict:
    return plan("hq", wanted, found, leaving=leaving)


def told(one: Verdict) -> tuple[str, tuple[str, ...], str]:
    return one.status, one.drift, one.action


def only(*categories: str) -> Wanted:
    return WANTED._replace(categories=categories)


def test_missing_is_made_with_every_leaf_that_is_seen() -> None:
    found = verdict(LOCAL)
    assert told(found) == (DRIFTED, ("missing",), "create")
    assert found.after.leaves == dict.fromkeys(LEAVES, ON)
    assert dict(found.after.fields).items() >= dict(WANTED.settings).items()
    assert found.after.view()["name"] == "mssp"
    assert found.next_step == ""


@pytest.mark.parametrize("found", [(), (LOCAL,), (server("other"),)])
def test_nothing_is_made_without_log_settings(found: tuple[Server, ...]) -> None:
    """Which would send nothing."""
    made = verdict(*found, wanted=only("Events")).after
    assert set(made.on) == {leaf for leaf in made.leaves if leaf.startswith("Events/")} != set()
    assert set(made.leaves) == set(LEAVES if found else CATALOGUE)


def test_as_wanted() -> None:
    assert told(verdict(LOCAL, server())) == (IN_SYNC, (), "")
    assert verdict(LOCAL, server()).next_step == "", "which would be told as a warning"
    assert verdict(LOCAL, server()).facts == {"servers": "1 of 5"}


@pytest.mark.parametrize(
    ("change", "drift"),
    [
        ({"ServerAddress": "203.0.113.11"}, "address"),
        ({"Port": "514"}, "port"),
        ({"EnableSecureConnection": OFF}, "secure_connection"),
        ({"Facility": "USER"}, "facility"),
        ({"SeverityLevel": "Error"}, "severity"),
        ({"Format": "3"}, "format"),
        ({"on": LEAVES[:1]}, "categories"),
    ],
)
def test_each_difference_has_its_class(change: dict[str, Any], drift: str) -> None:
    found = verdict(server(**change))
    assert told(found) == (DRIFTED, (drift,), "update")
    assert [name for name, value in found.before.view().items() if value != found.after.view()[name]] == [drift]
    assert told(verdict(found.after)) == (IN_SYNC, (), "")


def test_the_local_store_is_never_ours() -> None:
    for leaving in (False, True):
        found = verdict(LOCAL, wanted=WANTED._replace(name="Local"), leaving=leaving)
        assert told(found) == (BLOCKED, ("local_entry",), "")


def test_five_others_are_refused_by_name() -> None:
    others = [server(f"other{number}") for number in range(5)]
    found = verdict(LOCAL, *others)
    assert told(found) == (BLOCKED, ("limit",), "")
    assert all(one.name in found.reason for one in others)
    assert told(verdict(LOCAL, *others[:4]))[2] == "create"
    assert told(verdict(LOCAL, *others[:4], server()))[0] == IN_SYNC
    assert told(verdict(LOCAL, *others, leaving=True))[0] == IN_SYNC


def test_two_of_the_name_are_refused_with_both() -> None:
    found = verdict(server(), server(ServerAddress="192.0.2.1"))
    assert told(found) == (BLOCKED, ("duplicate",), "")
    assert "203.0.113.10, 192.0.2.1" in found.reason


def test_names_that_hold_each_other_are_others() -> None:
    assert told(verdict(server("mssp2"), server("MSSP"), server("ms")))[1] == ("missing",)


def test_leaving_removes_ours_only() -> None:
    assert told(verdict(server("mssp2"), leaving=True)) == (IN_SYNC, (), "")
    assert told(verdict(LOCAL, server(), leaving=True)) == (DRIFTED, ("unexpected",), "delete")


def test_what_this_release_lacks_is_a_finding_and_the_rest_is_done() -> None:
    wish = only("Events", "EPS/Anomaly", "Zero/Day")
    found = verdict(server(on=()), wanted=wish)
    assert told(found) == (DRIFTED, ("categories", "not_offered"), "update")
    assert "EPS/Anomaly (the nearest is IPS/Anomaly), Zero/Day" in found.reason
    assert found.after.on == list(LEAVES[:2])
    after = verdict(found.after, wanted=wish)
    assert told(after) == (BLOCKED, ("not_offered",), "")
    made = verdict(LOCAL, wanted=wish)
    assert made.drift == ("missing", "not_offered")
    assert {one.next_step for one in (found, after, made)} == {NOT_OFFERED_STEP}


def test_what_is_on_beyond_the_wish_is_told_and_kept() -> None:
    found = verdict(server(), wanted=only("Events"))
    assert told(found) == (IN_SYNC, ("more_categories",), "")
    assert ("IPS/Anomaly" in found.reason, found.next_step) == (True, MORE_STEP)
    changed = verdict(server(Port="1"), wanted=only("Events"))
    assert changed.drift == ("port",)
    assert changed.after.leaves["IPS/Anomaly"] == ON


def test_categories_are_groups_leaves_or_all() -> None:
    assert chosen(["all"], LEAVES) == (set(LEAVES), [])
    assert chosen(["Events", "IPS/Anomaly"], LEAVES) == (set(LEAVES), [])
    assert chosen(["Event"], LEAVES) == (set(), ["Event (the nearest is Events)"])


def test_any_tree_is_kept_but_for_what_is_wanted() -> None:
    """Unknown leaves, odd values and unknown fields go back as they were read, and a second run has nothing to do."""
    dice = random.Random(15)
    for _round in range(200):
        groups = [f"G{dice.randrange(4)}" for _one in range(dice.randrange(1, 8))]
        leaves = {SETTINGS + f"{group}/L{dice.randrange(5)}": dice.choice([ON, OFF, "", "odd"]) for group in groups}
        held = [*WANTED.settings, ("Of22", "x"), *leaves.items()]
        dice.shuffle(held)
        one = Server((("Name", "mssp"), *held[: dice.randrange(len(held) + 1)]))
        wish = only(*dice.sample(["G0", "G1/L1", "G2", "all"], 2))
        if one.local:
            continue
        found = verdict(one, wanted=wish)
        after = found.after or one
        wanted, _lacking = chosen(wish.categories, one.leaves)
        ours = {*dict(WANTED.settings), *(SETTINGS + leaf for leaf in wanted)}
        assert {item for item in one.fields if item[0] not in ours} <= set(after.fields)
        assert all(after.leaves[leaf] == ON for leaf in wanted)
        assert verdict(after, wanted=wish).action == ""
