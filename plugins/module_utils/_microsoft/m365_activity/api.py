# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of the feed that are used, from and to its words.

Source: MicrosoftDocs/office-365-management-api, activity-api-reference. A window is of 24 hours at most, its times
without a zone are UTC. The next page's link is in a header; that of the reference's sample has another version.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..._core import http
from ..._core.bodies import instant, items, mapping, text, words
from ..._core.client import documented
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from .client import ALREADY_ON, GONE, IS_OFF, Call, Feed
from .plan import Subscription

NEXT_PAGE = "NextPageUri"
SHOWN = 200


class Content(NamedTuple):
    """created: when it became available, in seconds since the epoch; path: of its records."""

    created: float
    path: str


async def subscriptions(feed: Feed) -> dict[str, Subscription]:
    """All of this app's, by content type. Raises OnboardingError."""
    operation = f"list the subscriptions of tenant {feed.tenant}"
    answer = await feed.call(Call("GET", f"{feed.root}/subscriptions/list", operation))
    with documented(operation):
        listed = [parse(one) for one in items(answer)]
        found = {one.type: one for one in listed}
        if len(found) != len(listed):
            raise ValueError("a content type is listed twice")
        return found


def parse(one: Mapping[str, Any]) -> Subscription:
    """A subscription as it is listed. Raises what ODD_SHAPE names for another shape."""
    webhook = mapping(one.get("webhook"))
    address = words(webhook.get("address")) or "unknown" if webhook else ""
    told = (text(one["contentType"]), words(one.get("status")), address, words(webhook.get("status")))
    return Subscription(*(part[:SHOWN] for part in told))


async def start(feed: Feed, type: str) -> bool:
    """Whether it was started; False where it was on already. Raises OnboardingError."""
    try:
        await feed.call(_of(feed, "POST", "start", type)._replace(starts=type))
    except RefusedError as error:
        if error.code == ALREADY_ON:
            return False
        raise
    except NoAnswerError:
        # Whether it was done is told by the list; a second start would be refused.
        held = (await subscriptions(feed)).get(type)
        if held is None or not held.on:
            raise
    return True


async def stop(feed: Feed, type: str) -> None:
    """Stop it; what is off already is no error. Raises OnboardingError."""
    try:
        await feed.call(_of(feed, "POST", "stop", type))
    except RefusedError as error:
        if error.code not in IS_OFF:
            raise


async def newest(feed: Feed, type: str, since: float, until: float) -> Content | None:
    """The newest content that became available in that time, None without any. Raises OnboardingError."""
    call = _of(feed, "GET", "content", type)
    call = call._replace(path=f"{call.path}&startTime={_time(since)}&endTime={_time(until)}")

    def following(answer: http.Answer, call: Call) -> Call | None:
        link = answer.headers.get(NEXT_PAGE)
        return call._replace(path=feed.own_path(link, call.operation)) if link else None

    found: list[Content] = []
    async for answer in feed.answers(call, following):
        with documented(call.operation):
            # An address is looked at before it is used, and only the newest is.
            contents = [parse_content(one) for one in items(answer.body)]
            found = [max([*found, *contents])] if found or contents else []
    return found[0]._replace(path=feed.own_path(found[0].path, call.operation)) if found else None


def parse_content(one: Mapping[str, Any]) -> Content:
    return Content(instant(one["contentCreated"]), text(one["contentUri"]))


async def newest_record(feed: Feed, type: str, content: Content) -> float | None:
    """When the newest record in a content happened, None where the content has expired meanwhile.

    Raises OnboardingError.
    """
    operation = f"read the newest content of {type} in tenant {feed.tenant}"
    try:
        answer = await feed.call(Call("GET", content.path, operation))
    except RefusedError as error:
        if error.code in GONE:
            return None
        raise
    with documented(operation):
        return max((instant(one["CreationTime"]) for one in items(answer)), default=None)


async def audited(feed: Feed, type: str) -> OnboardingError | None:
    """What a call that only reads is refused with, None where it is answered or there is no subscription."""
    now = time.time()
    try:
        await newest(feed, type, now - 60, now)
    except OnboardingError as error:
        return None if error.code in IS_OFF else error
    return None


def _of(feed: Feed, method: str, operation: str, type: str) -> Call:
    words = {"start": "start the subscription to", "stop": "stop the subscription to", "content": "list the content of"}
    path = f"{feed.root}/subscriptions/{operation}?contentType={type}"
    return Call(method, path, f"{words[operation]} {type} of tenant {feed.tenant}")


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%dT%H:%M:%S}"
