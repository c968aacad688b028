# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest record of each sender in what a collector has stored, by a mark that each of its records has.

Runs on collectors: Python 3.9, standard library only. Nothing here writes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from .records import RECEIVED, seconds

SUFFIX = ".log"
CHUNK = 4 * 1024 * 1024
# Of the newest files, from their end: a record that is further back says nothing of today.
MAX_BYTES = 256 * 1024 * 1024
FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


def newest(path: str, wanted: Mapping[str, bytes], most: int = MAX_BYTES) -> dict[str, float]:
    """The time at which the collector took the newest record with each mark, by its name. Raises OSError."""
    found: dict[str, float] = {}
    for file in _files(path):
        for data in _backwards(file, most):
            most -= len(data)
            for name in wanted.keys() - found.keys():
                at = _last(data, wanted[name])
                if at is not None:
                    found[name] = at
            if len(found) == len(wanted) or most <= 0:
                return found
    return found


def _files(path: str) -> list[str]:
    """What is not rotated yet, the newest first."""
    try:
        entries = [one for one in os.scandir(path) if one.name.endswith(SUFFIX) and one.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return [one.path for one in sorted(entries, key=_modified, reverse=True)]


def _modified(entry: os.DirEntry[str]) -> float:
    return entry.stat(follow_symlinks=False).st_mtime


def _backwards(name: str, most: int) -> Iterator[bytes]:
    """Whole lines of a file from its end, some at a time."""
    with open(os.open(name, FLAGS), "rb") as file:
        place, rest = file.seek(0, os.SEEK_END), b""
        while place > 0 and most > 0:
            size = min(CHUNK, place)
            place -= size
            file.seek(place)
            data = file.read(size) + rest
            most -= size
            head, mark, lines = data.partition(b"\n") if place else (b"", b"\n", data)
            rest = head if mark else b""
            yield lines


def _last(data: bytes, mark: bytes) -> float | None:
    """The time of the last line with the mark in it."""
    place = data.rfind(mark)
    while place >= 0:
        start = data.rfind(b"\n", 0, place) + 1
        line = RECEIVED.match(data, start)
        at = seconds(line.group(1)) if line else None
        if at is not None:
            return at
        place = data.rfind(mark, 0, start)
    return None
