# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that keep tickets in step with incidents: the argument specs, and their values typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ..._core.errors import InputError
from ..._core.freshness import Limits
from ..._core.options import Check
from ..graph.options import UNUSED
from ..graph.options import identity as graph_identity
from ..identity.options import GRAPH_SPEC, IDENTITY_RULES, IDENTITY_SPEC, READ, RUN_SPEC, Identity
from .plan import CLOSED_TARGET, NOTE, REOPEN, REOPENED, Policy
from .tickets import SEVERITIES

SERVICENOW, WEBHOOK, LOGIC_APP = ITSMS = ("servicenow", "webhook", "logic_app")
GRAPH, SENTINEL = FEEDS = ("graph", "sentinel")
# A column of ServiceNow's tables, and a value of one of its choice lists.
COLUMN = re.compile(r"[a-z][a-z0-9_]{0,79}")
MAX_LOOKBACK = 24 * 30
WORKSPACE = re.compile(
    r"/subscriptions/[0-9a-f-]{36}/resourceGroups/[^/?#]+/providers/Microsoft.OperationalInsights/workspaces/[^/?#]+",
    re.IGNORECASE,
)

FEED_SPEC: dict[str, dict[str, Any]] = {
    **{name: option for name, option in IDENTITY_SPEC.items() if name not in UNUSED},
    **GRAPH_SPEC,
    "resource_manager_url": IDENTITY_SPEC["resource_manager_url"],
    "feed": {"type": "str", "choices": list(FEEDS), "default": GRAPH},
    "sentinel_workspace_id": {"type": "str"},
    "itsm": {"type": "str", "choices": list(ITSMS), "default": SERVICENOW},
    "servicenow_url": {"type": "str"},
    "servicenow_username": {"type": "str"},
    "servicenow_password": {"type": "str", "no_log": True},
    "servicenow_api_key": {"type": "str", "no_log": True},
    "caller": {"type": "str"},
    "assignment_group": {"type": "str"},
    "category": {"type": "str"},
    "close_code": {"type": "str"},
    "marker_field": {"type": "str", "default": "correlation_display"},
    "reopened_state": {"type": "str", "default": "2"},
    "resolved_state": {"type": "str", "default": "6"},
    "closed_states": {"type": "list", "elements": "str", "default": ["7", "8"]},
    "webhook_url": {"type": "str"},
    "webhook_secret": {"type": "str", "no_log": True},
    "severities": {"type": "list", "elements": "str", "choices": list(SEVERITIES), "default": list(SEVERITIES)},
    "reopened": {"type": "str", "choices": list(REOPENED), "default": REOPEN},
    "closed_target": {"type": "str", "choices": list(CLOSED_TARGET), "default": NOTE},
    "write_tags": {"type": "bool", "default": False},
    "lookback_hours": {"type": "int", "default": 24},
    "evidence_path": RUN_SPEC["evidence_path"],
}
CONVERGE_SPEC: dict[str, dict[str, Any]] = {
    **FEED_SPEC,
    **{name: RUN_SPEC[name] for name in ("state", "fail_on", "correct", "max_changes")},
    "overlap_minutes": {"type": "int", "default": 10},
    "close_tickets": {"type": "bool", "default": False},
}
FLOW_SPEC: dict[str, dict[str, Any]] = {
    **FEED_SPEC,
    "grace_minutes": {"type": "int", "default": 20},
    "stale_hours": {"type": "int", "default": 2},
}


class Desk(NamedTuple):
    """The ITSM. url, secrets; the rest is of ServiceNow: what its tickets get, and how its states are named."""

    kind: str
    url: str
    username: str = ""
    password: str = ""
    api_key: str = ""
    caller: str = ""
    group: str = ""
    category: str = ""
    close_code: str = ""
    marker: str = "correlation_display"
    reopened: str = "2"
    resolved: str = "6"
    closed: tuple[str, ...] = ("7", "8")


