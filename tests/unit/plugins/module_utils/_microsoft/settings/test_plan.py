"""The rules of the plan, one by one, and what must hold for any input."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import BLOCKED, DRIFTED, IN_SYNC, SKIPPED
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Verdict
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.settings import plan as plans
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.settings.plan import LogChoice, plan, written
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.settings.setting import (
    SINKS,
    Offered,
    Setting,
    body,
    parse_setting,
)
from tests.unit.plugins.module_utils._microsoft.builders import (
    ALL,
    HUB_RULE,
    OTHER_WORKSPACE,
    OURS,
    STORAGE,
    VAULT,
    WORKSPACE,
    categories,
    desired,
    setting,
)

HUB = "event_hub_authorization_rule_id"


def summary(verdict: Verdict) -> tuple[Any, ...]:
    action = (verdict.action, written(verdict)) if verdict.action else None
    return verdict.status, verdict.drift, action


CREATE = ("create", OURS)
UPDATE = ("update", OURS)
OK = (IN_SYNC, (), None)

CASES = {
    "nothing there": (desired(), (), (DRIFTED, ("missing",), CREATE)),
    "as wanted": (desired(), (setting(),), OK),
    "name in another case": (desired(), (setting("MSSP-Onboarding"),), OK),
    "workspace id in another case and with a slash": (
        desired(),
        (setting(sinks={"workspace_id": WORKSPACE.lower() + "/"}),),
        OK,
    ),
    "workspace id without its first slash": (desired(), (setting(sinks={"workspace_id": WORKSPACE[1:]}),), OK),
    "single categories that make up the group": (desired(), (setting(groups=(), categories=ALL),), OK),
    "another workspace": (
        desired(),
        (setting(sinks={"workspace_id": OTHER_WORKSPACE}),),
        (DRIFTED, ("sink_changed",), UPDATE),
    ),
    "a destination is lacking": (
        desired(sinks={"workspace_id": WORKSPACE, HUB: HUB_RULE}),
        (setting(),),
        (DRIFTED, ("sink_changed",), UPDATE),
    ),
    "another hub of the same rule": (
        desired(sinks={HUB: HUB_RULE}, event_hub_name="wanted"),
        (setting(sinks={HUB: HUB_RULE}, event_hub_name="other"),),
        (DRIFTED, ("sink_changed",), UPDATE),
    ),
    "no hub name wanted, one is set": (
        desired(sinks={HUB: HUB_RULE}),
        (setting(sinks={HUB: HUB_RULE}, event_hub_name="other"),),
        (DRIFTED, ("sink_changed",), UPDATE),
    ),
    "a category is lacking": (
        desired(),
        (setting(groups=(), categories={"auditevent"}),),
        (DRIFTED, ("category_missing",), UPDATE),
    ),
    "a category is switched off": (
        desired(),
        (setting(groups=(), categories={"auditevent"}, disabled={"azurepolicyevaluationdetails"}),),
        (DRIFTED, ("disabled",), UPDATE),
    ),
    "the group is switched off": (
        desired(),
        (setting(groups=(), disabled={"alllogs"}),),
        (DRIFTED, ("disabled",), UPDATE),
    ),
    "listed as off and not wanted": (
        desired(logs=categories("AuditEvent")),
        (setting(groups=(), categories={"auditevent"}, disabled={"azurepolicyevaluationdetails"}),),
        OK,
    ),
    "wanted metrics are lacking": (
        desired(metrics=frozenset({"allmetrics"})),
        (setting(),),
        (DRIFTED, ("category_missing",), UPDATE),
    ),
    "wanted metrics that the type does not offer": (desired(metrics=frozenset({"transaction"})), (setting(),), OK),
    "destination type: null is unknown": (desired(table="dedicated"), (setting(),), OK),
    "destination type: the other one": (
        desired(table="dedicated"),
        (setting(table="azure_diagnostics"),),
        (DRIFTED, ("sink_changed",), UPDATE),
    ),
    "destination type: not asked for": (desired(), (setting(table="dedicated"),), OK),
    "an added destination is kept": (
        desired(),
        (setting(sinks={"workspace_id": WORKSPACE, "storage_account_id": STORAGE}),),
        (IN_SYNC, ("unexpected",), None),
    ),
    "an added destination, exact": (
        desired(exact=True),
        (setting(sinks={"workspace_id": WORKSPACE, "storage_account_id": STORAGE}),),
        (DRIFTED, ("unexpected",), UPDATE),
    ),
    "an added category is kept": (desired(logs=LogChoice("audit")), (setting(),), (IN_SYNC, ("unexpected",), None)),
    "an added category, exact": (
        desired(logs=LogChoice("audit"), exact=True),
        (setting(),),
        (DRIFTED, ("unexpected",), UPDATE),
    ),
    "added metrics, exact": (
        desired(exact=True),
        (setting(metrics={"allmetrics"}),),
        (DRIFTED, ("unexpected",), UPDATE),
    ),
    "another setting serves it": (desired(), (setting("sec"),), OK),
    "two others serve it together": (
        desired(),
        (
            setting("a", groups=(), categories={"auditevent"}),
            setting("b", groups=(), categories={"azurepolicyevaluationdetails"}),
        ),
        OK,
    ),
    "another setting serves another workspace": (
        desired(),
        (setting("sec", sinks={"workspace_id": OTHER_WORKSPACE}),),
        (DRIFTED, ("missing",), CREATE),
    ),
    "another setting of the same name and more does not count when only ours does": (
        desired(satisfied_by_any=False),
        (setting("sec"),),
        (BLOCKED, ("conflict",), None),
    ),
    "only the hub is left to serve": (
        desired(sinks={"workspace_id": WORKSPACE, HUB: HUB_RULE}),
        (setting("sec"),),
        (DRIFTED, ("missing",), CREATE),
    ),
    "another setting sends part of it": (
        desired(),
        (setting("sec", groups=(), categories={"auditevent"}),),
        (BLOCKED, ("conflict",), None),
    ),
    "another setting sends part of it, adopted": (
        desired(adopt=True),
        (setting("sec", groups=(), categories={"auditevent"}),),
        (DRIFTED, ("conflict",), ("update", "sec")),
    ),
    "two others send part of it, not adopted": (
        desired(adopt=True, satisfied_by_any=False),
        (
            setting("a", groups=(), categories={"auditevent"}),
            setting("b", groups=(), categories={"azurepolicyevaluationdetails"}),
        ),
        (BLOCKED, ("conflict",), None),
    ),
    "adopting would take a destination away": (
        desired(adopt=True, sinks={"workspace_id": WORKSPACE, "storage_account_id": STORAGE}),
        (
            setting(
                "sec",
                groups=(),
                categories={"auditevent"},
                sinks={"workspace_id": WORKSPACE, "storage_account_id": STORAGE + "2"},
            ),
        ),
        (BLOCKED, ("conflict",), None),
    ),
    "adopted before and whole": (desired(adopt=True, satisfied_by_any=False), (setting("sec"),), OK),
    "five settings of others": (
        desired(),
        tuple(setting(str(n), sinks={"workspace_id": f"{OTHER_WORKSPACE}{n}"}) for n in range(5)),
        (BLOCKED, ("limit",), None),
    ),
    "four of others and ours": (
        desired(logs=LogChoice("alllogs")),
        (
            *(setting(str(n), sinks={"workspace_id": f"{OTHER_WORKSPACE}{n}"}) for n in range(4)),
            setting(groups=(), categories={"auditevent"}),
        ),
        (DRIFTED, ("category_missing",), UPDATE),
    ),
    "none of the wanted logs": (desired(logs=categories("Nope")), (), (SKIPPED, (), None)),
    "some of the wanted logs": (
        desired(logs=categories("Nope", "AuditEvent")),
        (setting(groups=(), categories={"auditevent"}),),
        OK,
    ),
    "ours is wrong and another serves it": (
        desired(),
        (setting(sinks={"workspace_id": OTHER_WORKSPACE}), setting("sec")),
        (IN_SYNC, ("unexpected",), None),
    ),
    "ours is wrong and another serves it, exact": (
        desired(exact=True),
        (setting(sinks={"workspace_id": OTHER_WORKSPACE}), setting("sec")),
        (DRIFTED, ("unexpected",), ("delete", OURS)),
    ),
    "removal": (desired(present=False), (setting(), setting("sec")), (DRIFTED, ("unexpected",), ("delete", OURS))),
    "removal of nothing": (desired(present=False), (setting("sec"),), OK),
    "no destination for the region, the rest is written": (
        desired(destination_gap="no hub in norwayeast"),
        (),
        (DRIFTED, ("no_destination", "missing"), CREATE),
    ),
    "no destination for the region, the rest is there": (
        desired(destination_gap="no hub in norwayeast"),
        (setting(),),
        (BLOCKED, ("no_destination",), None),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: str) -> None:
    wanted, observed, expected = CASES[case]
    assert summary(plan(wanted, observed, VAULT)) == expected


def test_no_destination_at_all_writes_nothing() -> None:
    verdict = plan(desired(sinks={}, destination_gap="no hub in norwayeast"), (), VAULT)
    assert summary(verdict) == (BLOCKED, ("no_destination",), None)


def test_kept_additions_go_into_the_write() -> None:
    found = setting(
        groups=(),
        categories={"auditevent"},
        sinks={"workspace_id": OTHER_WORKSPACE, "storage_account_id": STORAGE},
        metrics={"allmetrics"},
        table="dedicated",
    )
    after = plan(desired(), (found,), VAULT).after
    assert after is not None
    assert after.sinks == {"workspace_id": WORKSPACE, "storage_account_id": STORAGE}
    assert after.metrics == {"allmetrics"}
    # A write that left this out would move the data to another table.
    assert after.table == "dedicated"


def test_a_category_outside_the_group_is_kept_by_naming_all_singly() -> None:
    found = setting(groups=(), categories={"azurepolicyevaluationdetails"})
    after = plan(desired(logs=LogChoice("audit")), (found,), VAULT).after
    assert after is not None
    assert (after.groups, after.categories) == (frozenset(), ALL)


def test_exact_takes_out_what_was_added() -> None:
    found = setting(
        groups=(), categories={"auditevent"}, sinks={"workspace_id": WORKSPACE, "storage_account_id": STORAGE}
    )
    after = plan(desired(exact=True), (found,), VAULT).after
    assert after is not None
    assert after.sinks == {"workspace_id": WORKSPACE}
    assert after.groups == {"alllogs"}


def test_a_type_without_groups_gets_single_categories() -> None:
    plain = Offered({name: category._replace(groups=frozenset()) for name, category in VAULT.logs.items()}, {})
    after = plan(desired(), (), plain).after
    assert after is not None
    assert (after.groups, after.categories) == (frozenset(), ALL)


def test_the_conflict_names_setting_and_category() -> None:
    verdict = plan(desired(), (setting("sec", groups=(), categories={"auditevent"}),), VAULT)
    assert "'sec' already sends AuditEvent" in verdict.reason


# ---- what holds for any tenant ------------------------------------------------------------------------------------

names = st.sampled_from([OURS, OURS.upper(), "sec", "ops", "audit", "x1", "x2"])
sinks = st.fixed_dictionaries(
    {},
    optional={
        "workspace_id": st.sampled_from([WORKSPACE, WORKSPACE.upper(), OTHER_WORKSPACE]),
        "storage_account_id": st.sampled_from([STORAGE, STORAGE + "2"]),
        HUB: st.just(HUB_RULE),
    },
).filter(bool)
logs = st.one_of(
    st.tuples(st.frozensets(st.sampled_from(["alllogs", "audit"]), min_size=1), st.just(frozenset())),
    st.tuples(st.just(frozenset()), st.frozensets(st.sampled_from(sorted(ALL)))),
)
settings = st.builds(
    lambda name, sink, hub, log, metrics, table: setting(
        name,
        sinks=sink,
        event_hub_name=hub if HUB in sink else "",
        groups=log[0],
        categories=log[1],
        metrics=metrics,
        table=table,
    ),
    names,
    sinks,
    st.sampled_from(["", "hub1"]),
    logs,
    st.sampled_from([frozenset(), frozenset({"allmetrics"})]),
    st.sampled_from([None, "dedicated", "azure_diagnostics"]),
)
estates = (
    st.lists(settings, max_size=5, unique_by=lambda item: item.name.casefold())
    .map(tuple)
    .filter(lambda found: legal(found, VAULT))
)
wishes = st.builds(
    lambda sink, hub, log, metrics, table, any_, adopt, exact: desired(
        sinks=sink,
        event_hub_name=hub if HUB in sink else "",
        logs=log,
        metrics=metrics,
        table=table,
        satisfied_by_any=any_,
        adopt=adopt,
        exact=exact,
    ),
    sinks,
    st.sampled_from(["", "hub1"]),
    st.sampled_from([LogChoice("alllogs"), LogChoice("audit"), categories("AuditEvent")]),
    st.sampled_from([frozenset(), frozenset({"allmetrics"})]),
    st.sampled_from([None, "dedicated"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


def legal(found: tuple[Setting, ...], offered: Offered) -> bool:
    """Azure's own rules: at most five settings, and no category twice to one destination."""
    sent: set[tuple[str, str]] = set()
    for item in found:
        for kind in SINKS:
            if key := item.sink_key(kind):
                pairs = {(key, name) for name in offered.expand(item.groups, item.categories)}
                if pairs & sent:
                    return False
                sent |= pairs
    return len(found) <= 5


