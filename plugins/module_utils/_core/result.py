# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task's result: the one shape of every module, small and stable; the evidence has every target. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import policy
from .options import RunOptions
from .status import CORRECTED, DRIFTED, FAILED, IN_SYNC, SEVERITY, STATUSES, UNKNOWN, WAITING
from .verdict import NOT_TRIED, Record, view

MAX_PROBLEMS_SHOWN = 20
MAX_CHANGES_SHOWN = 50
SIDE_SHOWN = 120


def counts(statuses: Iterable[str]) -> dict[str, int]:
    """{targets, and how many ended in each of STATUSES}."""
    by_status = Counter(statuses)
    return {"targets": sum(by_status.values()), **{status: by_status[status] for status in STATUSES}}


def outcome(number: Mapping[str, int]) -> str:
    """The worst status that is counted, IN_SYNC where nothing is."""
    return max((status for status in STATUSES if number[status]), key=SEVERITY.__getitem__, default=IN_SYNC)


def framed(
    capability: str,
    number: Mapping[str, int],
    text: str,
    *,
    changed: bool = False,
    failed: bool = False,
    drift: Mapping[str, int] | None = None,
    changes: Sequence[Mapping[str, Any]] = (),
    problems: Sequence[Mapping[str, Any]] = (),
    summary: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A result: the one shape that each has.

    Args:
        number: of counts(), from which the outcome follows.
        summary: further fields of the summary; outputs: further fields of the result.
    """
    return {
        "changed": changed,
        "failed": failed,
        "msg": text,
        "summary": {
            "capability": capability,
            "outcome": outcome(number),
            "counts": dict(number),
            "drift": dict(drift or {}),
            **(summary or {}),
        },
        **(outputs or {}),
        "changes": list(changes[:MAX_CHANGES_SHOWN]),
        "problems": list(problems),
        "evidence": "",
    }


def failed(number: Mapping[str, int], fail_on: str) -> bool:
    """Whether the task fails by these counts."""
    bad = number[FAILED] + number[UNKNOWN]
    return bool((fail_on != "never" and bad) or (fail_on == "drift" and number[DRIFTED] + number[WAITING]))


def merged(problems: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Problems of one cause are one entry with their number, the most frequent first, what was not tried last.

    A warning is of what is as wanted: it stands behind all of them, and takes no problem's place.
    """
    causes: dict[tuple[Any, ...], dict[str, Any]] = {}
    for problem in problems:
        operation, warning = problem["operation"].partition(" of ")[0], problem.get("warning", False)
        cause = (problem["code"], problem["status"], problem["next_step"], operation, warning)
        if cause in causes:
            causes[cause]["count"] += problem.get("count", 1)
        else:
            causes[cause] = {"count": 1, **problem}

    # What was not tried is only the echo of another failure.
    def last(problem: Mapping[str, Any]) -> tuple[bool, bool, int]:
        return problem.get("warning", False), problem["code"] == NOT_TRIED, -problem["count"]

    return sorted(causes.values(), key=last)[:MAX_PROBLEMS_SHOWN]


def spelled(number: Mapping[str, int]) -> str:
    """As in «3 in sync, 1 drifted»."""
    return ", ".join(f"{number[status]} {status.replace('_', ' ')}" for status in STATUSES if number[status])


def most_frequent(problems: Sequence[Mapping[str, Any]]) -> str:
    """The first problem as a sentence, '' without any."""
    if not problems:
        return ""
    first = problems[0]
    http = f"HTTP {first['status']}, " if first["status"] else ""
    return (
        f" Most often ({first['count']}): could not {first['operation']}: {http}{first['code']}: {first['message']}"
        f" Next step: {first['next_step']}."
    )


def drift_classes(records: Iterable[Record]) -> dict[str, int]:
    """How many targets show each class of drift, before correction; unknown among them."""
    classes: Counter[str] = Counter()
    for record in records:
        classes.update(record.verdict.drift)
        classes[UNKNOWN] += record.status == UNKNOWN
    return {name: number for name, number in sorted(classes.items()) if number}


def converged(
    capability: str,
    records: Sequence[Record],
    options: RunOptions,
    *,
    lead: str = "",
    summary: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The result of a run over targets.

    Args:
        records: in an order that is the same in every run, since lists are cut.
        lead: the first words of the message, as «12 targets in 3 subscriptions».
        summary: further fields of the summary; outputs: further fields of the result.
    """
    number = counts(record.status for record in records)
    problems = merged(problem for record in records if (problem := record.problem()))
    changes = [record for record in records if record.shown(options.correct)]
    classes = drift_classes(records)
    due = [record.verdict.level or record.verdict.action for record in records if record.due(policy.ALL)]
    written = any(record.status == CORRECTED or record.written for record in records)
    found = framed(
        capability,
        number,
        message(lead or f"{number['targets']} targets", number, classes, records) + most_frequent(problems),
        changed=any(record.due(options.correct) for record in changes) if options.check else written,
        failed=failed(number, options.fail_on),
        drift=classes,
        changes=[_change(record) for record in changes[:MAX_CHANGES_SHOWN]],
        problems=problems,
        summary={"correctable": policy.correctable(due), **(summary or {})},
        outputs=outputs,
    )
    return found | ({"diff": diffs(changes)} if options.diff else {})


def _change(record: Record) -> dict[str, Any]:
    before, after = sides(record)
    told = {"target": record.target, "action": record.verdict.action, "drift": list(record.verdict.drift)}
    return {**told, "before": before, "after": after}


def diffs(changes: Sequence[Record]) -> list[dict[str, Any]]:
    """Ansible's diffs, bounded; how many more there are is told in one of their own."""
    shown = [record.diff() for record in changes[:MAX_CHANGES_SHOWN]]
    if more := len(changes) - len(shown):
        header = f"and {more} more, in the evidence"
        shown.append({"before_header": header, "after_header": header, "before": "", "after": f"{header}\n"})
    return shown


def sides(record: Record) -> tuple[str, str]:
    """What differs between before and after, in short; "" for a side that is not there."""
    before, after = view(record.verdict.before), view(record.verdict.after)
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    found = [", ".join(f"{key} {_spelled(side[key])}" for key in keys if key in side) for side in (before, after)]
    short = [text if len(text) <= SIDE_SHOWN else f"{text[: SIDE_SHOWN - 1]}…" for text in found]
    return short[0], short[1]


def _spelled(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def message(lead: str, number: Mapping[str, int], classes: Mapping[str, int], records: Sequence[Record]) -> str:
    """One paragraph that a person can act on."""
    text = f"{lead}: {spelled(number) or 'nothing wanted'}."
    if classes:
        text += " Drift: " + ", ".join(f"{count} {name}" for name, count in classes.items()) + "."
    reasons = [record.verdict.reason for record in records if record.verdict.reason and record.status == IN_SYNC]
    return text + "".join(f" {reason[0].upper()}{reason[1:]}." for reason in dict.fromkeys(reasons[:3]))


def refused(capability: str, text: str, problems: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The result of a run that ended before it could say anything of its targets."""
    told = [{"count": 1, **problem} for problem in problems]
    return framed(capability, counts(()), text, failed=True, problems=told, summary={"outcome": FAILED})
