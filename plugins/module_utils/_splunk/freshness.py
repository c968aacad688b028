# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether alerts leave, by what Splunk's own log says of its webhooks.

A webhook that failed is not sent again, and nothing but that log tells of it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from .._core.bodies import text
from .._core.client import documented
from .._core.errors import OnboardingError
from .._core.freshness import ABSENT, FLOWING, QUIET, STALE, UNREADABLE, Flow
from . import api
from .client import Splunk
from .options import Setup
from .plan import WEBHOOK, Search, Wanted, place

SENT = "webhooks of this Splunk"
STEPS = {
    ABSENT: "run the onboard playbook: the search has not our webhook",
    STALE: "have its owner see to the search: run drift, which says what keeps it from running",
}
FAILED_STEP = "run preflight; then see the line in splunkd.log: a URL that is not allowed, or a receiver that refuses"
SHOWN = 200


async def flows(client: Splunk, setup: Setup) -> list[Flow]:
    """A flow for each search that is wanted, and one for all failures."""
    try:
        found = await api.searches(client)
        await api.readable(client, setup.window)
        runs = await api.rows(client, api.RUNS, setup.window)
        failures = await api.rows(client, api.FAILURES, setup.window)
        with documented("search splunkd.log"):
            newest = {text(one["alert"]): (float(one["newest"]), int(one["runs"])) for one in runs}
            sent = [flow(one, found, newest, setup.url) for one in setup.targets]
            return [*sent, *failed(failures, newest, time.time())]
    except OnboardingError as error:
        return [Flow(one.name, UNREADABLE, error=error) for one in setup.targets]


def flow(wanted: Wanted, found: Sequence[Search], newest: Mapping[str, tuple[float, int]], url: str) -> Flow:
    """Of one search: that it ran, or why it may be silent. Pure."""
    held = [one for one in found if one.name == wanted.name and wanted.app in ("", one.app)]
    ours = [one for one in held if WEBHOOK in one.actions and place(one.url) == place(url)]
    when, runs = newest.get(wanted.name, (None, 0))
    if not ours:
        return Flow(wanted.name, ABSENT, when, runs, next_step=STEPS[ABSENT])
    one = ours[0]
    if one.disabled or one.orphaned or not one.scheduled:
        return Flow(wanted.name, STALE, when, runs, message="it never runs", next_step=STEPS[STALE])
    if when is None:
        return Flow(wanted.name, QUIET, None, 0, message="it has not fired in the window, as an alert may")
    return Flow(wanted.name, FLOWING, when, runs)


def failed(rows: Sequence[Mapping[str, Any]], newest: Mapping[str, tuple[float, int]], now: float) -> list[Flow]:
    """What splunkd.log says of webhooks that did not get out; none where none failed. Pure."""
    lost = [one for one in rows if int(one.get("runs") or 0)]
    if not lost:
        return []
    number, line = int(lost[0]["runs"]), text(lost[0].get("text") or "")[:SHOWN]
    when = max((when for when, _runs in newest.values()), default=None)
    message = f"{number} failed and were not sent again; the last one: {line}"
    return [Flow(SENT, STALE, when, number, code="undelivered", message=message, next_step=FAILED_STEP)]
