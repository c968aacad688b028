# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: which requests to spoil, and how. Every operation that a vendor registers can have all of them.

Before the request is processed:
    status          an error: status (500), code, message, shape (one of the vendor's), headers
    throttle        429 with `seconds` to wait, in the vendor's words
    redirect        302, or `status`, to the same path at `url`
    hang            nothing until the client gives up
    drop            the connection is cut
After it was processed:
    slow            answers `seconds` late
    drop_after      the connection is cut, the answer is lost
    malformed       JSON cut short
    truncated       the connection ends before Content-Length
    html            a proxy's page instead, with `status` (500)
    empty           no body
    drip            a byte every `seconds`
    endless         the answer, and then blanks without end
    huge_headers    128 KiB in a header
    next_elsewhere  the next page is said to be at `url`
    endless_pages   there is always a next page, each with an address of its own
A vendor may have more, see Vendor.faults.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from aiohttp import web

from lab.kernel.http import Call, Reply, dumps
from lab.kernel.registration import Vendor

HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
ELSEWHERE = "https://elsewhere.invalid"
HUGE = 128 * 1024
BLANKS = b" " * 65536
_ids = itertools.count(1)


@dataclass(slots=True)
class Fault:
    """Matches when every given criterion does. `path` is a part of the path, or a regex after `re:`; no case.

    `criteria`: those that a vendor knows, by name. `after`: so many matching requests pass first. `count`: then so
    many are spoilt; None is without end.
    """

    action: str
    method: str | None = None
    path: str | None = None
    tenant: str | None = None  # of the token, or the first segment of the path
    kind: str | None = None
    criteria: dict[str, str] = field(default_factory=dict)
    count: int | None = 1
    after: int = 0
    status: int = 0  # 0: the action's own
    code: str = "InternalServerError"
    message: str = "The lab was told to answer this."
    shape: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 1.0
    url: str = ELSEWHERE
    id: int = field(default_factory=lambda: next(_ids))
    hits: int = 0


@dataclass(slots=True)
class Case:
    """A request that a fault spoils. `reply` is what would have been answered."""

    fault: Fault
    vendor: Vendor[Any]
    request: web.BaseRequest
    call: Call
    reply: Reply


class Faults:
    """Those that wait for their requests."""

    def __init__(self, vendors: Sequence[Vendor[Any]]) -> None:
        self.waiting: list[Fault] = []
        self.kinds = {one.kind for vendor in vendors for one in vendor.operations if one.logged} | {"unknown"}
        self.actions = {*BEFORE, *AFTER}.union(*(vendor.faults for vendor in vendors))
        self._shapes = {""}.union(*(vendor.shapes for vendor in vendors))
        self._criteria = {name: test for vendor in vendors for name, test in vendor.criteria.items()}

    def clear(self) -> None:
        self.waiting.clear()

    def add(self, specs: list[dict[str, Any]]) -> list[Fault]:
        """All of them or none. Raises ValueError naming what is wrong."""
        made = [self._make(spec) for spec in specs]
        self.waiting += made
        return made

    def _make(self, spec: dict[str, Any]) -> Fault:
        criteria = {name: spec[name] for name in spec if name in self._criteria}
        rest = {name: value for name, value in spec.items() if name not in criteria}
        known = {item.name for item in fields(Fault)} - {"id", "hits", "criteria"}
        if unknown := set(rest) - known:
            raise ValueError(f"unknown fault fields {sorted(unknown)}")
        for name, choices in (("action", self.actions), ("kind", {*self.kinds, None}), ("shape", self._shapes)):
            if rest.get(name, "" if name == "shape" else None) not in choices:
                raise ValueError(f"{name} must be one of {sorted(filter(None, choices))}, not {rest.get(name)!r}")
        return Fault(**rest, criteria=criteria)

    def pick(self, kind: str, call: Call) -> Fault | None:
        """The first fault that matches and is due; spent ones are taken out."""
        for fault in self.waiting:
            if not self._matches(fault, kind, call):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.hits += 1
            if fault.count is not None:
                fault.count -= 1
                if fault.count <= 0:
                    self.waiting.remove(fault)
            return fault
        return None

    def _matches(self, fault: Fault, kind: str, call: Call) -> bool:
        if fault.method and fault.method.upper() != call.method:
            return False
        if fault.kind and fault.kind != kind:
            return False
        if (
            fault.tenant
            and not (call.principal and call.principal.tid == fault.tenant)
            and not call.low.startswith(f"/{fault.tenant}/")
        ):
            return False
        if not all(self._criteria[name](call, wanted) for name, wanted in fault.criteria.items()):
            return False
        if fault.path and fault.path.startswith("re:"):
            return re.search(fault.path[3:], call.path, re.I) is not None
        return not fault.path or fault.path.lower() in call.low


def error(vendor: Vendor[Any], status: int, code: str, message: str, shape: str = "") -> Reply:
    """An error as the vendor's bodies have it."""
    made = vendor.shapes.get(shape) or next(iter(vendor.shapes.values()))
    return Reply(status, dumps(made(code, message, status)))


async def spoil(case: Case) -> Reply | None:
    """What is answered instead; None when the connection is gone."""
    action = BEFORE.get(case.fault.action) or AFTER.get(case.fault.action)
    return await action(case) if action else _of_vendor(case)


def _of_vendor(case: Case) -> Reply:
    fault, change = case.fault, case.vendor.faults.get(case.fault.action)
    if change is None:
        return case.reply
    return _with(case, dumps(change(json.loads(case.reply.body), fault.code, fault.message)))


# -- before -----------------------------------------------------------------------------------------------------------


async def _status(case: Case) -> Reply:
    fault = case.fault
    case.call.extra.update(fault.headers)
    return error(case.vendor, fault.status or 500, fault.code, fault.message, fault.shape)


async def _throttle(case: Case) -> Reply:
    case.call.extra.update(case.vendor.retry(case.fault.seconds))
    return error(case.vendor, 429, *case.vendor.throttled)


async def _redirect(case: Case) -> Reply:
    case.call.extra["Location"] = _elsewhere(case)
    return Reply(case.fault.status or 302)


async def _hang(case: Case) -> None:
    await hang(case.request)
    drop(case.request)


async def _drop(case: Case) -> None:
    drop(case.request)


# -- after ------------------------------------------------------------------------------------------------------------


async def _slow(case: Case) -> Reply:
    await asyncio.sleep(case.fault.seconds)
    return case.reply


async def _malformed(case: Case) -> Reply:
    return _with(case, case.reply.body[: max(1, len(case.reply.body) // 2)])


async def _truncated(case: Case) -> None:
    response = await _begun(case, len(case.reply.body) + 100)
    await response.write(case.reply.body)
    await asyncio.sleep(0.01)
    drop(case.request)


async def _html(case: Case) -> Reply:
    return Reply(case.fault.status or 500, HTML, "text/html")


async def _empty(case: Case) -> Reply:
    return _with(case, b"")


async def _drip(case: Case) -> None:
    response = await _begun(case, len(case.reply.body))
    for byte in case.reply.body:
        await response.write(bytes([byte]))
        await asyncio.sleep(case.fault.seconds)
    await response.write_eof()


async def _endless(case: Case) -> None:
    response = await _begun(case, None)
    await response.write(case.reply.body)
    while not _gone(case.request):
        await response.write(BLANKS)
        await asyncio.sleep(0.01)


async def _huge_headers(case: Case) -> Reply:
    case.call.extra["X-Filler"] = "x" * HUGE
    return case.reply


async def _next_elsewhere(case: Case) -> Reply:
    if not case.vendor.next_link:
        case.call.extra["Link"] = f'<{_elsewhere(case)}>; rel="next"'
        return case.reply
    return _with(case, dumps({**json.loads(case.reply.body), case.vendor.next_link: _elsewhere(case)}))


async def _endless_pages(case: Case) -> Reply:
    url = case.request.url
    following = str(url.update_query(page=next(_ids)))
    if not case.vendor.next_link:
        case.call.extra["Link"] = f'<{following}>; rel="next"'
        return case.reply
    return _with(case, dumps({**json.loads(case.reply.body), case.vendor.next_link: following}))


Action = Callable[[Case], Awaitable[Reply | None]]
BEFORE: dict[str, Action] = {
    "status": _status,
    "throttle": _throttle,
    "redirect": _redirect,
    "hang": _hang,
    "drop": _drop,
}
AFTER: dict[str, Action] = {
    "slow": _slow,
    "drop_after": _drop,
    "malformed": _malformed,
    "truncated": _truncated,
    "html": _html,
    "empty": _empty,
    "drip": _drip,
    "endless": _endless,
    "huge_headers": _huge_headers,
    "next_elsewhere": _next_elsewhere,
    "endless_pages": _endless_pages,
}


# -- connections ------------------------------------------------------------------------------------------------------


async def hang(request: web.BaseRequest) -> None:
    """Say nothing until the client gives up."""
    while not _gone(request):  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.1)


def drop(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.abort()


def _gone(request: web.BaseRequest) -> bool:
    return request.transport is None or request.transport.is_closing()


def _with(case: Case, body: bytes) -> Reply:
    return Reply(case.reply.status, body, case.reply.content_type)


def _elsewhere(case: Case) -> str:
    query = case.call.query_string
    return f"{case.fault.url}{case.call.path}{'?' if query else ''}{query}"


async def _begun(case: Case, length: int | None) -> web.StreamResponse:
    """The answer's head, with a length or in chunks."""
    response = web.StreamResponse(
        status=case.reply.status, headers={**case.call.extra, "Content-Type": case.reply.content_type}
    )
    response.content_length = length
    if length is None:
        response.enable_chunked_encoding()
    await response.prepare(case.request)
    return response
