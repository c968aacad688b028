# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests as they go out, what is tried again, and what a refusal says; over scripted answers and a clock."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from multidict import CIMultiDict

from ansible_collections.mssp.onboarding.plugins.module_utils._core import client as skeleton
from ansible_collections.mssp.onboarding.plugins.module_utils._core import http, throttle, token_cache
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import (
    NoAnswerError,
    OnboardingError,
    RefusedError,
    SignInError,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._core.redaction import Redactor
from ansible_collections.mssp.onboarding.plugins.module_utils._coro import client, options
from ansible_collections.mssp.onboarding.plugins.module_utils._coro.client import Call, Coro
from ansible_collections.mssp.onboarding.plugins.module_utils._coro.profile import ASSUMED, TEST_EVENT_FAILED
from tests.unit.plugins.module_utils._coro.builders import params

READ = Call("GET", "/v1/siem-connectors", "list the SIEM connectors of w", "w")
MAKE = Call("POST", "/v1/siem-connectors", "create it", "w", {"name": "soc"}, again=False)
CUT = NoAnswerError(READ.operation, "cut")


def answer(status: int = 200, body: Any = None, **headers: str) -> http.Answer:
    return http.Answer(status, CIMultiDict({name.replace("_", "-"): text for name, text in headers.items()}), body)


def token(text: str = "canary-1", life: int = 86400) -> http.Answer:
    return answer(200, {"access_token": text, "token_type": "Bearer", "expires_in": life})


class Script:
    """Answers in order; every request is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: http.Answer | Exception) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, str, dict[str, str], Any]] = []
        self.now = 1000.0
        self.lasts = 0.0  # seconds until a request fails
        self.slept: list[float] = []
        self.redactor = Redactor()
        monkeypatch.setattr(http, "send", self._send)
        monkeypatch.setattr(asyncio, "sleep", self._sleep)
        for module in (client, skeleton):
            monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now, time=lambda: self.now))
        monkeypatch.setattr(token_cache, "time", SimpleNamespace(time=lambda: self.now))
        monkeypatch.setattr(token_cache, "cache", token_cache.TokenCache())
        self.coro = self.another()

    def another(self, **more: Any) -> Coro:
        made = Coro(None, options.identity(params(**more)), self.redactor)
        made.buckets = throttle.Buckets(dict(Coro.LIMITS), lambda: self.now)
        return made

    async def _send(
        self, _client: Any, method: str, url: str, *, operation: str, headers: Any, body: Any, form: Any
    ) -> Any:
        self.sent.append((method, url, dict(headers), body))
        assert self.answers, f"nobody expected {method} {url}"
        given = self.answers.pop(0)
        if isinstance(given, Exception):
            self.now += self.lasts
            raise given
        return given

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += max(seconds, 1e-9)

    def call(self, call: Call = READ) -> Any:
        return asyncio.run(self.coro.call(call))

    def refused(self, call: Call = READ) -> OnboardingError:
        with pytest.raises(OnboardingError) as caught:
            self.call(call)
        return caught.value


def test_the_token_call_and_a_request_are_as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(monkeypatch, token(), answer(200, {"ok": True}))
    assert script.call() == {"ok": True}
    sign_in, request = script.sent
    assert sign_in[:2] == ("POST", "https://coro.example/oauth/token")
    assert sign_in[3] == {
        "client_id": "coro-contoso",
        "client_secret": "canary-secret",
        "audience": "https://secure.coro.net/api",
        "grant_type": "client_credentials",
    }
    assert request[1] == "https://coro.example/v1/siem-connectors"
    assert request[2]["Authorization"] == "Bearer canary-1"
    assert request[2]["Workspace"] == "w"
    assert script.redactor("canary-1") == "VALUE_HIDDEN"


def test_one_token_serves_until_shortly_before_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(monkeypatch, token(), answer(), answer(), token("canary-2"), answer())
    script.call()
    script.coro = script.another()
    script.call()
    script.now += 86400 - client.REFRESH_SECONDS + 1
    script.call()
    assert [sent[2].get("Authorization") for sent in script.sent if "oauth" not in sent[1]] == [
        "Bearer canary-1",
        "Bearer canary-1",
        "Bearer canary-2",
    ]


def test_a_refused_token_is_replaced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(monkeypatch, token(), answer(401), token("canary-2"), answer(200, 1))
    assert script.call() == 1
    again = Script(monkeypatch, token(), answer(401), token("canary-2"), answer(401, {"code": "UNAUTHORIZED"}))
    assert again.refused().status == 401
    again.answers = [answer(401), answer(401)]
    again.refused()  # not signed in again so soon
    assert sum("oauth" in sent[1] for sent in again.sent) == 2


def test_a_refused_sign_in_is_said_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(monkeypatch, answer(401, {"code": "INVALID_CLIENT", "message": "wrong"}, X_Coro_Trace_Id="t-1"))
    error = script.refused()
    assert isinstance(error, SignInError)
    assert (error.code, error.status, error.request_id) == ("INVALID_CLIENT", 401, "t-1")
    assert "region" in error.next_step
    assert script.refused() is error


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"access_token": ""}, {"access_token": 7}, {"access_token": "canary-1", "expires_in": "soon"}],
)
def test_a_token_of_another_shape(monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    assert Script(monkeypatch, answer(200, body)).refused().code == "BadShape"


def test_what_may_pass_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(monkeypatch, token(), answer(503), CUT, answer(429, Retry_After="7"), answer(200, 1))
    assert script.call() == 1
    assert sum(script.slept) >= 7
    assert script.coro.throttled == 1


def test_it_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(monkeypatch, token(), *[answer(503)] * http.ATTEMPTS)
    assert script.refused().status == 503
    again = Script(monkeypatch, token(), *[CUT] * http.ATTEMPTS)
    assert again.refused() is CUT


def test_a_silent_endpoint_is_given_up_within_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(monkeypatch, token(), *[CUT] * skeleton.SILENT_CALLS)
    script.lasts, began = float(http.TOTAL_SECONDS), script.now
    for _call in range(skeleton.SILENT_CALLS):
        assert script.refused() is CUT
    for _customer in range(500):
        assert script.refused().code == "NotTried"
    assert "list the SIEM connectors of w" in str(script.refused())
    assert script.now - began <= 1 + skeleton.SILENT_CALLS * http.TOTAL_SECONDS


def test_one_answer_in_between_says_that_coro_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(monkeypatch, token(), *[CUT, CUT, answer(200, 1)] * 2)
    script.lasts = float(http.TOTAL_SECONDS)
    for _round in range(2):
        assert [script.refused(), script.refused(), script.call()] == [CUT, CUT, 1]


def test_calls_that_fail_fast_are_all_tried_until_the_endpoint_has_been_silent_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = Script(monkeypatch, token(), *[CUT] * 100)
    said = script.refused()
    while said is CUT:
        began, said = script.now, script.refused()
    assert began - 1000 >= skeleton.SILENCE_SECONDS
    assert len(script.sent) - 1 >= 2 * http.ATTEMPTS


def test_what_is_no_json_is_an_answer_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    html = NoAnswerError(READ.operation, "the answer is not JSON", code="BadJson", status=200)
    script = Script(monkeypatch, token(), *[html] * http.ATTEMPTS * (skeleton.SILENT_CALLS + 1))
    for _call in range(skeleton.SILENT_CALLS + 1):
        assert script.refused() is html


@pytest.mark.parametrize("failure", [CUT, answer(502)])
def test_a_create_is_not_simply_tried_again(monkeypatch: pytest.MonkeyPatch, failure: Any) -> None:
    script = Script(monkeypatch, token(), failure)
    script.refused(MAKE)
    assert len(script.sent) == 2


def test_a_throttled_create_is(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(monkeypatch, token(), answer(429, Retry_After="1"), answer(201, 1))
    assert script.call(MAKE) == 1


REFUSALS = [
    (403, {"code": "INHERITED", "message": "m"}, "INHERITED", "channel workspace"),
    (409, {"code": "NAME_TAKEN", "message": "m"}, "NAME_TAKEN", "another name"),
    (403, {"message": "m"}, "HTTP403", "admin's rights"),
    (404, "gone", "HTTP404", "run again"),
    (422, {"code": "VALIDATION_FAILED", "message": "m", "errors": [{"field": "name", "message": "is required"}]},
     "VALIDATION_FAILED", "options that the text names"),
    (418, None, "HTTP418", "trace id"),
    (400, {"code": "X", "message": "m", "errors": 7}, "X", "options that the text names"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "code", "step"), REFUSALS)
def test_refusals_name_coros_code_text_trace_and_the_next_step(
    monkeypatch: pytest.MonkeyPatch, status: int, body: Any, code: str, step: str
) -> None:
    error = Script(monkeypatch, token(), answer(status, body, X_Coro_Trace_Id="trace-9")).refused()
    assert isinstance(error, RefusedError)
    assert (error.status, error.code, error.request_id) == (status, code, "trace-9")
    assert step in error.next_step
    assert "list the SIEM connectors of w" in str(error)
    if isinstance(body, dict) and isinstance(body.get("errors"), list):
        assert "name is required" in error.message


@pytest.mark.parametrize(
    ("receiver", "step"),
    [
        ({"status": 400, "body": json.dumps({"text": "Data channel is missing", "code": 10})}, "acknowledgment"),
        ({"status": 403, "body": json.dumps({"text": "Invalid token", "code": 4})}, "token in authorization"),
        ({"status": 401, "body": "no"}, "check the secret"),
        ({"status": 404, "body": "no"}, "listener_url"),
        ({"status": None, "body": "timed out"}, "receiver runs"),
        ({"status": 418, "body": "{}"}, "receiver's answer"),
        (None, "receiver runs"),
    ],
)
def test_a_refused_test_event_says_what_the_receiver_said(
    monkeypatch: pytest.MonkeyPatch, receiver: Any, step: str
) -> None:
    body = {"code": "TEST_EVENT_FAILED", "message": "m.", "receiver": receiver}
    error = Script(monkeypatch, token(), answer(422, body)).refused()
    assert "Nothing was saved" in error.message
    assert step in error.next_step
    if receiver:
        assert receiver["body"] in error.message


def test_a_confirmed_profile_brings_its_own_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = {**ASSUMED["errors"], "name_taken": "duplicateName", "test_event_failed": "webhookRefused"}
    script = Script(monkeypatch, token(), *(answer(409, {"code": code}) for code in ("duplicateName", "NAME_TAKEN")))
    script.coro = script.another(profile={**ASSUMED, "errors": errors})
    told = script.refused()
    assert (told.code, told.next_step) == ("duplicateName", client.NEXT_STEPS["name_taken"])
    assert script.refused().next_step == client.STATUS_STEPS[409]
    script.answers = [answer(422, {"code": "webhookRefused", "message": "m"})]
    assert "Nothing was saved" in script.refused().message


def test_every_code_of_the_profile_has_a_next_step() -> None:
    assert set(client.NEXT_STEPS) == set(ASSUMED["errors"]) - {TEST_EVENT_FAILED}


class TestPages:
    def pages(self, script: Script, call: Call = READ) -> Any:
        async def read() -> list[Any]:
            return [item async for page in script.coro.listed(call, 2) for item in page]

        return asyncio.run(read())

    def test_until_all_have_come(self, monkeypatch: pytest.MonkeyPatch) -> None:
        first, last = {"items": [1, 2], "totalElements": 3}, {"items": [3], "totalElements": 3}
        script = Script(monkeypatch, token(), answer(200, first), answer(200, last))
        assert self.pages(script) == [1, 2, 3]
        assert [sent[1].partition("?")[2] for sent in script.sent[1:]] == ["page=0&pageSize=2", "page=1&pageSize=2"]

    def test_a_post_pages_by_its_body(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = Script(monkeypatch, token(), answer(200, {"items": [], "totalElements": 0}))
        assert self.pages(script, READ._replace(method="POST")) == []
        assert script.sent[1][3] == {"page": 0, "pageSize": 2}

    def test_a_list_that_is_cut_short_is_not_taken_for_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = Script(monkeypatch, token(), answer(200, {"items": [], "totalElements": 3}))
        with pytest.raises(NoAnswerError) as caught:
            self.pages(script)
        assert caught.value.code == "ListCutShort"

    @pytest.mark.parametrize("body", [None, [], {}, {"items": 1, "totalElements": 1}, {"items": []}])
    def test_another_shape(self, monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
        with pytest.raises(NoAnswerError) as caught:
            self.pages(Script(monkeypatch, token(), answer(200, body)))
        assert caught.value.code == "BadShape"
