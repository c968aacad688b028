# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Permissions by name: options, what a tenant offers, and what is retired."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.graph import permissions
from tests.unit.plugins.module_utils._microsoft.graph.builders import (
    ALERTS,
    DEFENDER,
    EVENTS,
    GRAPH,
    INCIDENTS,
    MS_GRAPH,
    O365,
)

OWN_API = "B0000000-0000-4000-8000-00000000000B"


def test_resources_are_named_by_key_or_app_id() -> None:
    found = permissions.wanted("permissions", {"microsoft_graph": [INCIDENTS, ALERTS, ALERTS], OWN_API: ["Read"]})
    assert found == {GRAPH: (ALERTS, INCIDENTS), OWN_API.casefold(): ("Read",)}


def test_a_resource_that_is_named_twice_is_one() -> None:
    found = permissions.wanted("permissions", {"microsoft_graph": [ALERTS], GRAPH: [INCIDENTS]})
    assert found == {GRAPH: (ALERTS, INCIDENTS)}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"graph": [ALERTS]}, "has the key 'graph'; known are microsoft_graph"),
        ({"microsoft_graph": ALERTS}, "must be a list of names"),
        ({"microsoft_graph": [""]}, "must be a list of names"),
        ({"microsoft_graph": [1]}, "must be a list of names"),
    ],
)
def test_a_wrong_option_is_said(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        permissions.wanted("permissions", given)


def role(name: str, **given: Any) -> dict[str, Any]:
    return {"id": f"ID-{name}", "value": name, "isEnabled": True, "allowedMemberTypes": ["Application"], **given}


def test_only_what_an_app_can_be_given_is_offered() -> None:
    roles = [role("A"), role("B", allowedMemberTypes=["User"]), role("C", isEnabled=False), role("", value=None),
             role("D", allowedMemberTypes=["User", "Application"])]  # fmt: skip
    found = permissions.parse_resource({"id": "object", "appId": GRAPH.upper(), "appRoles": roles})
    assert found == permissions.Resource(GRAPH, "object", {"A": "id-a", "D": "id-d"})
    assert (found.name_of("ID-A"), found.name_of("id-z")) == ("A", "id-z")


def test_a_name_that_is_not_offered_is_told_with_the_nearest() -> None:
    assert f"did you mean {ALERTS}?" in permissions.not_offered(MS_GRAPH, "SecurityAlert.Read")
    assert "did you mean" not in permissions.not_offered(MS_GRAPH, "Zzz")


@pytest.mark.parametrize(
    ("app_id", "name", "successors"),
    [
        (DEFENDER, "AdvancedQuery.Read.All", ["ThreatHunting.Read.All"]),
        (GRAPH, EVENTS, [ALERTS, INCIDENTS]),
        (GRAPH, "SecurityEvents.ReadWrite.All", [ALERTS, INCIDENTS]),
    ],
)
def test_legacy_permissions_name_their_successors(app_id: str, name: str, successors: list[str]) -> None:
    text = permissions.retired(app_id, name)
    assert f"{name} is retired" in text
    assert all(one in text for one in successors)


@pytest.mark.parametrize(("app_id", "name"), [(GRAPH, ALERTS), (GRAPH, "AdvancedQuery.Read.All"), (O365, EVENTS)])
def test_others_are_not_retired(app_id: str, name: str) -> None:
    assert permissions.retired(app_id, name) == ""


def test_what_to_ask_for_instead_names_each_successor_once() -> None:
    both = [EVENTS, ALERTS, "SecurityEvents.ReadWrite.All"]
    assert permissions.instead(GRAPH, both) == f"ask for {ALERTS} and {INCIDENTS} of microsoft_graph instead"
    assert permissions.instead(GRAPH, [ALERTS]) == ""


def test_results_name_resources_as_options_do() -> None:
    shown = permissions.shown({GRAPH: (INCIDENTS, ALERTS), O365: (), OWN_API: ("Read",)})
    assert shown == {"microsoft_graph": [ALERTS, INCIDENTS], OWN_API.casefold(): ["Read"]}
