# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations on intakes and on what was sent to them, from and to Sekoia.io's words.

Source: docs.sekoia.io, meshroom 0.3.4: intakes with name, entity_uuid, format_uuid and intake_key; formats by
indexPage and sizePage. Assumed: the created_at of an intake, words of a search job's status, that its newest events
come first, and their field timestamp.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..._core.bodies import is_token, items, mapping, piece, text, words
from ..._core.client import documented
from ..._core.errors import NoAnswerError
from ..._core.freshness import stamp
from ..api import each, get, moment
from ..client import Call, Sekoia
from .plan import Intake, Wanted

INTAKES = "/v1/sic/conf/intakes"
ENTITIES = "/v1/sic/conf/entities"
FORMATS = "/v1/ingest/formats"
JOBS = "/v1/sic/conf/events/search/jobs"
PAGE = 100
NEWEST = 10
DONE = frozenset({"done", "finished", "completed", "2"})
JOB_SECONDS = 60.0
POLL_SECONDS = 1.0


class Named(NamedTuple):
    uuid: str
    name: str


async def intakes(client: Sekoia) -> list[Intake]:
    """Those of the community. Raises OnboardingError."""
    operation = "list the intakes"
    found = []
    async for one in each(client, INTAKES, operation, match_community_uuid=client.community):
        with documented(operation):
            if words(one.get("community_uuid")).lower() in ("", client.community):
                found.append(parsed(one))
    return found


def parsed(one: Mapping[str, Any]) -> Intake:
    """An intake as the API shows it. Raises what ODD_SHAPE names for another shape."""
    entity = one.get("entity_uuid") or mapping(one.get("entity")).get("uuid")
    key = one["intake_key"]
    if not is_token(key) or len(key) < 8:
        raise ValueError("the intake key is not one")
    created = None if one.get("created_at") is None else moment(one["created_at"])
    return Intake(piece(one["uuid"]), text(one["name"]), piece(one["format_uuid"]), piece(entity), key, created)


async def create(client: Sekoia, wanted: Wanted) -> Intake:
    """Raises NoAnswerError where nobody knows whether it was made."""
    body = {"name": wanted.name, "entity_uuid": wanted.entity, "format_uuid": wanted.format}
    call = Call("POST", INTAKES, f"create the intake {wanted.name}", body, again=False)
    return _read(call, await client.call(call))


async def update(client: Sekoia, one: Intake, wanted: Wanted) -> Intake:
    body = {"name": wanted.name, "entity_uuid": wanted.entity}
    call = Call("PATCH", f"{INTAKES}/{one.uuid}", f"update the intake {wanted.name}", body)
    return _read(call, await client.call(call))


def _read(call: Call, answer: Any) -> Intake:
    with documented(call.operation):
        return parsed(answer)


async def entities(client: Sekoia) -> list[Named]:
    """Those of the community. Raises OnboardingError."""
    operation = "list the entities"
    found = []
    async for one in each(client, ENTITIES, operation, match_community_uuid=client.community):
        with documented(operation):
            if words(one.get("community_uuid")).lower() in ("", client.community):
                found.append(Named(piece(one["uuid"]), text(one["name"])))
    return found


async def formats(client: Sekoia) -> list[Named]:
    """All that there are, some hundreds. Raises OnboardingError."""
    operation = "list the formats of intakes"

    def page(index: int) -> Call:
        return get(FORMATS, operation, indexPage=index, sizePage=PAGE)

    index = 0

    def following(answer: Any, _call: Call) -> Call | None:
        with documented(operation):
            return page(index) if len(items(answer["items"])) >= PAGE else None

    found: list[Named] = []
    async for answer in client.pages(page(0), following):
        index += 1
        with documented(operation):
            found += [Named(piece(one["uuid"]), text(one["name"])) for one in items(answer["items"])]
    return found


async def newest(client: Sekoia, uuid: str, since: float, containing: str = "") -> float | None:
    """The time of the newest event of an intake since then, None without any. Raises OnboardingError."""
    operation = f"search the newest event of the intake {uuid}"
    marked = f' AND "{containing}"' if containing else ""
    body = {
        "term": f'sekoiaio.intake.uuid:"{uuid}"{marked}',
        "earliest_time": stamp(since),
        "latest_time": stamp(time.time() + 60.0),
        "visible": False,
    }
    made = await client.call(Call("POST", JOBS, operation, body, again=False))
    with documented(operation):
        job, status = piece(made["uuid"]), str(made.get("status", "")).lower()
    until = time.monotonic() + JOB_SECONDS
    while status not in DONE:
        found = await client.call(get(f"{JOBS}/{job}", operation))
        with documented(operation):
            status = str(found["status"]).lower()
        if status in DONE:
            break
        if time.monotonic() > until:
            raise NoAnswerError(operation, f"the search was not done within {JOB_SECONDS:g} s", code="SearchTime")
        await asyncio.sleep(POLL_SECONDS)
    answer = await client.call(get(f"{JOBS}/{job}/events", operation, limit=NEWEST))
    with documented(operation):
        return max((moment(mapping(one)["timestamp"]) for one in items(answer["items"])), default=None)


def marker() -> str:
    """A text that no other event has."""
    return f"mssp-onboarding-probe-{secrets.token_hex(8)}"


async def send(client: Sekoia, one: Intake, event: str) -> None:
    """Send an event by the HTTP intake, as a source of the customer's would. Raises OnboardingError."""
    operation = f"send a test event to the intake {one.name}"
    await client.call(Call("POST", "/plain", operation, event.encode(), again=False, intake_key=one.key))


def chosen(named: Sequence[Named], given: str) -> list[str]:
    """The uuids of what has this name or uuid."""
    return [one.uuid for one in named if given in (one.uuid, one.name)]
