# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the data of one resource type arrives: the judgement. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ..arm.resource_types import QUIET_TYPES

ABSENT, PENDING, FLOWING, IDLE, STALE, ERROR = "absent", "pending", "flowing", "idle", "stale", "error"
STATES = (ABSENT, PENDING, FLOWING, IDLE, STALE, ERROR)
BAD = (ABSENT, STALE, ERROR)

NEXT_STEPS = {
    ABSENT: "run the onboard playbook: no target of this type has a setting that sends its logs",
    PENDING: "wait: Azure takes up to 90 minutes after a setting is made",
    STALE: "see whether the resources still log at all; if so, remove the setting and run onboard again, "
    "which is what Azure advises after 24 hours without data",
}


class Limits(NamedTuple):
    """grace: after a setting is written, and for a record to be fresh; stale: after which silence is a finding."""

    grace: timedelta
    stale: timedelta


class Seen(NamedTuple):
    """What is known of one resource type: targets, those served by a setting, newest record, its arrival, records."""

    resource_type: str
    targets: int
    served: int
    newest: datetime | None = None
    ingested: datetime | None = None
    records: int = 0
    written: datetime | None = None
    error: str = ""
    error_step: str = ""


def judge(seen: Seen, now: datetime, limits: Limits) -> str:
    """One of the states; an error is never absent, and data that is there counts whoever set it up."""
    if seen.newest is None and seen.error:
        return ERROR
    if seen.newest is None:
        if not seen.served:
            return ABSENT
        if seen.written and now - seen.written <= limits.grace:
            return PENDING
        return IDLE if seen.resource_type in QUIET_TYPES else STALE
    age = now - seen.newest
    if age <= limits.grace:
        return FLOWING
    return IDLE if age <= limits.stale or seen.resource_type in QUIET_TYPES else STALE


def flow(seen: Seen, now: datetime, limits: Limits) -> dict[str, Any]:
    """The judgement as data. lag_seconds: between the newest record's own time and its arrival."""
    state = judge(seen, now, limits)
    lag = (seen.ingested - seen.newest).total_seconds() if seen.ingested and seen.newest else None
    step = seen.error_step if state == ERROR else NEXT_STEPS.get(state, "")
    if seen.served < seen.targets and state not in (ABSENT, ERROR):
        step = f"{step} {seen.targets - seen.served} of {seen.targets} targets have no setting: run onboard".strip()
    return {
        "resource_type": seen.resource_type,
        "state": state,
        "targets": seen.targets,
        "served": seen.served,
        "newest": seen.newest.isoformat() if seen.newest else None,
        "age_seconds": int((now - seen.newest).total_seconds()) if seen.newest else None,
        "lag_seconds": round(lag) if lag is not None else None,
        "records": seen.records,
        "error": seen.error,
        "next_step": step,
    }


def result(flows: list[dict[str, Any]], requests: Mapping[str, int]) -> dict[str, Any]:
    """The result of a verification in the shape of every result; a bad flow is a problem."""
    number = {state: sum(one["state"] == state for one in flows) for state in STATES}
    told = problems(flows)
    lines = [f"{len(flows)} flows: " + ", ".join(f"{count} {state}" for state, count in number.items() if count)]
    lines += [f"{one['code']}: {one['target']}: {one['message']}. Next step: {one['next_step']}" for one in told]
    return {
        "changed": False,
        "failed": False,
        "msg": "\n".join(lines),
        "summary": {
            "capability": "azure_event_hub_flow",
            "outcome": "failed" if number[ERROR] else "drift" if told else "ok",
            "counts": {
                "targets": len(flows),
                "ok": number[FLOWING] + number[IDLE] + number[PENDING],
                "changed": 0,
                "drift": number[ABSENT] + number[STALE],
                "failed": number[ERROR],
                "unknown": 0,
                "skipped": 0,
            },
            "drift": {state: number[state] for state in (ABSENT, STALE) if number[state]},
            "states": number,
            "requests": dict(requests),
        },
        "changes": [],
        "problems": told,
        "flows": flows,
        "evidence": "",
    }


def problems(flows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The flows that are findings; those of one cause are one entry that names their types."""
    causes: dict[tuple[str, str, str], list[str]] = {}
    for one in flows:
        if one["state"] in BAD:
            message = one["error"] or f"newest record: {one['newest'] or 'none'}"
            causes.setdefault((one["state"], message, one["next_step"]), []).append(one["resource_type"])
    return [
        {
            "target": ", ".join(types[:5]) + (f" and {len(types) - 5} more" if len(types) > 5 else ""),
            "operation": "find records in the destination",
            "status": None,
            "code": state,
            "message": message,
            "next_step": step,
            "request_id": "",
            "count": len(types),
        }
        for (state, message, step), types in causes.items()
    ]
