# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the Azure modules: the argument specs, and their values checked and typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..._core.coverage import refuse, same, unmatched
from ..._core.errors import InputError
from ..._core.names import meant
from ..._core.options import COVERAGE_SPEC, Check
from ..arm.resource_types import FAMILIES, FAMILY_OF, wanted_types
from ..arm.resources import Filter, Target
from ..identity.options import (
    FLOW_SPEC,
    IDENTITY_RULES,
    IDENTITY_SPEC,
    READ,
    RUN_SPEC,
    Identity,
    Watch,
    identity,
    watch,
)
from ..settings.options import GIVEN_SINKS, SETTING_SPEC, check_resource_id, desired
from ..settings.plan import Desired, LogChoice
from ..settings.setting import EVENT_HUB, SINKS

AUTO, RESOURCE = "auto", "resource"
REGIONAL = (EVENT_HUB, "event_hub_name", "storage_account_id")
SELECTION_SPEC: dict[str, dict[str, Any]] = {
    "subscriptions": {"type": "list", "elements": "str", "default": []},
    "exclude_subscriptions": {"type": "list", "elements": "str", "default": []},
    "families": {"type": "list", "elements": "str", "choices": ["all", *sorted(FAMILIES)], "default": ["all"]},
    "resource_types": {"type": "list", "elements": "str", "default": []},
    "resource_groups": {"type": "list", "elements": "str", "default": []},
    "include_tags": {"type": "dict", "default": {}},
    "exclude_tags": {"type": "dict", "default": {}},
    "exclude_resources": {"type": "list", "elements": "str", "default": []},
}
RESOURCES_SPEC: dict[str, dict[str, Any]] = {
    **SETTING_SPEC,
    "marketplace_partner_id": {"type": "str"},
    "regional_destinations": {"type": "dict", "default": {}},
    "destination_table": {
        "type": "str",
        "choices": ["dedicated", "azure_diagnostics", "default"],
        "default": "default",
    },
    "logs": {"type": "dict", "default": {"default": {"category_group": "allLogs"}}},
    "metrics": {"type": "list", "elements": "str", "default": []},
}
SETTINGS_MODULE_SPEC = {**IDENTITY_SPEC, **SELECTION_SPEC, **RESOURCES_SPEC, **RUN_SPEC, **COVERAGE_SPEC}
ACCESS_MODULE_SPEC = {
    **IDENTITY_SPEC,
    **SELECTION_SPEC,
    **{name: RESOURCES_SPEC[name] for name in (*GIVEN_SINKS, "regional_destinations", "logs", "metrics")},
    **COVERAGE_SPEC,
}
FLOW_MODULE_SPEC = {
    **IDENTITY_SPEC,
    **SELECTION_SPEC,
    **RESOURCES_SPEC,
    **FLOW_SPEC,
    "by": {"type": "str", "choices": [AUTO, RESOURCE, "type"], "default": AUTO},
    "share_query": {"type": "bool", "default": False},
    **COVERAGE_SPEC,
    "concurrency": RUN_SPEC["concurrency"],
}


class Selection(NamedTuple):
    """Which targets of a tenant are meant. types: lower-case resource types, None for every type.

    strict: what matches nothing is an error; not where ours is to be removed, which a name must never hinder.
    """

    tenant_id: str
    subscriptions: tuple[str, ...] = ()
    exclude_subscriptions: tuple[str, ...] = ()
    types: frozenset[str] | None = None
    chosen: Filter = Filter()
    strict: bool = True


class Logs(NamedTuple):
    """Which logs are wanted: choices by family, resource type (lower-case) or «default», and lower-case metrics."""

    choices: Mapping[str, LogChoice]
    metrics: frozenset[str] = frozenset()

    def key(self, kind: str) -> str:
        """The key of the choice that holds for a resource type."""
        return next((key for key in (kind, FAMILY_OF.get(kind, "")) if key in self.choices), "default")


class Wanted(NamedTuple):
    """What is wanted of a tenant: who asks, of which targets, which setting, how many requests at once.

    base: the setting of every target, whose logs and destinations C(desired) puts in by C(logs) and the table regional
    (region -> kind -> value).
    """

    identity: Identity
    selection: Selection
    base: Desired
    logs: Logs
    regional: Mapping[str, Mapping[str, str]]
    concurrency: int

    def desired(self, target: Target) -> Desired:
        """What is wanted of this target: its family's logs, its region's destinations."""
        desired = self.base._replace(logs=self.logs.choices[self.logs.key(target.type)])
        if not self.regional:
            return desired
        region = target.location or "global"
        local = self.regional.get(region)
        if local is None:
            gap = f"no Event Hub or storage is given for region {region} (regional_destinations)"
            return desired if any(kind in desired.sinks for kind in REGIONAL) else desired._replace(destination_gap=gap)
        sinks = {**desired.sinks, **{kind: value for kind, value in local.items() if kind in SINKS}}
        return desired._replace(sinks=sinks, event_hub_name=local.get("event_hub_name") or desired.event_hub_name)


