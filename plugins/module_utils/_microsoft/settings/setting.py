# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Diagnostic settings as values: what Azure answers, taken by meaning, and what is sent to it.

Contract: Microsoft.Insights/diagnosticSettings, api-version 2021-05-01-preview (azure-rest-api-specs).
What GET changes of what PUT sent (ids in another case, nulls, disabled entries listed, order, destination type) is in
azure-rest-api-specs issue 22400 and azure-cli issue 18242.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..._core.bodies import text
from ..arm.resources import same_id

# Our name of a destination -> Azure's property.
SINKS = {
    "workspace_id": "workspaceId",
    "event_hub_authorization_rule_id": "eventHubAuthorizationRuleId",
    "storage_account_id": "storageAccountId",
    "marketplace_partner_id": "marketplacePartnerId",
    "service_bus_rule_id": "serviceBusRuleId",
}
EVENT_HUB = "event_hub_authorization_rule_id"
TABLES = {"dedicated": "Dedicated", "azure_diagnostics": "AzureDiagnostics"}
TABLE_NAMES = {value.casefold(): name for name, value in TABLES.items()}
MAX_SETTINGS = 5
EVERY_LOG = "alllogs"


class Category(NamedTuple):
    """A log category as a resource type offers it; groups are lower-case."""

    name: str
    groups: frozenset[str]


class Offered:
    """What one (type, kind, sku) offers. logs: lower-case name -> Category; metrics: lower-case names -> names."""

    def __init__(self, logs: Mapping[str, Category], metrics: Mapping[str, str]) -> None:
        self.logs = logs
        self.metrics = metrics
        self._members = {EVERY_LOG: frozenset(logs)}
        for group in {group for category in logs.values() for group in category.groups} - {EVERY_LOG}:
            self._members[group] = frozenset(name for name, category in logs.items() if group in category.groups)

    def expand(self, groups: Iterable[str], categories: Iterable[str]) -> frozenset[str]:
        """The lower-case categories that groups and single categories stand for; unknown ones stand for nothing."""
        names = self._members[EVERY_LOG].intersection(categories)
        return names.union(*(self._members.get(group, frozenset()) for group in groups))

    def has_group(self, group: str) -> bool:
        """Whether a setting may name this group: the type publishes it on some category."""
        return any(group in category.groups for category in self.logs.values())


class Setting(NamedTuple):
    """One diagnostic setting. Sets hold lower-case names; sinks hold ids as they were spelled.

    event_hub_name belongs to the Event Hub destination; table is a key of TABLES, or None for unknown.
    """

    name: str
    sinks: Mapping[str, str]
    event_hub_name: str
    groups: frozenset[str]
    categories: frozenset[str]
    disabled: frozenset[str]
    metrics: frozenset[str]
    table: str | None

    def sink_key(self, kind: str) -> str:
        """What tells two destinations apart, free of case, slashes at the ends and spelling; '' for none.

        assumed: two hubs below one rule are two destinations.
        """
        key = same_id(self.sinks.get(kind, ""))
        return f"{key}#{self.event_hub_name.casefold()}" if key and kind == EVENT_HUB else key

    def view(self) -> dict[str, Any]:
        """As a person reads it in a diff or in the evidence."""
        shown: dict[str, Any] = {"name": self.name, **self.sinks}
        if self.event_hub_name:
            shown["event_hub_name"] = self.event_hub_name
        shown["logs"] = [f"group:{group}" for group in sorted(self.groups)] + sorted(self.categories)
        if self.disabled:
            shown["disabled"] = sorted(self.disabled)
        if self.metrics:
            shown["metrics"] = sorted(self.metrics)
        if self.table:
            shown["destination_table"] = self.table
        return shown


def parse_setting(raw: Mapping[str, Any]) -> Setting:
    """A setting out of an answer. Raises KeyError, TypeError or AttributeError on an answer of another shape."""
    properties = raw["properties"]
    groups, categories, disabled = set(), set(), set()
    for entry in properties.get("logs") or ():
        group, category = entry.get("categoryGroup"), entry.get("category")
        name = (group or category).casefold()
        if not entry.get("enabled"):
            disabled.add(name)
        elif group:
            groups.add(name)
        else:
            categories.add(name)
    return Setting(
        name=text(raw["name"]),
        sinks={kind: text(properties[field]) for kind, field in SINKS.items() if properties.get(field)},
        event_hub_name=text(properties.get("eventHubName") or ""),
        groups=frozenset(groups),
        categories=frozenset(categories),
        disabled=frozenset(disabled),
        metrics=frozenset(
            (entry.get("category") or "AllMetrics").casefold()  # optional; of old, only a timeGrain stands there
            for entry in properties.get("metrics") or ()
            if entry.get("enabled")
        ),
        table=TABLE_NAMES.get((properties.get("logAnalyticsDestinationType") or "").casefold()),
    )


def parse_settings(body: Any) -> tuple[Setting, ...]:
    """Every setting of a list answer."""
    return tuple(parse_setting(raw) for raw in body["value"])


def parse_offered(body: Any) -> Offered:
    """What a type offers, out of the answer of its categories endpoint."""
    logs: dict[str, Category] = {}
    metrics: dict[str, str] = {}
    for raw in body["value"]:
        properties, name = raw["properties"], text(raw["name"])
        if (properties.get("categoryType") or "Logs") == "Logs":
            groups = frozenset(group.casefold() for group in properties.get("categoryGroups") or ())
            logs[name.casefold()] = Category(name, groups)
        else:
            metrics[name.casefold()] = name
    return Offered(logs, metrics)


def body(setting: Setting, offered: Offered) -> dict[str, Any]:
    """The body of the PUT that makes this setting; retention is never sent, since Azure has given it up."""
    logs = [{"categoryGroup": _group_name(group), "enabled": True} for group in sorted(setting.groups)]
    logs += [{"category": offered.logs[name].name, "enabled": True} for name in sorted(setting.categories)]
    metrics = [{"category": offered.metrics.get(name, name), "enabled": True} for name in sorted(setting.metrics)]
    properties: dict[str, Any] = {SINKS[kind]: resource_id for kind, resource_id in setting.sinks.items()}
    properties |= {"logs": logs, "metrics": metrics}
    if setting.event_hub_name and EVENT_HUB in setting.sinks:
        properties["eventHubName"] = setting.event_hub_name
    if setting.table:
        properties["logAnalyticsDestinationType"] = TABLES[setting.table]
    return {"properties": properties}


def _group_name(group: str) -> str:
    return "allLogs" if group == EVERY_LOG else group
