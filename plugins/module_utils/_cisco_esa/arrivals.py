# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether the files or records of an appliance arrive, in what the collector has stored.

Runs on collectors: Python 3.9, standard library only. Nothing here writes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from .._collector.newest import newest
from .._collector.pushed import PROBE_LOST, arrived
from .._core.freshness import ABSENT, FLOWING, STALE, UNREADABLE, Flow, Limits, judge

CAPABILITY = "cisco_esa_logs"
SCP, SYSLOG = "scp_push", "syslog_push"
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
    logs, method, path = params["subscriptions"], params["method"], params["path"]
    look = files if method == SCP else records

    def judged(one: Mapping[str, Any], *times: Any) -> Flow:
        return told_apart(flow(one, *times), one, logs, method)

    return arrived(CAPABILITY, params, {one["subscription"]: one for one in logs}, lambda: look(path, logs), judged)


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
    told = latest is not None and latest >= since
    facts = {"serial_number": one["serial_number"], "probe_arrived": told if one["probed"] else None}
    if one["probed"] and not told:
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
