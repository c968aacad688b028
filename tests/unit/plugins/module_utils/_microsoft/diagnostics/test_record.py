# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From records to a result: counts, merged problems, bounded lists, outcome and exit."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import outcome
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.outcome import (
    BLOCKED,
    CHANGED,
    DRIFT,
    FAILED,
    OK,
    SKIPPED,
    UNKNOWN,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.resources import Target
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import record
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics.record import Record
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.settings.plan import Action, Verdict
from tests.unit.plugins.module_utils._microsoft.builders import setting

CREATE = Verdict(DRIFT, ("missing",), "", Action("create", "ours"), None, setting())


def target(name: str = "a", subscription: str = "s1") -> Target:
    return Target(f"/subscriptions/{subscription}/{name}", "type", subscription)


def refused(name: str = "a", code: str = "AuthorizationFailed", status: int = 403) -> RefusedError:
    return RefusedError(f"list the diagnostic settings of {name}", "no", code=code, status=status, next_step="grant it")


def error(name: str, **given: Any) -> Record:
    return Record(target(name), UNKNOWN, error=refused(name, **given))


def test_counts_add_up() -> None:
    records = [Record(target(), status) for status in outcome.STATUSES for _number in range(2)]
    number = outcome.counts(one.status for one in records)
    assert number["targets"] == 12
    assert {number[status] for status in outcome.STATUSES} == {2}


def test_what_is_blocked_is_drift_that_stays() -> None:
    assert record.judged(target(), Verdict(BLOCKED, ("limit",))).status == DRIFT
    assert record.judged(target(), Verdict(OK)).status == OK
    assert record.judged(target(), Verdict(SKIPPED)).status == SKIPPED


def test_drift_classes_count_targets_and_unknown() -> None:
    records = [
        Record(target(), CHANGED, Verdict(DRIFT, ("missing",))),
        Record(target(), DRIFT, Verdict(DRIFT, ("missing", "no_destination"))),
        Record(target(), OK, Verdict(OK, ("extra",))),
        error("x"),
    ]
    assert record.drift_classes(records) == {"extra": 1, "missing": 2, "no_destination": 1, "unknown": 1}


OUTCOMES = {
    "nothing": ([], "ok"),
    "all ok": ([OK, SKIPPED], "ok"),
    "changed": ([OK, CHANGED], "changed"),
    "drift goes before changed": ([CHANGED, DRIFT], "drift"),
    "some unknown": ([OK, UNKNOWN], "partial"),
    "some failed": ([CHANGED, FAILED, DRIFT], "partial"),
    "all unknown": ([UNKNOWN, UNKNOWN, SKIPPED], "failed"),
    "all failed or unknown": ([FAILED, UNKNOWN], "failed"),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_outcome(case: str) -> None:
    statuses, expected = OUTCOMES[case]
    assert outcome.outcome(outcome.counts(statuses)) == expected


@pytest.mark.parametrize("fail_on", ["error", "drift", "never"])
@pytest.mark.parametrize("status", outcome.STATUSES)
def test_failed(fail_on: str, status: str) -> None:
    expected = (status in (FAILED, UNKNOWN) and fail_on != "never") or (status == DRIFT and fail_on == "drift")
    assert outcome.failed(outcome.counts([status]), fail_on) is expected


def test_problems_of_one_cause_are_one_with_their_number() -> None:
    told = record.problems([error("a"), error("b"), error("c", code="Conflict", status=409), error("d")])
    assert [(problem["code"], problem["count"]) for problem in told] == [("AuthorizationFailed", 3), ("Conflict", 1)]
    assert told[0]["target"] == target("a").id, "the first of them is named"


def test_what_failed_to_be_read_and_to_be_written_are_two_problems() -> None:
    write = Record(target("b"), FAILED, error=RefusedError("create the diagnostic setting of b", "no",
                                                           code="AuthorizationFailed", status=403,
                                                           next_step="grant it"))  # fmt: skip
    assert len(record.problems([error("a"), write])) == 2


def test_problems_are_bounded_the_largest_first() -> None:
    records = [error(str(n), code=f"C{n}") for n in range(60)] + [error("x", code="Large") for _number in range(3)]
    told = record.problems(records)
    assert len(told) == outcome.MAX_PROBLEMS_SHOWN
    assert (told[0]["code"], told[0]["count"]) == ("Large", 3)


@pytest.mark.parametrize("drift", sorted(record.BLOCKED_STEPS))
def test_what_is_blocked_is_a_problem_with_its_step(drift: str) -> None:
    (problem,) = record.problems([record.judged(target(), Verdict(BLOCKED, (drift,), "why"))])
    assert (problem["code"], problem["message"]) == (drift, "why")
    assert problem["next_step"] == record.BLOCKED_STEPS[drift]
    assert problem["status"] is None


def test_drift_that_is_corrected_is_no_problem() -> None:
    assert record.problems([Record(target(), CHANGED, CREATE), Record(target(), DRIFT, CREATE)]) == []


def test_an_adoption_is_no_problem() -> None:
    verdict = Verdict(DRIFT, ("conflict",), "adopts setting 'sec'", Action("update", "sec"), setting("sec"), setting())
    assert record.problems([Record(target(), DRIFT, verdict)]) == []


def test_changes_are_what_was_or_would_be_written() -> None:
    records = [Record(target("a"), CHANGED, CREATE), Record(target("b"), DRIFT, CREATE),
               Record(target("c"), FAILED, CREATE), Record(target("d"), OK, Verdict(OK)),
               Record(target("e"), DRIFT, Verdict(BLOCKED, ("limit",)))]  # fmt: skip
    assert [change["target"] for change in record.changes(records)] == [target("a").id, target("b").id]


def test_lists_are_bounded() -> None:
    records = [Record(target(str(n), f"s{n}"), CHANGED, CREATE) for n in range(200)]
    assert len(record.changes(records)) == record.MAX_CHANGES_SHOWN
    assert len(record.diffs(records)) == record.MAX_DIFFS_SHOWN
    assert len(record.by_subscription(records, {})) == record.MAX_SUBSCRIPTIONS_SHOWN


def test_subscriptions_with_something_to_say_come_first() -> None:
    records = [Record(target("a", "s1"), OK), Record(target("b", "s2"), SKIPPED), Record(target("c", "s3"), DRIFT)]
    assert next(iter(record.by_subscription(records, {"s3": "third"}))) == "third (s3)"


def test_a_line_of_evidence() -> None:
    line = Record(target(), CHANGED, CREATE).line()
    assert (line["target"], line["status"], line["drift"], line["action"]) == (
        target().id,
        CHANGED,
        ["missing"],
        "create",
    )
    assert (line["before"], line["after"]["name"]) == ({}, "mssp-onboarding")
    assert Record(target(), SKIPPED, Verdict(SKIPPED, reason="why")).line()["reason"] == "why"
    assert error("x").line()["problem"]["code"] == "AuthorizationFailed"


def test_the_message_tells_counts_drift_and_the_worst_problem() -> None:
    records = [Record(target("a"), CHANGED, CREATE), error("b"), error("c")]
    told = record.problems(records)
    text = record.message(outcome.counts(one.status for one in records), record.drift_classes(records), 2, told)
    assert text.startswith("3 targets in 2 subscriptions: 1 changed, 2 unknown. Drift: 1 missing, 2 unknown.")
    assert "Most often (2): could not list the diagnostic settings of b: HTTP 403, AuthorizationFailed: no" in text
    assert text.endswith("Next step: grant it.")


def test_the_message_of_an_empty_tenant() -> None:
    assert record.message(outcome.counts([]), {}, 1, []) == "0 targets in 1 subscriptions: nothing wanted."
