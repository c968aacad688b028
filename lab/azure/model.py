# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in Azure: plain dataclasses. Ids are kept as their owner spelled them; times are world seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Resource:
    id: str
    name: str
    type: str
    location: str
    group: str
    subscription: str
    kind: str = ""
    sku: dict[str, Any] | None = None
    tags: dict[str, str] | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    gone: bool = False  # deleted, but Resource Graph has not noticed yet


@dataclass(slots=True)
class Subscription:
    id: str
    name: str
    tenant: str
    state: str = "Enabled"  # Enabled | Warned | PastDue | Disabled | Deleted
    managed_by: list[str] = field(default_factory=list)
    unregistered: set[str] = field(default_factory=set)  # lower-cased provider namespaces
    registering: dict[str, float] = field(default_factory=dict)  # those of them -> world seconds when they will be
    groups: dict[str, tuple[str, str]] = field(default_factory=dict)  # lower name -> (name, location)
    resources: dict[str, Resource] = field(default_factory=dict)  # lower id -> resource


@dataclass(slots=True)
class Entry:
    """One line of a setting's logs or metrics. `group` says that the name is a category group."""

    name: str
    enabled: bool
    group: bool = False


@dataclass(slots=True)
class Setting:
    name: str
    target: str
    workspace: str | None = None
    storage: str | None = None
    event_hub_rule: str | None = None
    event_hub: str | None = None
    partner: str | None = None
    destination_type: str | None = None
    logs: list[Entry] = field(default_factory=list)
    metrics: list[Entry] = field(default_factory=list)
    written: float = 0.0  # world seconds
    since: float = 0.0  # world seconds; when it began to send logs to its present workspace
    seeded: bool = False  # was there before anybody onboarded anything

    def sinks(self) -> Iterator[str]:
        """Ids of the destinations, as written."""
        for sink in (self.workspace, self.storage, self.event_hub_rule, self.partner):
            if sink:
                yield sink

    def sends_to(self) -> str | None:
        """Lower-cased workspace that gets logs of this setting."""
        return self.workspace.lower() if self.workspace and any(log.enabled for log in self.logs) else None


@dataclass(slots=True)
class Event:
    """A line of the activity log."""

    at: float
    subscription: str
    operation: str
    resource: str
    caller: str
    status: str = "Succeeded"
