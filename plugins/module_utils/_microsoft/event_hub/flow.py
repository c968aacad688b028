# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the data of one resource type arrives: the judgement. Pure."""

from __future__ import annotations

from collections.abc import Iterable
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


def query(subscriptions: Iterable[str], window: timedelta) -> str:
    """KQL: the newest record per subscription and resource type of these subscriptions.

    assumed: C(_ResourceId) of a part (blob service, database) has the part's type as its third piece; AzureActivity
    carries the id of what was acted on, so it stands for the subscription itself.
    """
    ids = ", ".join(f"'{subscription}'" for subscription in sorted(subscriptions))
    return (
        "union withsource=SourceTable *"
        f" | where TimeGenerated > ago({int(window.total_seconds() // 60)}m)"
        f" | where _SubscriptionId in~ ({ids})"
        " | extend Piece = split(tostring(split(tolower(_ResourceId), '/providers/')[-1]), '/')"
        " | extend ResourceType = case("
        "SourceTable == 'AzureActivity', 'microsoft.resources/subscriptions',"
        " array_length(Piece) > 3, strcat(Piece[0], '/', Piece[1], '/', Piece[3]),"
        " strcat(Piece[0], '/', Piece[1]))"
        " | summarize Newest = max(TimeGenerated), Ingested = max(ingestion_time()), Records = count()"
        " by SubscriptionId = tolower(_SubscriptionId), ResourceType"
    )