def wanted(params: Mapping[str, Any]) -> Wanted:
    """What the parameters want of a tenant. Raises InputError."""
    regional = {
        str(region).replace(" ", "").casefold(): _regional(region, given)
        for region, given in params["regional_destinations"].items()
    }
    table = params["destination_table"]
    present = params.get("state", "present") == "present"
    logs = wanted_logs(params)
    base = desired(params, present=present, regional=bool(regional))._replace(
        metrics=logs.metrics, table=None if table == "default" else table
    )
    return Wanted(identity(params), selection(params), base, logs, regional, params["concurrency"])


def selection(params: Mapping[str, Any]) -> Selection:
    """Which targets the parameters mean; what a module does not offer chooses all."""
    given = {name: spec["default"] for name, spec in SELECTION_SPEC.items()} | dict(params)
    strict = given.get("state", "present") == "present"
    types = wanted_types(given["families"], given["resource_types"])
    if strict and types is not None and not types:
        raise InputError(READ, "families and resource_types are both empty, which chooses nothing", code="NoMatch")
    return Selection(
        params["tenant_id"],
        tuple(given["subscriptions"]),
        tuple(given["exclude_subscriptions"]),
        types,
        Filter.of(given["resource_groups"], given["include_tags"], given["exclude_tags"], given["exclude_resources"]),
        strict,
    )


class Asked(NamedTuple):
    """What a preflight asks of: sinks are (kind, resource id), each once."""

    identity: Identity
    selection: Selection
    logs: Logs
    sinks: Sequence[tuple[str, str]]


def asked(params: Mapping[str, Any]) -> Asked:
    """Of the parameters of ACCESS_MODULE_SPEC. Raises InputError."""
    places = [params, *params["regional_destinations"].values()]
    sinks = [
        (kind, sink) for kind in GIVEN_SINKS for sink in sorted({place.get(kind) or "" for place in places}) if sink
    ]
    return Asked(identity(params), selection(params), wanted_logs(params), sinks)


class Watched(NamedTuple):
    """What verify looks at: the wanted settings, and how long and by which limits it looks.

    by: whether each resource is judged, or each type. share_query: the tenants of a run ask a workspace once.
    """

    settings: Wanted
    watch: Watch
    workspace: str
    hub_rule: str
    hub: str
    by: str
    share_query: bool


def watched(params: Mapping[str, Any]) -> Watched:
    """Of the parameters of FLOW_MODULE_SPEC. Raises InputError."""
    workspace, rule, hub = (params.get(name) or "" for name in ("workspace_id", EVENT_HUB, "event_hub_name"))
    return Watched(wanted(params), watch(params), workspace, rule, hub, params["by"], params["share_query"])


def _regional(region: str, given: Any) -> dict[str, str]:
    if not isinstance(given, dict) or not given or set(given) - set(REGIONAL):
        raise InputError(READ, f"regional_destinations[{region}] must be a dictionary of {', '.join(REGIONAL)}")
    for kind in given:
        if kind in SINKS:
            check_resource_id(f"regional_destinations[{region}].{kind}", given[kind])
    return {kind: str(value) for kind, value in given.items()}


def wanted_logs(params: Mapping[str, Any]) -> Logs:
    """Of C(logs) and C(metrics). Raises InputError."""
    given = params["logs"]
    names = [str(key) for key in given if "/" not in str(key)]
    refuse(READ, unmatched("logs", names, ["default", *FAMILIES], same))
    choices = {str(key).casefold(): _log_choice(key, value) for key, value in given.items()}
    metrics = frozenset(metric.casefold() for metric in params["metrics"])
    return Logs({"default": LogChoice("alllogs"), **choices}, metrics)


def _log_choice(key: str, value: Any) -> LogChoice:
    shape = f"logs[{key}] must have either category_group (allLogs or audit) or categories (a list of names)"
    if not isinstance(value, dict) or len(value) != 1:
        raise InputError(READ, shape)
    group, categories = value.get("category_group"), value.get("categories")
    if isinstance(group, str) and group.casefold() in ("alllogs", "audit"):
        return LogChoice(group.casefold())
    if isinstance(categories, list) and categories and all(isinstance(name, str) for name in categories):
        return LogChoice("", frozenset(name.casefold() for name in categories))
    if isinstance(group, str):
        shape += meant(group, ("allLogs", "audit"))
    raise InputError(READ, shape)


CHECK = Check(SETTINGS_MODULE_SPEC, wanted, IDENTITY_RULES)
