# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""People of the tenants, and the tokens that they would get by `az account get-access-token`.

Claims: learn.microsoft.com, access-token-claims-reference; ids of directory roles: permissions-reference. Which scopes
the Azure CLI has at Microsoft Graph is as its tokens have been shown in public.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lab.entra import token_endpoint
from lab.entra.state import Entra
from lab.kernel.http import Call

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
ROLES = {
    "Global Administrator": GLOBAL_ADMINISTRATOR,
    "Security Administrator": "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "User": "b79fbf4d-3ef9-4689-8143-76b194e85509",
}
_APIS = {"graph": "/graph", "arm": ""}  # to what stands behind the lab's URL in the token's audience
_SCOPES = {
    "graph": "AuditLog.Read.All Directory.AccessAsUser.All Group.ReadWrite.All User.ReadWrite.All",
    "arm": "user_impersonation",
}
_AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
_MOST = 20  # tenants of a generated fleet have tokens by request only
DAY = 86400


def token(entra: Entra, tenant: str, api: str, role: str = "Global Administrator", life: int = DAY) -> str:
    """An access token of the tenant's user with that directory role. KeyError for what the lab does not know."""
    domain, name = entra.tenants[tenant].domain, role.lower().replace(" ", ".")
    return token_endpoint.sign(
        entra,
        tenant,
        entra.user_oid(tenant, role),
        entra.url + _APIS[api],
        life,
        appid=_AZURE_CLI,
        appidacr="0",
        idtyp="user",
        name=role,
        scp=_SCOPES[api],
        unique_name=f"{name}@{domain}",
        upn=f"{name}@{domain}",
        wids=[ROLES[role]],
    )


def control(entra: Entra, _call: Call, body: Any) -> dict[str, Any]:
    """POST /_lab/entra/admin_token {tenant, api, role, life}"""
    return {"access_token": token(entra, **body)}


def files(entra: Entra) -> Iterator[tuple[str, str]]:
    """(name, token) for the state directory: of each tenant's administrator, good for a day."""
    for tenant in list(entra.tenants.values())[:_MOST]:
        for api in _APIS:
            yield f"admin-{tenant.slug}.{api}.token", token(entra, tenant.id, api)
