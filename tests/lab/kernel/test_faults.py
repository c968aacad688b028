# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every operation that a vendor registers can have every fault, with nothing written for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from lab.kernel import faults
from lab.kernel.registration import discover

from .acme import ROUTES, VENDOR, Acme
from .serving import Client, with_lab

LIST, PUT = "/acme/v1/things", "/acme/v1/things/rocket"
PATHS = {"acme.things.list": ("GET", LIST), "acme.things.put": ("PUT", PUT)}
LOST = (aiohttp.ClientError, asyncio.TimeoutError)


def answers(status: int, headers: dict[str, str] | None = None, **body: Any) -> Callable[[Any], None]:
    def check(got: Any) -> None:
        assert got[0] == status
        assert {name: got[1].get(name) for name in headers or {}} == (headers or {})
        assert {name: (got[2] or {}).get(name) for name in body} == body

    return check


def lost(got: Any) -> None:
    assert isinstance(got, LOST), got


def not_json(got: Any) -> None:
    assert isinstance(got, ValueError), got


def usual(got: Any) -> None:
    assert got[0] in (200, 201), got


def empty(got: Any) -> None:
    assert got[2] is None, got


def elsewhere(got: Any) -> None:
    assert got[2]["next"].startswith("https://elsewhere.invalid/acme/v1/things"), got


def another_page(got: Any) -> None:
    assert got[2]["next"].partition("?")[2].startswith("page="), got


# action -> (fields, what a client gets, whether a write was made)
CASES: dict[str, tuple[dict[str, Any], Callable[[Any], None], bool]] = {
    "status": ({"status": 503, "code": "50301"}, answers(503, code="50301", stat="FAIL", http=503), False),
    "throttle": ({"seconds": 7}, answers(429, {"X-Retry": "7"}, code="42901", message="slow down"), False),
    "redirect": ({}, answers(302), False),
    "hang": ({}, lost, False),
    "drop": ({}, lost, False),
    "slow": ({"seconds": 0.05}, usual, True),
    "drop_after": ({}, lost, True),
    "malformed": ({}, not_json, True),
    "truncated": ({}, lost, True),
    "html": ({"status": 502}, not_json, True),
    "empty": ({}, empty, True),
    "drip": ({"seconds": 0.1}, lost, True),
    "endless": ({}, lost, True),
    "huge_headers": ({}, lost, True),
    "next_elsewhere": ({}, elsewhere, True),
    "endless_pages": ({}, another_page, True),
    "sour": ({"message": "sour"}, lambda got: answers(got[0], warning="sour")(got), True),
}


async def outcome(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except (*LOST, ValueError) as error:
        return error


@pytest.mark.parametrize("action", CASES)
def test_every_operation_can_have_every_fault(action: str) -> None:
    fields, check, written = CASES[action]

    async def test(client: Client) -> None:
        for kind, (method, path) in PATHS.items():
            # Without end, since aiohttp repeats a GET by itself where the connection is cut.
            await client.control("POST", "faults", {"action": action, "kind": kind, "count": None, **fields})
            check(await outcome(client.call(method, path)))
        assert ("rocket" in client.lab.of(Acme).things) is written
        await client.control("DELETE", "faults")
        assert (await client.call("GET", LIST))[0] == 200

    with_lab([VENDOR], test, seconds=0.7)


def test_the_cases_are_all_there_are() -> None:
    assert set(CASES) == {*faults.BEFORE, *faults.AFTER, *VENDOR.faults}
    assert set(PATHS) == {one.kind for one in ROUTES.operations}


def test_a_drip_comes_to_an_end_and_is_what_would_have_been_answered() -> None:
    async def test(client: Client) -> None:
        await client.control("POST", "faults", {"action": "drip", "seconds": 0.001})
        assert (await client.call("GET", LIST))[2] == {"items": ["anvil"]}

    with_lab([VENDOR], test)


def test_redirect_and_next_page_go_where_the_test_says() -> None:
    async def test(client: Client) -> None:
        there = {"url": "https://evil.example", "status": 307}
        await client.control("POST", "faults", {"action": "redirect", **there})
        status, headers, _body = await client.call("GET", f"{LIST}?limit=1")
        assert (status, headers["Location"]) == (307, f"https://evil.example{LIST}?limit=1")
        await client.control("POST", "faults", {"action": "next_elsewhere", "url": "https://evil.example"})
        body = (await client.call("GET", LIST))[2]
        assert body == {"items": ["anvil"], "next": f"https://evil.example{LIST}"}

    with_lab([VENDOR], test)


def test_a_vendor_without_a_key_for_it_names_the_next_page_in_a_header() -> None:
    async def test(client: Client) -> None:
        await client.control("POST", "faults", {"action": "next_elsewhere"})
        _status, headers, body = await client.call("GET", LIST)
        assert (body, headers["Link"]) == ({"items": ["anvil"]}, f'<https://elsewhere.invalid{LIST}>; rel="next"')

    with_lab([replace(VENDOR, next_link="")], test)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"action": "explode"}, "action must be one of"),
        ({"action": "drop", "kind": "acme.things.lost"}, "kind must be one of"),
        ({"action": "drop", "shape": "round"}, "shape must be one of"),
        ({"action": "drop", "zodiac": 1}, "unknown fault fields"),
        ({"action": "drop", "subscription": "1"}, "unknown fault fields"),  # a criterion of another vendor's
    ],
)
def test_wrong_faults_are_refused(wrong: dict[str, Any], says: str) -> None:
    async def test(client: Client) -> None:
        status, _headers, body = await client.call("POST", "/_lab/faults", [{"action": "drop"}, wrong])
        assert status == 400
        assert says in body["error"]
        assert client.lab.faults.waiting == []

    with_lab([VENDOR], test)


def test_criteria_of_a_vendor() -> None:
    async def test(client: Client) -> None:
        await client.control("POST", "faults", {"action": "status", "thing": "rocket", "count": None})
        assert [(await client.call("PUT", f"{LIST}/{name}"))[0] for name in ("skates", "rocket")] == [201, 500]

    with_lab([VENDOR], test)


def test_what_there_is_to_spoil_is_told() -> None:
    async def test(client: Client) -> None:
        told = await client.control("GET", "faults")
        assert told == {"actions": sorted(CASES), "operations": {"acme": sorted(PATHS)}}

    with_lab([VENDOR], test)


@pytest.mark.parametrize("vendor", discover(), ids=lambda vendor: vendor.name)
def test_errors_of_all_vendors_say_code_or_message(vendor: Any) -> None:
    for shape in vendor.shapes:
        assert b"because" in faults.error(vendor, 418, "Teapot", "because", shape).body
    assert vendor.retry(3) == {} or "3" in vendor.retry(3).values()  # Duo does not say how long
