# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done about exports, providers and the portal's setting: a test for each rule."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import BLOCKED, DRIFTED, IN_SYNC, WAITING
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr.options import Export
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr.plan import (
    Automation,
    Stream,
    automation_verdict,
    no_hub,
    portal_verdict,
    provider_verdict,
    providers,
    wanted_automation,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr.tables import LEGACY, WAYS, holds

SUB, HUB = "20000000-0000-4000-8000-000000000001", "/subscriptions/x/HUB"
EXPORT = Export("ours", ("Alerts", "Assessments"), (SUB,), "rg")
WANTED = wanted_automation(EXPORT, SUB, HUB, "writer")
STREAM = Stream("t", "s", "/namespace", "hub", ("DeviceInfo", "AlertInfo"))


def found(**changed: Any) -> Automation:
    return WANTED._replace(**changed)


def test_ours_as_wanted_is_left_whatever_the_case_of_its_id() -> None:
    verdict = automation_verdict(WANTED, [found(id=WANTED.id.upper())], leaving=False)
    assert (verdict.status, verdict.drift) == (IN_SYNC, ())


@pytest.mark.parametrize(
    ("changed", "drift"),
    [
        ({"enabled": False}, "disabled"),
        ({"hubs": {"elsewhere": "writer"}}, "destination"),
        ({"hubs": {**WANTED.hubs, "elsewhere": "x"}}, "destination"),
        ({"hubs": dict.fromkeys(WANTED.hubs, "root")}, "key"),
        ({"scopes": frozenset({"subscriptions/other"})}, "scope"),
        ({"sources": {"Alerts": False}}, "missing_source"),
        ({"sources": {"Alerts": True, "Assessments": False}}, "filtered"),
        ({"sources": {"Alerts": False, "Assessments": False, "SecureScores": False}}, "unexpected_source"),
    ],
)
def test_each_difference_has_its_class(changed: dict[str, Any], drift: str) -> None:
    verdict = automation_verdict(WANTED, [found(**changed)], leaving=False)
    assert (verdict.status, verdict.drift, verdict.action) == (DRIFTED, (drift,), "update")
    assert not verdict.due("safe")


def test_a_missing_one_is_made_unless_another_sends_all_of_it() -> None:
    other = found(id="/theirs", ours=False)
    assert automation_verdict(WANTED, [], leaving=False).action == "create"
    assert automation_verdict(WANTED, [other], leaving=False).status == IN_SYNC
    for less in ({"enabled": False}, {"sources": {"Alerts": False}}, {"sources": dict.fromkeys(WANTED.sources, True)},
                 {"scopes": frozenset()}, {"hubs": {"elsewhere": ""}}):  # fmt: skip
        assert automation_verdict(WANTED, [other._replace(**less)], leaving=False).action == "create"


def test_what_has_our_name_and_not_our_tag_is_never_written() -> None:
    theirs = found(ours=False, enabled=False)
    assert automation_verdict(WANTED, [theirs], leaving=False).status == BLOCKED
    assert automation_verdict(WANTED, [found(ours=False)], leaving=False).status == IN_SYNC
    assert automation_verdict(WANTED, [theirs], leaving=True)[1:3] == (IN_SYNC, ())


def test_leaving_removes_ours_alone() -> None:
    assert automation_verdict(WANTED, [found()], leaving=True).action == "delete"
    assert automation_verdict(WANTED, [found(id="/theirs")], leaving=True).action == ""


def test_a_provider_is_registered_and_never_taken_back() -> None:
    assert provider_verdict(SUB, "p", "NotRegistered", leaving=False).due("safe")
    assert provider_verdict(SUB, "p", "Registered", leaving=False).status == IN_SYNC
    assert provider_verdict(SUB, "p", "Registering", leaving=False).status == WAITING
    assert provider_verdict(SUB, "p", "NotRegistered", leaving=True).status == IN_SYNC


def test_which_providers_are_needed() -> None:
    assert providers(("alerts",), "a", EXPORT) == []
    assert providers(WAYS, "a", EXPORT) == [("a", "Microsoft.Insights"), (SUB, "Microsoft.Security")]


@pytest.mark.parametrize(
    ("seen", "leaving", "status"),
    [
        ({"DeviceInfo": 0}, False, IN_SYNC),
        ({"EmailEvents": 9000}, False, WAITING),
        ({}, False, WAITING),
        (None, False, WAITING),
        ({}, True, IN_SYNC),
        ({"DeviceInfo": 8199, "EmailEvents": 0}, True, IN_SYNC),
        ({"DeviceInfo": 8200}, True, WAITING),
        ({"EmailEvents": 9000}, True, WAITING),
        ({"EmailEvents": 0}, True, WAITING),  # silence of a rare table says nothing
        (None, True, WAITING),
    ],
)
def test_the_portals_setting_is_judged_by_what_arrives(
    seen: dict[str, float] | None, leaving: bool, status: str
) -> None:
    verdict = portal_verdict(STREAM, seen, "no library", 10_000, leaving=leaving)
    assert (verdict.status, bool(verdict.next_step), verdict.action) == (status, status == WAITING, "")


def test_without_a_hub_there_is_nothing_to_hand_over() -> None:
    assert no_hub(STREAM, leaving=False).status == BLOCKED
    assert no_hub(STREAM, leaving=True).status == IN_SYNC


def test_the_step_has_every_value_that_is_pasted() -> None:
    told = STREAM.view()
    values = [told["name"], told["event_hub_resource_id"], told["event_hub_name"], *told["event_types"]]
    assert [one for one in values if one not in STREAM.step] == []


def test_a_permission_to_write_includes_that_to_read() -> None:
    assert holds({"SecurityAlert.ReadWrite.All"}, "SecurityAlert.Read.All")
    assert not holds({"SecurityIncident.Read.All"}, "SecurityAlert.Read.All")


def test_each_permission_of_the_old_guides_has_a_successor() -> None:
    assert LEGACY["windows_defender_atp", "AdvancedQuery.Read.All"] == "ThreatHunting.Read.All"
    assert LEGACY["windows_defender_atp", "Alert.Read.All"] == "SecurityAlert.Read.All"
    assert ("windows_defender_atp", "Machine.Read.All") not in LEGACY
