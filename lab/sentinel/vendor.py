# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Sentinel, registered."""

from __future__ import annotations

from typing import Any

from lab.kernel.http import Call
from lab.kernel.registration import Vendor
from lab.sentinel.routes import ROUTES, made, shown
from lab.sentinel.state import Sentinel


def _state(sentinel: Sentinel, _call: Call, _body: Any) -> dict[str, Any]:
    return {
        "rules": {workspace: list(held.values()) for workspace, held in sentinel.rules.items()},
        "incidents": {
            workspace: {name: shown(sentinel, one) for name, one in held.items()}
            for workspace, held in sentinel.incidents.items()
        },
    }


def rule(sentinel: Sentinel, workspace: str, name: str, properties: tuple[str, ...] = (), enabled: bool = True) -> None:
    """Somebody makes an automation rule with conditions on these properties; the workspace has Sentinel then."""
    conditions = [
        {"conditionType": "Property", "conditionProperties": {
            "propertyName": one, "operator": "Contains", "propertyValues": ["x"]}}
        for one in properties
    ]  # fmt: skip
    id = f"{workspace}/providers/Microsoft.SecurityInsights/AutomationRules/{name}"
    logic = {"isEnabled": enabled, "triggersOn": "Incidents", "triggersWhen": "Created", "conditions": conditions}
    told = {"displayName": name, "order": 1, "triggeringLogic": logic, "actions": []}
    sentinel.rules[workspace.lower()][name.lower()] = {"id": id, "name": name, "properties": told}


def incident(sentinel: Sentinel, workspace: str, name: str, ago: float = 0.0, **properties: Any) -> None:
    """A new incident with an alert; of a workspace that is onboarded to Defender, where it has a number, too."""
    given = {"providerName": "Microsoft XDR", **properties}
    one = made(sentinel, workspace, name, ago, **given)
    number = one["properties"]["providerIncidentId"]
    url = f"https://security.microsoft.com/incidents/{number}"
    one["properties"]["additionalData"]["providerIncidentUrl"] = url
    sentinel.incidents[workspace.lower()][name.lower()] = one


def change(sentinel: Sentinel, workspace: str, name: str, ago: float = 0.0, **properties: Any) -> None:
    """Somebody edits it, so that its etag is another one."""
    one = sentinel.incidents[workspace.lower()][name.lower()]
    one["etag"] = sentinel.etag()
    one["properties"] |= {**properties, "lastModifiedTimeUtc": sentinel.now() - ago}


def merge(
    sentinel: Sentinel, workspace: str, source: str, target: str, numbered: bool = False, ago: float = 0.0
) -> None:
    """Correlation merges one into another: it loses its alerts and its own number in Defender, and is closed.

    numbered: whether it names the other one's number here, too, as later versions of the API have it.
    """
    held = sentinel.incidents[workspace.lower()]
    one, other = held[source.lower()]["properties"], held[target.lower()]["properties"]
    labels = [*one["labels"], {"labelName": "Redirected", "labelType": "AutoAssigned"}]
    more = {**one["additionalData"], "alertsCount": 0,
            "providerIncidentUrl": other["additionalData"]["providerIncidentUrl"]}  # fmt: skip
    if numbered:
        more["mergedIncidentNumber"] = str(other["incidentNumber"])
    change(sentinel, workspace, source, ago, status="Closed", labels=labels, additionalData=more,
           providerIncidentId=other["providerIncidentId"])  # fmt: skip
    change(sentinel, workspace, target, ago)


VENDOR = Vendor(
    name="sentinel",
    state=Sentinel,
    segments=frozenset({"subscriptions"}),
    within="azure",
    find=ROUTES.find,
    operations=ROUTES.operations,
    next_link="nextLink",
    control={("GET", ""): _state},
    mutations={
        "sentinel_rule": rule,
        "sentinel_incident": incident,
        "sentinel_change": change,
        "sentinel_merge": merge,
    },
)
