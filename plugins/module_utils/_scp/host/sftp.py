# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An SFTP server (version 3, draft-ietf-secsh-filexfer-02) to which files can be written, and nothing else.

It serves no file system: a path is a label, every directory that may be named is the same one, and what can be seen
in it is what this session has delivered. A file whose handle is closed is whole, safe, and counts as taken; it appears
when the sender has renamed it, and otherwise some seconds later or at the end of the session. Where its name says that
it will be renamed (WinSCP's .filepart and the like) it waits for that, or for the end.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from .channel import Channel, Gone
from .drop import Drop, Incoming
from .rules import Refused, shown, temporary

VERSION = 3
MAX_PACKET = 256 * 1024 + 1024  # what OpenSSH's server takes, and some room for the header
MAX_HANDLES = 64
MAX_REFUSALS = 100
MAX_SHOWN = 500  # of what was delivered in this session
HOLD_SECONDS = 10.0  # a closed file waits so long for another name
FOR_EVER = float("inf")

INIT, VERSION_REPLY = 1, 2
OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, SETSTAT, FSETSTAT, OPENDIR, READDIR = range(3, 13)
REMOVE, MKDIR, RMDIR, REALPATH, STAT, RENAME, READLINK, SYMLINK = range(13, 21)
EXTENDED = 200
STATUS, HANDLE, _DATA, NAME, ATTRS = range(101, 106)
DONE, END, NO_SUCH_FILE, DENIED, FAILURE = range(5)
UNSUPPORTED = 8

FOR_WRITING, APPENDING = 0x02, 0x04
HAS_SIZE, HAS_OWNER, HAS_MODE, HAS_TIMES = 1, 2, 4, 8
FOLDER_MODE, PLAIN_MODE = 0o040700, 0o100640
EXPAND = b"expand-path@openssh.com"  # OpenSSH's PROTOCOL file, 4.6: what a client asks for «~»
CODES = {"path": DENIED, "dotfile": DENIED, "name": DENIED, "pattern": DENIED, "read": DENIED, "link": DENIED}


class Packet:
    """Reads the fields of one request; raises struct.error where it is too short."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self, form: str = ">I") -> int:
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return int(value)

    def text(self) -> bytes:
        length = self.number()
        if length > len(self._data) - self._at:
            raise struct.error("a string is longer than its packet")
        self._at += length
        return self._data[self._at - length : self._at]

    def wanted_size(self) -> int | None:
        """The size of an ATTRS structure, None where it has none."""
        return self.number(">Q") if self.number() & HAS_SIZE else None


@dataclass
class Handle:
    """An open file, or an open directory (incoming is None)."""

    incoming: Incoming | None = None
    listed: bool = False
    broken: Refused | None = None


class Delivered(NamedTuple):
    """Of a file that has appeared."""

    length: int
    digest: str


@dataclass
class Closed:
    """A file that the sender has closed. until: when it is delivered under the name that it has."""

    incoming: Incoming
    until: float


def _string(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


def _attributes(mode: int, size: int) -> bytes:
    now = int(time.time())
    return struct.pack(">IQIII", HAS_SIZE | HAS_MODE | HAS_TIMES, size, mode, now, now)


class Server:
    """One SFTP session."""

    def __init__(self, channel: Channel, drop: Drop) -> None:
        self._channel, self._drop, self._paths = channel, drop, drop.paths
        self._handles: dict[bytes, Handle] = {}
        self._waiting: dict[str, Closed] = {}
        self._delivered: dict[str, Delivered] = {}
        self._serial = 0
        self.refusals = 0

    def run(self) -> int:
        """Answer until the client ends; the exit status."""
        try:
            while self.refusals < MAX_REFUSALS and (request := self._next()) is not None:
                self._answer(request)
            return 0
        except (struct.error, ValueError):
            self._drop.refused("", Refused("protocol", "this is not the SFTP protocol"))
            return 1
        finally:
            self._finish()

    def _next(self) -> Packet | None:
        self._deliver_due(time.monotonic())
        while (due := min((file.until for file in self._waiting.values()), default=FOR_EVER)) < FOR_EVER:
            if self._channel.ready(due - time.monotonic()):
                break
            self._deliver_due(time.monotonic())
        try:
            length = struct.unpack(">I", self._channel.exactly(4))[0]
        except Gone:
            return None
        if not 1 <= length <= MAX_PACKET:
            raise ValueError("packet too long")
        try:
            return Packet(self._channel.exactly(length))
        except Gone:
            return None

    def _finish(self) -> None:
        """Files still open were cut; those that only wait for a new name are whole."""
        for handle in self._handles.values():
            if handle.incoming and not handle.broken:
                handle.incoming.cut("the session ended before the file was closed")
        for name, file in self._waiting.items():
            with suppress(Refused):
                self._collected(name, file.incoming)
                self._deliver(file.incoming)
        self._handles, self._waiting = {}, {}

    def _collected(self, name: str, incoming: Incoming) -> None:
        """A temporary name that was never changed may not be one that is collected. Raises Refused."""
        try:
            self._paths.check(name.encode())
        except Refused as refusal:
            incoming.discard()
            raise self._refuse(b"never renamed: " + name.encode(), refusal) from None

    def _deliver_due(self, now: float) -> None:
        """The sender has its answer: one that cannot appear now is recorded, and tried again by the next session."""
        for name in [name for name, file in self._waiting.items() if file.until <= now and not temporary(name)]:
            incoming = self._waiting.pop(name).incoming
            with suppress(Refused):
                self._deliver(incoming)

    def _answer(self, packet: Packet) -> None:
        kind = packet.number(">B")
        if kind == INIT:
            self._send(struct.pack(">BI", VERSION_REPLY, VERSION) + _string(EXPAND) + _string(b"1"))
            return
        identifier = packet.number()
        try:
            reply = REQUESTS[kind](self, packet) if kind in REQUESTS else _status(UNSUPPORTED, "not supported here")
        except Refused as refusal:
            reply = _status(CODES.get(refusal.code, FAILURE), refusal.text)
        self._send(reply[:1] + struct.pack(">I", identifier) + reply[1:])

    def _send(self, reply: bytes) -> None:
        self._channel.put(struct.pack(">I", len(reply)) + reply)

    def _refuse(self, what: bytes, refusal: Refused) -> Refused:
        self.refusals += 1
        self._drop.refused(shown(what), refusal)
        return refusal

    def _name(self, raw: bytes, purpose: str) -> str:
        """The name of a file that may be written; raises Refused, and keeps a record of that."""
        try:
            name = self._paths.name_in(raw, final=False)
            if name is None:
                raise Refused("directory", "this is the directory itself")
            return name
        except Refused as refusal:
            raise self._refuse(purpose.encode() + b" " + raw, refusal) from None

    # Requests. Each takes the rest of its packet and gives a reply without length and identifier.

    def open(self, packet: Packet) -> bytes:
        raw, flags = packet.text(), packet.number()
        if not flags & FOR_WRITING or flags & APPENDING:
            raise self._refuse(b"open " + raw, Refused("read", "files can only be written here, each from its start"))
        name = self._name(raw, "open")
        self._deliver_due(FOR_EVER if len(self._waiting) >= MAX_HANDLES else time.monotonic())
        if len(self._handles) >= MAX_HANDLES or len(self._waiting) >= MAX_HANDLES:
            raise self._refuse(b"open " + raw, Refused("limit", "too many open files"))
        if name in self._waiting:
            self._again(self._waiting.pop(name).incoming)
        try:
            incoming = self._drop.receive(name, None)
        except Refused as refusal:
            raise self._refuse(b"open " + raw, refusal) from None
        return self._new_handle(Handle(incoming))

    def _again(self, incoming: Incoming) -> None:
        """The same name again: what was closed under it was a try if the name is temporary, and else a file."""
        if temporary(incoming.name):
            incoming.discard()
        else:
            self._deliver(incoming)

    def _new_handle(self, handle: Handle) -> bytes:
        self._serial += 1
        key = b"%d" % self._serial
        self._handles[key] = handle
        return bytes([HANDLE]) + _string(key)

    def _handle(self, packet: Packet) -> tuple[bytes, Handle]:
        key = packet.text()
        if key not in self._handles:
            raise Refused("handle", "no such handle")
        return key, self._handles[key]

    def write(self, packet: Packet) -> bytes:
        _key, handle = self._handle(packet)
        offset, data = packet.number(">Q"), packet.text()
        if handle.incoming is None:
            raise Refused("handle", "this is a directory")
        if handle.broken is None:
            try:
                handle.incoming.write(offset, data)
            except Refused as refusal:
                handle.incoming.discard()  # first: on a full disk the record of it needs the room
                handle.broken = self._refuse(handle.incoming.name.encode(), refusal)
        if handle.broken:
            raise handle.broken
        return _status(DONE)

    def close(self, packet: Packet) -> bytes:
        key, handle = self._handle(packet)
        del self._handles[key]
        if handle.broken:
            raise handle.broken
        if handle.incoming is None:
            return _status(DONE)
        incoming, waits = handle.incoming, temporary(handle.incoming.name)
        try:
            incoming.settle()
            if not waits:
                incoming.keep()
        except Refused as refusal:
            incoming.discard()
            raise self._refuse(incoming.name.encode(), refusal) from None
        if incoming.name in self._waiting:  # two handles of one name
            self._again(self._waiting.pop(incoming.name).incoming)
        self._waiting[incoming.name] = Closed(incoming, FOR_EVER if waits else time.monotonic() + HOLD_SECONDS)
        return _status(DONE)

    def _deliver(self, incoming: Incoming) -> None:
        try:
            incoming.deliver()
        except Refused as refusal:
            raise self._refuse(incoming.name.encode(), refusal) from None
        self._delivered[incoming.name] = Delivered(incoming.length, incoming.digest)
        if len(self._delivered) > MAX_SHOWN:
            del self._delivered[next(iter(self._delivered))]

    def rename(self, packet: Packet) -> bytes:
        before, after = packet.text(), packet.text()
        old, new = self._name(before, "rename"), self._name(after, "rename to")
        if old in self._waiting:
            file = self._waiting.pop(old)
            if new in self._waiting:
                self._again(self._waiting.pop(new).incoming)
            file.incoming.name = new
            if temporary(new):
                self._waiting[new] = file
            else:
                self._deliver(file.incoming)
        elif old in self._delivered:
            # Too late for another name on the collector; for the sender it has it, and does not come again.
            self._delivered[new] = self._delivered.pop(old)
            self._drop.renamed(old, new, self._delivered[new].digest)
        else:
            return _status(NO_SUCH_FILE, "no such file")
        return _status(DONE)

    def remove(self, packet: Packet) -> bytes:
        name = self._name(packet.text(), "remove")
        if name in self._waiting and temporary(name):
            self._waiting.pop(name).incoming.discard()
            return _status(DONE)
        there = name in self._waiting or name in self._delivered
        return _status(DENIED if there else NO_SUCH_FILE, "nothing can be removed here")

    def stat(self, packet: Packet) -> bytes:
        raw = packet.text()
        try:
            if self._paths.is_directory(raw):
                return bytes([ATTRS]) + _attributes(FOLDER_MODE, 0)
            name = self._paths.name_in(raw, final=False) or ""
        except Refused as refusal:
            if refusal.code == "path":  # out of the directory, which somebody may want to know
                raise self._refuse(b"stat " + raw, refusal) from None
            return _status(NO_SUCH_FILE, "no such file")  # clients look before they write
        size = self._size(name)
        return _status(NO_SUCH_FILE, "no such file") if size is None else self._plain(size)

    def fstat(self, packet: Packet) -> bytes:
        _key, handle = self._handle(packet)
        if handle.incoming is None:
            return bytes([ATTRS]) + _attributes(FOLDER_MODE, 0)
        return self._plain(handle.incoming.length)

    @staticmethod
    def _plain(size: int) -> bytes:
        return bytes([ATTRS]) + _attributes(PLAIN_MODE, size)

    def setstat(self, packet: Packet) -> bytes:
        """Modes, owners and times are ours to set: taken as done, since clients that ask for them expect that."""
        name = self._name(packet.text(), "setstat")
        size = self._size(name)
        return _status(NO_SUCH_FILE, "no such file") if size is None else self._same_size(packet, size)

    def fsetstat(self, packet: Packet) -> bytes:
        _key, handle = self._handle(packet)
        return self._same_size(packet, handle.incoming.length if handle.incoming else 0)

    @staticmethod
    def _same_size(packet: Packet, size: int) -> bytes:
        """OpenSSH's scp cuts each file to the size that it has written."""
        if packet.wanted_size() in (None, size):
            return _status(DONE)
        return _status(UNSUPPORTED, "sizes cannot be set here")

    def _size(self, name: str) -> int | None:
        return self._files().get(name)

    def _files(self) -> dict[str, int]:
        """What the sender sees: the sizes of what it has closed, by name."""
        delivered = {name: found.length for name, found in self._delivered.items()}
        return {**delivered, **{name: file.incoming.length for name, file in self._waiting.items()}}

    def opendir(self, packet: Packet) -> bytes:
        raw = packet.text()
        try:
            found = self._paths.is_directory(raw)
        except Refused as refusal:
            raise self._refuse(b"opendir " + raw, refusal) from None
        if not found:
            raise self._refuse(b"opendir " + raw, Refused("path", "there is no such directory here"))
        return self._new_handle(Handle())

    def readdir(self, packet: Packet) -> bytes:
        _key, handle = self._handle(packet)
        files = self._files()
        if handle.listed or handle.incoming is not None or not files:
            return _status(END, "no more names")
        handle.listed = True
        entries = [
            _string(name.encode())
            + _string(f"-rw-r-----    1 0 0 {size} {name}".encode())
            + _attributes(PLAIN_MODE, size)
            for name, size in files.items()
        ]
        return struct.pack(">BI", NAME, len(entries)) + b"".join(entries)

    def realpath(self, packet: Packet) -> bytes:
        raw = packet.text()
        try:
            path = self._paths.canonical(raw)
        except Refused as refusal:
            raise self._refuse(b"realpath " + raw, refusal) from None
        return struct.pack(">BI", NAME, 1) + _string(path) + _string(path) + _attributes(FOLDER_MODE, 0)

    def extended(self, packet: Packet) -> bytes:
        return self.realpath(packet) if packet.text() == EXPAND else _status(UNSUPPORTED, "not supported here")

    def mkdir(self, packet: Packet) -> bytes:
        raw = packet.text()
        if self._paths.is_directory(raw):
            return _status(FAILURE, "it exists")
        raise self._refuse(b"mkdir " + raw, Refused("directory", "no directories can be made here"))

    def link(self, packet: Packet) -> bytes:
        raise self._refuse(b"link " + packet.text(), Refused("link", "there are no links here"))

    def read(self, packet: Packet) -> bytes:
        raise self._refuse(b"read", Refused("read", "nothing can be fetched from this account"))


def _status(code: int, text: str = "") -> bytes:
    return struct.pack(">BI", STATUS, code) + _string(text.encode()) + _string(b"en")


REQUESTS: dict[int, Callable[[Server, Packet], bytes]] = {
    OPEN: Server.open,
    CLOSE: Server.close,
    READ: Server.read,
    WRITE: Server.write,
    LSTAT: Server.stat,
    STAT: Server.stat,
    FSTAT: Server.fstat,
    SETSTAT: Server.setstat,
    FSETSTAT: Server.fsetstat,
    OPENDIR: Server.opendir,
    READDIR: Server.readdir,
    REMOVE: Server.remove,
    MKDIR: Server.mkdir,
    RMDIR: Server.mkdir,
    REALPATH: Server.realpath,
    RENAME: Server.rename,
    READLINK: Server.link,
    SYMLINK: Server.link,
    EXTENDED: Server.extended,
}
