# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenant's inventory: subscriptions, and resources by Resource Graph or, where that fails, by plain lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..._core.bodies import mapping, text, words
from ..._core.client import ODD_SHAPE, documented
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError, malformed
from .client import TENANT, Arm, Call
from .resources import Subscription, parse_subscription, resource_id

SUBSCRIPTIONS_API = "2022-12-01"
RESOURCES_API = "2021-04-01"
GRAPH_API = "2021-03-01"
GRAPH_PAGE = 1000
GRAPH_SUBSCRIPTIONS = 1000

Row = Mapping[str, Any]


async def subscriptions(arm: Arm) -> list[Subscription]:
    """Every subscription that the identity sees, in any state."""
    operation = "list the subscriptions"
    found = []
    async for page in arm.pages(Call("GET", "/subscriptions", SUBSCRIPTIONS_API, operation, TENANT)):
        try:
            found += [parse_subscription(raw) for raw in page["value"]]
        except ODD_SHAPE as error:
            raise malformed(operation, error) from error
    return found


async def resources(
    arm: Arm, ids: list[str], types: list[str] | None
) -> tuple[list[Row], dict[str, OnboardingError], str]:
    """(rows, subscriptions that could not be listed and why, how it was done).

    Rows have id, type, kind, location, tags, resourceGroup and sku. Resource Graph's answer counts only when it is
    whole; else each subscription is listed by itself.
    """
    rows: list[Row] = []
    try:
        for start in range(0, len(ids), GRAPH_SUBSCRIPTIONS):
            rows += await _by_graph(arm, ids[start : start + GRAPH_SUBSCRIPTIONS], types)
        return rows, {}, "resource_graph"
    except (RefusedError, NoAnswerError) as error:
        rows, failed = await _by_lists(arm, ids, types)
        return rows, failed, f"lists, since Resource Graph failed: {error.code}"


def graph_query(types: Iterable[str] | None) -> str:
    only = "" if types is None else "| where type in~ ({}) ".format(",".join(f"'{kind}'" for kind in types))
    columns = "id, name, type, kind, location, tags, resourceGroup, subscriptionId, sku"
    return f"resources {only}| project {columns} | order by id asc"


async def _by_graph(arm: Arm, ids: list[str], types: list[str] | None) -> list[Row]:
    operation = "query Resource Graph for the resources"
    rows: list[Row] = []
    total = 0
    options: dict[str, Any] = {"$top": GRAPH_PAGE, "resultFormat": "objectArray"}
    body = {"subscriptions": ids, "query": graph_query(types), "options": options}
    call = Call(
        "POST", "/providers/Microsoft.ResourceGraph/resources", GRAPH_API, operation, TENANT, body=body, limit="queries"
    )
    async for answer in arm.pages(call, _skip_token):
        with documented(operation):
            rows += _whole(answer["data"], ids)
            total = int(answer["totalRecords"])
    if len(rows) != total:
        raise NoAnswerError(operation, f"{len(rows)} of {total} rows came", code="Truncated")
    return rows


def _skip_token(answer: Any, call: Call) -> Call | None:
    """The call of Resource Graph's next page."""
    token = answer.get("$skipToken")
    return (
        call._replace(body={**call.body, "options": {**call.body["options"], "$skipToken": token}}) if token else None
    )


async def _by_lists(arm: Arm, ids: list[str], types: list[str] | None) -> tuple[list[Row], dict[str, OnboardingError]]:
    rows: list[Row] = []
    failed: dict[str, OnboardingError] = {}
    wanted = None if types is None else set(types)
    for subscription in ids:
        operation = f"list the resources of subscription {subscription}"
        call = Call("GET", f"/subscriptions/{subscription}/resources?$top=1000", RESOURCES_API, operation, subscription)
        try:
            async for page in arm.pages(call):
                rows += [
                    row
                    for row in _whole(page["value"], [subscription])
                    if wanted is None or row["type"].casefold() in wanted
                ]
        except OnboardingError as error:
            failed[subscription] = error
        except ODD_SHAPE as error:
            failed[subscription] = malformed(operation, error)
    return rows, failed


def _whole(rows: list[Row], ids: Iterable[str]) -> list[Row]:
    """The rows, each with what a target needs, and of one of these subscriptions. Raises one of ODD_SHAPE."""
    chosen = {one.casefold() for one in ids}
    for row in rows:
        pieces = resource_id(row["id"]).casefold().split("/")
        if not text(row["type"]):
            raise ValueError(f"{row['id']!r:.200} has no type")
        if pieces[1] != "subscriptions" or pieces[2] not in chosen:
            raise ValueError(f"a resource of another subscription: {row['id']!r:.200}")
        for value in mapping(row.get("tags")).values():
            words(value)
        for field in ("name", "tier"):
            words(mapping(row.get("sku")).get(field))
        for field in ("resourceGroup", "kind", "location"):
            words(row.get(field))
    return rows
