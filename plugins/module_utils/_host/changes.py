# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be changed on a host, and a task's result of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._core.policy import together
from .._core.result import counts, framed
from .._core.status import CORRECTED, DRIFTED, IN_SYNC

MISSING, DIFFERENT, UNEXPECTED, STOPPED, STALE = "missing", "different", "unexpected", "stopped", "stale"
MAX_NAMED = 5


@dataclass(frozen=True)
class Change:
    """kind: what it is (file, unit, package, ...); action: create, update or delete; drift: one of the words above."""

    kind: str
    target: str
    action: str
    drift: str


def changed(capability: str, changes: Sequence[Change], *, check: bool, nothing: str) -> dict[str, Any]:
    """The result of what was done, or in check mode would be. The host is one target."""
    number = counts([(DRIFTED if check else CORRECTED) if changes else IN_SYNC])
    classes = Counter(change.drift for change in changes)
    said = ", ".join(f"{change.action} {change.target}" for change in changes[:MAX_NAMED])
    more = f" and {len(changes) - MAX_NAMED} more" if len(changes) > MAX_NAMED else ""
    return framed(
        capability,
        number,
        f"{'Would ' if check else 'Done: '}{said}{more}." if changes else nothing,
        changed=bool(changes),
        drift=classes,
        changes=[{"target": one.target, "action": one.action, "drift": [one.drift]} for one in changes],
        summary={"correctable": together(number[DRIFTED], classes)},
    )
