# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of Secure Endpoint that are used, from and to its words.

Source: api-docs.amp.cisco.com («Event Streams», «Event Types», «Groups», «Events», «Version»). Whether and under which
names a list shows a stream's filters is not documented: SHOWN has what is taken for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._core.bodies import amount, is_token, items, text
from .._core.client import documented
from .._core.errors import OnboardingError, RefusedError
from .client import Call, SecureEndpoint
from .plan import Access, Filters, Stream, Wanted

STREAMS = "/v1/event_streams"
GONE = 404
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
# Our name of a filter: its name in requests, and assumed names in answers.
SENT = {"event_types": "event_type", "groups": "group_guid"}
SHOWN = {"event_types": ("event_types", "event_type"), "groups": ("group_guids", "group_guid")}
PROTO = "amqps"
# Of a user, password or queue. What is shorter than a secret would be taken out of all that a run says.
MIN_WORD, MAX_WORD = 6, 300


async def listed(client: SecureEndpoint, path: str, operation: str) -> list[Any]:
    """All that a list has. Raises OnboardingError where it cannot be read to the end."""

    def following(page: Any, call: Call) -> Call | None:
        with documented(operation):
            link = page["metadata"]["links"].get("next")
        return call._replace(path=client.own_path(link, operation)) if link else None

    found: list[Any] = []
    async for page in client.pages(Call("GET", path, operation), following):
        with documented(operation):
            found += items(page["data"])
    return found


async def streams(client: SecureEndpoint) -> tuple[Stream, ...]:
    """All of the organisation, those of others too. Raises OnboardingError."""
    operation = "list the event streams"
    found = await listed(client, STREAMS, operation)
    with documented(operation):
        client.found = tuple(stream(one) for one in found)
    return client.found


def stream(one: Any) -> Stream:
    """A stream of the vendor's words. Raises what ODD_SHAPE names."""
    types, groups = (next((one[key] for key in keys if key in one), None) for keys in SHOWN.values())
    return Stream(
        int(amount(one["id"])),
        text(one["name"]),
        Filters(
            None if types is None else frozenset(int(amount(each)) for each in items(types)),
            None if groups is None else frozenset(text(each) for each in items(groups)),
        ),
    )


def access(one: Any) -> Access:
    """What opens the queue, of the answer to a create. Raises what ODD_SHAPE names; a password goes by TLS only."""
    given = one["amqp_credentials"]
    host, port = text(given["host"]), int(given["port"])
    if not HOST.fullmatch(host) or not 0 < port < 2**16 or given["proto"] != PROTO:
        raise ValueError("the queue's address is none")
    user, password, queue = words = [given[key] for key in ("user_name", "password", "queue_name")]
    if not all(is_token(word) and MIN_WORD <= len(word) <= MAX_WORD for word in words):
        raise ValueError("the queue's credentials are none")
    return Access(user, password, queue, host, port)


async def create(client: SecureEndpoint, wanted: Wanted) -> tuple[Stream, Access]:
    """Make it. Raises OnboardingError; it is not tried twice, which would make two."""
    operation = f"create the event stream {wanted.name}"
    body = {"name": wanted.name, **_sent(wanted.filters, everything=True)}
    answer = await client.call(Call("POST", STREAMS, operation, body, again=False))
    with documented(operation):
        opens = access(answer["data"])
        client.redactor.add(opens.password)
        return stream(answer["data"]), opens


def _sent(filters: Filters, *, everything: bool = False) -> dict[str, Any]:
    """In the vendor's words; where everything is to be said, what is not given is all."""
    given: Mapping[str, Any] = filters.view()
    return {sent: given.get(ours, []) for ours, sent in SENT.items() if everything or ours in given}


async def update(client: SecureEndpoint, one: Stream, filters: Filters) -> None:
    """Change filters, which leaves queue and password as they are. Raises OnboardingError."""
    await client.call(Call("PATCH", f"{STREAMS}/{one.id}", f"update the event stream {one.name}", _sent(filters)))


async def delete(client: SecureEndpoint, one: Stream) -> None:
    """Remove exactly this one, and see that it is gone. Raises OnboardingError."""
    operation = f"delete the event stream {one.name} ({one.id})"
    try:
        await client.call(Call("DELETE", f"{STREAMS}/{one.id}", operation))
    except OnboardingError as error:
        if error.status != GONE:
            raise
    if any(left.id == one.id for left in await streams(client)):
        step = "run again; if it stays, remove it in the Secure Endpoint console"
        raise RefusedError(operation, "it is said to be gone, and still listed", code="StillThere", next_step=step)


async def event_types(client: SecureEndpoint) -> dict[str, int]:
    """Ids by name. Raises OnboardingError."""
    operation = "list the event types"
    found = await listed(client, "/v1/event_types", operation)
    with documented(operation):
        return {text(one["name"]): int(amount(one["id"])) for one in found}


async def groups(client: SecureEndpoint) -> dict[str, str]:
    """Guids by name. Raises OnboardingError."""
    operation = "list the groups"
    found = await listed(client, "/v1/groups?limit=500", operation)
    with documented(operation):
        return {text(one["name"]): text(one["guid"]) for one in found}


async def newest_event(client: SecureEndpoint) -> float | None:
    """When the organisation's newest event was, None without any: the list has the newest first."""
    operation = "read the newest event"
    answer = await client.call(Call("GET", "/v1/events?limit=1", operation))
    with documented(operation):
        return max((amount(one["timestamp"]) for one in items(answer["data"])), default=None)
