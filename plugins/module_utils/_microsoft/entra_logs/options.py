# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the module about Entra's own logs, and what they want."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.errors import InputError
from ..._core.options import COVERAGE_SPEC
from ..identity import options as identity_options
from ..identity.options import ADMINISTRATOR_SPEC, IDENTITY_SPEC, READ, RUN_SPEC, Identity
from ..settings import options
from ..settings.options import SETTING_SPEC
from ..settings.plan import Desired, LogChoice
from ..settings.setting import EVERY_LOG

_SINKS = ("workspace_id", "event_hub_authorization_rule_id", "event_hub_name", "storage_account_id")
_RUN = ("state", "fail_on", "correct", "evidence_path")
ENTRA_MODULE_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    **ADMINISTRATOR_SPEC,
    **{name: SETTING_SPEC[name] for name in ("name", *_SINKS, "satisfied_by", "on_conflict", "exact")},
    "categories": {"type": "list", "elements": "str", "default": ["all"]},
    "wait_seconds": {"type": "int", "default": 300},
    **{name: RUN_SPEC[name] for name in _RUN},
    **COVERAGE_SPEC,
}


class Setup(NamedTuple):
    """What a task wants of Entra's settings, and for how long it waits until Azure shows what it wrote."""

    identity: Identity
    desired: Desired
    wait_seconds: float = 0.0


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters, typed. Raises InputError.

    The sign-in is to the customer's own tenant: Lighthouse delegates nothing that is tenant-wide.
    """
    identity = identity_options.identity(params)
    own = identity._replace(sign_in=identity.tenant_id)
    return Setup(own, desired(params), float(params["wait_seconds"]))


def desired(params: Mapping[str, Any]) -> Desired:
    """What the parameters want of Entra. Raises InputError."""
    base = options.desired(params, present=params["state"] == "present")
    names = frozenset(name.casefold() for name in params["categories"])
    if not names:
        raise InputError(READ, "categories is empty", next_step="name categories, or all")
    return base._replace(logs=LogChoice(EVERY_LOG) if "all" in names else LogChoice("", names))
