# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph security, registered."""

from __future__ import annotations

import json
from typing import Any

from lab.azure.state import Azure
from lab.graph.vendor import trace
from lab.graph_security.routes import OPERATIONS, REDIRECTED, find
from lab.graph_security.state import GraphSecurity, Item
from lab.kernel.http import Call
from lab.kernel.registration import Scenario, Vendor


def _load(security: GraphSecurity, scenario: Scenario) -> None:
    """The key C(graph_security) of a scenario: onboarded, slugs of tenants."""
    slugs = set(scenario.get("graph_security", {}).get("onboarded", ()))
    for tenant in security.entra.tenants.values():
        security.of(tenant.id).devices = tenant.slug in slugs


def _state(security: GraphSecurity, _call: Call, _body: Any) -> dict[str, Any]:
    return {
        tenant: {"devices": one.devices, "alerts": one.alerts, "incidents": one.incidents, "rows": one.rows}
        for tenant, one in security.defenders.items()
    }


def _status(security: GraphSecurity) -> dict[str, Any]:
    held = security.defenders.values()
    return {"alerts": sum(len(one.alerts) for one in held), "incidents": sum(len(one.incidents) for one in held)}


# -- what others do, and what happens in a tenant ---------------------------------------------------------------------


def licence(security: GraphSecurity, tenant: str, on: bool) -> None:
    """The tenant's licence for Defender begins or ends. What it has stays."""
    (security.unlicensed.discard if on else security.unlicensed.add)(tenant)


def devices(security: GraphSecurity, tenant: str, on: bool) -> None:
    """Devices are onboarded; or it is as if none had ever been."""
    one = security.of(tenant)
    one.devices = on
    one.rows = {table: when for table, when in one.rows.items() if on or not table.startswith("Device")}


def rows(security: GraphSecurity, tenant: str, table: str, ago: float = 0.0) -> None:
    """A table has had its newest row so many seconds ago."""
    security.of(tenant).rows[table] = security.now() - ago


def stream(security: GraphSecurity, tenant: str, hub: str, tables: list[str], ago: float = 0.0) -> None:
    """What somebody has set in the portal, Settings > Streaming API, sends rows of these tables, in one message.

    Source: facts defender.md: {records: [{time, tenantId, category, operationName, properties}]}.
    """
    azure = security.lab.of(Azure)
    for table in tables:
        rows(security, tenant, table, ago)
    records = [
        {"time": "@time@", "tenantId": tenant, "operationName": "Publish", "category": f"AdvancedHunting-{table}",
         "properties": {"Timestamp": "@time@"}}
        for table in tables
    ]  # fmt: skip
    azure.sent.setdefault(hub.lower(), []).append((azure.now() - ago, json.dumps({"records": records})))


def incident(security: GraphSecurity, tenant: str, id: str, ago: float = 0.0, **fields: Any) -> None:
    """A new incident without alerts."""
    when = security.now() - ago
    security.of(tenant).incidents[id] = {
        "id": id, "tenantId": tenant, "displayName": f"Incident {id}", "status": "active", "severity": "medium",
        "classification": "unknown", "determination": "unknown", "assignedTo": None, "comments": [], "customTags": [],
        "systemTags": [], "description": None, "summary": None, "resolvingComment": None, "lastModifiedBy": None,
        "redirectIncidentId": None, "createdDateTime": when, "lastUpdateDateTime": when,
        "incidentWebUrl": f"https://security.microsoft.com/incidents/{id}?tid={tenant}", **fields,
    }  # fmt: skip


def alert(security: GraphSecurity, tenant: str, id: str, incident: str = "", ago: float = 0.0, **fields: Any) -> None:
    """A new alert, of an incident that is there."""
    when = security.now() - ago
    made: Item = {
        "id": id, "tenantId": tenant, "incidentId": incident or None, "title": f"Alert {id}", "status": "new",
        "severity": "medium", "classification": "unknown", "determination": "unknown", "assignedTo": None,
        "serviceSource": "microsoftDefenderForEndpoint", "detectionSource": "microsoftDefenderForEndpoint",
        "providerAlertId": id, "category": "Execution", "evidence": [], "comments": [], "createdDateTime": when,
        "lastUpdateDateTime": when, "alertWebUrl": f"https://security.microsoft.com/alerts/{id}?tid={tenant}", **fields,
    }  # fmt: skip
    one = security.of(tenant)
    one.alerts[id] = made
    one.rows["AlertInfo"] = max(one.rows.get("AlertInfo", 0.0), when)
    if incident:
        held = one.incidents[incident]
        held["lastUpdateDateTime"] = max(held["lastUpdateDateTime"], when)


def change(security: GraphSecurity, tenant: str, kind: str, id: str, ago: float = 0.0, **fields: Any) -> None:
    """Somebody edits it. kind: alerts or incidents."""
    getattr(security.of(tenant), kind)[id].update(fields, lastUpdateDateTime=security.now() - ago)


def merge(security: GraphSecurity, tenant: str, source: str, target: str, ago: float = 0.0) -> None:
    """Correlation merges an incident into another: its alerts go there, and it is redirected."""
    one, when = security.of(tenant), security.now() - ago
    one.incidents[source].update(status=REDIRECTED, redirectIncidentId=target, lastUpdateDateTime=when)
    one.incidents[target]["lastUpdateDateTime"] = when
    for held in one.alerts.values():
        if held["incidentId"] == source:
            held["incidentId"] = target


VENDOR = Vendor(
    name="graph_security",
    state=GraphSecurity,
    load=_load,
    segments=frozenset({"graph"}),
    find=find,
    operations=OPERATIONS,
    next_link="@odata.nextLink",
    trace=trace,
    control={("GET", ""): _state},
    mutations={
        "defender_licence": licence,
        "defender_devices": devices,
        "defender_rows": rows,
        "defender_stream": stream,
        "security_incident": incident,
        "security_alert": alert,
        "security_change": change,
        "security_merge": merge,
    },
    status=_status,
)
