# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource Manager's conversation: order, headers, retries, pacing and words, against a scripted HTTP layer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import client as core_client
from ansible_collections.mssp.onboarding.plugins.module_utils._core import http
from ansible_collections.mssp.onboarding.plugins.module_utils._core.client import SILENCE_SECONDS
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError, RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm import client as arms
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.client import (
    TENANT,
    Call,
)
from tests.unit.plugins.module_utils._microsoft.scripts_of_http import CLOUD, HOME, OTHER, answer, scripted

READ = Call("GET", "/subscriptions/s/x", "2021", "read x", "s")
WRITE = Call("PUT", "/subscriptions/s/x", "2021", "write x", "s", auxiliary=(OTHER,), body={"properties": {}})
DROPPED = NoAnswerError("read x", "dropped", code="ServerDisconnectedError")


def call(one: arms.Arm, what: Call) -> Any:
    return asyncio.run(one.call(what))


def test_a_read(monkeypatch: pytest.MonkeyPatch) -> None:
    one, script, clock, _tokens = scripted(monkeypatch, answer(body={"value": [1]}))
    assert call(one, READ) == {"value": [1]}
    (sent,) = script.requests
    assert (sent.method, sent.url) == ("GET", "https://arm.example/subscriptions/s/x?api-version=2021")
    assert sent.headers == {"Authorization": "Bearer 2-1", "Content-Type": "application/json"}
    assert one.requests == {"GET reads": 1}
    assert clock.slept == []


def test_the_api_version_joins_a_query(monkeypatch: pytest.MonkeyPatch) -> None:
    one, script, _clock, _tokens = scripted(monkeypatch, answer())
    call(one, READ._replace(path="/x?$top=5"))
    assert script.requests[0].url == "https://arm.example/x?$top=5&api-version=2021"


def test_auxiliary_tokens_have_a_header_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    one, script, _clock, _tokens = scripted(monkeypatch, answer())
    call(one, WRITE._replace(auxiliary=(OTHER, "3", "4")))
    (sent,) = script.requests
    assert sent.headers["Authorization"] == "Bearer 2-1"
    assert sent.headers["x-ms-authorization-auxiliary"] == "Bearer 1-1, Bearer 3-1, Bearer 4-1"
    assert sent.body == {"properties": {}}


