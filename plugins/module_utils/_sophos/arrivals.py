# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether a firewall's records arrive, by its serial number in what the collector has stored.

Runs on collectors: Python 3.9, standard library only. Nothing here writes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from .._collector.newest import newest
from .._core.errors import InputError
from .._core.freshness import ABSENT, FLOWING, STALE, UNREADABLE, Flow, Limits, judge, verified

CAPABILITY = "sophos_syslog"
POLL_SECONDS = 0.5
# How far the clocks of the control node and of the collector may be apart.
SKEW_SECONDS = 5.0
PROBE_LOST = "probe_lost"
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
    for name, lowest in (("wait_seconds", 0), ("stale_minutes", 1)):
        if params[name] < lowest:
            raise InputError("read the options", f"{name} is {params[name]}, and must be {lowest} at least")
    since = params["since"] - SKEW_SECONDS
    probed = [one["serial_number"] for one in params["firewalls"] if one["probed"]]
    serials = [one["serial_number"] for one in params["firewalls"]]
    try:
        found = awaited(params["path"], serials, probed, since, params["wait_seconds"])
    except OSError as error:
        text = f"{params['path']}: {error.strerror or error}"
        flows = [Flow(one["firewall"], UNREADABLE, message=text, next_step="let Ansible become root on the collector")
                 for one in params["firewalls"]]  # fmt: skip
        return verified(CAPABILITY, flows, time.time())
    now = time.time()
    flows = [flow(one, found.get(one["serial_number"]), since, now, 60.0 * params["stale_minutes"])
             for one in params["firewalls"]]  # fmt: skip
    return verified(CAPABILITY, flows, now)


def flow(one: Mapping[str, Any], newest: float | None, since: float, now: float, stale: float) -> Flow:
    """The flow of one firewall: what arrives counts, whatever its API says. Pure."""
    state = judge(
        configured=one["configured"] is not False, newest=newest, changed=None, now=now, limits=Limits(stale, stale)
    )
    arrived = newest is not None and newest >= since
    facts = {"serial_number": one["serial_number"], "probe_arrived": arrived if one["probed"] else None}
    if state == FLOWING:
        text = "" if arrived or not one["probed"] else "the sign-in of this run has not been told within the wait"
        return Flow(one["firewall"], state, newest, message=text, facts=facts)
    if one["configured"] is None:
        step = one["next_step"] or NEXT_STEPS[UNREADABLE]
        return Flow(one["firewall"], UNREADABLE, newest, message=one["problem"], next_step=step, facts=facts)
    text = "the firewall has told nothing of the sign-in of this run" if state == STALE and one["probed"] else ""
    code = PROBE_LOST if text else ""
    return Flow(one["firewall"], state, newest, None, code, text, NEXT_STEPS.get(state, ""), facts=facts)


def awaited(path: str, serials: Iterable[str], probed: Iterable[str], since: float, seconds: float) -> dict[str, float]:
    """Serial number to the time of its newest record; waits until those that were probed have one since then.

    Raises OSError where the store cannot be read; one that is not there holds nothing.
    """
    end = time.monotonic() + seconds
    while True:
        found = newest(path, {one: f'device_serial_id="{one}"'.encode() for one in serials})
        if all(found.get(one, 0.0) >= since for one in probed) or time.monotonic() >= end:
            return found
        time.sleep(POLL_SECONDS)
