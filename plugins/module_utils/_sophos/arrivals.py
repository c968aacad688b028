# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether a firewall's records arrive, by its serial number in what the collector has stored.

Runs on collectors: Python 3.9, standard library only. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._collector.newest import newest
from .._collector.pushed import PROBE_LOST, arrived
from .._core.freshness import ABSENT, FLOWING, STALE, UNREADABLE, Flow, Limits, judge

CAPABILITY = "sophos_syslog"
NEXT_STEPS = {
    ABSENT: "run the onboard playbook: the firewall has no syslog server of ours",
    STALE: "see at System services > Log settings whether the server's address and port are the collector's, at the "
    "firewall's rules and routes whether it gets there, and for TLS whether it has the collector's authority",
    UNREADABLE: "run the preflight playbook, which says what the firewall refuses",
}

FIREWALL_SPEC: dict[str, dict[str, Any]] = {
    "firewall": {"type": "str", "required": True},
    "serial_number": {"type": "str", "required": True},
    "configured": {"type": "bool"},
    "probed": {"type": "bool", "default": False},
    "problem": {"type": "str", "default": ""},
    "next_step": {"type": "str", "default": ""},
}
SPEC: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    "firewalls": {"type": "list", "elements": "dict", "options": FIREWALL_SPEC, "required": True},
    "since": {"type": "float", "default": 0.0},
    "wait_seconds": {"type": "float", "default": 20.0},
    "stale_minutes": {"type": "int", "default": 60},
}


async def run(params: Mapping[str, Any], _reporter: Any, _redactor: Any, *, check: bool, diff: bool) -> dict[str, Any]:
    """The module's engine. Raises InputError for numbers that cannot be right."""
    del check, diff
    firewalls = {one["firewall"]: one for one in params["firewalls"]}
    marks = {name: f'device_serial_id="{one["serial_number"]}"'.encode() for name, one in firewalls.items()}
    return arrived(CAPABILITY, params, firewalls, lambda: newest(params["path"], marks), flow)


def flow(one: Mapping[str, Any], latest: float | None, since: float, now: float, stale: float) -> Flow:
    """The flow of one firewall: what arrives counts, whatever its API says. Pure."""
    state = judge(
        configured=one["configured"] is not False, newest=latest, changed=None, now=now, limits=Limits(stale, stale)
    )
    told = latest is not None and latest >= since
    facts = {"serial_number": one["serial_number"], "probe_arrived": told if one["probed"] else None}
    if state == FLOWING:
        text = "" if told or not one["probed"] else "the sign-in of this run has not been told within the wait"
        return Flow(one["firewall"], state, latest, message=text, facts=facts)
    if one["configured"] is None:
        step = one["next_step"] or NEXT_STEPS[UNREADABLE]
        return Flow(one["firewall"], UNREADABLE, latest, message=one["problem"], next_step=step, facts=facts)
    text = "the firewall has told nothing of the sign-in of this run" if state == STALE and one["probed"] else ""
    code = PROBE_LOST if text else ""
    return Flow(one["firewall"], state, latest, None, code, text, NEXT_STEPS.get(state, ""), facts=facts)
