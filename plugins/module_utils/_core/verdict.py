# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan says of one target, and what became of it: one type each, for every vendor. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from . import policy
from .errors import OnboardingError, RefusedError
from .status import BLOCKED, CORRECTED, DRIFTED, FAILED, IN_SYNC, UNKNOWN

NOT_TRIED = "NotTried"  # code of a write that is left out because another one failed


class Verdict(NamedTuple):
    """What one target is and needs; made by a plan.

    target: its name in evidence, changes and problems; unique within a run.
    status: IN_SYNC, DRIFTED, BLOCKED (drifted, and not ours to write), SKIPPED, WAITING or UNKNOWN.
    drift: the classes of difference; the first one is the code of the problem, where there is one.
    action: the write that would put it right (create, update, delete, or a vendor's own word), '' for none.
    level: the kind of write that a policy of correction takes the action for, where the action does not say it;
        ON_REQUEST for what the user asked for by an option of its own, which no level forbids.
    next_step: what a person has to do: for BLOCKED and WAITING, and where the write puts right only a part, or what is
        in sync has a warning.
    before, after: the two sides, for the diff and evidence: mappings, or values that have a C(view()).
    subject: the vendor's own object, which apply needs.
    facts: further fields of the evidence line (subscription, type, ...).
    """

    target: str
    status: str
    drift: tuple[str, ...] = ()
    reason: str = ""
    action: str = ""
    level: str = ""
    before: Any = None
    after: Any = None
    next_step: str = ""
    error: OnboardingError | None = None
    subject: Any = None
    facts: Mapping[str, Any] = {}

    def due(self, level: str) -> bool:
        """Whether its write is to be done on this level of C(correct)."""
        return self.status == DRIFTED and bool(self.action) and policy.allowed(level, self.level or self.action)


class Record(NamedTuple):
    """What became of one target.

    status: of status.STATUSES. error: for FAILED and UNKNOWN. written: something was, however it ended.
    found: the vendor's object as it stands at the end, for outputs. requests: the vendor's ids of the writes.
    """

    verdict: Verdict
    status: str
    error: OnboardingError | None = None
    written: bool = False
    found: Any = None
    requests: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        return self.verdict.target

    def due(self, level: str) -> bool:
        """Whether a write is still to be done on this level of C(correct)."""
        return self.status == DRIFTED and self.verdict.due(level)

    def shown(self, level: str) -> bool:
        """Whether it belongs among the changes: written, or to be written."""
        return self.status == CORRECTED or self.written or self.due(level)

    def line(self) -> dict[str, Any]:
        """One line of evidence, without what is empty."""
        verdict = self.verdict
        line: dict[str, Any] = {"target": verdict.target, **verdict.facts, "status": self.status}
        line |= {"drift": list(verdict.drift)} if verdict.drift else {}
        line |= {"reason": verdict.reason} if verdict.reason else {}
        if verdict.action:
            line |= {"action": verdict.action, "before": view(verdict.before), "after": view(verdict.after)}
        line |= {"requests": list(self.requests)} if self.requests else {}
        return line | ({"problem": self.error.problem(verdict.target)} if self.error else {})

    def problem(self) -> dict[str, Any] | None:
        """The error, or what a person has to do, in the shape of a result's C(problems); None where all is well.

        What is in sync has a warning at most, which is marked: the tenant is as wanted all the same.
        """
        verdict = self.verdict
        if self.error is not None:
            return self.error.problem(verdict.target)
        if verdict.status != BLOCKED and not verdict.next_step:
            return None
        warning = {"warning": True} if self.status == IN_SYNC else {}
        return in_the_way(verdict).problem(verdict.target) | warning

    def diff(self) -> dict[str, Any]:
        """Ansible's diff of one target."""
        header = f"{self.verdict.target} ({self.verdict.action})"
        sides = {"before": view(self.verdict.before), "after": view(self.verdict.after)}
        return {"before_header": header, "after_header": header, **sides}


def undone(record: Record) -> Record:
    """The record as a failure where what is wanted could not be made: what is in the way is not ours to write."""
    if record.verdict.status != BLOCKED or record.status != DRIFTED:
        return record
    return record._replace(status=FAILED, error=in_the_way(record.verdict))


def in_the_way(verdict: Verdict) -> OnboardingError:
    """Why a target is not as wanted, and what a person has to do."""
    operation = f"have what is wanted of {verdict.target}"
    code = verdict.drift[0] if verdict.drift else BLOCKED
    return OnboardingError(operation, verdict.reason, code=code, next_step=verdict.next_step)


def judged(verdict: Verdict) -> Record:
    """The record of a verdict before anything is written: what is blocked is drift that stays."""
    return Record(verdict, DRIFTED if verdict.status == BLOCKED else verdict.status, verdict.error)


def unknown(target: str, error: OnboardingError, **facts: Any) -> Verdict:
    """The verdict on a target that could not be read: never the same as absent."""
    return Verdict(target, UNKNOWN, error=error, facts=facts)


def not_tried(verdict: Verdict, why: str) -> RefusedError:
    """The error of a write that is left out because another one failed."""
    operation = f"{verdict.action} {verdict.target}"
    step = "see to the first failure, then run again"
    return RefusedError(operation, f"not tried: {why}", code=NOT_TRIED, next_step=step)


def view(side: Any) -> dict[str, Any]:
    """A side of a verdict as data that may be shown."""
    if side is None:
        return {}
    return dict(side if isinstance(side, Mapping) else side.view())
