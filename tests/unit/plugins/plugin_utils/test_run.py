"""What is wrong with a run before it begins."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.plugin_utils._run import wrong_limits

WRONG: dict[str, list[Any]] = {
    "drift_max_changes": ["abc", "2%", "1e1", "1,000", "", "-1", None, True, 1.5],
    "mssp_max_fail_percentage": ["abc", "10%", "-1", "101", "", None, "1e1"],
    "mssp_serial": ["abc", "0", 0, "-1", "0%", "101%", "", [], [1, "x"], None],
}
RIGHT: dict[str, list[Any]] = {
    "drift_max_changes": [0, "0", 100, "100"],
    "mssp_max_fail_percentage": [0, "0", 10, "33.3", 100],
    "mssp_serial": [1, "10", "10%", "100%", [1, "10%"]],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_a_slip_in_a_limit_is_named(name: str, value: Any) -> None:
    (line,) = wrong_limits({name: value})
    assert line.startswith(f"{name}: expected ")


def test_what_can_be_is_let_pass() -> None:
    for name, values in RIGHT.items():
        for value in values:
            assert wrong_limits({name: value}) == []
    assert wrong_limits({}) == []
