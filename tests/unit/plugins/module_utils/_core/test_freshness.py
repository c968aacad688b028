# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify says of flows: judgement, states, problems."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import freshness
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import Flow, Limits, judge, verified

NOW = 1_000_000.0
LIMITS = Limits(grace=100, stale=1000)


@pytest.mark.parametrize(
    ("age", "configured", "changed", "may_be_quiet", "state"),
    [
        (100, False, None, False, "flowing"),  # whoever set it up
        (101, True, None, False, "quiet"),
        (1000, True, None, False, "quiet"),
        (1001, True, None, False, "stale"),
        (1001, True, None, True, "quiet"),
        (1001, True, 1, False, "stale"),  # it has sent before: a new change is no excuse
        (None, False, 1, True, "absent"),
        (None, True, 100, False, "pending"),
        (None, True, 101, False, "stale"),
        (None, True, None, False, "stale"),
        (None, True, 101, True, "quiet"),
    ],
)
def test_judgement(age: float | None, configured: bool, changed: float | None, may_be_quiet: bool, state: str) -> None:
    newest = None if age is None else NOW - age
    made = None if changed is None else NOW - changed
    found = judge(configured=configured, newest=newest, changed=made, now=NOW, limits=LIMITS, may_be_quiet=may_be_quiet)
    assert found == state


@pytest.mark.parametrize(
    ("state", "status", "outcome"),
    [
        ("absent", "drifted", "drifted"),
        ("pending", "pending", "pending"),
        ("flowing", "in_sync", "in_sync"),
        ("quiet", "in_sync", "in_sync"),
        ("stale", "drifted", "drifted"),
        ("unreadable", "unknown", "unknown"),
    ],
)
def test_a_state_is_the_same_status_for_every_vendor(state: str, status: str, outcome: str) -> None:
    result = verified("toy", [Flow("a", state)], NOW)
    assert (result["summary"]["counts"][status], result["summary"]["outcome"]) == (1, outcome)
    assert bool(result["problems"]) == (status in ("drifted", "unknown"))
    assert not result["failed"]


def test_a_bad_flow_is_a_problem_whatever_else_is_wrong() -> None:
    other = RefusedError("receive records", "full", code="discarded", next_step="look").problem("disk")
    result = verified("toy", [Flow("a", "stale", newest=NOW - 5000, next_step="see")], NOW, problems=[other])
    assert {one["code"] for one in result["problems"]} == {"stale", "discarded"}


def test_no_number_of_other_problems_takes_the_place_of_a_silent_source() -> None:
    many = [
        {**RefusedError("receive", "full", code=f"c{number}", next_step="x").problem("disk"), "count": 9}
        for number in range(30)
    ]
    flows = [Flow("a", "flowing"), Flow("b", "stale", newest=NOW - 5000, next_step="see")]
    result = verified("toy", flows, NOW, problems=many)
    assert (result["problems"][0]["code"], len(result["problems"])) == ("stale", 20)
    assert result["flows"][1]["state"] == "stale"
    assert (result["summary"]["outcome"], result["summary"]["states"]) == ("drifted", {"flowing": 1, "stale": 1})
    assert "stale: b: newest record: 1970-01-12T12:23:20Z" in result["msg"]


def test_a_problem_of_the_way_is_never_in_sync() -> None:
    other = RefusedError("receive records", "full", code="discarded", next_step="look").problem("disk")
    assert verified("toy", [Flow("a", "flowing")], NOW, problems=[other])["summary"]["outcome"] == "drifted"


def test_flows_of_one_cause_are_one_problem_that_names_them() -> None:
    flows = [Flow(f"t{number}", "absent", next_step="run onboard") for number in range(7)]
    problem = verified("toy", flows, NOW)["problems"][0]
    assert (problem["target"], problem["count"]) == ("t0, t1, t2, t3, t4 and 2 more", 7)


def test_sources_that_fell_silent_one_after_another_are_all_named() -> None:
    flows = [Flow(name, "stale", newest=NOW - 5000 - number, next_step="see") for number, name in enumerate("abc")]
    (problem,) = verified("toy", flows, NOW)["problems"]
    assert (problem["target"], problem["count"], problem["message"].count("newest record")) == ("a, b, c", 3, 3)


def test_a_vendors_own_word_is_the_code() -> None:
    assert verified("toy", [Flow("a", "stale", code="disconnected")], NOW)["problems"][0]["code"] == "disconnected"


def test_a_flow_as_data() -> None:
    line = Flow("a", "flowing", newest=NOW - 60, records=3, facts={"lag_seconds": 2}).line(NOW)
    assert line == {
        "source": "a", "state": "flowing", "newest": "1970-01-12T13:45:40Z", "age_seconds": 60, "records": 3,
        "lag_seconds": 2, "message": "", "next_step": "",
    }  # fmt: skip


def test_no_flow_at_all_is_said() -> None:
    nothing = verified("toy", [], NOW)
    assert "0 of 0 flows have arrived: none" in nothing["msg"]
    assert nothing["summary"]["outcome"] == "unknown", "what was not looked at is not well"
    assert nothing["problems"][0]["code"] == "NothingSeen"


def test_shown_flows_are_bounded_and_counted_whole() -> None:
    result = verified("toy", [Flow(str(number), "flowing") for number in range(300)], NOW)
    assert (len(result["flows"]), result["summary"]["counts"]["targets"]) == (freshness.MAX_FLOWS_SHOWN, 300)
