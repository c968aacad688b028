# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that give rights: the argument specs, and their values checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..._core import policy as drift
from ..._core.errors import InputError
from ..identity.options import ADMINISTRATOR_SPEC, GUID, IDENTITY_SPEC, READ, RUN_SPEC
from ..lighthouse.api import DELETE_ROLE

SCOPE = re.compile(r"/|(/(subscriptions|providers)/[^/?#]+(/[^/?#]+)*)")
SUBSCRIPTION = re.compile(r"/subscriptions/([^/]*)")
PRINCIPAL_TYPES = {"service_principal": "ServicePrincipal", "group": "Group", "user": "User"}

WRITE_SPEC: dict[str, dict[str, Any]] = {
    "state": RUN_SPEC["state"],
    "correct": {"type": "str", "choices": list(drift.LEVELS), "default": drift.ALL},
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
AUTHORIZATION_SPEC: dict[str, dict[str, Any]] = {
    "principal_id": {"type": "str"},
    "role": {"type": "str", "required": True},
    "name": {"type": "str"},
    "delegated_roles": {"type": "list", "elements": "str", "default": []},
}
DELEGATION_MODULE_SPEC = {
    **IDENTITY_SPEC,
    **ADMINISTRATOR_SPEC,
    "managing_tenant_id": {"type": "str", "required": True},
    "subscription_id": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "description": {"type": "str", "default": ""},
    "authorizations": {
        "type": "list",
        "elements": "dict",
        "options": AUTHORIZATION_SPEC,
        "default": [{"role": "Monitoring Contributor"}, {"role": DELETE_ROLE}],
    },
    "template_path": {"type": "path"},
    **WRITE_SPEC,
}


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


def delegation(params: Mapping[str, Any]) -> None:
    """Check the options of a delegation. Raises InputError."""
    guid("subscription_id", params["subscription_id"])
    for one in params["authorizations"]:
        guid("principal_id", one.get("principal_id"))
    if params["managing_tenant_id"].casefold() == params["tenant_id"].casefold():
        raise InputError(READ, "managing_tenant_id is the customer's own tenant: nothing is to be delegated")
    if not params["name"].strip() or not params["authorizations"]:
        raise InputError(READ, "a delegation needs a name and at least one authorization")


def guid(option: str, value: str | None) -> None:
    """Raises InputError where a value was given that is no GUID."""
    if value and not GUID.fullmatch(value):
        raise InputError(READ, f"{option} must be a GUID, not {value!r}")
