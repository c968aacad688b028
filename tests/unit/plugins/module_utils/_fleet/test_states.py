"""One word for what runs said, and the worst of them for a cell."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.states import (
    OTHER_TASKS,
    Member,
    cells,
    items,
    status_of,
)
from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import load_capabilities
from tests.unit.plugins.plugin_utils._report.fleets import row, run

MODULES = "ansible_collections.mssp.onboarding.plugins.modules"


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("in_sync", {"outcome": "in_sync"}),
        ("corrected", {"outcome": "corrected"}),
        ("drifted", {"outcome": "corrected", "check_mode": True}),
        ("drifted", {"outcome": "drifted"}),
        ("waiting", {"outcome": "waiting"}),
        ("pending", {"outcome": "pending"}),
        ("skipped", {"outcome": "skipped"}),
        ("failed", {"outcome": "failed"}),
        ("unknown", {"outcome": "unreachable"}),
        ("unknown", {"outcome": "unknown"}),
        ("unknown", {"outcome": "something new"}),
        ("unknown", {}),
        ("unknown", {"outcome": "ok"}),
        ("removed", {"outcome": "corrected", "verb": "offboard"}),
        ("removed", {"outcome": "in_sync", "verb": "offboard"}),
        ("failed", {"outcome": "failed", "verb": "offboard"}),
    ],
)
def test_a_status_for_every_outcome(status: str, told: dict[str, Any]) -> None:
    assert status_of(told) == status


def statuses(*rows: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(item.host, item.capability): item.status for item in items(run(1, *rows), {})}


def test_a_removal_in_check_mode_says_nothing() -> None:
    assert statuses(row("a", "x", "corrected", verb="offboard", check_mode=True)) == {}


@pytest.mark.parametrize(("verb", "told"), [("preflight", 0), ("verify", 0), ("onboard", 1), ("drift", 1)])
def test_a_look_that_was_broken_off_says_nothing_and_a_write_is_unknown(verb: str, told: int) -> None:
    lost = {"code": "no result", "message": "The task gave no result.", "next_step": "Run again."}
    assert len(statuses(row("a", "x", "unknown", lost, verb=verb))) == told


def test_the_items_of_a_loop_are_one_with_the_worst_status() -> None:
    rows = [row("a", "x", step="m[0]"), row("a", "x", "failed", step="m[1]"), row("a", "x", step="m[2]")]
    (item,) = items(run(1, *rows), {})
    assert (item.step, item.status) == ("m", "failed")


def test_a_task_of_others_counts_where_ours_have_not_said_worse() -> None:
    other = row("a", "", "failed", step="No drift is left")
    assert statuses(row("a", "x", "drifted"), other) == {("a", "x"): "drifted"}
    assert statuses(row("a", "x"), other) == {("a", "x"): "in_sync", ("a", OTHER_TASKS): "failed"}


def test_the_tenant_of_a_host_is_that_of_the_inventory_or_known_or_itself() -> None:
    told = run(1, row("log-1", "x"), row("log-2", "x"), row("c", "x"), fleet={"log-1": {"tenant": "a"}})
    assert [item.tenant for item in items(told, {"log-2": "b"})] == ["a", "b", "c"]


def member(host: str = "a", step: str = "m", status: str = "in_sync", **more: Any) -> Member:
    given = {"tenant": "a", "capability": "x", "role": "x", "at": 10.0, "since": 5.0, "first_seen": 1.0} | more
    return Member(host=host, step=step, status=status, **given)


def test_a_cell_is_the_worst_of_its_members_since_the_first_of_those() -> None:
    members = [member("h1"), member("h2", status="failed", since=7.0), member("h3", status="failed", since=6.0)]
    (cell,) = cells(members, {}).values()
    assert (cell.status, cell.since, cell.first_seen, cell.seen) == ("failed", 6.0, 1.0, 10.0)


@pytest.mark.parametrize(("worse", "better"), [("failed", "unknown"), ("unknown", "drifted"), ("drifted", "corrected")])
def test_the_order_of_statuses(worse: str, better: str) -> None:
    assert cells([member("h1", status=better), member("h2", status=worse)], {})["a", "x"].status == worse


def test_last_in_sync_is_when_all_members_were() -> None:
    both = cells([member("h1", last_in_sync=4.0), member("h2", last_in_sync=9.0)], {})["a", "x"]
    assert both.last_in_sync == 4.0
    assert cells([member("h1", last_in_sync=4.0), member("h2")], {})["a", "x"].last_in_sync is None


def test_what_was_wanted_and_has_no_result_is_never_run_and_never_whole() -> None:
    fleet = {"a": {"tenant": "a", "roles": ["x", "y"]}, "log-1": {"tenant": "a", "roles": ["x"]}}
    table = cells([member("a")], fleet)
    assert {key[1]: cell.status for key, cell in table.items()} == {"x": "never_run", "y": "never_run"}
    assert table["a", "y"].since is None


def test_never_run_does_not_hide_what_is_worse() -> None:
    fleet = {"a": {"tenant": "a", "roles": ["x"]}, "log-1": {"tenant": "a", "roles": ["x"]}}
    assert cells([member("a", status="failed")], fleet)["a", "x"].status == "failed"


@pytest.mark.parametrize(
    ("status", "told"), [("in_sync", "never_run"), ("corrected", "never_run"), ("failed", "failed")]
)
def test_what_only_a_preflight_has_looked_at_is_never_run_unless_it_is_worse(status: str, told: str) -> None:
    table = cells([member("a", status=status, tried=False)], {"a": {"tenant": "a", "roles": ["x"]}})
    assert table["a", "x"].status == told
    asked = [item.tried for item in items(run(1, row("a", "x", verb="preflight"), row("b", "x", verb="drift")), {})]
    assert asked == [False, True]


def test_a_host_that_left_the_fleet_is_not_told_of() -> None:
    assert cells([member("gone", tenant="gone")], {"a": {"tenant": "a", "roles": []}}) == {}


def test_what_was_said_before_a_removal_is_over() -> None:
    members = [member(step="info", status="failed", at=4.0), member(step="settings", status="removed", at=5.0)]
    assert cells(members, {})["a", "x"].status == "removed"
    later = [member(step="info", status="failed", at=6.0), member(step="settings", status="removed", at=5.0)]
    assert cells(later, {})["a", "x"].status == "failed"


def test_a_task_of_others_that_is_well_again_is_no_column() -> None:
    assert cells([member(capability=OTHER_TASKS)], {}) == {}


def test_a_capability_that_is_wanted_and_was_not_tried_is_never_run() -> None:
    fleet = {name: {"tenant": name, "roles": ["event_hub_export"]} for name in "ab"}
    table = cells([member("a", role="event_hub_export", capability="event_hub_export")], fleet)
    assert {key: cell.status for key, cell in table.items()} == {
        ("a", "event_hub_export"): "in_sync",
        ("b", "event_hub_export"): "never_run",
    }


@pytest.mark.parametrize("name", [name for name, one in load_capabilities().items() if one.modules])
def test_every_capability_is_named_like_its_role_in_what_its_modules_tell(name: str) -> None:
    modules = [import_module(f"{MODULES}.{module}") for module in load_capabilities()[name].modules.values()]
    assert name in {module.MODULE.capability for module in modules}


@pytest.mark.parametrize(
    ("status", "role", "told"),
    [("in_sync", "tenant_access", 0), ("failed", "tenant_access", 1), ("in_sync", "", 1), ("in_sync", "azure_x", 1)],
)
def test_what_the_look_at_all_access_tells_of_is_no_column_when_it_is_well(status: str, role: str, told: int) -> None:
    granted = member(step="azure_role_assignment", capability="azure_role_assignment", role=role, status=status)
    assert len(cells([granted], {})) == told
