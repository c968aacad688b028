# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a module that has a few targets, each known by its id: one verdict a target. Pure."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..._core import outcome
from ..._core import policy as drift
from ..._core.errors import OnboardingError
from ..._core.status import BLOCKED, CORRECTED, DRIFTED, UNKNOWN, WAITING

# Names of ours are made of what they stand for, so that every run, and every machine, knows them again.
OURS = uuid.UUID("5f0d6c1e-3b4a-4f0c-9a51-6d7373702e31")


class Verdict(NamedTuple):
    """What a target is and needs. status: of STATUSES, or blocked; action: create, update, delete or C('').

    before, after: as a person reads them; next_step: for what is blocked; waits: for a person outside of this run;
    written: something was, however it ended.
    """

    target: str
    status: str
    drift: tuple[str, ...] = ()
    action: str = ""
    before: Mapping[str, Any] = {}
    after: Mapping[str, Any] = {}
    reason: str = ""
    next_step: str = ""
    error: OnboardingError | None = None
    waits: bool = False
    written: bool = False

    @property
    def counted(self) -> str:
        """The status as it is counted: what is blocked is drifted, or waits."""
        if self.status != BLOCKED:
            return self.status
        return WAITING if self.waits else DRIFTED

    def line(self) -> dict[str, Any]:
        """The verdict as one line of evidence."""
        action = {"action": self.action, "before": self.before, "after": self.after} if self.action else None
        return outcome.line(
            self.target, self.counted, drift=self.drift, reason=self.reason, action=action, error=self.error
        )


def name_of(*parts: str) -> str:
    """The GUID that a thing of ours has for its name, whatever the case of its parts."""
    return str(uuid.uuid5(OURS, "|".join(part.casefold() for part in parts)))


def pending(verdict: Verdict, level: str) -> bool:
    """Whether the verdict asks for a write that this level of C(correct) allows."""
    return verdict.status == DRIFTED and bool(verdict.action) and drift.allowed(level, verdict.action)


def result(capability: str, verdicts: Sequence[Verdict], level: str, *, check: bool, diff: bool) -> dict[str, Any]:
    """The task's result in the shape of every result, without its evidence."""
    number = outcome.counts(one.counted for one in verdicts)
    told = outcome.merged(problem for one in verdicts if (problem := _problem(one)))
    classes = Counter(name for one in verdicts for name in one.drift)
    classes[UNKNOWN] = number[UNKNOWN]
    shown = [one for one in verdicts if one.status == CORRECTED or one.written or pending(one, level)]
    found = {
        "changed": bool(shown) if check else any(one.status == CORRECTED or one.written for one in verdicts),
        "failed": outcome.failed(number, "error"),
        "msg": _message(verdicts, number, told),
        "summary": {
            "capability": capability,
            "outcome": outcome.outcome(number),
            "counts": number,
            "drift": {name: count for name, count in sorted(classes.items()) if count},
            "correctable": drift.correctable(one.action for one in verdicts if pending(one, drift.ALL)),
        },
        "changes": [{"target": one.target, "action": one.action, "drift": list(one.drift)} for one in shown],
        "problems": told,
    }
    return found | ({"diff": [_diff(one) for one in shown]} if diff else {})


def _problem(verdict: Verdict) -> dict[str, Any] | None:
    if verdict.error is not None:
        return verdict.error.problem(verdict.target)
    if verdict.status != BLOCKED:
        return None
    return OnboardingError(
        f"have it as wanted: {verdict.target}", verdict.reason, code=verdict.drift[0], next_step=verdict.next_step
    ).problem(verdict.target)


def _diff(verdict: Verdict) -> dict[str, Any]:
    header = f"{verdict.target} ({verdict.action})"
    return {"before_header": header, "after_header": header, "before": verdict.before, "after": verdict.after}


def _message(verdicts: Sequence[Verdict], number: Mapping[str, int], told: list[dict[str, Any]]) -> str:
    """One paragraph that a person can act on."""
    text = f"{number['targets']} targets: {outcome.spelled(number) or 'nothing wanted'}."
    reasons = [one.reason for one in verdicts if one.reason and one.status != BLOCKED]
    return text + "".join(f" {reason[0].upper()}{reason[1:]}." for reason in reasons) + outcome.worst(told)
