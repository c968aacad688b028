# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what, by the roles that they have, and Azure's words for «no»."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from lab.azure.roles import ROLES
from lab.azure.state import Azure
from lab.kernel.http import Principal, Refusal, nested


@cache
def allows(role: str, action: str) -> bool:
    """Whether a role's actions, less its notActions, hold a (lower-cased) action."""

    def match(patterns: tuple[str, ...]) -> bool:
        return any(re.fullmatch(re.escape(p.lower()).replace(r"\*", ".*"), action) for p in patterns)

    found = ROLES[role]
    return match(found.actions) and not match(found.not_actions)


def roles_at(azure: Azure, oid: str, scope: str) -> set[str]:
    """Roles that a principal has at a scope, those of the scopes above included."""
    low = scope.lower()
    found: set[str] = set()
    for assigned, roles in azure.roles.get(oid, {}).items():
        if low == assigned or low.startswith(assigned + "/"):
            found |= roles
    return found


def may(azure: Azure, oid: str, action: str, scope: str) -> bool:
    low, wanted = scope.lower(), action.lower()
    for assigned, roles in azure.roles.get(oid, {}).items():
        if low.startswith(assigned) and (len(low) == len(assigned) or low[len(assigned)] == "/"):
            for role in roles:
                if allows(role, wanted):
                    return True
    return False


def may_see(azure: Azure, oid: str, subscription: str) -> bool:
    """Some role on the subscription or on anything in it: then the subscription is listed."""
    prefix = f"/subscriptions/{subscription}"
    return any(scope == prefix or scope.startswith(prefix + "/") for scope in azure.roles.get(oid, {}))


def require(azure: Azure, who: Principal, action: str, scope: str) -> None:
    if not may(azure, who.oid, action, scope):
        raise nested(
            403,
            "AuthorizationFailed",
            f"The client '{who.appid}' with object id '{who.oid}' does not have authorization to perform action "
            f"'{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh "
            "your credentials.",
        )


def linked_no_right(who: Principal, action: str, scope: str, linked_action: str, linked: str) -> Refusal:
    """LinkedAuthorizationFailed, variant A: CDCgov/prime-reportstream#7678."""
    return nested(
        403,
        "LinkedAuthorizationFailed",
        f"The client '{who.appid}' with object id '{who.oid}' has permission to perform action '{action}' on scope "
        f"'{scope}'; however, it does not have permission to perform action(s) '{linked_action}' on the linked "
        "scope(s) "
        f"'{linked}' (respectively) or the linked scope(s) are invalid.",
    )


def linked_no_tenant(who: Principal, action: str, scope: str, subscription: str) -> Refusal:
    """LinkedAuthorizationFailed, variant B: azure-cli-extensions#7143, terraform-provider-azapi#419."""
    return nested(
        403,
        "LinkedAuthorizationFailed",
        f"The client '{who.appid}' with object id '{who.oid}' has permission to perform action '{action}' on scope "
        f"'{scope}'; however the current tenant '{who.tid}' is not authorized to access linked subscription "
        f"'{subscription}'.",
    )


def permissions(azure: Azure, oid: str, scope: str) -> list[dict[str, Any]]:
    """What the permissions endpoint lists: one entry per role that applies."""
    return [ROLES[role].permission() for role in sorted(roles_at(azure, oid, scope))]
