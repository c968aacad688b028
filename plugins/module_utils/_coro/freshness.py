# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether Coro still sends by each connector.

Coro says so by a status only, and knows neither number nor time of what it sent, so that its word is told as its word.
On request it sends its own test event (Sync) by each connector, whose answer is the most that can be known from here.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from .._core import freshness
from .._core.errors import OnboardingError
from .._core.freshness import ABSENT, STALE, UNREADABLE, Flow, stamp
from . import api
from .api import Workspace
from .client import Call, Coro
from .connectors import CONNECTED, DISCONNECTED, Connector
from .options import Setup
from .profile import TEST_EVENT_FAILED

STATES = {CONNECTED: freshness.CONNECTED, DISCONNECTED: STALE}
# A connector that is still connected although its last delivery was refused.
# assumed: Coro forgets the error with the next delivery that is taken, and takes two hours to disconnect.
REFUSED = "refused"
NEXT_STEPS = {
    REFUSED: "see to the receiver and its token, then run onboard with coro_connectors_update_secret: always, or sync "
    "in Coro's console",
    STALE: "see to the receiver, then run onboard with coro_connectors_reconnect, or sync in Coro's console",
    ABSENT: "run the onboard playbook: nothing sends this workspace's tickets under that name",
    UNREADABLE: "compare the contract profile's statuses with what Coro answers",
}


async def flows_of(coro: Coro, setup: Setup) -> list[Flow]:
    """A flow for each connector of the workspace, and for those that the customers below inherit: C(coro.flows).

    Raises OnboardingError where the workspace itself cannot be read.
    """
    workspace = setup.identity.workspace
    there = await api.connectors(coro, workspace)
    found = coro.flows = flows(workspace, there, setup.names)
    if coro.probes:
        own = {one.id for one in there if not one.inherited}
        found[:] = [await probed(coro, workspace, one) if one.facts["id"] in own else one for one in found]
    shared = sorted(str(one.facts["name"]) for one in found if one.facts["apply_to_all_customers"])
    below = await api.children(coro, workspace) if shared and setup.check_customers else []

    def look(one: Workspace, held: tuple[Connector, ...] | OnboardingError) -> None:
        if isinstance(held, OnboardingError):
            found.append(Flow(one.id, UNREADABLE, error=held, facts=_facts(one.id, "", None)))
        else:
            found.extend(flows(one.id, [other for other in held if other.inherited], shared))

    await api.of_each(coro, below, look, setup.concurrency)
    return found


async def probed(coro: Coro, workspace: str, flow: Flow) -> Flow:
    """The flow after Coro has sent its test event by the connector.

    One that is not connected is left alone: a test event that is taken connects it again, which is not verify's to do.
    assumed: as all of a connector's operations, this one is no part of Coro's documented API.
    """
    if flow.state != freshness.CONNECTED:
        return flow
    method, path = coro.identity.profile.path("test", flow.facts["id"])
    try:
        await coro.call(Call(method, path, f"test (sync) the SIEM connector of {flow.source}", workspace))
    except OnboardingError as error:
        known = coro.identity.profile.error_of(error.code)
        return flow._replace(state=STALE if known == TEST_EVENT_FAILED else UNREADABLE, error=error)
    return flow._replace(message=f"the receiver took Coro's test event at {stamp(time.time())}, says Coro")


def flows(workspace: str, found: Iterable[Connector], names: Iterable[str]) -> list[Flow]:
    """The connectors of a workspace by name: all of them, or those named, whether they are there or not. Pure."""
    listed = sorted(found, key=lambda one: (one.name, one.id))
    wanted = list(names)
    missing = [name for name in wanted if name not in {one.name for one in listed}]
    shown = [flow(workspace, one.name, one) for one in listed if not wanted or one.name in wanted]
    return shown + [flow(workspace, name, None) for name in missing]


def flow(workspace: str, name: str, found: Connector | None) -> Flow:
    """One connector. Coro tells of no record's time, so the newest one is never known. Pure."""
    state = ABSENT if found is None else STATES.get(found.status, UNREADABLE)
    facts = _facts(workspace, name, found)
    message, code = "", ""
    if found and state == freshness.CONNECTED and found.error:
        state, code = STALE, REFUSED
        message = f"connected, but the receiver refused the last delivery: {found.error}"
    elif found and state == STALE:
        code = found.status
        message = (
            f"no ticket is sent; the receiver's last answer: {found.error or 'not said'}; "
            f"last changed at Coro: {facts['last_changed'] or 'not said'}"
        )
    elif state != freshness.CONNECTED:
        message = "there is no such connector" if state == ABSENT else "a status that the profile does not know"
    step = NEXT_STEPS.get(code) or NEXT_STEPS.get(state, "")
    return Flow(f"{workspace}/{name}", state, code=code, message=message, next_step=step, facts=facts)


def _facts(workspace: str, name: str, found: Connector | None) -> dict[str, Any]:
    """last_changed: when the connector last changed at Coro; assumed to be as near as it comes to «since when»."""
    return {
        "workspace": workspace,
        "name": name,
        "id": found.id if found else "",
        "format": found.format if found else "",
        "listener_url": found.fields.get("listener_url", "") if found else "",
        "apply_to_all_customers": bool(found and found.apply_to_all),
        "inherited": bool(found and found.inherited),
        "last_changed": stamp(found.updated / 1000) if found and found.updated else None,
    }
