# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the module for delegations by Azure Lighthouse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.errors import InputError
from ..identity import options as identity_options
from ..identity.options import ADMINISTRATOR_SPEC, IDENTITY_SPEC, READ, Identity
from ..rights.options import WRITE_SPEC, guid
from . import template
from .api import DELETE_ROLE

AUTHORIZATION_SPEC: dict[str, dict[str, Any]] = {
    "principal_id": {"type": "str"},
    "role": {"type": "str", "required": True},
    "name": {"type": "str"},
    "delegated_roles": {"type": "list", "elements": "str", "default": []},
}
DELEGATION_MODULE_SPEC: dict[str, dict[str, Any]] = {
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


class Asked(NamedTuple):
    """An authorization as it is asked for, by names of roles. principal_id: '' for the app itself."""

    role: str
    principal_id: str
    name: str
    delegated: tuple[str, ...]


class Setup(NamedTuple):
    """What a task wants of one subscription. template_path: '' for no file; command: deploys the template."""

    identity: Identity
    subscription: str
    manager: str
    offer: str
    description: str
    authorizations: tuple[Asked, ...]
    template_path: str
    command: str
    present: bool
    wait_seconds: float


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters, typed. Raises InputError."""
    subscription, manager, name = params["subscription_id"], params["managing_tenant_id"], params["name"]
    guid("subscription_id", subscription)
    for one in params["authorizations"]:
        guid("principal_id", one.get("principal_id"))
    if manager.casefold() == params["tenant_id"].casefold():
        raise InputError(READ, "managing_tenant_id is the customer's own tenant: nothing is to be delegated")
    if not name.strip() or not params["authorizations"]:
        raise InputError(READ, "a delegation needs a name and at least one authorization")
    return Setup(
        identity_options.identity(params),
        subscription,
        manager,
        name,
        params["description"] or name,
        tuple(
            Asked(
                one["role"],
                one.get("principal_id") or "",
                one.get("name") or "",
                tuple(one.get("delegated_roles") or ()),
            )
            for one in params["authorizations"]
        ),
        params["template_path"] or "",
        template.command(subscription, params["cloud"], params["template_path"]),
        params["state"] == "present",
        float(params["wait_seconds"]),
    )
