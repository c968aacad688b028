# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long folders of runs stay: packed after a day, removed by age and by the size of all of them."""

from __future__ import annotations

import fcntl
import gzip
import os
import re
import shutil
import tarfile
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

DAY = 86400.0
MEGABYTE = 1_000_000
SUMMARY, PACKED_SUMMARY, ARCHIVE = "summary.json", "summary.json.gz", "evidence.tar.gz"
LOCK = ".retention.lock"
NAME = re.compile(r"(\d{8}T\d{6}Z)-[\w.@+-]+-[0-9a-f]{6}")  # of a folder that the callback, or mssp-drift, named
PACKED_AFTER = DAY
PACKED_AT_ONCE = 24  # of which a run that finds many takes a few seconds
RUNS_ASKED = 100


def steady(now: float, ends: Iterable[float]) -> float:
    """The clock, or what most of the last runs say, whichever is earlier: a date that jumped is no age."""
    known = sorted(ends)[-RUNS_ASKED:]
    return min([now, *known[(len(known) - 1) // 2 :][:1]])


def retain(root: Path, days: int, megabytes: int, now: float, latest: str) -> None:
    """Pack and remove what is due; nothing where another run does so right now.

    Args:
        days, megabytes: kept at most, 0 for no limit.
        latest: name of the run that ends, which always stays.

    Raises:
        OSError: A folder cannot be read, packed or removed.
    """
    with open(root / LOCK, "w", encoding="utf-8") as lock, suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _retain(root, days, megabytes, now, latest)


def _retain(root: Path, days: int, megabytes: int, now: float, latest: str) -> None:
    dates = {path: began for path in root.iterdir() if (began := _began(path)) is not None}
    now = steady(now, dates.values())
    kept = [path for path in sorted(dates, key=lambda path: (dates[path], path.name)) if path.name != latest]
    for path in [path for path in kept if days and dates[path] < now - days * DAY]:
        shutil.rmtree(path)
        kept.remove(path)
    due = [path for path in kept if dates[path] < now - PACKED_AFTER and not (path / ARCHIVE).exists()]
    for path in due[:PACKED_AT_ONCE]:
        pack(path)
    over = sum(sizes := [size(path) for path in kept]) - megabytes * MEGABYTE
    for path, number in zip(kept, sizes, strict=True):
        if not megabytes or over <= 0:
            break
        shutil.rmtree(path)
        over -= number


def _began(path: Path) -> float | None:
    """When the run of the folder began, None for what is no folder of ours."""
    name = NAME.fullmatch(path.name)
    if not name or path.is_symlink() or not path.is_dir():
        return None
    with suppress(ValueError):
        return datetime.strptime(name[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    return None


def size(folder: Path) -> int:
    """On the disk, in blocks."""
    return sum(entry.stat(follow_symlinks=False).st_blocks * 512 for entry in os.scandir(folder))


def pack(folder: Path) -> None:
    """One archive of a run's lines of evidence, and its summary by itself; the run's other files stay as they are."""
    lines = sorted(folder.glob("*.jsonl"))
    part = folder / f".{ARCHIVE}"
    with tarfile.open(part, "w:gz", compresslevel=6) as archive:
        for path in lines:
            archive.add(path, path.name)
    part.chmod(0o600)
    part.replace(folder / ARCHIVE)
    for path in lines:
        path.unlink()
    summary = folder / SUMMARY
    if summary.exists():
        part = folder / f".{PACKED_SUMMARY}"
        part.write_bytes(gzip.compress(summary.read_bytes(), 6))
        part.chmod(0o600)
        part.replace(folder / PACKED_SUMMARY)
        summary.unlink()


def read_packed(folder: Path) -> bytes:
    """The content of a run's summary, packed or not. Raises OSError."""
    packed = folder / PACKED_SUMMARY
    return gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / SUMMARY).read_bytes()
