# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies of diagnostic settings: what a PUT may say, and what a GET makes of it (facts azure.md §2.1, §2.2)."""

from __future__ import annotations

import json
import zlib
from typing import Any

from lab.azure import catalog
from lab.azure.catalog import Kind
from lab.azure.model import Entry, Setting
from lab.kernel.http import Call, flat, nested

_SINKS = {
    "workspaceId": "workspace",
    "storageAccountId": "storage",
    "eventHubAuthorizationRuleId": "event_hub_rule",
    "eventHubName": "event_hub",
    "marketplacePartnerId": "partner",
}
_DESTINATIONS = {"dedicated": "Dedicated", "azurediagnostics": "AzureDiagnostics"}


def parse(target: str, name: str, body: dict[str, Any], kind: Kind) -> Setting:
    """The setting that a PUT asks for. A full upsert: what the body leaves out is gone."""
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise flat(400, "BadRequest", "The diagnostic setting has no properties.")
    setting = Setting(name, target)
    for key, attribute in _SINKS.items():
        value = properties.get(key)
        if value is not None and not isinstance(value, str):
            raise nested(400, "InvalidRequestContent", f"The property '{key}' must be a string.")
        setattr(setting, attribute, value or None)
    if not any(setting.sinks()):
        raise flat(400, "BadRequest", "At least one data sink needs to be specified.")
    destination = properties.get("logAnalyticsDestinationType")
    if destination:
        setting.destination_type = _DESTINATIONS.get(str(destination).lower())
        if setting.destination_type is None:
            raise flat(400, "BadRequest", f"The log analytics destination type '{destination}' is not supported.")
    setting.logs = _logs(_entries(properties, "logs"), kind)
    setting.metrics = _metrics(_entries(properties, "metrics"), kind)
    return setting


def _entries(properties: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = properties.get(key) or []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise nested(400, "InvalidRequestContent", f"The property '{key}' must be a list of objects.")
    return value


def _logs(entries: list[dict[str, Any]], kind: Kind) -> list[Entry]:
    known = {name.lower(): name for name in kind.logs}
    groups = {name.lower(): name for name in kind.groups()}
    found, unknown = [], []
    for item in entries:
        category, group = item.get("category"), item.get("categoryGroup")
        if bool(category) == bool(group):
            raise flat(400, "BadRequest", "A log needs exactly one of 'category' and 'categoryGroup'.")
        enabled = bool(item.get("enabled"))
        if group:
            if str(group).lower() not in groups:
                raise flat(400, "BadRequest", f"Category group '{group}' is not supported.")
            found.append(Entry(groups[group.lower()], enabled, group=True))
        elif str(category).lower() in known:
            found.append(Entry(known[str(category).lower()], enabled))
        else:
            unknown.append(str(category))
    if unknown:
        raise flat(400, "BadRequest", f"Category '{','.join(unknown)}' is not supported.")
    kinds = {entry.group for entry in found if entry.enabled}
    if len(kinds) == 2:  # terraform-provider-azurerm#20554
        raise flat(
            400,
            "BadRequest",
            ("Diagnostic setting can't have both 'category' and 'categoryGroup' enabled in its logs."),
        )
    return found


def _metrics(entries: list[dict[str, Any]], kind: Kind) -> list[Entry]:
    known = {name.lower(): name for name in kind.metrics}
    if kind.metrics:
        known["allmetrics"] = "AllMetrics"
    found = []
    for item in entries:
        category = str(item.get("category"))
        if category.lower() not in known:
            raise flat(400, "BadRequest", f"Metric category '{category}' is not supported.")
        found.append(Entry(known[category.lower()], bool(item.get("enabled"))))
    return found


def enabled(setting: Setting, kind: Kind) -> set[str]:
    """Categories, groups expanded, and metrics that a setting sends."""
    found = {entry.name for entry in setting.metrics if entry.enabled}
    for entry in setting.logs:
        if entry.enabled:
            found |= set(kind.members(entry.name)) if entry.group else {entry.name}
    return found


def render(setting: Setting, kind: Kind, *, after_put: bool = False) -> dict[str, Any]:
    """The setting as Azure answers it: ids in lower case, nulls for what is absent, entries in no particular order."""
    subscription = setting.target.count("/") == 2
    target = setting.target.lower()
    retention = None if subscription else {"enabled": False, "days": 0}
    logs = [_log(entry, retention) for entry in _listed(setting.logs, kind)]
    metrics = [
        {"timeGrain": None, "category": entry.name, "enabled": entry.enabled, "retentionPolicy": retention}
        for entry in _listed_metrics(setting.metrics, kind)
    ]
    return {
        "id": f"{target[1:] if subscription else target}/providers/microsoft.insights/diagnosticSettings/"
        f"{setting.name}",
        "type": "Microsoft.Insights/diagnosticSettings",
        "name": setting.name,
        "location": "global" if subscription else None,
        "kind": None,
        "tags": None,
        "properties": {
            "storageAccountId": setting.storage,
            "serviceBusRuleId": None,
            "workspaceId": setting.workspace,
            "eventHubAuthorizationRuleId": setting.event_hub_rule,
            "eventHubName": setting.event_hub,
            "marketplacePartnerId": setting.partner,
            "metrics": sorted(metrics, key=lambda item: _shuffle(target, str(item["category"]))),
            "logs": sorted(logs, key=lambda item: _shuffle(target, str(item["category"] or item["categoryGroup"]))),
            "logAnalyticsDestinationType": _destination(setting, kind, after_put),
        },
        "identity": None,
    }


def _log(entry: Entry, retention: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "category": None if entry.group else entry.name,
        "categoryGroup": entry.name if entry.group else None,
        "enabled": entry.enabled,
        "retentionPolicy": retention,
    }


def _listed(entries: list[Entry], kind: Kind) -> list[Entry]:
    """With the entries that some types add for everything that is off: groups beside groups, else categories."""
    if not kind.lists_all:
        return entries
    grouped = any(entry.group for entry in entries)
    named = {entry.name for entry in entries}
    return entries + [
        Entry(name, False, grouped) for name in (kind.groups() if grouped else kind.logs) if name not in named
    ]


def _listed_metrics(entries: list[Entry], kind: Kind) -> list[Entry]:
    """terraform-provider-azurerm#17172: metrics that nobody asked for are echoed as disabled."""
    if not kind.lists_all or any(entry.name == "AllMetrics" for entry in entries):
        return entries
    named = {entry.name for entry in entries}
    return entries + [Entry(name, False) for name in kind.metrics if name not in named]


def _destination(setting: Setting, kind: Kind, after_put: bool) -> str | None:
    if setting.workspace is None:
        return None
    if kind.destination == catalog.HIDDEN:
        return setting.destination_type if after_put else None
    if kind.destination == catalog.DEFAULTED:
        return setting.destination_type or "AzureDiagnostics"
    return setting.destination_type


def _shuffle(target: str, name: str) -> int:
    """An order that is not that of the request, differs per target, and is the same every time."""
    return zlib.crc32(f"{target}|{name}".encode())


def json_object(call: Call) -> dict[str, Any]:
    """The body as an object, or 400 in ARM's words."""
    try:
        value = json.loads(call.body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise nested(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.")
    return value
