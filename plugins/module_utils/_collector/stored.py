# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a collector has stored of a run: reads files beneath a folder as they grow.

Runs on collectors: Python 3.9, standard library only.
"""

from __future__ import annotations

import gzip
import os
import time
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from .compare import Seen
from .records import MARK, Found, find

CHUNK = 4 * 1024 * 1024
POLL_SECONDS = 0.1
SETTLE_SECONDS = 0.5  # how long to go on looking for second copies after all is stored
COMPRESSED = ".gz"
SKIPPED = (".zst", ".xz", ".bz2")
RECENT_SECONDS = 2 * 86400  # an older compressed file cannot hold a probe of today, and would take long to read
FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


class Store:
    """Records of one run in the plain files beneath a folder, or in one file.

    What rotation has compressed (gzip) in the last days is read, but for what was taken before it was compressed.
    Symlinks are not followed; pipes and devices have no size, so nothing is read from them.
    """

    def __init__(self, path: str, run: str, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._run = run
        self._clock = clock
        self._read: dict[tuple[int, int], int] = {}
        self._sums: dict[tuple[int, int], int] = {}  # CRC-32 of what was read of each plain file
        self.found: list[Seen] = []
        self.unreadable: dict[str, str] = {}

    def look(self) -> None:
        """Take in what came since the last look. Raises OSError when the path itself cannot be read."""
        os.stat(self._path)
        for path in sorted(self._files(), key=_modified):
            try:
                self._take(path)
                self.unreadable.pop(path, None)
            except (OSError, EOFError, zlib.error) as error:
                self.unreadable[path] = getattr(error, "strerror", None) or str(error)

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
            if path.endswith(COMPRESSED):
                found = self._unpacked(file) if self._clock() - status.st_mtime < RECENT_SECONDS else []
                self._read[key] = status.st_size
            else:
                file.seek(place)
                taken, self._sums[key], found = self._lines(file, self._sums.get(key, 0))
                self._read[key] = place + taken
            seen = min(self._clock(), os.fstat(descriptor).st_mtime)  # after reading, so that it is not too early
            self.found += [Seen(item.number, item.at, item.received or seen, item.whole) for item in found]

    def _unpacked(self, packed: IO[bytes]) -> list[Found]:
        """Records of a compressed file, without the start that was taken when it was a plain one.

        Raises EOFError while gzip is still writing it.
        """
        with gzip.GzipFile(fileobj=packed) as file:
            start = place = total = 0
            for length, wanted in sorted((self._read[key], total) for key, total in self._sums.items()):
                while place < length and (data := file.read(min(CHUNK, length - place))):
                    place, total = place + len(data), zlib.crc32(data, total)
                if (place, total) == (length, wanted):
                    start = length
            file.seek(start)
            return self._lines(file)[2]

    def _lines(self, file: IO[bytes] | gzip.GzipFile, total: int = 0) -> tuple[int, int, list[Found]]:
        """(bytes taken, CRC-32 of them after C(total), records): whole lines, and a last line without its end if it
        ends as a record does."""
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
            total = zlib.crc32(rest[:end], total)
            rest = rest[end:]
            if not data:
                return taken, total, found


def _end(tail: bytes) -> int:
    """How much of a file's last, unfinished line is worth taking: all of it when it ends as a record does."""
    return len(tail) if tail.endswith((b"\n", b";")) else 0


def _modified(path: str) -> tuple[float, str]:
    try:
        return os.lstat(path).st_mtime, path
    except OSError:
        return 0.0, path
