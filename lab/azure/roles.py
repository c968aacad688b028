# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure's roles, cut down to the actions that the lab asks for.

Ids and actions: learn.microsoft.com, built-in-roles (facts azure.md §4.5). That Log Analytics Contributor has data
actions, so that Lighthouse refuses it: Azure-Lighthouse-samples#137; which ones is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Role:
    id: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    custom: bool = False

    def permission(self) -> dict[str, Any]:
        """As role definitions and the permissions endpoint show it."""
        return {
            "actions": list(self.actions),
            "notActions": list(self.not_actions),
            "dataActions": list(self.data_actions),
            "notDataActions": [],
        }


OWNER = "Owner"
ACCESS = "User Access Administrator"
_ASSIGNING = ("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write")
_LOGS_DATA = ("Microsoft.OperationalInsights/workspaces/tables/data/read",)

ROLES: dict[str, Role] = {
    OWNER: Role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", ("*",)),
    "Contributor": Role(
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        ("*",),
        (*_ASSIGNING, "Microsoft.Authorization/elevateAccess/Action"),
    ),
    "Reader": Role("acdd72a7-3385-48ef-bd42-f606fba81ae7", ("*/read",)),
    ACCESS: Role(
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", ("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*")
    ),
    "Role Based Access Control Administrator": Role(
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        (
            "*/read",
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "Microsoft.Support/*",
        ),
    ),
    "Monitoring Reader": Role(
        "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
        ("*/read", "Microsoft.OperationalInsights/workspaces/search/action", "Microsoft.Support/*"),
    ),
    "Monitoring Contributor": Role(
        "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
        (
            "*/read",
            "Microsoft.Insights/DataCollectionRules/*",
            "Microsoft.Insights/DiagnosticSettings/*",
            "Microsoft.Insights/eventtypes/*",
            "Microsoft.OperationalInsights/workspaces/search/action",
            "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
            "Microsoft.Support/*",
        ),
    ),
    "Monitoring Metrics Publisher": Role(
        "3913510d-42f4-4e42-8a64-420c390055eb",
        (
            "Microsoft.Insights/Register/Action",
            "Microsoft.Support/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ),
        data_actions=("Microsoft.Insights/Metrics/Write", "Microsoft.Insights/Telemetry/Write"),
    ),
    # Ids and actions: facts other_systems.md §4a, from memory.
    "Microsoft Sentinel Reader": Role(
        "8d289c81-5878-46d4-8554-54e1e3d8b5cb",
        ("Microsoft.SecurityInsights/*/read", "Microsoft.OperationalInsights/workspaces/*/read"),
    ),
    "Microsoft Sentinel Responder": Role(
        "3e150937-b8fe-4cfb-8069-0eaf05ecd056",
        ("Microsoft.SecurityInsights/*/read", "Microsoft.SecurityInsights/incidents/*"),
    ),
    "Microsoft Sentinel Contributor": Role(
        "ab8e14d6-4a74-4a29-9ba8-549422addade",
        ("Microsoft.SecurityInsights/*", "Microsoft.OperationalInsights/workspaces/*/read"),
    ),
    "Logic App Contributor": Role(
        "87a39d53-fc1b-424a-814c-f7e04687dc9e",
        (
            "*/read",
            "Microsoft.Logic/*",
            "Microsoft.Web/connections/*",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Support/*",
        ),
    ),
    "Log Analytics Reader": Role(
        "73c42c96-874c-492b-b04d-ab87d138a893",
        (
            "*/read",
            "Microsoft.OperationalInsights/workspaces/analytics/query/action",
            "Microsoft.OperationalInsights/workspaces/search/action",
        ),
        ("Microsoft.OperationalInsights/workspaces/sharedKeys/read",),
    ),
    "Log Analytics Contributor": Role(
        "92aaf0da-9dab-42b6-94a3-d43ce8d16293",
        (
            "*/read",
            "Microsoft.Insights/diagnosticSettings/*",
            "Microsoft.OperationalInsights/*",
            "Microsoft.Storage/storageAccounts/listKeys/action",
        ),
        data_actions=_LOGS_DATA,
    ),
    "Azure Event Hubs Data Owner": Role(
        "f526a384-b230-433a-b45c-95f59c4a2dec",
        ("Microsoft.EventHub/*",),
        data_actions=("Microsoft.EventHub/*",),
    ),
    "Azure Event Hubs Data Receiver": Role(
        "a638d3c7-ab3a-418d-83e6-5f17a39d4fde",
        ("Microsoft.EventHub/*/eventhubs/consumergroups/read",),
        data_actions=("Microsoft.EventHub/*/receive/action",),
    ),
    "Storage Account Key Operator Service Role": Role(
        "81a9662b-bebf-436f-a333-f67b29880f12",
        (
            "Microsoft.Storage/storageAccounts/listkeys/action",
            "Microsoft.Storage/storageAccounts/regeneratekey/action",
        ),
    ),
    "Managed Services Registration assignment Delete Role": Role(
        "91c1777a-f3dc-4fae-b103-61d183457e46",
        (
            "Microsoft.ManagedServices/registrationAssignments/read",
            "Microsoft.ManagedServices/registrationAssignments/delete",
            "Microsoft.ManagedServices/operationStatuses/read",
        ),
    ),
    # A custom role of least privilege on the workspace of the MSSP.
    "Diagnostic Destination User": Role(
        "d1a6d1a6-0000-4000-8000-000000000001",
        (
            "Microsoft.OperationalInsights/workspaces/read",
            "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
        ),
        custom=True,
    ),
}
_NAMES = {role.id: name for name, role in ROLES.items()}


def named(definition: str) -> str | None:
    """The name of the role that a role definition's id (short or full, any case) means."""
    return _NAMES.get(definition.lower().rstrip("/").rpartition("/")[2])
