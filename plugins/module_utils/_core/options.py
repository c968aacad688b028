# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the modules of every vendor have: how a run is done, not what is wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from . import policy
from .errors import InputError
from .status import BLOCKED

# For a whole task, whatever the other side does. Fifty thousand requests at Azure's rate of one subscription fit in.
TIME_SPEC: dict[str, dict[str, Any]] = {"time_limit_seconds": {"type": "int", "default": 1800}}
RUN_SPEC: dict[str, dict[str, Any]] = {
    "fail_on": {"type": "str", "choices": ["error", BLOCKED, "drift", "never"], "default": "error"},
    "correct": {"type": "str", "choices": list(policy.LEVELS), "default": policy.ALL},
    "max_changes": {"type": "int"},
    "concurrency": {"type": "int", "default": 16},
    "evidence_path": {"type": "path"},
}
# Of the modules that remember what a tenant had; preflight and verify compare with it, too.
COVERAGE_SPEC: dict[str, dict[str, Any]] = {
    "accept_missing": {"type": "list", "elements": "str", "default": []},
    "evidence_path": RUN_SPEC["evidence_path"],
}

# The least that the numbers among them may be.
LEAST: Final[Mapping[str, int]] = {"max_changes": 0, "concurrency": 1, "time_limit_seconds": 0}
_DIGITS: Final = re.compile(r"[0-9]{1,9}")


class Check(NamedTuple):
    """A capability's own check of its options, which the inventory plugin asks before a run.

    It stands in the file that parses them, which imports no vendor's library: each run of Ansible would pay for it.
    wanted: pure, and the same that the engine parses with; raises InputError.
    """

    spec: Mapping[str, Any]
    wanted: Callable[[Mapping[str, Any]], Any]
    rules: Mapping[str, Any] = MappingProxyType({})


class RunOptions(NamedTuple):
    """How a run is done.

    max_changes: None for no limit, 0 lets nothing change; time_limit_seconds: 0 for no limit; evidence_path: ''
    for none; state: absent where all of ours is to go; accept_missing: names of scopes that are confirmed to be gone.
    """

    check: bool = False
    diff: bool = False
    correct: str = policy.ALL
    fail_on: str = "error"
    max_changes: int | None = None
    evidence_path: str = ""
    time_limit_seconds: float = TIME_SPEC["time_limit_seconds"]["default"]
    state: str = "present"
    accept_missing: tuple[str, ...] = ()


def run_options(params: Mapping[str, Any], *, check: bool, diff: bool) -> RunOptions:
    """Of checked parameters; what a module does not offer has its default."""
    given = {name: params[name] for name in RunOptions._fields if params.get(name) is not None}
    return RunOptions(**{**given, "check": check, "diff": diff})


def check_run(params: Mapping[str, Any]) -> None:
    """Raises InputError where a number of the run, which its spec has made one, is below what it may be."""
    for name, least in LEAST.items():
        if params.get(name) is not None and params[name] < least:
            raise _wrong_number(name, least)


def whole_number(value: Any, name: str, least: int = 0) -> int:
    """The number that the value is or spells. Raises InputError for anything else: no limit is lost to a slip."""
    text = str(value).strip()
    if not _DIGITS.fullmatch(text) or int(text) < least:
        raise _wrong_number(name, least)
    return int(text)


def _wrong_number(name: str, least: int) -> InputError:
    return InputError(
        "start",
        f"{name} is no whole number of at least {least}",
        code="WrongNumber",
        next_step=f"give {name} as digits, such as 100, or leave it out",
    )
