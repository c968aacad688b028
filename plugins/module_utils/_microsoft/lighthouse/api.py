# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Lighthouse's definitions and assignments as values: what Azure answers, what is wanted, what is sent. Pure.

Contract: Microsoft.ManagedServices, api-version 2022-10-01 (azure-rest-api-specs). What Lighthouse refuses:
learn.microsoft.com «Tenants, users, and roles in Azure Lighthouse scenarios», Azure-Lighthouse-samples issue 137.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.bodies import texts, words
from ..arm.resources import name_of, same_id
from ..rights.definitions import PROVIDER, Role, guid_of

MANAGED_SERVICES_API = "2022-10-01"
DEFINITIONS = "Microsoft.ManagedServices/registrationDefinitions"
ASSIGNMENTS = "Microsoft.ManagedServices/registrationAssignments"
# With this role the managing tenant can give a delegation back; without it only the customer can remove it.
DELETE_ROLE = "Managed Services Registration assignment Delete Role"
OWNER, ACCESS_ADMINISTRATOR = "owner", "user access administrator"
# Built-in roles for a template, where the managing tenant's app may not read the names of roles anywhere. From
# learn.microsoft.com «Onboard a customer to Azure Lighthouse» and azure-rbac-catalog.org; assumed: alike in each cloud.
KNOWN_ROLES = {
    "reader": ("Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7"),
    "contributor": ("Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c"),
    "monitoring reader": ("Monitoring Reader", "43d0d8ad-25c7-4714-9337-8ba259a9fe05"),
    "monitoring contributor": ("Monitoring Contributor", "749f88d5-cbae-40b8-bcfc-e573ddc772fa"),
    DELETE_ROLE.casefold(): (DELETE_ROLE, "91c1777a-f3dc-4fae-b103-61d183457e46"),
}
FAILED_STATES = frozenset({"failed", "canceled", "deleting", "deleted"})
DONE = "succeeded"


class Authorization(NamedTuple):
    """Who of the managing tenant gets which role. role, delegated: GUIDs of definitions, lower-case.

    name: as the customer is shown it; role_name: of the role, where it is known.
    """

    principal_id: str
    role: str
    delegated: frozenset[str] = frozenset()
    name: str = ""
    role_name: str = ""

    @property
    def right(self) -> tuple[str, str, frozenset[str]]:
        """What is given, without what it is called."""
        return self.principal_id, self.role, self.delegated

    def body(self) -> dict[str, Any]:
        sent = {"principalId": self.principal_id, "principalIdDisplayName": self.name, "roleDefinitionId": self.role}
        return sent | ({"delegatedRoleDefinitionIds": sorted(self.delegated)} if self.delegated else {})

    def view(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"principal_id": self.principal_id, "role": self.role_name or self.role}
        shown |= {"name": self.name} if self.name else {}
        return shown | ({"delegated_roles": sorted(self.delegated)} if self.delegated else {})


class Definition(NamedTuple):
    """A registration definition as found. id: as same_id() gives it; eligible: number of just-in-time authorizations;
    state: provisioningState in lower case."""

    id: str
    offer: str
    description: str
    manager: str
    authorizations: tuple[Authorization, ...]
    eligible: int = 0
    state: str = DONE

    @property
    def rights(self) -> set[tuple[str, str, frozenset[str]]]:
        return {one.right for one in self.authorizations}

    @property
    def principals(self) -> set[str]:
        return {one.principal_id for one in self.authorizations}

    def view(self, role_names: Mapping[str, str]) -> dict[str, Any]:
        named = [one._replace(role_name=role_names.get(one.role, "")) for one in self.authorizations]
        shown: dict[str, Any] = {
            "offer": self.offer,
            "description": self.description,
            "managing_tenant_id": self.manager,
            "authorizations": sorted((one.view() for one in named), key=str),
        }
        return shown | ({"eligible_authorizations": self.eligible} if self.eligible else {})


class Delegation(NamedTuple):
    """A registration assignment to a subscription, with its definition."""

    name: str
    definition: Definition
    state: str = DONE


