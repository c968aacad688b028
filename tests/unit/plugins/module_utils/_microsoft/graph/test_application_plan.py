# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as right for the provider's app: properties, permissions, secrets, and what is sent for them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.graph import application_plan as plans
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.graph.record import Part
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


def planned(want: Any = None, have: Any = None, principal: Any = SP, known: Any = None, **_given: Any) -> plans.Plan:
    return plans.plan(want or wanted(), [], have, principal, KNOWN if known is None else known, "", NOW)


def parts(*args: Any, **given: Any) -> dict[str, Part]:
    return by_name(planned(*args, **given).parts)


def pending(found: dict[str, Part]) -> dict[str, str]:
    return {name: part.action for name, part in found.items() if part.pending}


def test_an_app_that_is_as_wanted_needs_nothing() -> None:
    found = planned(have=held())
    assert {part.status for part in found.parts} == {"in_sync"}
    assert [part.drift for part in found.parts if part.drift] == []
    assert plans.body(wanted(), held(), found) == {}


def test_an_app_that_is_not_there_is_made_whole_and_multitenant() -> None:
    found = planned(principal="")
    assert pending(by_name(found.parts)) == {
        "app": "create", "service principal": "create", "redirect URIs": "create", PERMISSIONS: "create",
    }  # fmt: skip
    assert plans.body(wanted(), None, found) == {
        "displayName": "Proseware SOC",
        "signInAudience": "AzureADMultipleOrgs",
        "web": {"redirectUris": [REDIRECT]},
        "requiredResourceAccess": [
            {"resourceAppId": GRAPH, "resourceAccess": [{"id": "id-alerts", "type": "Role"}]},
        ],
    }


@pytest.mark.parametrize(
    ("have", "name", "sent"),
    [
        (held(display_name="Other"), "display name", {"displayName": "Proseware SOC"}),
        (held(audience="AzureADMyOrg"), "sign-in audience", {"signInAudience": "AzureADMultipleOrgs"}),
    ],
)
def test_what_was_changed_is_put_back_and_nothing_else_is_sent(have: Any, name: str, sent: dict[str, Any]) -> None:
    found = planned(have=have)
    assert pending(by_name(found.parts)) == {name: "update"}
    assert by_name(found.parts)[name].drift == ("changed",)
    assert plans.body(wanted(), have, found) == sent


def test_a_service_principal_at_home_that_is_missing_or_unknown() -> None:
    assert pending(parts(have=held(), principal="")) == {"service principal": "create"}
    error = NoAnswerError("read it", "cut")
    part = parts(have=held(), principal=error)["service principal"]
    assert (part.status, part.error, part.pending) == ("unknown", error, False)


# ---- lists of which others may have added to ------------------------------------------------------------------------

OTHER = "https://somebody.example"


def test_an_address_is_added_beside_those_of_others() -> None:
    have = held(redirect_uris=(OTHER,))
    found = planned(have=have)
    part = by_name(found.parts)["redirect URIs"]
    assert (part.status, part.action, part.drift) == ("drifted", "create", ("missing", "unexpected"))
    assert plans.body(wanted(), have, found) == {"web": {"redirectUris": sorted([OTHER, REDIRECT])}}


def test_an_address_of_others_is_kept_and_told_unless_exact() -> None:
    have = held(redirect_uris=(OTHER, REDIRECT))
    part = parts(have=have)["redirect URIs"]
    assert (part.status, part.drift, part.pending) == ("in_sync", ("unexpected",), False)
    assert OTHER in part.reason
    exact = planned(wanted(exact=True), have)
    assert pending(by_name(exact.parts)) == {"redirect URIs": "update"}
    assert plans.body(wanted(exact=True), have, exact) == {"web": {"redirectUris": [REDIRECT]}}


def test_what_nothing_is_said_of_is_left_alone_also_with_exact() -> None:
    """Or an empty default would take everything from an app."""
    found = planned(wanted(redirect_uris=(), permissions={}, exact=True), held(redirect_uris=(OTHER,)))
    assert pending(by_name(found.parts)) == {}
    assert {"redirect URIs", PERMISSIONS}.isdisjoint(by_name(found.parts))


