# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each receiver accepts and refuses, and why."""

from __future__ import annotations

import base64
import json
import time
from email.utils import formatdate
from typing import Any

import pytest
from multidict import CIMultiDict

from lab.kernel.http import Call
from lab.receivers.data_collector import VERSION, DataCollector, authorization, signature
from lab.receivers.receiver import Receiver, Verdict
from lab.receivers.splunk import CODES, Collector
from lab.receivers.webhook import Fluency, Webhook

TOKEN = "11111111-2222-4333-8444-555555555555"
CHANNEL = "99999999-8888-4777-a666-555555555555"
COLLECTOR = "/services/collector"
AUTH = {"Authorization": f"Splunk {TOKEN}"}
OTHER = "Splunk 00000000-0000-4000-8000-000000000000"
EVENT = b'{"event": {"id": "1"}}'
WORKSPACE, KEY = "5f0e4a52-83f8-4a29-9c3e-5f5a0d1c2b3a", base64.b64encode(bytes(range(64))).decode()
SECRETS = (TOKEN, KEY, "right-value", "right-token", "bad-secret")


def ask(
    receiver: Receiver,
    path: str,
    body: bytes = EVENT,
    headers: dict[str, str] | None = None,
    method: str = "POST",
    query: str = "",
) -> tuple[int, Any, Verdict]:
    """(status, body, verdict); no verdict says a secret."""
    verdict = receiver.judge(Call(method, path, path.lower(), query, CIMultiDict(headers or {}), body))
    assert not any(secret in verdict.why for secret in SECRETS), verdict.why
    return verdict.reply.status, json.loads(verdict.reply.body or b"null"), verdict


# -- Splunk -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "options", "headers", "body", "query"),
    [
        (0, {}, AUTH, EVENT, ""),
        (0, {}, AUTH, EVENT + b"\n" + EVENT, ""),
        (0, {}, AUTH, b"[" + EVENT + b"," + EVENT + b"]", ""),
        (0, {}, {"Authorization": "Basic " + base64.b64encode(f"x:{TOKEN}".encode()).decode()}, EVENT, ""),
        (0, {"query_auth": True}, {}, EVENT, f"token={TOKEN}"),
        (0, {"strict": False}, AUTH, b'{"id": "1"}', ""),
        (0, {"ack": True}, AUTH | {"X-Splunk-Request-Channel": CHANNEL}, EVENT, ""),
        (0, {"indexes": ["soc"]}, AUTH, b'{"event": "x", "index": "soc", "fields": {"a": ["b"]}}', ""),
        (1, {"disabled": True}, AUTH, EVENT, ""),
        (2, {}, {}, EVENT, ""),
        (3, {}, {"Authorization": f"Splunkf {TOKEN}"}, EVENT, ""),
        (3, {}, {"Authorization": TOKEN}, EVENT, ""),
        (3, {}, {"Authorization": f"Bearer {TOKEN}"}, EVENT, ""),
        (3, {}, {"Authorization": "bad-secret and more"}, EVENT, ""),
        (3, {}, {"Authorization": "Basic !"}, EVENT, ""),
        (4, {}, {"Authorization": OTHER}, EVENT, ""),
        (4, {"ack": True}, {"Authorization": OTHER}, EVENT, ""),  # the token is judged before the channel
        (4, {}, {}, EVENT, "token=bad-secret"),
        (5, {}, AUTH, b" \n", ""),
        (5, {}, AUTH, b'{"event": "x", "workspaceId": "y"}', ""),
        (5, {}, AUTH, b'{"fields": {"a": "b"}}', ""),
        (6, {}, AUTH, b"{", ""),
        (6, {}, AUTH, b"[1]", ""),
        (7, {}, AUTH, b'{"event": "x", "index": "soc"}', ""),
        (8, {"broken": True}, AUTH, EVENT, ""),
        (9, {"busy": True}, AUTH, EVENT, ""),
        (10, {"ack": True}, AUTH, EVENT, ""),
        (28, {"ack": True, "cloud": True}, AUTH, EVENT, ""),
        (11, {}, AUTH | {"X-Splunk-Request-Channel": "mine"}, EVENT, ""),
        (12, {}, AUTH, b'{"id": "1"}', ""),
        (13, {}, AUTH, b'{"event": ""}', ""),
        (15, {}, AUTH, b'{"event": "x", "fields": {"a": {"b": 1}}}', ""),
        (15, {}, AUTH, b'{"event": "x", "fields": []}', ""),
        (16, {}, {}, EVENT, f"token={TOKEN}"),
    ],
)
def test_splunk_codes(code: int, options: dict[str, Any], headers: dict[str, str], body: bytes, query: str) -> None:
    collector = Collector(token=TOKEN)
    collector.change(options)
    status, answer, verdict = ask(collector, COLLECTOR, body, headers, query=query)
    assert (answer["code"], answer["text"], status) == (code, CODES[code][1], CODES[code][0])
    assert verdict.accepted is (code == 0)
    assert f"code {code}" in verdict.why


