# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource apps that a tenant may have, and the app roles that each offers there.

App ids and the ids of roles in PUBLIC are those of the public cloud (facts other_systems.md §2, each from two sources).
Ids of all other roles are made up: names are what counts. A tenant with `other_guids` stands for another cloud, where
the same names have other ids; SecurityAlert.Read.All has there the one of GCC High.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cache

SPACE = uuid.UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
GRAPH = "00000003-0000-0000-c000-000000000000"
MICROSOFT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"  # the tenant that Microsoft's own apps have their home in


@dataclass(frozen=True, slots=True)
class ResourceApp:
    """`uris` name it in a token's scope, beside its app id. `licensed`: only tenants with `defender` have it."""

    app_id: str
    name: str
    uris: tuple[str, ...]
    roles: tuple[str, ...]
    licensed: bool = False


RESOURCES: dict[str, ResourceApp] = {
    "microsoft_graph": ResourceApp(
        GRAPH,
        "Microsoft Graph",
        (
            "https://graph.microsoft.com",
            "https://graph.microsoft.us",
            "https://dod-graph.microsoft.us",
            "https://microsoftgraph.chinacloudapi.cn",
        ),
        (
            "AppRoleAssignment.ReadWrite.All",
            "Application.Read.All",
            "Application.ReadWrite.All",
            "Application.ReadWrite.OwnedBy",
            "AuditLog.Read.All",
            "Directory.Read.All",
            "SecurityAlert.Read.All",
            "SecurityAlert.ReadWrite.All",
            "SecurityEvents.Read.All",
            "SecurityIncident.Read.All",
            "SecurityIncident.ReadWrite.All",
            "ThreatHunting.Read.All",
        ),
    ),
    "office365_management": ResourceApp(
        "c5393580-f805-4401-95e8-94b7a6ef2fc2",
        "Office 365 Management APIs",
        (
            "https://manage.office.com",
            "https://manage-gcc.office.com",
            "https://manage.office365.us",
            "https://manage.protection.apps.mil",
        ),
        ("ActivityFeed.Read", "ActivityFeed.ReadDlp", "ServiceHealth.Read"),
    ),
    "windows_defender_atp": ResourceApp(
        "fc780465-2017-40d4-a0c5-307022471b92",
        "WindowsDefenderATP",
        ("https://api.securitycenter.microsoft.com",),
        ("AdvancedQuery.Read.All", "Alert.Read.All", "Machine.Read.All"),
        licensed=True,
    ),
    "microsoft_threat_protection": ResourceApp(
        "8ee8fdad-f234-4243-8f3b-15c294843740",
        "Microsoft Threat Protection",
        ("https://api.security.microsoft.com",),
        ("AdvancedHunting.Read.All", "Incident.Read.All"),
        licensed=True,
    ),
}
BY_ID = {resource.app_id: resource for resource in RESOURCES.values()}
PUBLIC = {
    "ActivityFeed.Read": "594c1fb6-4f81-4475-ae41-0c394909246c",
    "ActivityFeed.ReadDlp": "4807a72c-ad38-4250-94c9-4eabfe26cd55",
    "ServiceHealth.Read": "e2cea78f-e743-4d8f-a16a-75b629a038ae",
    "Alert.Read.All": "71fe6b80-7034-4028-9ed8-0f316df9c3ff",
    "Machine.Read.All": "ea8291d3-4b9a-44b5-bc3a-6cea3026dc79",
    "AdvancedQuery.Read.All": "93489bf5-0fbc-4f2d-b901-33f2fe08ff05",
    "SecurityIncident.Read.All": "45cc0394-e837-488b-a098-1918f48d186c",
    "SecurityAlert.Read.All": "472e4a4d-bb4a-4026-98d1-0b0d74cb74a5",
    "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "SecurityEvents.Read.All": "bf394140-e372-4bf9-a898-299cfc7564e5",
}
_OTHER = {"SecurityAlert.Read.All": "64c33fcb-e6aa-490d-bed5-6016a9ef8f6d"}


@cache
def ids(app_id: str, other_guids: bool) -> dict[str, str]:
    """Role name -> id, of a resource app in a tenant of this or another cloud."""
    known, cloud = (_OTHER, "other") if other_guids else (PUBLIC, "public")
    return {name: known.get(name) or str(uuid.uuid5(SPACE, f"{cloud}/{app_id}/{name}")) for name in BY_ID[app_id].roles}


def name_of(app_id: str, role_id: str) -> str | None:
    """The name of a role's id, of whichever cloud. An app's wishes are kept as ids of its home tenant."""
    if app_id not in BY_ID:
        return None
    for other in (False, True):
        for name, known in ids(app_id, other).items():
            if known == role_id:
                return name
    return None
