# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as right for the app in a customer's tenant, and who can put right what is not."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.policy import ALL
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Record, Verdict, judged
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.principal import plan as plans
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.principal.plan import (
    PRINCIPAL,
    SEEN_BY_TOKEN,
    Observed,
    Wanted,
)
from tests.unit.plugins.module_utils._microsoft.graph.builders import (
    ALERTS,
    DEFENDER,
    EVENTS,
    GRAPH,
    INCIDENTS,
    KNOWN,
    O365,
    SP,
    by_name,
)

TENANT, HOME = "60000000-0000-4000-8000-00000000000A", "10000000-0000-4000-8000-000000000000"
CLIENT, LINK = "a0000000-0000-4000-8000-00000000000a", "https://login.example/consent"
ALERT, INCIDENT = f"permission microsoft_graph {ALERTS}", f"permission microsoft_graph {INCIDENTS}"


def wanted(able: bool = True, exact: bool = False, **names: Any) -> Wanted:
    return Wanted(TENANT, CLIENT, names.get("permissions", {GRAPH: (ALERTS, INCIDENTS)}), exact, able, LINK)


def directory(*granted: str, **given: Any) -> Observed:
    """As an administrator reads it, with these permissions of Graph granted."""
    base = Observed(SP, HOME, {GRAPH: {name: f"grant-{name}" for name in granted}} if granted else {}, KNOWN)
    return base._replace(**given)


def tokens(*granted: str, **given: Any) -> Observed:
    """As the app's own tokens show it."""
    seen = {GRAPH: dict.fromkeys(granted, ""), O365: {}}
    return Observed(SP, "", seen, {GRAPH: SEEN_BY_TOKEN, O365: SEEN_BY_TOKEN, DEFENDER: None})._replace(**given)


def present(want: Wanted, seen: Observed) -> dict[str, Verdict]:
    return by_name(plans.plan_present(want, seen))


def pending(found: dict[str, Verdict]) -> dict[str, str]:
    return {name: part.action for name, part in found.items() if part.due(ALL)}


def test_what_is_granted_needs_nothing() -> None:
    for able, seen in ((True, directory(ALERTS, INCIDENTS)), (False, tokens(ALERTS, INCIDENTS))):
        found = present(wanted(able), seen)
        assert {part.status for part in found.values()} == {"in_sync"}
        assert [part.drift for part in found.values() if part.drift] == []


def test_an_administrator_makes_and_grants_what_is_missing() -> None:
    found = present(wanted(), directory(ALERTS))
    assert pending(found) == {INCIDENT: "create"}
    nothing = present(wanted(), Observed("", "", {}, KNOWN))
    assert pending(nothing) == {PRINCIPAL: "create", ALERT: "create", INCIDENT: "create"}


def test_without_one_all_that_is_missing_waits_for_the_link() -> None:
    found = present(wanted(able=False), Observed("", "", {}, {}))
    assert {part.status for part in found.values()} == {"waiting"}
    assert set(found) == {PRINCIPAL, ALERT, INCIDENT}
    assert all(LINK in part.next_step and part.drift == ("missing",) for part in found.values())
    some = present(wanted(able=False), tokens(ALERTS))
    assert (some[ALERT].status, some[INCIDENT].status, pending(some)) == ("in_sync", "waiting", {})


def test_by_token_every_name_may_be_offered_but_not_by_the_directory() -> None:
    names = {GRAPH: ("Nonsense.Read.All",)}
    label = "permission microsoft_graph Nonsense.Read.All"
    assert present(wanted(False, permissions=names), tokens())[label].drift == ("missing",)
    part = present(wanted(True, permissions=names), directory())[label]
    assert (part.status, part.drift) == ("blocked", ("not_offered",))


@pytest.mark.parametrize(("able", "seen"), [(True, directory(resources={DEFENDER: None})), (False, tokens())])
def test_a_product_that_the_customer_does_not_have_is_told(able: bool, seen: Observed) -> None:
    part = present(wanted(able, permissions={DEFENDER: ("Alert.Read.All",)}), seen)[
        "permission windows_defender_atp Alert.Read.All"
    ]
    assert (part.status, part.drift) == ("waiting", ("not_provisioned",))


