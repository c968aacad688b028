# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether a firewall's records arrive, by its serial number in what the collector has stored.

Runs on collectors: Python 3.9, standard library only. Nothing here writes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from .._collector.records import RECEIVED
from .._core.errors import InputError
from .._core.freshness import ABSENT, FLOWING, STALE, UNREADABLE, Flow, Limits, judge, verified

CAPABILITY = "sophos_syslog"
SUFFIX = ".log"
CHUNK = 4 * 1024 * 1024
# Of the newest files, from their end: a record that is further back says nothing of today.
MAX_BYTES = 256 * 1024 * 1024
FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
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
        found = newest(path, serials)
        if all(found.get(one, 0.0) >= since for one in probed) or time.monotonic() >= end:
            return found
        time.sleep(POLL_SECONDS)


def newest(path: str, serials: Iterable[str], most: int = MAX_BYTES) -> dict[str, float]:
    """The time at which the collector took the newest record of each device. Raises OSError."""
    wanted = {one: f'device_serial_id="{one}"'.encode() for one in serials}
    found: dict[str, float] = {}
    for name in _files(path):
        for data in _backwards(name, most):
            most -= len(data)
            for serial in wanted.keys() - found.keys():
                at = _last(data, wanted[serial])
                if at is not None:
                    found[serial] = at
            if len(found) == len(wanted) or most <= 0:
                return found
    return found


def _files(path: str) -> list[str]:
    """What is not rotated yet, the newest first."""
    try:
        entries = [one for one in os.scandir(path) if one.name.endswith(SUFFIX) and one.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return [one.path for one in sorted(entries, key=_modified, reverse=True)]


def _modified(entry: os.DirEntry[str]) -> float:
    return entry.stat(follow_symlinks=False).st_mtime


def _backwards(name: str, most: int) -> Iterator[bytes]:
    """Whole lines of a file from its end, some at a time."""
    with open(os.open(name, FLAGS), "rb") as file:
        place, rest = file.seek(0, os.SEEK_END), b""
        while place > 0 and most > 0:
            size = min(CHUNK, place)
            place -= size
            file.seek(place)
            data = file.read(size) + rest
            most -= size
            head, mark, lines = data.partition(b"\n") if place else (b"", b"\n", data)
            rest = head if mark else b""
            yield lines


def _last(data: bytes, mark: bytes) -> float | None:
    """The time of the last line with the mark in it."""
    place = data.rfind(mark)
    while place >= 0:
        start = data.rfind(b"\n", 0, place) + 1
        line = RECEIVED.match(data, start)
        if line:
            return datetime.fromisoformat(line.group(1).decode().replace("Z", "+00:00")).timestamp()
        place = data.rfind(mark, 0, start)
    return None
