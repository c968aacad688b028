# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run saw and did: one record a target, and the result made of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..._core import outcome
from ..._core.errors import OnboardingError
from ..._core.outcome import BLOCKED, CHANGED, DRIFT, OK, SKIPPED, UNKNOWN
from ..arm.resources import Target
from ..settings.plan import Action, Verdict
from ..settings.setting import view

MAX_CHANGES_SHOWN = 50
MAX_SUBSCRIPTIONS_SHOWN = 100
MAX_DIFFS_SHOWN = 50

BLOCKED_STEPS = {
    "conflict": "let the owner of that setting remove it, or set on_conflict: adopt",
    "limit": "remove a setting that is no longer needed from this resource",
    "no_destination": "add the region to regional_destinations",
}


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


def by_subscription(records: Iterable[Record], names: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Counts per subscription («name (id)»), those with something to say first, at most MAX_SUBSCRIPTIONS_SHOWN."""
    table: dict[str, Counter[str]] = {}
    for record in records:
        table.setdefault(record.target.subscription, Counter())[record.status] += 1
    loudest = sorted(table.items(), key=lambda item: (sum(item[1].values()) == item[1][OK] + item[1][SKIPPED], item[0]))
    return {
        f"{names.get(subscription, '')} ({subscription})": dict(number)
        for subscription, number in loudest[:MAX_SUBSCRIPTIONS_SHOWN]
    }


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


def message(number: Mapping[str, int], drift: Mapping[str, int], subscriptions: int, told: list[dict[str, Any]]) -> str:
    """One paragraph that a person can act on."""
    ended = outcome.spelled(number) or "nothing wanted"
    text = f"{number['targets']} targets in {subscriptions} subscriptions: {ended}."
    if drift:
        text += " Drift: " + ", ".join(f"{count} {name}" for name, count in drift.items()) + "."
    return text + outcome.worst(told)
