# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line at the bottom of a terminal that never mixes with what Ansible prints.

Everything that Ansible prints in this process goes through Display.display, so this is wrapped while there is a line.
All drawing holds Display's own lock. Ansible holds that lock, too, while it forks a worker (ansible-core 2.18 and
2.19, WorkerProcess.start), so no worker is born while another thread is in the middle of a write.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TextIO

ERASE = b"\r\x1b[K"
# A terminal that cannot erase, and ansible-runner, which records its pseudo-terminal as lines of events.
NOT_FOR = {"TERM": ("dumb", ""), "AWX_ISOLATED_DATA_DIR": None, "RUNNER_OMIT_EVENTS": None}


# Stdout callbacks whose output is read by machines: what is for people goes to stderr.
MACHINES = ("json", "jsonl")


def for_machines(stdout_callback: str) -> bool:
    """Whether what this callback prints has to stay alone on stdout."""
    return stdout_callback.rpartition(".")[2] in MACHINES


def can_redraw(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a line can be drawn over."""
    refused = any(
        name in environment and (values is None or environment[name] in values) for name, values in NOT_FOR.items()
    )
    return stream.isatty() and not refused


class Screen:
    """The bottom line of the terminal behind C(stream). Only the process that made it draws."""

    def __init__(self, display: Any, stream: TextIO) -> None:
        self.lock = display._lock
        self._display, self._stream = display, stream
        self._print = display.display
        self._pid = os.getpid()
        self._drawn = ""
        self._whole_line = True  # what was printed last ended with a newline
        display.display = self._show

    def _show(self, msg: str, *args: Any, **kwargs: Any) -> None:
        if os.getpid() != self._pid:  # a worker: Display hands this to the parent
            self._print(msg, *args, **kwargs)
            return
        with self.lock:
            self.draw("")
            self._print(msg, *args, **kwargs)
            if not kwargs.get("log_only"):
                self._whole_line = bool(kwargs.get("newline", True)) or msg.endswith("\n")

    def draw(self, text: str) -> None:
        """Show this text instead of the one before; "" shows none. Not while another line is unfinished."""
        with self.lock:
            if text == self._drawn or (text and not self._whole_line):
                return
            self._drawn = text
            with suppress(OSError):  # the terminal has gone; Ansible will notice
                self._stream.flush()
                os.write(self._stream.fileno(), ERASE + text.encode(errors="replace"))

    def close(self) -> None:
        """Leave the terminal and Display as they were."""
        with self.lock:
            self.draw("")
            if self._display.__dict__.get("display") == self._show:
                del self._display.display
