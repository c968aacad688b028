# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Microsoft Entra holds: applications with their credentials, service principals, and the roles granted to them.

`made` is in real seconds, since the lag of a new object is one of the real clock; 0 was always there. All other times
are world seconds.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from lab.entra import directory_roles

MULTITENANT = "AzureADMultipleOrgs"


def guid() -> str:
    return str(uuid.uuid4())


@dataclass(slots=True)
class Secret:
    value: str
    expires: float  # world seconds
    name: str | None = None
    started: float = 0.0
    key_id: str = field(default_factory=guid)


@dataclass(slots=True)
class Key:
    """A certificate that the app may sign with."""

    certificate: x509.Certificate
    started: float
    expires: float
    name: str | None = None
    key_id: str = field(default_factory=guid)
    made: float = 0.0
    usage: str = "Verify"  # or Sign: with a private key, which nobody is told


@dataclass(slots=True)
class Federation:
    """A federated identity credential: the three claims that must be equal, and the issuer's key (PEM)."""

    issuer: str
    subject: str
    audience: str
    public_key: str


@dataclass(slots=True)
class App:
    client_id: str
    name: str
    home_tenant: str
    secrets: list[Secret] = field(default_factory=list)
    certificates: list[Key] = field(default_factory=list)
    federations: list[Federation] = field(default_factory=list)
    object_id: str = field(default_factory=guid)
    sign_in_audience: str = MULTITENANT
    redirect_uris: list[str] = field(default_factory=list)
    # as Graph has it: [{resourceAppId, resourceAccess: [{id, type}]}]
    required: list[dict[str, Any]] = field(default_factory=list)
    unique_name: str | None = None
    more: dict[str, Any] = field(default_factory=dict)  # other properties, kept and shown as they were written
    owners: set[str] = field(default_factory=set)  # object ids
    created: float = 0.0
    made: float = 0.0

    def known_in(self, tenant: str) -> bool:
        """Whether a tenant can have a service principal of it."""
        return tenant == self.home_tenant or self.sign_in_audience != "AzureADMyOrg"


@dataclass(frozen=True, slots=True)
class Grant:
    """An app role assignment: of the role `role_id` of the resource app, to the principal that holds it."""

    id: str
    resource: str  # app id
    role_id: str
    created: float


@dataclass(slots=True)
class ServicePrincipal:
    oid: str
    tenant: str
    app_id: str
    name: str
    home_tenant: str
    created: float = 0.0
    made: float = 0.0
    enabled: bool = True
    grants: dict[str, Grant] = field(default_factory=dict)  # by id
    owners: set[str] = field(default_factory=set)


class Directory:
    """Service principals of all tenants, those of the resource apps among them."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], ServicePrincipal] = {}  # (tenant, app id)
        self._made: dict[tuple[str, str], int] = {}  # how often, as a principal that comes back is another one

    def add(self, tenant: str, app_id: str, name: str, home: str, **more: Any) -> ServicePrincipal:
        """The object id of the first is always the same; the one that is there is kept."""
        key = (tenant, app_id)
        if key not in self.held:
            count = self._made[key] = self._made.get(key, 0) + 1
            text = f"{tenant}/{app_id}" if count == 1 else f"{tenant}/{app_id}/{count}"
            oid = str(uuid.uuid5(directory_roles.SPACE, text))
            self.held[key] = ServicePrincipal(oid, tenant, app_id, name, home, **more)
        return self.held[key]

    def find(self, tenant: str, app_id: str) -> ServicePrincipal | None:
        return self.held.get((tenant, app_id))

    def by_oid(self, oid: str) -> ServicePrincipal | None:
        return next((one for one in self.held.values() if one.oid == oid), None)

    def of(self, tenant: str) -> Iterator[ServicePrincipal]:
        return (one for (tid, _app), one in self.held.items() if tid == tenant)

    def remove(self, principal: ServicePrincipal) -> None:
        del self.held[principal.tenant, principal.app_id]

    def resource(self, tenant: str, name: str) -> ServicePrincipal | None:
        """The resource app that a scope names, by its app id or one of its URIs; None where the tenant has none."""
        for app in directory_roles.RESOURCES.values():
            if name == app.app_id or name in app.uris:
                return self.find(tenant, app.app_id)
        return None


def grant(principal: ServicePrincipal, resource: str, role_id: str, now: float) -> Grant:
    """Assign a role; the one that is there is kept."""
    for held in principal.grants.values():
        if (held.resource, held.role_id) == (resource, role_id):
            return held
    made = Grant(uuid.uuid4().hex, resource, role_id, now)
    principal.grants[made.id] = made
    return made


def granted(principal: ServicePrincipal, resource: str, by: float) -> list[str]:
    """Names of the roles that a principal had at a resource app by then, sorted: the claim `roles` of its tokens."""
    held = (one.role_id for one in principal.grants.values() if one.resource == resource and one.created <= by)
    return sorted(name for id_ in held if (name := directory_roles.name_of(resource, id_)))
