# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes on a collector as a task's result. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._core.result import counts
from .._core.status import CORRECTED, DRIFTED, IN_SYNC
from .catalog import CAPABILITY
from .plan import Change


def changed(changes: Sequence[Change], *, check: bool, nothing: str = "The connector is as wanted.") -> dict[str, Any]:
    """What was done, or in check mode would be."""
    outcome = (DRIFTED if check else CORRECTED) if changes else IN_SYNC
    said = ", ".join(f"{change.action} {change.target}" for change in changes)
    return {
        "changed": bool(changes),
        "failed": False,
        "msg": f"{'Would ' if check else 'Done: '}{said}." if changes else nothing,
        "summary": summary(outcome, [outcome], Counter(change.drift for change in changes)),
        "changes": [change.record() for change in changes],
        "problems": [],
        "evidence": "",
    }


def summary(outcome: str, statuses: Iterable[str], drift: Mapping[str, int]) -> dict[str, Any]:
    return {"capability": CAPABILITY, "outcome": outcome, "counts": counts(statuses), "drift": dict(drift)}