def test_a_resource_that_cannot_be_read_is_unknown_not_missing() -> None:
    error = NoAnswerError("read", "cut")
    found = present(wanted(), directory(resources={GRAPH: error}))
    assert {found[ALERT].status, found[INCIDENT].status} == {"unknown"}
    assert pending(found) == {}
    _granted, missing, _extra = plans.ended(wanted(), directory(), map(judged, found.values()))
    assert not any(missing.values())


def test_what_was_granted_besides_is_kept_and_told() -> None:
    for able, seen in ((True, directory(ALERTS, INCIDENTS, EVENTS)), (False, tokens(ALERTS, INCIDENTS, EVENTS))):
        part = present(wanted(able), seen)[f"permission microsoft_graph {EVENTS}"]
        assert (part.status, part.drift, part.due(ALL)) == ("in_sync", ("unexpected",), False)


def test_it_is_taken_back_on_request_by_an_administrator_only() -> None:
    label = f"permission microsoft_graph {EVENTS}"
    assert pending(present(wanted(exact=True), directory(ALERTS, INCIDENTS, EVENTS))) == {label: "delete"}
    part = present(wanted(False, exact=True), tokens(ALERTS, INCIDENTS, EVENTS))[label]
    assert (part.status, part.drift) == ("waiting", ("unexpected",))
    assert "access_token" in part.next_step


def test_all_of_a_resource_that_nobody_asked_for_is_extra() -> None:
    seen = directory(granted={O365: {"ActivityFeed.Read": "grant"}})
    found = present(wanted(exact=True, permissions={}), seen)
    assert pending(found) == {"permission office365_management ActivityFeed.Read": "delete"}


@pytest.mark.parametrize(("granted", "status"), [((EVENTS,), "in_sync"), ((), "drifted")])
def test_a_retired_permission_is_told_whether_granted_or_missing(granted: tuple[str, ...], status: str) -> None:
    found = present(wanted(permissions={GRAPH: (EVENTS,)}), directory(*granted))
    part = found[f"permission microsoft_graph {EVENTS}"]
    assert part.status == status
    assert "retired" in part.drift
    assert "SecurityAlert.Read.All" in part.reason
    assert part.next_step.startswith("ask for")


# ---- offboard -------------------------------------------------------------------------------------------------------


def test_the_app_is_removed_by_an_administrator() -> None:
    (part,) = plans.plan_absent(wanted(), directory(ALERTS))
    assert (part.status, part.action, part.drift) == ("drifted", "delete", ("unexpected",))


def test_an_app_that_is_gone_is_as_wanted() -> None:
    for able in (True, False):
        (part,) = plans.plan_absent(wanted(able), Observed("", "", {}, {}))
        assert (part.status, part.drift) == ("in_sync", ())


def test_without_an_administrator_the_customer_is_told_the_command() -> None:
    (part,) = plans.plan_absent(wanted(able=False), tokens(ALERTS))
    assert part.status == "waiting"
    assert f"az ad sp delete --id {CLIENT}" in part.next_step


def test_the_app_is_never_removed_from_its_own_tenant() -> None:
    (part,) = plans.plan_absent(wanted(), directory(home=TENANT.lower()))
    assert (part.status, part.drift, part.due(ALL)) == ("blocked", ("home",), False)


# ---- what is told ---------------------------------------------------------------------------------------------------


def test_what_is_granted_missing_and_extra_at_the_end() -> None:
    want, seen = wanted(exact=True), directory(ALERTS, EVENTS)
    records = [judged(part) for part in plans.plan_present(want, seen)]

    def written(status: str, *, written: bool) -> list[Record]:
        return [one._replace(status=status, written=written) if one.due(ALL) else one for one in records]

    before = plans.ended(want, seen, records)
    assert before == ({GRAPH: (ALERTS, EVENTS)}, {GRAPH: (INCIDENTS,)}, {GRAPH: (EVENTS,)})
    for status in ("corrected", "unknown"):
        assert plans.ended(want, seen, written(status, written=True)) == ({GRAPH: (ALERTS, INCIDENTS)}, {}, {})
    there = [one._replace(status="in_sync") if one.target == INCIDENT else one for one in records]
    assert plans.ended(want, seen, there)[1] == {}, "it was there already"
    assert plans.ended(want, seen, written("failed", written=False)) == before
    assert seen == directory(ALERTS, EVENTS), "what was observed is not changed"
