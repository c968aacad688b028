"""Changes on a host as a task's result: what is said, counted and shown, before and after."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.result import MAX_CHANGES_SHOWN
from ansible_collections.mssp.onboarding.plugins.module_utils._host.changes import DIFFERENT, MISSING, Change, changed

MANY = [Change("file", f"/etc/{number}", "create", MISSING) for number in range(60)]


@pytest.mark.parametrize(
    ("changes", "check", "outcome", "msg"),
    [
        ([], True, "in_sync", "All is well."),
        (MANY[:1], True, "drifted", "Would create /etc/0."),
        (MANY[:1], False, "corrected", "Done: create /etc/0."),
        (MANY, False, "corrected", "Done: create /etc/0, create /etc/1, create /etc/2, create /etc/3, create /etc/4"
                                   " and 55 more."),
    ],
)  # fmt: skip
def test_what_is_done_or_would_be(changes: list[Change], check: bool, outcome: str, msg: str) -> None:
    found = changed("toy", changes, check=check, nothing="All is well.")
    assert (found["changed"], found["msg"]) == (bool(changes), msg)
    assert (found["summary"]["outcome"], found["summary"]["counts"][outcome]) == (outcome, 1)
    assert found["summary"]["counts"]["targets"] == 1


def test_changes_are_bounded_and_drift_is_counted_whole() -> None:
    found = changed("toy", [*MANY, Change("unit", "x", "update", DIFFERENT)], check=True, nothing="")
    assert len(found["changes"]) == MAX_CHANGES_SHOWN
    assert found["changes"][0] == {"target": "/etc/0", "action": "create", "drift": ["missing"]}
    assert found["summary"]["drift"] == {"missing": 60, "different": 1}
    assert found["summary"]["correctable"] == {"safe": 0, "all": 1}
