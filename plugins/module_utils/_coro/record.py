# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run saw and did: one record a connector, one a customer of a channel, and the result made of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .._core import outcome
from .._core.errors import OnboardingError
from .._core.status import BLOCKED, CORRECTED, DRIFTED, IN_SYNC, UNKNOWN
from .connectors import HIDDEN, Connector
from .formats import SECRETS
from .plan import DELETE, Action, Verdict

MAX_SHOWN = 50

BLOCKED_STEPS = {
    "missing": "correct connector_id, or take it out so that a connector is made",
    "disconnected": "see to the receiver, then set reconnect, or sync the connector in Coro's console",
    "format": "remove the connector by state absent, then onboard again",
    "conflict": "remove the other connector, or set same_destination: allow where both are meant",
    "duplicate": "give connector_id, or remove one of them in Coro's console",
    "inherited": "change it in the channel workspace that it is inherited from",
    "not_all_customers": "set apply_to_all_customers in a channel workspace only",
    "unexpected": "see to the connectors that are named first, then run again",
    "not_inherited": "save the channel's connector anew, by one run with update_secret always or in the console",
    "left_behind": "remove it in Coro's console, or ask Coro's support why it is still there",
}


class Record(NamedTuple):
    """The end of one target. name: of the connector, '' for a customer as a whole; connector: as known at the end."""

    workspace: str
    name: str
    status: str
    verdict: Verdict | None = None
    error: OnboardingError | None = None
    connector: Connector | None = None

    @property
    def target(self) -> str:
        return f"{self.workspace}/{self.name}" if self.name else self.workspace

    @property
    def asked(self) -> Action | None:
        """The write that would put the target right, None for what is not ours to write or needs none."""
        return self.verdict.action if self.status == DRIFTED and self.verdict else None

    def line(self) -> dict[str, Any]:
        """The record as one line of evidence."""
        line: dict[str, Any] = {"target": self.target, "workspace": self.workspace, "status": self.status}
        verdict = self.verdict
        if verdict is not None:
            line |= {"drift": list(verdict.drift)} if verdict.drift else {}
            line |= {"reason": verdict.reason} if verdict.reason else {}
            if verdict.action:
                line |= {"action": verdict.action.kind, **_sides(verdict)}
        if self.connector is not None:
            line |= {"connector_id": self.connector.id, "connected": self.connector.status}
        if self.error is not None:
            line["problem"] = self.error.problem(self.target)
        return line


def judged(workspace: str, name: str, verdict: Verdict) -> Record:
    """A record of a verdict before anything is written: what is blocked is drift that stays."""
    status = DRIFTED if verdict.status == BLOCKED else verdict.status
    return Record(workspace, name, status, verdict, connector=verdict.before)


def drift_classes(records: Iterable[Record]) -> dict[str, int]:
    """How many targets show each class of drift, before correction; unknown among them."""
    classes: Counter[str] = Counter()
    for record in records:
        classes.update(record.verdict.drift if record.verdict else ())
        classes[UNKNOWN] += record.status == UNKNOWN
    return {name: number for name, number in sorted(classes.items()) if number}


def changes(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Connectors written, or to be written in check mode; at most MAX_SHOWN, the evidence has all."""
    shown = [
        {"target": record.target, "action": record.verdict.action.kind, "drift": list(record.verdict.drift)}
        for record in records
        if record.status in (CORRECTED, DRIFTED) and record.verdict and record.verdict.action
    ]
    return shown[:MAX_SHOWN]


def shown(records: Iterable[Record]) -> list[dict[str, Any]]:
    """The connectors that are there at the end; at most MAX_SHOWN."""
    found = [
        {
            "workspace": record.workspace,
            "name": record.connector.name,
            "id": record.connector.id,
            "format": record.connector.format,
            "status": record.connector.status or "unknown",
            "inherited": record.connector.inherited,
        }
        for record in records
        if record.connector is not None and record.name
    ]
    return found[:MAX_SHOWN]


def problems(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Failures, unknowns and blocked targets; those of one cause are one entry with their number."""
    return outcome.merged(problem for record in records if (problem := _problem(record)))


def _problem(record: Record) -> dict[str, Any] | None:
    if record.error is not None:
        return record.error.problem(record.target)
    verdict = record.verdict
    if verdict is None or verdict.status != BLOCKED or record.status == IN_SYNC:
        return None
    blocked = verdict.drift[0]
    return OnboardingError(
        f"have the connector as wanted of {record.target}",
        verdict.reason,
        code=blocked,
        next_step=BLOCKED_STEPS[blocked],
    ).problem(record.target)


def diffs(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Ansible's diff, before and after by target, of at most MAX_SHOWN targets."""
    found = []
    for record in records:
        verdict = record.verdict
        if record.status in (CORRECTED, DRIFTED) and verdict and verdict.action:
            header = f"{record.target} ({verdict.action.kind})"
            found.append({"before_header": header, "after_header": header, **_sides(verdict)})
    return found[:MAX_SHOWN]


def _sides(verdict: Verdict) -> dict[str, Any]:
    """before and after as they may be shown; a secret that is sent again shows as such."""
    before = verdict.before.view() if verdict.before else {}
    after = verdict.after.view() if verdict.after else {}
    if verdict.action and verdict.action.kind != DELETE and verdict.action.secrets and before:
        after |= {name: f"{HIDDEN} (sent anew)" for name, value in after.items() if name in SECRETS and value == HIDDEN}
    return {"before": before, "after": after}


def message(number: Mapping[str, int], drift: Mapping[str, int], customers: int, told: list[dict[str, Any]]) -> str:
    """One paragraph that a person can act on."""
    below = f" and {customers} customers below" if customers else ""
    text = f"{number['targets'] - customers} connectors{below}: {outcome.spelled(number) or 'nothing wanted'}."
    if drift:
        text += " Drift: " + ", ".join(f"{count} {name}" for name, count in drift.items()) + "."
    return text + outcome.worst(told)
