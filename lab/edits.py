# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""«Portal edits»: what other people do to the world while we are not looking. Each is a mapping with `edit` and fields.

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
remove_principal    tenant                       takes back the consent
revoke_permission   tenant, resource (a key of directory_roles.RESOURCES), permission (its name)
expire_secret, remove_secret, expire_certificate of the apps
change_aadiam_setting  tenant, name, properties as in a PUT (no check of sinks, limit or conflicts); a new one, too
remove_aadiam_setting  tenant, name
set_since           target, name, seconds_ago    when it began to send
stop_flow           subscription, resource_type, workspace_id, seconds_ago    records ceased that long ago
resume_flow         subscription, resource_type, workspace_id
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab import aadiam, bodies, catalog
from lab.assignments import ROOT
from lab.delegations import derive
from lab.diagnostics import kind_of
from lab.directory import ServicePrincipal
from lab.directory_roles import RESOURCES, ids
from lab.generator import YEAR
from lab.roles import named
from lab.world import Entry, Setting, World

PORTAL = "admin@portal.example"
Edit = dict[str, Any]


def apply(world: World, edit: Edit) -> Edit:
    """Make one edit; gives it back. Raises ValueError or KeyError naming what is missing."""
    fields = dict(edit)
    name = fields.pop("edit", None)
    if name not in _EDITS:
        raise ValueError(f"edit must be one of {sorted(_EDITS)}, not {name!r}")
    _EDITS[name](world, **fields)
    world.inventory += 1
    return edit


# -- settings ---------------------------------------------------------------------------------------------------------


def _find(world: World, target: str, name: str) -> Setting:
    return world.settings[target.lower()][name.lower()]


def _put_setting(world: World, target: str, name: str, properties: Edit, seeded: bool = False) -> None:
    where = world.target_type(target)
    if where is None:
        raise ValueError(f"there is no '{target}'")
    setting = bodies.parse(target, name, {"properties": properties}, kind_of(*where))
    setting.seeded = seeded
    world.put_setting(setting)
    _log(world, target, name, "write")


def _delete_setting(world: World, target: str, name: str) -> None:
    if not world.remove_setting(target, name):
        raise ValueError(f"there is no setting '{name}' on '{target}'")
    _log(world, target, name, "delete")


def _disable_category(world: World, target: str, name: str, category: str | None = None) -> None:
    old = _find(world, target, name)
    victim = category or next(log.name for log in old.logs if log.enabled)
    if victim not in [log.name for log in old.logs]:
        raise ValueError(f"the setting has no entry '{victim}'")
    logs = [Entry(log.name, log.enabled and log.name != victim, log.group) for log in old.logs]
    world.put_setting(_copy(old, logs=logs))
    _log(world, target, name, "write")


def _change_sink(world: World, target: str, name: str, workspace_id: str) -> None:
    world.put_setting(_copy(_find(world, target, name), workspace=workspace_id))
    _log(world, target, name, "write")


def _copy(old: Setting, **changes: Any) -> Setting:
    values = {key: getattr(old, key) for key in Setting.__slots__} | changes
    return Setting(**values)


def _log(world: World, target: str, name: str, verb: str) -> None:
    id_ = f"{target}/providers/Microsoft.Insights/diagnosticSettings/{name}"
    world.log_event(target.lower().split("/")[2], f"Microsoft.Insights/diagnosticSettings/{verb}", id_, PORTAL)


# -- everything else --------------------------------------------------------------------------------------------------


def _add_resource(
    world: World,
    subscription: str,
    group: str,
    type: str,
    name: str,
    location: str = "westeurope",
    sku: str | None = None,
    **more: Any,
) -> None:
    world.add_resource(subscription, group, type, name, location, sku={"name": sku} if sku else None, **more)


def _remove_resource(world: World, id: str, keep_in_graph: bool = False) -> None:
    found = world.resource(id)
    if found is None:
        raise ValueError(f"there is no '{id}'")
    found.gone = True
    if not keep_in_graph:
        del world.subscriptions[found.subscription].resources[id.lower()]


def _lock(world: World, scope: str, level: str = "CanNotDelete", name: str = "lab-lock") -> None:
    if level not in ("CanNotDelete", "ReadOnly"):
        raise ValueError("level must be CanNotDelete or ReadOnly")
    world.locks.setdefault(scope.lower(), {})[name] = level


def _unlock(world: World, scope: str) -> None:
    del world.locks[scope.lower()]


def _state(world: World, subscription: str, state: str) -> None:
    world.subscriptions[subscription].state = state


def _register(world: World, subscription: str, provider: str = "microsoft.insights") -> None:
    world.subscriptions[subscription].unregistered.discard(provider.lower())


def _unregister(world: World, subscription: str, provider: str = "microsoft.insights") -> None:
    world.subscriptions[subscription].unregistered.add(provider.lower())


def _principals(world: World, tenant: str) -> list[ServicePrincipal]:
    """Those of the lab's apps, not of Microsoft's."""
    return [one for one in world.directory.of(tenant) if one.app_id in world.apps]


def _principal(world: World, tenant: str) -> str:
    return _principals(world, tenant)[0].oid


def _assign(world: World, tenant: str, role: str, scope: str) -> None:
    world.assign(_principal(world, tenant), role, scope, "" if scope.lower().startswith("/subscriptions/") else tenant)


