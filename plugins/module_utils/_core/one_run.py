# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time with a file that keeps secrets: two would each write over what the other was told once."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from .errors import RefusedError
from .evidence import FILE_MODE, make_folder

FOLDER_STEP = "see to the folder, its rights and its disk; nothing was asked of the vendor"
BUSY_STEP = "wait for the other run to end, then run again"


@contextlib.contextmanager
def locked(lock: Path) -> Iterator[None]:
    """The lock for the time of the block; its file goes with it. Raises RefusedError, at once where another has it."""
    operation = f"lock {lock}"
    try:
        make_folder(lock.parent)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    except OSError as error:
        text = error.strerror or str(error)
        raise RefusedError(operation, text, code="LockUnusable", next_step=FOLDER_STEP) from error
    try:
        if not _taken(descriptor, lock):
            raise RefusedError(operation, "another run is at work there", code="Locked", next_step=BUSY_STEP)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # while it is still locked: who waits for a file that goes finds no lock
                lock.unlink()
    finally:
        os.close(descriptor)


def _taken(descriptor: int, lock: Path) -> bool:
    """Whether it is ours now, and still the file that others would find."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), lock.lstat())
    except (BlockingIOError, FileNotFoundError):
        return False
