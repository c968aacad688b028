# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenants and apps of a scenario: the keys `tenants` and `apps`, which lab/scenarios/fleet.yml explains."""

from __future__ import annotations

import uuid
from typing import Any

from lab.entra import directory_roles
from lab.entra.credentials import AUDIENCE, ISSUER, SUBJECT
from lab.entra.directory import App, Federation, Key, Secret
from lab.entra.state import NAMESPACE, Entra, Tenant
from lab.kernel import ca
from lab.kernel.registration import Scenario

YEAR = 365 * 86400.0


def load(entra: Entra, text: Scenario) -> None:
    for item in text.get("tenants", []):
        entra.add_tenant(Tenant(**item))
    slugs = slugs_of(text)
    for item in text.get("apps", []):
        _app(entra, item, slugs)


def slugs_of(text: Scenario) -> dict[str, str]:
    """Slug -> id of the tenants."""
    return {item["slug"]: item["id"] for item in text.get("tenants", [])}


def _app(entra: Entra, item: dict[str, Any], slugs: dict[str, str]) -> None:
    home = slugs[item["home"]]
    app = App(item["client_id"], item["name"], home, object_id=str(uuid.uuid5(NAMESPACE, item["client_id"])))
    app.created = entra.now() - YEAR
    app.redirect_uris = list(item.get("redirect_uris", []))
    wanted = _permissions(item.get("permissions", {}))
    app.required = _required(wanted, entra.tenants[home].other_guids)
    if item.get("credentials", True):
        _credentials(entra, app)
    entra.apps[app.client_id] = app
    for slug in item["consented"]:
        entra.consent(slugs[slug], app, wanted)
    for slug, more in item.get("granted", {}).items():
        entra.consent(slugs[slug], app, _permissions(more))
    app.owners = {oid for oid in [entra.principal(home, app.client_id)] if oid}


def _credentials(entra: Entra, app: App) -> None:
    """What the state directory holds, and a secret that has expired."""
    now, held = entra.now(), entra.credentials
    certificate = held.certificate.certificate
    dates = (certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp())
    app.secrets = [
        Secret(held.secret, now + YEAR, "lab", now),
        Secret("expired-lab-secret", now - 86400, "old", now - YEAR),
    ]
    app.certificates = [Key(certificate, *dates, name="lab")]
    app.federations = [Federation(ISSUER, SUBJECT, AUDIENCE, ca.public_pem(held.federation_key))]


def _permissions(named: dict[str, list[str]]) -> list[tuple[str, str]]:
    """(resource app id, role name)"""
    return [(directory_roles.RESOURCES[key].app_id, name) for key, names in named.items() for name in names]


def _required(wanted: list[tuple[str, str]], other_guids: bool) -> list[dict[str, Any]]:
    """An application's requiredResourceAccess, as Graph has it."""
    found: dict[str, list[dict[str, str]]] = {}
    for resource, name in wanted:
        role = {"id": directory_roles.ids(resource, other_guids)[name], "type": "Role"}
        found.setdefault(resource, []).append(role)
    return [{"resourceAppId": resource, "resourceAccess": roles} for resource, roles in found.items()]
