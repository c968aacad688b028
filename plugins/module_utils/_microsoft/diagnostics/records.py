# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The query by which a workspace tells what has arrived, and its answer. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from ..._core.freshness import WEEKS, Volume

# (lower-case subscription, lower-case resource type, lower-case id of the resource, '' where it is not asked for)
Key = tuple[str, str, str]
# The columns of the answer after those that it is summarized by.
FIGURES = ("Newest", "Ingested", "Records", "Day", *(f"Day{days}" for days in WEEKS))


class Arrival(NamedTuple):
    """What has arrived of one source.

    newest, ingested: the newest record's own time, and when the newest arrival came, in seconds since the epoch.
    day: records of the last day; before: of the same day of each of the weeks before.
    """

    newest: float
    ingested: float | None
    records: int
    day: int | None = None
    before: tuple[int, ...] = ()

    @property
    def lag(self) -> float | None:
        return None if self.ingested is None else self.ingested - self.newest

    @property
    def volume(self) -> Volume:
        return Volume(self.day, max(self.before, default=0) or None)


def query(tables: Sequence[str], window: timedelta, *, resources: bool, subscriptions: Iterable[str] | None) -> str:
    """KQL: what these tables hold of each resource type, or resource, of each subscription.

    Tables are named: C(union *) fails where one table has the plan Basic or Auxiliary, and a column of its own in any
    custom table breaks C(withsource). Every table has the column C(Type), its own name.

    assumed: C(_ResourceId) of a part (blob service, database) has the part's type as its third piece; AzureActivity
    carries the id of what was acted on, so it stands for the subscription itself.
    Source: learn.microsoft.com «basic-logs-query», «log-standard-columns»; Azure-Sentinel issue 12172.

    Args:
        resources: ask by resource, else by type. subscriptions: None for all that send to the workspace.
    """
    wanted = ", ".join(f"'{one}'" for one in sorted(subscriptions or ()))
    before = [f"Day{days} = countif(TimeGenerated between (ago({days + 1}d) .. ago({days}d)))" for days in WEEKS]
    own = "iff(Type == 'AzureActivity', strcat('/subscriptions/', SubscriptionId), tolower(_ResourceId))"
    steps = [
        f"union {', '.join(tables)}" if len(tables) > 1 else tables[0],
        f"where TimeGenerated > ago({int(window.total_seconds() // 60)}m)",
        f"where _SubscriptionId in~ ({wanted})" if subscriptions is not None else "",
        "extend SubscriptionId = tolower(_SubscriptionId),"
        " Piece = split(tostring(split(tolower(_ResourceId), '/providers/')[-1]), '/')",
        "extend ResourceType = case(Type == 'AzureActivity', 'microsoft.resources/subscriptions',"
        " array_length(Piece) > 3, strcat(Piece[0], '/', Piece[1], '/', Piece[3]),"
        f" strcat(Piece[0], '/', Piece[1])){f', Resource = {own}' if resources else ''}",
        "summarize Newest = max(TimeGenerated), Ingested = max(ingestion_time()), Records = count(),"
        f" Day = countif(TimeGenerated > ago(1d)), {', '.join(before)}"
        f" by SubscriptionId, ResourceType{', Resource' if resources else ''}",
    ]
    return " | ".join(filter(None, steps))


def rows_of(table: Any) -> list[list[Any]]:
    """The rows of an answer to C(query) as plain values, which other tasks of the run can be told."""
    return [
        [
            *(str(row[name]).casefold() for name in ("SubscriptionId", "ResourceType")),
            str(row["Resource"]).casefold() if "Resource" in table.columns else "",
            row["Newest"].timestamp(),
            row["Ingested"].timestamp() if row["Ingested"] else None,
            *(int(row[name]) for name in FIGURES[2:]),
        ]
        for row in table.rows
    ]


def arrivals_of(rows: Iterable[Sequence[Any]], subscriptions: Collection[str]) -> dict[Key, Arrival]:
    """What has arrived of these subscriptions (lower-case): those of others are none of this tenant's."""
    found: dict[Key, Arrival] = {}
    for subscription, kind, resource, newest, ingested, records, day, *before in rows:
        if subscription in subscriptions:
            key = (subscription, kind, resource)
            add(found, key, Arrival(newest, ingested, records, day, tuple(before)))
    return found


def add(found: dict[Key, Arrival], key: Key, arrival: Arrival) -> None:
    """What arrives in several tables is one flow."""
    found[key] = together([found[key], arrival]) if key in found else arrival


def together(arrivals: Sequence[Arrival]) -> Arrival:
    """What several sources are as one."""
    days = [one.day for one in arrivals if one.day is not None]
    return Arrival(
        max(one.newest for one in arrivals),
        max((one.ingested for one in arrivals if one.ingested is not None), default=None),
        sum(one.records for one in arrivals),
        sum(days) if days else None,
        tuple(map(sum, zip(*(one.before for one in arrivals), strict=True))),
    )


def by_type(found: Mapping[Key, Arrival]) -> dict[tuple[str, str], Arrival]:
    """(subscription, resource type) -> what has arrived of all its resources."""
    grouped: dict[tuple[str, str], list[Arrival]] = {}
    for (subscription, kind, _resource), arrival in found.items():
        grouped.setdefault((subscription, kind), []).append(arrival)
    return {key: together(arrivals) for key, arrivals in grouped.items()}
