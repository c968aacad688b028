# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Lighthouse as it is kept: definitions (who of which tenant may do what), and their assignments to scopes.

An assignment lets the managing tenant see the subscription and gives its principals their roles there. Both follow from
what is kept: `derive` makes them anew after every change.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab import roles
from lab.assignments import Assignment

if TYPE_CHECKING:
    from lab.world import World

DEFINITIONS = "Microsoft.ManagedServices/registrationDefinitions"
ASSIGNMENTS = "Microsoft.ManagedServices/registrationAssignments"


@dataclass(slots=True)
class Definition:
    id: str
    name: str  # a GUID
    manager: str  # id of the managing tenant
    offer: str  # its registrationDefinitionName
    description: str | None = None
    authorizations: list[dict[str, Any]] = field(default_factory=list)  # as they were written
    made: float = 0.0  # world seconds


@dataclass(slots=True)
class Delegation:
    """An assignment of a definition to a subscription or a resource group."""

    id: str
    name: str  # a GUID
    scope: str
    definition: str  # lower-cased id
    made: float = 0.0

    @property
    def subscription(self) -> str:
        return self.scope.lower().split("/")[2]


def derive(world: World) -> None:
    """managed_by of all subscriptions, and the roles of the managing tenants' principals."""
    world.assignments.drop(world, *[item for item in world.assignments.held.values() if item.delegation])
    for sub in world.subscriptions.values():
        sub.managed_by = []
    for delegation in world.delegations.values():
        definition = world.definitions[delegation.definition]
        sub = world.subscriptions[delegation.subscription]
        if definition.manager not in sub.managed_by:
            sub.managed_by.append(definition.manager)
        for number, one in enumerate(definition.authorizations):
            world.assignments.put(world, _right(world, sub.tenant, delegation, definition, number, one))


def _right(
    world: World, tenant: str, delegation: Delegation, definition: Definition, number: int, one: dict[str, Any]
) -> Assignment:
    since = max(delegation.made, definition.made)
    return Assignment(
        f"{delegation.name}/{number}",
        tenant,
        delegation.scope,
        roles.named(str(one["roleDefinitionId"])) or "",
        str(one["principalId"]).lower(),
        made=since,
        since=since + world.propagation,
        delegation=delegation.id.lower(),
    )


def seed(world: World) -> None:
    """Definitions and assignments of what a scenario delegates: managed_by, and the managers' roles there."""
    for sub in world.subscriptions.values():
        for manager in sub.managed_by:
            _delegate(world, sub.id, manager)
    derive(world)


def _delegate(world: World, subscription: str, manager: str) -> None:
    scope = f"/subscriptions/{subscription}"
    principals = {one.oid: one.name for one in world.directory.of(manager)}
    given = [item for item in world.assignments.held.values() if item.principal in principals and item.low == scope]
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}/{manager}"))
    definition = Definition(
        f"{scope}/providers/{DEFINITIONS}/{name}",
        name,
        manager,
        world.tenants[manager].slug,
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
    world.definitions[definition.id.lower()] = definition
    world.delegations[delegation.id.lower()] = delegation
    world.assignments.drop(world, *given)
