# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether the files or records of an appliance arrive, in what the collector has stored.

Runs on collectors: Python 3.9, standard library only. Nothing here writes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from .._collector.newest import newest
from .._core.errors import InputError
from .._core.freshness import ABSENT, FLOWING, STALE, UNREADABLE, Flow, Limits, judge, verified

CAPABILITY = "cisco_esa_logs"
SCP, SYSLOG = "scp_push", "syslog_push"
POLL_SECONDS = 0.5
# How far the clocks of the control node and of the collector may be apart.
SKEW_SECONDS = 5.0
PROBE_LOST = "probe_lost"
NEXT_STEPS = {
    ABSENT: "run the onboard playbook: the appliance has no subscription of ours",
    STALE: "see in the appliance's alerts and its error_logs why it cannot push, on the way whether a firewall lets it "
    "through, and in the collector's journal (-t mssp-scp-target) what was refused; then run onboard, which gives the "
    "collector the appliance's key anew",
    UNREADABLE: "run the preflight playbook, which says what the appliance lacks",
}
ALIKE = "what it sends is not to be told from what another one sends: "
ALIKE_WORDS = {
    SCP: (f"{ALIKE}before release 15 no file's name has a serial number in it", "upgrade it to release 15 or later"),
    SYSLOG: (
        f"{ALIKE}the prompt of a machine in a cluster does not show its name, or two have one",
        "give the appliances names of their own, and use SCP for those of a cluster",
    ),
}
LOG_SPEC: dict[str, dict[str, Any]] = {
    "subscription": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "filename": {"type": "str", "default": ""},
    "identified": {"type": "bool", "default": False},
    "hostname": {"type": "str", "default": ""},
    "serial_number": {"type": "str", "required": True},
    "configured": {"type": "bool"},
    "probed": {"type": "bool", "default": False},
    "problem": {"type": "str", "default": ""},
    "next_step": {"type": "str", "default": ""},
}
SPEC: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    "method": {"type": "str", "choices": [SCP, SYSLOG], "required": True},
    "subscriptions": {"type": "list", "elements": "dict", "options": LOG_SPEC, "required": True},
    "since": {"type": "float", "default": 0.0},
    "wait_seconds": {"type": "float", "default": 30.0},
    "stale_minutes": {"type": "int", "default": 60},
}
Newest = dict[str, float]


async def run(params: Mapping[str, Any], _reporter: Any, _redactor: Any, *, check: bool, diff: bool) -> dict[str, Any]:
    """The module's engine. Raises InputError for numbers that cannot be right."""
    del check, diff
    for name, lowest in (("wait_seconds", 0), ("stale_minutes", 1)):
        if params[name] < lowest:
            raise InputError("read the options", f"{name} is {params[name]}, and must be {lowest} at least")
    logs, method, since = params["subscriptions"], params["method"], params["since"] - SKEW_SECONDS
    try:
        found = awaited(params["path"], method, logs, since, params["wait_seconds"])
    except OSError as error:
        text, step = f"{params['path']}: {error.strerror or error}", "let Ansible become root on the collector"
        return verified(
            CAPABILITY,
            [Flow(one["subscription"], UNREADABLE, message=text, next_step=step) for one in logs],
            time.time(),
        )
    now, stale = time.time(), 60.0 * params["stale_minutes"]
    flows = {one["subscription"]: flow(one, found.get(one["subscription"]), since, now, stale) for one in logs}
    return verified(CAPABILITY, [told_apart(flows[one["subscription"]], one, logs, method) for one in logs], now)


def told_apart(found: Flow, one: Mapping[str, Any], logs: Sequence[Mapping[str, Any]], method: str) -> Flow:
    """The flow, unreadable where what has arrived, or not, may be another appliance's. Pure."""
    if method == SCP:
        alike = not one["identified"] and [each["filename"] for each in logs].count(one["filename"]) > 1
    else:
        marks = [(each["hostname"], each["name"]) for each in logs]
        alike = not one["hostname"] or marks.count((one["hostname"], one["name"])) > 1
    if not alike or found.state in (ABSENT, UNREADABLE) or (method == SCP and found.state == STALE):
        return found
    text, step = ALIKE_WORDS[method]
    return found._replace(state=UNREADABLE, code="alike", message=text, next_step=step)


def flow(one: Mapping[str, Any], latest: float | None, since: float, now: float, stale: float) -> Flow:
    """The flow of one subscription: what arrives counts, whatever its command line says. Pure."""
    state = judge(
        configured=one["configured"] is not False, newest=latest, changed=None, now=now, limits=Limits(stale, stale)
    )
    arrived = latest is not None and latest >= since
    facts = {"serial_number": one["serial_number"], "probe_arrived": arrived if one["probed"] else None}
    if one["probed"] and not arrived:
        text = "what was rolled over in this run has not arrived within the wait"
        return Flow(one["subscription"], STALE, latest, None, PROBE_LOST, text, NEXT_STEPS[STALE], facts=facts)
    if state == FLOWING:
        return Flow(one["subscription"], state, latest, message=one["problem"], facts=facts)
    if one["configured"] is None:
        step = one["next_step"] or NEXT_STEPS[UNREADABLE]
        return Flow(one["subscription"], UNREADABLE, latest, message=one["problem"], next_step=step, facts=facts)
    return Flow(
        one["subscription"], state, latest, message=one["problem"], next_step=NEXT_STEPS.get(state, ""), facts=facts
    )


def awaited(path: str, method: str, logs: Sequence[Mapping[str, Any]], since: float, seconds: float) -> Newest:
    """The time of the newest of each log; waits until those that were probed have one since then. Raises OSError."""
    look = files if method == SCP else records
    end = time.monotonic() + seconds
    while True:
        found = look(path, logs)
        missing = [one for one in logs if one["probed"] and found.get(one["subscription"], 0.0) < since]
        if not missing or time.monotonic() >= end:
            return found
        time.sleep(POLL_SECONDS)


def files(path: str, logs: Sequence[Mapping[str, Any]]) -> Newest:
    """By the names of what was delivered: role scp_target keeps them behind «time-hash-», and writes when it came."""
    try:
        entries = [one for one in os.scandir(path) if one.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return {}
    found: Newest = {}
    for entry in entries:
        name, when = entry.name.split("-", 2)[-1], entry.stat(follow_symlinks=False).st_mtime
        for one in logs:
            if named(name, one):
                found[one["subscription"]] = max(when, found.get(one["subscription"], 0.0))
    return found


def named(name: str, one: Mapping[str, Any]) -> bool:
    """Whether a file is of the log, and of that machine where its release says it in the name. Pure."""
    begins = name.startswith((f"{one['filename']}.", f"{one['filename']}@"))
    return begins and (not one["identified"] or one["serial_number"].upper() in name.upper())


def records(path: str, logs: Sequence[Mapping[str, Any]]) -> Newest:
    """By the machine's name and the subscription's, which begin each record."""
    return newest(path, {one["subscription"]: f" {one['hostname']} {one['name']}: ".encode() for one in logs})
