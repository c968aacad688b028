# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the host that an engine runs on: read without following links, written whole or not at all, removed."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from typing import NamedTuple

from .._core.errors import RefusedError

# O_NONBLOCK: a pipe in the place of a file must not be waited for.
READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
MAX_BYTES = 16 * 1024 * 1024
MADE = ".made-by-mssp"  # in a folder that others may have made as well: this one is ours to take away


class NotPlain(OSError):
    """A link, folder, pipe or device is in the place of a file."""


class Found(NamedTuple):
    """A plain file. mode: the permission bits."""

    content: str
    mode: int
    owner: int
    group: int


def read(path: str, *, errors: str = "surrogateescape") -> Found | None:
    """A file to its last byte, None where there is none.

    Raises:
        NotPlain: something else has its name.
        OSError: it cannot be read, or has more than MAX_BYTES.
    """
    found = read_bytes(path, MAX_BYTES + 1)
    if found is None:
        return None
    content, status = found
    if len(content) > MAX_BYTES:
        raise OSError(f"{path} has more than {MAX_BYTES} bytes")
    return Found(content.decode("utf-8", errors), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)


def read_bytes(path: str, most: int) -> tuple[bytes, os.stat_result] | None:
    """At most so many of a file's first bytes, and its status. Raises NotPlain and OSError."""
    try:
        descriptor = os.open(path, READING)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotPlain(error.errno, error.strerror, path) if os.path.islink(path) else error from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotPlain(f"{path} is no plain file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(most), status
    finally:
        os.close(descriptor)


def write(path: str, content: str, mode: int, owner: int = 0, group: int = 0) -> None:
    """The old file or the new one is there, never a part, and nobody reads it whom its rights do not name."""
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    new = f"{path}.mssp-new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    descriptor = os.open(new, WRITING, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(content)
            file.flush()
            if (owner, group) != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, owner, group)  # before the mode: it takes set-id bits away
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        os.rename(new, path)
    except BaseException:
        remove(new)
        raise
    _flush(os.path.dirname(path))


def _flush(folder: str) -> None:
    """So that the new name outlives a power cut, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # not every file system can
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def own_folder(path: str, mode: int, owner: int, group: int) -> None:
    """The rights of a folder, made if need be. Raises OSError where a link has its name."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    descriptor = os.open(path, FOLDER)
    try:
        os.fchown(descriptor, owner, group)
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def make_shared(folder: str) -> None:
    """A folder that the host's packages may have made, too: when it is ours alone it says so."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o755)
        os.close(os.open(f"{folder}/{MADE}", WRITING, 0o600))


def remove_shared(folder: str) -> None:
    """A folder of make_shared goes where nobody else uses it, and only if it was made by that."""
    with contextlib.suppress(OSError):
        if os.listdir(folder) == [MADE]:
            os.unlink(f"{folder}/{MADE}")
            os.rmdir(folder)


def remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def remove_empty(*folders: str) -> None:
    """Those of the folders that are empty, in this order."""
    for folder in folders:
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def remove_tree(path: str) -> None:
    """A folder of ours with all it holds. Raises RefusedError for a link, which is not followed."""
    if os.path.islink(path):
        raise RefusedError(f"remove {path}", "it is a link, which is not ours")
    shutil.rmtree(path, ignore_errors=True)
