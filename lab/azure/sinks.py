# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Destinations of a setting: the caller's right to use them across tenants, their existence, their region.

Linked authorization: learn.microsoft.com authenticate-multi-tenant and facts azure.md §2.3, §4.1. It is ARM's, so it
comes before anything that the resource provider looks at.
"""

from __future__ import annotations

from collections.abc import Iterator

from lab.azure.model import Resource, Setting
from lab.azure.rbac import linked_no_right, linked_no_tenant, may
from lab.azure.state import Azure
from lab.kernel.http import Call, Principal, flat, nested

_WRITE = "Microsoft.Insights/diagnosticSettings/write"
_WORKSPACE = "Microsoft.OperationalInsights/workspaces/sharedKeys/action"
_STORAGE = "Microsoft.Storage/storageAccounts/listKeys/action"
_EVENT_HUB = "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action"
MAX_AUXILIARY = 3


def check(azure: Azure, call: Call, setting: Setting, target: Resource | None, write: str = _WRITE) -> None:
    """Raises what Azure answers when a sink cannot be used."""
    for sink, action in _actions(setting):
        _authorized(azure, call, sink, action, write)
    for sink, _action in _actions(setting):
        resource = _existing(azure, sink)
        regional = target is not None and target.location not in ("", "global")
        if sink != setting.workspace and sink != setting.partner and regional and target is not None:
            _same_region(target, resource, setting.target)
        if sink == setting.storage and str((resource.sku or {}).get("name", "")).startswith("Premium"):
            raise flat(400, "BadRequest", f"Storage account '{sink}' is a premium account, which is not supported.")


def _actions(setting: Setting) -> Iterator[tuple[str, str]]:
    """(sink, what the caller must be allowed to do with it)"""
    if setting.workspace:
        yield setting.workspace, _WORKSPACE
    if setting.storage:
        yield setting.storage, _STORAGE
    if setting.event_hub_rule:
        yield setting.event_hub_rule, _EVENT_HUB
    if setting.partner:
        yield setting.partner, "/".join(setting.partner.strip("/").split("/")[5:7]) + "/read"


def auxiliary(azure: Azure, call: Call) -> list[Principal]:
    """Principals of the auxiliary tokens. All must be valid, and there may be three."""
    header = call.headers.get("x-ms-authorization-auxiliary")
    if not header:
        return []
    tokens = [part.strip() for part in header.split(",") if part.strip()]
    if len(tokens) > MAX_AUXILIARY:
        raise nested(
            400,
            "InvalidAuxiliaryTokens",
            f"The number of auxiliary tokens is {len(tokens)}; at most {MAX_AUXILIARY} are allowed.",
        )
    return [azure.entra.tokens.check(token, auxiliary=True) for token in tokens]


def _authorized(azure: Azure, call: Call, sink: str, action: str, write: str) -> None:
    parts = sink.strip("/").lower().split("/")
    if len(parts) < 8 or parts[0] != "subscriptions":
        raise nested(
            400,
            "LinkedInvalidPropertyId",
            f"Property id '{sink}' at path 'properties' is invalid. Expect "
            "fully qualified resource Id that start with '/subscriptions/{subscriptionId}'.",
        )
    subscription = azure.subscriptions.get(parts[1])
    if subscription is None:
        raise linked_no_right(call.who, write, call.scope, action, sink)
    who = next((p for p in (call.who, *call.auxiliary) if azure.sees(p.tid, subscription)), None)
    if who is None:
        raise linked_no_tenant(call.who, write, call.scope, subscription.id)
    if not may(azure, who.oid, action, "/" + "/".join(parts)):
        raise linked_no_right(who, write, call.scope, action, sink)


def _existing(azure: Azure, sink: str) -> Resource:
    """The resource of a sink; for an authorization rule, its namespace. 404 as azure-cli#8570 has it."""
    id_ = "/" + sink.strip("/")
    head, slash, rule = id_.lower().partition("/authorizationrules/")
    found = azure.resource(head)
    if found is None or (slash and rule not in azure.contents(found).rules):
        parts = id_.split("/")
        raise nested(
            404,
            "ResourceNotFound",
            f"The Resource '{'/'.join(parts[6:])}' under resource group '{parts[4]}' was not found. For more details "
            "please go to https://aka.ms/ARMResourceNotFoundFix",
        )
    return found


def _same_region(target: Resource, sink: Resource, target_id: str) -> None:
    """Wording: MicrosoftDocs/azure-docs#38371."""
    if sink.location != target.location:
        raise flat(
            400,
            "BadRequest",
            f"Resources should be in the same region. Resource '{target_id}' is in region '{target.location}' and "
            f"resource '{sink.id}' is in region '{sink.location}'.",
        )
