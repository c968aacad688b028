# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ARM's published token buckets and Resource Graph's quota.

Numbers: learn.microsoft.com request-limits-and-throttling, governance/resource-graph/concepts/guidance-for-throttled.
Left out: the global limit of a subscription over all principals (15 times one principal's), and limits of resource
providers, for which no numbers are published.
"""

from __future__ import annotations

import math
import time

OPERATION = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}  # everything else is "writes"
BUCKETS = {"reads": (250, 25.0), "writes": (200, 10.0), "deletes": (200, 10.0)}  # capacity, refill per second
GRAPH_QUERIES, GRAPH_WINDOW = 15, 5.0


class Throttle:
    """Buckets by key, made when first used."""

    def __init__(self) -> None:
        self.enabled = True
        self._buckets: dict[tuple[str, str, str], list[float]] = {}  # key -> [tokens, monotonic time of them]
        self._windows: dict[str, list[float]] = {}  # principal -> [queries used, monotonic start of the window]

    def clear(self) -> None:
        self._buckets.clear()
        self._windows.clear()

    def take(self, scope: str, oid: str, operation: str) -> tuple[int, int]:
        """(tokens left, 0), or (0, seconds to wait) when the bucket is empty."""
        capacity, refill = BUCKETS[operation]
        now = time.monotonic()
        bucket = self._buckets.get((scope, oid, operation))
        if bucket is None:
            bucket = self._buckets[scope, oid, operation] = [float(capacity), now]
        tokens = min(capacity, bucket[0] + (now - bucket[1]) * refill)
        bucket[1] = now
        if tokens < 1 and self.enabled:
            bucket[0] = tokens
            return 0, max(1, math.ceil((1 - tokens) / refill))
        bucket[0] = max(0.0, tokens - 1)
        return int(bucket[0]), 0

    def drain(self, scope: str, operation: str) -> None:
        """Empty every principal's bucket of a scope, for tests."""
        for (held, _oid, op), bucket in self._buckets.items():
            if held == scope and op == operation:
                bucket[0], bucket[1] = 0.0, time.monotonic()

    def graph(self, oid: str) -> tuple[int, float]:
        """(queries left in this window or -1, seconds until the next window)."""
        now = time.monotonic()
        window = self._windows.setdefault(oid, [0.0, now])
        if now - window[1] >= GRAPH_WINDOW:
            window[0], window[1] = 0.0, now
        resets = GRAPH_WINDOW - (now - window[1])
        if window[0] >= GRAPH_QUERIES and self.enabled:
            return -1, resets
        window[0] += 1
        return max(0, GRAPH_QUERIES - int(window[0])), resets
