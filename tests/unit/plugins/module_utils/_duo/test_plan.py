# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the application that reads an account's logs."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import BLOCKED, DRIFTED, IN_SYNC
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Verdict
from ansible_collections.mssp.onboarding.plugins.module_utils._duo.plan import (
    Application,
    Kept,
    Policy,
    Wanted,
    network,
    plan,
)

LOG = frozenset({"adminapi_read_log"})
WANTED = Wanted("logs", LOG, frozenset({"192.0.2.0/24"}))
OURS = Application("DI1", "logs", "adminapi", LOG, frozenset({"192.0.2.0/24"}), "abcd")
KEPT = Kept("DI1", "0123abcd")
NOTHING = Kept()


def verdict(*found: Application, wanted: Wanted = WANTED, kept: Kept = NOTHING, **policy: Any) -> Verdict:
    return plan("account", wanted, kept, found, Policy(**policy))


def told(one: Verdict) -> tuple[str, tuple[str, ...], str]:
    return one.status, one.drift, one.action


def test_what_is_missing_is_made_and_what_is_right_is_left() -> None:
    assert told(verdict()) == (DRIFTED, ("missing",), "create")
    assert told(verdict(OURS)) == (IN_SYNC, (), "")
    assert told(verdict(leaving=True)) == (IN_SYNC, (), "")
    assert told(verdict(OURS, leaving=True)) == (DRIFTED, ("unexpected",), "delete")


@pytest.mark.parametrize(
    ("change", "drift"),
    [
        ({"permissions": LOG | {"adminapi_admins"}}, ("wider_permissions",)),
        ({"permissions": LOG | {"adminapi_of_next_year"}}, ("wider_permissions",)),
        ({"permissions": frozenset()}, ("permissions",)),
        ({"permissions": frozenset({"adminapi_info"})}, ("wider_permissions", "permissions")),
        ({"networks": frozenset()}, ("networks",)),
        ({"networks": frozenset({"192.0.2.0/24", "192.0.2.1/32"})}, ("networks",)),
    ],
)
def test_permissions_and_networks_are_exact(change: dict[str, Any], drift: tuple[str, ...]) -> None:
    found = verdict(OURS._replace(**change))
    assert told(found) == (DRIFTED, drift, "update")
    assert bool(found.next_step) == ("wider_permissions" in drift)


def test_networks_that_nobody_names_are_not_compared() -> None:
    assert told(verdict(OURS, wanted=WANTED._replace(networks=None)))[0] == IN_SYNC
    assert told(verdict(OURS, wanted=WANTED._replace(networks=frozenset())))[1] == ("networks",)


def test_the_kept_key_goes_before_the_name() -> None:
    renamed, namesake = OURS._replace(name="renamed"), OURS._replace(key="DI2")
    found = verdict(renamed, namesake, kept=KEPT)
    assert told(found) == (DRIFTED, ("name",), "update")
    assert found.subject.key == "DI1"
    assert verdict(namesake, kept=KEPT).subject.key == "DI2"


def test_a_named_key_goes_before_all_and_is_never_made() -> None:
    named = WANTED._replace(key="DI2")
    assert verdict(OURS, OURS._replace(key="DI2"), wanted=named, kept=KEPT).subject.key == "DI2"
    assert told(verdict(OURS, wanted=named, kept=KEPT)) == (BLOCKED, ("missing",), "")


@pytest.mark.parametrize("leaving", [False, True])
def test_two_of_the_name_are_refused_with_both_keys(leaving: bool) -> None:
    found = verdict(OURS, OURS._replace(key="DI2"), leaving=leaving)
    assert told(found) == (BLOCKED, ("duplicate",), "")
    assert "DI1, DI2" in found.reason
    assert told(verdict(OURS, OURS._replace(key="DI2", type="authapi")))[0] == IN_SYNC


@pytest.mark.parametrize("leaving", [False, True])
def test_the_caller_itself_is_never_written(leaving: bool) -> None:
    wide = OURS._replace(permissions=LOG | {"adminapi_integrations"})
    assert told(verdict(wide, caller="DI1", leaving=leaving)) == (BLOCKED, ("own_application",), "")


def test_an_application_of_another_type_is_not_ours() -> None:
    other = OURS._replace(type="rdp")
    assert told(verdict(other)) == (DRIFTED, ("missing",), "create")
    assert told(verdict(other, kept=KEPT, leaving=True)) == (BLOCKED, ("other_type",), "")


@pytest.mark.parametrize(
    ("kept", "drift", "level"),
    [
        (KEPT, (), ""),
        (Kept("DI1", "0123wxyz"), ("secret_changed",), "update"),
        (Kept(), ("not_handed_over",), "create"),
        (Kept("DI9", "0123abcd"), ("not_handed_over",), "create"),
    ],
)
def test_a_secret_is_handed_over_where_it_is_not_with_us(kept: Kept, drift: tuple[str, ...], level: str) -> None:
    found = verdict(OURS, kept=kept, hand_over=True)
    assert (found.drift, found.level) == (drift, level)
    assert told(verdict(OURS, kept=kept))[0] == IN_SYNC


def test_networks_have_one_spelling() -> None:
    assert [network(text) for text in ("192.0.2.1", "192.0.2.9/24", " 2001:DB8::/32")] == [
        "192.0.2.1/32",
        "192.0.2.0/24",
        "2001:db8::/32",
    ]
    assert network("192.0.2.1 - 192.0.2.9") == "192.0.2.1-192.0.2.9"
    with pytest.raises(ValueError, match="here"):
        network("here")
