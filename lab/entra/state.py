# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's Microsoft Entra: tenants, applications, service principals; and who signs its tokens."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import ClassVar

from lab.entra import directory_roles
from lab.entra.credentials import Credentials, Signer
from lab.entra.directory import App, Directory, grant
from lab.entra.tokens import TokenCache
from lab.kernel.context import Lab, State

NAMESPACE = directory_roles.SPACE


@dataclass(slots=True)
class Tenant:
    id: str
    slug: str
    domain: str
    defender: bool = False  # licensed for Microsoft Defender: has the resource apps of its APIs
    other_guids: bool = False  # as in another cloud: app roles have other ids


class Entra(State):
    configurable: ClassVar[tuple[str, ...]] = ("token_life", "graph_lag", "token_lag")

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.credentials = lab.once("entra.credentials", Credentials.make)
        self.signer = lab.once("entra.signer", Signer.make)
        self.tokens = TokenCache(self.signer.key.public_key(), lab)
        self.token_life = 3599
        self.graph_lag = 0.0  # seconds until a replica of the directory has what is new
        self.token_lag = 0.0  # seconds until a grant that is listed shows in tokens
        self.tenants: dict[str, Tenant] = {}
        self.apps: dict[str, App] = {}
        self.directory = Directory()

    @property
    def graph_url(self) -> str:
        return f"{self.url}/graph"

    @property
    def graph_audiences(self) -> frozenset[str]:
        return frozenset(f"{origin}/graph" for origin in self.lab.origins)

    def lags(self, made: float) -> bool:
        """Whether what was made then (real seconds) has not yet reached the replica of the directory that is asked."""
        return time.time() < made + self.graph_lag

    # -- making things --------------------------------------------------------------------------------------------

    def add_tenant(self, tenant: Tenant) -> None:
        """With the service principals of the resource apps that such a tenant has."""
        self.tenants[tenant.id] = tenant
        for app in directory_roles.RESOURCES.values():
            if tenant.defender or not app.licensed:
                self.directory.add(tenant.id, app.app_id, app.name, directory_roles.MICROSOFT)

    def add_principal(self, tenant: str, client_id: str, made: float = 0.0) -> str:
        """The app becomes known in `tenant`: its service principal's object id, which differs per tenant."""
        app = self.apps[client_id]
        return self.directory.add(tenant, client_id, app.name, app.home_tenant, created=self.now(), made=made).oid

    def consent(self, tenant: str, app: App, wanted: list[tuple[str, str]], made: float = 0.0) -> None:
        """An administrator's: makes the service principal, and grants (resource app id, role name) to it."""
        self.add_principal(tenant, app.client_id, made)
        principal = self.directory.held[tenant, app.client_id]
        for resource, name in wanted:
            role_id = directory_roles.ids(resource, self.tenants[tenant].other_guids)[name]
            grant(principal, resource, role_id, self.now())

    # -- finding things -------------------------------------------------------------------------------------------

    def tenant_named(self, name: str) -> Tenant | None:
        """A tenant by its id or domain."""
        return next((one for one in self.tenants.values() if name in (one.id, one.domain)), None)

    def principal(self, tenant: str, client_id: str) -> str | None:
        """The object id of the app's service principal in a tenant."""
        found = self.directory.find(tenant, client_id)
        return found.oid if found else None

    def user_oid(self, tenant: str, role: str = "Global Administrator") -> str:
        """The object id of the tenant's user that has a directory role; every role of lab.entra.users has one."""
        return str(uuid.uuid5(NAMESPACE, f"{tenant}/{role}"))
