# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether messages arrive in one Event Hub, by its own metric."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from ..._core.client import malformed
from ..._core.errors import OnboardingError
from ..._core.evidence import EvidenceFile
from ..._core.redaction import Redactor
from ..arm.client import Arm, Call, connected
from . import flow
from . import options as event_hub_options
from .api import SETTLED, EventHubs
from .plan import NAMESPACE, Hub

CAPABILITY = "azure_event_hub_flow"
METRICS_API = "2024-02-01"
METRIC = "IncomingMessages"
NEXT_STEPS = {
    flow.ABSENT: "run the onboard playbook: the hub is not there",
    flow.PENDING: "wait: data comes within 90 minutes of a new diagnostic setting",
    flow.STALE: "see whether a diagnostic setting still sends to the hub: run the drift playbook, and look at what "
    "other settings name its rule",
}


async def run(
    params: Mapping[str, Any], reporter: Any, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """The flow of one hub. Reads only, so check mode is no different; what cannot be read is the flow's error."""
    identity = event_hub_options.identity(params)
    wanted = event_hub_options.wanted(params)
    limits = flow.Limits(timedelta(minutes=params["grace_minutes"]), timedelta(hours=params["stale_hours"]))
    seen = flow.Seen(f"event hub {wanted.namespace}/{wanted.hub}", 1, 0)
    async with connected(identity, 2, redactor) as arm:
        try:
            hubs = EventHubs(arm, params["subscription_id"], wanted)
            seen = await look(hubs, seen, timedelta(hours=params["window_hours"]))
        except OnboardingError as error:
            reporter.failure(str(error))
            seen = seen._replace(error=str(error), error_step=error.next_step)
    one = flow.flow(seen, datetime.now(UTC), limits)
    one["next_step"] = NEXT_STEPS.get(one["state"], one["next_step"])
    found = flow.result([one], arm.requests)
    found["summary"] |= {"credentials": identity.expiries()}
    if path := params.get("evidence_path"):
        with EvidenceFile(path, redact=redactor) as evidence:
            evidence.write(one)
        found["evidence"] = "" if evidence.error else str(path)
        found["problems"] += evidence.problems
    return found


async def look(hubs: EventHubs, seen: flow.Seen, window: timedelta) -> flow.Seen:
    """The same with what is known of the hub. Raises OnboardingError."""
    namespace = await hubs.namespace()
    if namespace is None:
        return seen
    if namespace.state.casefold() != SETTLED:
        return seen._replace(served=1, written=datetime.now(UTC))
    there = (await hubs.hubs()).get(hubs.wanted.hub.casefold())
    if there is None:
        return seen
    newest, total = await _arrived(hubs.arm, hubs, window)
    return seen._replace(served=1, newest=newest, records=total, written=_made(there))


def _made(hub: Hub) -> datetime | None:
    """When the hub was made, None where Azure does not say. Raises OnboardingError."""
    said = hub.raw["properties"].get("createdAt")
    try:
        return datetime.fromisoformat(said) if said else None
    except (TypeError, ValueError) as error:
        raise malformed(f"read when the hub {hub.name} was made", error) from error


async def _arrived(arm: Arm, hubs: EventHubs, window: timedelta) -> tuple[datetime | None, int]:
    """(the last five minutes in which the hub took messages, how many it took in the window)."""
    now = datetime.now(UTC)
    start = now - window
    operation = f"read the metric {METRIC} of {hubs.ids[NAMESPACE]}"
    span = f"{start:%Y-%m-%dT%H:%M:%SZ}/{now:%Y-%m-%dT%H:%M:%SZ}"
    chosen = quote(f"EntityName eq '{hubs.wanted.hub}'")
    query = f"metricnames={METRIC}&timespan={quote(span)}&interval=PT5M&aggregation=Total&$filter={chosen}"
    path = f"{quote(hubs.ids[NAMESPACE])}/providers/Microsoft.Insights/metrics?{query}"
    answer = await arm.call(Call("GET", path, METRICS_API, operation, hubs.subscription))
    try:
        points = [
            (datetime.fromisoformat(point["timeStamp"]), point["total"])
            for metric in answer["value"]
            for series in metric["timeseries"]
            for point in series["data"]
            if point.get("total")
        ]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise malformed(operation, error) from error
    return max((when for when, _total in points), default=None), int(sum(total for _when, total in points))
