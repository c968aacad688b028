# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What handlers take and give: Call, Reply, Refusal, and the two shapes of errors that most vendors have."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from aiohttp import web


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a token speaks for: principal `oid` of client `appid` in tenant `tid`, or the user `oid` by that client."""

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
    args: Mapping[str, str] = field(default_factory=dict)  # parts of the path that a route names

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


Handler = Callable[[Any, Call], Reply | Coroutine[Any, Any, Reply]]  # the first is the state of its vendor


def dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def ok(value: Any, status: int = 200) -> Reply:
    return Reply(status, dumps(value))


def nested(status: int, code: str, message: str, **more: Any) -> Refusal:
    """{"error": {"code", "message"}}"""
    return Refusal(Reply(status, dumps({"error": {"code": code, "message": message, **more}})))


def flat(status: int, code: str, message: str) -> Refusal:
    """{"code", "message"}"""
    return Refusal(Reply(status, dumps({"code": code, "message": message})))
