# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drop directory of one source: a file is whole in ready/, or it is nowhere.

Below C(base) three directories belong to the account: incoming/ (files on their way, under names of ours), ready/
(whole files) and state/ (lock, ledger, and a marker per delivered content). All access goes through descriptors of
these directories, and no path that a sender wrote is opened.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from .rules import Paths, Refused

FILE_MODE = 0o640
READ_BYTES = 1024 * 1024
CHECK_EVERY = 8 * 1024 * 1024  # bytes between two looks at the free space
NEVER = -1
LEDGER_BYTES = 1024 * 1024
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

Log = Callable[[str, bool, dict[str, Any]], None]  # (event, is a warning, fields)


@dataclass(frozen=True)
class Config:
    """What the role wrote for the account. Sizes in bytes, 0 is no limit; directories: as the sender calls this one."""

    tenant: str
    source: str
    base: str
    max_file_bytes: int
    min_free_bytes: int
    quota_bytes: int
    max_files: int
    directories: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def load(cls, path: str) -> Config:
        with open(path, encoding="utf-8") as stream:
            data = json.load(stream)
        lists = {name: tuple(data[name]) for name in ("directories", "names")}
        return cls(**{**{name: data[name] for name in cls.__dataclass_fields__}, **lists})


class Drop:
    """Takes files of one session. about: what the records say of it (client, protocol)."""

    def __init__(self, config: Config, log: Log, about: dict[str, str]) -> None:
        self.config = config
        base = config.base
        self.paths = Paths([*config.directories, base, f"{base}/incoming"], config.names)
        self._log = log
        self.about = about
        self._serial = 0
        self.incoming, self.ready, self.state, self.seen = (
            os.open(os.path.join(base, name), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            for name in ("incoming", "ready", "state", "state/seen")
        )
        self._sweep()

    def receive(self, name: str, size: int | None) -> Incoming:
        """Begin a file whose name has been checked. size: in bytes, None when the protocol does not tell.

        Raises Refused before a byte is taken when there is no room for it.
        """
        self._room(size or 0)
        self._serial += 1
        temporary = f"{os.getpid()}-{time.time_ns()}-{self._serial}"
        try:
            with self.lock():
                descriptor = os.open(temporary, NEW_FILE, FILE_MODE, dir_fd=self.incoming)
                fcntl.flock(descriptor, fcntl.LOCK_EX)  # tells other sessions' sweeps that somebody writes it
        except OSError as error:
            raise _refusal(error) from error
        incoming = Incoming(self, name, size, temporary, descriptor)
        try:
            if size:
                os.posix_fallocate(descriptor, 0, size)  # two senders cannot be promised the same space
        except OSError as error:
            incoming.discard()
            raise _refusal(error) from error
        return incoming

    def record(self, event: str, warning: bool, **fields: Any) -> None:
        """To the journal and to the ledger that verify reads."""
        fields = {**fields, **self.about}
        self._log(event, warning, fields)
        line = json.dumps({"time": int(time.time()), "event": event, **fields}, separators=(",", ":")) + "\n"
        with suppress(OSError), self.lock():  # a full disk must not keep the refusal from the sender
            self._append(line.encode())

    def refused(self, what: str, refusal: Refused) -> None:
        self.record("refused", True, code=refusal.code, reason=refusal.text, name=what)

    @contextmanager
    def lock(self) -> Iterator[None]:
        descriptor = os.open("lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=self.state)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _append(self, line: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open("ledger.jsonl", flags, FILE_MODE, dir_fd=self.state)
        try:
            os.write(descriptor, line)
            if os.fstat(descriptor).st_size > LEDGER_BYTES:
                os.rename("ledger.jsonl", "ledger.1.jsonl", src_dir_fd=self.state, dst_dir_fd=self.state)
        finally:
            os.close(descriptor)

    def free(self) -> int:
        """Bytes that this account may still write to the file system."""
        found = os.fstatvfs(self.incoming)
        return found.f_bavail * found.f_frsize

    def _room(self, size: int) -> None:
        config = self.config
        if config.max_file_bytes and size > config.max_file_bytes:
            raise Refused("size", f"files have at most {config.max_file_bytes} bytes here")
        if self.free() - size < config.min_free_bytes:
            raise Refused("disk_full", "no space left on the collector; try again later")
        if not (config.quota_bytes or config.max_files):
            return
        files, held = self._held()
        if config.quota_bytes and held + size > config.quota_bytes:
            raise Refused("quota", "this source has filled its share of the collector; try again later")
        if config.max_files and files >= config.max_files:
            raise Refused("quota", "this source has too many files on the collector; try again later")

    def _held(self) -> tuple[int, int]:
        """(files, bytes) of what waits and what is on its way."""
        files = held = 0
        for descriptor in (self.ready, self.incoming):
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        files, held = files + 1, held + entry.stat(follow_symlinks=False).st_size
        return files, held

    def _sweep(self) -> None:
        """Remove what sessions that were killed have left: files that nobody holds."""
        with self.lock():
            left = [size for name in os.listdir(self.incoming) if (size := self._remove_orphan(name)) is not None]
        for size in left:
            self.record("cut", True, name="", bytes=size, reason="left by a session that was killed")

    def _remove_orphan(self, name: str) -> int | None:
        """Its size, or None where somebody still writes it."""
        with suppress(OSError):
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.incoming)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(name, dir_fd=self.incoming)
                return os.fstat(descriptor).st_size
            finally:
                os.close(descriptor)
        return None


class Incoming:
    """One file on its way. After discard() or deliver() it is closed."""

    def __init__(self, drop: Drop, name: str, size: int | None, temporary: str, descriptor: int) -> None:
        self.name = name
        self.length = 0
        self._drop, self._size, self._temporary, self._descriptor = drop, size, temporary, descriptor
        self._hash, self._hashed = hashlib.sha256(), 0
        self._checked = 0

    def write(self, offset: int, data: bytes) -> None:
        """Raises Refused, after which only discard() makes sense."""
        config, end = self._drop.config, offset + len(data)
        if config.max_file_bytes and end > config.max_file_bytes:
            raise Refused("size", f"files have at most {config.max_file_bytes} bytes here")
        if self._size is None and end - self._checked > CHECK_EVERY:
            self._checked = end
            self._drop._room(0)
        view = memoryview(data)
        try:
            while view:
                view = view[os.pwrite(self._descriptor, view, end - len(view)) :]
        except OSError as error:
            raise _refusal(error) from error
        if offset == self._hashed:
            self._hash.update(data)
            self._hashed = end
        elif offset < self._hashed:
            self._hashed = NEVER
        self.length = max(self.length, end)

    def discard(self) -> None:
        """As if it had never come."""
        with suppress(OSError):
            os.unlink(self._temporary, dir_fd=self._drop.incoming)
        self._close()

    def cut(self, reason: str) -> None:
        """The sender went away in the middle."""
        self.discard()
        self._drop.record("cut", True, name=self.name, bytes=self.length, reason=reason)

    def deliver(self, **fields: Any) -> str:
        """Make it appear in ready/, whole and on the disk; gives its name there, "" for what was delivered before.

        The marker comes after the file: a crash in between gives a second copy, the other order would lose it.
        """
        drop = self._drop
        try:
            os.ftruncate(self._descriptor, self.length)  # what was set aside and not used
            os.fsync(self._descriptor)
            digest = self._digest()
            marker = hashlib.sha256(f"{self.name}\0{digest}".encode()).hexdigest()
            with drop.lock():
                ready = "" if _touch(marker, drop.seen) else self._publish(digest)
                if ready:
                    os.close(os.open(marker, NEW_FILE, FILE_MODE, dir_fd=drop.seen))
        except OSError as error:
            self.discard()
            raise _refusal(error) from error
        if ready:
            self._close()
        else:
            self.discard()
        event = "accepted" if ready else "duplicate"
        drop.record(event, False, name=self.name, bytes=self.length, sha256=digest, ready=ready, **fields)
        return ready

    def _publish(self, digest: str) -> str:
        drop = self._drop
        ready = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{digest[:8]}-{self.name}"
        os.fchmod(self._descriptor, FILE_MODE)
        os.rename(self._temporary, ready, src_dir_fd=drop.incoming, dst_dir_fd=drop.ready)
        os.fsync(drop.ready)
        return ready

    def _digest(self) -> str:
        """SHA-256 of the file, read again only if it did not come from front to back."""
        if self._hashed == self.length:
            return self._hash.hexdigest()
        whole = hashlib.sha256()
        descriptor = os.open(self._temporary, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._drop.incoming)
        with os.fdopen(descriptor, "rb") as stream:
            while block := stream.read(READ_BYTES):
                whole.update(block)
        return whole.hexdigest()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _touch(name: str, directory: int) -> bool:
    """Whether it is there; its time says until when it is kept."""
    try:
        os.utime(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _refusal(error: OSError) -> Refused:
    if error.errno in FULL:
        return Refused("disk_full", "no space left on the collector; try again later")
    return Refused("io_error", f"the collector could not store the file: {error.strerror}")
