# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pacing: token buckets as vendors publish them, and work interleaved over them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class TokenBucket:
    """The vendor's bucket as this client believes it to be.

    capacity: tokens when full; refill: tokens per second. The clock gives seconds.
    """

    def __init__(self, capacity: float, refill: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = capacity
        self._refill = refill
        self._clock = clock
        self._tokens = capacity
        self._at = clock()
        self._closed_until = 0.0
        self.in_flight = 0
        # Whoever waits for the next token holds it, so that a token wakes one of those who wait and not all of them.
        self.turn = asyncio.Lock()

    def wait(self) -> float:
        """Seconds until a request may start; 0.0 when it may start now."""
        now = self._clock()
        self._tokens = min(self._capacity, self._tokens + (now - self._at) * self._refill)
        self._at = now
        missing = (1.0 - self._tokens) / self._refill if self._tokens < 1.0 else 0.0
        return max(missing, self._closed_until - now, 0.0)

    def take(self) -> None:
        """Count a request as started."""
        self._tokens -= 1.0
        self.in_flight += 1

    def done(self, remaining: float | None = None) -> None:
        """Count a request as answered; what the vendor says remains replaces what we believed.

        Requests still in flight may not be in the vendor's number yet, so they are taken off it.
        """
        self.in_flight -= 1
        if remaining is not None:
            self._tokens = min(self._capacity, remaining - self.in_flight)
            self._at = self._clock()

    def close(self, seconds: float) -> None:
        """The vendor said: not before this many seconds."""
        self._tokens = min(self._tokens, 1.0)
        self._closed_until = max(self._closed_until, self._clock() + seconds)


class Buckets:
    """Buckets by key, made on first use from a table of (capacity, refill per second) by operation."""

    def __init__(self, limits: dict[str, tuple[float, float]], clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._buckets: dict[tuple[Hashable, str], TokenBucket] = {}
        self.throttled_seconds = 0.0

    def get(self, scope: Hashable, operation: str) -> TokenBucket:
        bucket = self._buckets.get((scope, operation))
        if bucket is None:
            bucket = self._buckets[scope, operation] = TokenBucket(*self._limits[operation], self._clock)
        return bucket

    async def acquire(self, bucket: TokenBucket) -> None:
        """Wait for the bucket and take from it; does not suspend when the bucket is ready."""
        async with bucket.turn:
            while (wait := bucket.wait()) > 0.0:
                await self.pause(wait)
            bucket.take()

    async def pause(self, seconds: float) -> None:
        self.throttled_seconds += seconds
        await asyncio.sleep(seconds)


# A worker opens a connection, which takes two round trips and most of a small tenant's CPU: it has to be worth that.
ITEMS_PER_WORKER = 10
# While all of them are busy after so long there are twice as many: the answers are slow, or do not come.
DOUBLE_SECONDS = 0.5


class _Queues(Generic[Item]):
    """Items by scope, handed out round-robin over the scopes whose bucket is ready."""

    def __init__(self, items: Iterable[tuple[str, Item]], operation: str, buckets: Buckets) -> None:
        scopes: dict[str, deque[Item]] = {}
        for scope, item in items:
            scopes.setdefault(scope, deque()).append(item)
        self._ring = deque((buckets.get(scope, operation), queue) for scope, queue in scopes.items())
        self._buckets = buckets
        self._lock = asyncio.Lock()
        self.size = sum(map(len, scopes.values()))

    def __bool__(self) -> bool:
        """Whether any item is left to hand out."""
        return bool(self._ring)

    @property
    def awaited(self) -> bool:
        """Whether a worker waits for a bucket: more workers would only wait with it."""
        return self._lock.locked()

    async def next(self) -> Item | None:
        """The next item whose bucket is ready, after waiting for one; None when all are handed out."""
        async with self._lock:
            while self._ring:
                soonest = float("inf")
                for _turn in range(len(self._ring)):
                    bucket, queue = self._ring[0]
                    self._ring.rotate(-1)
                    wait = bucket.wait()
                    if wait <= 0.0:
                        item = queue.popleft()
                        if not queue:
                            self._ring.pop()
                        return item
                    soonest = min(soonest, wait)
                await self._buckets.pause(soonest)
            return None


async def interleave(
    items: Iterable[tuple[str, Item]],
    operation: str,
    buckets: Buckets,
    handle: Callable[[Item], Awaitable[None]],
    concurrency: int,
) -> None:
    """Handle every (scope, item), fairly over the scopes, at most C(concurrency) at a time and fewer where few will do.

    C(handle) must take from its scope's bucket before it first suspends, so that no other item takes the place.
    """
    queues = _Queues(items, operation, buckets)

    async def worker() -> None:
        while (item := await queues.next()) is not None:
            await handle(item)

    most = min(concurrency, queues.size)
    workers: list[asyncio.Task[None]] = []
    async with asyncio.TaskGroup() as group:
        wanted = min(most, -(-queues.size // ITEMS_PER_WORKER))
        while queues and len(workers) < most:
            workers += [group.create_task(worker()) for _worker in range(wanted - len(workers))]
            await asyncio.wait(workers, timeout=DOUBLE_SECONDS)
            if not queues.awaited:
                wanted = min(most, 2 * wanted)
