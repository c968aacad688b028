# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of one thing: corrected as a whole, and told of what is retired."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.policy import correctable
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import BLOCKED, DRIFTED, IN_SYNC, WAITING
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Verdict, judged
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.graph.parts import (
    CREATE,
    UPDATE,
    together,
    with_retired,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.graph.permissions import RESOURCES

GRAPH, OLD = RESOURCES["microsoft_graph"], "SecurityEvents.Read.All"
FINE = Verdict("a", IN_SYNC)
DUE = Verdict("c", DRIFTED, ("changed",), action=UPDATE)
ADD = Verdict("d", DRIFTED, ("missing",), action=CREATE)
WAIT = Verdict("e", WAITING, ("missing",), "not granted", next_step="open the link")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([FINE, ADD, ADD._replace(target="x")], {"safe": 2, "all": 2}),
        ([ADD, DUE], {"safe": 0, "all": 2}),
        ([WAIT, FINE], {"safe": 0, "all": 0}),
    ],
)
def test_level_safe_adds_all_or_nothing(parts: list[Verdict], expected: dict[str, int]) -> None:
    found = together(parts)
    assert [part.target for part in found] == [part.target for part in parts]
    for level, number in expected.items():
        assert sum(part.due(level) for part in found) == number
    assert correctable(part.level or part.action for part in found if part.due("all")) == expected


@pytest.mark.parametrize(
    ("part", "code"),
    [(FINE, "retired"), (ADD, "retired"), (WAIT, "missing"), (DUE._replace(status=BLOCKED, next_step="x"), "changed")],
)
def test_a_retired_permission_is_a_problem_of_its_own_unless_there_is_a_nearer_one(part: Verdict, code: str) -> None:
    told = with_retired(part, GRAPH, ["SecurityAlert.Read.All", OLD])
    assert set(told.drift) == {*part.drift, "retired"}
    assert "is retired" in told.reason
    problem = judged(told).problem()
    assert problem is not None
    assert (problem["code"], problem["next_step"]) == (code, told.next_step)
    assert with_retired(part, GRAPH, ["SecurityAlert.Read.All"]) is part
