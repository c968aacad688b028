# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many sources on one collector, of scripts/bench: ten tenants of fifty sources each, half UDP and half TCP.

scripts/bench many prints a Markdown table: how long the role takes, what the receivers cost while nothing comes, and
whether what is sent to each source at the same time is stored as its own.
"""

from __future__ import annotations

import contextlib
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.bench_collectors import table
from tests.hosts.nspawn import Host, booted_host
from tests.hosts.syslog_tools import Fleet, record

TENANTS, SOURCES = 10, 50
RECORDS = 20  # to each source
FIRST_PORT, PORTS = 10_000, 100  # of a tenant
IDLE_SECONDS, QUIET_SECONDS = 20.0, 5.0
HEADINGS = [
    *("tenants", "sources", "first run s", "second run s", "changed", "resident MiB", "idle CPU ms/s"),
    *("sent", "stored", "elsewhere"),
]
UNITS = "mssp-syslog-t*.service"


def sources(tenant: int) -> dict[str, Any]:
    first = FIRST_PORT + tenant * PORTS
    return {
        f"s{number}": {"transport": ("udp", "tcp")[number % 2], "port": first + number, "max_message_size": 8192}
        for number in range(SOURCES)
    }


def every() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for tenant in range(TENANTS):
        for name, source in sources(tenant).items():
            yield f"t{tenant}", name, source


def send(host: Host) -> None:
    """A record to each source in turn, over connections that all stay open."""
    with contextlib.ExitStack() as stack:
        links = []
        for tenant, name, source in every():
            kind = socket.SOCK_DGRAM if source["transport"] == "udp" else socket.SOCK_STREAM
            link = stack.enter_context(socket.socket(socket.AF_INET, kind))
            link.connect((host.address, source["port"]))
            links.append((link, f"{tenant} {name}"))
        for number in range(RECORDS):
            for link, whose in links:
                link.sendall((record(f"of {whose} {number};") + "\n").encode())
            time.sleep(0.2)


def arrived(host: Host) -> tuple[int, int]:
    """(records in their own source's file, records in another's)."""
    own = other = 0
    for tenant, name, _source in every():
        path = host.root / f"var/log/collected/{tenant}/{name}/{name}.log"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        there = sum(f"of {tenant} {name} " in line for line in lines)
        own, other = own + there, other + len(lines) - there
    return own, other


def cost(host: Host) -> tuple[int, float]:
    """(bytes resident, seconds of CPU) of all receivers together."""
    shown = host.run(f"systemctl show --value -p MainPID '{UNITS}'").stdout.split()
    pids = [pid for pid in shown if pid != "0"]
    memory = host.run(f"grep -h VmRSS {' '.join(f'/proc/{pid}/status' for pid in pids)}").stdout.splitlines()
    used = host.run(f"cat {' '.join(f'/proc/{pid}/task/*/schedstat' for pid in pids)}").stdout.splitlines()
    return sum(int(line.split()[1]) << 10 for line in memory), sum(int(line.split()[0]) for line in used) / 1e9


def main() -> None:
    variables = {
        f"t{tenant}": {"syslog_target_sources": sources(tenant), "syslog_target_max_message_size": 8192}
        for tenant in range(TENANTS)
    }
    with tempfile.TemporaryDirectory() as folder, booted_host("bookworm", "bench") as host:
        fleet, runs = Fleet(Path(folder), {"bookworm": host}), []
        for _run in range(2):
            start = time.monotonic()
            played = fleet.play("main", variables)
            runs.append(time.monotonic() - start)
        resident, before = cost(host)
        time.sleep(IDLE_SECONDS)
        idle = cost(host)[1] - before
        send(host)
        stored = (-1, 0)
        while (now := arrived(host)) != stored:
            stored = now
            time.sleep(QUIET_SECONDS)
    row = [
        *(TENANTS, TENANTS * SOURCES, *(f"{each:.0f}" for each in runs), sum(played.changed.values())),
        *(
            resident >> 20,
            f"{idle / IDLE_SECONDS * 1000:.1f}",
            f"{TENANTS * SOURCES * RECORDS:,}",
            f"{stored[0]:,}",
            stored[1],
        ),
    ]
    table(HEADINGS, [[str(cell) for cell in row]])
