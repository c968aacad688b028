"""What was sent beside what is stored."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mssp.onboarding.plugins.module_utils._collector.compare import (
    RANGES_SHOWN,
    Seen,
    compare,
    percentile,
    ranges,
)


def seen(number: int, *, at: float | None = None, after: float = 1.0, whole: bool = True) -> Seen:
    start = float(number) if at is None else at
    return Seen(number, start, start + after, whole)


def test_all_is_well() -> None:
    found = compare(3, [seen(0), seen(1), seen(2, after=0.5)])
    assert {key: found[key] for key in ("sent", "stored", "lost", "duplicated", "reordered", "truncated")} == {
        "sent": 3,
        "stored": 3,
        "lost": 0,
        "duplicated": 0,
        "reordered": 0,
        "truncated": 0,
    }
    assert found["lost_numbers"] == []
    assert (found["seconds_to_first"], found["seconds_to_last"]) == (1.0, 2.5)
    assert (found["seconds_p50"], found["seconds_p95"]) == (1.0, 1.0)


def test_nothing_stored_has_no_seconds() -> None:
    found = compare(2, [])
    assert (found["lost"], found["lost_numbers"]) == (2, ["0-1"])
    assert {found[key] for key in found if key.startswith("seconds")} == {None}


def test_a_number_that_was_not_sent_does_not_make_up_for_one_that_was() -> None:
    assert compare(2, [seen(0), seen(5)])["lost"] == 1


def test_a_later_whole_copy_makes_a_record_whole() -> None:
    assert compare(1, [seen(0, whole=False)])["truncated"] == 1
    assert compare(1, [seen(0, whole=False), seen(0)])["truncated"] == 0


def test_the_earliest_copy_tells_when_a_record_came() -> None:
    assert compare(1, [seen(0, after=9.0), seen(0, after=2.0)])["seconds_to_first"] == 2.0


def test_only_first_copies_count_as_reordered() -> None:
    order = [seen(0), seen(2), seen(1), seen(3), seen(0)]
    found = compare(4, order)
    assert (found["reordered"], found["duplicated"]) == (1, 1)


@given(
    sent=st.integers(1, 60),
    lost=st.sets(st.integers(0, 59)),
    copied=st.lists(st.integers(0, 59), max_size=20),
    seed=st.integers(),
)
def test_every_record_is_accounted_for(sent: int, lost: set[int], copied: list[int], seed: int) -> None:
    kept = [number for number in range(sent) if number not in lost]
    copies = [number for number in copied if number in kept]
    stored = [seen(number) for number in kept + copies]
    random.Random(seed).shuffle(stored)
    found = compare(sent, stored)
    assert (found["stored"], found["lost"], found["duplicated"]) == (len(kept), sent - len(kept), len(copies))
    named = [low + step for text in found["lost_numbers"] if text != "…" for low, step in _steps(text)]
    if "…" not in found["lost_numbers"]:
        assert named == [number for number in range(sent) if number in lost]


def _steps(text: str) -> list[tuple[int, int]]:
    low, _dash, high = text.partition("-")
    return [(int(low), step) for step in range(int(high or low) - int(low) + 1)]


@given(st.permutations(range(8)))
def test_reordered_is_nothing_exactly_when_the_order_is_kept(order: list[int]) -> None:
    assert (compare(8, [seen(number) for number in order])["reordered"] == 0) == (order == sorted(order))


@given(st.lists(st.floats(0, 100), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_value_with_that_share_at_or_below(values: list[float], percent: int) -> None:
    ordered = sorted(values)
    found = percentile(ordered, percent)
    assert found in ordered
    assert sum(value <= found for value in ordered) * 100 >= percent * len(ordered)


@pytest.mark.parametrize(
    ("numbers", "text"), [([], []), ([4], ["4"]), ([1, 2, 3], ["1-3"]), ([0, 1, 5, 7, 8], ["0-1", "5", "7-8"])]
)
def test_ranges(numbers: list[int], text: list[str]) -> None:
    assert ranges(numbers) == text


def test_ranges_are_bounded() -> None:
    shown = ranges(range(0, 1000, 2))
    assert len(shown) == RANGES_SHOWN + 1
    assert shown[-1] == "…"
