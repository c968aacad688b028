# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rights the work needs, and whether what Azure lists as permissions gives them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

SUBSCRIPTION_ACTIONS = (
    "Microsoft.Resources/subscriptions/resources/read",
    "Microsoft.Insights/diagnosticSettings/read",
    "Microsoft.Insights/diagnosticSettings/write",
    "Microsoft.Insights/diagnosticSettings/delete",
    "Microsoft.Insights/diagnosticSettingsCategories/read",
)
SUBSCRIPTION_ROLE = "Monitoring Contributor"

# learn.microsoft.com «diagnostic settings», and for the hub Azure's own LinkedAuthorizationFailed text.
# assumed: listKeys is what a storage account asks for.
SINK_ACTIONS = {
    "workspace_id": (
        "Microsoft.OperationalInsights/workspaces/read",
        "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
    ),
    "event_hub_authorization_rule_id": ("Microsoft.EventHub/namespaces/authorizationRules/listKeys/action",),
    "storage_account_id": ("Microsoft.Storage/storageAccounts/listKeys/action",),
    "marketplace_partner_id": (),
}
SINK_ROLES = {
    "workspace_id": "Log Analytics Contributor",
    "event_hub_authorization_rule_id": "Azure Event Hubs Data Owner",  # assumed
    "storage_account_id": "Storage Account Contributor",
    "marketplace_partner_id": "Contributor",
}


def allows(permissions: Iterable[Mapping[str, Any]], action: str) -> bool:
    """Whether one of the permissions gives an action: C(actions) less C(notActions), each with wildcards."""
    return any(
        _matches(permission.get("actions") or (), action) and not _matches(permission.get("notActions") or (), action)
        for permission in permissions
    )


def _matches(patterns: Iterable[str], action: str) -> bool:
    return any(fnmatchcase(action.casefold(), pattern.casefold()) for pattern in patterns)


def lacking(permissions: Iterable[Mapping[str, Any]], actions: Iterable[str]) -> list[str]:
    permissions = list(permissions)
    return [action for action in actions if not allows(permissions, action)]


def grant(client_id: str, role: str, scope: str) -> str:
    """The command that gives the app's service principal a role."""
    return f'az role assignment create --assignee {client_id} --role "{role}" --scope {scope}'
