# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that every kind of diagnostic setting has: their argument spec, and their values checked and typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..._core.errors import InputError
from ..identity.options import READ
from .plan import Desired
from .setting import EVENT_HUB, SINKS

RESOURCE_ID = re.compile(
    r"/subscriptions/[0-9a-f-]{36}/resourcegroups/[^/]+/providers/[^/]+/[^/]+/[^/]+", re.IGNORECASE
)
# What a destination must be, where Azure takes one kind only. It refuses the rule of a hub in the words of a missing
# right: Azure/azure-policy#351, hashicorp/terraform-provider-azurerm#13220.
KINDS = {
    "workspace_id": ("a workspace", "/providers/microsoft.operationalinsights/workspaces/[^/]+"),
    EVENT_HUB: (
        "an authorization rule of the namespace, not of a hub in it",
        "/providers/microsoft.eventhub/namespaces/[^/]+/authorizationrules/[^/]+",
    ),
    "storage_account_id": ("a storage account", r"/providers/microsoft\.(classic)?storage/storageaccounts/[^/]+"),
}
SETTING_NAME = re.compile(r"[^<>*%&:\\?+/]{1,260}")
GIVEN_SINKS = tuple(kind for kind in SINKS if kind != "service_bus_rule_id")
SETTING_SPEC: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "default": "mssp-onboarding"},
    "workspace_id": {"type": "str"},
    "event_hub_authorization_rule_id": {"type": "str"},
    "event_hub_name": {"type": "str"},
    "storage_account_id": {"type": "str"},
    "satisfied_by": {"type": "str", "choices": ["any", "ours"], "default": "any"},
    "on_conflict": {"type": "str", "choices": ["report", "adopt"], "default": "report"},
    "exact": {"type": "bool", "default": False},
}


def desired(params: Mapping[str, Any], *, present: bool = True, regional: bool = False) -> Desired:
    """What the parameters want of a setting, of all logs. Raises InputError.

    regional: destinations are given by region, too.
    """
    sinks = {kind: params[kind] for kind in GIVEN_SINKS if params.get(kind)}
    if present and not sinks and not regional:
        raise InputError(READ, "no destination is given", next_step=f"set one of {', '.join(GIVEN_SINKS)}")
    for kind, value in sinks.items():
        check_resource_id(kind, value)
    if not SETTING_NAME.fullmatch(params["name"]):
        raise InputError(READ, f"name {params['name']!r} is not a name that a diagnostic setting may have")
    return Desired(
        name=params["name"],
        sinks=sinks,
        event_hub_name=params.get("event_hub_name") or "",
        present=present,
        satisfied_by_any=params["satisfied_by"] == "any",
        adopt=params["on_conflict"] == "adopt",
        exact=params["exact"],
    )


def check_resource_id(option: str, value: Any) -> None:
    """Raises InputError."""
    if not isinstance(value, str) or not RESOURCE_ID.match(value):
        raise InputError(READ, f"{option} must be a resource id (/subscriptions/…/providers/…), not {value!r}")
    words, pattern = KINDS.get(option.rpartition(".")[2], ("", ""))
    if pattern and not re.search(f"{pattern}$", value, re.IGNORECASE):
        raise InputError(READ, f"{option} must be the id of {words}, not {value!r}")
