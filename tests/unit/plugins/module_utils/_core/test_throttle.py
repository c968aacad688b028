"""Token buckets and the interleaving of work over them, on a clock that does not tick by itself."""

from __future__ import annotations

import asyncio
import time

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import throttle
from ansible_collections.mssp.onboarding.plugins.module_utils._core.throttle import Buckets, TokenBucket, interleave


class Clock:
    """Seconds that pass only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Everybody who is ready goes first, as on a clock of its own."""
        self.slept.append(seconds)
        until = self.now + max(seconds, 1e-9)  # a wait too short for a float would never end
        for _turn in range(5):
            await SLEEP(0)
        self.now = max(self.now, until)


SLEEP = asyncio.sleep


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Also for asyncio's sleep; and no more workers for how slow this machine is."""
    one = Clock()
    monkeypatch.setattr(asyncio, "sleep", one.sleep)
    monkeypatch.setattr(throttle, "DOUBLE_SECONDS", 3600.0)
    return one


def test_a_full_bucket_gives_its_capacity_and_then_the_refill(clock: Clock) -> None:
    bucket = TokenBucket(3, 2.0, clock)
    for _ in range(3):
        assert bucket.wait() == 0.0
        bucket.take()
    assert bucket.wait() == pytest.approx(0.5)
    clock.now += 0.5
    assert bucket.wait() == 0.0


def test_it_never_holds_more_than_its_capacity(clock: Clock) -> None:
    bucket = TokenBucket(3, 2.0, clock)
    clock.now += 1000
    for _ in range(3):
        bucket.wait()
        bucket.take()
    assert bucket.wait() > 0


def test_what_the_vendor_says_replaces_what_was_believed(clock: Clock) -> None:
    bucket = TokenBucket(250, 25.0, clock)
    bucket.take()
    bucket.done(remaining=0)
    assert bucket.wait() == pytest.approx(0.04)


def test_requests_in_flight_are_not_in_the_vendors_number_yet(clock: Clock) -> None:
    bucket = TokenBucket(250, 25.0, clock)
    for _ in range(5):
        bucket.take()
    bucket.done(remaining=4)
    assert bucket.wait() > 0


def test_an_answer_without_the_header_changes_nothing(clock: Clock) -> None:
    bucket = TokenBucket(2, 1.0, clock)
    bucket.take()
    bucket.done(None)
    assert bucket.wait() == 0.0
    assert bucket.in_flight == 0


def test_closed_for_as_long_as_the_vendor_says(clock: Clock) -> None:
    bucket = TokenBucket(250, 25.0, clock)
    bucket.close(17)
    assert bucket.wait() == pytest.approx(17)
    clock.now += 17
    assert bucket.wait() == 0.0


def test_a_closed_bucket_does_not_open_with_a_burst(clock: Clock) -> None:
    bucket = TokenBucket(250, 25.0, clock)
    bucket.close(0.01)
    clock.now += 0.01
    bucket.wait()
    bucket.take()
    assert bucket.wait() > 0


def run(
    clock: Clock, items: list[tuple[str, int]], limits: tuple[float, float], concurrency: int
) -> tuple[list[int], int, float]:
    """(order of starts, most in flight, seconds waited)."""

    async def go() -> tuple[list[int], int, float]:
        buckets = Buckets({"reads": limits}, clock)
        order: list[int] = []
        flying = most = 0

        async def handle(item: int) -> None:
            nonlocal flying, most
            scope = next(scope for scope, number in items if number == item)
            bucket = buckets.get(scope, "reads")
            await buckets.acquire(bucket)
            order.append(item)
            flying += 1
            most = max(most, flying)
            await asyncio.sleep(0)
            flying -= 1
            bucket.done()

        await interleave(items, "reads", buckets, handle, concurrency)
        return order, most, buckets.throttled_seconds

    return asyncio.run(go())


def test_work_is_spread_over_the_scopes(clock: Clock) -> None:
    items = [("a", 1), ("a", 2), ("a", 3), ("b", 4), ("b", 5), ("c", 6)]
    order, _most, _waited = run(clock, items, (100, 100), 1)
    assert order == [1, 4, 6, 2, 5, 3]


def test_an_empty_bucket_holds_up_nobody_else(clock: Clock) -> None:
    items = [("a", n) for n in range(3)] + [("b", 10)]
    order, _most, _waited = run(clock, items, (1, 50.0), 4)
    assert order[:2] == [0, 10]
    assert sorted(order) == [0, 1, 2, 10]


def test_no_more_in_flight_than_allowed_and_nothing_twice(clock: Clock) -> None:
    items = [(str(n % 7), n) for n in range(70)]
    order, most, waited = run(clock, items, (1000, 1000), 5)
    assert sorted(order) == list(range(70))
    assert most == 5
    assert waited == 0.0


@pytest.mark.parametrize(("items", "most"), [(1, 1), (10, 1), (11, 2), (20, 2), (21, 3), (400, 40), (2000, 128)])
def test_little_work_is_done_by_few(clock: Clock, items: int, most: int) -> None:
    """Each worker costs a connection."""
    order, at_once, _waited = run(clock, [("a", n) for n in range(items)], (9999, 9999), 128)
    assert len(order) == items
    assert at_once == most


def workers(limits: tuple[float, float], enough: int, seconds: float) -> int:
    """How many workers there are when there are enough, or after so many seconds; nothing is ever answered."""

    async def go() -> int:
        buckets = Buckets({"reads": limits})

        async def hang(item: int) -> None:
            await buckets.acquire(buckets.get("a", "reads"))
            await asyncio.Event().wait()

        mine = asyncio.all_tasks()
        work = asyncio.create_task(interleave([("a", n) for n in range(40)], "reads", buckets, hang, 16))
        until = time.monotonic() + seconds
        while (number := len(asyncio.all_tasks() - mine) - 1) < enough and time.monotonic() < until:
            await asyncio.wait([work], timeout=0.01)
        work.cancel()
        return number

    return asyncio.run(go())


def test_slow_answers_are_waited_for_by_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that hangs takes the time of one time-out, not of one for each item of a worker."""
    monkeypatch.setattr(throttle, "DOUBLE_SECONDS", 0.01)
    assert workers((99, 99), enough=16, seconds=30.0) == 16


def test_an_empty_bucket_is_waited_for_by_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker opens a connection, which does not fill a bucket."""
    monkeypatch.setattr(throttle, "DOUBLE_SECONDS", 0.01)
    assert workers((2, 1e-6), enough=5, seconds=0.5) == 4


def test_waiting_is_counted(clock: Clock) -> None:
    _order, _most, waited = run(clock, [("a", n) for n in range(4)], (1, 100.0), 2)
    assert waited == pytest.approx(0.03)


def test_a_token_wakes_one_of_those_who_wait(clock: Clock) -> None:
    async def go() -> float:
        buckets = Buckets({"reads": (1, 10.0)}, clock)
        bucket = buckets.get("a", "reads")
        await asyncio.gather(*[buckets.acquire(bucket) for _waiter in range(50)])
        return buckets.throttled_seconds

    assert asyncio.run(go()) == pytest.approx(4.9)
    assert len(clock.slept) <= 2 * 49, "not once per waiter; twice where a float falls short"


def test_an_error_of_the_handler_is_not_lost() -> None:
    async def boom(item: int) -> None:
        raise RuntimeError("boom")

    with pytest.raises(ExceptionGroup):
        asyncio.run(interleave([("a", 1)], "reads", Buckets({"reads": (9, 9)}), boom, 2))
