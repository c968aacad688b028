# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session at a command line: runs scripts, within limits, and ends at the first thing that is not expected."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from .._core.errors import InternalError, NoAnswerError
from .dialogue import MOST_STEPS, PAGER, Line, Screen, Script, Unexpected, clean, screen_of, unchanged_by_others

T = TypeVar("T")
OPERATION = "go on in the command line"


class Terminal(Protocol):
    """A shell of the other side."""

    def send(self, text: str) -> None:
        """Raises OnboardingError where it is gone."""

    def receive(self, seconds: float) -> str | None:
        """What came within the seconds, None for nothing. Raises NoAnswerError where it is closed."""

    def close(self) -> None: ...


class Limits(NamedTuple):
    """Seconds for a screen, for the rest of one that seems whole, and for a session; characters of a screen."""

    screen: float = 60.0
    settle: float = 0.15
    session: float = 900.0
    characters: int = 16 * 1024 * 1024


class Session:
    """One session, which begins at the first prompt. It is closed by the first error, and may commit once."""

    def __init__(self, terminal: Terminal, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._terminal, self._limits, self._clock = terminal, limits, clock
        self._end = clock() + limits.session
        self.committing = False
        self._guarded(lambda: self._screen(Line("")))

    def run(self, script: Script[T]) -> T:
        """The script's result. Raises OnboardingError, after which the session is over."""
        return self._guarded(lambda: self._run(script))

    def close(self) -> None:
        self._terminal.close()

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except BaseException:
            self.close()
            raise

    def _run(self, script: Script[T]) -> T:
        try:
            line = next(script)
            for _step in range(MOST_STEPS):
                self._send(line)
                line = script.send(self._screen(line))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        raise Unexpected(OPERATION, f"no end after {MOST_STEPS} answers", code="TooLong")

    def _send(self, line: Line) -> None:
        if line.commits is not line.text.strip().lower().startswith("commit") or (line.commits and self.committing):
            raise InternalError(OPERATION, "a line that commits was not meant to")
        self.committing = self.committing or line.commits
        self._terminal.send(line.text + "\n")

    def _screen(self, sent: Line) -> Screen:
        """All until something waits for us, pages turned."""
        text, end = "", min(self._clock() + self._limits.screen, self._end)
        found: Screen | None = None
        while True:
            wait = self._limits.settle if found else max(0.0, end - self._clock())
            more = self._terminal.receive(wait)
            if more is None and found:
                unchanged = found._replace(text=_without_echo(found.text, sent))
                unchanged_by_others(unchanged)
                return unchanged
            text += clean(more or "")
            if len(text) > self._limits.characters:
                raise Unexpected(OPERATION, f"more than {self._limits.characters} characters", code="TooLong")
            if self._clock() >= end:
                shown = Screen(text[-1000:], "").shown()
                raise NoAnswerError(OPERATION, f"nothing that can be answered came in time: {shown}", code="NoPrompt")
            text, turned = PAGER.subn("", text)
            if turned:
                self._terminal.send(" ")
            found = screen_of(text)


def _without_echo(text: str, sent: Line) -> str:
    for line in sent.text.split("\n"):
        first, rest = text.lstrip("\n"), text
        if line and first.startswith(line):
            rest = first[len(line) :]
        text = rest
    return text
