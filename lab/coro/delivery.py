# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Coro's tickets and test events get to a receiver, and what becomes of a connector when they do not.

Real-time delivery without a queue, one retry after two hours, then Disconnected: Coro's guide on SIEM connectors, as
is the shape of a ticket. Assumed: the test event's body, the framing of each format, that any 2xx answer is a success,
that redirects are not followed, that a retry sends a test event, and that tickets in between are lost.
"""

from __future__ import annotations

import json
from email.utils import formatdate
from typing import Any

from lab.coro.state import CONNECTED, DISCONNECTED, Connector, Coro
from lab.kernel.sender import Answer, Outgoing
from lab.receivers.data_collector import PATH as AZURE_PATH
from lab.receivers.data_collector import VERSION as AZURE_VERSION
from lab.receivers.data_collector import authorization

RETRY_AFTER = 2 * 3600.0


# -- what is sent -----------------------------------------------------------------------------------------------------


def event_for(connector: Connector, event: dict[str, Any], azure_url: str) -> Outgoing:
    """The request of one event: the ticket itself, but `{"event": …}` for Splunk and an array for Azure."""
    settings = connector.settings
    headers = {"Content-Type": "application/json"}
    if connector.type == "AZURE_SENTINEL":
        body = json.dumps([event]).encode()
        date = formatdate(usegmt=True)
        headers |= {
            "Log-Type": settings["logType"],
            "x-ms-date": date,
            "Authorization": authorization(
                settings["workspaceId"], settings["primaryKey"], date, len(body), headers["Content-Type"]
            ),
        }
        return Outgoing(azure_url, headers, body)
    if connector.type == "SPLUNK":
        headers["Authorization"] = settings["authorization"]
        return Outgoing(settings["listenerUrl"], headers, json.dumps({"event": event}).encode())
    if connector.type == "FLUENCY":
        headers["Authorization"] = f"Bearer {settings['token']}"
    else:
        headers |= {header["name"]: header["value"] for header in settings["headers"] or ()}
    return Outgoing(settings["listenerUrl"], headers, json.dumps(event).encode())


def check_event(workspace: str, now: float) -> dict[str, Any]:
    """The test event; its body is assumed."""
    return {"id": "test", "workspaceId": workspace, "ticketType": "testEvent", "creationTime": int(now * 1000)}


def ticket(workspace: str, number: int, now: float, user: str = "user1@contoso.example") -> dict[str, Any]:
    """A Domain Impersonation ticket: names, nesting and millisecond times as in Coro's guide."""
    at = int(now * 1000)
    return {
        "id": f"{[*workspace.split('_'), 'lab'][1]}-{number}",
        "workspaceId": workspace,
        "ticketType": "emailPhishing",
        "ticketDetails": {
            "affectedUser": user,
            "service": "office365Enforcement",
            "locations": [],
            "emailMetadata": {
                "subject": "Your invoice",
                "senderEmail": "billing@c0ntoso.example",
                "senderIp": "192.0.2.17",
                "recipients": [user],
                "processedMessages": [{"messageId": f"AAkLAB{number:08d}"}],
            },
            "filesMetadata": [],
            "firstEventTime": at,
            "lastEventTime": at,
            "creationTime": at + 18,
            "processed": True,
            "processedTime": at,
            "ticketTrigger": "domainImpersonation",
        },
    }


# -- the life of a connector ------------------------------------------------------------------------------------------


async def try_event(coro: Coro, connector: Connector) -> Answer:
    """Send a test event; changes nothing."""
    return await _send(coro, connector, check_event(connector.workspace, coro.shown(coro.now())))


def connected(coro: Coro, connector: Connector, failure: Answer | None = None) -> None:
    """Set the status after a test event, which ends the wait for a retry."""
    connector.status = DISCONNECTED if failure else CONNECTED
    connector.last_error = failure.error() if failure else None
    connector.retry_at = None
    coro.waiting.pop(connector.id, None)


async def sync(coro: Coro, connector: Connector) -> Answer:
    """A test event that decides about the status. That a failure disconnects at once is assumed."""
    answer = await try_event(coro, connector)
    connected(coro, connector, None if answer.accepted else answer)
    return answer


async def emit(coro: Coro, workspace: str, event: dict[str, Any]) -> list[dict[str, Any]]:
    """Send an event of a workspace by all its connectors: [{connector, sent, accepted, status, body}].

    Not sent: by what is Disconnected or waits for its retry; such events are lost.
    """
    done = []
    for connector in list(coro.held[workspace].values()):
        answer = None
        if connector.status == CONNECTED and connector.retry_at is None:
            answer = await _send(coro, connector, event)
            if not answer.accepted:
                connector.last_error = answer.error()
                connector.retry_at = coro.now() + RETRY_AFTER
                coro.waiting[connector.id] = connector
        accepted = answer is not None and answer.accepted
        connector.lost += not accepted
        said = answer.error() if answer else {"status": None, "body": ""}
        done.append({"connector": connector.id, "sent": answer is not None, "accepted": accepted, **said})
    return done


async def retry_due(coro: Coro) -> None:
    """The one retry, two hours after a failure: called when the clock is moved, and only then."""
    for connector in [one for one in coro.waiting.values() if (one.retry_at or 0.0) <= coro.now()]:
        await sync(coro, connector)


async def _send(coro: Coro, connector: Connector, event: dict[str, Any]) -> Answer:
    azure_url = coro.switches.azure_url or f"{coro.url}{AZURE_PATH}?api-version={AZURE_VERSION}"
    try:
        out = event_for(connector, event, azure_url)
    except ValueError as error:
        return Answer(None, f"the event cannot be signed: {error}")
    return await coro.sender.send(out, coro.switches.timeout)
