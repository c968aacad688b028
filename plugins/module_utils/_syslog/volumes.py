# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a source sends, from what verify saw at its looks: a receiver counts, and forgets at a restart. Pure."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from typing import Any

from .._core.freshness import DAY, WEEKS, Volume
from .losses import more

APART_SECONDS = 3600.0
KEPT_SECONDS = DAY * (max(WEEKS) + 1.5)
# [time, records stored since the first look]
Look = list[float]


def looked(before: Mapping[str, Any], now: float, counted: int | None, made: float) -> dict[str, Any]:
    """What is kept of a source after a look, in the place of what was kept before.

    Args:
        counted: the receiver's counter of the source's records, None where there is none. made: when the receiver was
            made or last changed; a source that was known then is as old as it was.
    """
    looks: list[Look] = [[float(at), float(total)] for at, total in before.get("looks") or ()]
    last, total = before.get("counted"), looks[-1][1] if looks else 0.0
    if counted is not None:
        total += 0 if last is None else more(counted, int(last))
        if len(looks) > 1 and looks[-1][0] - looks[-2][0] < APART_SECONDS:
            looks.pop()
        looks.append([now, total])
    kept = [look for look in looks if now - look[0] <= KEPT_SECONDS]
    return {"since": before.get("since") or made, "counted": last if counted is None else counted, "looks": kept}


def volume(looks: Sequence[Look], now: float) -> Volume:
    """Of the last day, and the most of the same days of the weeks before, where the looks reach back so far."""

    def of_day(ends: float) -> int | None:
        first, last = _total(looks, ends - DAY), _total(looks, ends)
        return None if first is None or last is None else round(last - first)

    before = [number for days in WEEKS if (number := of_day(now - days * DAY)) is not None]
    return Volume(of_day(now), max(before, default=0) or None)


def _total(looks: Sequence[Look], at: float) -> float | None:
    """The records until a time: in even steps between two looks, None before the first and after the last."""
    place = bisect(looks, [at, float("inf")])
    if not place:
        return None
    if place == len(looks):
        return looks[-1][1] if looks[-1][0] == at else None
    (start, before), (end, after) = looks[place - 1], looks[place]
    return before + (after - before) * (at - start) / (end - start)
