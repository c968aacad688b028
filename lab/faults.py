# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: which requests to spoil, and how."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from dataclasses import dataclass, field, fields
from typing import Any

from aiohttp import web

from lab import coro_api, falcon_api
from lab.wire import Call, Reply, dumps

HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
_ids = itertools.count(1)


@dataclass(slots=True)
class Fault:
    """Matches when every given criterion does. `path` is a part of the path, or a regex after `re:`; no case.

    action: status (with `status`, `code`, `message`, `shape` nested|flat, `headers`; Coro and CrowdStrike have their
    own shapes, the latter no code), throttle (429 with `seconds` as Retry-After), slow (waits `seconds`, then answers),
    hang, drop (before anything is done), drop_after (done, but the answer is lost), partial (a Log Analytics answer
    with an error beside its rows), malformed (JSON cut short), truncated (connection ends before Content-Length), html,
    empty.
    `after`: so many matching requests pass first. `count`: then so many are spoilt; None is without end.
    """

    action: str
    method: str | None = None
    path: str | None = None
    tenant: str | None = None  # of the token
    subscription: str | None = None
    kind: str | None = None
    count: int | None = 1
    after: int = 0
    status: int = 500
    code: str = "InternalServerError"
    message: str = "The lab was told to answer this."
    shape: str = "nested"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 1.0
    id: int = field(default_factory=lambda: next(_ids))
    hits: int = 0

    def matches(self, kind: str, call: Call) -> bool:
        if self.method and self.method.upper() != call.method:
            return False
        if self.kind and self.kind != kind:
            return False
        if self.subscription and f"/subscriptions/{self.subscription.lower()}" not in call.low:
            return False
        if (
            self.tenant
            and not (call.principal and call.principal.tid == self.tenant)
            and not call.low.startswith(f"/{self.tenant}/")
        ):
            return False
        if self.path and self.path.startswith("re:"):
            return re.search(self.path[3:], call.path, re.I) is not None
        return not self.path or self.path.lower() in call.low


ACTIONS = frozenset(
    {"status", "throttle", "slow", "hang", "drop", "drop_after", "malformed", "truncated", "html", "empty", "partial"}
)
BEFORE = frozenset({"status", "throttle", "drop", "hang"})  # the request is not processed


def make(spec: dict[str, Any]) -> Fault:
    """Raises ValueError naming what is wrong."""
    unknown = set(spec) - {item.name for item in fields(Fault)} | {"id", "hits"} & set(spec)
    if unknown:
        raise ValueError(f"unknown fault fields {sorted(unknown)}")
    if spec.get("action") not in ACTIONS:
        raise ValueError(f"action must be one of {sorted(ACTIONS)}")
    return Fault(**spec)


def pick(faults: list[Fault], kind: str, call: Call) -> Fault | None:
    """The first fault that matches and is due; spent ones are taken out."""
    for fault in faults:
        if not fault.matches(kind, call):
            continue
        if fault.after > 0:
            fault.after -= 1
            continue
        fault.hits += 1
        if fault.count is not None:
            fault.count -= 1
            if fault.count <= 0:
                faults.remove(fault)
        return fault
    return None


def refusal(fault: Fault, call: Call) -> Reply:
    """The answer of `status` and `throttle`."""
    if falcon_api.owns(call):
        return falcon_api.spoilt(fault, call)
    if coro_api.owns(call):
        return coro_api.spoilt(fault, call)
    if fault.action == "throttle":
        call.extra["Retry-After"] = str(int(fault.seconds))
        return Reply(429, dumps({"error": {"code": "TooManyRequests", "message": "The request is being throttled."}}))
    call.extra.update(fault.headers)
    body = {"code": fault.code, "message": fault.message}
    return Reply(fault.status, dumps(body if fault.shape == "flat" else {"error": body}))


async def spoil(fault: Fault, request: web.BaseRequest, reply: Reply) -> Reply | None:
    """The spoilt answer; None when the connection is gone instead."""
    if fault.action == "slow":
        await asyncio.sleep(fault.seconds)
    elif fault.action == "malformed":
        reply = Reply(reply.status, reply.body[: max(1, len(reply.body) // 2)], reply.content_type)
    elif fault.action == "html":
        reply = Reply(fault.status, HTML, "text/html")
    elif fault.action == "partial":
        error = {
            "code": "PartialError",
            "message": "There were some errors when processing your query.",
            "details": [{"code": fault.code, "message": fault.message}],
        }
        reply = Reply(reply.status, dumps({**json.loads(reply.body), "error": error}), reply.content_type)
    elif fault.action == "empty":
        reply = Reply(reply.status, b"", reply.content_type)
    elif fault.action == "truncated":
        await _truncate(request, reply)
        return None
    elif fault.action == "drop_after":
        drop(request)
        return None
    return reply


async def hang(request: web.BaseRequest) -> None:
    """Say nothing until the client gives up."""
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.1)


def drop(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.abort()


async def _truncate(request: web.BaseRequest, reply: Reply) -> None:
    response = web.StreamResponse(
        status=reply.status, headers={"Content-Type": reply.content_type, "Content-Length": str(len(reply.body) + 100)}
    )
    await response.prepare(request)
    await response.write(reply.body)
    await asyncio.sleep(0.01)
    drop(request)
