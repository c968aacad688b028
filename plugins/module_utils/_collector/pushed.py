# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify of what pushes to a collector: waits for those that were made to send, and judges each by its newest.

Runs on collectors: Python 3.9, standard library only. Nothing here writes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .._core.errors import InputError
from .._core.freshness import UNREADABLE, Flow, verified

POLL_SECONDS = 0.5
# How far the clocks of the control node and of the collector may be apart.
SKEW_SECONDS = 5.0
PROBE_LOST = "probe_lost"
LOWEST = {"wait_seconds": 0, "stale_minutes": 1}
ROOT_STEP = "let Ansible become root on the collector"

Pushing = Mapping[str, Any]
Newest = Mapping[str, float]
Judge = Callable[[Pushing, "float | None", float, float, float], Flow]


def arrived(
    capability: str,
    params: Mapping[str, Any],
    pushing: Mapping[str, Pushing],
    look: Callable[[], Newest],
    flow: Judge,
) -> dict[str, Any]:
    """The module's result.

    Args:
        pushing: what sends, by its name; C(probed) of it says whether it was made to send since C(since).
        look: the time of the newest of each, by that name; may raise OSError.
        flow: of (one that sends, its newest, since, now, seconds until it is stale).

    Raises:
        InputError: numbers that cannot be right.
    """
    for name, lowest in LOWEST.items():
        if params[name] < lowest:
            raise InputError("read the options", f"{name} is {params[name]}, and must be {lowest} at least")
    since, stale = params["since"] - SKEW_SECONDS, 60.0 * params["stale_minutes"]
    try:
        found = awaited(look, [name for name, one in pushing.items() if one["probed"]], since, params["wait_seconds"])
    except OSError as error:
        text = f"{params['path']}: {error.strerror or error}"
        unreadable = [Flow(name, UNREADABLE, message=text, next_step=ROOT_STEP) for name in pushing]
        return verified(capability, unreadable, time.time())
    now = time.time()
    return verified(capability, [flow(one, found.get(name), since, now, stale) for name, one in pushing.items()], now)


def awaited(look: Callable[[], Newest], probed: Iterable[str], since: float, seconds: float) -> Newest:
    """The newest of each; waits until those that were probed have one since then. Raises OSError as C(look) does."""
    names, end = list(probed), time.monotonic() + seconds
    while True:
        found = look()
        if all(found.get(one, 0.0) >= since for one in names) or time.monotonic() >= end:
            return found
        time.sleep(POLL_SECONDS)
