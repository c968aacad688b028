# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the Graph modules: the argument specs, and their values checked and typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.errors import InputError
from ..identity import options as azure
from ..identity.options import ADMINISTRATOR_SPEC, GRAPH_SPEC, IDENTITY_SPEC, READ, Identity
from . import permissions

# What signs in to a directory; the rest of the Azure identity is about subscriptions and destinations.
UNUSED: dict[str, Any] = {
    "managing_tenant_id": None,
    "auxiliary_tenant_ids": [],
    "resource_manager_url": None,
    "log_analytics_url": None,
}
DIRECTORY_SPEC: dict[str, dict[str, Any]] = {
    **{name: option for name, option in IDENTITY_SPEC.items() if name not in UNUSED},
    **ADMINISTRATOR_SPEC,
    **GRAPH_SPEC,
}
SHARED_SPEC: dict[str, dict[str, Any]] = {
    "permissions": {"type": "dict", "default": {}},
    "exact": {"type": "bool", "default": False},
    "evidence_path": {"type": "path"},
}
APPLICATION_MODULE_SPEC: dict[str, dict[str, Any]] = {
    **DIRECTORY_SPEC,
    "client_id": {**IDENTITY_SPEC["client_id"], "required": False},
    "unique_name": {"type": "str", "default": "mssp-onboarding"},
    "display_name": {"type": "str", "default": "MSSP onboarding"},
    "redirect_uris": {"type": "list", "elements": "str", "default": []},
    "certificate_paths": {"type": "list", "elements": "path", "default": []},
    "certificate_grace_days": {"type": "int", "default": 14},
    "secret_name": {"type": "str", "no_log": False},
    "secret_days": {"type": "int", "default": 180, "no_log": False},
    "expiry_days": {"type": "int", "default": 30},
    **SHARED_SPEC,
}
PRINCIPAL_MODULE_SPEC: dict[str, dict[str, Any]] = {
    **DIRECTORY_SPEC,
    "redirect_uri": {"type": "str"},
    "state_key": {"type": "str", "no_log": True},
    "consent_response": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "wait_seconds": {"type": "int", "default": 300},
    **SHARED_SPEC,
}
RULES = azure.ADMINISTRATOR_RULES
OWN_CREDENTIALS = ("client_secret", "client_certificate_path", "federated_token_file")
# learn.microsoft.com «application: uniqueName»; quotes would have to be doubled in the address.
UNIQUE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
MAX_SECRET_DAYS = 730


class Application(NamedTuple):
    """What is wanted of the app, permissions by name yet."""

    display_name: str
    redirect_uris: tuple[str, ...]
    permissions: permissions.Names
    exact: bool
    certificate_grace_days: int
    secret_name: str
    secret_days: int
    expiry_days: int


def identity(params: Mapping[str, Any]) -> Identity:
    """The identity of checked parameters. Raises InputError."""
    return azure.identity({**UNUSED, **params})


def has_own(params: Mapping[str, Any]) -> bool:
    """Whether the app itself can sign in, besides an administrator."""
    return any(params[name] for name in OWN_CREDENTIALS)


def application(params: Mapping[str, Any]) -> Application:
    """Raises InputError."""
    if not params["client_id"] and not params["access_token"]:
        raise InputError(READ, "without client_id an administrator's access_token is needed, to make the app")
    if not UNIQUE_NAME.fullmatch(params["unique_name"]):
        raise InputError(READ, f"unique_name {params['unique_name']!r} must be letters, digits, dots, _ and -")
    for uri in params["redirect_uris"]:
        _check_redirect(uri)
    if not 1 <= params["secret_days"] <= MAX_SECRET_DAYS:
        raise InputError(READ, f"secret_days must be 1 to {MAX_SECRET_DAYS}")
    if params["certificate_grace_days"] < 0:
        raise InputError(READ, "certificate_grace_days must not be negative")
    return Application(
        display_name=params["display_name"],
        redirect_uris=tuple(sorted(set(params["redirect_uris"]))),
        permissions=permissions.wanted("permissions", params["permissions"]),
        exact=params["exact"],
        certificate_grace_days=params["certificate_grace_days"],
        secret_name=params["secret_name"] or "",
        secret_days=params["secret_days"],
        expiry_days=params["expiry_days"],
    )


def _check_redirect(uri: str) -> None:
    """Entra takes http for localhost only."""
    if not re.match(r"https://[^/]|http://localhost([:/]|$)", uri):
        raise InputError(READ, f"redirect_uris must be https addresses, not {uri!r}")


def principal(params: Mapping[str, Any]) -> permissions.Names:
    """Raises InputError."""
    if params["redirect_uri"]:
        _check_redirect(params["redirect_uri"])
    if params["wait_seconds"] < 0:
        raise InputError(READ, "wait_seconds must not be negative")
    return permissions.wanted("permissions", params["permissions"])
