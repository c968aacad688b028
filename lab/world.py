# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's clouds: plain dataclasses and the indexes to find them by.

Ids are kept as their owner spelled them; every index is keyed by the lower-cased id.

Times are "world seconds": real time plus the offset that `advance` has added. What leaves the lab is shown on the
real clock (`shown`), so moving the clock makes everything in the world older and never puts it in a client's future.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lab import catalog, coro_world, directory_roles, falcon
from lab.assignments import Assignment, Assignments
from lab.delegations import Definition, Delegation
from lab.directory import App, Directory, grant
from lab.event_hub_state import Namespace

NAMESPACE = directory_roles.SPACE


@dataclass(slots=True)
class Tenant:
    id: str
    slug: str
    domain: str
    defender: bool = False  # licensed for Microsoft Defender: has the resource apps of its APIs
    other_guids: bool = False  # as in another cloud: app roles have other ids


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


def stamp(seconds: float) -> str:
    """ISO 8601 with seven digits, as Azure prints times."""
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text + "0Z"


class World:
    """The state of the lab. Mutated by handlers and by control edits only; single threaded."""

    def __init__(self) -> None:
        self.offset = 0.0
        self.tenants: dict[str, Tenant] = {}
        self.apps: dict[str, App] = {}
        self.directory = Directory()
        self.subscriptions: dict[str, Subscription] = {}
        self.settings: dict[str, dict[str, Setting]] = {}  # lower target -> lower name -> setting
        self.entra_settings: dict[str, dict[str, Setting]] = {}  # tenant -> lower name -> setting
        self.locks: dict[str, dict[str, str]] = {}  # lower scope -> lock name -> CanNotDelete | ReadOnly
        self.assignments = Assignments()
        self.definitions: dict[str, Definition] = {}  # of Lighthouse, by lower id
        self.delegations: dict[str, Delegation] = {}  # likewise
        self.namespaces: dict[str, Namespace] = {}  # what is in an Event Hubs namespace, by its lower id
        self.propagation = 0.0  # seconds until a role assignment counts, and a new principal may get one
        self.operation = 0.0  # seconds that a long-running operation of ARM takes
        self.aadiam_lag = 0.0  # seconds until a new setting of Entra is found
        self.events: list[Event] = []
        self.inventory = 0  # counts what may change an answer of Resource Graph
        # (lower target, lower workspace) -> (since, until) of logs that are no longer sent there
        self.ended: dict[tuple[str, str], tuple[float, float]] = {}
        # (lower workspace, subscription, lower type) -> when its records ceased, by edit
        self.stopped: dict[tuple[str, str, str], float] = {}
        self.rendered: dict[str, bytes] = {}  # lower target -> answer to LIST, until the next write
        self.falcon = falcon.Cloud()
        self.coro = coro_world.CoroWorld()

    # -- time -----------------------------------------------------------------------------------------------------

    def now(self) -> float:
        return time.time() + self.offset

    def shown(self, seconds: float) -> float:
        """World seconds on the clock that clients have."""
        return seconds - self.offset

    # -- making things --------------------------------------------------------------------------------------------

    def add_tenant(self, tenant: Tenant) -> None:
        """With the service principals of the resource apps that such a tenant has."""
        self.tenants[tenant.id] = tenant
        for app in directory_roles.RESOURCES.values():
            if tenant.defender or not app.licensed:
                self.directory.add(tenant.id, app.app_id, app.name, directory_roles.MICROSOFT)

    def add_principal(self, tenant: str, client_id: str, made: float = 0.0) -> str:
        """The app becomes known in `tenant`: its service principal's object id, which differs per tenant."""
        app = self.apps[client_id]
        return self.directory.add(tenant, client_id, app.name, app.home_tenant, created=self.now(), made=made).oid

    def consent(self, tenant: str, app: App, wanted: list[tuple[str, str]], made: float = 0.0) -> None:
        """An administrator's: makes the service principal, and grants (resource app id, role name) to it."""
        self.add_principal(tenant, app.client_id, made)
        principal = self.directory.held[tenant, app.client_id]
        for resource, name in wanted:
            role_id = directory_roles.ids(resource, self.tenants[tenant].other_guids)[name]
            grant(principal, resource, role_id, self.now())

    def add_group(self, subscription: str, name: str, location: str) -> None:
        self.subscriptions[subscription].groups.setdefault(name.lower(), (name, location))

    def add_resource(
        self, subscription: str, group: str, type_: str, name: str, location: str, **more: Any
    ) -> Resource:
        """`type_` and `name` may be nested: `Microsoft.Sql/servers/databases`, `srv/db`."""
        namespace, *kinds = type_.split("/")
        path = "/".join(f"{kind}/{part}" for kind, part in zip(kinds, name.split("/"), strict=True))
        sub = self.subscriptions[subscription]
        self.add_group(subscription, group, location)
        id_ = f"/subscriptions/{sub.id}/resourceGroups/{group}/providers/{namespace}/{path}"
        resource = Resource(id_, name, type_, location, group, sub.id, **more)
        sub.resources[id_.lower()] = resource
        self.inventory += 1
        return resource

    def assign(self, oid: str, role: str, scope: str, tenant: str = "", **more: Any) -> None:
        """Assign a role, in force at once; the same one that is there is kept. A tenant's own scope needs `tenant`."""
        where = tenant or self.subscriptions[scope.lower().split("/")[2]].tenant
        name = str(uuid.uuid5(NAMESPACE, f"{scope.lower()}/{oid}/{role}"))
        item = Assignment(name, where, scope, role, oid, made=self.now(), **more)
        if self.assignments.same(item) is None:
            self.assignments.put(self, item)

    def put_setting(self, setting: Setting) -> None:
        """Store; keeps the first spelling of the name, and `since` while the same workspace goes on getting logs."""
        target, name = setting.target.lower(), setting.name.lower()
        before = self.settings.setdefault(target, {}).get(name)
        setting.written = setting.since = self.now()
        if before is not None:
            setting.name = before.name
            if before.sends_to() == setting.sends_to():
                setting.since = before.since
            else:
                self._end(before)
        self.settings[target][name] = setting
        self.rendered.pop(target, None)

    def put_entra_setting(self, tenant: str, setting: Setting) -> None:
        """Store; `since` is kept while it goes on sending to the same destinations."""
        before = self.entra_settings.setdefault(tenant, {}).get(setting.name.lower())
        setting.written = setting.since = self.now()
        if before is not None and [*before.sinks()] == [*setting.sinks()]:
            setting.since = before.since
        self.entra_settings[tenant][setting.name.lower()] = setting

    def remove_setting(self, target: str, name: str) -> bool:
        """False when there was none."""
        gone = self.settings.get(target.lower(), {}).pop(name.lower(), None)
        if gone is None:
            return False
        self._end(gone)
        self.rendered.pop(target.lower(), None)
        return True

    def _end(self, setting: Setting) -> None:
        workspace = setting.sends_to()
        if workspace:
            self.ended[setting.target.lower(), workspace] = (setting.since, self.now())

    def log_event(self, subscription: str, operation: str, resource: str, caller: str) -> None:
        self.events.append(Event(self.now(), subscription, operation, resource, caller))

    def tenant_named(self, name: str) -> Tenant | None:
        """A tenant by its id or domain."""
        return next((one for one in self.tenants.values() if name in (one.id, one.domain)), None)

    def principal(self, tenant: str, client_id: str) -> str | None:
        """The object id of the app's service principal in a tenant."""
        found = self.directory.find(tenant, client_id)
        return found.oid if found else None

    def user_oid(self, tenant: str, role: str = "Global Administrator") -> str:
        """The object id of the tenant's user that has a directory role; every role of lab.users has one."""
        return str(uuid.uuid5(NAMESPACE, f"{tenant}/{role}"))

    @property
    def roles(self) -> dict[str, dict[str, set[str]]]:
        """What is in force: object id -> lower scope -> role names."""
        return self.assignments.index

    # -- finding things -------------------------------------------------------------------------------------------

    def resource(self, id_: str) -> Resource | None:
        """A live resource by id, any case."""
        low = id_.lower().rstrip("/")
        sub = self.subscriptions.get(low.split("/", 3)[2]) if low.count("/") >= 2 else None
        found = sub.resources.get(low) if sub else None
        return None if found is None or found.gone else found

    def target_type(self, target: str) -> tuple[str, Resource | None] | None:
        """(lower type, the resource that carries kind, sku and location) of anything that may have settings.

        Storage services are no resources of their own, in Azure's inventory or here: they follow from the account.
        None when the target does not exist.
        """
        low = target.lower()
        if low.count("/") == 2:
            return (catalog.SUBSCRIPTION, None) if low.split("/")[2] in self.subscriptions else None
        resource = self.resource(low)
        if resource is not None:
            return resource.type.lower(), resource
        parent_id, _, name = low.rpartition("/")
        parent_id, _, service = parent_id.rpartition("/")
        parent = self.resource(parent_id) if name == "default" else None
        if parent is None or parent.type.lower() != catalog.STORAGE:
            return None
        sku = str((parent.sku or {}).get("name", ""))
        if service not in catalog.storage_services(parent.kind, sku):
            return None
        return f"{catalog.STORAGE}/{service}", parent

    def lock_on(self, scope: str) -> dict[str, str]:
        """Locks that apply at a scope, its parents' included: "lock id" -> level."""
        low = scope.lower()
        found = {}
        for locked, locks in self.locks.items():
            if low == locked or low.startswith(locked + "/"):
                for name, level in locks.items():
                    found[f"{locked}/providers/Microsoft.Authorization/locks/{name}"] = level
        return found

    def sees(self, tenant: str, subscription: Subscription) -> bool:
        """Home tenant, or delegated to the tenant by Lighthouse."""
        return tenant == subscription.tenant or tenant in subscription.managed_by
