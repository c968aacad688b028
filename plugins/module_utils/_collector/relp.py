# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sending side of RELP 1.0 (rsyslog.com/doc relp.html): open, syslog, close, each answered by number.

Runs on collectors too: Python 3.9, standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple, Protocol

from .._core.errors import NoAnswerError, RefusedError

WINDOW = 128  # frames without an answer, as librelp's own default
HIGHEST = 999_999_999
MAX_HEADER, MAX_ANSWER = 64, 128 * 1024
OFFERS = b"relp_version=0\nrelp_software=mssp.onboarding\ncommands=syslog"
SPEAK = "speak RELP"


class Socket(Protocol):
    def sendall(self, data: bytes, /) -> None: ...


class Answer(NamedTuple):
    """number: of the command it answers; code: 200 is yes; text: what follows the code."""

    number: int
    command: str
    code: int
    text: str


def frame(number: int, command: str, data: bytes = b"") -> bytes:
    """TXNR SP COMMAND SP DATALEN [SP DATA] LF."""
    head = f"{number} {command} {len(data)}".encode()
    return head + (b" " + data if data else b"") + b"\n"


def read_answer(stream: IO[bytes]) -> Answer:
    """The next frame of the server. Raises NoAnswerError when it is none, and at the end of the connection."""
    head = [_word(stream), _word(stream), _word(stream)]
    if not (head[0].isdigit() and head[2].isdigit()) or int(head[2]) > MAX_ANSWER:
        raise NoAnswerError(SPEAK, f"the answer is no RELP frame: {b' '.join(head)!r}", code="relp_syntax")
    length = int(head[2])
    data = stream.read(length) if length else b""
    if len(data) < length or (length and stream.read(1) != b"\n"):
        raise NoAnswerError(SPEAK, "the answer ends in the middle", code="relp_syntax")
    code, _space, text = data.decode("utf-8", "replace").partition(" ")
    return Answer(int(head[0]), head[1].decode("ascii", "replace"), int(code) if code.isdigit() else 0, text)


def _word(stream: IO[bytes]) -> bytes:
    word = b""
    while len(word) < MAX_HEADER:
        byte = stream.read(1)
        if not byte:
            raise NoAnswerError(SPEAK, "the collector closed the connection", code="relp_closed")
        if byte in (b" ", b"\n"):
            return word
        word += byte
    return word


class Session:
    """One RELP connection over a connected socket and its reading side."""

    def __init__(self, socket: Socket, stream: IO[bytes]) -> None:
        self._socket = socket
        self._stream = stream
        self._number = 0
        self._waiting: set[int] = set()
        self.acknowledged = 0

    def open(self) -> None:
        self._command("open", OFFERS)
        self._take()

    def send(self, messages: Iterable[bytes]) -> Iterator[None]:
        """One frame per message; yields after each. Answers are awaited when WINDOW frames have none."""
        for message in messages:
            self._command("syslog", message)
            while len(self._waiting) >= WINDOW:
                self._acknowledge()
            yield
        while self._waiting:
            self._acknowledge()

    def close(self) -> None:
        self._command("close")
        self._take()

    def _command(self, command: str, data: bytes = b"") -> None:
        self._number = self._number % HIGHEST + 1
        self._waiting.add(self._number)
        self._socket.sendall(frame(self._number, command, data))

    def _acknowledge(self) -> None:
        self._take()
        self.acknowledged += 1

    def _take(self) -> None:
        """One answer. Raises RefusedError where it is not a yes."""
        answer = read_answer(self._stream)
        if answer.command == "serverclose":
            raise NoAnswerError(SPEAK, "the collector closed the session", code="relp_closed")
        if answer.command != "rsp" or answer.number not in self._waiting:
            text = f"an answer to nothing that was sent: {answer.number} {answer.command}"
            raise NoAnswerError(SPEAK, text, code="relp_syntax")
        self._waiting.discard(answer.number)
        # librelp answers close with an empty frame.
        if answer.code not in (0, 200) or (answer.code == 0 and answer.text):
            raise RefusedError(SPEAK, answer.text, code=f"relp_{answer.code}")
