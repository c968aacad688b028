# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What handlers take and give: Call, Reply, and the two error shapes of Azure (facts azure.md §2.3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from aiohttp import web

    from lab.app import Lab


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a token speaks for: service principal `oid` of app `appid` in tenant `tid`, or the user `oid` by that app."""

    tid: str
    oid: str
    appid: str
    audience: str
    expires: float  # real seconds
    roles: frozenset[str] = frozenset()  # names of the app roles, or ids of the user's directory roles (wids)
    user: bool = False


@dataclass(slots=True)
class Call:
    """One request. `path` is decoded and has no doubled slashes; `low` is its lower case, of the same length."""

    method: str
    path: str
    low: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes = b""
    principal: Principal | None = None
    auxiliary: list[Principal] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)  # headers of the answer
    name: str = ""  # what the router cut from the end of the path: a setting's or category's name
    scope: str = ""  # what stands before it: the id of the target, as the caller spelled it

    @property
    def query(self) -> dict[str, str]:
        return {key.lower(): value for key, value in parse_qsl(self.query_string, keep_blank_values=True)}

    @property
    def who(self) -> Principal:
        assert self.principal is not None
        return self.principal


@dataclass(slots=True)
class Reply:
    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    stream: Callable[[web.BaseRequest], Coroutine[Any, Any, web.StreamResponse]] | None = None  # instead of a body


class Refusal(Exception):
    """A handler's «no»: raised deep, answered as `reply`."""

    def __init__(self, reply: Reply, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reply.status)
        self.reply = reply
        self.headers = dict(headers or {})


Handler = Callable[["Lab", Call], Reply | Coroutine[Any, Any, Reply]]


def dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def ok(value: Any, status: int = 200) -> Reply:
    return Reply(status, dumps(value))


def nested(status: int, code: str, message: str, **more: Any) -> Refusal:
    """ARM's own shape: {"error": {"code", "message"}}."""
    return Refusal(Reply(status, dumps({"error": {"code": code, "message": message, **more}})))


def flat(status: int, code: str, message: str) -> Refusal:
    """The shape of the Microsoft.Insights resource provider: {"code", "message"}."""
    return Refusal(Reply(status, dumps({"code": code, "message": message})))


def json_object(call: Call) -> dict[str, Any]:
    """The body as an object, or 400 in ARM's words."""
    try:
        value = json.loads(call.body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise nested(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.")
    return value
