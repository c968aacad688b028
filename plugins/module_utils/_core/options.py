# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the modules of every vendor have: how a run is done, not what is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from . import policy

# For a whole task, whatever the other side does. Fifty thousand requests at Azure's rate of one subscription fit in.
TIME_SPEC: dict[str, dict[str, Any]] = {"time_limit_seconds": {"type": "int", "default": 1800}}
RUN_SPEC: dict[str, dict[str, Any]] = {
    "fail_on": {"type": "str", "choices": ["error", "drift", "never"], "default": "error"},
    "correct": {"type": "str", "choices": list(policy.LEVELS), "default": policy.ALL},
    "max_changes": {"type": "int", "default": 0},
    "concurrency": {"type": "int", "default": 16},
    "evidence_path": {"type": "path"},
}


class RunOptions(NamedTuple):
    """How a run is done. max_changes and time_limit_seconds: 0 for no limit; evidence_path: '' for no evidence."""

    check: bool = False
    diff: bool = False
    correct: str = policy.ALL
    fail_on: str = "error"
    max_changes: int = 0
    evidence_path: str = ""
    time_limit_seconds: float = TIME_SPEC["time_limit_seconds"]["default"]


def run_options(params: Mapping[str, Any], *, check: bool, diff: bool) -> RunOptions:
    """Of checked parameters; what a module does not offer has its default."""
    given = {name: params[name] for name in RunOptions._fields if params.get(name) is not None}
    return RunOptions(**{**given, "check": check, "diff": diff})
