# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules: what is made, changed, tested, removed, and what is only reported."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import BLOCKED, DRIFTED, IN_SYNC
from ansible_collections.mssp.onboarding.plugins.module_utils._coro.connectors import Connector, Wanted
from ansible_collections.mssp.onboarding.plugins.module_utils._coro.plan import (
    CREATE,
    DELETE,
    DRIFT_CLASSES,
    SYNC,
    UPDATE,
    Action,
    Policy,
    Verdict,
    child,
    plan,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._coro.record import BLOCKED_STEPS
from tests.unit.plugins.module_utils._coro.builders import GUID, HOOK, URL, connector, want

NONE: frozenset[str] = frozenset()


def one(wanted: Wanted, *observed: Connector, stale: frozenset[str] = NONE, **policy: bool) -> Verdict:
    return plan([wanted], observed, stale, Policy(**policy))[wanted.name]


def blocked(verdict: Verdict) -> str:
    assert (verdict.status, verdict.action) == (BLOCKED, None)
    return verdict.drift[0]


def test_what_is_not_there_is_made_with_its_secrets() -> None:
    verdict = one(want())
    assert (verdict.status, verdict.drift, verdict.action) == (DRIFTED, ("missing",), Action(CREATE, secrets=True))


def test_what_is_right_is_left() -> None:
    assert one(want(), connector()) == Verdict(IN_SYNC, before=connector())


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (connector(fields={"listener_url": HOOK}), "listener_url"),
        (connector(apply_to_all=True), "apply_to_all_customers"),
    ],
)
def test_a_readable_difference_is_changed_without_the_secret(found: Connector, what: str) -> None:
    verdict = one(want(), found)
    assert (verdict.status, verdict.drift, verdict.action) == (DRIFTED, ("changed",), Action(UPDATE, "id-soc"))
    assert what in verdict.reason


def test_other_spellings_of_a_url_are_no_difference() -> None:
    found = connector(fields={"listener_url": "https://HEC.soc.example:8088/services/collector"})
    assert one(want(), found).status == IN_SYNC


def test_names_of_headers_are_compared_and_bring_the_secret_along() -> None:
    wanted = want(format="generic", fields={"listener_url": HOOK}, secrets={"headers.X-Api-Key": "k"})
    found = connector(format="generic", fields={"listener_url": HOOK}, headers=frozenset({"x-api-key"}))
    assert one(wanted, found).status == IN_SYNC
    changed = one(wanted, found._replace(headers=frozenset({"x-old"})))
    assert (changed.drift, changed.action) == (("changed",), Action(UPDATE, "id-soc", secrets=True))


def test_a_secret_that_may_differ_is_sent() -> None:
    verdict = one(want(), connector(), stale=frozenset({"id-soc"}))
    assert (verdict.drift, verdict.action) == (("secret",), Action(UPDATE, "id-soc", secrets=True))
    both = one(want(), connector(fields={"listener_url": HOOK}), stale=frozenset({"id-soc"}))
    assert both.drift == ("changed", "secret")


def test_a_format_is_never_changed() -> None:
    assert blocked(one(want(), connector(format="fluency"))) == "format"
    assert blocked(one(want(), connector(format=""))) == "format"


def test_what_is_disconnected_is_reported_and_tested_on_request() -> None:
    gone = connector(status="disconnected", error="HTTP 403: no")
    report = one(want(), gone)
    assert blocked(report) == "disconnected"
    assert "HTTP 403: no" in report.reason
    for verdict in (one(want(), gone, reconnect=True), one(want(state="synced"), gone)):
        assert (verdict.status, verdict.action) == (DRIFTED, Action(SYNC, "id-soc"))


def test_a_change_of_what_is_disconnected_needs_no_test_of_its_own() -> None:
    gone = connector(status="disconnected", fields={"listener_url": HOOK})
    assert one(want(), gone, reconnect=True).action == Action(UPDATE, "id-soc")


def test_reconnect_leaves_alone_what_is_connected() -> None:
    assert one(want(), connector(), reconnect=True).action is None


def test_synced_tests_what_is_right_and_changes_nothing() -> None:
    verdict = one(want(state="synced"), connector())
    assert (verdict.status, verdict.drift, verdict.action) == (IN_SYNC, (), Action(SYNC, "id-soc"))


def test_an_unknown_status_is_not_taken_for_connected() -> None:
    assert blocked(one(want(), connector(status=""), reconnect=True)) == "disconnected"


