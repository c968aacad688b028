# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as right for the provider's app: properties, permissions, secrets, and what is sent for them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.policy import ALL
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Verdict
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.application import plan as plans
from tests.unit.plugins.module_utils._microsoft.graph.builders import (
    ALERTS,
    DEFENDER,
    EVENTS,
    GRAPH,
    INCIDENTS,
    KNOWN,
    NOW,
    O365,
    REDIRECT,
    SP,
    by_name,
    days,
    held,
    key,
    secret,
    wanted,
)

PERMISSIONS = "permissions of microsoft_graph"


def planned(want: Any = None, have: Any = None, principal: Any = SP, known: Any = None, **_given: Any) -> list[Verdict]:
    return plans.plan(want or wanted(), [], have, principal, KNOWN if known is None else known, "", NOW)


def parts(*args: Any, **given: Any) -> dict[str, Verdict]:
    return by_name(planned(*args, **given))


def pending(found: dict[str, Verdict]) -> dict[str, str]:
    return {name: part.action for name, part in found.items() if part.due(ALL)}


def sent(have: plans.Application | None, found: list[Verdict]) -> dict[str, Any]:
    """The PATCH for what is due of the properties."""
    due = [part for part in found if part.due(ALL) and part.subject.stage == plans.PROPERTIES]
    return plans.body(have, due)


def access(have: plans.Application, found: list[Verdict]) -> dict[str, set[tuple[str, str]]]:
    """The same, of requiredResourceAccess alone."""
    asked = sent(have, found)["requiredResourceAccess"]
    return {one["resourceAppId"]: {(each["id"], each["type"]) for each in one["resourceAccess"]} for one in asked}


def test_an_app_that_is_as_wanted_needs_nothing() -> None:
    found = planned(have=held())
    assert {part.status for part in found} == {"in_sync"}
    assert [part.drift for part in found if part.drift] == []
    assert sent(held(), found) == {}


def test_an_app_that_is_not_there_is_made_whole_and_multitenant() -> None:
    found = planned(principal="")
    assert pending(by_name(found)) == {
        "app": "create", "service principal": "create", "redirect URIs": "create", PERMISSIONS: "create",
    }  # fmt: skip
    assert sent(None, found) == {
        "displayName": "Proseware SOC",
        "signInAudience": "AzureADMultipleOrgs",
        "web": {"redirectUris": [REDIRECT]},
        "requiredResourceAccess": [
            {"resourceAppId": GRAPH, "resourceAccess": [{"id": "id-alerts", "type": "Role"}]},
        ],
    }


@pytest.mark.parametrize(
    ("have", "name", "body"),
    [
        (held(display_name="Other"), "display name", {"displayName": "Proseware SOC"}),
        (held(audience="AzureADMyOrg"), "sign-in audience", {"signInAudience": "AzureADMultipleOrgs"}),
    ],
)
def test_what_was_changed_is_put_back_and_nothing_else_is_sent(have: Any, name: str, body: dict[str, Any]) -> None:
    found = planned(have=have)
    assert pending(by_name(found)) == {name: "update"}
    assert by_name(found)[name].drift == ("changed",)
    assert sent(have, found) == body


def test_a_service_principal_at_home_that_is_missing_or_unknown() -> None:
    assert pending(parts(have=held(), principal="")) == {"service principal": "create"}
    error = NoAnswerError("read it", "cut")
    part = parts(have=held(), principal=error)["service principal"]
    assert (part.status, part.error, part.due(ALL)) == ("unknown", error, False)


# ---- lists of which others may have added to ------------------------------------------------------------------------

OTHER = "https://somebody.example"


def test_an_address_is_added_beside_those_of_others() -> None:
    have = held(redirect_uris=(OTHER,))
    found = planned(have=have)
    part = by_name(found)["redirect URIs"]
    assert (part.status, part.action, part.drift) == ("drifted", "create", ("missing", "unexpected"))
    assert sent(have, found) == {"web": {"redirectUris": sorted([OTHER, REDIRECT])}}


def test_an_address_of_others_is_kept_and_told_unless_exact() -> None:
    have = held(redirect_uris=(OTHER, REDIRECT))
    part = parts(have=have)["redirect URIs"]
    assert (part.status, part.drift, part.due(ALL)) == ("in_sync", ("unexpected",), False)
    assert OTHER in part.reason
    exact = planned(wanted(exact=True), have)
    assert pending(by_name(exact)) == {"redirect URIs": "update"}
    assert sent(have, exact) == {"web": {"redirectUris": [REDIRECT]}}


def test_what_nothing_is_said_of_is_left_alone_also_with_exact() -> None:
    """Or an empty default would take everything from an app."""
    found = planned(wanted(redirect_uris=(), permissions={}, exact=True), held(redirect_uris=(OTHER,)))
    assert pending(by_name(found)) == {}
    assert {"redirect URIs", PERMISSIONS}.isdisjoint(by_name(found))


