# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence: what a run saw and did, as files of JSON lines in the run's folder."""

from __future__ import annotations

import errno
import getpass
import grp
import json
import os
import pwd
import re
import secrets
import stat
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from .progress import clean

ACTORS = ("MSSP_ACTOR", "GITHUB_ACTOR", "BUILD_REQUESTEDFOR", "SUDO_USER")  # the first that is set
RUN_FOLDER_VARIABLE = "MSSP_EVIDENCE_DIR"
BUFFER_BYTES = 32 * 1024
BUFFER_SECONDS = 1.0
FOLDER_MODE, FILE_MODE = 0o700, 0o600
NOT_IN_NAMES = re.compile(r"[^\w.@+-]+")
NEXT_STEPS = {
    errno.ENOSPC: "free space on the disk that holds the evidence, then run again",
    errno.EDQUOT: "free space within the disk quota of the user that runs Ansible, then run again",
    errno.EPERM: "set MSSP_EVIDENCE_ROOT to a folder in which only the user that runs Ansible may write",
    errno.EFBIG: "raise the limit of file size of the user that runs Ansible (ulimit -f), then run again",
}
OTHER_STEP = "let the user that runs Ansible write there, or set MSSP_EVIDENCE_ROOT to a folder that it may write to"


class EvidenceError(Exception):
    """Evidence could not be written. The work itself goes on: what was done in the tenant does not depend on it."""

    def __init__(self, path: str | Path, error: OSError) -> None:
        self.path = Path(path)
        self.code = errno.errorcode.get(error.errno or 0, "EIO")
        self.reason = error.strerror or str(error)
        self.next_step = NEXT_STEPS.get(error.errno or 0, OTHER_STEP)
        super().__init__(f"Cannot write evidence to {self.path}: {self.reason}; {self.next_step}.")


def run_dir() -> Path | None:
    """The folder of this run's evidence, which the first writer makes; None when no evidence is wanted."""
    named = os.environ.get(RUN_FOLDER_VARIABLE, "")
    return Path(named) if named else None


def who() -> str:
    """Who runs this, as the pipeline says, or the host."""
    named = (os.environ.get(name) for name in ACTORS)
    with suppress(KeyError, OSError):  # a user without an entry
        return clean(next(filter(None, named), "") or getpass.getuser(), 80)
    return f"uid {os.getuid()}"


def tenant_file(tenant: str, module: str) -> Path | None:
    """C(<run folder>/<tenant>.<module>.jsonl), or None when no evidence is wanted."""
    folder = run_dir()
    return folder / f"{NOT_IN_NAMES.sub('_', tenant)}.{module}.jsonl" if folder else None


def now() -> str:
    """In UTC, to the second, as lines of evidence have it."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def make_folder(folder: Path) -> None:
    """Make it, and the folders above it that do not exist, for the owner only.

    Raises OSError.
    """
    if not folder.is_dir():
        make_folder(folder.parent)
        with suppress(FileExistsError):  # another worker was faster
            folder.mkdir(mode=FOLDER_MODE)


def refuse_shared(folder: Path) -> None:
    """Raises OSError where others could put a file of ours aside, or a link in its place."""
    held = folder.stat()
    if others_write(held) and not held.st_mode & stat.S_ISVTX:
        raise PermissionError(errno.EPERM, "others may write in the folder", str(folder))


def others_write(held: os.stat_result) -> bool:
    """Whether anybody but the owner may write; a group of the user's own, as systems make one for each, is nobody."""
    if held.st_mode & stat.S_IWOTH:
        return True
    return bool(held.st_mode & stat.S_IWGRP) and not _own_group(held.st_gid)


def _own_group(number: int) -> bool:
    try:
        group, account = grp.getgrgid(number), pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return group.gr_name == account.pw_name and set(group.gr_mem) <= {account.pw_name}


def write_whole(path: Path, text: str, mode: int = FILE_MODE) -> None:
    """The whole new file or the old one, whatever happens meanwhile. Raises OSError."""
    refuse_shared(path.parent)
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(
            os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode),
            "w",
            encoding="utf-8",
            errors="backslashreplace",
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def _unchanged(record: Any) -> Any:
    return record


def _as_text(value: Any) -> str:
    """What JSON has no form for: by name only, as its own text may say more than evidence should."""
    return str(value) if isinstance(value, os.PathLike) else f"<{type(value).__name__}>"


class EvidenceFile:
    """Appends records to a file of JSON lines that only its owner can read.

    Only whole lines reach the file, at the latest BUFFER_SECONDS after a later one was written, so that a killed run
    leaves what it knew. C(write) and C(close) never raise: the first error ends the writing, is C(error), and stands
    in C(problems) with the number of records lost.
    """

    def __init__(
        self,
        path: str | Path,
        redact: Callable[[Any], Any] = _unchanged,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = Path(path)
        self.error: EvidenceError | None = None
        self.lost = 0
        self._redact, self._clock = redact, clock
        self._lines: list[bytes] = []
        self._size = 0
        self._flush_at = 0.0
        self._descriptor = -1
        try:
            self._open()
        except OSError as error:
            self._fail(error)

    def _open(self) -> None:
        make_folder(self.path.parent)
        refuse_shared(self.path.parent)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(self.path, flags, FILE_MODE)
        held = os.fstat(self._descriptor)
        if held.st_uid != os.geteuid() or held.st_nlink > 1 or not stat.S_ISREG(held.st_mode):
            raise PermissionError(errno.EPERM, "the file is somebody else's", str(self.path))
        os.fchmod(self._descriptor, FILE_MODE)
        end = os.fstat(self._descriptor).st_size
        if end and os.pread(self._descriptor, 1, end - 1) != b"\n":
            os.write(self._descriptor, b"\n")  # a killed writer's last line stays alone

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one record as one line."""
        if self._descriptor < 0:
            self.lost += 1
            return
        text = json.dumps(self._redact(record), separators=(",", ":"), ensure_ascii=False, default=_as_text)
        line = text.encode("utf-8", "backslashreplace") + b"\n"
        now = self._clock()
        if not self._lines:
            self._flush_at = now + BUFFER_SECONDS
        self._lines.append(line)
        self._size += len(line)
        if self._size >= BUFFER_BYTES or now >= self._flush_at:
            self.flush()

    def flush(self) -> None:
        """Hand all lines to the system."""
        if not self._lines or self._descriptor < 0:
            return
        try:
            before = os.fstat(self._descriptor).st_size
            try:
                self._write_all(b"".join(self._lines))
            except OSError:
                os.ftruncate(self._descriptor, before)  # no half line
                raise
        except OSError as error:
            self._fail(error)
        else:
            self._lines, self._size = [], 0

    def _write_all(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def close(self) -> None:
        """Write what is left and wait until the disk has it."""
        self.flush()
        if self._descriptor >= 0:
            try:
                os.fsync(self._descriptor)
            except OSError as error:
                self._fail(error)
            self._release()

    def _fail(self, error: OSError) -> None:
        self.error = self.error or EvidenceError(self.path, error)
        self.lost += len(self._lines)
        self._lines, self._size = [], 0
        self._release()

    def _release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def problems(self) -> list[dict[str, Any]]:
        """[] or one entry for the task's C(problems); C(count) is the number of lost records."""
        if self.error is None:
            return []
        return [
            {
                "target": str(self.path),
                "operation": "write evidence",
                "status": None,
                "code": f"evidence_{self.error.code}",
                "message": self.error.reason,
                "next_step": self.error.next_step,
                "request_id": None,
                "count": self.lost,
            }
        ]

    def __enter__(self) -> EvidenceFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
