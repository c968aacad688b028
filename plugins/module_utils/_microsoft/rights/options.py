# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the module for role assignments, and those that all modules about rights have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.errors import InputError
from ..identity import options as identity_options
from ..identity.options import ADMINISTRATOR_SPEC, GUID, IDENTITY_SPEC, READ, RUN_SPEC, Identity

SCOPE = re.compile(r"/|(/(subscriptions|providers)/[^/?#]+(/[^/?#]+)*)")
SUBSCRIPTION = re.compile(r"/subscriptions/([^/]*)")
PRINCIPAL_TYPES = {"service_principal": "ServicePrincipal", "group": "Group", "user": "User"}

WRITE_SPEC: dict[str, dict[str, Any]] = {
    "state": RUN_SPEC["state"],
    "correct": RUN_SPEC["correct"],
    "fail_on": RUN_SPEC["fail_on"],
    "wait_seconds": {"type": "int", "default": 300},
    "evidence_path": RUN_SPEC["evidence_path"],
}
ROLE_ASSIGNMENT_MODULE_SPEC = {
    **IDENTITY_SPEC,
    **ADMINISTRATOR_SPEC,
    "scope": {"type": "str", "required": True},
    "role": {"type": "str", "required": True},
    "principal_id": {"type": "str"},
    "principal_type": {"type": "str", "choices": list(PRINCIPAL_TYPES), "default": "service_principal"},
    **WRITE_SPEC,
}


class Setup(NamedTuple):
    """What a task wants of one role. principal_id: '' for the app itself; principal_type: in Azure's words."""

    identity: Identity
    scope: str
    role: str
    principal_id: str
    principal_type: str
    present: bool
    wait_seconds: float


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters, typed. Raises InputError."""
    return Setup(
        identity_options.identity(params),
        scope(params),
        params["role"],
        params["principal_id"] or "",
        PRINCIPAL_TYPES[params["principal_type"]],
        params["state"] == "present",
        float(params["wait_seconds"]),
    )


def scope(params: Mapping[str, Any]) -> str:
    """The scope of a role assignment, without a slash at its end. Raises InputError."""
    given = str(params["scope"]).strip()
    found = given.rstrip("/") or "/"
    subscription = SUBSCRIPTION.match(found)
    if not given or not SCOPE.fullmatch(found) or (subscription and not GUID.fullmatch(subscription[1])):
        raise InputError(
            READ, f"scope must be / or an id that begins with /subscriptions/ or /providers/, not {given!r}"
        )
    guid("principal_id", params["principal_id"])
    if params["managing_tenant_id"]:
        raise InputError(
            READ,
            "managing_tenant_id does not go with a role assignment, which is made in the tenant that owns the scope",
            next_step="leave managing_tenant_id out, or delegate by mssp.onboarding.azure_lighthouse_delegation",
        )
    return found


def guid(option: str, value: str | None) -> None:
    """Raises InputError where a value was given that is no GUID."""
    if value and not GUID.fullmatch(value):
        raise InputError(READ, f"{option} must be a GUID, not {value!r}")
