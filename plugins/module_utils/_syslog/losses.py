# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a receiver has lost or refused, from what rsyslog, systemd and the kernel count: each since the last look. Pure.

Of a counter there are two words, now and before; after a restart it began again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from .model import Output

Counters = Mapping[str, Mapping[str, Any]]

QUEUE = "queue "  # begins the key of a queue's counter: its action has the same name
# Of rsyslogd's own messages: the one when it has begun, and the one when it was told to end.
STARTED, ENDED = "] start", "exiting on signal"
# Buckets of dyn_stats to what they say of a record; render counts into them.
BUCKETS = {
    "refused_senders": "sent records that belong to no source",
    "stopped": "records were not taken by order of the disk guard",
    "framing": "frames that begin with digits which are no count: the record, and what follows it, are lost",
    "oversize": "records were longer than max_message_size and are stored in pieces",
    "cut": "connections ended in the middle of a record",
}


def more(now: int, before: int) -> int:
    """By how much a counter has grown; after a restart it began again."""
    return now - before if now >= before else now


def values(found: Counters, bucket: str) -> dict[str, int]:
    """The counters of one dyn_stats bucket."""
    return {str(name): int(count) for name, count in (found.get(bucket, {}).get("values") or {}).items()}


def grown(now: Counters, before: Counters, bucket: str) -> dict[str, int]:
    """By how much the bucket's counters have grown, where they have."""
    old = values(before, bucket)
    differences = {name: more(count, old.get(name, 0)) for name, count in values(now, bucket).items()}
    return {name: count for name, count in sorted(differences.items()) if count}


def seconds(line: str) -> float:
    """Time at the start of a log line, 0 where it has none."""
    try:
        return datetime.fromisoformat(line.split(" ", 1)[0]).timestamp()
    except ValueError:
        return 0.0


def kills(lines: Iterable[str], since: float) -> int:
    """How often the receiver began again without having been told to end: killed, out of memory, or crashed."""
    found, running = 0, False
    for line in lines:
        if STARTED in line:
            found += running and seconds(line) >= since
            running = True
        elif ENDED in line:
            running = False
    return found


def udp_drops(tables: Iterable[str], ports: Collection[int]) -> dict[str, int]:
    """Datagrams that the kernel threw away, by port and socket. tables: of /proc/PID/net/udp and udp6 (proc(5))."""
    found = {}
    for line in (line for table in tables for line in table.splitlines()[1:]):
        words = line.split()
        port = int(words[1].rpartition(":")[2], 16)
        if port in ports:
            found[f"{port} {words[9]}"] = int(words[-1])
    return found


def turned_away(listing: Mapping[str, Any]) -> int:
    """Connections over a limit, from «nft --json list table»."""
    rules = [entry["rule"] for entry in listing.get("nftables") or () if "rule" in entry]
    return sum(
        int(part["counter"]["packets"]) for rule in rules for part in rule.get("expr") or () if "counter" in part
    )


def thrown_away(now: Counters, before: Counters) -> dict[str, int]:
    """Records that a full queue did not take, by queue."""

    def total(counter: Mapping[str, Any]) -> int:
        return sum(int(counter.get(key) or 0) for key in ("discarded.full", "discarded.nf"))

    lost = {name: more(total(counter), total(before.get(name, {}))) for name, counter in sorted(now.items())}
    return {name.removeprefix(QUEUE): count for name, count in lost.items() if count}


def waiting(outputs: Iterable[Output], now: Counters, before: Counters) -> dict[str, int]:
    """Records for outputs that have taken none since: memory and disk together, by output."""
    found = {}
    for output in outputs:
        name = f"{QUEUE}output-{output.name}"
        size, left = _inside(now, name)
        if size and left <= _inside(before, name)[1]:
            found[output.name] = size
    return found


def _inside(counters: Counters, name: str) -> tuple[int, int]:
    """Records in a queue, in memory and on disk, and how many have left it. The one on disk is filled from memory."""
    queue = counters.get(name, {})
    size = sum(int(part.get("size") or 0) for part in (queue, counters.get(f"{name}[DA]", {})))
    return size, int(queue.get("enqueued") or 0) - size