def test_a_permission_is_added_beside_those_of_others() -> None:
    delegated = ("id-scope", "Scope")
    have = held(
        access={GRAPH: frozenset({("id-incidents", "Role"), delegated}), O365: frozenset({("id-feed", "Role")})}
    )
    found = planned(have=have)
    part = by_name(found.parts)[PERMISSIONS]
    assert (part.action, part.drift) == ("create", ("missing", "unexpected"))
    assert part.before == [INCIDENTS, "id-scope (delegated)"]
    assert part.after == [ALERTS, INCIDENTS, "id-scope (delegated)"]
    assert found.access[GRAPH] == {("id-alerts", "Role"), ("id-incidents", "Role"), delegated}
    assert found.access[O365] == {("id-feed", "Role")}, "what nobody asked for stays in what is sent"
    sent = plans.body(wanted(), have, found)["requiredResourceAccess"]
    assert [one["resourceAppId"] for one in sent] == [GRAPH, O365]


def test_permissions_of_others_are_kept_and_told_unless_exact() -> None:
    access = {
        GRAPH: frozenset({("id-alerts", "Role"), ("id-incidents", "Role")}),
        O365: frozenset({("id-feed", "Role")}),
    }
    have = held(access=access)
    found = parts(have=have)
    assert pending(found) == {}
    assert found[PERMISSIONS].drift == found["permissions of office365_management"].drift == ("unexpected",)
    exact = planned(wanted(exact=True), have)
    assert pending(by_name(exact.parts)) == {PERMISSIONS: "update", "permissions of office365_management": "update"}
    assert exact.access == {GRAPH: frozenset({("id-alerts", "Role")})}


def test_a_name_that_the_tenant_does_not_offer_is_told_and_the_rest_is_done() -> None:
    found = planned(wanted(permissions={GRAPH: ("SecurityAlerts.Read.All", INCIDENTS)}), held(access={}))
    part = by_name(found.parts)["permission microsoft_graph SecurityAlerts.Read.All"]
    assert (part.status, part.drift) == ("blocked", ("not_offered",))
    assert f"did you mean {ALERTS}?" in part.reason
    assert part.next_step
    assert found.access == {GRAPH: frozenset({("id-incidents", "Role")})}


def test_a_product_that_the_tenant_does_not_have_is_told() -> None:
    found = parts(wanted(permissions={DEFENDER: ("Alert.Read.All",)}), held(access={}), known={DEFENDER: None})
    part = found["permission windows_defender_atp Alert.Read.All"]
    assert (part.status, part.drift) == ("blocked", ("not_provisioned",))
    assert "license" in part.next_step


def test_a_resource_that_cannot_be_read_is_unknown_and_keeps_what_it_has() -> None:
    error = NoAnswerError("read the permissions of microsoft_graph", "cut")
    found = planned(have=held(), known={GRAPH: error})
    part = by_name(found.parts)[PERMISSIONS]
    assert (part.status, part.error, part.pending) == ("unknown", error, False)
    assert found.access == held().access


def test_a_retired_permission_is_kept_and_never_silently() -> None:
    have = held(access={GRAPH: frozenset({("id-ev", "Role")})})
    part = parts(wanted(permissions={GRAPH: (EVENTS,)}), have)[PERMISSIONS]
    assert (part.status, part.drift) == ("in_sync", ("retired",))
    assert ALERTS in part.reason
    assert part.next_step
    missing = parts(wanted(permissions={GRAPH: (EVENTS,)}), held(access={}))[PERMISSIONS]
    assert (missing.action, missing.drift) == ("create", ("missing", "retired"))


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
        assert (found["credentials"].status, found["credentials"].drift) == ("blocked", ("expiring",))
        assert "certificate_paths" in found["credentials"].next_step


def test_what_is_added_in_this_run_lasts() -> None:
    assert "credentials" not in parts(wanted(secret_name="siem"), held(certificates=(key("a", end=5),)))


def test_expiries_name_what_still_signs_in_or_all_where_nothing_does() -> None:
    old, new = key("old", end=-1), key("new", end=10)
    shown = plans.expiries(held(certificates=(old, new), secrets=(secret("s", end=-2),)), NOW)
    assert shown == [{"name": plans.certificate_name(new.thumbprint), "expires": (NOW + days(10)).isoformat()}]
    assert len(plans.expiries(held(certificates=(old,), secrets=(secret("s", end=-2),)), NOW)) == 2
    assert plans.expiries(None, NOW) == []
