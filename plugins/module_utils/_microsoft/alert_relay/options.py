# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules about the relay: the argument specs, and their values checked and typed."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.errors import InputError
from ..._core.options import Check
from ..identity import options as identity_options
from ..identity.options import FLOW_SPEC, IDENTITY_RULES, IDENTITY_SPEC, READ, RUN_SPEC, Identity
from .plan import KEYS, NONE, Wanted

# The role on the rule is a data action, which Azure Lighthouse does not delegate.
UNUSED: dict[str, Any] = {"managing_tenant_id": None, "auxiliary_tenant_ids": [], "log_analytics_url": None}
RELAY_SPEC: dict[str, dict[str, Any]] = {
    **{name: option for name, option in IDENTITY_SPEC.items() if name not in UNUSED},
    "rule_id": {"type": "str", "required": True},
    "stream": {"type": "str", "required": True},
    "resource_group": {"type": "str", "default": ""},
    "workflow": {"type": "str", "default": "mssp-onboarding-splunk-alerts"},
    "callers": {"type": "list", "elements": "str", "required": True},
}
_RUN = {name: RUN_SPEC[name] for name in ("state", "fail_on", "correct", "max_changes", "evidence_path")}
RELAY_MODULE_SPEC = {
    **RELAY_SPEC,
    "replace": {"type": "bool", "default": False},
    "url_days": {"type": "int", "default": 180},
    "key": {"type": "str", "choices": list(KEYS), "default": KEYS[0], "no_log": False},
    "rotate": {"type": "str", "choices": [NONE, *KEYS], "default": NONE, "no_log": False},
    "return_url": {"type": "bool", "default": False, "no_log": False},
    "wait_seconds": {"type": "int", "default": 300},
    **_RUN,
}
RELAY_ACCESS_SPEC = {**RELAY_SPEC, "rule_to_come": {"type": "bool", "default": False}}
RELAY_FLOW_SPEC = {
    **RELAY_SPEC,
    "window_hours": FLOW_SPEC["window_hours"],
    "evidence_path": RUN_SPEC["evidence_path"],
}
RULE = re.compile(
    r"/subscriptions/[0-9a-f-]{36}/resourcegroups/[\w().-]{1,90}/providers/microsoft\.insights/datacollectionrules/"
    r"[\w-]{3,64}",
    re.IGNORECASE,
)
STREAM = re.compile(r"Custom-\w{1,60}")
NAME = re.compile(r"[\w().-]{1,80}")


class Setup(NamedTuple):
    """What a task wants. url_days: how long a URL's period is; give_url: whether the result has it.

    rule_to_come: whether what makes the relay makes the rule before it.
    """

    identity: Identity
    wanted: Wanted
    url_days: int
    give_url: bool
    wait_seconds: float
    window: float
    rule_to_come: bool = False


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters, typed. Raises InputError with every reason."""
    who, rule = identity_options.identity({**UNUSED, **params}), params["rule_id"].rstrip("/")
    problems = [] if RULE.fullmatch(rule) else [f"rule_id must be the id of a data collection rule, not {rule!r}"]
    group = params["resource_group"] or (rule.split("/") + [""] * 5)[4]
    checked = {
        "stream": (STREAM, params["stream"]),
        "resource_group": (NAME, group),
        "workflow": (NAME, params["workflow"]),
    }
    for name, (form, value) in checked.items():
        if not form.fullmatch(value):
            problems.append(f"{name} {value!r} is not a name that Azure allows there")
    callers = tuple(_network(one, problems) for one in params["callers"])
    if not callers:
        problems.append("callers must name at least one address: without any the relay is open to whoever has its URL")
    days = params.get("url_days", 1)
    if not 1 <= days <= 3650:
        problems.append("url_days must be 1 to 3650")
    key, rotate = params.get("key", KEYS[0]), params.get("rotate", NONE)
    if rotate == key:
        problems.append(
            f"rotate must not be {key}: that is the key of the URL that is handed over, which would end at once"
        )
    if problems:
        raise InputError(READ, "; ".join(problems), next_step="correct the options; nothing was sent")
    present = params.get("state", "present") == "present"
    wanted = Wanted(
        rule, params["stream"], group, params["workflow"], callers, params.get("replace", False), present, key, rotate
    )
    seconds = params.get("window_hours", 0) * 3600.0
    wait, to_come = float(params.get("wait_seconds", 0)), bool(params.get("rule_to_come"))
    return Setup(who, wanted, days, bool(params.get("return_url")), wait, seconds, to_come)


def _network(given: str, problems: list[str]) -> str:
    """An address or network as Azure writes it: always with its length."""
    try:
        found = ipaddress.ip_network(given.strip(), strict=False)
    except ValueError:
        problems.append(f"callers must be addresses or networks, not {given!r}")
        return given
    if found.prefixlen == 0:
        problems.append("callers must not be the whole internet")
    return str(found)


CHECK = Check(RELAY_MODULE_SPEC, setup, IDENTITY_RULES)
