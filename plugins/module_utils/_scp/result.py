# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes on a collector as a task's result. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._core.errors import OnboardingError
from .._core.policy import together
from .._core.result import counts, framed
from .._core.status import CORRECTED, DRIFTED, FAILED, IN_SYNC
from .names import CAPABILITY, LIBRARY
from .plan import DELETE, HOST, Change, State


def _text(kind: str, key: str, state: State | None) -> str:
    """An item as lines of a diff: a file as it is, with its rights in front."""
    if state is None:
        return ""
    if kind != "file":
        return json.dumps(dict(state), indent=1, sort_keys=True) + "\n"
    rights = " ".join(str(state[name]) for name in ("mode", "owner", "group") if name in state)
    content = str(state.get("content", ""))
    if key.startswith(f"{LIBRARY}/"):  # code of ours, hundreds of lines that nobody wants in a diff
        content = f"# {len(content.splitlines())} lines, sha256 {hashlib.sha256(content.encode()).hexdigest()}\n"
    return f"# {rights}\n{content}"


def diffs(changes: Iterable[Change]) -> list[dict[str, str]]:
    """Before and after of each change, in the form that Ansible shows."""
    return [
        {
            "before_header": f"{change.item.kind} {change.item.key}",
            "after_header": f"{change.item.kind} {change.item.key}",
            "before": _text(change.item.kind, change.item.key, change.before),
            "after": _text(change.item.kind, change.item.key, None if change.action == DELETE else change.item.want),
        }
        for change in changes
    ]


def status_of(targets: Iterable[str], changes: Sequence[Change], failed: str, *, check: bool) -> dict[str, str]:
    """Target -> in_sync, corrected, drifted or failed."""
    touched = {change.item.target for change in changes}
    blocked = {change.item.target for change in changes if change.blocked}
    found = {target: (DRIFTED if check else CORRECTED) if target in touched else IN_SYNC for target in targets}
    found.update(dict.fromkeys(blocked, FAILED))
    if failed:
        found[failed] = FAILED
    return found


def build(
    targets: Iterable[str],
    changes: Sequence[Change],
    *,
    check: bool,
    diff: bool,
    error: OnboardingError | None = None,
    failed: str = "",
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """changes: what was done, or would be in check mode. failed: the target of the error."""
    names = {HOST, *targets, *(change.item.target for change in changes)}
    statuses = status_of(sorted(names), changes, failed or (HOST if error else ""), check=check)
    number = counts(statuses.values())
    drift = Counter(name for change in changes for name in change.drift)
    problems = [
        {**change_error(change).problem(change.item.target), "count": 1} for change in changes if change.blocked
    ]
    if error is not None:
        problems.append({**error.problem(failed or HOST), "count": 1})
    made = [change for change in changes if not change.blocked]
    found = framed(
        CAPABILITY,
        number,
        _message(problems, made, check=check),
        changed=bool(made),
        failed=bool(problems),
        drift=dict(sorted(drift.items())),
        changes=[
            {"target": f"{change.item.target}: {change.item.key}", "action": change.action, "drift": list(change.drift)}
            for change in made
        ],
        problems=problems,
        summary={"correctable": together(number[DRIFTED], drift)},
        outputs=extra,
    )
    return found | ({"diff": diffs(made)} if diff else {})


def change_error(change: Change) -> OnboardingError:
    step = "choose another name in the source's options, or remove it by hand if nobody needs it"
    return OnboardingError(f"use {change.item.key}", change.blocked, code="foreign", next_step=step)


def _message(problems: Sequence[Mapping[str, Any]], made: Sequence[Change], *, check: bool) -> str:
    if problems:
        first = problems[0]
        step = f" Next step: {first['next_step']}." if first["next_step"] else ""
        return f"Could not {first['operation']}: {first['message']}.{step}"
    if not made:
        return "The file drops are as wanted."
    actions = Counter(change.action for change in made)
    told = ", ".join(f"{number} to {action}" if check else f"{number} {action}d" for action, number in actions.items())
    return f"File drops: {told}."
