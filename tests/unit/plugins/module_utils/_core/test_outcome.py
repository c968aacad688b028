"""What the results of all vendors have in common: one word for a run, one line of evidence for a target."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import outcome
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import OnboardingError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import COUNTS


@pytest.mark.parametrize(
    ("statuses", "word"),
    [
        ([], "in_sync"),
        (["skipped"], "skipped"),
        (["skipped", "in_sync"], "in_sync"),
        (["in_sync", "corrected"], "corrected"),
        (["corrected", "pending"], "pending"),
        (["pending", "waiting"], "waiting"),
        (["waiting", "drifted"], "drifted"),
        (["drifted", "unknown"], "unknown"),
        (["unknown", "failed", "in_sync"], "failed"),
    ],
)
def test_the_outcome_is_the_worst_status(statuses: list[str], word: str) -> None:
    assert outcome.outcome(outcome.counts(statuses)) == word


def test_every_count_has_its_key() -> None:
    assert outcome.counts(["waiting"]) == {**dict.fromkeys(COUNTS, 0), "targets": 1, "waiting": 1}


def test_a_line_has_what_there_is_and_nothing_empty() -> None:
    assert outcome.line("x", "in_sync") == {"target": "x", "status": "in_sync"}
    write: dict[str, Any] = {"action": "create", "before": None, "after": {"a": 1}}
    error = OnboardingError("write x", "no", code="Refused")
    whole = outcome.line("x", "blocked", type="hub", drift=("missing",), reason="why", action=write, error=error)
    problem = {"problem": error.problem("x")}
    assert (
        whole
        == {"target": "x", "type": "hub", "status": "drifted", "drift": ["missing"], "reason": "why"} | write | problem
    )
