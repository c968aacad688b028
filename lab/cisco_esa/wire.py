# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command line as a terminal sees it: echo, CRLF, and pages that wait for a key. No I/O."""

from __future__ import annotations

from lab.cisco_esa.cli import Cli, Cut

MORE = "-Press Any Key For More-"


class Wire:
    """The bytes of one session, as text."""

    def __init__(self, cli: Cli) -> None:
        self._run, self._pager, self._hang = cli.run(), cli.quirks.pager, cli.quirks.hang
        self._line, self._rest = "", ""
        self.closed = False

    def start(self) -> str:
        return self._paged(next(self._run))

    def typed(self, text: str) -> str:
        """What comes back for what is typed; C(closed) at the end of the session."""
        shown = ""
        for sign in text.replace("\r\n", "\n").replace("\r", "\n"):
            if self.closed:
                break
            if self._rest:
                shown += "\r" + " " * len(MORE) + "\r" + self._paged(self._rest)
            elif sign == "\n":
                line, self._line = self._line, ""
                shown += "\r\n" + self._answered(line)
            else:
                self._line += sign
                shown += sign
        return shown

    def _answered(self, line: str) -> str:
        if self._hang and line.strip() == self._hang:
            return ""
        try:
            return self._paged(self._run.send(line))
        except (Cut, StopIteration):
            self.closed = True
            return ""

    def _paged(self, text: str) -> str:
        lines, self._rest = text.split("\n"), ""
        if self._pager and len(lines) > self._pager:
            lines, rest = lines[: self._pager], lines[self._pager :]
            self._rest = "\n".join(rest)
            return "\r\n".join(lines) + "\r\n" + MORE
        return "\r\n".join(lines)
