# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which records have arrived in a workspace. All of it is assumed: a simple model for `verify` to look at.

A target with a setting that sends logs to the workspace has records from FIRST seconds after the setting began to send,
one a minute, of which the newest is some minutes old. They cease with the setting, or by the edit `stop_flow`. Types
that log only in rare events (catalog.Kind.quiet) never have any.
"""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass

from lab.azure import catalog
from lab.azure.state import Azure

FIRST = 600.0  # seconds from a setting's start to the first record
EVERY = 60.0  # seconds between records of one target
INGESTION = 45.0  # seconds from a record's time to its ingestion


@dataclass(slots=True)
class Flow:
    """Records of one target, one every so many seconds from the first to the newest; times in world seconds.

    thinned: since when fewer come, one in every `part`.
    """

    subscription: str
    type: str
    resource: str
    first: float
    newest: float
    thinned: float = math.inf
    part: int = 1

    @property
    def records(self) -> int:
        return self.between(-math.inf, math.inf)

    def between(self, start: float, end: float) -> int:
        """Records later than start and not later than end."""
        full = _number(max(self.first, start), min(self.newest, self.thinned, end))
        return full + _number(max(self.first, self.thinned, start), min(self.newest, end)) // self.part


def _number(first: float, last: float) -> int:
    return 1 + int((last - first) / EVERY) if last >= first else 0


def type_of(target: str) -> str:
    """Lower-cased resource type of a target's id, which may be gone."""
    low = target.lower()
    if low.count("/") == 2:
        return catalog.SUBSCRIPTION
    namespace, *rest = low.split("/providers/")[-1].split("/")
    return "/".join([namespace, *rest[0::2]])


def flows(
    azure: Azure, workspace: str, subscriptions: set[str] | None, start: float, end: float, tables: set[str]
) -> list[Flow]:
    """What of each target has records between two times. subscriptions: None for all."""
    found = []
    for target, since, until in _sending(azure, workspace.lower()):
        subscription, type_ = target.split("/", 3)[2], type_of(target)
        if azure.table_of(workspace, type_) not in tables:
            continue
        if (subscriptions is not None and subscription not in subscriptions) or catalog.find(type_).quiet:
            continue
        places = [(workspace.lower(), subscription, which) for which in (type_, target)]
        stopped = min(azure.stopped.get(place, end) for place in places)
        newest = min(until, end, stopped) - lag(subscription, type_)
        first = max(since + FIRST, start)
        if newest >= first:
            thinned = azure.thinned.get(places[0], (math.inf, 1))
            found.append(Flow(subscription, type_, target, first, newest, *thinned))
    return found


def lag(subscription: str, type_: str) -> float:
    """Age in seconds of the newest record of a running flow: 30 to 270, the same every time."""
    return 30.0 + zlib.crc32(f"{subscription}|{type_}".encode()) % 241


def _sending(azure: Azure, workspace: str) -> list[tuple[str, float, float]]:
    """(lower target, since, until) of every setting that sends or sent logs to the workspace."""
    now = azure.now()
    found = [(target, since, until) for (target, held), (since, until) in azure.ended.items() if held == workspace]
    for target, settings in azure.settings.items():
        found += [(target, item.since, now) for item in settings.values() if item.sends_to() == workspace]
    return found


def messages(azure: Azure, namespace: str, start: float, end: float, hub: str = "") -> int:
    """Messages that settings sent to an Event Hub namespace between two times, or to one hub that they name."""
    prefix, total = namespace.lower() + "/authorizationrules/", 0
    for settings in (*azure.settings.values(), *azure.entra_settings.values()):
        for item in settings.values():
            if not (item.event_hub_rule or "").lower().startswith(prefix):
                continue
            if not hub or (item.event_hub or "").lower() == hub.lower():
                total += max(0, int((end - max(start, item.since + FIRST)) / EVERY))
    hubs = [held for id_, held in azure.sent.items() if _within(id_, namespace.lower(), hub.lower())]
    return total + sum(start <= when < end for held in hubs for when, _body in held)


def _within(id_: str, namespace: str, hub: str) -> bool:
    return id_ == f"{namespace}/eventhubs/{hub}" if hub else id_.startswith(f"{namespace}/eventhubs/")


_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def seconds(duration: str) -> float:
    """Seconds of an ISO 8601 duration. Raises ValueError."""
    match = _DURATION.fullmatch(duration)
    if match is None or duration in ("P", "PT"):
        raise ValueError(f"'{duration}' is no duration")
    return sum(float(value or 0) * unit for value, unit in zip(match.groups(), (86400, 3600, 60, 1), strict=True))