def test_absent() -> None:
    assert one(want(state="absent")) == Verdict(IN_SYNC)
    verdict = one(want(state="absent"), connector())
    assert (verdict.status, verdict.drift, verdict.action) == (DRIFTED, ("unexpected",), Action(DELETE, "id-soc"))


INHERITED = connector(inherited=True, channel="up", apply_to_all=False)


def test_what_is_inherited_is_right_or_reported_and_never_written() -> None:
    assert one(want(), INHERITED).status == IN_SYNC
    assert one(want(apply_to_all=True), INHERITED, channel=False).status == IN_SYNC
    assert blocked(one(want(), INHERITED._replace(fields={"listener_url": HOOK}))) == "inherited"
    assert blocked(one(want(), INHERITED._replace(format="fluency"))) == "inherited"
    assert blocked(one(want(state="absent"), INHERITED)) == "inherited"
    assert blocked(one(want(state="synced"), INHERITED._replace(status="disconnected"))) == "disconnected"
    assert one(want(), INHERITED, stale=frozenset({"id-soc"})).action is None


def test_two_of_one_name_are_told_apart_by_id_only() -> None:
    twins = (connector(id="a"), connector(id="b", fields={"listener_url": HOOK}))
    for state in ("present", "absent"):
        assert blocked(one(want(state=state), *twins)) == "duplicate"
    assert one(want(id="b"), *twins).action == Action(UPDATE, "b")
    assert one(want(id="a", state="absent"), *twins).action == Action(DELETE, "a")


def test_an_id_that_is_not_there_makes_nothing() -> None:
    assert blocked(one(want(id="x"), connector())) == "missing"


def test_an_id_gives_another_name() -> None:
    verdict = one(want("new", id="id-soc"), connector())
    assert (verdict.action, verdict.reason) == (Action(UPDATE, "id-soc"), "name to be changed")


def test_another_connector_to_the_same_place_is_in_the_way() -> None:
    other = connector("old")
    assert blocked(one(want(), other)) == "conflict"
    assert one(want(), other, both_allowed=True).action == Action(CREATE, secrets=True)
    assert one(want(), other, connector()).status == IN_SYNC, "ours was there already"
    moved = one(want(), other, connector(fields={"listener_url": HOOK}))
    assert blocked(moved) == "conflict"


def test_what_the_file_names_itself_is_not_in_the_way() -> None:
    verdicts = plan([want(), want("old")], (connector("old"),), NONE, Policy())
    assert verdicts["soc"].action == Action(CREATE, secrets=True)


def test_what_the_file_moves_by_its_id_is_not_in_the_way() -> None:
    moved = want("new", id="id-old", fields={"listener_url": HOOK})
    verdicts = plan([want(), moved], (connector("old"),), NONE, Policy())
    assert verdicts["soc"].action == Action(CREATE, secrets=True)


def test_exclusive_leaves_what_is_named() -> None:
    assert plan([want()], (connector(),), NONE, Policy(exclusive=True)) == {"soc": Verdict(IN_SYNC, before=connector())}


def test_other_spellings_of_a_workspace_id_are_no_difference() -> None:
    azure: dict[str, Any] = {"format": "azure_sentinel", "fields": {"workspace_id": GUID, "log_type": "Coro"}}
    shouted = {**azure, "fields": {**azure["fields"], "workspace_id": GUID.upper()}}
    assert one(want(**azure), connector(**shouted)).status == IN_SYNC


def test_exclusive_removes_what_is_not_named_but_not_what_is_inherited() -> None:
    others = (connector("old"), connector("theirs", inherited=True, channel="up", fields={"listener_url": HOOK}))
    verdicts = plan([want()], others, NONE, Policy(exclusive=True))
    assert verdicts["soc"].action == Action(CREATE, secrets=True), "what goes is not in the way"
    assert verdicts["old"].action == Action(DELETE, "id-old")
    assert verdicts["old"].drift == ("unexpected",)
    assert set(verdicts) == {"soc", "old"}
    assert set(plan([want()], others, NONE, Policy())) == {"soc"}


def test_exclusive_removes_nothing_while_something_named_is_not_in_place() -> None:
    verdicts = plan([want(apply_to_all=True)], (connector("old"),), NONE, Policy(exclusive=True, channel=False))
    assert blocked(verdicts["soc"]) == "not_all_customers"
    assert blocked(verdicts["old"]) == "unexpected"
    assert "stays while soc" in verdicts["old"].reason
    silent = (connector(status="disconnected"), connector("old", fields={"listener_url": HOOK}))
    assert blocked(plan([want()], silent, NONE, Policy(exclusive=True))["old"]) == "unexpected"
    cured = plan([want()], silent, NONE, Policy(exclusive=True, reconnect=True))
    assert cured["old"].action == Action(DELETE, "id-old")


