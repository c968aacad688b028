# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations that are used, from and to the words of Graph security and of Microsoft.Security.

Contract: learn.microsoft.com, alerts_v2 and incidents (lists begin with the most recent), runHuntingQuery; Azure's
Microsoft.Security/automations 2019-01-01-preview, which takes a connection string and never shows it. No value of an
enumeration is looked up: one that is new is told as it came.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from ..._core.bodies import instant, items, mapping, text, texts, words
from ..._core.client import ODD_SHAPE, documented
from ..._core.errors import OnboardingError, malformed
from ..._core.freshness import stamp
from ..arm import client as arm_client
from ..arm.resources import resource_id, same_id
from ..event_hub.plan import HUB, MARK, NAMESPACE, WRITER
from ..graph import client as graph_client
from .client import Work
from .plan import Automation
from .tables import GRAPH_WAYS, HUNTING, PULSE

PREFER = "include-unknown-enum-members"
SECURITY_API = "2019-01-01-preview"
SHOWN, SHOWN_SOURCES = 100, 10
PAGE = 50


class Newest(NamedTuple):
    """Of alerts or incidents. when: None without any; sources: what they come from, of the newest page."""

    when: float | None = None
    sources: tuple[str, ...] = ()


async def look(work: Work, way: str) -> Newest:
    """The newest that one of the ways of Graph has, hunting's of the table of devices; refusals told as what they are.

    Raises OnboardingError.
    """
    seconds = work.setup.watch.window.total_seconds()
    try:
        if way == HUNTING:
            return Newest(await newest_row(work, PULSE, seconds / 3600))
        return await newest(work, way, time.time() - seconds)
    except OnboardingError as error:
        raise await work.explained(way, error) from error


async def newest(work: Work, way: str, since: float) -> Newest:
    """The newest alert or incident that was made or changed since then. Raises OnboardingError."""
    operation = f"read the newest {way} of tenant {work.graph.tenant}"
    only = quote(f"lastUpdateDateTime ge {stamp(since)}")
    path = f"/security/{GRAPH_WAYS[way].path}?$top={PAGE}&$filter={only}"
    answer = await work.graph.call(_call("GET", path, operation, way))
    with documented(operation):
        return parse_newest(items(answer["value"]))


def parse_newest(listed: list[Any]) -> Newest:
    """Raises what ODD_SHAPE names for another shape."""
    times = [instant(one[name]) for one in listed for name in ("createdDateTime", "lastUpdateDateTime")]
    sources = {words(one.get("serviceSource"))[:SHOWN] for one in listed} - {""}
    return Newest(max(times, default=None), tuple(sorted(sources))[:SHOWN_SOURCES])


async def newest_row(work: Work, table: str, hours: float) -> float | None:
    """When the newest row of a table is of, None without any in so many hours. Raises OnboardingError."""
    operation = f"hunt for the newest row of {table} in tenant {work.graph.tenant}"
    body = {"Query": f"{table} | summarize max(Timestamp)", "Timespan": f"PT{int(hours)}H"}
    answer = await work.graph.call(_call("POST", "/security/runHuntingQuery", operation, HUNTING, body))
    with documented(operation):
        return parse_row(answer)


def parse_row(answer: Mapping[str, Any]) -> float | None:
    """Raises what ODD_SHAPE names for another shape."""
    (column,) = [text(one["name"]) for one in items(answer["schema"])]
    times = [one.get(column) for one in items(answer["results"])]
    return max((instant(one) for one in times if one is not None), default=None)


def _call(method: str, path: str, operation: str, way: str, body: Any = None) -> graph_client.Call:
    return graph_client.Call(method, path, operation, GRAPH_WAYS[way].permission, body=body, prefer=PREFER)


# --- Defender for Cloud


async def automations(work: Work, subscription: str) -> list[Automation]:
    """All exports and other automations of a subscription. Raises OnboardingError."""
    operation = f"list the continuous exports of subscription {subscription}"
    path = f"/subscriptions/{subscription}/providers/Microsoft.Security/automations"
    pages = work.arm.pages(arm_client.Call("GET", path, SECURITY_API, operation, subscription))
    try:
        return [parse_automation(one) async for page in pages for one in items(page["value"])]
    except ODD_SHAPE as error:
        raise malformed(operation, error) from error


def parse_automation(raw: Mapping[str, Any]) -> Automation:
    """Raises what ODD_SHAPE names for another shape."""
    properties = mapping(raw["properties"])
    actions = [mapping(one) for one in items(properties.get("actions") or [])]
    hubs = {same_id(words(one.get("eventHubResourceId"))): words(one.get("sasPolicyName")) for one in actions}
    return Automation(
        id=resource_id(raw["id"]),
        enabled=properties.get("isEnabled") is not False,
        scopes=frozenset(same_id(text(one["scopePath"])) for one in items(properties.get("scopes") or [])),
        sources={text(one["eventSource"]): bool(one.get("ruleSets")) for one in items(properties.get("sources") or [])},
        hubs={hub: rule for hub, rule in hubs.items() if hub},
        ours=MARK in texts(list(mapping(raw.get("tags")))),
    )


async def put_automation(work: Work, wanted: Automation, location: str) -> None:
    """Make it, or make it as wanted; the key goes along and is never kept. Raises OnboardingError."""
    hubs = work.event_hubs
    action = {"actionType": "EventHub", "eventHubResourceId": hubs.ids[HUB], "connectionString": await _key(work)}
    body = {
        "location": location,
        "tags": {MARK: "defender_xdr"},
        "properties": {
            "description": "Made by mssp.onboarding",
            "isEnabled": True,
            "scopes": [{"description": "the subscription", "scopePath": f"/{one}"} for one in sorted(wanted.scopes)],
            "sources": [{"eventSource": one, "ruleSets": []} for one in wanted.sources],
            "actions": [action],
        },
    }
    await work.arm.call(_automation("PUT", wanted, "make", body))


async def delete_automation(work: Work, one: Automation) -> None:
    """Raises OnboardingError."""
    await work.arm.call(_automation("DELETE", one, "remove"))


def _automation(method: str, one: Automation, verb: str, body: Any = None) -> arm_client.Call:
    operation = f"{verb} the continuous export {one.id}"
    return arm_client.Call(method, quote(one.id), SECURITY_API, operation, one.id.split("/")[2], body=body)


async def _key(work: Work) -> str:
    """The connection string of the rule by which is sent, which the run redacts. Raises OnboardingError."""
    hubs = work.event_hubs
    operation = f"read the key of the rule {hubs.wanted.writer_rule} of {hubs.ids[NAMESPACE]}"
    call = hubs.call("POST", WRITER, "read the keys of")
    answer = await hubs.insisted(call._replace(path=f"{call.path}/listKeys", operation=operation))
    with documented(operation):
        key, told = text(answer["primaryKey"]), text(answer["primaryConnectionString"])
    work.redactor.add(key)
    return told


async def register(work: Work, subscription: str, provider: str) -> None:
    """Raises OnboardingError."""
    path, operation = f"/subscriptions/{subscription}/providers/{provider}/register", f"register {provider}"
    await work.arm.call(arm_client.Call("POST", path, "2021-04-01", operation, subscription, limit="writes"))
