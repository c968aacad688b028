# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an engine does to the host that it runs on: files, the lock."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator

from .._core.errors import RefusedError
from .layout import LOCK


@contextlib.contextmanager
def locked(wanted: bool) -> Iterator[None]:
    """One change of a receiver at a time on this host, whichever tenant's it is. Check mode does not need it."""
    if not wanted:
        yield
        return
    os.makedirs(os.path.dirname(LOCK), exist_ok=True)
    with open(LOCK, "a", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def read(path: str) -> tuple[str, int] | None:
    """Content and mode of a file, None where there is none. A link is not followed: ours are plain files."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError:
        return ("", -1)
    with open(descriptor, encoding="utf-8", errors="replace") as file:
        return file.read(), os.fstat(file.fileno()).st_mode & 0o7777


def write(path: str, content: str, mode: int) -> None:
    """Whole or not at all, and never readable by more than its mode says."""
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    new = f"{path}.mssp-new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    os.rename(new, path)


OURS = (
    "/etc/mssp",
    "/etc/systemd/system/nftables.service.d",
    "/var/lib/rsyslog/mssp",
    "/var/log/collected",
    "/run/mssp-syslog",
)


def remove(path: str) -> None:
    """A file, and the folders of ours above it that this leaves empty."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    remove_empty(os.path.dirname(path))


def remove_empty(folder: str) -> None:
    """The folder and those of ours above it, as far as they are empty or not there."""
    while folder.startswith(OURS):
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            pass
        except OSError:
            return
        folder = os.path.dirname(folder)


def remove_tree(path: str) -> None:
    """A folder of ours with all it holds; a link is not followed."""
    if os.path.islink(path):
        raise RefusedError(f"remove {path}", "it is a link, which is not ours")
    shutil.rmtree(path, ignore_errors=True)
