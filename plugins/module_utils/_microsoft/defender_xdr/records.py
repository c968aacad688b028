# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest records in an Event Hub, told apart by table or subscription: never by hub, which may be shared.

Contract: learn.microsoft.com «Stream Microsoft Defender XDR events to Event Hubs»: an event holds {records: [...]},
each with time and category (AdvancedHunting-TABLE), of several tables at once; «Alerts schemas»: an alert of a
continuous export has SystemAlertId and the AzureResourceId of what it is about. Read by azure-eventhub (MIT), which
only those need who want arrivals to be judged; it is imported when it is used. assumed: a record has the time of its
row; what else is exported are resources of Microsoft.Security, an event each.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ..._core.bodies import amount, instant, items, mapping, parse, text, words
from ..._core.client import ODD_SHAPE, documented
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from ..._core.findings import CUSTOMER, PROVIDER
from ..arm.permissions import grant
from ..event_hub.plan import HUB
from ..identity.credentials import claims
from .client import Work
from .tables import CATEGORY, TABLES

# learn.microsoft.com «Authenticate an application to access Event Hubs». assumed: of the government's cloud the same.
SCOPE = "https://eventhubs.azure.net/.default"
RECEIVER = "Azure Event Hubs Data Receiver"
# Events looked at of each partition, the newest, and seconds to wait for them.
EVENTS, SECONDS = 500, 20.0
LIBRARY_STEP = (
    "install azure-eventhub (5.11 or later) for the interpreter that runs this, or leave streaming out of ways and "
    "look in the SIEM for the tables"
)
SUBSCRIPTION = re.compile(r"/subscriptions/([0-9a-f-]{36})(?:/|$)")


class Seen(NamedTuple):
    """What the newest events of a hub held. newest: by table; since: from when on all events were looked at, 0 for from

    the first that the hub still has; others: events or records that are none of Defender's; exported: when the newest
    of Defender for Cloud came, by subscription.
    """

    newest: Mapping[str, float] = {}
    since: float = 0.0
    others: int = 0
    exported: Mapping[str, float] = {}


class Event(NamedTuple):
    """As a partition has it. when: it came."""

    when: float
    body: bytes


def tell_apart(events: Iterable[Event], since: float = 0.0) -> Seen:
    """The newest record of each table and subscription; what cannot be read is somebody else's. Pure."""
    newest: dict[str, float] = {}
    exported: dict[str, float] = {}
    others = 0
    for event in events:
        for record in _records(event.body):
            if table := _of(_table, record):
                newest[table] = max(_time(record, event.when), newest.get(table, 0.0))
            elif subscription := _of(_subscription, record):
                exported[subscription] = max(event.when, exported.get(subscription, 0.0))
            else:
                others += 1
    return Seen(newest, since, others, exported)


def _records(body: bytes) -> list[Any]:
    """Those of a stream are in an envelope, one of an export is by itself."""
    try:
        told = mapping(parse(body))
        return items(told.get("records", [told]))
    except ODD_SHAPE:
        return [None]


def _of(tell: Callable[[Mapping[str, Any]], str], record: Any) -> str:
    """What a record is of, '' where it is of nothing that is known."""
    try:
        return tell(mapping(record))
    except ODD_SHAPE:
        return ""


def _table(record: Mapping[str, Any]) -> str:
    category = words(record.get("category"))
    return category.removeprefix(CATEGORY)[:80] if category.startswith(CATEGORY) else ""


def _subscription(record: Mapping[str, Any]) -> str:
    """The subscription whose alert, assessment, score or the like it is."""
    if "SystemAlertId" in record:
        ids = [mapping(one).get("AzureResourceId") for one in items(record.get("ResourceIdentifiers"))]
    else:
        ids = [record["id"]] if text(record["type"]).casefold().startswith("microsoft.security/") else []
    found = [SUBSCRIPTION.match(words(one).casefold()) for one in ids]
    return next((one[1] for one in found if one), "")


def _time(record: Mapping[str, Any], came: float) -> float:
    try:
        return instant(record.get("time"))
    except ODD_SHAPE:
        return came


