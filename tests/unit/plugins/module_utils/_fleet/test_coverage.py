# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the fleet is covered: lines, shares and their trend, and what has left the tenant files."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.coverage import (
    Share,
    scopes,
    share,
    summed,
    widest,
)
from tests.unit.plugins.plugin_utils._report.fleets import covering, history, row, run


def step(host: str, name: str, *parts: tuple[str, ...], **more: Any) -> dict[str, Any]:
    return row(host, "azure_diagnostics", step=name, coverage=covering(*parts), **more)


def fleet(*hosts: str, roles: tuple[str, ...] = ("azure_diagnostics",)) -> dict[str, Any]:
    return {
        host: {"tenant": host.partition("-")[0], "name": "", "ring": "", "roles": list(roles), "file": "/f/a.yml"}
        for host in hosts
    }


def test_the_worst_that_any_step_saw_of_a_part_stands() -> None:
    one, two, last = ("sub 1", "covered"), ("sub 2", "covered"), ("sub 0", "covered")
    lost = ("sub 2", "unreachable", "it was there", "give it back")
    made = history(run(1, step("a", "settings", one, two, last), step("a", "flow", one, lost), fleet=fleet("a")))
    found = [(line.name, line.state, line.next_step) for line in scopes(made.cells().values())]
    assert found == [("sub 2", "unreachable", "give it back"), ("sub 0", "covered", ""), ("sub 1", "covered", "")]


def test_a_collector_s_parts_name_it() -> None:
    made = history(run(1, step("a-log1", "receiver", ("source fw", "covered")), fleet=fleet("a-log1")))
    (line,) = scopes(made.cells().values())
    assert (line.tenant, line.name) == ("a", "a-log1: source fw")


def test_what_no_run_has_looked_at_is_no_part_that_is_covered() -> None:
    made = history(run(1, step("b", "settings", ("sub", "covered")), fleet=fleet("a", "b")))
    (never, _covered) = scopes(made.cells().values())
    assert (never.tenant, never.source, never.state) == ("a", "azure_diagnostics", "unreachable")
    assert never.why == "no run has looked at it yet"


def test_a_verification_that_saw_all_covered_is_a_look() -> None:
    """Its result names none of what is covered."""
    flows = step("a", "flow") | {"capability": "azure_log_flow", "role": "azure_diagnostics"}
    flows["coverage"] = {"states": {"covered": 2}, "parts": []}
    assert scopes(history(run(1, flows, fleet=fleet("a"))).cells().values()) == []


def test_what_waits_for_the_customer_says_so() -> None:
    problem = {"code": "x", "message": "no consent", "next_step": "open the link"}
    waiting = row("a", "tenant_access", "waiting", problem)
    made = history(run(1, waiting, fleet=fleet("a", roles=("tenant_access",))))
    (line,) = scopes(made.cells().values())
    assert (line.state, line.why, line.next_step) == ("waiting", "no consent", "open the link")


def test_what_was_removed_is_told_of_no_more() -> None:
    made = history(
        run(1, step("a", "settings", ("sub", "covered")), fleet=fleet("a")),
        run(2, step("a", "settings", ("sub", "covered"), verb="offboard"), fleet=fleet("a")),
    )
    assert scopes(made.cells().values()) == []
    assert made.shares([float("inf")], {"a"}) == [{"a": Share(0, 0)}]


def test_what_one_of_two_collectors_left_behind_is_told_of_no_more() -> None:
    hosts = fleet("a-log1", "a-log2")
    both = [step(host, "receiver", ("source fw", "covered")) for host in hosts]
    made = history(run(1, *both, fleet=hosts), run(2, both[0] | {"verb": "offboard"}, fleet=hosts))
    assert [line.name for line in scopes(made.cells().values())] == ["a-log2: source fw"]


def test_what_a_module_could_not_grant_is_told_by_the_look_of_its_role() -> None:
    refused = row("a", "lighthouse", "failed", {"message": "no"}) | {"role": "tenant_access"}
    looked = row("a", "tenant_access")
    made = history(run(1, looked, refused, fleet=fleet("a", roles=("tenant_access",))))
    assert scopes(made.cells().values()) == []


@pytest.mark.parametrize(
    ("states", "percent"),
    [
        ({"covered": 3}, 100),
        ({"covered": 2, "unreachable": 1}, 66),
        ({"covered": 1, "excluded": 7, "not_supported": 9}, 100),
        ({"covered": 999, "not_asked": 1}, 99),
        ({"excluded": 1}, None),
    ],
)
def test_what_was_left_out_by_choice_lowers_no_share(states: dict[str, int], percent: int | None) -> None:
    found = share({"states": states})
    assert found is not None
    assert found.percent == percent


@pytest.mark.parametrize(
    "odd", [None, {}, [], {"states": []}, {"states": {"covered": -1}}, {"states": {"covered": "x"}}]
)
def test_a_result_that_says_nothing_of_its_parts(odd: Any) -> None:
    assert not share(odd) or share(odd) == Share(0, 0)