@pytest.mark.parametrize(
    ("third", "code", "number"),
    [
        (b'{"no": 1}', 12, 2),
        (b'{"event": ""}', 13, 2),
        (b"{", 6, 2),
        (b'{"event": 1, "index": "x"}', 7, 3),
        (b'{"event": 1, "fields": 1}', 15, 2),
    ],
)
def test_splunk_stores_what_stands_before_a_wrong_event(third: bytes, code: int, number: int) -> None:
    body = EVENT + b'{"event": "y"}' + third + EVENT
    status, answer, verdict = ask(Collector(token=TOKEN), COLLECTOR, body, AUTH)
    assert (status, answer["code"], answer["invalid-event-number"]) == (400, code, number)
    assert verdict.events == [{"event": {"id": "1"}}, {"event": "y"}]


def test_splunk_is_silent_about_some_events() -> None:
    """Success, but less is stored than was sent: an unknown key ends it, an event of fields alone is left out."""
    collector = Collector(token=TOKEN)
    for beside in (b'{"event": "y", "unknown": 1}', b'{"fields": {"a": 1}}'):
        status, answer, verdict = ask(collector, COLLECTOR, EVENT + beside, AUTH)
        assert (status, answer["code"], len(verdict.events)) == (200, 0, 1)


def test_splunk_endpoints() -> None:
    collector = Collector(token=TOKEN)
    for path in ("", "/event", "/event/1.0"):
        assert ask(collector, COLLECTOR + path, EVENT, AUTH)[0] == 200
    assert ask(collector, f"{COLLECTOR}/raw", b"one\ntwo", AUTH)[2].events == ["one", "two"]
    assert ask(collector, f"{COLLECTOR}/health", b"", {}, "GET")[1] == {"text": "HEC is healthy", "code": 17}
    assert ask(collector, f"{COLLECTOR}/health", b"", {"Authorization": OTHER}, "GET")[1]["code"] == 21
    assert ask(collector, COLLECTOR, b"", {}, "OPTIONS")[0] == 200
    assert ask(collector, f"{COLLECTOR}/events", EVENT, AUTH)[0] == 404
    assert ask(collector, "/event", EVENT, AUTH)[0] == 404
    assert ask(collector, COLLECTOR, b"", AUTH, "GET")[0] == 405
    collector.change({"busy": True})
    assert ask(collector, f"{COLLECTOR}/health", b"", {}, "GET")[0] == 503


def test_splunk_acknowledges() -> None:
    collector = Collector(token=TOKEN)
    channel = AUTH | {"X-Splunk-Request-Channel": CHANNEL}
    assert ask(collector, f"{COLLECTOR}/ack", b'{"acks": [0]}', channel)[1]["code"] == 14
    collector.change({"ack": True})
    assert [ask(collector, COLLECTOR, EVENT, channel)[1]["ackId"] for _ in range(2)] == [0, 1]
    answer = ask(collector, f"{COLLECTOR}/ack", b'{"acks": [0, 1, 2]}', channel)[1]
    assert answer == {"acks": {"0": True, "1": True, "2": False}}
    assert ask(collector, f"{COLLECTOR}/ack", b"{}", channel)[1]["code"] == 6


# -- Azure ------------------------------------------------------------------------------------------------------------


def azure_headers(
    body: bytes, date: str = "", content_type: str = "application/json", key: str = KEY
) -> dict[str, str]:
    date = date or formatdate(usegmt=True)
    return {
        "Content-Type": content_type,
        "Log-Type": "Coro",
        "x-ms-date": date,
        "Authorization": authorization(WORKSPACE, key, date, len(body), content_type),
    }


