# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules about Defender XDR: the argument specs, and their values checked and typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.errors import InputError
from ..._core.options import COVERAGE_SPEC, Check
from ..event_hub import options as hub_options
from ..event_hub.options import HUB_SPEC, NAMES, PARTS_SPEC, WAIT_SPEC
from ..event_hub.plan import Wanted as Hub
from ..identity import options as azure
from ..identity.options import (
    FLOW_SPEC,
    GRAPH_SPEC,
    GUID,
    IDENTITY_RULES,
    IDENTITY_SPEC,
    READ,
    RUN_SPEC,
    Identity,
    Watch,
)
from .tables import ALERTS, EXPORT, INCIDENTS, STREAMING, TABLES, WAYS

# Microsoft.Security/automations, 2023-12-01-preview; snapshots repeat what the others send.
SOURCES = ("Alerts", "Assessments", "SubAssessments", "SecureScores", "SecureScoreControls",
           "RegulatoryComplianceAssessment", "AttackPaths")  # fmt: skip
# Advanced hunting keeps 30 days.
MOST_HOURS = 720
UNUSED: dict[str, Any] = {"auxiliary_tenant_ids": [], "log_analytics_url": None}
EXPORT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")

ACCESS_SPEC: dict[str, dict[str, Any]] = {
    **{name: option for name, option in IDENTITY_SPEC.items() if name not in UNUSED},
    **GRAPH_SPEC,
    "ways": {"type": "list", "elements": "str", "choices": list(WAYS), "default": [ALERTS, INCIDENTS]},
    "tables": {"type": "list", "elements": "str", "choices": list(TABLES), "default": ["AlertInfo", "AlertEvidence",
               "DeviceInfo"]},
    **{name: {"type": "str"} for name in ("subscription_id", "resource_group", "namespace")},
    "hub": HUB_SPEC["hub"],
    **{name: PARTS_SPEC[name] for name in ("writer_rule", "consumer_group")},
    "setting_name": {"type": "str", "default": "mssp-onboarding"},
    "export_name": {"type": "str", "default": "mssp-onboarding"},
    "export_sources": {"type": "list", "elements": "str", "choices": list(SOURCES), "default": ["Alerts"]},
    "export_subscription_ids": {"type": "list", "elements": "str", "default": []},
    "export_resource_group": {"type": "str"},
    **COVERAGE_SPEC,
}  # fmt: skip
CONVERGE_SPEC: dict[str, dict[str, Any]] = {
    **ACCESS_SPEC,
    **WAIT_SPEC,
    **{name: RUN_SPEC[name] for name in ("state", "fail_on", "correct", "max_changes")},
}
STREAM_SPEC: dict[str, dict[str, Any]] = {
    **ACCESS_SPEC,
    **FLOW_SPEC,
    "window_hours": {"type": "int", "default": 168},
}


class Export(NamedTuple):
    """What Defender for Cloud is to export, of which subscriptions; group: where its setting lies, in each of them."""

    name: str
    sources: tuple[str, ...]
    subscriptions: tuple[str, ...]
    group: str


class Setup(NamedTuple):
    """What a task wants of one tenant. hub: None where no way needs one; subscription: the hub's; watch: for verify."""

    identity: Identity
    cloud: str
    ways: tuple[str, ...]
    tables: tuple[str, ...]
    subscription: str
    hub: Hub | None
    setting: str
    export: Export
    leaving: bool
    wait_seconds: float
    watch: Watch

    def wants(self, way: str) -> bool:
        return way in self.ways


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters, typed. Raises InputError with every reason."""
    identity, ways = azure.identity({**UNUSED, **params}), tuple(one for one in WAYS if one in params["ways"])
    by_hub = [one for one in (STREAMING, EXPORT) if one in ways]
    problems = [f"{name} is needed for {' and '.join(by_hub)}" for name in _missing(params, by_hub)]
    if not ways:
        problems.append("ways must name at least one")
    if STREAMING in ways and not params["tables"]:
        problems.append("tables must name at least one for streaming")
    if EXPORT in ways and not params["export_sources"]:
        problems.append("export_sources must name at least one for continuous_export")
    if not EXPORT_NAME.fullmatch(params["export_name"]):
        problems.append(f"export_name {params['export_name']!r} is not a name that Azure allows there")
    group = params["export_resource_group"] or params["resource_group"] or ""
    if group and not NAMES["resource_group"].fullmatch(group):
        problems.append(f"export_resource_group {group!r} is not a name that Azure allows there")
    problems += [f"export_subscription_ids must be GUIDs, not {one!r}" for one in params["export_subscription_ids"]
                 if not GUID.fullmatch(one)]  # fmt: skip
    if not 0 < params.get("window_hours", MOST_HOURS) <= MOST_HOURS:
        problems.append(f"window_hours must be at most {MOST_HOURS}: hunting keeps 30 days")
    if problems:
        raise InputError(READ, "; ".join(problems), next_step="correct the options; nothing was sent")
    hub = hub_options.wanted({**params, "state": "present"}) if by_hub else None
    flow = {name: STREAM_SPEC[name]["default"] for name in FLOW_SPEC}
    subscriptions = params["export_subscription_ids"] or [params["subscription_id"] or ""]
    return Setup(
        identity,
        params["cloud"],
        ways,
        tuple(one for one in TABLES if one in params["tables"]),
        params["subscription_id"] or "",
        hub,
        params["setting_name"],
        Export(
            params["export_name"],
            tuple(one for one in SOURCES if one in params["export_sources"]),
            tuple(dict.fromkeys(one.casefold() for one in subscriptions)),
            group,
        ),
        params.get("state") == "absent",
        float(params.get("wait_seconds", 0)),
        azure.watch({**flow, **params}),
    )


def _missing(params: Mapping[str, Any], by_hub: list[str]) -> list[str]:
    names = ("subscription_id", "resource_group", "namespace")
    return [name for name in names if not params[name]] if by_hub else []


CHECK = Check(CONVERGE_SPEC, setup, IDENTITY_RULES)
