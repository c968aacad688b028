"""What the results of all vendors have in common: one word for a run, one line of evidence for a target."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import outcome
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import OnboardingError


@pytest.mark.parametrize(
    ("statuses", "waits", "word"),
    [
        (["ok", "drift"], False, "drift"),
        (["ok", "drift"], True, "waiting"),
        (["ok"], True, "ok"),
        (["changed"], True, "changed"),
        (["drift", "unknown"], True, "partial"),
        (["failed"], True, "failed"),
    ],
)
def test_only_drift_waits_for_somebody(statuses: list[str], waits: bool, word: str) -> None:
    assert outcome.outcome(outcome.counts(statuses), waits=waits) == word


def test_a_line_has_what_there_is_and_nothing_empty() -> None:
    assert outcome.line("x", "ok") == {"target": "x", "status": "ok"}
    write: dict[str, Any] = {"action": "create", "before": None, "after": {"a": 1}}
    error = OnboardingError("write x", "no", code="Refused")
    whole = outcome.line("x", "blocked", type="hub", drift=("missing",), reason="why", action=write, error=error)
    problem = {"problem": error.problem("x")}
    assert (
        whole
        == {"target": "x", "type": "hub", "status": "drift", "drift": ["missing"], "reason": "why"} | write | problem
    )
