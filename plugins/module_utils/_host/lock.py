# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One change of a kind at a time on this host: a lock that only root can take, with an end to the waiting."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Iterator

from .._core.errors import RefusedError

FOLDER = "/run/mssp"  # below a folder of root's: no account of the host can make it first, or look into it
SECONDS = 300.0
POLL_SECONDS = 0.2


@contextlib.contextmanager
def held(name: str, *, wanted: bool = True, seconds: float = SECONDS) -> Iterator[None]:
    """The lock for the time of the block; nothing of it is left behind.

    Args:
        name: what is locked, such as C(syslog); runs of all tenants share it.
        wanted: check mode changes nothing, and needs no lock.
        seconds: how long to wait for another run.

    Raises:
        RefusedError: another run held it all the time, or the folder of locks is not root's alone.
    """
    if not wanted:
        yield
        return
    path = f"{FOLDER}/{name}.lock"
    descriptor = _taken(path, time.monotonic() + seconds)
    if descriptor is None:
        raise RefusedError(
            f"lock {name} on this host; nothing was changed",
            f"another run has held {path} for {seconds:g} s",
            code="locked",
            next_step=f"see with «fuser {path}» which run that is, and run again when it has ended",
        )
    try:
        yield
    finally:
        # While it is still locked: whoever waits for the file that goes sees that it has gone, and takes a new one.
        with contextlib.suppress(OSError):
            os.unlink(path)
        os.close(descriptor)
        with contextlib.suppress(OSError):
            os.rmdir(FOLDER)


def _taken(path: str, until: float) -> int | None:
    while True:
        with contextlib.suppress(FileNotFoundError):  # the folder went with the lock of a run that has just ended
            _own_folder()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            if _locked(descriptor, path):
                return descriptor
            os.close(descriptor)
        if time.monotonic() > until:
            return None
        time.sleep(POLL_SECONDS)


def _locked(descriptor: int, path: str) -> bool:
    """Whether it is ours now, and still the file that others would find."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except (BlockingIOError, FileNotFoundError):
        return False


def _own_folder() -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(FOLDER, 0o700)
    found = os.lstat(FOLDER)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise RefusedError(
            f"use {FOLDER} for locks; nothing was changed",
            "it is not a folder of root's alone",
            code="lock_folder",
            next_step=f"remove {FOLDER} on the host, and see who made it",
        )