def test_azure_accepts() -> None:
    collector = DataCollector(workspace_id=WORKSPACE.upper(), primary_key=KEY)
    for body, count in (('{"id": "ü"}'.encode(), 1), (b'[{"id": 1}, {"id": 2}]', 2)):
        for kind in ("application/json", "application/json; charset=utf-8"):
            headers = azure_headers(body, content_type=kind)
            status, answer, verdict = ask(collector, "/api/logs", body, headers, query=f"api-version={VERSION}")
            assert (status, answer, len(verdict.events)) == (200, None, count)
            assert "Coro_CL" in verdict.why


def test_the_signature_is_that_of_other_implementations() -> None:
    """Made with `openssl dgst -sha256 -mac HMAC` over the documented string; key of vector's tests of this API."""
    key = "SERsIYhgMVlJB6uPsq49gCxNiruf6v0vhMYE+lfzbSGcXjdViZdV/e5pEMTYtw9f8SkVLf4LFlLCc2KxtRZfCA=="
    made = signature(key, "Mon, 31 Aug 2020 12:00:00 GMT", 1024, "application/json")
    assert made == "sCPcFkQ6FWyML15QgwbyH/VOlHDY/sXkbNjIaA+zNcc="
    with pytest.raises(ValueError, match="base64"):
        signature("no base64!", "", 0, "")


@pytest.mark.parametrize(
    ("change", "query", "status", "code"),
    [
        ({}, "", 400, "MissingApiVersion"),
        ({}, "api-version=2015-01-01", 400, "InvalidApiVersion"),
        ({"Content-Type": ""}, None, 400, "MissingContentType"),
        ({"Content-Type": "text/plain"}, None, 400, "UnsupportedContentType"),
        ({"Content-Type": "application/json;charset=utf-8"}, None, 403, "InvalidAuthorization"),
        ({"Log-Type": ""}, None, 400, "MissingLogType"),
        ({"Log-Type": "Coro-Logs"}, None, 400, "InvalidLogType"),
        ({"Log-Type": "C" * 101}, None, 400, "InvalidLogType"),
        ({"Authorization": ""}, None, 403, "InvalidAuthorization"),
        ({"Authorization": "SharedKey bad-secret"}, None, 403, "InvalidAuthorization"),
        ({"Authorization": f"SharedKey {CHANNEL}:x"}, None, 400, "InvalidCustomerId"),
        ({"Authorization": "SharedKey nobody:x"}, None, 400, "InvalidCustomerId"),
        ({"Authorization": f"SharedKey {WORKSPACE}:x"}, None, 403, "InvalidAuthorization"),
        ({"x-ms-date": "yesterday"}, None, 403, "InvalidAuthorization"),
        ({"x-ms-date": formatdate(time.time() - 30, usegmt=True)}, None, 403, "InvalidAuthorization"),
    ],
)
def test_azure_refuses(change: dict[str, str], query: str | None, status: int, code: str) -> None:
    collector = DataCollector(workspace_id=WORKSPACE, primary_key=KEY)
    headers = azure_headers(EVENT) | change
    version = f"api-version={VERSION}" if query is None else query
    found, answer, verdict = ask(collector, "/api/logs", EVENT, headers, query=version)
    assert (found, answer["Error"], verdict.accepted) == (status, code, False)


def test_azure_refuses_wrong_keys_dates_bodies_and_paths() -> None:
    collector = DataCollector(workspace_id=WORKSPACE, primary_key=KEY)

    def code(body: bytes = EVENT, path: str = "/api/logs", **signed: str) -> str:
        return str(
            ask(collector, path, body, azure_headers(body, **signed), query=f"api-version={VERSION}")[1]["Error"]
        )

    assert code(key=base64.b64encode(b"another").decode()) == "InvalidAuthorization"
    assert code(date=formatdate(time.time() - 3600, usegmt=True)) == "InvalidAuthorization"
    assert [code(body) for body in (b"", b"{", b"[]", b"[1]", b'"x"')] == ["InvalidDataFormat"] * 5
    assert code(path="/api/log") == "NotFound"
    for option, wanted in (
        ("closed", "InactiveCustomer"),
        ("throttled", "TooManyRequests"),
        ("busy", "ServiceUnavailable"),
    ):
        collector.change({option: True})
        assert code() == wanted
        collector.change({option: False})


