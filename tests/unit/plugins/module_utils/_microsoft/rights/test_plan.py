# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of role assignments, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights.definitions import (
    choose,
    parse_role,
    unknown,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights.plan import (
    Assignment,
    Wanted,
    ineffective,
    parse_assignment,
    plan,
)
from tests.unit.plugins.module_utils._microsoft.rights_scripts import MONITORING, OID, SCOPE, STRANGER, role

ROLE = parse_role(role())
GROUP = "/providers/Microsoft.Management/managementGroups/corp"


def wanted(scope: str = SCOPE, *, present: bool = True) -> Wanted:
    return Wanted(scope, ROLE, OID, "ServicePrincipal", present)


def given(scope: str = SCOPE, name: str = "another", role_guid: str = MONITORING, principal: str = OID,
          condition: str = "") -> Assignment:  # fmt: skip
    return Assignment(name, role_guid, principal, scope.strip("/").casefold(), condition)


OURS = given(name=wanted().name)
GROUP_OF_ONE = f"{SCOPE}/resourceGroups/rg1"
VAULT = f"{SCOPE}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"

# wanted, what is there -> status, drift, action, whether a reason is told
CASES: dict[str, tuple[Wanted, tuple[Assignment, ...], tuple[str, tuple[str, ...], str, bool]]] = {
    "nothing there": (wanted(), (), ("drifted", ("missing",), "create", False)),
    "ours": (wanted(), (OURS,), ("in_sync", (), "", False)),
    "of another name": (wanted(), (given(),), ("in_sync", (), "", True)),
    "another role": (wanted(), (given(role_guid="other"),), ("drifted", ("missing",), "create", False)),
    "another principal": (wanted(), (given(principal=STRANGER),), ("drifted", ("missing",), "create", False)),
    "at the subscription above": (wanted(VAULT), (given(),), ("in_sync", (), "", True)),
    "at the root": (wanted(), (given("/"),), ("in_sync", (), "", True)),
    "at a management group, which Azure lists only above": (wanted(), (given(GROUP),), ("in_sync", (), "", True)),
    "below only": (wanted(), (given(VAULT),), ("drifted", ("missing",), "create", False)),
    "beside it": (wanted(f"{GROUP_OF_ONE}0"), (given(GROUP_OF_ONE),), ("drifted", ("missing",), "create", False)),
    "a management group below the root": (wanted("/"), (given(GROUP),), ("drifted", ("missing",), "create", False)),
    "under a condition": (wanted(), (given(condition="@Resource…"),), ("blocked", ("conditional",), "", True)),
    "under a condition above": (wanted(VAULT), (given(condition="@R"),), ("drifted", ("missing",), "create", False)),
    "under a condition, and one without": (wanted(), (given(condition="@R"), given("/")), ("in_sync", (), "", True)),
    "to go: nothing there": (wanted(present=False), (), ("in_sync", (), "", False)),
    "to go: ours": (wanted(present=False), (OURS,), ("drifted", ("unexpected",), "delete", False)),
    "to go: only another's": (wanted(present=False), (given(),), ("in_sync", ("not_ours",), "", True)),
    "to go: ours and another's": (
        wanted(present=False), (OURS, given()), ("drifted", ("unexpected", "not_ours"), "delete", True),
    ),
    "to go: another's above says nothing": (wanted(present=False), (given("/"),), ("in_sync", (), "", False)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_rules(case: str) -> None:
    wish, observed, expected = CASES[case]
    found = plan(wish, observed)
    assert (found.status, found.drift, found.action, bool(found.reason)) == expected


def test_the_name_is_made_of_scope_role_and_principal_whatever_their_case() -> None:
    same = wanted(SCOPE.upper() + "/")._replace(principal_id=OID.upper())
    assert same.name == wanted().name
    assert same.id.endswith(f"/providers/Microsoft.Authorization/roleAssignments/{same.name}")
    others = {
        wanted(VAULT).name,
        wanted()._replace(principal_id=STRANGER).name,
        wanted()._replace(role=ROLE._replace(guid="x")).name,
    }
    assert len(others | {wanted().name}) == 4


def test_an_assignment_in_azures_spelling() -> None:
    raw: dict[str, Any] = {
        "name": OURS.name.upper(),
        "properties": {
            "roleDefinitionId": f"/PROVIDERS/Microsoft.Authorization/roleDefinitions/{MONITORING.upper()}",
            "principalId": OID.upper(),
            "scope": SCOPE.upper(),
            "condition": None,
        },
    }
    assert parse_assignment(raw) == OURS
    raw["properties"]["condition"] = "@Resource"
    assert parse_assignment(raw) == OURS._replace(condition="@Resource")


def test_a_role_is_found_whatever_the_case_of_its_name() -> None:
    assert choose("monitoring CONTRIBUTOR", [ROLE, parse_role(role("Reader", "r"))], SCOPE) == ROLE
    assert choose("Monitoring Contributor", [ROLE, ROLE], SCOPE) == ROLE, "listed twice is not two roles"
    assert choose("Nobody", [ROLE], SCOPE) is None


def test_two_roles_of_a_name_are_an_error_that_names_both() -> None:
    with pytest.raises(InputError, match=rf"2 roles have this name: .*/{MONITORING}, .*/custom"):
        choose("Monitoring Contributor", [ROLE, parse_role(role(guid="custom", kind="CustomRole"))], SCOPE)


def test_an_unknown_role_is_told_with_near_names() -> None:
    roles = [ROLE, parse_role(role("Monitoring Reader", "r")), parse_role(role("Cost Reader", "c"))]
    error = unknown("Monitoring Contributer", roles, SCOPE)
    assert error.message == "no role has this name; near it are Monitoring Contributor, Monitoring Reader"
    assert unknown("zzzz", roles, SCOPE).message == "no role has this name"


DATA = parse_role(role("Data", "d", actions=["*/read"], dataActions=["Microsoft.EventHub/*/receive/action"]))
LESS = parse_role(role("Less", "l", actions=["*", "A/x/write"], notActions=["A/*/write"]))


@pytest.mark.parametrize(
    ("one", "permissions", "missing"),
    [
        (ROLE, [], ["*/read", "Microsoft.Insights/DiagnosticSettings/*"]),
        (ROLE, [{"actions": ["*/read"]}], ["Microsoft.Insights/DiagnosticSettings/*"]),
        (ROLE, [{"actions": ["*/READ"]}, {"actions": ["microsoft.insights/diagnosticsettings/*"]}], []),
        (ROLE, [{"actions": ["*"], "notActions": []}], []),
        (DATA, [{"actions": ["*"]}], ["Microsoft.EventHub/*/receive/action"]),
        (DATA, [{"actions": ["*"], "dataActions": ["Microsoft.EventHub/*"]}], []),
        (DATA, [{"actions": ["*"], "dataActions": ["*"], "notDataActions": ["*/receive/action"]}],
         ["Microsoft.EventHub/*/receive/action"]),
        (LESS, [{"actions": ["*"], "notActions": ["A/*/write"]}], []),
    ],
)  # fmt: skip
def test_a_role_counts_when_all_its_actions_are_given(one: Any, permissions: Any, missing: list[str]) -> None:
    assert ineffective(one, permissions) == missing
