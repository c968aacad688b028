# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engines do to the host that they run on: files, the lock, the service, the clock."""

from __future__ import annotations

import os
import pwd
import shutil
import time
from contextlib import AbstractContextManager
from typing import NamedTuple

from .._core.errors import NoAnswerError, RefusedError
from .._host import files, lock
from .._host.commands import run
from .catalog import CONFIGS, MANAGERS, SERVICE, Manager
from .plan import File, Service

remove, remove_empty = files.remove, files.remove_empty
STATE = "/var/lib/mssp/falcon"  # what last worked, per tenant
TAIL_BYTES = 2_000_000
NO_ANSWER = (124, 127)  # of a program that does not end, or is not there


def locked(wanted: bool) -> AbstractContextManager[None]:
    """One change of the connector at a time on this host, whichever tenant's it is."""
    return lock.held("falcon", wanted=wanted)


# --- files


def read(path: str) -> File | None:
    """A file as it is, None where there is none. What is no plain file counts as one that is not ours."""
    try:
        found = files.read(path)
    except OSError:
        return File("", -1, -1)
    return None if found is None else File(found.content, found.mode, found.owner)


def write(path: str, file: File) -> None:
    files.write(path, file.content, file.mode, file.owner, _group(file.owner))


def _group(owner: int) -> int:
    try:
        return pwd.getpwuid(owner).pw_gid
    except KeyError:
        return 0


def configs() -> dict[str, File]:
    """Every configuration file of the host, by path."""
    try:
        names = sorted(name for name in os.listdir(CONFIGS) if name.endswith(".cfg"))
    except FileNotFoundError:
        return {}
    found = {f"{CONFIGS}/{name}": read(f"{CONFIGS}/{name}") for name in names}
    return {path: file for path, file in found.items() if file is not None}


class Mark(NamedTuple):
    """A place in a log that may be rotated: the file's inode and its size then."""

    inode: int
    size: int


WHOLE = Mark(0, 0)


def mark(path: str) -> Mark:
    try:
        status = os.stat(path)
    except OSError:
        return WHOLE
    return Mark(status.st_ino, status.st_size)


def tail(path: str, since: Mark) -> tuple[str, float]:
    """(What was written to the log since the mark, at most TAIL_BYTES; when it was last written to)."""
    try:
        with open(os.open(path, files.READING), "rb") as file:
            status = os.fstat(file.fileno())
            start = since.size if status.st_ino == since.inode and status.st_size >= since.size else 0
            file.seek(max(start, status.st_size - TAIL_BYTES))
            return file.read().decode("utf-8", "replace"), status.st_mtime
    except OSError:
        return "", 0.0


def modified(path: str) -> float | None:
    """When the file was last written to, None where there is none or nothing in it."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime if status.st_size else None


# --- service


def manager() -> Manager:
    """The host's own service manager."""
    if os.path.isdir("/run/systemd/system"):
        return MANAGERS["systemd"]
    return MANAGERS["upstart" if os.path.exists(f"/etc/init/{SERVICE}.conf") else "sysv"]


def service() -> Service:
    """Raises NoAnswerError where the manager does not say: that is no service that has stopped."""
    found = manager()
    status = run(*found.active)
    unclear = found is MANAGERS["systemd"] and not status.out.strip().isalpha()
    if status.code in NO_ANSWER or unclear:
        text = (status.err or status.out).strip()[:300] or "it says nothing"
        step = f"let Ansible become root on the collector, and see «{' '.join(found.active)}» there"
        raise NoAnswerError(f"ask whether {SERVICE} runs", text, code="unreadable", next_step=step)
    running = status.code == 0 and "stop" not in status.out
    return Service(start_at_boot=run(*found.enabled).code == 0, running=running)


def owner() -> int:
    """The user id that the service runs as; root where no unit says otherwise. Raises RefusedError."""
    said = run("systemctl", "show", "--value", "-p", "User", f"{SERVICE}.service")
    if said.code and manager() is MANAGERS["systemd"]:
        text = (said.err or said.out).strip()
        raise RefusedError("read the user of the service", text, code=f"exit_{said.code}")
    name = said.out.strip()
    try:
        return int(name) if name.isdigit() else pwd.getpwnam(name or "root").pw_uid
    except KeyError:
        raise RefusedError(
            "read the user of the service", f"{SERVICE} runs as {name}, which does not exist on this host"
        ) from None


# --- the system


def os_release() -> dict[str, str]:
    """The values of /etc/os-release; empty where it is missing (RHEL 6 has none)."""
    try:
        with open("/etc/os-release", encoding="utf-8") as file:
            pairs = [line.strip().split("=", 1) for line in file if "=" in line]
    except OSError:
        return {}
    return {key: value.strip("\"'") for key, value in pairs}


def machine() -> str:
    return os.uname().machine


def synchronised() -> bool | None:
    """Whether something keeps the host's clock; None where nothing on the host can say."""
    if shutil.which("chronyc") and (said := run("chronyc", "-n", "tracking")).code == 0:
        return "Leap status     : Normal" in said.out
    said = run("timedatectl", "show", "--value", "-p", "NTPSynchronized")
    return {"yes": True, "no": False}.get(said.out.strip()) if said.code == 0 else None


def clock() -> float:
    return time.time()
