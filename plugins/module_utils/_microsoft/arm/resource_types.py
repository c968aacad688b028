# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which resource types the families are, and which of their parts have settings of their own.

Source of types and categories: MicrosoftDocs «supported-logs» reference; storage and SQL parts: «diagnostic settings».
"""

from __future__ import annotations

SUBSCRIPTION_TYPE = "microsoft.resources/subscriptions"

# Family: lower-case resource types whose settings carry its logs.
FAMILIES: dict[str, tuple[str, ...]] = {
    "activity_log": (SUBSCRIPTION_TYPE,),
    "application_gateway": ("microsoft.network/applicationgateways",),
    "azure_firewall": ("microsoft.network/azurefirewalls",),
    "front_door": ("microsoft.network/frontdoors", "microsoft.cdn/profiles"),
    "key_vault": ("microsoft.keyvault/vaults", "microsoft.keyvault/managedhsms"),
    "kubernetes": ("microsoft.containerservice/managedclusters", "microsoft.containerservice/fleets"),
    "network_security_group": ("microsoft.network/networksecuritygroups",),
    "public_ip": ("microsoft.network/publicipaddresses",),
    "sql": (
        "microsoft.sql/servers/databases",
        "microsoft.sql/managedinstances",
        "microsoft.sql/managedinstances/databases",
    ),
    "storage": (
        "microsoft.storage/storageaccounts/blobservices",
        "microsoft.storage/storageaccounts/fileservices",
        "microsoft.storage/storageaccounts/queueservices",
        "microsoft.storage/storageaccounts/tableservices",
    ),
    "waf_policy": (
        "microsoft.cdn/cdnwebapplicationfirewallpolicies",
        "microsoft.network/applicationgatewaywebapplicationfirewallpolicies",
        "microsoft.network/frontdoorwebapplicationfirewallpolicies",
    ),
}
FAMILY_OF = {kind: family for family, kinds in FAMILIES.items() for kind in kinds}

# The categories endpoint answers 400 ResourceTypeNotSupported for a subscription, so these are known beforehand.
# assumed: a subscription's setting takes category groups too; single categories are documented, so they are sent.
ACTIVITY_LOG_CATEGORIES = (
    "Administrative",
    "Alert",
    "Autoscale",
    "Policy",
    "Recommendation",
    "ResourceHealth",
    "Security",
    "ServiceHealth",
)

# Parts that Resource Graph has no rows for: parent type -> (path below the parent, account kinds that lack it).
# assumed: which account kinds lack which service (storage account overview).
STORAGE_SERVICES = (
    ("blobServices", frozenset({"filestorage"})),
    ("fileServices", frozenset({"blobstorage", "blockblobstorage"})),
    ("queueServices", frozenset({"blobstorage", "blockblobstorage", "filestorage"})),
    ("tableServices", frozenset({"blobstorage", "blockblobstorage", "filestorage"})),
)
PREMIUM_STORAGE_SERVICES = frozenset({"blobServices", "fileServices"})

# Types that write a record only when something rare happens: no data is not a finding there.
# assumed for load balancers (health events) and virtual networks (protection alerts).
QUIET_TYPES = frozenset(
    {
        "microsoft.network/loadbalancers",
        "microsoft.network/virtualnetworks",
        "microsoft.network/publicipaddresses",
        "microsoft.network/networksecuritygroups",
        "microsoft.cdn/cdnwebapplicationfirewallpolicies",
    }
)

# Types to ask Resource Graph for so that the wanted targets can be made of them.
PARENTS = {
    "microsoft.storage/storageaccounts/blobservices": "microsoft.storage/storageaccounts",
    "microsoft.storage/storageaccounts/fileservices": "microsoft.storage/storageaccounts",
    "microsoft.storage/storageaccounts/queueservices": "microsoft.storage/storageaccounts",
    "microsoft.storage/storageaccounts/tableservices": "microsoft.storage/storageaccounts",
}
# The master database's settings carry the server's audit events (assumed); the server itself has no settings.
SQL_SERVER = "microsoft.sql/servers"
SQL_DATABASE = "microsoft.sql/servers/databases"


def wanted_types(families: list[str], resource_types: list[str]) -> frozenset[str] | None:
    """Lower-case types to take, None for every type."""
    if "all" in families:
        return None
    named = {kind.casefold() for kind in resource_types}
    return frozenset(named.union(*(FAMILIES[family] for family in families)))


def types_to_query(wanted: frozenset[str] | None) -> list[str] | None:
    """Types to ask the inventory for, parents in place of parts; None for every type."""
    if wanted is None:
        return None
    asked = {PARENTS.get(kind, kind) for kind in wanted} - {SUBSCRIPTION_TYPE}
    if SQL_DATABASE in asked:
        asked.add(SQL_SERVER)
    return sorted(asked)
