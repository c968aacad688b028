# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sockets of this host belong to a process (proc(5))."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from types import MappingProxyType

# Table of /proc/PID/net to the state in which a socket receives: a UDP socket is never connected, a TCP one listens.
TABLES: Mapping[str, str] = MappingProxyType({"udp": "07", "udp6": "07", "tcp": "0A", "tcp6": "0A"})


def bound(pid: int, tables: Mapping[str, str] = TABLES) -> set[tuple[str, int]]:
    """(udp or tcp, port) of the sockets on which the process receives. tables: those to look into."""
    inodes = set()
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(f"/proc/{pid}/fd/{name}")
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
    found = set()
    for table, state in tables.items():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/net/{table}", encoding="ascii") as file:
            for line in file.readlines()[1:]:
                words = line.split()
                if words[9] in inodes and words[3] == state:
                    found.add((table[:3], int(words[1].rpartition(":")[2], 16)))
    return found
