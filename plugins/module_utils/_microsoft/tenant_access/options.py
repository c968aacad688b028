# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an app shall have in a customer's tenant: options checked and typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core import policy
from ..._core.errors import InputError
from ..._core.options import COVERAGE_SPEC
from ..graph import consent, permissions
from ..identity import options as azure
from ..identity.options import ADMINISTRATOR_SPEC, GRAPH_SPEC, GUID, IDENTITY_RULES, IDENTITY_SPEC, READ, Identity
from .rules import Role, Wanted

UNUSED: dict[str, Any] = {"auxiliary_tenant_ids": [], "log_analytics_url": None}
MODULE_SPEC: dict[str, dict[str, Any]] = {
    **{name: option for name, option in IDENTITY_SPEC.items() if name not in UNUSED},
    **ADMINISTRATOR_SPEC,
    **GRAPH_SPEC,
    "permissions": {"type": "dict", "default": {}},
    "subscriptions": {"type": "list", "elements": "str", "default": []},
    "role": {"type": "str", "default": "Monitoring Contributor"},
    "roles": {"type": "list", "elements": "dict", "default": []},
    "redirect_uri": {"type": "str"},
    "state_key": {"type": "str", "no_log": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "correct": {"type": "str", "choices": list(policy.LEVELS), "default": policy.ALL},
    **COVERAGE_SPEC,
}
RULES = IDENTITY_RULES


class Setup(NamedTuple):
    """One look. present: it shall have access, else it shall have given it back; correct: what a run may grant."""

    identity: Identity
    wanted: Wanted
    present: bool
    correct: str


def setup(params: Mapping[str, Any]) -> Setup:
    """Of subscriptions only those that are named. Raises InputError."""
    for subscription in params["subscriptions"]:
        if not GUID.fullmatch(subscription):
            raise InputError(READ, f"subscriptions must be ids (GUIDs), not {subscription!r}")
    for role in params["roles"]:
        if set(role) != {"role", "scope"} or not str(role["scope"]).startswith("/"):
            raise InputError(READ, f"each of roles must have role and scope (an id that starts with /), not {role!r}")
    who = azure.identity({**UNUSED, **params})
    # By Lighthouse the app signs in to the managing tenant, and for its permissions to the customer's as well.
    who = who._replace(auxiliary=(who.tenant_id,) if who.sign_in != who.tenant_id else ())
    wanted = Wanted(
        tenant_id=who.tenant_id,
        client_id=who.client_id,
        managing_tenant_id=params["managing_tenant_id"] or "",
        permissions=permissions.wanted("permissions", params["permissions"]),
        subscriptions=tuple(params["subscriptions"]),
        role=params["role"],
        further=tuple(Role(role["role"], role["scope"].rstrip("/")) for role in params["roles"]),
        consent_url=consent.link(
            who.cloud.authority, who.tenant_id, who.client_id, params["redirect_uri"], params["state_key"]
        ),
        cloud=params["cloud"],
    )
    return Setup(who, wanted, params["state"] == "present", params["correct"])
