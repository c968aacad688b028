# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether messages arrive in one Event Hub, by its own metric."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from ..._core.bodies import amount
from ..._core.client import ODD_SHAPE, malformed
from ..._core.errors import OnboardingError
from ..._core.freshness import ABSENT, STALE, UNREADABLE, WAITING_FOR_DATA, Flow, judge
from ..arm.client import Arm, Call
from .api import SETTLED, EventHubs
from .options import Setup
from .plan import NAMESPACE, Hub

METRICS_API = "2024-02-01"
METRIC = "IncomingMessages"
NEXT_STEPS = {
    ABSENT: "run the onboard playbook: the hub is not there",
    WAITING_FOR_DATA: "wait: data comes within 90 minutes of a new diagnostic setting",
    STALE: "see whether a diagnostic setting still sends to the hub: run the drift playbook, and look at what "
    "other settings name its rule",
}


async def flow(hubs: EventHubs, setup: Setup) -> Flow:
    """The flow of the hub; what cannot be read is its error."""
    source = f"event hub {hubs.wanted.namespace}/{hubs.wanted.hub}"
    now = time.time()
    try:
        namespace = await hubs.namespace()
        if namespace is not None and namespace.state.casefold() != SETTLED:
            return _told(source, WAITING_FOR_DATA, None, None)
        there = (await hubs.hubs()).get(hubs.wanted.hub.casefold()) if namespace else None
        if there is None:
            return _told(source, ABSENT, None, None)
        newest, total = await _arrived(hubs.arm, hubs, now, setup.watch.window)
        made = _made(there)
    except OnboardingError as error:
        return Flow(source, UNREADABLE, error=error)
    state = judge(configured=True, newest=newest, changed=made, now=now, limits=setup.watch.limits)
    return _told(source, state, newest, total)


def _told(source: str, state: str, newest: float | None, records: int | None) -> Flow:
    return Flow(source, state, newest, records, next_step=NEXT_STEPS.get(state, ""))


def _made(hub: Hub) -> float | None:
    """When the hub was made, None where Azure does not say. Raises OnboardingError."""
    said = hub.raw["properties"].get("createdAt")
    try:
        return datetime.fromisoformat(said).timestamp() if said else None
    except ODD_SHAPE as error:
        raise malformed(f"read when the hub {hub.name} was made", error) from error


async def _arrived(arm: Arm, hubs: EventHubs, now: float, window: timedelta) -> tuple[float | None, int]:
    """(the last five minutes in which the hub took messages, how many it took in the window)."""
    end = datetime.fromtimestamp(now, UTC)
    start = end - window
    operation = f"read the metric {METRIC} of {hubs.ids[NAMESPACE]}"
    span = f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}"
    chosen = quote(f"EntityName eq '{hubs.wanted.hub}'")
    query = f"metricnames={METRIC}&timespan={quote(span)}&interval=PT5M&aggregation=Total&$filter={chosen}"
    path = f"{quote(hubs.ids[NAMESPACE])}/providers/Microsoft.Insights/metrics?{query}"
    answer = await arm.call(Call("GET", path, METRICS_API, operation, hubs.subscription))
    try:
        points = [
            (datetime.fromisoformat(point["timeStamp"]).timestamp(), amount(point["total"]))
            for metric in answer["value"]
            for series in metric["timeseries"]
            for point in series["data"]
            if point.get("total")
        ]
    except ODD_SHAPE as error:
        raise malformed(operation, error) from error
    return max((when for when, _total in points), default=None), int(sum(total for _when, total in points))
