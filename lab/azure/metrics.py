# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GET {namespace}/providers/Microsoft.Insights/metrics for Event Hub namespaces.

Shapes: azure-rest-api-specs, Microsoft.Insights metrics 2024-02-01, as azure-mgmt-monitor 7 reads them. Only the
totals of IncomingMessages and IncomingRequests; numbers from lab.azure.flows.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from lab.azure import flows
from lab.azure.model import Resource
from lab.azure.rbac import require
from lab.azure.state import Azure
from lab.kernel.clock import stamp
from lab.kernel.http import Call, Reply, flat, ok

_METRICS = {"incomingmessages": "IncomingMessages", "incomingrequests": "IncomingRequests"}
_MOST = 1440  # points
_FILTER = re.compile(r"EntityName\s+eq\s+'([^']*)'", re.I)


def listing(azure: Azure, call: Call) -> Reply:
    require(azure, call.who, "Microsoft.Insights/metrics/read", call.scope)
    resource = azure.resource(call.scope)
    if resource is None or resource.type.lower() != "microsoft.eventhub/namespaces":
        raise flat(400, "BadRequest", f"The lab has metrics of Event Hub namespaces only, not of '{call.scope}'.")
    query = call.query
    start, end = _timespan(query.get("timespan", ""), azure.now(), azure.lab.clock.offset)
    interval = query.get("interval") or "PT1M"
    step = max(60.0, flows.seconds(interval), (end - start) / _MOST)
    names = query.get("metricnames", "IncomingMessages").split(",")
    hubs = _hubs(azure, resource, query.get("$filter", ""))
    value = [_metric(azure, call, name, hubs, (start, end, step)) for name in names]
    span = "/".join(stamp(azure.shown(at))[:19] + "Z" for at in (start, end))
    return ok(
        {
            "cost": 0,
            "timespan": span,
            "interval": interval,
            "value": value,
            "namespace": "Microsoft.EventHub/namespaces",
            "resourceregion": resource.location,
        }
    )


def _hubs(azure: Azure, resource: Resource, text: str) -> list[str]:
    """Hubs that a $filter names: EntityName eq 'hub', or '*' for each; [""] is all of the namespace."""
    match = _FILTER.fullmatch(text.strip())
    if text and match is None:
        raise flat(400, "BadRequest", f"The filter '{text}' is not supported.")
    if match is None:
        return [""]
    return [hub.name for hub in azure.contents(resource).hubs.values()] if match[1] == "*" else [match[1]]


def _metric(azure: Azure, call: Call, asked: str, hubs: list[str], span: tuple[float, float, float]) -> dict[str, Any]:
    """`span` is (start, end, seconds a point)."""
    name = _METRICS.get(asked.strip().lower())
    if name is None:
        raise flat(
            400,
            "BadRequest",
            "Failed to find metric configuration for provider: Microsoft.EventHub, resource Type: namespaces, metric: "
            f"{asked}, Valid metrics: {','.join(_METRICS.values())}",
        )
    return {
        "id": f"{call.scope}/providers/Microsoft.Insights/metrics/{name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name, "localizedValue": name},
        "displayDescription": name,
        "unit": "Count",
        "timeseries": [_series(azure, call.scope, hub, span) for hub in hubs],
        "errorCode": "Success",
    }


def _series(azure: Azure, namespace: str, hub: str, span: tuple[float, float, float]) -> dict[str, Any]:
    at, end, step = span
    data, name = [], {"value": "entityname", "localizedValue": "entityname"}
    while at < end:
        total = flows.messages(azure, namespace, at, min(at + step, end), hub)
        data.append({"timeStamp": stamp(azure.shown(at))[:19] + "Z", "total": float(total)})
        at += step
    return {"metadatavalues": [{"name": name, "value": hub}] if hub else [], "data": data}


def _timespan(text: str, now: float, offset: float) -> tuple[float, float]:
    """World seconds; the last hour when not given."""
    if not text:
        return now - 3600.0, now
    try:
        start, end = (datetime.fromisoformat(part).timestamp() + offset for part in text.split("/"))
    except ValueError:
        raise flat(400, "BadRequest", f"The timespan '{text}' is invalid.") from None
    return start, end
