# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an engine does to the host that it runs on: files, the lock."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

from .._host import files, lock

write, remove_tree = files.write, files.remove_tree
PARENT = "/var/lib/rsyslog"  # of packages on some systems, and not there on others


def locked(wanted: bool) -> AbstractContextManager[None]:
    """One change of a receiver at a time on this host, whichever tenant's it is."""
    return lock.held("syslog", wanted=wanted)


def read(path: str) -> tuple[str, int] | None:
    """Content and mode of a file, None where there is none. What is no plain file is not ours, and never as wanted."""
    try:
        found = files.read(path, errors="replace")
    except OSError:
        return ("", -1)
    return None if found is None else (found.content, found.mode)


def make_parent() -> None:
    files.make_shared(PARENT)


OURS = (
    "/etc/mssp",
    "/etc/systemd/system/nftables.service.d",
    "/var/lib/rsyslog/mssp",
    "/var/log/collected",
    "/run/mssp-syslog",
)


def remove(path: str) -> None:
    """A file, and the folders of ours above it that this leaves empty."""
    files.remove(path)
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
    if folder == PARENT:
        files.remove_shared(PARENT)
