# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drop directory of one source: a file is whole in ready/, or it is nowhere.

Below C(base) three directories belong to the account: incoming/ (files on their way, under names of ours), ready/
(whole files) and state/ (lock, ledger, and the memory of what was delivered). All access goes through descriptors of
these directories, and no path that a sender wrote is opened.

Room is taken under the account's lock before a byte of it is written, so that no number of sessions gets more than the
account's share, or what has to stay free: what is in flight lies in incoming/ with all that was set aside for it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from .rules import Paths, Refused
from .seen import Seen

FILE_MODE = 0o640
READ_BYTES = 1024 * 1024
STEP_BYTES = 8 * 1024 * 1024  # set aside at once for a file whose size is not told; larger files take larger steps
FREE_INODES = 100  # one in so many stays free
MAX_OFFSET = (1 << 63) - 1
MAX_PIECES = 4096
NEVER = -1
KEPT = re.compile(r"whole-\d+-\d+-\d+-(.+)")  # a file in incoming/ that the sender has closed, and its name
LEDGER_BYTES = 1024 * 1024
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LOCK_FILE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
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
    max_sessions: int
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
        self.incoming, self.ready, self.state = (
            os.open(os.path.join(base, name), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            for name in ("incoming", "ready", "state")
        )
        self.seen = Seen(self.state)

    def enter(self) -> None:
        """Take one of the account's sessions, until this process ends. Raises Refused where all are taken."""
        for number in range(self.config.max_sessions):
            descriptor = os.open(f"session.{number}", LOCK_FILE, 0o600, dir_fd=self.state)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                os.close(descriptor)
        else:
            if self.config.max_sessions:
                raise Refused("busy", "this source has too many sessions on the collector; try again later")
        self._sweep()

    def receive(self, name: str, size: int | None) -> Incoming:
        """Begin a file whose name has been checked. size: in bytes, None when the protocol does not tell.

        Raises Refused before a byte is taken when there is no room for it.
        """
        self.limit(size or 0)
        self._serial += 1
        temporary = f"{os.getpid()}-{time.time_ns()}-{self._serial}"
        try:
            with self.lock():
                self._room(size or 0, files=1)
                descriptor = os.open(temporary, NEW_FILE, FILE_MODE, dir_fd=self.incoming)
                fcntl.flock(descriptor, fcntl.LOCK_EX)  # tells other sessions' sweeps that somebody writes it
                incoming = Incoming(self, name, temporary, descriptor)
                try:
                    incoming.set_aside(size or 0)
                except (Refused, OSError):
                    incoming.discard()
                    raise
        except OSError as error:
            raise _refusal(error) from error
        return incoming

    def limit(self, size: int) -> None:
        """Raises Refused for a file of more bytes than one may have."""
        most = self.config.max_file_bytes
        if size > (most or MAX_OFFSET):
            raise Refused("size", f"files have at most {most or MAX_OFFSET} bytes here")

    def record(self, event: str, warning: bool, **fields: Any) -> None:
        """To the journal and to the ledger that verify reads."""
        fields = {**fields, **self.about}
        self._log(event, warning, fields)
        line = json.dumps({"time": int(time.time()), "event": event, **fields}, separators=(",", ":")) + "\n"
        with suppress(OSError), self.lock():  # a full disk must not keep the refusal from the sender
            self._append(line.encode())

    def refused(self, what: str, refusal: Refused) -> None:
        self.record("refused", True, code=refusal.code, reason=refusal.text, name=what)

    def renamed(self, old: str, new: str, digest: str) -> None:
        """What was delivered under one name is known under another, too, so that it is not taken a second time."""
        with suppress(OSError), self.lock():
            self.seen.add(marker(new, digest))
        self.record("renamed", False, name=old, to=new)

    @contextmanager
    def lock(self) -> Iterator[None]:
        descriptor = os.open("lock", LOCK_FILE, 0o600, dir_fd=self.state)
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

    def _room(self, size: int, files: int = 0) -> None:
        """Whoever calls holds the lock. Raises Refused where there is no room for so many bytes and files more."""
        config = self.config
        if not self._spare(size):
            raise Refused("disk_full", "no space left on the collector; try again later")
        if not (config.quota_bytes or config.max_files):
            return
        there, held = self._held()
        if config.quota_bytes and held + size > config.quota_bytes:
            raise Refused("quota", "this source has filled its share of the collector; try again later")
        if config.max_files and there + files > config.max_files:
            raise Refused("quota", "this source has too many files on the collector; try again later")

    def _spare(self, size: int) -> bool:
        """Whether the file system keeps its reserve of bytes and of inodes when so many bytes go."""
        found = os.fstatvfs(self.incoming)
        inodes = not found.f_files or found.f_favail * FREE_INODES >= found.f_files
        return inodes and found.f_bavail * found.f_frsize - size >= self.config.min_free_bytes

    def grow(self, descriptor: int, before: int, after: int) -> None:
        """Set aside room for a file. Whoever calls holds the lock. Raises Refused and OSError; the file is then as
        it was. Other accounts have other locks, so the reserve is looked at before and after."""
        self._room(after - before)
        try:
            os.posix_fallocate(descriptor, before, after - before)
            if not self._spare(0):
                raise Refused("disk_full", "no space left on the collector; try again later")
        except (Refused, OSError):
            os.ftruncate(descriptor, before)
            raise

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
        """What sessions that were killed have left: whole files are delivered, parts of files removed."""
        for name in os.listdir(self.incoming):
            with self.lock():
                descriptor = self._orphan(name)
            if descriptor is None:
                continue
            whole = KEPT.fullmatch(name)
            incoming = Incoming(self, whole[1] if whole else "", name, descriptor)
            incoming.length = os.fstat(descriptor).st_size
            if not whole:
                incoming.cut("left by a session that was killed")
                continue
            incoming.pieces = joined([], (0, incoming.length))
            with suppress(Refused):  # the next session tries again
                incoming.deliver(late="of a session that was killed")

    def _orphan(self, name: str) -> int | None:
        """A file that nobody holds, locked; None for others. Whoever calls holds the lock."""
        with suppress(OSError):
            descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.incoming)
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            os.close(descriptor)
        return None


