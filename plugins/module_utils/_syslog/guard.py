# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard, as a program of its own on the collector: guard.py CONFIG, run by a timer.

It stops intake by priority before the disk, or the tenant's share of it, is full, and says so. And it hands on the last
line of a file that does not end with a line feed: imfile waits for one for ever. Standard library only.
CONFIG: JSON with storage, low_percent, stop_percent (of free space or inodes), quota_bytes (0: none), table, state,
unit, alarm, files (socket of a source to the patterns of its files).
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import socket
import subprocess
import sys
import syslog
import time

QUIET_SECONDS = 30  # a file that has not grown for so long has ended
LONGEST_LINE = 1 << 16
HYSTERESIS = 2.0  # percent that must be free beyond a limit before intake starts again
STOPPED: dict[int, tuple[str, ...]] = {
    0: (),
    1: ("low",),
    2: ("low", "normal"),
}  # level to the priorities that are not taken


def free_percent(storage: str, quota_bytes: int, used: int) -> float:
    """The scarcest of space, inodes and the tenant's quota, as percent that is free."""
    disk = os.statvfs(storage)
    shares = [disk.f_bavail / max(disk.f_blocks, 1)]
    if disk.f_files:
        shares.append(disk.f_favail / disk.f_files)
    if quota_bytes:
        shares.append(max(0.0, 1 - used / quota_bytes))
    return 100 * min(shares)


def level(free: float, low_percent: float, stop_percent: float, before: int) -> int:
    """0: all is taken, 1: nothing of low priority, 2: of high priority only. before: the level until now."""
    for wanted, limit in ((2, stop_percent), (1, low_percent)):
        if free < limit + (HYSTERESIS if before >= wanted else 0):
            return wanted
    return 0


def table(now: int) -> str:
    """The lookup table that rsyslog reads again on HUP."""
    rows = [{"index": name, "value": "stop" if name in STOPPED[now] else "ok"} for name in ("low", "normal")]
    return json.dumps({"version": 1, "nomatch": "ok", "type": "string", "table": rows})


def usage(storage: str) -> int:
    """Bytes on disk below the folder."""
    total = 0
    for folder, _folders, names in os.walk(storage):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except OSError:
                continue  # rotated away meanwhile
    return total


def last_line(path: str, size: int) -> bytes:
    """What stands behind the last line feed of a file, at most so much as one datagram takes."""
    with open(path, "rb") as file:
        file.seek(max(0, size - LONGEST_LINE))
        return file.read(LONGEST_LINE).rpartition(b"\n")[2]


def hand_on(files: dict[str, list[str]], told: dict[str, int], now: float) -> dict[str, int]:
    """Send the last lines that have no end; path to the size at which it was told, for the next look."""
    found: dict[str, int] = {}
    for place, patterns in files.items():
        for path in {path for pattern in patterns for path in glob.iglob(pattern)}:
            try:
                status = os.stat(path)
                size = status.st_size
                if told.get(path) != size and status.st_mtime > now - QUIET_SECONDS:
                    continue
                line = b"" if told.get(path) == size else last_line(path, size)
                if line:
                    send(line, place)
                found[path] = size
            except OSError:
                continue  # gone meanwhile, or no receiver runs: the next look tries again
    return found


def send(data: bytes, path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(data, path)


def write(path: str, text: str) -> None:
    """Whole or not at all, and in place where the disk has no room for a second file."""
    try:
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)
    except OSError:
        with open(path, "r+", encoding="utf-8") as file:
            file.write(text)
            file.truncate()


def say(text: str, path: str) -> None:
    """To the host's own log, and by the receiver to the outputs."""
    syslog.openlog("mssp-syslog-guard", 0, syslog.LOG_DAEMON)
    syslog.syslog(syslog.LOG_ALERT, text)
    with contextlib.suppress(OSError):  # where no receiver runs, the host's log has it
        send(f"<25>mssp-syslog-guard: {text}".encode(), path)


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        config = json.load(file)
    try:
        with open(config["state"], encoding="utf-8") as file:
            last = json.load(file)
        before, told = last["level"], last.get("told", {})
    except (OSError, ValueError, KeyError):
        before, told = 0, {}
    used = usage(config["storage"])
    free = free_percent(config["storage"], config["quota_bytes"], used)
    now = level(free, config["low_percent"], config["stop_percent"], before)
    state = {"level": now, "free_percent": round(free, 1), "used_bytes": used, "time": int(time.time())}
    told = hand_on(config["files"], told, time.time())
    wanted = table(now)
    with open(config["table"], encoding="utf-8") as file:
        current = file.read()
    if current != wanted:
        write(config["table"], wanted)
        subprocess.run(["systemctl", "kill", "--signal=HUP", config["unit"]], check=False)
    if now != before:
        stopped = f"records of priority {' and '.join(STOPPED[now])} are not taken" if now else "all records are taken"
        say(f"disk guard of {config['unit']}: {free:.1f} % free, {stopped}", config["alarm"])
    write(config["state"], json.dumps({**state, "told": told}))


if __name__ == "__main__":
    main()
