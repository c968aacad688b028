# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all receivers share: judging a request and recording it.

A receiver refuses what the real one refuses and says why, without ever saying a secret.
"""

from __future__ import annotations

import re
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, ClassVar

from lab.kernel.http import Call, Reply, dumps

KEPT = 2_000  # requests
_WIDEST = 400  # characters of a line
LONGEST = 256 * 1024  # bytes of a body that are kept
_ANSWER = re.compile(r"|timeout|drop|redirect|[2-5]\d\d")
_SILENT = {"timeout": "told to answer nothing", "drop": "told to cut the connection"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why` is for people, and has no secret in it. `events` are what would be stored, also of a refused request."""

    reply: Reply
    accepted: bool
    why: str
    events: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Record:
    """A request as it came, secrets included, and what became of it. `status` 0: not answered."""

    number: int
    at: float  # real seconds
    peer: str  # address of the sender
    receiver: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str
    status: int
    accepted: bool
    why: str
    events: list[Any]

    def line(self) -> str:
        """One line for a log: no query, header or body, and nothing that a terminal would obey."""
        when = time.strftime("%H:%M:%S", time.localtime(self.at))
        what = "accepted" if self.accepted else "refused"
        asked = f"{self.method} {self.path} {self.status or '---'}"
        line = f"{when} {self.receiver:<8} {self.peer} {asked} {what}: {self.why}"
        return "".join(char if char.isprintable() else "?" for char in line)[:_WIDEST]


class Receiver:
    """One kind of receiver. Subclasses have a name, a path, options with their defaults, and `judge`.

    Options that all have: `answer` replaces the answer to every request: a status such as 401 or 500, `timeout` (none
    until the client gives up), `drop` (the connection is cut), `redirect` (302); empty for its own judgement.
    """

    name: ClassVar[str] = ""
    path: ClassVar[str] = ""
    needs: ClassVar[str] = ""  # what a sender must be told, in words
    defaults: ClassVar[dict[str, Any]] = {}

    def __init__(self, **secrets: Any) -> None:
        self.secrets = secrets
        self.reset()

    def reset(self) -> None:
        self.options: dict[str, Any] = {"answer": "", **self.defaults}
        self.records: deque[Record] = deque(maxlen=KEPT)
        self._count = 0

    def change(self, values: dict[str, Any]) -> None:
        """Set options and secrets. Raises ValueError for one that does not exist or does not take the value."""
        for name, value in values.items():
            if name in self.options:
                wrong = type(value) is not bool if isinstance(self.options[name], bool) else False
                if wrong or (name == "answer" and not _ANSWER.fullmatch(str(value))):
                    raise ValueError(f"the option '{name}' of the receiver '{self.name}' takes no {value!r}")
                self.options[name] = value
            elif name in self.secrets:
                self.secrets[name] = value
            else:
                raise ValueError(f"the receiver '{self.name}' has no option '{name}'")

    def judge(self, call: Call) -> Verdict:
        raise NotImplementedError

    def _verdict(self, call: Call) -> Verdict:
        forced = str(self.options["answer"])
        if not forced:
            return self.judge(call)
        if forced in _SILENT:
            return Verdict(Reply(0), False, _SILENT[forced])
        if forced == "redirect":
            call.extra["Location"] = f"{self.path}/moved"
            return Verdict(Reply(302), False, "told to answer with a redirect")
        return Verdict(Reply(int(forced), dumps({"error": "The receiver was told to answer this."})), False,
                       f"told to answer {forced}")  # fmt: skip

    def _record(self, call: Call, peer: str, verdict: Verdict) -> Record:
        self._count += 1
        made = Record(
            self._count,
            time.time(),
            peer,
            self.name,
            call.method,
            call.path,
            call.query_string,
            dict(call.headers),
            call.body[:LONGEST].decode("utf-8", "backslashreplace"),
            verdict.reply.status,
            verdict.accepted,
            verdict.why,
            verdict.events,
        )
        self.records.append(made)
        return made

    def receive(self, call: Call, peer: str = "") -> tuple[Reply, Record]:
        """Judge and record; a reply of status 0 is none."""
        verdict = self._verdict(call)
        return verdict.reply, self._record(call, peer, verdict)


def scheme_of(header: str) -> tuple[str, str]:
    """(scheme, rest) of an Authorization header; the scheme is empty where the word may be a part of a secret."""
    scheme, _, rest = header.strip().partition(" ")
    return scheme if rest and scheme.isalpha() and len(scheme) < 10 else "", rest.strip() or scheme
