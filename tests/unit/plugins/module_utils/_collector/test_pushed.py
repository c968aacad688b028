# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was made to send is waited for, no longer than was said, and what cannot be read is not called silent."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._collector import pushed
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import FLOWING, UNREADABLE, Flow

PARAMS = {"path": "/x", "since": 0.0, "wait_seconds": 0.0, "stale_minutes": 60}
PUSHING = {"one": {"name": "one", "probed": True}, "two": {"name": "two", "probed": False}}


def test_it_waits_for_those_that_were_probed_only(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []

    def look() -> dict[str, float]:
        looks.append(1.0)
        return {"one": float(len(looks))}

    monkeypatch.setattr(pushed, "POLL_SECONDS", 0.0)
    assert pushed.awaited(look, ["one"], 3.0, 60.0) == {"one": 3.0}
    assert pushed.awaited(look, [], 9.0, 60.0) == {"one": 4.0}
    assert pushed.awaited(look, ["one"], 99.0, 0.0) == {"one": 5.0}


def test_a_store_that_cannot_be_read_is_unreadable() -> None:
    def denied() -> dict[str, float]:
        raise PermissionError(13, "Permission denied")

    found = pushed.arrived("x", PARAMS, PUSHING, denied, lambda *_given: Flow("x", FLOWING))
    assert (found["summary"]["outcome"], [one["state"] for one in found["flows"]]) == ("unknown", [UNREADABLE] * 2)
    assert "/x: Permission denied" in found["flows"][0]["message"]
    assert "root" in found["flows"][0]["next_step"]


def test_limits_are_minutes_and_the_clocks_may_be_a_little_apart() -> None:
    given: list[Any] = []

    def flow(*each: Any) -> Flow:
        given.append(each)
        return Flow(each[0]["name"], FLOWING)

    now = time.time()
    pushed.arrived("x", {**PARAMS, "since": now}, PUSHING, lambda: {"one": now - 2}, flow)
    ((one, newest, since, told, stale), (_two, nothing, *_rest)) = given
    assert (one["name"], newest, stale, nothing) == ("one", now - 2, 3600.0, None)
    assert since <= newest <= told


@pytest.mark.parametrize("wrong", [{"wait_seconds": -1.0}, {"stale_minutes": 0}])
def test_numbers_that_cannot_be_right_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        pushed.arrived("x", {**PARAMS, **wrong}, PUSHING, dict, lambda *_given: Flow("x", FLOWING))
