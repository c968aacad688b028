# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live progress from a worker to the process that runs Ansible: a pipe of JSON lines.

Ansible forks its workers and detaches them from the terminal, but leaves other file descriptors open (ansible-core
2.18 and 2.19, executor/process/worker.py), so a pipe made before the fork reaches every worker. The environment
names it (C(MSSP_PROGRESS_CHANNEL), descriptor:inode); a module that runs as a process of its own finds that the
descriptor is closed or something else, and stays silent.

Telling never blocks and never raises: a line that finds the pipe full or gone is dropped. The task's result, not
this channel, says what was done.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

CHANNEL_VARIABLE = "MSSP_PROGRESS_CHANNEL"
PIPE_BYTES = 1 << 20  # what an unprivileged process may ask for on Linux (pipe(7), pipe-max-size)
# A write of at most PIPE_BUF (4,096 on Linux) bytes is never mixed with another's. These are at most 3,600 of UTF-8,
# as clean() leaves nothing that JSON spells out.
TEXT_CHARACTERS = 600
NAME_CHARACTERS = 100
FAILURES_TOLD = 5  # per tenant; the closing table and the evidence have all


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one tenant is with one capability; counts are totals so far, C(total) is 0 while it is unknown."""

    tenant: str
    capability: str
    phase: str = ""
    total: int = 0
    done: int = 0
    planned: int = 0  # writes that the plan asks for
    changed: int = 0
    failed: int = 0
    throttled_seconds: float = 0.0
    failure: str = ""  # one line to show at once


def clean(text: str, limit: int) -> str:
    """One printable line of at most C(limit) characters; what a vendor sends must not steer a terminal."""
    line = " ".join(text.split())
    line = line if line.isprintable() else "".join(char if char.isprintable() else "?" for char in line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


class Sender:
    """The worker's end, found by what the environment says."""

    def __init__(self) -> None:
        self._named: str | None = None
        self._descriptor: int | None = None

    def descriptor(self) -> int | None:
        """The pipe's descriptor, or None where this process has none."""
        named = os.environ.get(CHANNEL_VARIABLE)
        if named != self._named:
            self._named, self._descriptor = named, _inherited(named or "")
        return self._descriptor

    def __call__(self, progress: Progress) -> None:
        """Send, or drop."""
        descriptor = self.descriptor()
        if descriptor is None:
            return
        with suppress(OSError):
            os.write(descriptor, encode(progress))


def _inherited(named: str) -> int | None:
    """A descriptor that is still the pipe it was: its number may have been given to another file since."""
    number, _colon, inode = named.partition(":")
    try:
        status = os.fstat(int(number))
        return int(number) if stat.S_ISFIFO(status.st_mode) and status.st_ino == int(inode) else None
    except (OSError, ValueError, OverflowError):
        return None


emit = Sender()


def encode(progress: Progress) -> bytes:
    """One line; fields as in Progress, in their order."""
    values = [
        clean(progress.tenant, NAME_CHARACTERS),
        clean(progress.capability, NAME_CHARACTERS),
        clean(progress.phase, NAME_CHARACTERS),
        int(progress.total),
        int(progress.done),
        int(progress.planned),
        int(progress.changed),
        int(progress.failed),
        round(float(progress.throttled_seconds), 1),
        clean(progress.failure, TEXT_CHARACTERS),
    ]
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def decode(line: bytes) -> Progress | None:
    """None for what is not a line of ours."""
    try:
        tenant, capability, phase, total, done, planned, changed, failed, throttled, failure = json.loads(line)
        return Progress(
            str(tenant),
            str(capability),
            str(phase),
            int(total),
            int(done),
            int(planned),
            int(changed),
            int(failed),
            float(throttled),
            str(failure),
        )
    except (ValueError, TypeError):
        return None


class Channel:
    """The parent's end. Make it before any worker is forked."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        for descriptor in (self._reader, self._writer):
            os.set_blocking(descriptor, False)
        with suppress(OSError, AttributeError):  # AttributeError: not on Linux
            fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._rest = b""
        os.environ[CHANNEL_VARIABLE] = f"{self._writer}:{os.fstat(self._writer).st_ino}"

    def read(self) -> list[Progress]:
        """What has come since the last call; at once, also when that is nothing."""
        chunks = [self._rest]
        while chunk := self._chunk():
            chunks.append(chunk)
        *lines, self._rest = b"".join(chunks).split(b"\n")
        return [progress for line in lines if (progress := decode(line)) is not None]

    def _chunk(self) -> bytes:
        try:
            return os.read(self._reader, PIPE_BYTES)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        """Workers that still run find the reader gone, and go on."""
        os.environ.pop(CHANNEL_VARIABLE, None)
        os.close(self._writer)
        os.close(self._reader)


class Reporter:
    """What an engine tells while it works on one tenant.

    C(update) may be called per target: a line leaves at most every C(every) seconds and whenever the phase changes.
    C(failure) leaves at once; the same text once, and at most FAILURES_TOLD of them. The caller has taken secrets out.
    """

    def __init__(
        self,
        tenant: str,
        capability: str,
        send: Callable[[Progress], None] = emit,
        clock: Callable[[], float] = time.monotonic,
        every: float = 0.2,
    ) -> None:
        self._names = (tenant, capability)
        self._send, self._clock, self._every = send, clock, every
        self._next = float("-inf")
        self._state: dict[str, Any] = {}
        self._told: set[str] = set()

    def update(
        self,
        *,
        phase: str | None = None,
        total: int | None = None,
        done: int | None = None,
        planned: int | None = None,
        changed: int | None = None,
        failed: int | None = None,
        throttled_seconds: float | None = None,
    ) -> None:
        """Totals so far; what is not given stays as it was."""
        given = {
            "phase": phase,
            "total": total,
            "done": done,
            "planned": planned,
            "changed": changed,
            "failed": failed,
            "throttled_seconds": throttled_seconds,
        }
        new_phase = phase is not None and phase != self._state.get("phase")
        self._state.update((name, value) for name, value in given.items() if value is not None)
        now = self._clock()
        if now >= self._next or new_phase:
            self._next = now + self._every
            self._send(Progress(*self._names, **self._state))

    def failure(self, text: str) -> None:
        """A line that a person should see now."""
        if text in self._told or len(self._told) > FAILURES_TOLD:
            return
        self._told.add(text)
        if len(self._told) > FAILURES_TOLD:
            text = "more failures; all of them are in the evidence"
        self._send(Progress(*self._names, **self._state, failure=text))
