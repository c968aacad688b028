# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the modules of a directory share: the argument specs, and their values checked and typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..._core.errors import InputError
from ..._core.options import RUN_SPEC
from ..identity import options as azure
from ..identity.options import ADMINISTRATOR_SPEC, GRAPH_SPEC, IDENTITY_SPEC, READ, Identity

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
    "fail_on": RUN_SPEC["fail_on"],
    "evidence_path": RUN_SPEC["evidence_path"],
}


def identity(params: Mapping[str, Any]) -> Identity:
    """The identity of checked parameters. Raises InputError."""
    return azure.identity({**UNUSED, **params})


def check_redirect(uri: str) -> None:
    """Entra takes http for localhost only. Raises InputError."""
    if not re.match(r"https://[^/]|http://localhost([:/]|$)", uri):
        raise InputError(READ, f"redirect_uris must be https addresses, not {uri!r}")