def library() -> tuple[Any, Any]:
    """What is used of azure-eventhub: its modules aio and exceptions. Raises OnboardingError where it is not there."""
    try:
        return import_module("azure.eventhub.aio"), import_module("azure.eventhub.exceptions")
    except ImportError as error:
        text = f"the Python library is not installed for the interpreter that runs this task: {error.name}"
        operation = "import azure-eventhub"
        raise OnboardingError(operation, text, code="MissingLibrary", next_step=LIBRARY_STEP, owner=PROVIDER) from error


async def seen(work: Work) -> Seen:
    """What the newest events hold, of all partitions. Raises OnboardingError."""
    operation = f"read the newest records of the Event Hub {work.event_hubs.ids[HUB]}"
    aio, errors = library()
    credential = Credential(work)
    await credential.get_token()
    try:
        async with asyncio.timeout(SECONDS * 3):
            client = aio.EventHubConsumerClient(
                await _host(work), work.event_hubs.wanted.hub, work.event_hubs.wanted.consumer_group, credential,
                connection_verify=work.setup.identity.ca_file, retry_total=1,
            )  # fmt: skip
            async with client:
                parts = [await _partition(client, str(one)) for one in await client.get_partition_ids()]
    except errors.AuthenticationError as error:
        raise refused(work, operation, str(error)) from error
    except (errors.EventHubError, TimeoutError, OSError) as error:
        raise NoAnswerError(operation, str(error) or "no answer in time", code=type(error).__name__) from error
    events, since = (
        [one for found, _since in parts for one in found],
        max((since for _found, since in parts), default=0.0),
    )
    told = tell_apart(events, since)
    work.arrived.update(set(TABLES) & set(told.newest))
    return told


def refused(work: Work, operation: str, text: str) -> RefusedError:
    """The hub did not take the token: a role of data on it, which a right in Resource Manager is not."""
    step = grant(work.setup.identity.client_id, RECEIVER, work.event_hubs.ids[HUB])
    return RefusedError(operation, text, code="NoRightToRead", next_step=step, owner=CUSTOMER)


class Credential:
    """The identity's tokens as azure-eventhub asks for them."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def get_token(self, *_scopes: str, **_more: Any) -> Any:
        """Raises SignInError."""
        from azure.core.credentials import AccessToken

        token = await self._work.tokens.get(self._work.setup.identity.sign_in, SCOPE)
        with documented("read when the token ends"):
            return AccessToken(token, int(amount(claims(token)["exp"])))

    async def close(self) -> None:
        """The tokens are closed where they were made."""

    async def __aenter__(self) -> Credential:
        return self

    async def __aexit__(self, *_error: object) -> None:
        return None


async def _host(work: Work) -> str:
    """Where the namespace is asked for its events, as it says itself. Raises OnboardingError."""
    namespace = await work.event_hubs.namespace()
    operation = "read where the namespace is"
    if namespace is None:
        raise RefusedError(operation, "it is not there", code="NotFound", next_step="run the onboard playbook")
    with documented(operation):
        return urlsplit(text(namespace.raw["properties"]["serviceBusEndpoint"])).hostname or ""


async def _partition(client: Any, partition: str) -> tuple[list[Event], float]:
    """The newest events of a partition, and from when on they are all there are.

    Raises NoAnswerError where the newest did not come in time: what was not looked at is not without records.
    """
    about = await client.get_partition_properties(partition)
    last, first = about["last_enqueued_sequence_number"], about["beginning_sequence_number"]
    if about["is_empty"]:
        return [], 0.0
    start, found, done, ended = max(first, last - EVENTS + 1), list[Event](), asyncio.Event(), False

    async def take(_context: Any, event: Any) -> None:
        nonlocal ended
        if event is None:
            done.set()
            return
        body = b"".join(event.body) if not isinstance(event.body, bytes) else event.body
        found.append(Event(event.enqueued_time.timestamp() if event.enqueued_time else time.time(), body))
        if event.sequence_number >= last:
            ended = True
            done.set()

    reading = asyncio.ensure_future(
        client.receive(
            take, partition_id=partition, starting_position=start, starting_position_inclusive=True, max_wait_time=5
        )
    )
    try:
        waiting = asyncio.ensure_future(done.wait())
        await asyncio.wait({reading, waiting}, timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if reading.done():
            await reading
    finally:
        reading.cancel()
    if not ended:
        text = f"of its newest {last - start + 1} events {len(found)} came in time"
        raise NoAnswerError(f"read partition {partition}", text, code="NotRead")
    return found, min(one.when for one in found) if start > first else 0.0