def applied(found: tuple[Setting, ...], verdict: Verdict) -> tuple[Setting, ...]:
    """What Azure would hold after the write, by way of the body that is sent."""
    if not verdict.action:
        return found
    rest = tuple(item for item in found if item.name.casefold() != written(verdict).casefold())
    if verdict.after is None:
        return rest
    return (*rest, parse_setting({"name": written(verdict), **body(verdict.after, VAULT)}))


@given(wishes, estates)
def test_a_write_is_legal_and_the_second_run_writes_nothing(wish: plans.Desired, found: tuple[Setting, ...]) -> None:
    first = plan(wish, found, VAULT)
    after = applied(found, first)
    assert legal(after, VAULT)
    second = plan(wish, after, VAULT)
    assert second.action == ""
    if first.action:
        assert second.status == IN_SYNC


@given(wishes, estates)
def test_others_are_left_alone_unless_adopted(wish: plans.Desired, found: tuple[Setting, ...]) -> None:
    verdict = plan(wish, found, VAULT)
    if verdict.action and written(verdict).casefold() != OURS:
        assert wish.adopt
        assert verdict.action == "update"
        before = next(item for item in found if item.name == written(verdict))
        assert verdict.after is not None
        assert all(verdict.after.sink_key(kind) == before.sink_key(kind) for kind in before.sinks)
        assert VAULT.expand(before.groups, before.categories) <= VAULT.expand(
            verdict.after.groups, verdict.after.categories
        )