# ---- what is tried again, and what is not -------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 412, 501])
def test_a_no_is_a_no(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    one, script, clock, _tokens = scripted(monkeypatch, answer(status, {"error": {"code": "C", "message": "T"}}))
    with pytest.raises(RefusedError) as caught:
        call(one, READ)
    assert (caught.value.status, caught.value.code, caught.value.message) == (status, "C", "T")
    assert len(script.requests) == 1
    assert clock.slept == []


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_tried_again_after_a_growing_wait(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    one, script, clock, _tokens = scripted(monkeypatch, *[answer(status)] * 4, answer(body={"ok": 1}))
    assert call(one, READ) == {"ok": 1}
    assert len(script.requests) == 5
    waits = clock.slept
    assert len(waits) == 4
    assert all(1.0 <= wait <= 20.0 for wait in waits)
    assert waits[-1] > waits[0], waits


def test_the_tries_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    one, script, _clock, _tokens = scripted(monkeypatch, *[answer(503)] * http.ATTEMPTS)
    with pytest.raises(RefusedError) as caught:
        call(one, READ)
    assert caught.value.status == 503
    assert len(script.requests) == http.ATTEMPTS


def test_a_server_errors_own_wait_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    one, _script, clock, _tokens = scripted(monkeypatch, answer(503, Retry_After=17), answer())
    call(one, READ)
    assert clock.slept == [17.0]


def test_a_lost_answer_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    one, script, clock, _tokens = scripted(monkeypatch, DROPPED, DROPPED, answer(body={"ok": 1}))
    assert call(one, WRITE) == {"ok": 1}
    assert [request.method for request in script.requests] == ["PUT"] * 3
    assert len(clock.slept) == 2


def test_a_lost_answer_is_lost_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    one, script, _clock, _tokens = scripted(monkeypatch, *[DROPPED] * http.ATTEMPTS)
    with pytest.raises(NoAnswerError):
        call(one, READ)
    assert len(script.requests) == http.ATTEMPTS


def test_an_endpoint_that_is_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    one, script, clock, _tokens = scripted(monkeypatch, answer(), DROPPED)
    call(one, READ)
    clock.now += SILENCE_SECONDS + 1
    with pytest.raises(NoAnswerError):
        call(one, READ)
    assert len(script.requests) == 2, "ten thousand targets are not to wait for a dead endpoint"


def test_a_refused_token_is_given_back_and_the_next_one_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    one, script, clock, tokens = scripted(monkeypatch, answer(401), answer(body={"ok": 1}))
    assert call(one, WRITE) == {"ok": 1}
    assert tokens.refused == [(HOME, "2-1"), (OTHER, "1-1")], "the tokens that were sent, by value"
    assert script.requests[1].headers["Authorization"] == "Bearer 2-3"
    assert clock.slept == []


def test_a_second_401_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    one, script, _clock, _tokens = scripted(monkeypatch, answer(401), answer(401))
    with pytest.raises(RefusedError) as caught:
        call(one, READ)
    assert caught.value.status == 401
    assert len(script.requests) == 2


def test_where_no_other_token_is_to_be_had_the_refusal_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    one, script, _clock, tokens = scripted(monkeypatch, answer(401))
    monkeypatch.setattr(tokens, "refuse", lambda *_token: False)
    with pytest.raises(RefusedError):
        call(one, READ)
    assert len(script.requests) == 1


# ---- pacing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "wait"), [("7", 7.0), ("0", 1.0), ("100000", 300.0), ("soon", 5.0), (None, 5.0)])
def test_429_closes_the_bucket_for_as_long_as_azure_says(
    monkeypatch: pytest.MonkeyPatch, given: str | None, wait: float
) -> None:
    headers = {"Retry_After": given} if given else {}
    one, script, clock, _tokens = scripted(monkeypatch, answer(429, **headers), answer())
    call(one, READ)
    assert script.requests[1].at - script.requests[0].at == pytest.approx(wait)
    assert one.throttled == 1
    assert one.buckets.throttled_seconds == pytest.approx(wait)
    assert sum(clock.slept) == pytest.approx(wait)


def test_429_holds_up_its_own_bucket_only(monkeypatch: pytest.MonkeyPatch) -> None:
    one, _script, clock, _tokens = scripted(monkeypatch, answer(429, Retry_After=9), answer(), answer(), answer())
    call(one, READ)
    slept = list(clock.slept)
    call(one, READ._replace(scope="another"))
    call(one, WRITE)
    assert clock.slept == slept


REMAINING = {
    "reads of a subscription": (READ, "x_ms_ratelimit_remaining_subscription_reads", 25.0),
    "writes of a subscription": (WRITE, "x_ms_ratelimit_remaining_subscription_writes", 10.0),
    "deletes of a subscription": (
        READ._replace(method="DELETE"), "x_ms_ratelimit_remaining_subscription_deletes", 10.0,
    ),
    "reads of the tenant": (READ._replace(scope=TENANT), "x_ms_ratelimit_remaining_tenant_reads", 25.0),
    "queries": (READ._replace(method="POST", scope=TENANT, limit="queries"), "x_ms_user_quota_remaining", 3.0),
}  # fmt: skip


@pytest.mark.parametrize("case", REMAINING)
def test_what_azure_says_remains_is_believed(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    what, header, refill = REMAINING[case]
    one, script, _clock, _tokens = scripted(monkeypatch, answer(**{header: 0}), answer())
    call(one, what)
    call(one, what)
    assert script.requests[1].at - script.requests[0].at == pytest.approx(1 / refill)


@pytest.mark.parametrize("value", ["", "many", "-1"])
def test_a_remaining_that_is_no_number_is_not_believed(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    one, _script, clock, _tokens = scripted(
        monkeypatch, answer(x_ms_ratelimit_remaining_subscription_reads=value), answer()
    )
    call(one, READ)
    call(one, READ)
    assert clock.slept == []


@pytest.mark.parametrize(
    ("what", "limit"), [(READ, "reads"), (WRITE, "writes"), (READ._replace(method="DELETE"), "deletes")]
)
def test_the_published_buckets(monkeypatch: pytest.MonkeyPatch, what: Call, limit: str) -> None:
    capacity, refill = arms.LIMITS[limit]
    assert (capacity, refill) == {"reads": (250, 25), "writes": (200, 10), "deletes": (200, 10)}[limit]
    one, script, _clock, _tokens = scripted(monkeypatch, *[answer()] * (int(capacity) + 2))

    async def many() -> None:
        for _number in range(int(capacity) + 2):
            await one.call(what)

    asyncio.run(many())
    times = [request.at - script.requests[0].at for request in script.requests]
    assert times[int(capacity) - 1] == 0.0
    assert times[-1] == pytest.approx(2 / refill)


def test_a_bucket_is_given_back_when_the_answer_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    one, _script, _clock, _tokens = scripted(monkeypatch, *[DROPPED] * http.ATTEMPTS)
    with pytest.raises(NoAnswerError):
        call(one, READ)
    assert one.buckets.get("s", "reads").in_flight == 0


# ---- pages --------------------------------------------------------------------------------------------------------


def pages(one: arms.Arm, what: Call) -> list[Any]:
    async def collect() -> list[Any]:
        return [page async for page in one.pages(what)]

    return asyncio.run(collect())


def test_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    link = f"{CLOUD.resource_manager}/subscriptions/s/x?api-version=2020&$skiptoken=a%2Fb"
    one, script, _clock, _tokens = scripted(
        monkeypatch, answer(body={"value": [1], "nextLink": link}), answer(body={"value": [2]})
    )
    assert [page["value"] for page in pages(one, READ)] == [[1], [2]]
    assert script.requests[1].url == "https://arm.example/subscriptions/s/x?$skiptoken=a%2Fb&api-version=2021"


def test_the_waits_that_are_asked_for_are_bounded_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = [answer(503, Retry_After=200)] * 2
    one, script, clock, _tokens = scripted(monkeypatch, *patience)
    with pytest.raises(RefusedError):
        call(one, READ)
    assert (len(script.requests), clock.slept) == (2, [200.0])


def test_a_list_that_comes_back_to_a_page_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"value": [1], "nextLink": f"{CLOUD.resource_manager}/subscriptions/s/x?api-version=1&$skiptoken=a"}
    one, script, _clock, _tokens = scripted(monkeypatch, *[answer(body=body)] * 9)
    with pytest.raises(NoAnswerError, match="an earlier one"):
        pages(one, READ)
    assert len(script.requests) == 2


@pytest.mark.parametrize(("limit", "value"), [("MAX_PAGES", 3), ("MAX_LIST_BYTES", 250)])
def test_a_list_without_end_ends(monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    monkeypatch.setattr(core_client, limit, value)
    link = f"{CLOUD.resource_manager}/subscriptions/s/x?$skiptoken="
    endless = [answer(body={"value": [], "nextLink": f"{link}{number}"})._replace(size=100) for number in range(9)]
    one, script, _clock, _tokens = scripted(monkeypatch, *endless)
    with pytest.raises(NoAnswerError, match="the list has more than") as raised:
        pages(one, READ)
    assert (raised.value.code, len(script.requests)) == ("EndlessList", 3)


def test_a_default_port_that_is_said_is_the_same_host(monkeypatch: pytest.MonkeyPatch) -> None:
    link = "https://ARM.example:443/x?$skiptoken=a"
    one, script, _clock, _tokens = scripted(
        monkeypatch, answer(body={"value": [1], "nextLink": link}), answer(body={"value": [2]})
    )
    assert [page["value"] for page in pages(one, READ)] == [[1], [2]]
    assert script.requests[1].url.startswith("https://arm.example/x?$skiptoken=a")


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/x",
        "https://arm.example.evil.example/x",
        "https://arm.example:444/x",
        "https://arm.example:port/x",
        "https://someone@arm.example/x",
        "http://arm.example/x",
        "/x",
    ],
)
def test_a_page_elsewhere_is_refused_since_the_token_would_go_along(monkeypatch: pytest.MonkeyPatch, link: str) -> None:
    one, script, _clock, _tokens = scripted(monkeypatch, answer(body={"value": [], "nextLink": link}))
    with pytest.raises(NoAnswerError, match="another host"):
        pages(one, READ)
    assert len(script.requests) == 1


def test_a_list_that_goes_round_over_several_pages_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    links = [f"{CLOUD.resource_manager}/x?$skiptoken={number}" for number in (1, 2, 1)]
    one, script, _clock, _tokens = scripted(monkeypatch, *[answer(body={"nextLink": link}) for link in links])
    with pytest.raises(NoAnswerError, match="an earlier one"):
        pages(one, READ)
    assert len(script.requests) == 3


def test_what_would_be_done_twice_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    one, script, _clock, _tokens = scripted(monkeypatch, DROPPED)
    with pytest.raises(NoAnswerError):
        call(one, READ._replace(method="POST", again=False))
    assert len(script.requests) == 1