def test_whatever_is_blocked_has_a_next_step() -> None:
    assert set(DRIFT_CLASSES) - set(BLOCKED_STEPS) == {"changed", "secret"}


def test_exclusive_and_an_inherited_rival() -> None:
    assert blocked(one(want(), connector("up", inherited=True, channel="c"), exclusive=True)) == "conflict"


def test_exclusive_removes_both_of_a_name_and_keeps_what_an_id_renames() -> None:
    twins = (connector("old", id="a", fields={"listener_url": HOOK}), connector("old", id="b"))
    verdicts = plan([want(fields={"listener_url": URL + "x"})], twins, NONE, Policy(exclusive=True))
    assert {v.action.id for v in verdicts.values() if v.action and v.action.kind == DELETE} == {"a", "b"}
    renamed = plan([want("new", id="a")], twins[:1], NONE, Policy(exclusive=True))
    assert set(renamed) == {"new"}


def test_all_customers_only_in_a_channel() -> None:
    assert blocked(one(want(apply_to_all=True), channel=False)) == "not_all_customers"
    assert blocked(one(want(apply_to_all=True), connector(), channel=False)) == "not_all_customers"
    assert one(want(apply_to_all=True), channel=True).action == Action(CREATE, secrets=True)


COPY = connector(inherited=True, channel="up")


@pytest.mark.parametrize(
    ("expected", "held", "drift"),
    [
        ({"soc": True}, (COPY,), ()),
        ({"soc": True}, (), ("not_inherited",)),
        ({"soc": True}, (connector(),), ("not_inherited",)),
        ({"soc": True}, (COPY._replace(channel="other"),), ("not_inherited",)),
        ({"soc": True}, (connector(channel="up"),), ("not_inherited",)),
        ({"soc": True}, (COPY._replace(status="disconnected"),), ("disconnected",)),
        ({"soc": False}, (COPY,), ("left_behind",)),
        ({"soc": False}, (COPY._replace(channel="other"),), ()),
        ({"soc": False}, (connector(),), ()),
        ({}, (COPY,), ()),
    ],
)
def test_a_customer_below_a_channel(expected: dict[str, bool], held: Any, drift: tuple[str, ...]) -> None:
    verdict = child(expected, held, "up")
    assert (verdict.drift, verdict.action) == (drift, None)
    assert verdict.status == (BLOCKED if drift else IN_SYNC)


def test_a_sync_counts_as_adding_and_not_as_changing() -> None:
    assert Action(SYNC, "x").level == CREATE
    assert Action(UPDATE, "x").level == UPDATE


CONNECTORS = st.builds(
    connector,
    st.sampled_from(["soc", "old"]),
    id=st.sampled_from(["a", "b", "c"]),
    format=st.sampled_from(["splunk", "generic", ""]),
    fields=st.sampled_from([{"listener_url": URL}, {"listener_url": HOOK}]),
    status=st.sampled_from(["connected", "disconnected", ""]),
    inherited=st.booleans(),
    apply_to_all=st.booleans(),
)
WISHES = st.builds(
    want,
    state=st.sampled_from(["present", "absent", "synced"]),
    apply_to_all=st.booleans(),
    id=st.sampled_from(["", "a"]),
)
POLICIES = st.builds(Policy, st.booleans(), st.booleans(), st.booleans(), st.booleans())


@given(WISHES, st.lists(CONNECTORS, max_size=3, unique_by=lambda c: c.id), POLICIES, st.booleans())
def test_nothing_inherited_or_unnamed_is_written(
    wanted: Wanted, observed: list[Connector], policy: Policy, stale: bool
) -> None:
    ids = frozenset(c.id for c in observed) if stale else NONE
    for name, verdict in plan([wanted], tuple(observed), ids, policy).items():
        assert set(verdict.drift) <= set(DRIFT_CLASSES)
        assert (verdict.action is not None) == (verdict.status == DRIFTED) or verdict.action.kind == SYNC  # type: ignore[union-attr]
        if verdict.action and verdict.action.id:
            target = next(c for c in observed if c.id == verdict.action.id)
            assert not target.inherited
            assert policy.exclusive or target.name == wanted.name or target.id == wanted.id
        if name != wanted.name:
            assert policy.exclusive