def test_a_permission_is_added_beside_those_of_others() -> None:
    delegated = ("id-scope", "Scope")
    have = held(
        access={GRAPH: frozenset({("id-incidents", "Role"), delegated}), O365: frozenset({("id-feed", "Role")})}
    )
    found = planned(have=have)
    part = by_name(found)[PERMISSIONS]
    assert (part.action, part.drift) == ("create", ("missing", "unexpected"))
    assert part.before[PERMISSIONS] == [INCIDENTS, "id-scope (delegated)"]
    assert part.after[PERMISSIONS] == [ALERTS, INCIDENTS, "id-scope (delegated)"]
    assert access(have, found)[GRAPH] == {("id-alerts", "Role"), ("id-incidents", "Role"), delegated}
    assert access(have, found)[O365] == {("id-feed", "Role")}, "what nobody asked for stays in what is sent"
    assert list(access(have, found)) == [GRAPH, O365]


def test_permissions_of_others_are_kept_and_told_unless_exact() -> None:
    others = {
        GRAPH: frozenset({("id-alerts", "Role"), ("id-incidents", "Role")}),
        O365: frozenset({("id-feed", "Role")}),
    }
    have = held(access=others)
    found = parts(have=have)
    assert pending(found) == {}
    assert found[PERMISSIONS].drift == found["permissions of office365_management"].drift == ("unexpected",)
    exact = planned(wanted(exact=True), have)
    assert pending(by_name(exact)) == {PERMISSIONS: "update", "permissions of office365_management": "update"}
    assert access(have, exact) == {GRAPH: {("id-alerts", "Role")}}


def test_a_name_that_the_tenant_does_not_offer_is_told_and_the_rest_is_done() -> None:
    found = planned(wanted(permissions={GRAPH: ("SecurityAlerts.Read.All", INCIDENTS)}), held(access={}))
    part = by_name(found)["permission microsoft_graph SecurityAlerts.Read.All"]
    assert (part.status, part.drift) == ("blocked", ("not_offered",))
    assert f"did you mean {ALERTS}?" in part.reason
    assert part.next_step
    assert access(held(access={}), found) == {GRAPH: {("id-incidents", "Role")}}


def test_a_product_that_the_tenant_does_not_have_is_told() -> None:
    found = parts(wanted(permissions={DEFENDER: ("Alert.Read.All",)}), held(access={}), known={DEFENDER: None})
    part = found["permission windows_defender_atp Alert.Read.All"]
    assert (part.status, part.drift) == ("waiting", ("not_provisioned",))
    assert "license" in part.next_step


def test_a_resource_that_cannot_be_read_is_unknown_and_keeps_what_it_has() -> None:
    error = NoAnswerError("read the permissions of microsoft_graph", "cut")
    found = planned(have=held(), known={GRAPH: error})
    part = by_name(found)[PERMISSIONS]
    assert (part.status, part.error, part.due(ALL)) == ("unknown", error, False)
    assert sent(held(), found) == {}


def test_a_retired_permission_is_kept_and_never_silently() -> None:
    have = held(access={GRAPH: frozenset({("id-ev", "Role")})})
    part = parts(wanted(permissions={GRAPH: (EVENTS,)}), have)[PERMISSIONS]
    assert (part.status, part.drift) == ("in_sync", ("retired",))
    assert ALERTS in part.reason
    assert part.next_step
    missing = parts(wanted(permissions={GRAPH: (EVENTS,)}), held(access={}))[PERMISSIONS]
    assert (missing.action, missing.drift) == ("create", ("retired", "missing"))


# ---- secrets --------------------------------------------------------------------------------------------------------


def test_no_secret_is_made_unless_one_is_asked_for() -> None:
    assert [name for name in parts(have=held()) if name.startswith("secret ")] == []


@pytest.mark.parametrize(
    ("secrets", "made"),
    [
        ((), True),
        ((secret("siem"),), False),
        ((secret("siem", end=-1),), True),
        ((secret("siem", start=1),), True),
        ((secret("other"),), True),
    ],
)
def test_a_secret_is_made_where_none_of_its_name_is_valid(secrets: Any, made: bool) -> None:
    found = parts(wanted(secret_name="siem"), held(secrets=secrets))
    assert pending(found) == ({"secret siem": "create"} if made else {})


# ---- what lasts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("certificates", "secrets", "told"),
    [
        ((key("a", end=29),), (), True),
        ((key("a", end=31),), (), False),
        ((key("a", end=29),), (secret("s", end=31),), False),
        ((key("a", end=-5),), (), True),
        ((), (), False),
    ],
)
def test_that_nothing_lasts_is_told_in_time(certificates: Any, secrets: Any, told: bool) -> None:
    found = parts(have=held(certificates=certificates, secrets=secrets))
    assert ("credentials" in found) is told
    if told:
        assert (found["credentials"].status, found["credentials"].drift) == ("drifted", ("expiring",))
        assert "certificate_paths" in found["credentials"].next_step


def test_what_is_added_in_this_run_lasts() -> None:
    assert "credentials" not in parts(wanted(secret_name="siem"), held(certificates=(key("a", end=5),)))


def test_expiries_name_what_still_signs_in_or_all_where_nothing_does() -> None:
    old, new = key("old", end=-1), key("new", end=10)
    shown = plans.expiries(held(certificates=(old, new), secrets=(secret("s", end=-2),)), NOW)
    assert shown == [{"name": plans.certificate_name(new.thumbprint), "expires": (NOW + days(10)).isoformat()}]
    assert len(plans.expiries(held(certificates=(old,), secrets=(secret("s", end=-2),)), NOW)) == 2
    assert plans.expiries(None, NOW) == []
