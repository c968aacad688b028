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

from .._core.freshness import ABSENT, STALE, UNREADABLE, Flow, Limits, daily, judge, stamp, verified, weighed
from .._host import files
from .names import CAPABILITY

LEDGERS = ("ledger.1.jsonl", "ledger.jsonl")
MAX_LEDGER = 4 * 1024 * 1024
MAX_TEXT = 300
ARRIVED = ("accepted", "duplicate")
OVERRULED = "overruled"  # the code of a flow whose account sshd gives other rules than the role did
STEPS = {
    ABSENT: "run onboard, then let the appliance send a file",
    STALE: "see on the appliance why it no longer pushes, and in the journal (-t mssp-scp-target) what was refused",
    OVERRULED: "run onboard; where that is refused, read the host's other files in /etc/ssh/sshd_config.d",
    UNREADABLE: "let Ansible become root on the collector",
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


def flow(
    source: str, events: Iterable[Mapping[str, Any]], held: tuple[int, int], made: float, now: float, stale_hours: int
) -> Flow:
    """One source. made: when it was set up, in seconds since 1970."""
    events = list(events)
    number = Counter(str(event["event"]) for event in events)
    arrived = [event for event in events if event["event"] in ARRIVED]
    refused = [event for event in events if event["event"] == "refused"]
    newest = int(arrived[-1]["time"]) if arrived else None
    limit = stale_hours * 3600
    young = now - made <= limit
    state = judge(configured=young, newest=newest, changed=made, now=now, limits=Limits(limit, limit))
    refusal = _plain(f"{refused[-1].get('name', '')}: {refused[-1].get('reason', '')}") if refused else ""
    facts = {
        "duplicates": number["duplicate"],
        "refused": number["refused"],
        "cut": number["cut"],
        "waiting_files": held[0],
        "waiting_bytes": held[1],
        "last_file": _plain(arrived[-1].get("name", "")) if arrived else "",
        "last_refusal": refusal,
        "sshd": "",
    }
    message = f"newest file: {stamp(newest) or 'none'}" + (f"; last refusal: {refusal}" if refusal else "")
    step = STEPS.get(state, "")
    found = Flow(f"scp {source}", state, newest, number["accepted"], message=message, next_step=step, facts=facts)
    times = [(float(event["time"]), 1) for event in arrived]
    return weighed(found, daily(times, now, min((float(event["time"]) for event in events), default=now)))


def seen(source: str, user_config: str, base: str, stale_hours: int) -> Flow:
    """One source as it is on this host."""
    nothing = flow(source, (), (0, 0), 0, 0, 0)._replace(records=None)
    try:
        if not os.path.exists(user_config):
            return nothing._replace(state=ABSENT, message="it is not set up", next_step=STEPS[ABSENT])
        # The folder is as old as the drop; its configuration is written anew at every change.
        made = min(os.stat(path).st_mtime for path in (user_config, base))
        return flow(source, read(base), waiting(base), made, time.time(), stale_hours)
    except OSError as error:
        return nothing._replace(state=UNREADABLE, message=str(error), next_step=STEPS[UNREADABLE])


def ruled(found: Flow, other: str, reason: str = "") -> Flow:
    """The flow with what sshd would do otherwise than the role told it, or why sshd cannot be asked."""
    if found.state == UNREADABLE or not (other or reason):
        return found
    text = f"for this account it has: {other}" if other else f"it cannot be asked: {reason}"
    return found._replace(
        state=STALE if other else UNREADABLE,
        code=OVERRULED if other else "",
        message=f"{found.message}; sshd: {text}",
        next_step=STEPS[OVERRULED if other else UNREADABLE],
        facts={**found.facts, "sshd": text},
    )


def report(flows: Sequence[Flow], now: float) -> dict[str, Any]:
    """The result of verify."""
    return verified(CAPABILITY, flows, now, outputs={"findings": []})
