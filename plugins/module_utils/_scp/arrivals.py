# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has arrived at the file drops, from the ledgers that the accounts keep. Pure, but for read()."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._core import outcome
from .._core.status import DRIFTED, FAILED, IN_SYNC, PENDING, UNKNOWN
from .._host import files
from .names import CAPABILITY

LEDGERS = ("ledger.1.jsonl", "ledger.jsonl")
MAX_LEDGER = 4 * 1024 * 1024
MAX_TEXT = 300
ARRIVED = ("accepted", "duplicate")
STATUS = {  # the rest is in sync
    "absent": DRIFTED,
    "stale": DRIFTED,
    "overruled": FAILED,
    "error": UNKNOWN,
    "pending": PENDING,
}
STEPS = {
    "absent": "run onboard, then let the appliance send a file",
    "stale": "see on the appliance why it no longer pushes, and in the journal (-t mssp-scp-target) what was refused",
    "overruled": "run onboard; where that is refused, read the host's other files in /etc/ssh/sshd_config.d",
    "error": "let Ansible become root on the collector",
}


def read(base: str) -> list[dict[str, Any]]:
    """The events of a ledger, oldest first; lines that are none are left out. Raises OSError."""
    events = []
    for name in LEDGERS:
        found = files.read_bytes(f"{base}/state/{name}", MAX_LEDGER)
        lines = found[0].splitlines() if found else []
        events += [event for line in lines if (event := _event(line))]
    return events


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    fits = isinstance(event, dict) and isinstance(event.get("time"), int) and isinstance(event.get("event"), str)
    return event if fits else None


def waiting(base: str) -> tuple[int, int]:
    """(files, bytes) in ready/. Raises OSError."""
    with os.scandir(f"{base}/ready") as entries:
        sizes = [entry.stat(follow_symlinks=False).st_size for entry in entries]
    return len(sizes), sum(sizes)


def _plain(value: Any) -> str:
    """The account wrote it, and what runs as the account is not trusted here: nothing that a terminal obeys."""
    return "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in str(value)[:MAX_TEXT])


def _time(seconds: int | None) -> str:
    return "" if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def flow(
    source: str, events: Iterable[Mapping[str, Any]], held: tuple[int, int], made: float, now: float, stale_hours: int
) -> dict[str, Any]:
    """One source. made: when it was set up, in seconds since 1970."""
    events = list(events)
    number = Counter(str(event["event"]) for event in events)
    arrived = [event for event in events if event["event"] in ARRIVED]
    newest = int(arrived[-1]["time"]) if arrived else None
    age = None if newest is None else max(0, int(now - newest))
    limit = stale_hours * 3600
    if age is not None:
        state = "flowing" if age <= limit else "stale"
    else:
        state = "pending" if now - made <= limit else "absent"
    refused = [event for event in events if event["event"] == "refused"]
    return {
        "resource_type": f"scp {source}",
        "state": state,
        "newest": _time(newest),
        "age_seconds": age,
        "lag_seconds": None,
        "records": number["accepted"],
        "duplicates": number["duplicate"],
        "refused": number["refused"],
        "cut": number["cut"],
        "waiting_files": held[0],
        "waiting_bytes": held[1],
        "last_file": _plain(arrived[-1].get("name", "")) if arrived else "",
        "last_refusal": _plain(f"{refused[-1].get('name', '')}: {refused[-1].get('reason', '')}") if refused else "",
        "sshd": "",
        "next_step": STEPS.get(state, ""),
    }


def missing(source: str, state: str, reason: str = "") -> dict[str, Any]:
    """A source that is not set up (absent) or cannot be read (error)."""
    empty = flow(source, (), (0, 0), 0, 0, 0)
    return {**empty, "state": state, "next_step": STEPS[state], "last_refusal": reason}


def seen(source: str, user_config: str, base: str, stale_hours: int) -> dict[str, Any]:
    """One source as it is on this host."""
    try:
        if not os.path.exists(user_config):
            return missing(source, "absent")
        return flow(source, read(base), waiting(base), os.stat(user_config).st_mtime, time.time(), stale_hours)
    except OSError as error:
        return missing(source, "error", str(error))


def ruled(found: Mapping[str, Any], other: str, reason: str = "") -> dict[str, Any]:
    """The flow with what sshd would do otherwise than the role told it, or why sshd cannot be asked."""
    if found["state"] == "error" or not (other or reason):
        return dict(found)
    state = "overruled" if other else "error"
    text = f"for this account it has: {other}" if other else f"it cannot be asked: {reason}"
    return {**found, "state": state, "sshd": text, "next_step": STEPS[state]}


def report(flows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The result of verify."""
    bad = [found for found in flows if found["state"] in STEPS]
    counts = outcome.counts(STATUS.get(found["state"], IN_SYNC) for found in flows)
    newest = max((found["newest"] for found in flows), default="")
    text = f"{len(flows) - len(bad)} of {len(flows)} sources are well; newest file {newest or 'never'}."
    return {
        "changed": False,
        "failed": False,
        "msg": " ".join([text, *(f"{found['resource_type']} is {found['state']}." for found in bad)]),
        "summary": {"capability": CAPABILITY, "outcome": outcome.outcome(counts), "counts": counts, "drift": {}},
        "changes": [],
        "problems": [_problem(found) for found in bad],
        "flows": list(flows),
        "findings": [],
        "evidence": "",
    }


def _problem(found: Mapping[str, Any]) -> dict[str, Any]:
    refusal = f"; last refusal: {found['last_refusal']}" if found["last_refusal"] else ""
    sshd = f"; sshd: {found['sshd']}" if found["sshd"] else ""
    return {
        "target": found["resource_type"],
        "operation": f"see files of {found['resource_type']}",
        "status": None,
        "code": f"files_{found['state']}",
        "message": f"newest file {found['newest'] or 'never'}{refusal}{sshd}",
        "next_step": found["next_step"],
        "request_id": "",
        "count": 1,
    }
