# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify says of flows: judgement, states, problems."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import freshness
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import (
    DAY,
    Flow,
    Limits,
    Volume,
    daily,
    judge,
    verified,
    weighed,
)

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
        ("connected", "in_sync", "in_sync"),
        ("quiet", "in_sync", "in_sync"),
        ("doubled", "drifted", "drifted"),
        ("fallen", "drifted", "drifted"),
        ("stale", "drifted", "drifted"),
        ("unreadable", "unknown", "unknown"),
    ],
)
def test_a_state_is_the_same_status_for_every_vendor(state: str, status: str, outcome: str) -> None:
    result = verified("toy", [Flow("a", state, newest=NOW)], NOW)
    assert (result["summary"]["counts"][status], result["summary"]["outcome"]) == (1, outcome)
    assert bool(result["problems"]) == (status in ("drifted", "unknown"))
    assert result["summary"]["drift"] == ({state: 1} if result["problems"] else {})
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
    line = Flow("a", "flowing", newest=NOW - 60, records=3, lag=2.2, volume=Volume(9, 8), facts={"targets": 1}).line(
        NOW
    )
    assert line == {
        "source": "a", "state": "flowing", "newest": "1970-01-12T13:45:40Z", "age_seconds": 60, "lag_seconds": 2,
        "records": 3, "records_last_day": 9, "records_usual": 8, "targets": 1, "message": "", "next_step": "",
    }  # fmt: skip


def test_silence_without_a_record_before_needs_a_reason() -> None:
    assert verified("toy", [Flow("a", "quiet")], NOW)["summary"]["outcome"] == "unknown"
    assert verified("toy", [Flow("a", "quiet", message="such a log may be empty")], NOW)["problems"] == []


@pytest.mark.parametrize(
    ("day", "usual", "fallen"),
    [(5, 50, True), (6, 50, False), (0, 49, False), (100, 1000, True), (None, 1000, False), (0, None, False)],
)
def test_a_fall_to_a_tenth(day: int | None, usual: int | None, fallen: bool) -> None:
    flow = weighed(Flow("a", "flowing", newest=NOW), Volume(day, usual))
    assert (flow.state == "fallen") == fallen
    assert not fallen or f"{day} records in the last day, and {usual}" in flow.message
    assert weighed(Flow("a", "stale", newest=NOW), Volume(day, usual)).state == "stale", "silence is worse than a fall"


def test_a_day_is_compared_with_the_same_day_of_the_weeks_before() -> None:
    counts = [(NOW - 10, 3), (NOW - DAY, 100), (NOW - 7 * DAY - 1, 20), (NOW - 14 * DAY, 30), (NOW - 15 * DAY, 500)]
    assert daily(counts, NOW, NOW - 15 * DAY) == Volume(3, 30)
    assert daily(counts, NOW, NOW - 14 * DAY) == Volume(3, 20), "a day that was not whole is none"
    assert daily(counts, NOW, NOW - 7 * DAY) == Volume(3, None)


def test_what_arrived_is_told_in_numbers() -> None:
    flows = [
        Flow("a", "flowing", newest=NOW - 60, lag=12.6, volume=Volume(5, 6)),
        Flow("b", "pending"),
        Flow("c", "flowing", newest=NOW - 90, lag=3, volume=Volume(7)),
        Flow("d", "quiet", message="nothing rare has happened"),
    ]
    result = verified("toy", flows, NOW)
    assert result["summary"]["arrivals"] == {
        "flows": 4, "arrived": 2, "connected": 0, "quiet": 1, "newest": "1970-01-12T13:45:40Z", "lag_seconds": 13,
        "counted": 2, "records_last_day": 12, "records_usual": None,
    }  # fmt: skip
    assert result["msg"].splitlines() == [
        "2 of 4 flows have arrived: 1 pending, 2 flowing, 1 quiet",
        "newest record 1970-01-12T13:45:40Z, 12 records in the last day (2 of 4 flows counted), up to 13 s late",
    ]
    told = freshness.arrived(result["summary"]["arrivals"] | {"connected": 1, "records_usual": 9})
    assert told.startswith("2 of 4 flows, 1 connected, as the vendor says, 1 quiet, newest record 1970")
    assert "12 records in the last day (2 of 4 flows counted), 9 usual" in told
    assert "12 records in the last day, " in verified("toy", [*flows[::2]], NOW)["msg"], "all are counted"


def test_the_usual_number_is_told_where_it_is_known_of_all() -> None:
    one, other = {"flows": 1, "records_last_day": 2, "records_usual": 3}, {"flows": 1, "records_last_day": 5}
    assert freshness.sum_of([one, one])["records_usual"] == 6
    assert "records_usual" not in freshness.sum_of([one, other])
    assert freshness.sum_of([]) == {}


def test_what_a_vendor_calls_connected_is_no_arrival() -> None:
    lead = verified("toy", [Flow("a", "connected"), Flow("b", "connected")], NOW)["msg"]
    assert lead == "0 of 2 flows are seen to arrive; connected is what the vendor says: 2 connected"


def test_no_flow_at_all_is_said() -> None:
    nothing = verified("toy", [], NOW)
    assert "0 of 0 flows have arrived: none" in nothing["msg"]
    assert nothing["summary"]["outcome"] == "unknown", "what was not looked at is not well"
    assert nothing["problems"][0]["code"] == "NothingSeen"


def test_shown_flows_are_bounded_and_counted_whole() -> None:
    result = verified("toy", [Flow(str(number), "flowing") for number in range(300)], NOW)
    assert (len(result["flows"]), result["summary"]["counts"]["targets"]) == (freshness.MAX_FLOWS_SHOWN, 300)


@pytest.mark.parametrize("newest", [NOW + freshness.AHEAD + 1, 9e18])
@pytest.mark.parametrize("state", ["flowing", "quiet", "connected", "pending"])
def test_a_record_of_the_future_proves_nothing(state: str, newest: float) -> None:
    found = verified("azure_log_flow", [Flow("signins", state, newest)], NOW)
    assert (found["summary"]["outcome"], found["flows"][0]["state"]) == ("unknown", "unreadable")
    assert found["problems"][0]["code"] == "dated_ahead"
    assert "time zone" in found["problems"][0]["next_step"]


@pytest.mark.parametrize(("state", "newest"), [("flowing", NOW + 60), ("stale", NOW + 1e6)])
def test_clocks_differ_and_what_is_wrong_already_stays(state: str, newest: float) -> None:
    assert verified("azure_log_flow", [Flow("signins", state, newest)], NOW)["flows"][0]["state"] == state
