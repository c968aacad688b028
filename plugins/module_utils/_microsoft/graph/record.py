# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of one thing in the directory: what each is and was made, and the result of a run over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..._core import outcome
from ..._core import policy as drift
from ..._core.errors import OnboardingError
from ..._core.evidence import EvidenceFile
from ..._core.redaction import Redactor
from ..._core.status import BLOCKED, DRIFTED, IN_SYNC, UNKNOWN, WAITING

CREATE, UPDATE, DELETE = "create", "update", "delete"
# What is blocked for want of a person outside of this run, such as the customer's administrator, by class of drift.
OF_OTHERS = frozenset({"missing", "not_provisioned", "unexpected"})


class Part(NamedTuple):
    """One part as planned or as it ended. status: of _core.status; action: the write that puts it right, '' for none.

    next_step: of what nothing here can put right; before and after: as a person reads them; written: the write was
    done, however the part ended.
    """

    name: str
    status: str = IN_SYNC
    drift: tuple[str, ...] = ()
    action: str = ""
    reason: str = ""
    next_step: str = ""
    before: Any = None
    after: Any = None
    error: OnboardingError | None = None
    written: bool = False

    @property
    def pending(self) -> bool:
        """Whether a write is still to be done."""
        return self.status == DRIFTED and bool(self.action)

    @property
    def counted(self) -> str:
        """The status as it is counted: what is blocked is drifted, or waits for somebody outside of this run."""
        if self.status != BLOCKED:
            return self.status
        return WAITING if self.drift[0] in OF_OTHERS else DRIFTED

    def line(self) -> dict[str, Any]:
        """The part as one line of evidence."""
        action = {"action": self.action, "before": self.before, "after": self.after} if self.action else None
        return outcome.line(
            self.name, self.counted, drift=self.drift, reason=self.reason, action=action, error=self.error
        )


def result(capability: str, parts: Sequence[Part], *, check: bool, diff: bool, subject: str) -> dict[str, Any]:
    """The result of a run in the shape of every result; C(subject) begins its sentence."""
    number = outcome.counts(part.counted for part in parts)
    pending = [part.action for part in parts if part.pending]
    adding = len(pending) if set(pending) <= {CREATE} else 0
    classes = Counter(name for part in parts for name in part.drift)
    classes += Counter({UNKNOWN: number[UNKNOWN]})
    told = _problems(parts)
    text = f"{subject}: {outcome.spelled(number) or 'nothing wanted'}."
    if classes:
        text += " Drift: " + ", ".join(f"{count} {name}" for name, count in sorted(classes.items())) + "."
    found: dict[str, Any] = {
        "changed": any(part.written or (check and part.pending) for part in parts),
        "failed": outcome.failed(number, "error"),
        "msg": text + outcome.worst(told),
        "summary": {
            "capability": capability,
            "outcome": outcome.outcome(number),
            "counts": number,
            "drift": dict(sorted(classes.items())),
            # Parts of one thing: on level safe all is written, or nothing where more than adding is due.
            "correctable": {drift.SAFE: adding, drift.ALL: len(pending)},
        },
        "changes": [
            {"target": part.name, "action": part.action, "drift": list(part.drift)}
            for part in parts
            if part.written or part.pending
        ],
        "problems": told,
    }
    return found | ({"diff": _diffs(parts)} if diff else {})


def keep(found: dict[str, Any], path: str | Path | None, parts: Iterable[Part], redact: Redactor) -> None:
    """Write one line of evidence per part, and have the result say where, or why not."""
    found["evidence"] = ""
    if not path:
        return
    with EvidenceFile(path, redact=redact) as evidence:
        for part in parts:
            evidence.write(part.line())
    found["evidence"] = "" if evidence.error else str(path)
    found["problems"] += evidence.problems


def _problems(parts: Iterable[Part]) -> list[dict[str, Any]]:
    """Failures, unknowns, what is blocked, and what is right but has a next step all the same."""
    return outcome.merged(
        (part.error or _told(part)).problem(part.name) for part in parts if part.error or part.next_step
    )


def _told(part: Part) -> OnboardingError:
    """What nobody here can put right or, of a part that is wanted as it is, the warning that was drift's last word."""
    if part.status == BLOCKED:
        operation, code = f"have what is wanted of {part.name}", part.drift[0]
    else:
        operation, code = f"rely on the whole of {part.name}", part.drift[-1]
    return OnboardingError(operation, part.reason, code=code, next_step=part.next_step)


def _diffs(parts: Iterable[Part]) -> list[dict[str, Any]]:
    """Ansible's diff, before and after by part."""
    return [
        {
            "before_header": f"{part.name} ({part.action})",
            "after_header": f"{part.name} ({part.action})",
            "before": {} if part.before is None else {part.name: part.before},
            "after": {} if part.after is None else {part.name: part.after},
        }
        for part in parts
        if part.written or part.pending
    ]
