# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From records to a result: counts, merged problems, bounded lists, outcome and exit."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import result
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.options import RunOptions
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import (
    BLOCKED,
    CORRECTED,
    DRIFTED,
    FAILED,
    IN_SYNC,
    PENDING,
    SKIPPED,
    STATUSES,
    UNKNOWN,
    WAITING,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Record, Verdict, judged

CREATE = Verdict("a", DRIFTED, ("missing",), action="create", after={"name": "ours"})


def error(name: str, operation: str = "list the settings", **given: Any) -> Record:
    given = {"code": "AuthorizationFailed", "status": 403, "next_step": "grant it"} | given
    return Record(Verdict(name, UNKNOWN), UNKNOWN, RefusedError(f"{operation} of {name}", "no", **given))


def told(*records: Record) -> list[dict[str, Any]]:
    return list(result.converged("x", records, RunOptions())["problems"])


OUTCOMES = {
    "nothing": ([], IN_SYNC),
    "all in sync": ([IN_SYNC, SKIPPED], IN_SYNC),
    "all skipped": ([SKIPPED], SKIPPED),
    "corrected": ([IN_SYNC, CORRECTED], CORRECTED),
    "drift goes before corrected": ([CORRECTED, DRIFTED], DRIFTED),
    "waiting goes before pending": ([PENDING, WAITING], WAITING),
    "some unknown": ([DRIFTED, UNKNOWN], UNKNOWN),
    "some failed": ([CORRECTED, FAILED, UNKNOWN], FAILED),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_the_outcome_is_the_worst_status(case: str) -> None:
    statuses, expected = OUTCOMES[case]
    assert result.outcome(result.counts(statuses)) == expected


@pytest.mark.parametrize("fail_on", ["error", "blocked", "drift", "never"])
@pytest.mark.parametrize("status", STATUSES)
def test_what_fails_a_task(fail_on: str, status: str) -> None:
    bad, drifted = status in (FAILED, UNKNOWN), status in (DRIFTED, WAITING)
    expected = (bad and fail_on != "never") or (drifted and fail_on == "drift")
    assert result.failed(result.counts([status]), fail_on) is expected


def test_drift_classes_count_targets_and_unknown() -> None:
    records = [
        Record(CREATE, CORRECTED),
        Record(CREATE._replace(drift=("no_destination", "missing")), DRIFTED),
        Record(Verdict("c", IN_SYNC, ("extra",)), IN_SYNC),
        error("x"),
    ]
    assert result.drift_classes(records) == {"extra": 1, "missing": 2, "no_destination": 1, "unknown": 1}


def test_problems_of_one_cause_are_one_with_their_number() -> None:
    found = told(error("a"), error("b"), error("c", code="Conflict", status=409), error("d"))
    assert [(problem["code"], problem["count"]) for problem in found] == [("AuthorizationFailed", 3), ("Conflict", 1)]
    assert found[0]["target"] == "a", "the first of them is named"


def test_what_failed_to_be_read_and_to_be_written_are_two_problems() -> None:
    assert len(told(error("a"), error("b", "create the setting"))) == 2


def test_problems_are_bounded_the_largest_first() -> None:
    found = told(*[error(str(n), code=f"C{n}") for n in range(60)], *[error("x", code="Large") for _n in range(3)])
    assert len(found) == result.MAX_PROBLEMS_SHOWN
    assert (found[0]["code"], found[0]["count"]) == ("Large", 3)


def test_what_is_blocked_is_a_problem_with_its_step() -> None:
    (problem,) = told(judged(Verdict("a", BLOCKED, ("limit",), "why", next_step="remove one")))
    assert (problem["code"], problem["message"], problem["next_step"]) == ("limit", "why", "remove one")
    assert problem["status"] is None


def test_drift_that_is_corrected_is_no_problem() -> None:
    assert told(Record(CREATE, CORRECTED), Record(CREATE, DRIFTED)) == []


@pytest.mark.parametrize("status", [DRIFTED, CORRECTED])
def test_what_a_write_puts_right_in_part_is_a_problem_all_the_same(status: str) -> None:
    partial = CREATE._replace(drift=("no_destination", "missing"), reason="no hub here", next_step="give one")
    (problem,) = told(Record(partial, status))
    assert (problem["code"], problem["message"], problem["next_step"]) == ("no_destination", "no hub here", "give one")


def test_changes_are_what_was_or_would_be_written() -> None:
    statuses = {"a": CORRECTED, "b": DRIFTED, "c": FAILED, "d": IN_SYNC}
    records = [Record(CREATE._replace(target=name), status) for name, status in statuses.items()]
    records.append(judged(Verdict("e", BLOCKED, ("limit",))))
    changes = result.converged("x", records, RunOptions())["changes"]
    assert [change["target"] for change in changes] == ["a", "b"]


def test_lists_are_bounded() -> None:
    records = [Record(CREATE._replace(target=str(n)), CORRECTED) for n in range(200)]
    found = result.converged("x", records, RunOptions(diff=True))
    assert len(found["changes"]) == len(found["diff"]) - 1 == result.MAX_CHANGES_SHOWN
    assert found["diff"][-1]["before_header"] == "and 150 more, in the evidence"


def test_a_warning_takes_no_problems_place() -> None:
    """Of the same cause, and more of them: what failed is told first, and as no warning."""
    step, drift = {"next_step": "look at it"}, ("shared",)
    warned = [Record(Verdict(f"w{number}", IN_SYNC, drift, "so", **step), IN_SYNC) for number in range(3)]
    blocked = judged(Verdict("b", BLOCKED, drift, "so", **step))
    assert [(one["count"], one.get("warning", False)) for one in told(*warned, blocked)] == [(1, False), (3, True)]
