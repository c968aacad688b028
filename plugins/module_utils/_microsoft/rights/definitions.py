# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure's role definitions: found by name, never by a table of GUIDs, since custom roles have names alone in common.

Contract: Microsoft.Authorization/roleDefinitions, api-version 2022-04-01 (azure-rest-api-specs).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from ..._core.bodies import text
from ..._core.client import ODD_SHAPE
from ..._core.errors import InputError, malformed
from ..._core.names import near
from ..arm.client import TENANT, Arm, Call
from ..arm.permissions import parse_permission
from ..arm.resources import target_path

AUTHORIZATION_API = "2022-04-01"
PROVIDER = "/providers/Microsoft.Authorization"
NEAR_NAMES = 3


class Role(NamedTuple):
    """id: as Azure spells it; guid: its last part, lower-case; permissions: as Azure lists them."""

    id: str
    name: str
    guid: str
    built_in: bool
    permissions: tuple[Mapping[str, list[str]], ...]


def parse_role(raw: Mapping[str, Any]) -> Role:
    """A role out of an answer. Raises KeyError, TypeError or AttributeError on an answer of another shape."""
    properties = raw["properties"]
    return Role(
        id=raw["id"],
        name=text(properties["roleName"]),
        guid=guid_of(raw["id"]),
        built_in=properties["type"].casefold() == "builtinrole",
        permissions=tuple(parse_permission(one) for one in properties["permissions"]),
    )


def guid_of(role_id: str) -> str:
    """What two ids of one role have in common: the scope before it depends on where it was read."""
    return role_id.rstrip("/").rpartition("/")[2].casefold()


def choose(name: str, found: Iterable[Role], scope: str) -> Role | None:
    """The one role of this name, whatever its case; None when there is none. Raises InputError when there are more."""
    roles = {role.guid: role for role in found if role.name.casefold() == name.casefold()}
    if len(roles) > 1:
        raise InputError(
            f"find the role {name!r} at {scope}",
            f"{len(roles)} roles have this name: {', '.join(sorted(role.id for role in roles.values()))}",
            code="RoleAmbiguous",
            next_step="have one of the custom roles renamed",
        )
    return next(iter(roles.values()), None)


def unknown(name: str, found: Iterable[Role], scope: str) -> InputError:
    """No role has the name: said with those that come near it."""
    close = near(name, (role.name for role in found), NEAR_NAMES)
    return InputError(
        f"find the role {name!r} at {scope}",
        "no role has this name" + (f"; near it are {', '.join(close)}" if close else ""),
        code="RoleUnknown",
        next_step=f"correct the role's name: az role definition list --scope {scope} --query [].roleName",
    )


async def find(arm: Arm, scope: str, name: str) -> Role:
    """The role of this name as it can be assigned at the scope. Raises OnboardingError."""
    escaped = name.replace("'", "''")
    if role := choose(name, await _listed(arm, scope, f"roleName eq '{escaped}'"), scope):
        return role
    every = await _listed(arm, scope, "")
    if role := choose(name, every, scope):
        return role
    raise unknown(name, every, scope)


async def _listed(arm: Arm, scope: str, condition: str) -> list[Role]:
    operation = f"list the role definitions of {scope}"
    query = f"?$filter={quote(condition)}" if condition else ""
    path = f"{scope_path(scope)}{PROVIDER}/roleDefinitions{query}"
    try:
        return [
            parse_role(raw)
            async for page in arm.pages(Call("GET", path, AUTHORIZATION_API, operation, bucket_of(scope)))
            for raw in page["value"]
        ]
    except ODD_SHAPE as error:
        raise malformed(operation, error) from error


def scope_path(scope: str) -> str:
    """A scope before C(/providers/…): of the root scope nothing is left."""
    return target_path(scope.rstrip("/"))


def bucket_of(scope: str) -> str:
    """Whose bucket pays for a request at a scope."""
    parts = scope.casefold().split("/")
    return parts[2] if parts[1] == "subscriptions" else TENANT
