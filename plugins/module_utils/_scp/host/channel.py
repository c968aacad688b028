# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two pipes that sshd gives us, with a limit on silence."""

from __future__ import annotations

import os
import select

BLOCK = 256 * 1024


class Gone(Exception):
    """The sender went away, or said nothing for too long."""


class Channel:
    """Exact reads and whole writes. idle: seconds without a byte after which the sender counts as gone."""

    def __init__(self, source: int, sink: int, idle: float) -> None:
        self._source, self._sink, self._idle = source, sink, idle
        self._buffer = b""

    def _more(self) -> bool:
        """Wait for bytes; False at the end of the input."""
        if not select.select([self._source], [], [], self._idle)[0]:
            raise Gone(f"no byte for {self._idle:g} seconds")
        block = os.read(self._source, BLOCK)
        self._buffer += block
        return bool(block)

    def ready(self, seconds: float) -> bool:
        """Whether something is there to be read, or is within so many seconds."""
        return bool(self._buffer) or bool(select.select([self._source], [], [], max(0.0, seconds))[0])

    def some(self, most: int) -> bytes:
        """At least one byte and at most C(most); raises Gone at the end of the input."""
        if not self._buffer and not self._more():
            raise Gone("the connection ended")
        taken, self._buffer = self._buffer[:most], self._buffer[most:]
        return taken

    def exactly(self, number: int) -> bytes:
        parts = []
        while number:
            parts.append(self.some(number))
            number -= len(parts[-1])
        return b"".join(parts)

    def line(self, most: int) -> bytes | None:
        """One line without its end; None at the end of the input. Raises Gone for half a line and ValueError for one
        that is longer than C(most)."""
        while b"\n" not in self._buffer[: most + 1]:
            if len(self._buffer) > most:
                raise ValueError("line too long")
            if not self._more():
                if self._buffer:
                    raise Gone("the connection ended in a line")
                return None
        found, _end, self._buffer = self._buffer.partition(b"\n")
        return found

    def put(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._sink, view) :]
        except BrokenPipeError:
            raise Gone("the sender does not listen any more") from None
