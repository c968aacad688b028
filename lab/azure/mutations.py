# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other people do to Azure while we are not looking.

put_setting         target, name, properties as in a PUT (no check of sinks, limit or conflicts); seeded
delete_setting      target, name
disable_category    target, name, category (a category or a group; the first enabled one when not given)
change_sink         target, name, workspace_id
add_resource        subscription, group, type, name, location, kind, sku (name), tags
remove_resource     id; keep_in_graph: true leaves it in Resource Graph and the list, as Azure does for a while;
                    its settings stay behind
lock                scope, level (CanNotDelete | ReadOnly), name
unlock              scope
subscription_state  subscription, state
register            subscription, provider       unregister   the same
assign_role         tenant, role, scope          unassign_role   the same; tenant is that of the service principal
remove_delegation   subscription                 the Lighthouse assignments of it and its groups
change_aadiam_setting  tenant, name, properties as in a PUT (no check of sinks, limit or conflicts); a new one, too
remove_aadiam_setting  tenant, name
lose_aadiam_category   category    no tenant offers it any more
refuse_aadiam_category category    it is offered, and a setting with it is refused (what a lack of a licence may do)
set_since           target, name, seconds_ago    when it began to send
stop_flow           subscription, resource_type (or a resource's id), workspace_id, seconds_ago    records ceased that
                    long ago
thin_flow           subscription, resource_type, workspace_id, seconds_ago, part    since then one of `part` comes
resume_flow         subscription, resource_type, workspace_id
send_to_hub         hub (its id), body (a text), ago    a message that no setting of Azure Monitor's sends
make_export         id (of an automation), hub, sources    somebody's continuous export
change_export       id, properties                somebody changes one
cloud_alert         resource (its id), ago        Defender for Cloud finds something, which is exported
table               workspace_id, name, plan (Analytics | Basic | Auxiliary), columns (its own), resource_type (whose
                    records go there from now on)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lab.azure import aadiam, automations, bodies, catalog
from lab.azure.assignments import ROOT
from lab.azure.delegating import derive
from lab.azure.diagnostics import kind_of
from lab.azure.model import Entry, Setting
from lab.azure.roles import named
from lab.azure.state import Azure, Table
from lab.entra.mutations import principals

PORTAL = "admin@portal.example"
Edit = dict[str, Any]


# -- settings ---------------------------------------------------------------------------------------------------------


def _find(azure: Azure, target: str, name: str) -> Setting:
    return azure.settings[target.lower()][name.lower()]


def _put_setting(azure: Azure, target: str, name: str, properties: Edit, seeded: bool = False) -> None:
    where = azure.target_type(target)
    if where is None:
        raise ValueError(f"there is no '{target}'")
    setting = bodies.parse(target, name, {"properties": properties}, kind_of(*where))
    setting.seeded = seeded
    azure.put_setting(setting)
    _log(azure, target, name, "write")


def _delete_setting(azure: Azure, target: str, name: str) -> None:
    if not azure.remove_setting(target, name):
        raise ValueError(f"there is no setting '{name}' on '{target}'")
    _log(azure, target, name, "delete")


def _disable_category(azure: Azure, target: str, name: str, category: str | None = None) -> None:
    old = _find(azure, target, name)
    victim = category or next(log.name for log in old.logs if log.enabled)
    if victim not in [log.name for log in old.logs]:
        raise ValueError(f"the setting has no entry '{victim}'")
    logs = [Entry(log.name, log.enabled and log.name != victim, log.group) for log in old.logs]
    azure.put_setting(_copy(old, logs=logs))
    _log(azure, target, name, "write")


def _change_sink(azure: Azure, target: str, name: str, workspace_id: str) -> None:
    azure.put_setting(_copy(_find(azure, target, name), workspace=workspace_id))
    _log(azure, target, name, "write")


def _copy(old: Setting, **changes: Any) -> Setting:
    values = {key: getattr(old, key) for key in Setting.__slots__} | changes
    return Setting(**values)


def _log(azure: Azure, target: str, name: str, verb: str) -> None:
    id_ = f"{target}/providers/Microsoft.Insights/diagnosticSettings/{name}"
    azure.log_event(target.lower().split("/")[2], f"Microsoft.Insights/diagnosticSettings/{verb}", id_, PORTAL)


# -- everything else --------------------------------------------------------------------------------------------------


def _add_resource(
    azure: Azure,
    subscription: str,
    group: str,
    type: str,
    name: str,
    location: str = "westeurope",
    sku: str | None = None,
    **more: Any,
) -> None:
    azure.add_resource(subscription, group, type, name, location, sku={"name": sku} if sku else None, **more)


def _remove_resource(azure: Azure, id: str, keep_in_graph: bool = False) -> None:
    found = azure.resource(id)
    if found is None:
        raise ValueError(f"there is no '{id}'")
    found.gone = True
    if not keep_in_graph:
        del azure.subscriptions[found.subscription].resources[id.lower()]


def _lock(azure: Azure, scope: str, level: str = "CanNotDelete", name: str = "lab-lock") -> None:
    if level not in ("CanNotDelete", "ReadOnly"):
        raise ValueError("level must be CanNotDelete or ReadOnly")
    azure.locks.setdefault(scope.lower(), {})[name] = level


def _unlock(azure: Azure, scope: str) -> None:
    del azure.locks[scope.lower()]


def _state(azure: Azure, subscription: str, state: str) -> None:
    azure.subscriptions[subscription].state = state


def _register(azure: Azure, subscription: str, provider: str = "microsoft.insights") -> None:
    azure.subscriptions[subscription].unregistered.discard(provider.lower())


def _unregister(azure: Azure, subscription: str, provider: str = "microsoft.insights") -> None:
    azure.subscriptions[subscription].unregistered.add(provider.lower())


def _principal(azure: Azure, tenant: str) -> str:
    return principals(azure.entra, tenant)[0].oid


def _assign(azure: Azure, tenant: str, role: str, scope: str) -> None:
    azure.assign(_principal(azure, tenant), role, scope, "" if scope.lower().startswith("/subscriptions/") else tenant)


def _unassign(azure: Azure, tenant: str, role: str, scope: str) -> None:
    oid, low = _principal(azure, tenant), scope.lower().rstrip("/") or ROOT
    held = azure.assignments.held.values()
    gone = [item for item in held if (item.principal, item.role, item.low) == (oid, role, low)]
    if not gone:
        raise ValueError(f"the principal has no role '{role}' at '{scope}'")
    for item in gone:
        if item.delegation:
            definition = azure.definitions[azure.delegations[item.delegation].definition]
            given = definition.authorizations
            definition.authorizations = [
                one for one in given if (named(one["roleDefinitionId"]), one["principalId"].lower()) != (role, oid)
            ]
    azure.assignments.drop(*gone)


def _remove_delegation(azure: Azure, subscription: str) -> None:
    """The customer's way to end it: the assignments go, the definitions stay."""
    prefix = f"/subscriptions/{subscription}/"
    gone = [id_ for id_ in azure.delegations if id_.startswith(prefix)]
    if not gone:
        raise ValueError(f"nothing of the subscription '{subscription}' is delegated")
    for id_ in gone:
        del azure.delegations[id_]
    derive(azure)


def _change_aadiam(azure: Azure, tenant: str, name: str, properties: Edit) -> None:
    setting = bodies.parse(aadiam.TARGET, name, {"properties": properties}, aadiam.KIND)
    azure.put_entra_setting(tenant, setting)


def _remove_aadiam(azure: Azure, tenant: str, name: str) -> None:
    del azure.entra_settings[tenant][name.lower()]


def _lose_aadiam_category(azure: Azure, category: str) -> None:
    azure.entra_lost.add(category)


def _refuse_aadiam_category(azure: Azure, category: str) -> None:
    azure.entra_refused.add(category)


def _set_since(azure: Azure, target: str, name: str, seconds_ago: float) -> None:
    setting = _find(azure, target, name)
    setting.since = setting.written = azure.now() - seconds_ago


def _stop_flow(azure: Azure, subscription: str, resource_type: str, workspace_id: str, seconds_ago: float = 0) -> None:
    azure.stopped[workspace_id.lower(), subscription, resource_type.lower()] = azure.now() - seconds_ago


def _thin_flow(
    azure: Azure, subscription: str, resource_type: str, workspace_id: str, part: int, seconds_ago: float = 0
) -> None:
    azure.thinned[workspace_id.lower(), subscription, resource_type.lower()] = (azure.now() - seconds_ago, part)


def _resume_flow(azure: Azure, subscription: str, resource_type: str, workspace_id: str) -> None:
    del azure.stopped[workspace_id.lower(), subscription, resource_type.lower()]


def _table(
    azure: Azure, workspace_id: str, name: str, plan: str = "Analytics", columns: Iterable[str] = (),
    resource_type: str = "",
) -> None:  # fmt: skip
    held = azure.tables.setdefault(workspace_id.lower(), {})
    held[name] = Table(plan, tuple(columns), resource_type.lower())


def _send_to_hub(azure: Azure, hub: str, body: str, ago: float = 0.0) -> None:
    azure.sent.setdefault(hub.lower(), []).append((azure.now() - ago, body))


def _make_export(azure: Azure, id: str, hub: str, sources: list[str]) -> None:
    parts = id.split("/")
    action = {"actionType": "EventHub", "eventHubResourceId": hub, "sasPolicyName": "theirs"}
    made = azure.resource(id) or azure.add_resource(parts[2], parts[4], automations.TYPE, parts[8], "westeurope")
    made.properties = {
        "isEnabled": True,
        "scopes": [{"scopePath": "/".join(parts[:3])}],
        "sources": [{"eventSource": one, "ruleSets": []} for one in sources],
        "actions": [action],
    }


def _change_export(azure: Azure, id: str, **properties: Any) -> None:
    found = azure.resource(id)
    assert found is not None
    found.properties.update(properties)


def _cloud_alert(azure: Azure, resource: str, ago: float = 0.0) -> None:
    for hub in automations.hubs_of(azure, resource, "Alerts"):
        _send_to_hub(azure, hub, automations.alert(resource), ago)


_CHANGES: dict[str, Callable[..., None]] = {
    "make_export": _make_export,
    "change_export": _change_export,
    "cloud_alert": _cloud_alert,
    "send_to_hub": _send_to_hub,
    "put_setting": _put_setting,
    "delete_setting": _delete_setting,
    "disable_category": _disable_category,
    "change_sink": _change_sink,
    "add_resource": _add_resource,
    "remove_resource": _remove_resource,
    "lock": _lock,
    "unlock": _unlock,
    "subscription_state": _state,
    "register": _register,
    "unregister": _unregister,
    "assign_role": _assign,
    "unassign_role": _unassign,
    "remove_delegation": _remove_delegation,
    "change_aadiam_setting": _change_aadiam,
    "remove_aadiam_setting": _remove_aadiam,
    "lose_aadiam_category": _lose_aadiam_category,
    "refuse_aadiam_category": _refuse_aadiam_category,
    "set_since": _set_since,
    "stop_flow": _stop_flow,
    "thin_flow": _thin_flow,
    "resume_flow": _resume_flow,
    "table": _table,
}


def _counted(change: Callable[..., None]) -> Callable[..., None]:
    """A change of what Resource Graph may have answered."""

    def made(azure: Azure, **fields: Any) -> None:
        change(azure, **fields)
        azure.inventory += 1

    return made


MUTATIONS = {name: _counted(change) for name, change in _CHANGES.items()}


# -- the canned set ---------------------------------------------------------------------------------------------------


def drift(azure: Azure) -> list[Edit]:
    """Four edits per customer tenant that has four onboarded targets, always the same for the same world.

    deleted setting, changed sink, disabled category, and a foreign setting beside ours to the customer's own workspace.
    """
    done = []
    for tenant in list(azure.entra.tenants.values()):
        ours, own = _ours(azure, tenant.id), _workspace(azure, tenant.id)
        if len(ours) < 4 or own is None:
            continue
        deleted, moved, off, beside = (ours[len(ours) * part // 4] for part in range(4))
        foreign = {"workspaceId": own, "logs": [_first_log(azure, beside.target)]}
        edits: list[Edit] = [
            {"edit": "delete_setting", "target": deleted.target, "name": deleted.name},
            {"edit": "change_sink", "target": moved.target, "name": moved.name, "workspace_id": own},
            {"edit": "disable_category", "target": off.target, "name": off.name},
            {"edit": "put_setting", "target": beside.target, "name": "troubleshooting", "properties": foreign},
        ]
        for edit in edits:
            MUTATIONS[edit["edit"]](azure, **{name: value for name, value in edit.items() if name != "edit"})
            done.append(edit | {"tenant": tenant.slug})
    return done


def _ours(azure: Azure, tenant: str) -> list[Setting]:
    """What was onboarded on resources that have no other setting, so that no edit makes a state Azure would refuse."""
    alone = [next(iter(held.values())) for held in azure.settings.values() if len(held) == 1]
    return sorted(
        (
            setting
            for setting in alone
            if not setting.seeded
            and setting.sends_to()
            and setting.target.count("/") > 2
            and _tenant(azure, setting.target) == tenant
        ),
        key=lambda setting: setting.target,
    )


def _tenant(azure: Azure, target: str) -> str:
    return azure.subscriptions[target.lower().split("/")[2]].tenant


def _workspace(azure: Azure, tenant: str) -> str | None:
    """A workspace of the tenant's own."""
    for sub in azure.subscriptions.values():
        for item in sub.resources.values():
            if sub.tenant == tenant and item.type.lower() == "microsoft.operationalinsights/workspaces":
                return item.id
    return None


def _first_log(azure: Azure, target: str) -> Edit:
    where = azure.target_type(target)
    kind = kind_of(*where) if where else catalog.UNSUPPORTED
    return {"category": next(iter(kind.logs)), "enabled": True}
