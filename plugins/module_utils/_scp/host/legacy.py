# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiving end of the legacy SCP protocol, as C(scp -t) speaks it, for one directory without sub-directories.

The protocol has no specification; this follows what OpenSSH's scp sends with C(-O) (scp.1, and the source of its sink).
A refusal is «warning» (1): the sender gives up this file, goes on with the next, and ends with an exit status of 1.
"""

from __future__ import annotations

import re

from .channel import Channel, Gone
from .drop import Drop, Incoming
from .rules import Refused, shown

OK, WARNING, FATAL = b"\0", b"\1", b"\2"
MAX_LINE = 4096
BLOCK = 256 * 1024
MAX_REFUSALS = 100
FILE = re.compile(rb"C([0-7]{4}) (0|[1-9][0-9]{0,17}) (.*)", re.DOTALL)
TIMES = re.compile(rb"T\d{1,20} \d{1,9} \d{1,20} \d{1,9}")


class Sink:
    """One C(scp -t). target: the name that the path at the end of the command gives the file, None for a directory."""

    def __init__(self, channel: Channel, drop: Drop, target: str | None) -> None:
        self._channel, self._drop, self._target = channel, drop, target
        self.refusals = 0

    def run(self) -> int:
        """Take files until the sender ends; the exit status."""
        self._channel.put(OK)
        while self.refusals < MAX_REFUSALS:
            try:
                line = self._channel.line(MAX_LINE)
            except ValueError:
                return self._end(Refused("protocol", "a record is too long"))
            if line is None:
                break
            if line[:1] in (WARNING, FATAL):
                self._drop.record("told", True, name="", reason=shown(line[1:]))  # the sender has an error of its own
                self.refusals += 1
                continue
            try:
                self._record(line)
            except Refused as refusal:
                self._drop.refused(shown(line), refusal)
                self._say(WARNING, refusal)
            except Fatal as fatal:
                return self._end(fatal.refusal, line)
        return 1 if self.refusals else 0

    def _say(self, code: bytes, refusal: Refused) -> None:
        self.refusals += 1
        self._channel.put(code + b"scp: " + refusal.text.encode() + b"\n")

    def _end(self, refusal: Refused, line: bytes = b"") -> int:
        self._drop.refused(shown(line), refusal)
        self._say(FATAL, refusal)
        return 1

    def _record(self, line: bytes) -> None:
        if found := FILE.fullmatch(line):
            mode, size, name = found.groups()
            self._file(int(mode, 8), int(size), name)
        elif TIMES.fullmatch(line):
            self._channel.put(OK)
        elif line[:1] == b"D":
            raise Refused("directory", "directories are not taken")
        else:
            raise Fatal(Refused("protocol", "this is not the SCP protocol"))

    def _file(self, mode: int, size: int, raw: bytes) -> None:
        name = self._drop.paths.check(raw)
        incoming = self._drop.receive(self._target or name, size)
        try:
            self._channel.put(OK)
            refusal = self._data(incoming, size)
            status = self._channel.exactly(1)
            if status != OK:
                text = self._channel.line(MAX_LINE) or b""
                raise Gone(f"the sender could not read it: {shown(text)}")
            if refusal:
                raise refusal
            incoming.deliver(**({"mode_ignored": f"{mode:04o}"} if mode & ~0o777 else {}))
        except (Gone, ValueError) as gone:
            incoming.cut(str(gone))
            raise Gone(str(gone)) from gone
        except BaseException:  # SystemExit of a signal, too
            incoming.discard()
            raise
        self._channel.put(OK)

    def _data(self, incoming: Incoming, size: int) -> Refused | None:
        """Take the bytes; after an error the rest is read all the same, since the protocol knows no other way."""
        done, refusal = 0, None
        while done < size:
            block = self._channel.some(min(BLOCK, size - done))
            if refusal is None:
                try:
                    incoming.write(done, block)
                except Refused as found:
                    refusal = found
            done += len(block)
        return refusal


class Fatal(Exception):
    """After this the two sides do not understand each other."""

    def __init__(self, refusal: Refused) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal
