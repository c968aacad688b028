# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.Insights/diagnosticSettings and diagnosticSettingsCategories on every scope (facts azure.md §2)."""

from __future__ import annotations

from lab.azure import bodies, catalog, sinks
from lab.azure.bodies import json_object
from lab.azure.catalog import Kind
from lab.azure.model import Resource, Setting, Subscription
from lab.azure.rbac import require
from lab.azure.state import Azure
from lab.kernel.http import Call, Handler, Reply, dumps, flat, nested, ok

SETTINGS_VERSIONS = frozenset({"2021-05-01-preview", "2017-05-01-preview", "2016-09-01", "2015-07-01"})
CATEGORIES_VERSIONS = frozenset({"2021-05-01-preview", "2017-05-01-preview"})
LIMIT = 5
_ACTION = "Microsoft.Insights/diagnosticSettings/"


def list_settings(azure: Azure, call: Call) -> Reply:
    target = _enter(azure, call, "read")
    body = azure.rendered.get(target)
    if body is None:
        kind, _ = _supported(azure, call)
        found = azure.settings.get(target, {}).values()
        body = azure.rendered[target] = dumps({"value": [bodies.render(setting, kind) for setting in found]})
    return Reply(200, body)


def get_setting(azure: Azure, call: Call) -> Reply:
    target = _enter(azure, call, "read")
    kind, _ = _supported(azure, call)
    setting = azure.settings.get(target, {}).get(call.name.lower())
    if setting is None:
        raise flat(404, "ResourceNotFound", f"The diagnostic setting '{call.name}' doesn't exist.")
    return ok(bodies.render(setting, kind))


def put_setting(azure: Azure, call: Call) -> Reply:
    target = _enter(azure, call, "write")
    writable(azure, call)
    _unlocked(azure, call, {"ReadOnly"}, "write")
    kind, resource = _supported(azure, call)
    setting = bodies.parse(call.scope, call.name, json_object(call), kind)
    sinks.check(azure, call, setting, resource)
    present = azure.settings.get(target, {})
    check_limit(present, call.name)
    check_conflict(present, setting, kind)
    if target.isascii():  # else the setting disappears: learn.microsoft.com, diagnostic-settings, limitations
        azure.put_setting(setting)
    _record(azure, call, "write")
    return ok(bodies.render(setting, kind, after_put=True))


def delete_setting(azure: Azure, call: Call) -> Reply:
    target = _enter(azure, call, "delete")  # in a disabled subscription, too: learn.microsoft.com «subscription-states»
    _unlocked(azure, call, {"ReadOnly", "CanNotDelete"}, "delete")
    _supported(azure, call)
    if not azure.remove_setting(target, call.name):
        return Reply(204)
    _record(azure, call, "delete")
    return Reply(200)


def list_categories(azure: Azure, call: Call) -> Reply:
    kind = _enter_categories(azure, call)
    return ok({"value": [_category(call, kind, name) for name in (*kind.logs, *kind.metrics)]})


def get_category(azure: Azure, call: Call) -> Reply:
    kind = _enter_categories(azure, call)
    for name in (*kind.logs, *kind.metrics):
        if name.lower() == call.name.lower():
            return ok(_category(call, kind, name))
    raise flat(404, "NotFound", f"Category '{call.name}' is not found.")


def _category(call: Call, kind: Kind, name: str) -> dict[str, object]:
    logs = name in kind.logs
    return {
        "id": f"{call.scope.lower()}/providers/microsoft.insights/diagnosticSettingsCategories/{name}",
        "type": "microsoft.insights/diagnosticSettingsCategories",
        "name": name,
        "location": None,
        "kind": None,
        "tags": None,
        "properties": {
            "categoryType": "Logs" if logs else "Metrics",
            "categoryGroups": list(kind.logs[name]) if logs else None,
        },
        "identity": None,
    }


# -- the way in -------------------------------------------------------------------------------------------------------


def _enter(azure: Azure, call: Call, verb: str) -> str:
    """Checks in Azure's order: version, right, target, provider. Gives the lower-cased target."""
    check_version(call, SETTINGS_VERSIONS, "diagnosticSettings")
    require(azure, call.who, _ACTION + verb, call.scope)
    target = call.scope.lower()
    exists(azure, call)
    if "microsoft.insights" in subscription_of(azure, target).unregistered:  # azure-sdk-for-net#17836
        raise flat(
            409, "Conflict", f"The subscription '{target.split('/')[2]}' is not registered to use microsoft.insights."
        )
    return target


def _enter_categories(azure: Azure, call: Call) -> Kind:
    check_version(call, CATEGORIES_VERSIONS, "diagnosticSettingsCategories")
    require(azure, call.who, "Microsoft.Insights/diagnosticSettingsCategories/read", call.scope)
    type_, resource = exists(azure, call)
    target = call.scope.lower()
    if "microsoft.insights" in subscription_of(azure, target).unregistered:  # AzGovViz#126
        raise nested(
            409,
            "AuthorizationFailed",
            f"Please register the subscription '{target.split('/')[2]}' with Microsoft.Insights.",
        )
    if type_ == catalog.SUBSCRIPTION:
        raise flat(400, "ResourceTypeNotSupported", "The resource type '/' does not support diagnostic settings.")
    kind = kind_of(type_, resource)
    if not kind.categories_answer:
        raise flat(
            400, "ResourceTypeNotSupported", f"The resource type '{type_}' does not support diagnostic settings."
        )
    return kind


