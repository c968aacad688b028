# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an identity may do in a scope, whether that is enough, and who can grant the rest."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ..._core.bodies import text, texts
from ..._core.client import ODD_SHAPE
from ..._core.errors import malformed
from .client import TENANT, Arm, Call
from .resources import target_path

# What every shell takes as it is, without quotes and in double ones.
PLAIN, LITERAL = re.compile(r"[\w/.:@+-]+"), re.compile(r"[\w/.:@+,;=&()<>|# -]+")
ELEVATE = "/providers/Microsoft.Authorization/elevateAccess?api-version=2016-07-01"
# Elevated access is for this one step; it stays until it is taken back. The name is for the reader to put in.
LOWER = 'az role assignment delete --assignee ADMINISTRATOR --role "User Access Administrator" --scope /'

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
    return f"az role assignment create --assignee {client_id} --role {quoted(role)} --scope {word(scope)}"


def revoke(client_id: str, role: str, scope: str) -> str:
    """The command that takes it back."""
    return f"az role assignment delete --assignee {client_id} --role {quoted(role)} --scope {word(scope)}"


def elevated(command: str, resource_manager: str = "") -> list[str]:
    """The commands of a Global Administrator around one on a scope where nobody has a right at first, in order.

    Each stands alone: cmd and Windows PowerShell 5.1 know no C(&&), or no C($(...)).
    """
    return [f'az rest --method post --url "{resource_manager}{ELEVATE}"', command, LOWER]


def numbered(commands: Sequence[str]) -> str:
    """Commands that are run one after the other, in one line of text."""
    return commands[0] if len(commands) == 1 else " ".join(f"({n}) {one}" for n, one in enumerate(commands, 1))


def word(value: str) -> str:
    """One argument of a command, as bash, PowerShell and cmd all read it."""
    return value if PLAIN.fullmatch(value) else quoted(value)


def quoted(value: str) -> str:
    """The same always in quotes; what those do not keep whole everywhere is quoted for bash, in which nothing runs."""
    return f'"{value}"' if LITERAL.fullmatch(value) else shlex.quote(value)
