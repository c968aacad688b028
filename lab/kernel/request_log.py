# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients asked of the lab: counts, the last requests, and how many were in flight at once."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Any

KEPT = 20_000


class RequestLog:
    def __init__(self) -> None:
        self.in_flight = 0
        self.clear()

    def clear(self) -> None:
        self.started = time.time()
        self.counts: Counter[tuple[str, str, int]] = Counter()  # (kind, method, status)
        self.last: deque[tuple[float, str, str, str, int, str, float, int]] = deque(maxlen=KEPT)
        self.max_in_flight = self.in_flight

    def enter(self) -> None:
        self.in_flight += 1
        if self.in_flight > self.max_in_flight:
            self.max_in_flight = self.in_flight

    def leave(self, kind: str, method: str, path: str, status: int, tenant: str, start: float, auxiliary: int) -> None:
        """`status` 0: the connection was dropped. `auxiliary`: number of auxiliary tokens.

        A request that came before the log was cleared, such as one whose client had given up, is none of this log's.
        """
        self.in_flight -= 1
        if start < self.started:
            return
        self.counts[kind, method, status] += 1
        now = time.time()
        self.last.append((now, kind, method, path, status, tenant, now - start, auxiliary))

    def summary(self, last: int = 0) -> dict[str, Any]:
        """Counts since the last reset; `last` requests, oldest first, with times in seconds since the epoch."""
        names = ("at", "kind", "method", "path", "status", "tenant", "seconds", "auxiliary")
        kinds: Counter[str] = Counter()
        for (kind, _method, _status), count in self.counts.items():
            kinds[kind] += count
        return {
            "since": self.started,
            "total": sum(self.counts.values()),
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "by_kind": dict(sorted(kinds.items())),
            "counts": [
                {"kind": kind, "method": method, "status": status, "count": count}
                for (kind, method, status), count in sorted(self.counts.items())
            ],
            "last": [dict(zip(names, item, strict=True)) for item in list(self.last)[-last:]] if last else [],
        }
