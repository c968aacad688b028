# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Splunk's HTTP Event Collector.

Codes, texts and statuses: «Troubleshoot HTTP Event Collector» in Splunk's documentation. Measured by others on Splunk
Enterprise 10.4 and Splunk Cloud 10.5 (ross/logit, docs/plans/splunk-relay.md): the token is judged before channel and
query string; what stands before a wrong event is indexed; what becomes of unknown keys and of events that have only
`fields`; code 28; 404, 405 and OPTIONS. Assumed: the order of the other checks, and which indexes there are.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from lab.kernel.http import Call, Reply, dumps
from lab.receivers.receiver import Receiver, Verdict, scheme_of

CODES: dict[int, tuple[int, str]] = {
    0: (200, "Success"),
    1: (403, "Token disabled"),
    2: (401, "Token is required"),
    3: (401, "Invalid authorization"),
    4: (403, "Invalid token"),
    5: (400, "No data"),
    6: (400, "Invalid data format"),
    7: (400, "Incorrect index"),
    8: (500, "Internal server error"),
    9: (503, "Server is busy"),
    10: (400, "Data channel is missing"),
    11: (400, "Invalid data channel"),
    12: (400, "Event field is required"),
    13: (400, "Event field cannot be blank"),
    14: (400, "ACK is disabled"),
    15: (400, "Error in handling indexed fields"),
    16: (400, "Query string authorization is not enabled"),
    17: (200, "HEC is healthy"),
    18: (503, "HEC is unhealthy, queues are full"),
    21: (400, "Invalid token"),  # of /health
    28: (
        400,
        "Data channel is missing. If you have multiple indexers, sticky session load balancers must be provisioned and "
        "client requests must be routed accordingly.",
    ),  # Splunk Cloud's form of 10
}
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_EVENT = frozenset({"", "/event", "/event/1.0"})
_RAW = frozenset({"/raw", "/raw/1.0"})
_HEALTH = frozenset({"/health", "/health/1.0"})
_ROOT = "/services/collector"
_KEYS = frozenset({"time", "host", "source", "sourcetype", "index", "event", "fields"})


class Answer(Exception):
    """A HEC answer that ends the judgement; raised deep. `at` is the wrong event's number."""

    def __init__(self, code: int, why: str = "", at: int | None = None) -> None:
        super().__init__(code)
        self.code, self.why = code, why
        self.more = {} if at is None else {"invalid-event-number": at}
        self.taken: list[Any] = []  # events before it, which are stored all the same


