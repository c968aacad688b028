# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a collector has stored of a run: reads files beneath a folder as they grow.

Runs on collectors: Python 3.9, standard library only.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import IO

from .compare import Seen
from .records import MARK, Found, find

CHUNK = 4 * 1024 * 1024
POLL_SECONDS = 0.1
SETTLE_SECONDS = 0.5  # how long to go on looking for second copies after all is stored
SKIPPED = (".gz", ".zst", ".xz")
FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


class Store:
    """Records of one run in the plain files beneath a folder, or in one file.

    Compressed files are left out: rotation would show what was counted before a second time. Symlinks are not
    followed; pipes and devices have no size, so nothing is read from them.
    """

    def __init__(self, path: str, run: str, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._run = run
        self._clock = clock
        self._read: dict[tuple[int, int], int] = {}
        self.found: list[Seen] = []
        self.unreadable: dict[str, str] = {}

    def look(self) -> None:
        """Take in what came since the last look. Raises OSError when the path itself cannot be read."""
        os.stat(self._path)
        for path in sorted(self._files(), key=_modified):
            try:
                self._take(path)
            except OSError as error:
                self.unreadable[path] = error.strerror or str(error)

    def wait(self, count: int, seconds: float) -> None:
        """Look until C(count) different numbers are stored and none came twice since, or the time is over."""
        end = time.monotonic() + seconds
        while True:
            try:
                self.look()
            except FileNotFoundError:  # no record yet, so no folder yet
                if time.monotonic() >= end:
                    raise
            missing = count - len({record.number for record in self.found})
            if missing <= 0 or time.monotonic() >= end:
                break
            time.sleep(POLL_SECONDS)
        time.sleep(min(SETTLE_SECONDS, seconds))
        self.look()

    def _files(self) -> Iterator[str]:
        if not os.path.isdir(self._path):
            yield self._path
        for folder, _folders, files in os.walk(self._path):
            for name in files:
                if not name.endswith(SKIPPED):
                    yield os.path.join(folder, name)

    def _take(self, path: str) -> None:
        descriptor = os.open(path, FLAGS)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            key = (status.st_dev, status.st_ino)
            place = self._read.get(key, 0)
            if status.st_size <= place:
                return
            file.seek(place)
            taken, found = self._lines(file)
            self._read[key] = place + taken
            seen = min(self._clock(), os.fstat(descriptor).st_mtime)  # after reading, so that it is not too early
            self.found += [Seen(item.number, item.at, item.received or seen, item.whole) for item in found]

    def _lines(self, file: IO[bytes]) -> tuple[int, list[Found]]:
        """(bytes taken, records): whole lines, and a last line without its end if it ends as a record does."""
        taken = 0
        rest = b""
        found: list[Found] = []
        while True:
            data = file.read(CHUNK)
            rest += data
            end = rest.rfind(b"\n") + 1 if data else _end(rest)
            if MARK in rest[:end]:
                found += find(self._run, rest[:end])
            taken += end
            rest = rest[end:]
            if not data:
                return taken, found


def _end(tail: bytes) -> int:
    """How much of a file's last, unfinished line is worth taking: all of it when it ends as a record does."""
    return len(tail) if tail.endswith((b"\n", b";")) else 0


def _modified(path: str) -> tuple[float, str]:
    try:
        return os.lstat(path).st_mtime, path
    except OSError:
        return 0.0, path
