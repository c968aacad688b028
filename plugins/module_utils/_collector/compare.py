# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was sent beside what was stored: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

RANGES_SHOWN = 20


class Seen(NamedTuple):
    """One record in the store, in the order of the store.

    at: when its sender wrote it; seen: when the collector took it, or the latest time at which it can have been
    stored. Both are seconds since the epoch, each by the clock of its own host.
    """

    number: int
    at: float
    seen: float
    whole: bool


def compare(sent: int, found: Iterable[Seen]) -> dict[str, Any]:
    """Records 0 to sent-1 against what is found.

    stored: numbers found at least once; lost: numbers never found; duplicated: copies beyond the first; reordered:
    first copies that stand behind a higher number; truncated: stored numbers without one copy that is as it was sent.
    seconds_to_first and seconds_to_last: from the sending of the first record found to the arrival of the first and the
    last; p50 and p95 are over the stored numbers, each from its own sending. Seconds are None when nothing is stored.
    """
    first: dict[int, Seen] = {}
    whole: set[int] = set()
    copies = reordered = 0
    highest = -1
    for record in found:
        if not 0 <= record.number < sent:
            continue
        copies += 1
        if record.whole:
            whole.add(record.number)
        known = first.get(record.number)
        if known is None:
            reordered += record.number < highest
            highest = max(highest, record.number)
            first[record.number] = record
        elif record.seen < known.seen:
            first[record.number] = record
    return {
        "sent": sent,
        "stored": len(first),
        "lost": sent - len(first),
        "duplicated": copies - len(first),
        "reordered": reordered,
        "truncated": len(first) - len(whole),
        "lost_numbers": ranges(number for number in range(sent) if number not in first),
        **seconds(list(first.values())),
    }


def seconds(stored: Sequence[Seen]) -> dict[str, float | None]:
    if not stored:
        return dict.fromkeys(("seconds_to_first", "seconds_to_last", "seconds_p50", "seconds_p95"))
    start = min(record.at for record in stored)
    each = sorted(record.seen - record.at for record in stored)
    return {
        "seconds_to_first": round(min(record.seen for record in stored) - start, 3),
        "seconds_to_last": round(max(record.seen for record in stored) - start, 3),
        "seconds_p50": round(percentile(each, 50), 3),
        "seconds_p95": round(percentile(each, 95), 3),
    }


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile of values in order."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def ranges(numbers: Iterable[int]) -> list[str]:
    """Ascending numbers as C(["3-7", "12"]), at most RANGES_SHOWN of them and then an ellipsis."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        elif len(runs) > RANGES_SHOWN:
            break
        else:
            runs.append([number, number])
    text = [str(low) if low == high else f"{low}-{high}" for low, high in runs[:RANGES_SHOWN]]
    return [*text, "…"] if len(runs) > RANGES_SHOWN else text
