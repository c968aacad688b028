# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the app's presence in one tenant, checked and typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.errors import InputError
from ..._core.options import Check
from ..graph import consent, permissions
from ..graph.options import DIRECTORY_SPEC, SHARED_SPEC, check_redirect, identity
from ..identity.options import ADMINISTRATOR_RULES, READ, Identity
from .plan import Wanted

MODULE_SPEC: dict[str, dict[str, Any]] = {
    **DIRECTORY_SPEC,
    "redirect_uri": {"type": "str"},
    "state_key": {"type": "str", "no_log": True},
    "consent_response": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "wait_seconds": {"type": "int", "default": 300},
    **SHARED_SPEC,
}
RULES = ADMINISTRATOR_RULES


class Setup(NamedTuple):
    """One run. own: the app itself can sign in; answered: the customer's administrator has said yes."""

    identity: Identity
    wanted: Wanted
    present: bool
    own: bool
    answered: bool
    wait_seconds: int


def setup(params: Mapping[str, Any]) -> Setup:
    """Raises InputError, or RefusedError where the customer's administrator has said no."""
    who = identity(params)
    if params["redirect_uri"]:
        check_redirect(params["redirect_uri"])
    if params["wait_seconds"] < 0:
        raise InputError(READ, "wait_seconds must not be negative")
    key, tenant, client = params["state_key"], who.tenant_id, who.client_id
    if params["consent_response"]:
        consent.check(params["consent_response"], tenant, client, key)
    wanted = Wanted(
        tenant_id=tenant,
        client_id=client,
        permissions=permissions.wanted("permissions", params["permissions"]),
        exact=params["exact"],
        able=bool(who.access_token),
        consent_url=consent.link(who.cloud.authority, tenant, client, params["redirect_uri"], key),
    )
    return Setup(
        identity=who,
        wanted=wanted,
        present=params["state"] == "present",
        own=who.has_own,
        answered=bool(params["consent_response"]),
        wait_seconds=params["wait_seconds"],
    )


CHECK = Check(MODULE_SPEC, setup, RULES)
