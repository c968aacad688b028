# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the runs of all vendors have in common: where a target may end, and what a result makes of that. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .errors import OnboardingError
from .status import BLOCKED, DRIFTED, FAILED, IN_SYNC, SEVERITY, STATUSES, UNKNOWN, WAITING

MAX_PROBLEMS_SHOWN = 20


def counts(statuses: Iterable[str]) -> dict[str, int]:
    """{targets, and how many ended in each of STATUSES}."""
    by_status = Counter(statuses)
    return {"targets": sum(by_status.values()), **{status: by_status[status] for status in STATUSES}}


def outcome(number: Mapping[str, int]) -> str:
    """One word for the tenant: the worst status that is counted, in_sync where nothing was wanted."""
    return max((status for status in STATUSES if number[status]), key=SEVERITY.__getitem__, default=IN_SYNC)


def line(
    target: str,
    status: str,
    *,
    drift: Sequence[str] = (),
    reason: str = "",
    action: Mapping[str, Any] | None = None,
    error: OnboardingError | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A target's line of evidence, without what is empty. action: {action, before, after} of a write that is due."""
    found: dict[str, Any] = {"target": target, **more, "status": DRIFTED if status == BLOCKED else status}
    found |= {"drift": list(drift)} if drift else {}
    found |= {"reason": reason} if reason else {}
    return found | dict(action or {}) | ({"problem": error.problem(target)} if error else {})


def failed(number: Mapping[str, int], fail_on: str) -> bool:
    """Whether the task fails. fail_on: error (failed or unknown), drift (also what is not as wanted) or never."""
    bad = number[FAILED] + number[UNKNOWN]
    return bool((fail_on != "never" and bad) or (fail_on == "drift" and number[DRIFTED] + number[WAITING]))


def merged(problems: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Problems of one cause are one entry with their number, the most frequent first, bounded."""
    causes: dict[tuple[Any, ...], dict[str, Any]] = {}
    for problem in problems:
        cause = (problem["code"], problem["status"], problem["next_step"], problem["operation"].partition(" of ")[0])
        if cause in causes:
            causes[cause]["count"] += 1
        else:
            causes[cause] = {**problem, "count": 1}
    return sorted(causes.values(), key=lambda problem: -problem["count"])[:MAX_PROBLEMS_SHOWN]


def spelled(number: Mapping[str, int]) -> str:
    """Such as 3 in_sync, 1 drifted."""
    return ", ".join(f"{number[status]} {status}" for status in STATUSES if number[status])


def worst(told: list[dict[str, Any]]) -> str:
    """The most frequent problem as a sentence, '' without any."""
    if not told:
        return ""
    first = told[0]
    http = f"HTTP {first['status']}, " if first["status"] else ""
    return (
        f" Most often ({first['count']}): could not {first['operation']}: {http}{first['code']}: {first['message']}"
        f" Next step: {first['next_step']}."
    )