def check_version(call: Call, versions: frozenset[str], what: str, namespace: str = "Microsoft.Insights") -> None:
    version = call.query.get("api-version")
    if not version:
        raise nested(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if version not in versions:
        raise nested(
            400,
            "InvalidResourceType",
            f"The resource type '{what}' could not be found in the namespace '{namespace}' for api version "
            f"'{version}'. The supported api-versions are '{','.join(sorted(versions))}'.",
        )


def exists(azure: Azure, call: Call) -> tuple[str, Resource | None]:
    """(type, resource) of the target, or Azure's 404 for the group or the resource."""
    found = azure.target_type(call.scope)
    if found is not None:
        return found
    parts = call.scope.split("/")
    group = parts[4] if len(parts) > 4 else ""
    if group and group.lower() not in subscription_of(azure, call.scope).groups:
        raise nested(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
    named = "/".join(parts[6:])
    raise nested(
        404,
        "ResourceNotFound",
        f"The Resource '{named}' under resource group '{group}' was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    )


def kind_of(type_: str, resource: Resource | None) -> Kind:
    if resource is None or type_.startswith(catalog.STORAGE):
        return catalog.find(type_)
    return catalog.find(type_, resource.kind, str((resource.sku or {}).get("name", "")))


def subscription_of(azure: Azure, scope: str) -> Subscription:
    return azure.subscriptions[scope.lower().split("/", 3)[2]]


def _supported(azure: Azure, call: Call) -> tuple[Kind, Resource | None]:
    type_, resource = exists(azure, call)
    kind = kind_of(type_, resource)
    if not kind.supported:
        raise flat(
            400, "ResourceTypeNotSupported", f"The resource type '{type_}' does not support diagnostic settings."
        )
    return kind, resource


# -- rules of writing -------------------------------------------------------------------------------------------------


def writable(azure: Azure, call: Call) -> None:
    subscription = subscription_of(azure, call.scope)
    if subscription.state not in ("Enabled", "PastDue"):
        raise nested(
            409,
            "ReadOnlyDisabledSubscription",
            f"The subscription '{subscription.id}' is disabled and therefore marked as read only. You cannot perform "
            "any "
            "write actions on this subscription until it is re-enabled.",
        )


def _unlocked(azure: Azure, call: Call, levels: set[str], verb: str) -> None:
    held = [name for name, level in azure.lock_on(call.scope).items() if level in levels]
    if held:
        scope = f"{call.scope}/providers/Microsoft.Insights/diagnosticSettings/{call.name}"
        raise nested(
            409,
            "ScopeLocked",
            f"The scope '{scope}' cannot perform {verb} operation because following scope(s) are locked: "
            f"'{','.join(sorted(held))}'. Please remove the lock and try again.",
        )


def check_limit(present: dict[str, Setting], name: str) -> None:
    if name.lower() not in present and len(present) >= LIMIT:  # terraform-provider-azurerm#27801
        raise flat(
            409,
            "Conflict",
            f"The limit of {LIMIT} diagnostic settings was reached. To create a new one, delete "
            "an existing diagnostic setting.",
        )


def check_conflict(present: dict[str, Setting], setting: Setting, kind: Kind) -> None:
    wanted = bodies.enabled(setting, kind)
    mine = {sink.lower().strip("/"): sink for sink in setting.sinks()}
    for name, other in present.items():
        shared = [mine[sink.lower().strip("/")] for sink in other.sinks() if sink.lower().strip("/") in mine]
        both = sorted(wanted & bodies.enabled(other, kind)) if shared else []
        if both and name != setting.name.lower():  # terraform-azurerm-avm-ptn-aiml-landing-zone#19
            raise flat(
                409,
                "Conflict",
                f"Data sink '{shared[0]}' is already used in diagnostic setting '{other.name}' for category "
                f"'{both[0]}'. "
                "Data sinks can't be reused in different settings on the same category for the same resource.",
            )


def _record(azure: Azure, call: Call, verb: str) -> None:
    id_ = f"{call.scope}/providers/Microsoft.Insights/diagnosticSettings/{call.name}"
    azure.log_event(call.low.split("/", 3)[2], f"Microsoft.Insights/diagnosticSettings/{verb}", id_, call.who.appid)


ROUTES: dict[tuple[str, bool], dict[str, tuple[str, Handler]]] = {
    ("microsoft.insights/diagnosticsettings", False): {"GET": ("settings.list", list_settings)},
    ("microsoft.insights/diagnosticsettings", True): {
        "GET": ("settings.get", get_setting),
        "PUT": ("settings.put", put_setting),
        "DELETE": ("settings.delete", delete_setting),
    },
    ("microsoft.insights/diagnosticsettingscategories", False): {"GET": ("categories.list", list_categories)},
    ("microsoft.insights/diagnosticsettingscategories", True): {"GET": ("categories.get", get_category)},
}