class Incoming:
    """One file on its way. After discard() or deliver() it is closed. pieces: what was written, in order."""

    def __init__(self, drop: Drop, name: str, temporary: str, descriptor: int) -> None:
        self.name = name
        self.length = 0
        self.digest = ""
        self.pieces: list[tuple[int, int]] = []
        self._drop, self._temporary, self._descriptor = drop, temporary, descriptor
        self._hash, self._hashed = hashlib.sha256(), 0
        self._reserved = 0

    def set_aside(self, end: int) -> None:
        """Room up to this byte. Whoever calls holds the lock. Raises Refused and OSError."""
        if end > self._reserved:
            self._drop.grow(self._descriptor, self._reserved, end)
            self._reserved = end

    def write(self, offset: int, data: bytes) -> None:
        """Raises Refused, after which only discard() makes sense."""
        end = offset + len(data)
        self._drop.limit(end)
        view = memoryview(data)
        try:
            self._take_room(end)
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
        self.pieces = joined(self.pieces, (offset, end))

    def _take_room(self, end: int) -> None:
        """More than is needed where the size is not known and there is room, so that this is not for every write."""
        if end <= self._reserved:
            return
        most = self._drop.config.max_file_bytes or MAX_OFFSET
        generous = min(end + max(STEP_BYTES, end // 4), most)
        with self._drop.lock():
            try:
                self.set_aside(generous)
            except (Refused, OSError):
                self.set_aside(end)

    def settle(self) -> None:
        """The sender has closed it: all of it is here, and on the disk. Raises Refused."""
        if self.pieces != ([(0, self.length)] if self.length else []):
            raise Refused("resume", "it has a hole; files are sent whole here, from their first byte")
        try:
            os.ftruncate(self._descriptor, self.length)  # what was set aside and not used
            os.fsync(self._descriptor)
        except OSError as error:
            raise _refusal(error) from error

    def keep(self) -> None:
        """From now on it is delivered though this session be killed: by the next one. Raises Refused."""
        whole = f"whole-{self._temporary}-{self.name}"
        try:
            os.rename(self._temporary, whole, src_dir_fd=self._drop.incoming, dst_dir_fd=self._drop.incoming)
            self._temporary = whole
            os.fsync(self._drop.incoming)
        except OSError as error:
            raise _refusal(error) from error

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

        It is remembered after that: a crash in between gives a second copy, the other order would lose it.
        Raises Refused; it is then gone, but for one that was kept.
        """
        drop = self._drop
        try:
            self.settle()
            self.digest = self._digest()
            with drop.lock():
                ready = "" if marker(self.name, self.digest) in drop.seen else self._publish(self.digest)
                if ready:
                    with suppress(OSError):  # a disk that is full to the last byte; a second copy may come then
                        drop.seen.add(marker(self.name, self.digest))
        except (Refused, OSError) as error:
            refusal = error if isinstance(error, Refused) else _refusal(error)
            if KEPT.fullmatch(self._temporary):
                self._close()
            else:
                self.discard()
            raise refusal from error
        if ready:
            self._close()
        else:
            self.discard()
        event = "accepted" if ready else "duplicate"
        drop.record(event, False, name=self.name, bytes=self.length, sha256=self.digest, ready=ready, **fields)
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


def marker(name: str, digest: str) -> bytes:
    return hashlib.sha256(f"{name}\0{digest}".encode()).digest()


def joined(pieces: list[tuple[int, int]], new: tuple[int, int]) -> list[tuple[int, int]]:
    """The pieces with one more, those that touch made one. Raises Refused for too many."""
    start, end = new
    if start == end:
        return pieces
    if pieces and pieces[-1][0] <= start <= pieces[-1][1]:  # from front to back, as nearly always
        return [*pieces[:-1], (pieces[-1][0], max(end, pieces[-1][1]))]
    apart = []
    for piece in pieces:
        if piece[1] < start or end < piece[0]:
            apart.append(piece)
        else:
            start, end = min(start, piece[0]), max(end, piece[1])
    if len(apart) >= MAX_PIECES:
        raise Refused("resume", "it comes in too many pieces")
    return sorted([*apart, (start, end)])


def _refusal(error: OSError) -> Refused:
    if error.errno in FULL:
        return Refused("disk_full", "no space left on the collector; try again later")
    return Refused("io_error", f"the collector could not store the file: {error.strerror}")
