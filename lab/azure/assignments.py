# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role assignments as they are kept, and the index of those in force that every request asks.

An assignment is listed at once and counts for rights from `since` on. Those that come from an Azure Lighthouse
delegation are in no list (learn.microsoft.com, role-assignments-list-rest).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from lab.azure.model import Subscription

ROOT = "/"


@dataclass(slots=True)
class Assignment:
    """`scope` is as its maker spelled it, ROOT for the root of `tenant`."""

    name: str
    tenant: str  # of the scope
    scope: str
    role: str  # a name of lab.azure.roles
    principal: str  # object id
    principal_type: str = "ServicePrincipal"
    description: str | None = None
    by: str = ""  # object id of its maker
    made: float = 0.0  # world seconds
    since: float = 0.0  # world seconds
    delegation: str = ""  # lower-cased id of the Lighthouse assignment that it comes from

    @property
    def low(self) -> str:
        return self.scope.lower().rstrip("/") or ROOT

    @property
    def mark(self) -> tuple[str, str, str, str]:
        """What no two may have in common."""
        return self.tenant, self.low, self.role, self.principal

    @property
    def id(self) -> str:
        return f"{self.scope.rstrip('/')}/providers/Microsoft.Authorization/roleAssignments/{self.name}"


class Assignments:
    """All assignments, by tenant, lower scope and lower name; `index`: object id -> lower scope -> role names."""

    def __init__(self, now: Callable[[], float], subscriptions: Mapping[str, Subscription]) -> None:
        self._now = now
        self._subscriptions = subscriptions
        self.changes = 0
        self.held: dict[tuple[str, str, str], Assignment] = {}
        self.index: dict[str, dict[str, set[str]]] = {}
        self.waiting: list[Assignment] = []
        self._marks: dict[tuple[str, str, str, str], Assignment] = {}

    def put(self, item: Assignment) -> None:
        self.held[item.tenant, item.low, item.name.lower()] = item
        if not item.delegation:
            self._marks[item.mark] = item
        if item.since > self._now():
            self.waiting.append(item)
        else:
            self._enter(item)

    def drop(self, *gone: Assignment) -> None:
        for item in gone:
            del self.held[item.tenant, item.low, item.name.lower()]
            if not item.delegation:
                del self._marks[item.mark]
        principals = {item.principal for item in gone}
        self.waiting = [item for item in self.waiting if item not in gone]
        for principal in principals:
            self.index.pop(principal, None)
        for item in self.held.values():
            if item.principal in principals and item not in self.waiting:
                self._enter(item)
        self.changes += 1

    def settle(self) -> None:
        """Put in force what has waited long enough."""
        now = self._now()
        for item in [item for item in self.waiting if item.since <= now]:
            self.waiting.remove(item)
            self._enter(item)

    def _enter(self, item: Assignment) -> None:
        mine = self.index.setdefault(item.principal, {})
        for scope in self._reach(item):
            mine.setdefault(scope, set()).add(item.role)
        self.changes += 1

    def same(self, item: Assignment) -> Assignment | None:
        """Another one of the same role, principal and scope."""
        other = self._marks.get(item.mark)
        return None if other is None or other.name == item.name else other

    def listed(self) -> Iterator[Assignment]:
        return (item for item in self.held.values() if not item.delegation)

    def _reach(self, item: Assignment) -> list[str]:
        """Scopes under which the index has it: the root ends at the tenant's own subscriptions."""
        if item.low != ROOT:
            return [item.low]
        own = (sub for sub in self._subscriptions.values() if sub.tenant == item.tenant)
        return [ROOT, "/providers", *(f"/subscriptions/{sub.id}" for sub in own)]
