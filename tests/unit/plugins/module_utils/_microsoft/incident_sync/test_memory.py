# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From when a run reads on, and what is kept of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import OnboardingError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync.memory import Known, Memory

NOW, DAY = 1_000_000.0, 86_400.0


@pytest.mark.parametrize(
    ("known", "since"),
    [
        (Known(), NOW - DAY),
        (Known(cursor=NOW - 60, full=NOW - 600), NOW - 660),
        (Known(cursor=NOW - 60, full=NOW - 3600), NOW - DAY),
        (Known(cursor=NOW - 9 * DAY, full=NOW - 600), NOW - DAY),
        (Known(cursor=NOW + 60, full=NOW - 600), NOW - DAY),
    ],
)
def test_it_reads_on_with_an_overlap_and_all_of_it_once_an_hour(known: Known, since: float) -> None:
    assert known.since(NOW, DAY, 600.0) == since


def test_what_is_kept_is_there_again_and_a_check_keeps_nothing(tmp_path: Path) -> None:
    evidence = str(tmp_path / "customer.incident_sync.jsonl")
    known = Known(NOW, NOW - 60, NOW - 600, ("29",))
    Memory(evidence, writes=False).keep(known)
    assert Memory(evidence, writes=True).known == Known()
    Memory(evidence, writes=True).keep(known)
    held = Memory(evidence, writes=True)
    assert held.known == known
    held.forget(tickets=True)
    assert Memory(evidence, writes=True).known == Known()
    assert not Memory("", writes=True).kept


@pytest.mark.parametrize("text", ["[]", "{", '{"good": "x"}', '{"again": 5}'])
def test_what_cannot_be_read_is_not_nothing(tmp_path: Path, text: str) -> None:
    evidence = str(tmp_path / "customer.incident_sync.jsonl")
    Memory(evidence, writes=True).keep(Known(NOW))
    (path,) = (tmp_path / "coverage").iterdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(OnboardingError, match="remove it"):
        Memory(evidence, writes=True)
