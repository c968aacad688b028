# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What earlier runs of a tenant left: from when to read on, and what is to be looked at again. It may be lost.

Small files beside those that remember scopes. Without them all incidents of the lookback are read.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from ..._core.coverage import memory_path
from ..._core.memory import About, load, save
from ..._core.one_run import locked

ABOUT = About("what earlier runs did", "MemoryUnusable", "all incidents of the lookback are read again")
RUNS, TICKETS = "incident_sync.runs", "incident_sync.tickets"
# All of the lookback is read so often, whatever the cursor says: a ticket may have gone.
FULL_EVERY = 3600.0


class Known(NamedTuple):
    """Seconds since the epoch. good: the last run that did all; cursor: the newest change it saw; full: the last run
    that read all; again: incidents of which nobody could tell what to do.
    """

    good: float = 0.0
    cursor: float = 0.0
    full: float = 0.0
    again: tuple[str, ...] = ()

    def since(self, now: float, lookback: float, overlap: float) -> float:
        """From when changes are to be read."""
        if now - self.full >= FULL_EVERY or self.cursor > now:
            return now - lookback
        return max(now - lookback, self.cursor - overlap)


def alone(evidence: str) -> AbstractContextManager[None]:
    """One run of a tenant at a time, where evidence is kept. Raises RefusedError while another one is under way."""
    path = memory_path(evidence, RUNS)
    return locked(path.with_suffix(".lock")) if path else nullcontext()


class Memory:
    """kept: whether there is a place for it; writes: whether this run may change it."""

    def __init__(self, evidence: str, *, writes: bool) -> None:
        self.path = memory_path(evidence, RUNS)
        self.tickets = memory_path(evidence, TICKETS)
        self.writes = writes
        self.kept = self.path is not None
        self.known = load(self.path, _known, ABOUT) if self.path else Known()

    def keep(self, known: Known) -> None:
        """Raises OnboardingError."""
        self.known = known
        if self.path and self.writes:
            save(self.path, known._asdict(), ABOUT)

    def forget(self, *, tickets: bool) -> None:
        """The tenant has left; tickets: none is open any more of which nothing else may know."""
        for path in (self.path, self.tickets if tickets else None):
            if path and self.writes:
                path.unlink(missing_ok=True)


def _known(held: dict[str, Any]) -> Known:
    good, cursor, full = (float(held.get(name, 0.0)) for name in ("good", "cursor", "full"))
    return Known(good, cursor, full, tuple(map(str, held.get("again", ()))))