# -- webhooks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status", "why"),
    [
        ({"x-KEY": "right-value", "X-Org": "soc"}, 200, "headers X-Key, X-Org verified"),
        ({"X-Key": "right-value"}, 401, "no header X-Org"),
        ({"X-Key": "bad-secret", "X-Org": "soc"}, 401, "wrong value of header X-Key"),
        ({"X-Key": "right-value ", "X-Org": "soc"}, 401, "wrong value of header X-Key"),
    ],
)
def test_webhook(headers: dict[str, str], status: int, why: str) -> None:
    hook = Webhook(headers={"X-Key": "right-value", "X-Org": "soc"})
    found, _answer, verdict = ask(hook, "/hooks/any", EVENT, headers)
    assert (found, verdict.accepted) == (status, status == 200)
    assert why in verdict.why
    assert ask(hook, "/hooks", b"x=1", {"X-Key": "right-value", "X-Org": "soc"})[0] == 400
    assert ask(hook, "/hooks", b"", {"X-Key": "right-value", "X-Org": "soc"}, "GET")[0] == 405
    hook.change({"status": 202})
    assert ask(hook, "/hooks", b"[1, 2]", {"X-Key": "right-value", "X-Org": "soc"})[::2][0] == 202


@pytest.mark.parametrize(
    ("headers", "query", "status", "why"),
    [
        ({"Authorization": "Bearer right-token"}, "", 200, "Authorization: Bearer"),
        ({"Authorization": "Token right-token"}, "", 200, "Authorization: Token"),
        ({"Authorization": "right-token"}, "", 200, "token found as Authorization"),
        ({"x-api-key": "right-token"}, "", 200, "header X-API-Key"),
        ({}, "access_token=right-token", 200, "query access_token"),
        ({"Authorization": "Bearer bad-secret", "Token": "right-token"}, "", 200, "header Token"),
        ({"Authorization": "Bearer bad-secret"}, "", 401, "wrong token as Authorization: Bearer"),
        ({"Authorization": "bad-secret and more"}, "", 401, "wrong token"),
        ({}, "", 401, "no token in any known place"),
    ],
)
def test_fluency(headers: dict[str, str], query: str, status: int, why: str) -> None:
    found, _answer, verdict = ask(Fluency(token="right-token"), "/fluency", EVENT, headers, query=query)
    assert found == status
    assert why in verdict.why


# -- what all have ----------------------------------------------------------------------------------------------------


def test_records_and_options() -> None:
    hook = Webhook(headers={})
    call = Call("POST", "/hooks", "/hooks", "a=1", CIMultiDict({"X": "y"}), b'{"id": 1}')
    reply, record = hook.receive(call, "192.0.2.7")
    assert (reply.status, record.body, record.headers, record.query) == (200, '{"id": 1}', {"X": "y"}, "a=1")
    assert record.line().endswith("generic  192.0.2.7 POST /hooks 200 accepted: events: 1, no headers to verify")
    rude = Call("POST", "/hooks/\n\x1b[2J" + "x" * 900, "/hooks", "", CIMultiDict(), b"{}")
    line = Webhook(headers={}).receive(rude)[1].line()
    assert (line.isprintable(), len(line)) == (True, 400)
    for answer, status in (("401", 401), ("500", 500), ("redirect", 302), ("timeout", 0), ("drop", 0)):
        hook.change({"answer": answer})
        assert hook.receive(call)[0].status == status
    assert call.extra["Location"] == "/hooks/moved"
    assert [one.number for one in hook.records] == [1, 2, 3, 4, 5, 6]
    assert [one.accepted for one in hook.records] == [True] + [False] * 5
    for wrong in ({"speed": 1}, {"answer": "maybe"}, {"answer": 1000}):
        with pytest.raises(ValueError, match="receiver 'generic'"):
            hook.change(wrong)
    with pytest.raises(ValueError, match="takes no 'on'"):
        Collector(token=TOKEN).change({"ack": "on"})
