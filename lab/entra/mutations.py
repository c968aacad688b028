# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other people do to apps and their service principals.

remove_principal    tenant                       takes back the consent
disable_principal   tenant                       switches the app off there
revoke_permission   tenant, resource (a key of directory_roles.RESOURCES), permission (its name)
remove_resource_app tenant, resource             the tenant has no licence for it any more
grant_permission    tenant, resource, permission  somebody consents to more
expire_secret, remove_secret, expire_certificate of the apps
sign_with_key       app                          a key of the app's becomes one that signs, whose content is not told
"""

from __future__ import annotations

from collections.abc import Callable

from lab.entra.directory import ServicePrincipal
from lab.entra.directory_roles import RESOURCES, ids
from lab.entra.scenario import YEAR
from lab.entra.state import Entra


def principals(entra: Entra, tenant: str) -> list[ServicePrincipal]:
    """Those of the lab's apps, not of Microsoft's."""
    return [one for one in entra.directory.of(tenant) if one.app_id in entra.apps]


def _remove_principal(entra: Entra, tenant: str) -> None:
    for principal in principals(entra, tenant):
        entra.directory.remove(principal)


def _disable_principal(entra: Entra, tenant: str) -> None:
    for principal in principals(entra, tenant):
        principal.enabled = False


def _revoke_permission(entra: Entra, tenant: str, resource: str, permission: str) -> None:
    app_id = RESOURCES[resource].app_id
    role_id = ids(app_id, entra.tenants[tenant].other_guids)[permission]
    for principal in principals(entra, tenant):
        for grant in list(principal.grants.values()):
            if (grant.resource, grant.role_id) == (app_id, role_id):
                del principal.grants[grant.id]


def _remove_resource_app(entra: Entra, tenant: str, resource: str) -> None:
    principal = entra.directory.find(tenant, RESOURCES[resource].app_id)
    if principal:
        entra.directory.remove(principal)


def _grant_permission(entra: Entra, tenant: str, resource: str, permission: str) -> None:
    for app in entra.apps.values():
        if entra.principal(tenant, app.client_id):
            entra.consent(tenant, app, [(RESOURCES[resource].app_id, permission)])


def _expire_secret(entra: Entra) -> None:
    for app in entra.apps.values():
        for secret in app.secrets:
            secret.expires = entra.now() - YEAR


def _expire_certificate(entra: Entra) -> None:
    for app in entra.apps.values():
        for key in app.certificates:
            key.expires = entra.now() - 86400


def _sign_with_key(entra: Entra, app: str) -> None:
    for key in entra.apps[app].certificates:
        key.usage = "Sign"


def _remove_secret(entra: Entra) -> None:
    for app in entra.apps.values():
        app.secrets.clear()


MUTATIONS: dict[str, Callable[..., None]] = {
    "remove_principal": _remove_principal,
    "disable_principal": _disable_principal,
    "revoke_permission": _revoke_permission,
    "remove_resource_app": _remove_resource_app,
    "grant_permission": _grant_permission,
    "expire_secret": _expire_secret,
    "expire_certificate": _expire_certificate,
    "remove_secret": _remove_secret,
    "sign_with_key": _sign_with_key,
}
