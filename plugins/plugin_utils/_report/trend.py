# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The trend over the last runs as a stacked bar chart: geometry only, the template draws it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import IN_SYNC
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.coverage import Share
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.states import STATUSES
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.model import Point

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 10, 44
MAX_BAR = 44
LABEL_ROOM = 84  # of one date on the axis
# Where more are in sync than this many times those that are not, the rest would be a line.
IN_SYNC_HIDES = 3


@dataclass(frozen=True)
class Box:
    status: str
    x: float
    y: float
    width: float
    height: float
    said: str


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """boxes: bars from the left, each from below; drawn: the statuses in it, from below."""

    boxes: list[Box]
    ticks: list[Tick]
    labels: list[Tick]
    drawn: list[str]
    in_sync_left_out: bool
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    floor: int = HEIGHT - BOTTOM


def chart(points: Sequence[Point]) -> Chart | None:
    """None with fewer than two runs."""
    if len(points) < 2:
        return None
    rest = max(sum(n for status, n in point.tenants.items() if status != IN_SYNC) for point in points)
    in_sync = max(point.tenants.get(IN_SYNC, 0) for point in points)
    left_out = 0 < rest * IN_SYNC_HIDES < in_sync
    # The worst lies on the floor, where heights can be compared.
    order = [s for s in reversed(STATUSES) if any(p.tenants.get(s) for p in points) and not (left_out and s == IN_SYNC)]
    top = nice(max(sum(point.tenants.get(status, 0) for status in order) for point in points))
    scale = (HEIGHT - TOP - BOTTOM) / top
    step = (WIDTH - LEFT - RIGHT) / len(points)
    thick = min(MAX_BAR, step * 0.72)
    boxes = []
    for number, point in enumerate(points):
        base = float(HEIGHT - BOTTOM)
        for status in order:
            tenants = point.tenants.get(status, 0)
            height = tenants * scale
            base -= height
            if tenants:
                x = LEFT + step * (number + 0.5) - thick / 2
                said = f"{point.run.playbook}, {_clock(point)}: {tenants:,} {status.replace('_', ' ')}"
                boxes.append(Box(status, round(x, 1), round(base, 1), round(thick, 1), round(height, 1), said))
    parts = 4 if top % 4 == 0 else 2 if top % 2 == 0 else 1
    ticks = [
        Tick(round(HEIGHT - BOTTOM - top * n / parts * scale, 1), f"{top * n // parts:,}") for n in range(parts + 1)
    ]
    every = max(1, round(LABEL_ROOM / step + 0.49))
    labels = [
        Tick(round(LEFT + step * (number + 0.5), 1), _clock(point))
        for number, point in enumerate(points)
        if (len(points) - 1 - number) % every == 0
    ]
    return Chart(boxes, ticks, labels, order, left_out)


@dataclass(frozen=True)
class Curve:
    """A line from 0 at the floor to 100 % at the top. points: as SVG has them; first, last: in words."""

    points: str
    first: str
    last: str
    width: int = WIDTH
    height: int = 60


def curve(shares: Sequence[Share]) -> Curve | None:
    """None with fewer than two runs of which the share is known."""
    known = [(number, one.percent) for number, one in enumerate(shares) if one.percent is not None]
    if len(known) < 2:
        return None
    step, floor, top = WIDTH / max(1, len(shares) - 1), 56, 4
    points = [f"{number * step:.1f},{floor - (floor - top) * percent / 100:.1f}" for number, percent in known]
    return Curve(" ".join(points), f"{known[0][1]} %", f"{known[-1][1]} %")


def nice(number: int) -> int:
    """The next number that divides well into an axis."""
    size = 1
    while True:
        for step in (1, 2, 4, 6, 8):
            if step * size >= number:
                return step * size
        size *= 10


def _clock(point: Point) -> str:
    return f"{datetime.fromtimestamp(point.run.at, UTC):%d %b %H:%M}"
