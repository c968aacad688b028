# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many messages an Event Hub took and when, by its own metric: whoever sent them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote

from ..._core.bodies import amount
from ..._core.client import ODD_SHAPE
from ..._core.errors import malformed
from ..._core.freshness import DAY
from ..arm.client import Call
from .api import EventHubs
from .plan import NAMESPACE

METRICS_API = "2024-02-01"
METRIC = "IncomingMessages"


class Span(NamedTuple):
    """Points of a metric: how far apart, and how many seconds back."""

    interval: str
    seconds: float


# The newest message is wanted to the minutes, the weeks before only by the hour.
FINE = Span("PT5M", DAY)


async def points(hubs: EventHubs, now: float, span_of: Span) -> list[tuple[float, int]]:
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
    answer = await hubs.arm.call(Call("GET", path, METRICS_API, operation, hubs.subscription))
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
