# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of requests: token buckets and windows, whose numbers the vendors have. One switch turns all of them off."""

from __future__ import annotations

import math
import time
from typing import NamedTuple


class Bucket(NamedTuple):
    """A limit: so many at once, and so many more a second."""

    capacity: int
    refill: float


class Throttle:
    """Buckets and windows by key, made when first used. A bucket's key is (scope, who asks, operation)."""

    def __init__(self) -> None:
        self.enabled = True
        self._buckets: dict[tuple[str, str, str], list[float]] = {}  # key -> [tokens, monotonic time of them]
        self._windows: dict[str, list[float]] = {}  # key -> [requests used, monotonic start of the window]

    def clear(self) -> None:
        self._buckets.clear()
        self._windows.clear()

    def take(self, key: tuple[str, str, str], limit: Bucket) -> tuple[int, int]:
        """(tokens left, 0), or (0, seconds to wait) when the bucket is empty."""
        capacity, refill = limit
        now = time.monotonic()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = [float(capacity), now]
        tokens = min(capacity, bucket[0] + (now - bucket[1]) * refill)
        bucket[1] = now
        if tokens < 1 and self.enabled:
            bucket[0] = tokens
            return 0, max(1, math.ceil((1 - tokens) / refill))
        bucket[0] = max(0.0, tokens - 1)
        return int(bucket[0]), 0

    def drain(self, scope: str, operation: str) -> None:
        """Empty the bucket of everybody who asks something of a scope, for tests."""
        for (held, _who, op), bucket in self._buckets.items():
            if held == scope and op == operation:
                bucket[0], bucket[1] = 0.0, time.monotonic()

    def window(self, key: str, most: int, seconds: float) -> tuple[int, float]:
        """(requests left in this window or -1, seconds until the next window)."""
        now = time.monotonic()
        window = self._windows.setdefault(key, [0.0, now])
        if now - window[1] >= seconds:
            window[0], window[1] = 0.0, now
        resets = seconds - (now - window[1])
        if window[0] >= most and self.enabled:
            return -1, resets
        window[0] += 1
        return max(0, most - int(window[0])), resets