class Observed(NamedTuple):
    """delegations: of the subscription; definition: ours, assigned or not.

    seen: False when the managing tenant does not see the subscription at all, so that nothing is delegated to it.
    """

    delegations: tuple[Delegation, ...] = ()
    definition: Definition | None = None
    seen: bool = True


class Wanted(NamedTuple):
    """manager: the managing tenant; customer: whether the work is done in the customer's tenant, where alone a
    delegation is given; command: deploys the template instead."""

    subscription: str
    manager: str
    offer: str
    description: str
    authorizations: tuple[Authorization, ...]
    present: bool
    customer: bool
    command: str = ""

    @property
    def name(self) -> str:
        """Of our definition and of our assignment alike, as Microsoft's templates have it."""
        return name_of("lighthouse", self.manager, self.offer)

    @property
    def definition_id(self) -> str:
        return f"/subscriptions/{self.subscription}/providers/{DEFINITIONS}/{self.name}"

    @property
    def assignment_id(self) -> str:
        return f"/subscriptions/{self.subscription}/providers/{ASSIGNMENTS}/{self.name}"

    @property
    def definition(self) -> Definition:
        return Definition(
            same_id(self.definition_id), self.offer, self.description, self.manager.casefold(), self.authorizations
        )

    @property
    def role_names(self) -> dict[str, str]:
        return {one.role: one.role_name for one in self.authorizations}

    def properties(self) -> dict[str, Any]:
        """The definition as a PUT and as a template send it."""
        return {
            "registrationDefinitionName": self.offer,
            "description": self.description,
            "managedByTenantId": self.manager,
            "authorizations": [one.body() for one in self.authorizations],
        }


def parse_authorization(raw: Mapping[str, Any]) -> Authorization:
    return Authorization(
        principal_id=raw["principalId"].casefold(),
        role=guid_of(raw["roleDefinitionId"]),
        delegated=frozenset(guid_of(one) for one in texts(raw.get("delegatedRoleDefinitionIds"))),
        name=words(raw.get("principalIdDisplayName")),
    )


def parse_definition(raw: Mapping[str, Any]) -> Definition:
    """A definition out of an answer. Raises KeyError, TypeError or AttributeError on an answer of another shape."""
    properties = raw["properties"]
    return Definition(
        id=same_id(raw["id"]),
        offer=words(properties.get("registrationDefinitionName")),
        description=words(properties.get("description")),
        manager=properties["managedByTenantId"].casefold(),
        authorizations=tuple(parse_authorization(one) for one in properties["authorizations"] or ()),
        eligible=len(properties.get("eligibleAuthorizations") or ()),
        state=state_of(raw),
    )


def state_of(raw: Mapping[str, Any]) -> str:
    return (words(raw["properties"].get("provisioningState")) or DONE).casefold()


def parse_delegation(raw: Mapping[str, Any]) -> Delegation:
    """An assignment with its definition out of an answer that has both. Raises as parse_definition()."""
    return Delegation(
        raw["name"].casefold(), parse_definition(raw["properties"]["registrationDefinition"]), state_of(raw)
    )


def known_role(name: str) -> Role | None:
    """A built-in role out of the table, without its permissions."""
    spelled, guid = KNOWN_ROLES.get(name.casefold(), ("", ""))
    return Role(f"{PROVIDER}/roleDefinitions/{guid}", spelled, guid, True, ()) if guid else None


def refusal(role: Role, delegated_roles: bool) -> str:
    """Why Lighthouse would refuse a role, C('') where no published rule says so."""
    name = role.name.casefold()
    if not role.built_in:
        return "it is a custom role, and Lighthouse takes built-in roles only"
    if name == OWNER:
        return "Lighthouse does not take Owner"
    if name == ACCESS_ADMINISTRATOR and not delegated_roles:
        return "Lighthouse takes it only with delegated_roles, the roles that may then be given to managed identities"
    if any(one.get(kind) for one in role.permissions for kind in ("dataActions", "notDataActions")):
        return "it has data actions, which Lighthouse does not take"
    return ""
