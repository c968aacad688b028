# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all capabilities of Sekoia.io ask: lists, whose community it is, removal.

Source: docs.sekoia.io (API); lists are {items, total} by limit and offset. Assumed: fields of /v1/me and of
/v1/communities.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from .._core.bodies import amount, items, piece, words
from .._core.client import documented
from .._core.coverage import refuse
from .._core.errors import InputError, NoAnswerError, OnboardingError
from .client import Call, Sekoia

PAGE = 100
GONE = 404


class Community(NamedTuple):
    uuid: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.uuid})"


def get(path: str, operation: str, **params: Any) -> Call:
    """A reading call. Parameters are named as Sekoia.io names them, C(match_name) for C(match[name])."""
    named = {f"match[{key[6:]}]" if key.startswith("match_") else key: value for key, value in params.items()}
    return Call("GET", f"{path}?{urlencode(named)}" if named else path, operation)


async def each(client: Sekoia, path: str, operation: str, **params: Any) -> AsyncIterator[Mapping[str, Any]]:
    """The items of a list, to its end. Raises OnboardingError, of one that ends before it has all, too."""

    def page(offset: int) -> Call:
        return get(path, operation, **params, limit=PAGE, offset=offset)

    seen = 0

    def following(answer: Any, _call: Call) -> Call | None:
        with documented(operation):
            more, total = bool(items(answer["items"])), amount(answer["total"])
        if not more and seen < total:
            raise NoAnswerError(operation, f"the list ends after {seen} of {total:g}", code="CutList")
        return page(seen) if seen < total else None

    async for answer in client.pages(page(0), following):
        with documented(operation):
            found = items(answer["items"])
        seen += len(found)
        for one in found:
            yield one


async def own(client: Sekoia) -> str:
    """The community that the key was made in. Raises OnboardingError."""
    call = get("/v1/me", "ask whose the API key is")
    found = await client.call(call)
    with documented(call.operation):
        return piece(found["community"]).lower()


async def communities(client: Sekoia) -> list[Community]:
    """Those that the key reaches. Raises OnboardingError."""
    operation = "list the communities"
    found = []
    async for one in each(client, "/v1/communities", operation):
        with documented(operation):
            found.append(Community(piece(one["uuid"]).lower(), words(one.get("name"))))
    return found


async def community(client: Sekoia) -> str:
    """Whose objects are meant. Raises InputError without a key, and for a community that it does not reach."""
    if not client.identity.key:
        text, step = "there is no api_key: it is made by hand", "run the preflight playbook, which says by whom and how"
        raise InputError("sign in to Sekoia.io", text, code="NoCredential", next_step=step)
    client.community = await own(client)
    wanted = client.identity.community
    if wanted and wanted != client.community:
        known = await communities(client)
        if wanted not in {one.uuid for one in known}:
            there = ", ".join(map(str, known[:8])) or "none"
            refuse("find the community", [f"community_uuid: the API key does not reach {wanted} (it reaches {there})"])
        client.community = wanted
    return client.community


def moment(value: Any) -> float:
    """A time in seconds since the epoch, of a number or ISO 8601. Raises TypeError, ValueError."""
    if isinstance(value, str):
        when = datetime.fromisoformat(value)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    return float(amount(value))


async def remove(client: Sekoia, path: str, operation: str) -> None:
    """Delete it; gone already is well. Raises OnboardingError."""
    try:
        await client.call(Call("DELETE", path, operation))
    except OnboardingError as error:
        if error.status != GONE:
            raise