def test_of_a_source_s_steps_the_one_that_saw_most_counts_and_of_equals_the_worse() -> None:
    assert Share(1, 1) | Share(3, 4) == Share(3, 4)
    assert Share(4, 4) | Share(3, 4) == Share(3, 4)
    assert summed([Share(1, 2), Share(3, 4)]) == Share(4, 6)
    small, large = covering(("a", "covered")), covering(("a", "covered"), ("b", "waiting"))
    assert widest([("x", large), ("x", small), ("y", None)]) == [large]


def test_the_trend_keeps_what_changed_only() -> None:
    full, less = [("s1", "covered"), ("s2", "covered")], [("s1", "covered"), ("s2", "unreachable")]
    made = history(
        *(run(n, step("a", "settings", *parts), fleet=fleet("a")) for n, parts in enumerate((full, full, less)))
    )
    times = [one.at for one in made.runs()]
    assert [found["a"].percent for found in made.shares(times, {"a"})] == [100, 100, 50]
    assert len(made._rows("SELECT * FROM shares")) == 2
    assert made.shares(times, set()) == [{}, {}, {}]
    made.prune(times[-1] - 10)
    assert made.shares([float("inf")], {"a"}) == [{"a": Share(1, 2)}], "what stands is kept"


def test_a_role_that_left_its_tenant_file_is_unknown_until_it_is_confirmed() -> None:
    both = fleet("a", roles=("azure_diagnostics", "scp_target"))
    first = run(1, step("a", "settings", ("sub", "covered")), row("a", "scp_target"), fleet=both)
    made = history(first)
    later = fleet("a")
    assert made.left(later)["a"].roles == ("scp_target",), "before the run is in the history, for its own closing words"
    for number in (2, 3):
        made.add(run(number, step("a", "settings", ("sub", "covered")), fleet=later))
        assert made.cells()["a", "scp_target"].status == "unknown"
    (problem,) = made.cells()["a", "scp_target"].members[0].detail["problems"]
    assert "scp_target of a is in no tenant file" in problem["message"]
    assert made.confirm_gone("a", "kim", 1.0)
    assert made.left(later) == {}
    assert made.cells()["a", "scp_target"].status == "in_sync"


def test_a_role_that_came_back_was_offboarded_or_never_ran_has_not_left() -> None:
    both = ("azure_diagnostics", "scp_target")
    assert history(run(1, row("a", "x"), fleet=fleet("a", roles=both))).left(fleet("a")) == {}
    made = history(run(1, row("a", "scp_target"), fleet=fleet("a", roles=both)))
    made.add(run(2, row("a", "azure_diagnostics"), fleet=fleet("a")))
    assert made.left(fleet("a", roles=both)) == {}
    made.add(run(3, row("a", "scp_target", verb="offboard"), fleet=fleet("a")))
    assert made.left(fleet("a")) == {}


def test_a_host_that_left_is_told_before_its_run_is_in_the_history() -> None:
    made = history(run(1, row("a", "x"), row("a-log1", "y"), fleet=fleet("a", "a-log1")))
    assert made.left(fleet("a")) == {"a-log1": ("a", ())}


def test_a_host_that_only_a_preflight_has_looked_at_leaves_nothing_behind() -> None:
    both = fleet("a", "b")
    asked = row("b", "azure_diagnostics", verb="preflight")
    before = history(run(1, row("a", "azure_diagnostics"), asked, fleet=both))
    assert before.left(fleet("a")) == {}
    before.add(run(2, row("a", "azure_diagnostics"), fleet=fleet("a")))
    assert {tenant for tenant, _capability in before.cells()} == {"a"}
    made = row("b", "azure_diagnostics", verb="onboard")
    assert list(history(run(1, row("a", "azure_diagnostics"), made, fleet=both)).left(fleet("a"))) == ["b"]


def test_what_is_left_of_an_offboarded_tenant_has_not_left() -> None:
    both, access = fleet("a", "b"), row("b", "tenant_access", verb="onboard")
    made = history(run(1, row("a", "x"), row("b", "azure_diagnostics", verb="onboard"), access, fleet=both))
    made.add(run(2, row("b", "azure_diagnostics", verb="offboard"), fleet=both))
    assert made.left(fleet("a")) == {}


def test_what_was_removed_of_a_host_that_left_stays_removed() -> None:
    both = fleet("a", "a-log1")
    made = history(run(1, row("a", "x"), row("a-log1", "scp_target"), row("a-log1", "y"), fleet=both))
    made.add(run(2, row("a-log1", "scp_target", verb="offboard"), fleet=both))
    made.add(run(3, row("a", "x"), fleet=fleet("a")))
    found = made.cells()
    assert (found["a", "y"].status, found["a", "scp_target"].status) == ("unknown", "removed")


def test_a_history_that_starts_again_has_no_shares_of_before() -> None:
    made = history(run(1, step("a", "settings", ("sub", "covered")), fleet=fleet("a")))
    made.start_again([])
    assert made._rows("SELECT * FROM shares") == []
