# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscriptions of a scenario: its keys `subscriptions`, `roles`, `settings`; lab/scenarios/fleet.yml explains them.

`generated` is of scenarios that are only a size: subscriptions with so many resources, made by themselves.
"""

from __future__ import annotations

import uuid
from typing import Any

from lab.azure import bodies, catalog, delegating, roles
from lab.azure.assignments import ROOT
from lab.azure.model import Setting, Subscription
from lab.azure.state import Azure
from lab.entra.scenario import slugs_of
from lab.entra.state import NAMESPACE
from lab.kernel.registration import Scenario

# Types of generated resources, in turn: each is one target with log categories, and is made by itself.
_TURN = (
    "Microsoft.KeyVault/vaults",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/applicationGateways",
    "Microsoft.ContainerService/managedClusters",
    "Microsoft.Network/azureFirewalls",
    "Microsoft.Network/frontdoors",
    "Microsoft.Cdn/profiles",
    "Microsoft.Cdn/cdnWebApplicationFirewallPolicies",
    "Microsoft.Web/sites",
)
_SKUS = {"Microsoft.Cdn/profiles": "Premium_AzureFrontDoor", "Microsoft.Network/applicationGateways": "WAF_v2"}


def load(azure: Azure, text: Scenario) -> None:
    slugs = slugs_of(text)
    for item in text.get("subscriptions", []):
        _subscription(azure, item, slugs)
    for item in text.get("roles", []):
        oid = azure.entra.directory.held[slugs[item["principal"]], text["apps"][0]["client_id"]].oid
        for scope in item["scopes"]:
            azure.assign(oid, item["role"], scope)
    for item in text.get("settings", []):
        seed_setting(azure, item)
    for item in text.get("generated", []):
        _generated(azure, text, **item)
    delegating.seed(azure)
    _administrators(azure)


def _administrators(azure: Azure) -> None:
    """Each tenant's global administrator owns its subscriptions and may give access to all."""
    user_oid = azure.entra.user_oid
    for tenant in azure.entra.tenants:
        azure.assign(user_oid(tenant), roles.ACCESS, ROOT, tenant=tenant, principal_type="User")
    for sub in azure.subscriptions.values():
        azure.assign(user_oid(sub.tenant), roles.OWNER, f"/subscriptions/{sub.id}", principal_type="User")


def _subscription(azure: Azure, item: dict[str, Any], slugs: dict[str, str]) -> None:
    sub = Subscription(
        item["id"],
        item["name"],
        slugs[item["tenant"]],
        item.get("state", "Enabled"),
        [slugs[slug] for slug in item.get("managed_by", [])],
    )
    azure.subscriptions[sub.id] = sub
    for group, types in item["groups"].items():
        name, _, location = group.partition("@")
        azure.add_group(sub.id, name, location)
        for type_, entries in (types or {}).items():
            for entry in entries:
                _resource(azure, sub.id, name, type_, location, entry)


def _resource(azure: Azure, sub: str, group: str, type_: str, location: str, entry: str | dict[str, Any]) -> None:
    """An entry is a name, or a mapping with `name` and kind, sku (its name), location, tags, properties, children."""
    more: dict[str, Any] = {"name": entry} if isinstance(entry, str) else dict(entry)
    name, children = more.pop("name"), more.pop("children", {})
    place = more.pop("location", location)
    if "sku" in more:
        more["sku"] = {"name": more["sku"]}
    properties = more["properties"] = dict(more.get("properties", {}))
    if type_.lower() == "microsoft.operationalinsights/workspaces":
        properties.setdefault("customerId", str(uuid.uuid5(NAMESPACE, f"{sub}/{name}")))
    azure.add_resource(sub, group, type_, name, place, **more)
    for child, entries in children.items():
        for item in entries:
            inner = {"name": item} if isinstance(item, str) else dict(item)
            inner["name"] = f"{name}/{inner['name']}"
            _resource(azure, sub, group, f"{type_}/{child}", place, inner)


def seed_setting(azure: Azure, item: dict[str, Any]) -> Setting:
    """A setting that is there from the start: {target, name, properties as in a PUT, age_days}."""
    found = azure.target_type(item["target"])
    if found is None:
        raise ValueError(f"the scenario has no '{item['target']}'")
    type_, resource = found
    kind = (
        catalog.find(type_, resource.kind, str((resource.sku or {}).get("name", "")))
        if resource
        else catalog.find(type_)
    )
    setting = bodies.parse(item["target"], item["name"], {"properties": item["properties"]}, kind)
    azure.put_setting(setting)
    setting.seeded = True
    setting.written = setting.since = azure.now() - 86400.0 * item.get("age_days", 90)
    return setting


# -- generated worlds -------------------------------------------------------------------------------------------------


def _generated(azure: Azure, text: Scenario, tenant: str, name: str, sizes: list[int]) -> None:
    """Subscriptions of a tenant, in which its principal may write settings. The n-th one's id ends in n (decimal)."""
    oid = azure.entra.directory.held[tenant, text["apps"][0]["client_id"]].oid
    for number, size in enumerate(sizes, 1):
        id_ = f"{tenant[:24]}{number:012d}"
        azure.subscriptions[id_] = Subscription(id_, f"{name}-{number:03d}", tenant)
        azure.assign(oid, "Monitoring Contributor", f"/subscriptions/{id_}")
        _fill(azure, id_, number, size)


def _fill(azure: Azure, subscription: str, number: int, size: int) -> None:
    for index in range(size):
        type_ = _TURN[index % len(_TURN)]
        kind = type_.rsplit("/", 1)[1].lower()
        azure.add_resource(
            subscription,
            f"rg-{index // 100:03d}",
            type_,
            f"{kind}-{number:03d}-{index:05d}",
            "westeurope",
            sku={"name": _SKUS[type_]} if type_ in _SKUS else None,
            kind="app" if kind == "sites" else "",
        )
