# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things go: files that rotate, the log, the syslog server, the file of offsets."""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .config import Config

MEGABYTE = 1024 * 1024
DAY = 86400
CHECK_SECONDS = 1.0  # how often the size is looked at


class RotatingFile:
    """Appends; past `max_size` MB the file gets a time in its name, and the oldest of those go."""

    def __init__(self, path: Path, config: Config, section: str) -> None:
        self.path = path
        self.size = config.number(section, "max_size", 500) * MEGABYTE
        self.backups = config.number(section, "max_backups", 10)
        self.age = config.number(section, "max_age", 30) * DAY
        self.rotates = config.flag(section, "rotate_file", True)
        self.lock = threading.Lock()
        self.file = open(path, "a", encoding="utf-8")  # noqa: SIM115 - open as long as the daemon runs

    def write(self, text: str) -> None:
        with self.lock:
            self.file.write(text)
            self.file.flush()
            if self.rotates and self.file.tell() >= self.size:
                self._rotate()

    def _rotate(self) -> None:
        self.file.close()
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%f")
        self.path.rename(self.path.with_name(f"{self.path.name}-{stamp}"))
        old = sorted(self.path.parent.glob(f"{self.path.name}-*"))
        for path in old:
            if path in old[: -self.backups or None] or path.stat().st_mtime < time.time() - self.age:
                path.unlink()
        self.file = open(self.path, "a", encoding="utf-8")  # noqa: SIM115


class Log:
    """The service log. The text of its lines is assumed: only that there is a Heartbeat is known."""

    def __init__(self, folder: Path, config: Config) -> None:
        name = f"cs.falconhoseclient.{config.label}.log" if config.label else "cs.falconhoseclient.log"
        self.verbose = config.flag("Logging", "verbose_log", True)
        try:
            self.file: RotatingFile | None = RotatingFile(folder / name, config, "Logging")
        except OSError as error:
            self.file = None
            self.write("ERROR", f"Cannot write {folder / name}: {error}")

    def write(self, level: str, text: str) -> None:
        line = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {level} {text}\n"
        if self.file is not None:
            self.file.write(line)
        if level != "DEBUG":
            print(line, end="", file=sys.stderr, flush=True)

    def info(self, text: str) -> None:
        self.write("INFO", text)

    def error(self, text: str) -> None:
        self.write("ERROR", text)

    def debug(self, text: str) -> None:
        if self.verbose:
            self.write("DEBUG", text)


class Offsets:
    """The last offset handed on, by partition; replaced as a whole, so that a crash leaves the old or the new."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()
        try:
            self.held: dict[str, int] = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            self.held = {}

    def next(self, partition: str) -> int | None:
        """The first offset that is still wanted; None where nothing was read yet."""
        held = self.held.get(partition)
        return None if held is None else held + 1

    def save(self, partition: str, offset: int) -> None:
        with self.lock:
            self.held[partition] = offset
            fresh = self.path.with_name(f"{self.path.name}.new")
            fresh.write_text(json.dumps(self.held), "utf-8")
            os.replace(fresh, self.path)


class Syslog:
    """Lines to a server. The header is as Go's log/syslog makes it (assumed): priority, RFC 3339 time, host, tag."""

    def __init__(self, config: Config, log: Log, wait: Callable[[float], bool]) -> None:
        self.address = (config.text("Syslog", "host"), config.number("Syslog", "port", 514))
        self.udp = config.text("Syslog", "protocol") == "udp"
        self.retry = config.number("Syslog", "retry_interval_secs", 10)
        self.timeout = config.number("Settings", "connection_timeout", 10)
        self.log = log
        self.wait = wait  # waits so many seconds; True when the daemon stops
        self.lock = threading.Lock()
        self.socket: socket.socket | None = None
        self.peer: Any = None

    def send(self, lines: list[str]) -> bool:
        """True when all are handed on. By TCP it tries until then, or until the daemon stops."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        head = f"<14>{stamp} {socket.gethostname()} cs.falconhoseclient[{os.getpid()}]: "
        parts = [(head + line.replace("\n", " ") + "\n").encode() for line in lines]
        with self.lock:
            while True:
                try:
                    self._send(parts)
                    return True
                except OSError as error:
                    self._close()
                    host, port = self.address
                    self.log.error(f"Unable to send to syslog server {host}:{port}: {error}")
                    if self.udp:
                        return True
                    if self.wait(self.retry):
                        return False

    def _send(self, parts: list[bytes]) -> None:
        if self.socket is not None and not self.udp and select.select([self.socket], [], [], 0)[0]:
            self._close()  # the server has hung up; what is written now would be lost
        if self.socket is None:
            kind = socket.SOCK_DGRAM if self.udp else socket.SOCK_STREAM
            family, _kind, _proto, _name, self.peer = socket.getaddrinfo(*self.address, type=kind)[0]
            self.socket = socket.socket(family, kind)
            self.socket.settimeout(self.timeout)
            if not self.udp:
                self.socket.connect(self.peer)
        for part in parts:
            # Not connected by UDP: the refusal of one datagram would keep the next from being sent.
            if self.udp:
                self.socket.sendto(part, self.peer)
            else:
                self.socket.sendall(part)

    def _close(self) -> None:
        if self.socket is not None:
            self.socket.close()
        self.socket = None
