# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs of a Logic App say."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.client import ODD_SHAPE
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import (
    FLOWING,
    QUIET,
    STALE,
    WAITING_FOR_DATA,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.workflow_runs import Run, judged, parsed


@pytest.mark.parametrize("odd", [5, "x", [], [1]])
def test_a_run_of_another_shape_is_refused(odd: Any) -> None:
    with pytest.raises(ODD_SHAPE):
        parsed({"properties": {"startTime": odd, "status": "Failed"}})


@pytest.mark.parametrize(
    ("runs", "state"),
    [
        ([], QUIET),
        ([Run(5, "Succeeded")], FLOWING),
        ([Run(5, "Running")], WAITING_FOR_DATA),
        ([Run(5, "Skipped")], QUIET),
        ([Run(6, "TimedOut"), Run(5, "Succeeded")], STALE),
        ([Run(6, "Cancelled")], STALE),
        ([Run(6, "a word of tomorrow")], STALE),
        ([Run(6, "Succeeded"), Run(5, "Failed", "x")], FLOWING),
        ([Run(6, "Failed", "OperationFailed"), Run(5, "Succeeded")], STALE),
    ],
)
def test_runs(runs: list[Run], state: str) -> None:
    found = judged("relay", runs, "as may be", "look")
    assert found.state == state
    assert bool(found.message) == (state != FLOWING or len(runs) > 1)
