# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules about Event Hubs: the argument specs, and their values checked and typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.errors import InputError
from ..._core.options import COVERAGE_SPEC, Check
from ..identity import options as identity_options
from ..identity.options import (
    ADMINISTRATOR_RULES,
    ADMINISTRATOR_SPEC,
    FLOW_SPEC,
    GUID,
    IDENTITY_SPEC,
    READ,
    RUN_SPEC,
    Identity,
    Watch,
)
from .plan import TIERS, Wanted

HUB_SPEC: dict[str, dict[str, Any]] = {
    "subscription_id": {"type": "str", "required": True},
    "resource_group": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "hub": {"type": "str", "default": "mssp-onboarding"},
}
PARTS_SPEC: dict[str, dict[str, Any]] = {
    "location": {"type": "str", "default": ""},
    "sku": {"type": "str", "choices": list(TIERS), "default": "standard"},
    "writer_rule": {"type": "str", "default": "mssp-onboarding-writer"},
    "reader_rule": {"type": "str", "default": "mssp-onboarding-reader"},
    "consumer_group": {"type": "str", "default": "mssp-onboarding"},
    "partition_count": {"type": "int", "default": 4},
    "retention_hours": {"type": "int", "default": 168},
}
WAIT_SPEC: dict[str, dict[str, Any]] = {"wait_seconds": {"type": "int", "default": 300}}
KEYS_SPEC: dict[str, dict[str, Any]] = {
    "rotate": {"type": "str", "choices": ["none", "primary", "secondary"], "default": "none", "no_log": False},
    "return_keys": {"type": "bool", "default": False, "no_log": False},
}
_RUN = {name: RUN_SPEC[name] for name in ("state", "fail_on", "correct", "evidence_path")}
HUB_MODULE_SPEC = {
    **IDENTITY_SPEC,
    **ADMINISTRATOR_SPEC,
    **HUB_SPEC,
    **PARTS_SPEC,
    **KEYS_SPEC,
    **WAIT_SPEC,
    **_RUN,
}
HUB_ACCESS_MODULE_SPEC = {
    **IDENTITY_SPEC,
    **ADMINISTRATOR_SPEC,
    **HUB_SPEC,
    "entra": {"type": "bool", "default": True},
    **COVERAGE_SPEC,
}
HUB_FLOW_MODULE_SPEC = {
    **IDENTITY_SPEC,
    **ADMINISTRATOR_SPEC,
    **HUB_SPEC,
    **FLOW_SPEC,
    "entra": {"type": "bool", "default": False},
    **COVERAGE_SPEC,
}
# learn.microsoft.com «Event Hubs quotas», «Naming rules» of Microsoft.EventHub and Microsoft.Resources.
NAMES = {
    "resource_group": re.compile(r"[\w().-]{0,89}[\w()-]"),
    "namespace": re.compile(r"[A-Za-z][A-Za-z0-9-]{4,48}[A-Za-z0-9]"),
    "hub": re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,254}[A-Za-z0-9])?"),
    "writer_rule": re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,48}[A-Za-z0-9])?"),
    "reader_rule": re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,48}[A-Za-z0-9])?"),
    "consumer_group": re.compile(r"\$Default|[A-Za-z0-9]([A-Za-z0-9._-]{0,48}[A-Za-z0-9])?"),
}
# Tier -> (hours of retention, partitions of a hub) at most.
LIMITS = {"basic": (24, 32), "standard": (168, 32), "premium": (2160, 100)}


def identity(params: Mapping[str, Any]) -> Identity:
    """The identity of checked parameters; an administrator's token is one of the customer's own tenant."""
    found = identity_options.identity(params)
    return found._replace(sign_in=found.tenant_id) if found.access_token else found


def wanted(params: Mapping[str, Any]) -> Wanted:
    """What the parameters want; those that only the whole module has may be missing. Raises InputError."""
    if not GUID.fullmatch(params["subscription_id"]):
        raise InputError(READ, f"subscription_id must be a GUID, not {params['subscription_id']!r}")
    given = {name: params.get(name, spec["default"]) for name, spec in PARTS_SPEC.items()}
    given |= {name: params[name] for name in ("resource_group", "namespace", "hub")}
    for name, pattern in NAMES.items():
        if not pattern.fullmatch(given[name]):
            raise InputError(READ, f"{name} {given[name]!r} is not a name that Azure allows there")
    present = params.get("state", "present") == "present"
    rotate, keys = params.get("rotate", "none"), params.get("return_keys", False)
    if not present and (rotate != "none" or keys):
        raise InputError(READ, "rotate and return_keys are for state: present")
    if present:
        _check_limits(given)
    return Wanted(**given, present=present, rotate=rotate, keys=keys)


def _check_limits(given: Mapping[str, Any]) -> None:
    sku = given["sku"]
    hours, partitions = LIMITS[sku]
    if not 1 <= given["retention_hours"] <= hours:
        step = "take the Standard tier, which keeps 7 days" if sku == "basic" else ""
        text = f"the {sku} tier keeps 1 to {hours} hours, not {given['retention_hours']}"
        raise InputError(READ, text, next_step=step)
    if not 1 <= given["partition_count"] <= partitions:
        text = f"a hub of the {sku} tier has 1 to {partitions} partitions, not {given['partition_count']}"
        raise InputError(READ, text)
    if sku == "basic" and given["consumer_group"] != "$Default":
        step = "take the Standard tier, or set consumer_group to $Default"
        raise InputError(READ, "the Basic tier has no consumer groups but $Default", next_step=step)


class Setup(NamedTuple):
    """What a task wants of one hub. watch: for verify; entra: whether to look at Entra's settings, too."""

    identity: Identity
    subscription: str
    hub: Wanted
    wait_seconds: float
    watch: Watch
    entra: bool


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters of any module about Event Hubs, typed. Raises InputError."""
    return Setup(
        identity(params),
        params["subscription_id"],
        wanted(params),
        float(params.get("wait_seconds", 0)),
        identity_options.watch({**{name: spec["default"] for name, spec in FLOW_SPEC.items()}, **params}),
        bool(params.get("entra")),
    )


CHECK = Check(HUB_MODULE_SPEC, setup, ADMINISTRATOR_RULES)
