# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How near a receiver is to its limits, before anything is lost: connections and queues. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from . import render
from .losses import QUEUE, Counters
from .model import Receiver, Source

ESTABLISHED = "01"  # proc(5), as the kernel's enum of TCP states has it


def connections(tables: Iterable[str]) -> Counter[int]:
    """Open TCP connections by local port. tables: of /proc/PID/net/tcp and tcp6 (proc(5))."""
    rows = (line.split() for table in tables for line in table.splitlines()[1:])
    return Counter(int(words[1].rpartition(":")[2], 16) for words in rows if words[3] == ESTABLISHED)


def of_source(source: Source, opened: Counter[int]) -> int | None:
    """Connections to the source's ports, None where there are none to count."""
    return sum(opened[port] for port in source.ports) if source.protocol == "tcp" else None


def of_receiver(receiver: Receiver, counters: Counters, opened: Counter[int]) -> dict[str, dict[str, object]]:
    """Connections against the limit of all; of each queue the records inside (disk included), the most, and places."""
    ports = {port for source in receiver.sources if source.protocol == "tcp" for port in source.ports}
    queues: dict[str, object] = {}
    for name, places in render.queue_places(receiver).items():
        queue, disk = counters.get(f"{QUEUE}{name}"), counters.get(f"{QUEUE}{name}[DA]", {})
        if queue is not None:
            inside = int(queue.get("size") or 0) + int(disk.get("size") or 0)
            queues[name] = {"records": inside, "most": int(queue.get("maxqsize") or 0), "places": places}
    limit = receiver.options["max_connections"]
    return {"connections": {"open": sum(opened[port] for port in ports), "limit": limit}, "queues": queues}
