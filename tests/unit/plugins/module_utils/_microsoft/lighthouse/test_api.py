# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of delegations one by one, what Lighthouse refuses, and the template for a customer."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity.cloud import CLOUDS
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.lighthouse import (
    template as lighthouse_template,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.lighthouse.api import (
    DELETE_ROLE,
    Authorization,
    Definition,
    Delegation,
    Observed,
    Wanted,
    known_role,
    parse_delegation,
    refusal,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.lighthouse.plan import plan
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights.definitions import parse_role
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.settings.setting import same_id
from tests.unit.plugins.module_utils._microsoft.rights_scripts import DELETE_ROLE as DELETE_GUID
from tests.unit.plugins.module_utils._microsoft.rights_scripts import MONITORING, OID, STRANGER, SUBSCRIPTION, role
from tests.unit.plugins.module_utils._microsoft.scripts_of_http import HOME, OTHER

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
MONITOR = Authorization(OID, MONITORING, name="SOC", role_name="Monitoring Contributor")
DELETE = Authorization(OID, DELETE_GUID, name="SOC", role_name=DELETE_ROLE)
READ = Authorization(OID, READER, name="SOC")


def wanted(*given: Authorization, present: bool = True, customer: bool = True, **more: Any) -> Wanted:
    return Wanted(
        SUBSCRIPTION, OTHER, more.get("offer", "SOC"), "SOC", given or (MONITOR, DELETE), present, customer, "az …"
    )


WISH = wanted()


def definition(*given: Authorization, **more: Any) -> Definition:
    """Ours as found, with what is said otherwise."""
    found = Definition(same_id(WISH.definition_id), "SOC", "SOC", OTHER, given or (MONITOR, DELETE))
    return found._replace(**more)


def theirs(*given: Authorization, **more: Any) -> Definition:
    return definition(*given, **{"id": "theirs", "offer": "Theirs", **more})


def observed(found: Definition | None, *delegations: Delegation, assigned: bool = True) -> Observed:
    """found: our definition, assigned under our name unless said otherwise."""
    mine = (Delegation(WISH.name, found),) if found and assigned else ()
    return Observed((*mine, *delegations), found)


MISSING, NOTHING = ("drifted", ("missing",), "create"), ("in_sync", (), "")
UPDATE = ("drifted", ("authorization_extra",), "update")
CONFLICT = ("blocked", ("conflict",), "")
Ends = tuple[str, tuple[str, ...], str]

# wanted, what is there -> (status, drift, action) of the definition and of the assignment
CASES: dict[str, tuple[Wanted, Observed, Ends, Ends]] = {
    "nothing there": (WISH, Observed(), MISSING, MISSING),
    "as wanted": (WISH, observed(definition()), NOTHING, NOTHING),
    "a definition alone": (WISH, observed(definition(), assigned=False), NOTHING, MISSING),
    "a role is lacking": (
        WISH, observed(definition(MONITOR)), ("drifted", ("authorization_missing",), "update"), NOTHING,
    ),
    "a role was added": (WISH, observed(definition(MONITOR, DELETE, READ)), UPDATE, NOTHING),
    "a principal was added": (
        WISH, observed(definition(MONITOR, DELETE, MONITOR._replace(principal_id=STRANGER))), UPDATE, NOTHING,
    ),
    "access just in time was added": (WISH, observed(definition(eligible=1)), UPDATE, NOTHING),
    "another role": (
        wanted(READ), observed(definition(MONITOR)),
        ("drifted", ("authorization_missing", "authorization_extra"), "update"), NOTHING,
    ),
    "other roles to pass on": (
        wanted(MONITOR._replace(delegated=frozenset({READER}))), observed(definition(MONITOR)),
        ("drifted", ("authorization_missing", "authorization_extra"), "update"), NOTHING,
    ),
    "another order": (WISH, observed(definition(DELETE, MONITOR)), NOTHING, NOTHING),
    "another name of the principal": (
        WISH, observed(definition(MONITOR._replace(name="x"), DELETE)), ("drifted", ("renamed",), "update"), NOTHING,
    ),
    "another description": (WISH, observed(definition(description="x")), ("drifted", ("renamed",), "update"), NOTHING),
    "a definition that failed": (
        WISH, observed(definition(state="failed")), ("drifted", ("failed",), "update"), NOTHING,
    ),
    "an assignment that failed": (
        WISH, Observed((Delegation(WISH.name, definition(), "failed"),), definition()),
        NOTHING, ("drifted", ("failed",), "update"),
    ),
    "an assignment under way": (
        WISH, Observed((Delegation(WISH.name, definition(), "creating"),), definition()), NOTHING, ("unknown", (), ""),
    ),
    "a definition under way": (
        WISH, observed(definition()._replace(state="creating"), assigned=False), ("unknown", (), ""),
        ("unknown", ("missing",), ""),
    ),
    "assigned under another name": (
        WISH, Observed((Delegation("another", definition()),), definition()), NOTHING, NOTHING,
    ),
    "another offer gives it all": (
        WISH, observed(None, Delegation("t", theirs(MONITOR, DELETE, READ))), NOTHING, NOTHING,
    ),
    "another offer that failed": (WISH, observed(None, Delegation("t", theirs(), "failed")), CONFLICT, CONFLICT),
    "another offer gives some of it": (WISH, observed(None, Delegation("t", theirs(MONITOR))), CONFLICT, CONFLICT),
    "another offer to somebody else": (
        WISH, observed(None, Delegation("t", theirs(READ._replace(principal_id=STRANGER)))), MISSING, MISSING,
    ),
    "another offer of another tenant": (
        WISH, observed(None, Delegation("t", theirs(manager=HOME))), MISSING, MISSING,
    ),
    "ours, beside another": (WISH, observed(definition(), Delegation("t", theirs(MONITOR))), NOTHING, NOTHING),
    "to go: nothing there": (wanted(present=False), Observed(), NOTHING, NOTHING),
    "to go: all of it": (
        wanted(present=False), observed(definition()), ("drifted", ("unexpected",), "delete"),
        ("drifted", ("unexpected",), "delete"),
    ),
    "to go: a definition alone": (
        wanted(present=False), observed(definition(), assigned=False), NOTHING, ("drifted", ("unexpected",), "delete"),
    ),
    "to go: assigned under another name": (
        wanted(present=False), Observed((Delegation("another", definition()),), definition()),
        ("in_sync", ("not_ours",), ""), ("blocked", ("in_use",), ""),
    ),
    "to go: another offer": (
        wanted(present=False), observed(None, Delegation("t", theirs())), ("in_sync", ("not_ours",), ""), NOTHING,
    ),
    "to go: another tenant's": (
        wanted(present=False), observed(None, Delegation("t", theirs(manager=HOME))), NOTHING, NOTHING,
    ),
    "to go, from the managing tenant": (
        wanted(present=False, customer=False), observed(definition()), ("drifted", ("unexpected",), "delete"),
        ("skipped", (), ""),
    ),
    "to go, and not seen from the managing tenant": (
        wanted(present=False, customer=False), Observed(seen=False), NOTHING, ("skipped", (), ""),
    ),
    "from the managing tenant: not seen": (
        wanted(customer=False), Observed(seen=False), ("waiting", ("missing",), ""), ("waiting", ("missing",), ""),
    ),
    "from the managing tenant: changed": (
        wanted(customer=False), observed(definition(MONITOR)), ("waiting", ("authorization_missing",), ""), NOTHING,
    ),
    "from the managing tenant: as wanted": (wanted(customer=False), observed(definition()), NOTHING, NOTHING),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_rules(case: str) -> None:
    wish, found, *expected = CASES[case]
    assert [(one.status, one.drift, one.action) for one in plan(wish, found)] == expected


def test_what_is_to_go_goes_in_the_order_that_azure_takes() -> None:
    targets = [one.target for one in plan(wanted(present=False), observed(definition()))]
    assert targets == [WISH.assignment_id, WISH.definition_id]
    assert [one.target for one in plan(WISH, Observed())] == [WISH.definition_id, WISH.assignment_id]


def test_nothing_is_assigned_of_a_definition_that_may_not_be_put_right() -> None:
    changed, assign = plan(WISH, observed(definition(READ), assigned=False))
    assert [(one.due("safe"), one.due("all")) for one in (changed, assign)] == [(False, True)] * 2
    made, assign = plan(WISH, Observed())
    assert (made.due("safe"), assign.due("safe")) == (True, True)


def test_what_waits_for_the_customer_says_so_with_the_command() -> None:
    for one in plan(wanted(customer=False), Observed(seen=False)):
        assert (one.status, one.next_step) == ("waiting", "az …")


def test_one_definition_in_every_subscription_and_another_for_each_offer() -> None:
    assert WISH.name == wanted()._replace(subscription="other", manager=OTHER.upper(), offer="soc").name
    assert len({WISH.name, wanted(offer="x").name, wanted()._replace(manager=HOME).name}) == 3


def test_a_delegation_in_azures_spelling() -> None:
    authorization = {"principalId": OID.upper(), "roleDefinitionId": f"/x/roleDefinitions/{MONITORING.upper()}",
                     "principalIdDisplayName": None, "delegatedRoleDefinitionIds": [READER.upper()]}  # fmt: skip
    raw = {
        "name": WISH.name.upper(),
        "properties": {
            "provisioningState": "Succeeded",
            "registrationDefinition": {
                "id": WISH.definition_id.upper(),
                "properties": {"managedByTenantId": OTHER.upper(), "authorizations": [authorization],
                               "eligibleAuthorizations": None, "registrationDefinitionName": None},
            },
        },
    }  # fmt: skip
    found = parse_delegation(raw)
    assert (found.name, found.state, found.definition.id) == (WISH.name, "succeeded", same_id(WISH.definition_id))
    assert found.definition.authorizations == (Authorization(OID, MONITORING, frozenset({READER})),)
    assert (found.definition.offer, found.definition.eligible, found.definition.manager) == ("", 0, OTHER)


@pytest.mark.parametrize(
    ("raw", "delegated", "why"),
    [
        (role(), False, ""),
        (role("Owner"), False, "Owner"),
        (role("owner", kind="CustomRole"), False, "custom"),
        (role("Log Analytics Contributor", dataActions=["x"]), False, "data actions"),
        (role("User Access Administrator"), False, "delegated_roles"),
        (role("User Access Administrator"), True, ""),
    ],
)
def test_what_lighthouse_refuses(raw: dict[str, Any], delegated: bool, why: str) -> None:
    found = refusal(parse_role(raw), delegated)
    assert (why in found, bool(found)) == (True, bool(why))


def test_data_actions_that_are_taken_back_are_refused_as_well() -> None:
    raw = role()
    raw["properties"]["permissions"][0]["notDataActions"] = ["x"]
    assert "data actions" in refusal(parse_role(raw), False)


def test_the_known_roles_are_the_ones_that_the_default_needs() -> None:
    for name, guid in (("Monitoring Contributor", MONITORING), (DELETE_ROLE.upper(), DELETE_GUID)):
        found = known_role(name)
        assert found
        assert (found.guid, refusal(found, False)) == (guid, "")
    assert known_role("Owner") is None


# ---- the template -------------------------------------------------------------------------------------------------

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# managedservices.json 2022-10-01: the properties that exist, those that are required first.
PROPERTIES = {
    "Microsoft.ManagedServices/registrationDefinitions": (
        {"managedByTenantId", "authorizations"}, {"registrationDefinitionName", "description"},
    ),
    "Microsoft.ManagedServices/registrationAssignments": ({"registrationDefinitionId"}, set()),
}  # fmt: skip
AUTHORIZATION = ({"principalId", "roleDefinitionId"}, {"principalIdDisplayName", "delegatedRoleDefinitionIds"})


def within(found: dict[str, Any], shape: tuple[set[str], set[str]]) -> bool:
    required, optional = shape
    return required <= set(found) <= required | optional


def test_the_template_has_the_published_shape() -> None:
    access = Authorization(STRANGER, "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", frozenset({READER}), "Policy")
    made = lighthouse_template.template(wanted(MONITOR, access))
    assert set(made) == {"$schema", "contentVersion", "resources"}
    assert made["$schema"].endswith("/subscriptionDeploymentTemplate.json#")
    assert [one["type"] for one in made["resources"]] == list(PROPERTIES)
    for one in made["resources"]:
        assert set(one) - {"dependsOn"} == {"type", "apiVersion", "name", "properties"}
        assert (one["apiVersion"], bool(GUID.fullmatch(one["name"]))) == ("2022-10-01", True)
        assert within(one["properties"], PROPERTIES[one["type"]])
    first, second = made["resources"]
    assert all(within(one, AUTHORIZATION) for one in first["properties"]["authorizations"])
    [dependence] = second["dependsOn"]
    assert second["properties"]["registrationDefinitionId"] == dependence
    assert dependence == f"[subscriptionResourceId('{first['type']}', '{first['name']}')]"
    assert json.loads(lighthouse_template.text(made)) == made


def test_the_template_sends_what_the_module_sends() -> None:
    first, second = lighthouse_template.template(WISH)["resources"]
    assert first["properties"] == WISH.properties()
    assert (first["name"], second["name"]) == (WISH.name, WISH.name)


@pytest.mark.parametrize(("name", "written"), [
    ("[reference('x')]", "[[reference('x')]"), ("[SOC] Proseware", "[SOC] Proseware"), ("SOC", "SOC"),
])  # fmt: skip
def test_no_name_is_an_expression(name: str, written: str) -> None:
    first, _second = lighthouse_template.template(wanted(MONITOR._replace(name=name), offer=name))["resources"]
    assert first["properties"]["registrationDefinitionName"] == written
    assert first["properties"]["authorizations"][0]["principalIdDisplayName"] == written


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_command_takes_any_path(cloud: str) -> None:
    parts = shlex.split(lighthouse_template.command(SUBSCRIPTION, cloud, "/tmp/a b'c.json"))
    assert parts[:4] == ["az", "deployment", "sub", "create"]
    assert parts[-2:] == ["--template-file", "/tmp/a b'c.json"]
    assert lighthouse_template.command(SUBSCRIPTION, cloud, None).endswith("--template-file lighthouse.json")