@given(wishes, estates)
def test_ok_means_that_the_wanted_logs_arrive(wish: plans.Desired, found: tuple[Setting, ...]) -> None:
    verdict = plan(wish, found, VAULT)
    after = applied(found, verdict)
    if verdict.status not in (IN_SYNC, DRIFTED):
        return
    wanted = VAULT.expand([wish.logs.group] if wish.logs.group else (), wish.logs.categories)
    target = setting(sinks=wish.sinks, event_hub_name=wish.event_hub_name)
    for kind in wish.sinks:
        sent: set[str] = set()
        for item in after:
            if item.sink_key(kind) == target.sink_key(kind):
                sent |= VAULT.expand(item.groups, item.categories)
        assert wanted <= sent


@given(estates)
def test_removal_takes_ours_and_nothing_else(found: tuple[Setting, ...]) -> None:
    verdict = plan(desired(present=False), found, VAULT)
    assert {item.name for item in found if item.name.casefold() != OURS} == {
        item.name for item in applied(found, verdict)
    }
    assert plan(desired(present=False), applied(found, verdict), VAULT).action == ""


def test_metrics_that_another_setting_sends_there_are_a_conflict() -> None:
    """Azure refuses a category at one destination twice, of metrics as of logs."""
    other = setting("theirs", groups=frozenset(), metrics=frozenset({"allmetrics"}))
    verdict = plan(desired(metrics=frozenset({"allmetrics"})), (other,), VAULT)
    assert (verdict.status, verdict.drift) == (BLOCKED, ("conflict",))
    assert "'theirs' already sends AllMetrics" in verdict.reason
