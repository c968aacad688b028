# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run saw and did: one record a target, and the result made of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from ..._core import outcome
from ..._core import status as words
from ..._core.errors import OnboardingError
from ..._core.outcome import BLOCKED, CHANGED, DRIFT, OK, SKIPPED, UNKNOWN
from ..._core.verdict import view
from ..arm.resources import Target
from ..settings import plan as plans
from ..settings.plan import BLOCKED_STEPS, Desired
from ..settings.setting import Offered, Setting

MAX_CHANGES_SHOWN = 50
MAX_DIFFS_SHOWN = 50
WORDS = {words.IN_SYNC: OK, words.DRIFTED: DRIFT, words.BLOCKED: BLOCKED, words.SKIPPED: SKIPPED}


class Action(NamedTuple):
    """One write. kind: create, update or delete; name: of the setting to write."""

    kind: str
    name: str


class Verdict(NamedTuple):
    """A plan's verdict in the words of _core.outcome."""

    status: str
    drift: tuple[str, ...] = ()
    reason: str = ""
    action: Action | None = None
    before: Setting | None = None
    after: Setting | None = None


def plan(desired: Desired, observed: tuple[Setting, ...], offered: Offered) -> Verdict:
    """The plan of a setting, in the words of _core.outcome."""
    found = plans.plan(desired, observed, offered)
    action = Action(found.action, plans.written(found)) if found.action else None
    return Verdict(WORDS[found.status], found.drift, found.reason, action, found.before, found.after)


class Record(NamedTuple):
    """The end of one target. status: one of STATUSES; error: for failed and unknown."""

    target: Target
    status: str
    verdict: Verdict | None = None
    error: OnboardingError | None = None

    def line(self) -> dict[str, Any]:
        """The record as one line of evidence."""
        line: dict[str, Any] = {
            "target": self.target.id,
            "subscription": self.target.subscription,
            "type": self.target.type,
            "status": self.status,
        }
        verdict = self.verdict
        if verdict is not None:
            if verdict.drift:
                line["drift"] = list(verdict.drift)
            if verdict.reason:
                line["reason"] = verdict.reason
            if verdict.action:
                line |= {"action": verdict.action.kind, "before": view(verdict.before), "after": view(verdict.after)}
        if self.error is not None:
            line["problem"] = self.error.problem(self.target.id)
        return line


def judged(target: Target, verdict: Verdict) -> Record:
    """A record of a verdict before anything is written: what is blocked is drift that stays."""
    return Record(target, DRIFT if verdict.status == BLOCKED else verdict.status, verdict)


def asked(item: Record) -> Action | None:
    """The write that would put the target right, None for what is not ours to write or needs none."""
    return item.verdict.action if item.status == DRIFT and item.verdict else None


def drift_classes(records: Iterable[Record]) -> dict[str, int]:
    """How many targets show each class of drift, before correction; unknown among them."""
    classes: Counter[str] = Counter()
    for record in records:
        classes.update(record.verdict.drift if record.verdict else ())
        classes[UNKNOWN] += record.status == UNKNOWN
    return {name: number for name, number in sorted(classes.items()) if number}


def changes(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Targets written, or to be written in check mode; at most MAX_CHANGES_SHOWN, the evidence has all."""
    shown = [
        {"target": record.target.id, "action": record.verdict.action.kind, "drift": list(record.verdict.drift)}
        for record in records
        if record.status in (CHANGED, DRIFT) and record.verdict and record.verdict.action
    ]
    return shown[:MAX_CHANGES_SHOWN]


def problems(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Failures, unknowns and blocked targets; those of one cause are one entry with their number."""
    return outcome.merged(problem for record in records if (problem := _problem(record)))


def _problem(record: Record) -> dict[str, Any] | None:
    if record.error is not None:
        return record.error.problem(record.target.id)
    verdict = record.verdict
    blocked = [name for name in verdict.drift if name in BLOCKED_STEPS] if verdict else []
    if verdict is None or not blocked or record.status == OK or verdict.reason.startswith("adopts "):
        return None
    return OnboardingError(
        f"write the diagnostic setting of {record.target.id}",
        verdict.reason,
        code=blocked[0],
        next_step=BLOCKED_STEPS[blocked[0]],
    ).problem(record.target.id)


def diffs(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Ansible's diff, before and after by target, of at most MAX_DIFFS_SHOWN targets."""
    shown = []
    for record in records:
        verdict = record.verdict
        if record.status in (CHANGED, DRIFT) and verdict and verdict.action:
            header = f"{record.target.id} ({verdict.action.name})"
            shown.append(
                {
                    "before_header": header,
                    "after_header": header,
                    "before": view(verdict.before),
                    "after": view(verdict.after),
                }
            )
    return shown[:MAX_DIFFS_SHOWN]
