# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether messages arrive in one Event Hub, by its own metric."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..._core.client import ODD_SHAPE
from ..._core.errors import OnboardingError, malformed
from ..._core.freshness import (
    ABSENT,
    STALE,
    UNREADABLE,
    WAITING_FOR_DATA,
    Flow,
    Limits,
    daily,
    judge,
    weighed,
)
from .api import SETTLED, EventHubs
from .metrics import FINE, Span, points
from .options import Setup
from .preflight import entra_of

UNSETTLED_STEP = "see the namespace in the Azure portal; where Azure gave up making it, remove it and run onboard again"
NEXT_STEPS = {
    ABSENT: "run the onboard playbook: the hub is not there",
    WAITING_FOR_DATA: "wait: data comes within 90 minutes of a new diagnostic setting",
    STALE: "see whether a diagnostic setting still sends to the hub: run the drift playbook, and look at what "
    "other settings name its rule",
}


async def flow(hubs: EventHubs, setup: Setup) -> Flow:
    """The flow of the hub; what cannot be read is its error."""
    source = f"event hub {hubs.wanted.namespace}/{hubs.wanted.hub}"
    now = time.time()
    try:
        namespace = await hubs.namespace()
        if namespace is not None and namespace.state.casefold() != SETTLED:
            return unsettled(source, namespace.state, _made(namespace.raw), now, setup.watch.limits)
        there = (await hubs.hubs()).get(hubs.wanted.hub.casefold()) if namespace else None
        if there is None:
            return _told(source, ABSENT, None, None)
        window = setup.watch.window.total_seconds()
        near = await points(hubs, now, FINE)
        hours = await points(hubs, now, Span("PT1H", window))
        made = _made(there.raw)
    except OnboardingError as error:
        return Flow(source, UNREADABLE, error=error)
    newest = max((when for when, _total in (*near, *hours)), default=None)
    state = judge(configured=True, newest=newest, changed=made, now=now, limits=setup.watch.limits)
    found = _told(source, state, newest, sum(total for _when, total in hours))
    return weighed(found, daily(hours, now, now - window))


def unsettled(source: str, state: str, made: float | None, now: float, limits: Limits) -> Flow:
    """A namespace that Azure has not made yet, or never will: it is waited for as long as for data. Pure."""
    if made is not None and now - made <= limits.grace:
        return _told(source, WAITING_FOR_DATA, None, None)
    text = f"the namespace is {state or 'of no state'}, and takes no messages"
    return Flow(source, STALE, None, None, code="unsettled", message=text, next_step=UNSETTLED_STEP)


async def unread(hubs: EventHubs, setup: Setup) -> list[Flow]:
    """A flow for Entra's categories where they cannot be listed: nobody can say then which of them have gone."""
    try:
        await entra_of(hubs, setup.identity).offer(())
    except OnboardingError as error:
        return [Flow(f"Entra categories of tenant {setup.identity.tenant_id}", UNREADABLE, error=error)]
    return []


def _told(source: str, state: str, newest: float | None, records: int | None) -> Flow:
    return Flow(source, state, newest, records, next_step=NEXT_STEPS.get(state, ""))


def _made(raw: Mapping[str, Any]) -> float | None:
    """When a namespace or hub was made, None where Azure does not say. Raises OnboardingError."""
    try:
        said = raw["properties"].get("createdAt")
        return datetime.fromisoformat(said).timestamp() if said else None
    except ODD_SHAPE as error:
        raise malformed(f"read when {raw.get('name')} was made", error) from error
