"""Numbers of a run: what is none is refused before anything is sent, and never taken for «no limit»."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.options import run_options, whole_number

NO_NUMBERS = ["abc", "2%", "1e1", "1,000", "", "-1", "None", "1_000", "0x10", "٣", True, None, 1.5, -1, [1]]


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match="drift_max_changes is no whole number of at least 0"):
        whole_number(value, "drift_max_changes")


@pytest.mark.parametrize(("value", "number"), [(0, 0), ("0", 0), (100, 100), (" 100 ", 100), ("007", 7)])
def test_what_is_one_is_taken(value: Any, number: int) -> None:
    assert whole_number(value, "drift_max_changes") == number


def test_no_limit_and_none_are_two_things() -> None:
    limits = [run_options(given, check=False, diff=False).max_changes for given in ({}, {"max_changes": 0})]
    assert limits == [None, 0]


@pytest.mark.parametrize(("name", "value"), [("max_changes", -1), ("concurrency", 0), ("time_limit_seconds", -5)])
def test_no_engine_is_called_with_a_number_that_cannot_be(name: str, value: int) -> None:
    async def engine(*_args: Any, **_more: Any) -> dict[str, Any]:
        raise AssertionError("the engine was called")

    result = execute(engine, "toy", {name: value}, check=False, diff=False)
    assert result["failed"]
    assert name in result["msg"]
