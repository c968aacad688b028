# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether messages arrive in one Event Hub, by its own metric."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

from ..._core.bodies import amount
from ..._core.client import ODD_SHAPE
from ..._core.errors import OnboardingError, malformed
from ..._core.freshness import (
    ABSENT,
    DAY,
    STALE,
    UNREADABLE,
    WAITING_FOR_DATA,
    Flow,
    Limits,
    daily,
    judge,
    weighed,
)
from ..arm.client import Arm, Call
from .api import SETTLED, EventHubs
from .options import Setup
from .plan import NAMESPACE
from .preflight import entra_of

METRICS_API = "2024-02-01"
METRIC = "IncomingMessages"
UNSETTLED_STEP = "see the namespace in the Azure portal; where Azure gave up making it, remove it and run onboard again"
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
            return unsettled(source, namespace.state, _made(namespace.raw), now, setup.watch.limits)
        there = (await hubs.hubs()).get(hubs.wanted.hub.casefold()) if namespace else None
        if there is None:
            return _told(source, ABSENT, None, None)
        window = setup.watch.window.total_seconds()
        points = await _points(hubs.arm, hubs, now, FINE)
        hours = await _points(hubs.arm, hubs, now, Span("PT1H", window))
        made = _made(there.raw)
    except OnboardingError as error:
        return Flow(source, UNREADABLE, error=error)
    newest = max((when for when, _total in (*points, *hours)), default=None)
    state = judge(configured=True, newest=newest, changed=made, now=now, limits=setup.watch.limits)
    found = _told(source, state, newest, sum(total for _when, total in hours))
    return weighed(found, daily(hours, now, now - window))


def unsettled(source: str, state: str, made: float | None, now: float, limits: Limits) -> Flow:
    """A namespace that Azure has not made yet, or never will: it is waited for as long as for data. Pure."""
    if made is not None and now - made <= limits.grace:
        return _told(source, WAITING_FOR_DATA, None, None)
    text = f"the namespace is {state or 'of no state'}, and takes no messages"
    return Flow(source, STALE, None, None, code="unsettled", message=text, next_step=UNSETTLED_STEP)


async def unread(hubs: EventHubs, setup: Setup) -> list[Flow]:
    """A flow for Entra's categories where they cannot be listed: nobody can say then which of them have gone."""
    try:
        await entra_of(hubs, setup.identity).offer(())
    except OnboardingError as error:
        return [Flow(f"Entra categories of tenant {setup.identity.tenant_id}", UNREADABLE, error=error)]
    return []


def _told(source: str, state: str, newest: float | None, records: int | None) -> Flow:
    return Flow(source, state, newest, records, next_step=NEXT_STEPS.get(state, ""))


def _made(raw: Mapping[str, Any]) -> float | None:
    """When a namespace or hub was made, None where Azure does not say. Raises OnboardingError."""
    try:
        said = raw["properties"].get("createdAt")
        return datetime.fromisoformat(said).timestamp() if said else None
    except ODD_SHAPE as error:
        raise malformed(f"read when {raw.get('name')} was made", error) from error


class Span(NamedTuple):
    """Points of a metric: how far apart, and how many seconds back."""

    interval: str
    seconds: float


# The newest message is wanted to the minutes, the weeks before only by the hour.
FINE = Span("PT5M", DAY)


async def _points(arm: Arm, hubs: EventHubs, now: float, span_of: Span) -> list[tuple[float, int]]:
    """(when, how many) of the messages that the hub took. Raises OnboardingError."""
    end = datetime.fromtimestamp(now, UTC)
    start = end - timedelta(seconds=span_of.seconds)
    operation = f"read the metric {METRIC} of {hubs.ids[NAMESPACE]}"
    span = f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}"
    chosen = quote(f"EntityName eq '{hubs.wanted.hub}'")
    query = (
        f"metricnames={METRIC}&timespan={quote(span)}&interval={span_of.interval}&aggregation=Total&$filter={chosen}"
    )
    path = f"{quote(hubs.ids[NAMESPACE])}/providers/Microsoft.Insights/metrics?{query}"
    answer = await arm.call(Call("GET", path, METRICS_API, operation, hubs.subscription))
    try:
        return [
            (datetime.fromisoformat(point["timeStamp"]).timestamp(), int(amount(point["total"])))
            for metric in answer["value"]
            for series in metric["timeseries"]
            for point in series["data"]
            if point.get("total")
        ]
    except ODD_SHAPE as error:
        raise malformed(operation, error) from error
