# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an identity may do in a scope, whether that is enough, and who can grant the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from ..._core.bodies import text, texts
from ..._core.client import ODD_SHAPE, malformed
from .client import TENANT, Arm, Call
from .resources import target_path

PERMISSIONS_API = "2022-04-01"
PROVIDERS_API = "2021-04-01"


async def permissions(arm: Arm, scope: str) -> list[Mapping[str, Any]]:
    """What the identity may do there, an entry for each role. Raises OnboardingError where that cannot be told."""
    operation = f"read the permissions on {scope}"
    address = f"{target_path(scope)}/providers/Microsoft.Authorization/permissions"
    pages = arm.pages(Call("GET", address, PERMISSIONS_API, operation, TENANT))
    try:
        return [parse_permission(permission) async for page in pages for permission in page["value"]]
    except ODD_SHAPE as error:
        raise malformed(operation, error) from error


async def registration(arm: Arm, subscription: str, provider: str = "Microsoft.Insights") -> str:
    """What Azure says of a provider in a subscription: C(Registered), or else. Raises OnboardingError."""
    path, operation = f"/subscriptions/{subscription}/providers/{provider}", "read the provider's registration"
    answer = await arm.call(Call("GET", path, PROVIDERS_API, operation, subscription))
    try:
        return text(answer["registrationState"])
    except ODD_SHAPE as error:
        raise malformed(operation, error) from error


def parse_permission(raw: Mapping[str, Any]) -> Mapping[str, list[str]]:
    """What one role allows, as Azure lists it. Raises one of ODD_SHAPE."""
    return {kind: list(texts(raw.get(kind))) for kind in ("actions", "notActions", "dataActions", "notDataActions")}


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
