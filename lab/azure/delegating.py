# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from Azure Lighthouse's definitions and assignments: who sees a subscription, and with which roles."""

from __future__ import annotations

import uuid
from typing import Any

from lab.azure import roles
from lab.azure.assignments import Assignment
from lab.azure.delegations import ASSIGNMENTS, DEFINITIONS, Definition, Delegation
from lab.azure.state import Azure


def derive(azure: Azure) -> None:
    """managed_by of all subscriptions and since when it counts, and the roles of the managing tenants' principals."""
    azure.assignments.drop(*[item for item in azure.assignments.held.values() if item.delegation])
    for sub in azure.subscriptions.values():
        sub.managed_by = []
    for delegation in azure.delegations.values():
        definition = azure.definitions[delegation.definition]
        sub = azure.subscriptions[delegation.subscription]
        key, since = (sub.id, definition.manager), max(delegation.made, definition.made) + azure.propagation
        if definition.manager not in sub.managed_by:
            sub.managed_by.append(definition.manager)
            azure.managed_since[key] = since
        azure.managed_since[key] = min(since, azure.managed_since[key])
        for number, one in enumerate(definition.authorizations):
            azure.assignments.put(_right(azure, sub.tenant, delegation, definition, number, one))


def _right(
    azure: Azure, tenant: str, delegation: Delegation, definition: Definition, number: int, one: dict[str, Any]
) -> Assignment:
    since = max(delegation.made, definition.made)
    return Assignment(
        f"{delegation.name}/{number}",
        tenant,
        delegation.scope,
        roles.named(str(one["roleDefinitionId"])) or "",
        str(one["principalId"]).lower(),
        made=since,
        since=since + azure.propagation,
        delegation=delegation.id.lower(),
    )


def seed(azure: Azure) -> None:
    """Definitions and assignments of what a scenario delegates: managed_by, and the managers' roles there."""
    for sub in azure.subscriptions.values():
        for manager in sub.managed_by:
            _delegate(azure, sub.id, manager)
    derive(azure)


def _delegate(azure: Azure, subscription: str, manager: str) -> None:
    scope = f"/subscriptions/{subscription}"
    principals = {one.oid: one.name for one in azure.entra.directory.of(manager)}
    given = [item for item in azure.assignments.held.values() if item.principal in principals and item.low == scope]
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}/{manager}"))
    definition = Definition(
        f"{scope}/providers/{DEFINITIONS}/{name}",
        name,
        manager,
        azure.entra.tenants[manager].slug,
        "Delegated from the start",
        [
            {
                "principalId": item.principal,
                "principalIdDisplayName": principals[item.principal],
                "roleDefinitionId": roles.ROLES[item.role].id,
            }
            for item in given
        ],
    )
    delegation = Delegation(f"{scope}/providers/{ASSIGNMENTS}/{name}", name, scope, definition.id.lower())
    azure.definitions[definition.id.lower()] = definition
    azure.delegations[delegation.id.lower()] = delegation
    azure.assignments.drop(*given)