class Setup(NamedTuple):
    """What a task wants of one tenant.

    lookback, overlap: seconds; closes: tickets too, when the tenant leaves; feed: where incidents are read; workspace:
    of Sentinel, for that and for preflight; syncs: it may write, as preflight and verify do not.
    """

    identity: Identity
    desk: Desk
    policy: Policy
    lookback: float
    overlap: float
    leaving: bool
    closes: bool
    limits: Limits
    feed: str = GRAPH
    workspace: str = ""
    syncs: bool = False

    @property
    def tenant(self) -> str:
        return self.identity.tenant_id.casefold()


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters, typed. Raises InputError with every reason."""
    identity = graph_identity(params)
    problems = [*_missing(params), *_wrong(params)]
    if problems:
        raise InputError(READ, "; ".join(problems), next_step="correct the options; nothing was sent")
    given = {**{name: option.get("default") for name, option in (CONVERGE_SPEC | FLOW_SPEC).items()}, **params}
    policy = Policy(frozenset(given["severities"]), given["reopened"], given["closed_target"], given["write_tags"])
    return Setup(
        identity,
        _desk(given),
        policy,
        given["lookback_hours"] * 3600.0,
        given["overlap_minutes"] * 60.0,
        given.get("state") == "absent",
        given["close_tickets"],
        Limits(grace=given["grace_minutes"] * 60.0, stale=given["stale_hours"] * 3600.0),
        given["feed"],
        given["sentinel_workspace_id"] or "",
        "state" in params,
    )


def _missing(params: Mapping[str, Any]) -> list[str]:
    """Options that the chosen ITSM needs, or the chosen feed."""
    if params["itsm"] != SERVICENOW:
        needed = ["webhook_url", "webhook_secret", *(["sentinel_workspace_id"] if params["itsm"] == LOGIC_APP else [])]
    else:
        needed = ["servicenow_url", "caller", "close_code"]
        if not params["servicenow_api_key"]:
            needed += ["servicenow_username", "servicenow_password"]
    lost = [f"{name} is needed with itsm: {params['itsm']}" for name in needed if not params[name]]
    if params["feed"] == SENTINEL and not params["sentinel_workspace_id"]:
        lost.append(f"sentinel_workspace_id is needed with feed: {SENTINEL}")
    return lost


def _wrong(params: Mapping[str, Any]) -> list[str]:
    problems = []
    for name in ("servicenow_url", "webhook_url"):
        try:
            parts = urlsplit(params[name] or "https://x")
            fine = parts.scheme == "https" and bool(parts.hostname) and not (parts.username or parts.query)
        except ValueError:
            fine = False
        if not fine:
            problems.append(f"{name} must be an https URL without user or query")  # not shown: it may hold a secret
    if not COLUMN.fullmatch(params["marker_field"]):
        problems.append(f"marker_field must be the name of a column, not {params['marker_field']!r}")
    if params["sentinel_workspace_id"] and not WORKSPACE.fullmatch(params["sentinel_workspace_id"]):
        problems.append(f"sentinel_workspace_id must be a workspace's id, not {params['sentinel_workspace_id']!r}")
    if not params["severities"]:
        problems.append("severities must name at least one")
    if not 1 <= params["lookback_hours"] <= MAX_LOOKBACK:
        problems.append(f"lookback_hours must be 1 to {MAX_LOOKBACK}")
    joined = [name for name in ("caller", "assignment_group", "category", "close_code") if "^" in (params[name] or "")]
    return [*problems, *(f"{name} must not have a ^ in it, which joins conditions" for name in joined)]


def _desk(given: Mapping[str, Any]) -> Desk:
    if given["itsm"] != SERVICENOW:
        return Desk(given["itsm"], given["webhook_url"], password=given["webhook_secret"])
    return Desk(
        SERVICENOW,
        given["servicenow_url"].rstrip("/"),
        username=given["servicenow_username"] or "",
        password=given["servicenow_password"] or "",
        api_key=given["servicenow_api_key"] or "",
        caller=given["caller"],
        group=given["assignment_group"] or "",
        category=given["category"] or "",
        close_code=given["close_code"],
        marker=given["marker_field"],
        reopened=given["reopened_state"],
        resolved=given["resolved_state"],
        closed=tuple(given["closed_states"]),
    )


CHECK = Check(CONVERGE_SPEC, setup, IDENTITY_RULES)