class Collector(Receiver):
    """Secret: token. Options:

    ack: indexer acknowledgement is on, so that a channel is required (the trap of Coro's guide); cloud: says so by code
    28; disabled: the token is; strict: an event must have the key `event` (code 12), otherwise a bare object is taken
    as it is; query_auth: ?token= is allowed; indexes: which may be named; busy: code 9, and 18 on /health; broken: 8.
    """

    name: ClassVar[str] = "splunk"
    needs: ClassVar[str] = "Authorization: Splunk <token>"
    path: ClassVar[str] = _ROOT
    defaults: ClassVar[dict[str, Any]] = {
        "ack": False,
        "cloud": False,
        "disabled": False,
        "strict": True,
        "query_auth": False,
        "indexes": ("main",),
        "busy": False,
        "broken": False,
    }

    def reset(self) -> None:
        super().reset()
        self._acks: dict[str, int] = {}  # channel -> requests acknowledged

    def judge(self, call: Call) -> Verdict:
        """POST /services/collector[/event|/raw|/ack], GET /services/collector/health."""
        try:
            return self._serve(call)
        except Answer as answer:
            status, text = CODES[answer.code]
            body = {"text": text, "code": answer.code, **answer.more}
            why = f"code {answer.code}: {answer.why or text}"
            return Verdict(Reply(status, dumps(body)), False, why, answer.taken)

    def _serve(self, call: Call) -> Verdict:
        tail = call.low.removeprefix(_ROOT) if call.low.startswith(_ROOT) else None
        if tail is None or tail not in _EVENT | _RAW | _HEALTH | {"/ack"}:
            return Verdict(_nowhere(404), False, "no endpoint of HEC")
        wanted = "GET" if tail in _HEALTH else "POST"
        if call.method == "OPTIONS":
            call.extra["Allow"] = f"{wanted},OPTIONS"
            return Verdict(Reply(200), True, "asked what is allowed")
        if call.method != wanted:
            return Verdict(_nowhere(405), False, f"{call.method} instead of {wanted}")
        if tail in _HEALTH:
            return self._health(call)
        how = self._token(call)
        channel = self._channel(call)
        if tail == "/ack":
            return self._acknowledged(call, channel)
        if self.options["broken"] or self.options["busy"]:
            raise Answer(8 if self.options["broken"] else 9)
        if not call.body.strip():
            raise Answer(5)
        events = call.body.decode("utf-8", "replace").splitlines() if tail in _RAW else self._events(call)
        return Verdict(self._success(channel), True, f"code 0, events: {len(events)}, {how}", events)

    def _health(self, call: Call) -> Verdict:
        """A wrong token is documented as code 21, though others saw 200; no token is asked for."""
        header = call.headers.get("Authorization", "")
        if header and _from_header(header) != self.secrets["token"]:
            raise Answer(21)
        code = 18 if self.options["busy"] else 17
        return Verdict(_said(code), code == 17, f"code {code}: {CODES[code][1]}")

    def _token(self, call: Call) -> str:
        """How the token came; 1 to 4 and 16 where it is not right."""
        header = call.headers.get("Authorization", "")
        given, how = _from_header(header), "token in the header"
        if not header:
            given, how = call.query.get("token", ""), "token in the query"
            if not given:
                raise Answer(2, "no Authorization header")
        if given != self.secrets["token"]:
            raise Answer(4, f"the token is not ours{_shape(given)}")
        if self.options["disabled"]:
            raise Answer(1)
        if not header and not self.options["query_auth"]:
            raise Answer(16)
        return how

    def _channel(self, call: Call) -> str:
        channel = call.headers.get("X-Splunk-Request-Channel") or call.query.get("channel", "")
        if not channel and self.options["ack"]:
            code = 28 if self.options["cloud"] else 10
            raise Answer(code, "indexer acknowledgement is on: switch it off, or send a channel")
        if channel and not _GUID.fullmatch(channel):
            raise Answer(11)
        return channel

    def _events(self, call: Call) -> list[Any]:
        """What is stored of JSON objects one behind the other, or an array of them."""
        taken: list[Any] = []
        try:
            for number, event in enumerate(_objects(call.body)):
                self._check(event, number)
                if "event" in event or not self.options["strict"]:
                    if "event" in event and not event.keys() <= _KEYS:
                        break
                    taken.append(event if "event" in event else {"event": event})
        except Answer as answer:
            answer.taken = taken
            raise
        if not taken:
            raise Answer(5, "an unknown key beside 'event', or nothing but 'fields'")
        return taken

    def _check(self, event: Any, number: int) -> None:
        if not isinstance(event, dict):
            raise Answer(6, "an event is no object", number)
        if "event" not in event and "fields" not in event and self.options["strict"]:
            raise Answer(12, f"no key 'event', but {', '.join(sorted(event)[:5]) or 'nothing'}", number)
        if event.get("event", event) in ("", None, {}, []):
            raise Answer(13, at=number)
        if event.get("index", "") and event["index"] not in self.options["indexes"]:
            raise Answer(7, f"index '{event['index']}' is not one of the token's", number + 1)
        fields = event.get("fields", {})
        if not isinstance(fields, dict) or any(isinstance(value, dict) for value in fields.values()):
            raise Answer(15, "fields must be a flat object", number)

    def _success(self, channel: str) -> Reply:
        if not self.options["ack"]:
            return _said(0)
        number = self._acks.get(channel, 0)
        self._acks[channel] = number + 1
        return _said(0, ackId=number)

    def _acknowledged(self, call: Call, channel: str) -> Verdict:
        """POST /services/collector/ack {"acks": [0, 1]}; all that was taken is acknowledged at once (assumed)."""
        if not self.options["ack"]:
            raise Answer(14)
        try:
            asked = [int(number) for number in json.loads(call.body)["acks"]]
        except (ValueError, KeyError, TypeError):
            raise Answer(6) from None
        done = {str(number): number < self._acks.get(channel, 0) for number in asked}
        return Verdict(Reply(200, dumps({"acks": done})), True, f"{sum(done.values())} of {len(done)} acknowledged")


def _nowhere(status: int) -> Reply:
    return Reply(status, dumps({"text": "The requested URL was not found on this server.", "code": 404}))


def _said(code: int, **more: Any) -> Reply:
    status, text = CODES[code]
    return Reply(status, dumps({"text": text, "code": code, **more}))


def _from_header(header: str) -> str:
    """The token of «Splunk TOKEN» or of Basic authentication, whose password it is; code 3 for anything else."""
    scheme, rest = scheme_of(header)
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            raise Answer(3, "the Basic authorization is not base64") from None
    if header and scheme.lower() != "splunk":
        raise Answer(3, "the header must be «Splunk <token>»" + (f", and begins with «{scheme}»" if scheme else ""))
    return rest


def _shape(given: str) -> str:
    return "" if _GUID.fullmatch(given) else ", nor a GUID"


def _objects(body: bytes) -> Iterator[Any]:
    text, decoder, at, number = body.decode("utf-8", "replace"), json.JSONDecoder(), 0, 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError:
            raise Answer(6, "not JSON", number) from None
        for one in value if isinstance(value, list) else [value]:
            yield one
            number += 1