def _unassign(world: World, tenant: str, role: str, scope: str) -> None:
    oid, low = _principal(world, tenant), scope.lower().rstrip("/") or ROOT
    held = world.assignments.held.values()
    gone = [item for item in held if (item.principal, item.role, item.low) == (oid, role, low)]
    if not gone:
        raise ValueError(f"the principal has no role '{role}' at '{scope}'")
    for item in gone:
        if item.delegation:
            definition = world.definitions[world.delegations[item.delegation].definition]
            given = definition.authorizations
            definition.authorizations = [
                one for one in given if (named(one["roleDefinitionId"]), one["principalId"].lower()) != (role, oid)
            ]
    world.assignments.drop(world, *gone)


def _remove_delegation(world: World, subscription: str) -> None:
    """The customer's way to end it: the assignments go, the definitions stay."""
    prefix = f"/subscriptions/{subscription}/"
    gone = [id_ for id_ in world.delegations if id_.startswith(prefix)]
    if not gone:
        raise ValueError(f"nothing of the subscription '{subscription}' is delegated")
    for id_ in gone:
        del world.delegations[id_]
    derive(world)


def _change_aadiam(world: World, tenant: str, name: str, properties: Edit) -> None:
    setting = bodies.parse(aadiam.TARGET, name, {"properties": properties}, aadiam.KIND)
    world.put_entra_setting(tenant, setting)


def _remove_aadiam(world: World, tenant: str, name: str) -> None:
    del world.entra_settings[tenant][name.lower()]


def _remove_principal(world: World, tenant: str) -> None:
    for principal in _principals(world, tenant):
        world.directory.remove(principal)


def _revoke_permission(world: World, tenant: str, resource: str, permission: str) -> None:
    app_id = RESOURCES[resource].app_id
    role_id = ids(app_id, world.tenants[tenant].other_guids)[permission]
    for principal in _principals(world, tenant):
        for grant in list(principal.grants.values()):
            if (grant.resource, grant.role_id) == (app_id, role_id):
                del principal.grants[grant.id]


def _expire_secret(world: World) -> None:
    for app in world.apps.values():
        for secret in app.secrets:
            secret.expires = world.now() - YEAR


def _expire_certificate(world: World) -> None:
    for app in world.apps.values():
        for key in app.certificates:
            key.expires = world.now() - 86400


def _remove_secret(world: World) -> None:
    for app in world.apps.values():
        app.secrets.clear()


def _set_since(world: World, target: str, name: str, seconds_ago: float) -> None:
    setting = _find(world, target, name)
    setting.since = setting.written = world.now() - seconds_ago


def _stop_flow(world: World, subscription: str, resource_type: str, workspace_id: str, seconds_ago: float = 0) -> None:
    world.stopped[workspace_id.lower(), subscription, resource_type.lower()] = world.now() - seconds_ago


def _resume_flow(world: World, subscription: str, resource_type: str, workspace_id: str) -> None:
    del world.stopped[workspace_id.lower(), subscription, resource_type.lower()]


_EDITS: dict[str, Callable[..., None]] = {
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
    "remove_principal": _remove_principal,
    "revoke_permission": _revoke_permission,
    "expire_secret": _expire_secret,
    "expire_certificate": _expire_certificate,
    "remove_secret": _remove_secret,
    "set_since": _set_since,
    "stop_flow": _stop_flow,
    "resume_flow": _resume_flow,
}


# -- the canned set ---------------------------------------------------------------------------------------------------


def drift(world: World) -> list[Edit]:
    """Four edits per customer tenant that has four onboarded targets, always the same for the same world.

    deleted setting, changed sink, disabled category, and a foreign setting beside ours to the customer's own workspace.
    """
    done = []
    for tenant in list(world.tenants.values()):
        ours, own = _ours(world, tenant.id), _workspace(world, tenant.id)
        if len(ours) < 4 or own is None:
            continue
        deleted, moved, off, beside = (ours[len(ours) * part // 4] for part in range(4))
        foreign = {"workspaceId": own, "logs": [_first_log(world, beside.target)]}
        edits: list[Edit] = [
            {"edit": "delete_setting", "target": deleted.target, "name": deleted.name},
            {"edit": "change_sink", "target": moved.target, "name": moved.name, "workspace_id": own},
            {"edit": "disable_category", "target": off.target, "name": off.name},
            {"edit": "put_setting", "target": beside.target, "name": "troubleshooting", "properties": foreign},
        ]
        done += [apply(world, edit) | {"tenant": tenant.slug} for edit in edits]
    return done


def _ours(world: World, tenant: str) -> list[Setting]:
    """What was onboarded on resources that have no other setting, so that no edit makes a state Azure would refuse."""
    alone = [next(iter(held.values())) for held in world.settings.values() if len(held) == 1]
    return sorted(
        (
            setting
            for setting in alone
            if not setting.seeded
            and setting.sends_to()
            and setting.target.count("/") > 2
            and _tenant(world, setting.target) == tenant
        ),
        key=lambda setting: setting.target,
    )


def _tenant(world: World, target: str) -> str:
    return world.subscriptions[target.lower().split("/")[2]].tenant


def _workspace(world: World, tenant: str) -> str | None:
    """A workspace of the tenant's own."""
    for sub in world.subscriptions.values():
        for item in sub.resources.values():
            if sub.tenant == tenant and item.type.lower() == "microsoft.operationalinsights/workspaces":
                return item.id
    return None


def _first_log(world: World, target: str) -> Edit:
    where = world.target_type(target)
    kind = kind_of(*where) if where else catalog.UNSUPPORTED
    return {"category": next(iter(kind.logs)), "enabled": True}
