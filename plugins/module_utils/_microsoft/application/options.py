# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the provider's own app, checked and typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.errors import InputError
from ..._core.options import Check
from ..graph import permissions
from ..graph.options import DIRECTORY_SPEC, SHARED_SPEC, check_redirect, identity
from ..identity.options import ADMINISTRATOR_RULES, IDENTITY_SPEC, READ, Identity

MODULE_SPEC: dict[str, dict[str, Any]] = {
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
RULES = ADMINISTRATOR_RULES
# learn.microsoft.com «application: uniqueName»; quotes would have to be doubled in the address.
UNIQUE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
MAX_SECRET_DAYS = 730


class Wanted(NamedTuple):
    """What is wanted of the app, permissions by name yet."""

    display_name: str
    redirect_uris: tuple[str, ...]
    permissions: permissions.Names
    exact: bool
    certificate_grace_days: int
    secret_name: str
    secret_days: int
    expiry_days: int


class Setup(NamedTuple):
    """One run. app_id: of an app that is there, '' for the one of this unique name, made where there is none."""

    identity: Identity
    app_id: str
    unique_name: str
    certificate_paths: tuple[str, ...]
    wanted: Wanted


def setup(params: Mapping[str, Any]) -> Setup:
    """Raises InputError."""
    who = identity(params)
    if not params["client_id"] and not params["access_token"]:
        raise InputError(READ, "without client_id an administrator's access_token is needed, to make the app")
    if not UNIQUE_NAME.fullmatch(params["unique_name"]):
        raise InputError(READ, f"unique_name {params['unique_name']!r} must be letters, digits, dots, _ and -")
    for uri in params["redirect_uris"]:
        check_redirect(uri)
    if not 1 <= params["secret_days"] <= MAX_SECRET_DAYS:
        raise InputError(READ, f"secret_days must be 1 to {MAX_SECRET_DAYS}")
    if params["certificate_grace_days"] < 0:
        raise InputError(READ, "certificate_grace_days must not be negative")
    wanted = Wanted(
        display_name=params["display_name"],
        redirect_uris=tuple(sorted(set(params["redirect_uris"]))),
        permissions=permissions.wanted("permissions", params["permissions"]),
        exact=params["exact"],
        certificate_grace_days=params["certificate_grace_days"],
        secret_name=params["secret_name"] or "",
        secret_days=params["secret_days"],
        expiry_days=params["expiry_days"],
    )
    return Setup(who, params["client_id"] or "", params["unique_name"], tuple(params["certificate_paths"]), wanted)


CHECK = Check(MODULE_SPEC, setup, RULES)
