# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application permissions by name: the resource apps that are known, what is retired, and a tenant's own ids. Pure.

Only the app ids of the resources are the same everywhere. The ids of their permissions differ by cloud, and public
lists of them are often wrong, so each tenant is asked for its own (C(appRoles) of its service principals).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Union

from ..._core.bodies import piece, text, texts
from ..._core.errors import InputError, OnboardingError
from ..._core.names import meant
from ..identity.options import GUID, READ

# learn.microsoft.com: «Microsoft Graph permissions reference», «Office 365 Management APIs», «Defender for Endpoint
# API», «Microsoft Defender XDR API».
RESOURCES = {
    "microsoft_graph": "00000003-0000-0000-c000-000000000000",
    "office365_management": "c5393580-f805-4401-95e8-94b7a6ef2fc2",
    "windows_defender_atp": "fc780465-2017-40d4-a0c5-307022471b92",
    "microsoft_threat_protection": "8ee8fdad-f234-4243-8f3b-15c294843740",
}
KEYS = {app_id: key for key, app_id in RESOURCES.items()}


class Retired(NamedTuple):
    """why: what came to an end; successors: permissions of Microsoft Graph that took its place."""

    why: str
    successors: tuple[str, ...]


_ALERTS = Retired(
    "the alerts that it reads (/security/alerts) ended on 2026-08-31",
    ("SecurityAlert.Read.All", "SecurityIncident.Read.All"),
)
# learn.microsoft.com: «Advanced hunting API» of Defender for Endpoint (its retirement began in January 2026),
# «Migrate from the legacy alerts API».
RETIRED = {
    ("windows_defender_atp", "AdvancedQuery.Read.All"): Retired(
        "the advanced hunting API of Defender for Endpoint is being retired since January 2026",
        ("ThreatHunting.Read.All",),
    ),
    ("microsoft_graph", "SecurityEvents.Read.All"): _ALERTS,
    ("microsoft_graph", "SecurityEvents.ReadWrite.All"): _ALERTS,
}


class Resource(NamedTuple):
    """A resource app in one tenant. object_id: of its service principal; roles: permission name -> id there."""

    app_id: str
    object_id: str
    roles: Mapping[str, str]

    def name_of(self, role_id: str) -> str:
        """The name of a permission, its id where the resource no longer offers it."""
        return next((name for name, one in self.roles.items() if one == role_id.casefold()), role_id)


Names = dict[str, tuple[str, ...]]
# What could be learned of resource apps: each itself, None where the tenant has none, or why that is not known.
Known = dict[str, Union[Resource, OnboardingError, None]]  # noqa: UP007 - ansible-test's pylint refuses the other


def key_of(app_id: str) -> str:
    """The resource as options name it."""
    return KEYS.get(app_id.casefold(), app_id.casefold())


def wanted(option: str, given: Mapping[str, Any]) -> Names:
    """App id of each resource -> names of permissions, sorted. Raises InputError."""
    found: Names = {}
    for key, names in given.items():
        app_id = RESOURCES.get(key) or (key.casefold() if GUID.fullmatch(str(key)) else "")
        if not app_id:
            known = ", ".join(RESOURCES)
            raise InputError(READ, f"{option} has the key {key!r}; known are {known} and app ids (GUIDs)")
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            raise InputError(READ, f"{option}[{key}] must be a list of names such as SecurityAlert.Read.All")
        found[app_id] = tuple(sorted({*found.get(app_id, ()), *names}))
    return found


def parse_resource(body: Any) -> Resource:
    """A resource app out of its service principal (C($select=id,appId,appRoles)).

    Only what an app can be given counts: enabled, and with C(Application) among the allowed member types.
    """
    roles = {
        text(role["value"]): text(role["id"]).casefold()
        for role in body["appRoles"]
        if role.get("isEnabled", True) and "Application" in texts(role["allowedMemberTypes"]) and role.get("value")
    }
    return Resource(text(body["appId"]).casefold(), piece(body["id"]), roles)


def not_offered(resource: Resource, name: str) -> str:
    """Why a name cannot be resolved, with the nearest one that can."""
    hint = meant(name, resource.roles)
    return f"{key_of(resource.app_id)} offers no application permission {name} in this tenant{hint}"


def retired(app_id: str, name: str) -> str:
    """What to say of a permission that is retired, '' of any other."""
    found = RETIRED.get((key_of(app_id), name))
    if found is None:
        return ""
    return f"{name} is retired: {found.why}; ask for {' and '.join(found.successors)} of microsoft_graph instead"


def instead(app_id: str, names: Iterable[str]) -> str:
    """What to ask for in the place of the retired ones among the names, '' where none is."""
    found = (RETIRED.get((key_of(app_id), name)) for name in names)
    successors = sorted({one for retirement in found if retirement for one in retirement.successors})
    return f"ask for {' and '.join(successors)} of microsoft_graph instead" if successors else ""


def shown(names: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Names by resource as results have them; resources without any left out."""
    return {key_of(app_id): sorted(found) for app_id, found in sorted(names.items()) if found}
