# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's Azure, and the indexes to find it by."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, NamedTuple

from lab.azure import catalog
from lab.azure.assignments import Assignment, Assignments
from lab.azure.delegations import Definition, Delegation
from lab.azure.event_hub_state import ALL_RIGHTS, ROOT_RULE, Namespace, Rule
from lab.azure.model import Event, Resource, Setting, Subscription
from lab.entra.state import NAMESPACE, Entra
from lab.kernel.context import Lab, State


class Table(NamedTuple):
    """A table of a workspace. resource_type: lower-case, whose records it takes instead of the usual table."""

    plan: str = "Analytics"
    columns: tuple[str, ...] = ()
    resource_type: str = ""


USUAL_TABLES = {"AzureActivity": Table(resource_type=catalog.SUBSCRIPTION), "AzureDiagnostics": Table()}


class Azure(State):
    """Every index is keyed by the lower-cased id."""

    configurable: ClassVar[tuple[str, ...]] = ("propagation", "operation", "aadiam_lag", "page_size")

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.entra = lab.of(Entra)
        self.subscriptions: dict[str, Subscription] = {}
        self.settings: dict[str, dict[str, Setting]] = {}  # lower target -> lower name -> setting
        self.entra_lost: set[str] = set()  # categories that the tenants offer no more
        self.entra_refused: set[str] = set()  # those that are offered, and refused in a setting
        self.entra_settings: dict[str, dict[str, Setting]] = {}  # tenant -> lower name -> setting
        self.locks: dict[str, dict[str, str]] = {}  # lower scope -> lock name -> CanNotDelete | ReadOnly
        self.assignments = Assignments(self.now, self.subscriptions)
        self.page_size = 1000
        self.definitions: dict[str, Definition] = {}  # of Lighthouse, by lower id
        self.delegations: dict[str, Delegation] = {}  # likewise
        self.managed_since: dict[tuple[str, str], float] = {}  # (subscription, managing tenant) -> when that counts
        self.namespaces: dict[str, Namespace] = {}  # what is in an Event Hubs namespace, by its lower id
        self.propagation = 0.0  # seconds until a role assignment counts, and a new principal may get one
        self.operation = 0.0  # seconds that a long-running operation of ARM takes
        self.aadiam_lag = 0.0  # seconds until a new setting of Entra is found
        self.events: list[Event] = []
        self.inventory = 0  # counts what may change an answer of Resource Graph
        # (lower target, lower workspace) -> (since, until) of logs that are no longer sent there
        self.ended: dict[tuple[str, str], tuple[float, float]] = {}
        # (lower workspace, subscription, lower type or target) -> when its records ceased, by edit
        self.stopped: dict[tuple[str, str, str], float] = {}
        # (lower workspace, subscription, lower type) -> since when only one of so many records comes, by edit
        self.thinned: dict[tuple[str, str, str], tuple[float, int]] = {}
        self.sent: dict[
            str, list[tuple[float, str]]
        ] = {}  # lower hub -> (when, body) of messages that are no setting's
        self.tables: dict[str, dict[str, Table]] = {}  # lower workspace -> name -> table, by edit
        self.kept: tuple[tuple[Any, ...], list[dict[str, Any]]] = ((), [])  # key and rows of the last query
        self.rendered: dict[str, bytes] = {}  # lower target -> answer to LIST, until the next write

    def tables_of(self, workspace: str) -> dict[str, Table]:
        return USUAL_TABLES | self.tables.get(workspace.lower(), {})

    def table_of(self, workspace: str, resource_type: str) -> str:
        """Where the records of a resource type go. assumed: the newest choice takes all of them."""
        held = self.tables_of(workspace)
        return next((name for name, one in held.items() if one.resource_type == resource_type), "AzureDiagnostics")

    # -- making things --------------------------------------------------------------------------------------------

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
            self.assignments.put(item)

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

    def contents(self, namespace: Resource) -> Namespace:
        """What is in an Event Hubs namespace. One of a scenario has the rules that its properties name."""
        low = namespace.id.lower()
        if low not in self.namespaces:
            found = self.namespaces[low] = Namespace()
            for name in namespace.properties.get("authorizationRules", [ROOT_RULE]):
                rights = ("Send",) if name == "send" else ALL_RIGHTS
                found.rules[name.lower()] = Rule(f"{namespace.id}/authorizationRules/{name}", name, rights)
        return self.namespaces[low]

    def busy(self, held: Namespace) -> bool:
        """Whether it is still being made, or on its way out."""
        return bool(held.going) or self.now() < held.made + self.operation

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
        """Home tenant, or delegated to the tenant by Lighthouse for so long that Azure has noticed."""
        managed = tenant in subscription.managed_by
        return tenant == subscription.tenant or (
            managed and self.now() >= self.managed_since.get((subscription.id, tenant), 0.0)
        )
