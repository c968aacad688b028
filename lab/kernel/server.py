# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server: one shell around synchronous handlers, kept lean since the benchmark drives 10,000 LISTs through it.

A request passes: route, enter, fault, latency, handler, request log. Handlers raise Refusal for every «no».
"""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from lab.kernel import ca, control, faults
from lab.kernel.context import Lab, State
from lab.kernel.http import Call, Refusal, Reply
from lab.kernel.registration import Operation, Vendor


def _nothing(_state: Any, call: Call) -> Reply:
    text = f"The lab serves nothing at '{call.method} {call.path}'."
    raise Refusal(faults.error(NOBODY, 404, "NotFound", text))


UNKNOWN = Operation("unknown", _nothing)
# Whom a request belongs to that no vendor wants.
NOBODY = Vendor(name="nobody", state=State, find=lambda _call: UNKNOWN, operations=[UNKNOWN])


def find(lab: Lab, call: Call) -> tuple[Vendor[Any], Operation]:
    """The vendor that a path belongs to, and its operation; of several the first that knows one."""
    owners = lab.owners.get(call.low[1:].partition("/")[0])
    for vendor in owners or ():
        if operation := vendor.find(call):
            return vendor, operation
    for vendor in lab.others:
        if operation := vendor.find(call):
            return vendor, operation
    return NOBODY, UNKNOWN


def make_handler(lab: Lab) -> Callable[[web.BaseRequest], Coroutine[Any, Any, web.StreamResponse]]:
    """The coroutine that aiohttp's low-level server calls for each request."""
    prefix, numbers = f"{uuid.uuid4().hex[:8]}-1ab0-4000-8000-", itertools.count(1)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        call = await read(request)
        if call.low.startswith(control.PREFIX):
            return _response(await control.handle(lab, call), {})
        start = time.time()
        vendor, operation = find(lab, call)
        if not operation.logged:
            return await _sent(request, call, await _run(lab, vendor, operation, call))
        lab.requests.enter()
        status = 0
        try:
            reply = await _answer(lab, request, call, vendor, operation)
            if reply is None:
                return web.Response()  # the connection is gone; nobody reads this
            status = reply.status
            if vendor.trace is not None and reply.stream is None:
                vendor.trace(call, f"{prefix}{next(numbers):012x}")
            return await _sent(request, call, reply)
        finally:
            tenant = call.principal.tid if call.principal else ""
            lab.requests.leave(operation.kind, call.method, call.path, status, tenant, start, len(call.auxiliary))

    return handle


async def read(request: web.BaseRequest) -> Call:
    path, _, query = request.raw_path.partition("?")
    if "%" in path:
        path = unquote(path)
    while "//" in path:  # SDKs put the slash of the id behind that of the template
        path = path.replace("//", "/")
    path = path.rstrip("/") or "/"
    low = path.lower()
    if len(low) != len(path):  # a letter whose lower case is longer; positions in both must agree
        low = "".join(char.lower() if len(char.lower()) == 1 else char for char in path)
    body = await request.read() if request.can_read_body else b""
    return Call(request.method, path, low, query, request.headers, body)


async def _answer(
    lab: Lab, request: web.BaseRequest, call: Call, vendor: Vendor[Any], operation: Operation
) -> Reply | None:
    """None when the connection was dropped on purpose, or the answer has been sent."""
    if lab.latency:
        await asyncio.sleep(lab.latency)
    refused: Reply | None = None
    if operation.enter is not None:
        try:
            operation.enter(lab.of(vendor.state), call)
        except Refusal as refusal:
            refused = _refused(call, refusal)
    fault = lab.faults.pick(operation.kind, call) if lab.faults.waiting else None
    if fault is not None and fault.action in faults.BEFORE:
        return await faults.spoil(faults.Case(fault, vendor, request, call, Reply(0)))
    reply = refused or await _run(lab, vendor, operation, call)
    return reply if fault is None else await faults.spoil(faults.Case(fault, vendor, request, call, reply))


async def _run(lab: Lab, vendor: Vendor[Any], operation: Operation, call: Call) -> Reply:
    try:
        reply = operation.handler(lab.of(vendor.state), call)
        return reply if isinstance(reply, Reply) else await reply
    except Refusal as refusal:
        return _refused(call, refusal)


def _refused(call: Call, refusal: Refusal) -> Reply:
    call.extra.update(refusal.headers)
    return refusal.reply


async def _sent(request: web.BaseRequest, call: Call, reply: Reply) -> web.StreamResponse:
    return await reply.stream(request) if reply.stream is not None else _response(reply, call.extra)


def _response(reply: Reply, headers: dict[str, str]) -> web.Response:
    headers["Content-Type"] = reply.content_type
    headers["Cache-Control"] = "no-cache"
    return web.Response(status=reply.status, body=reply.body, headers=headers)


async def serve(lab: Lab, port: int, on_ready: Callable[[], None], stop: asyncio.Event) -> None:
    """Serve on 127.0.0.1 until `stop`. `on_ready` is called when connections are accepted and lab.url is known."""
    server = web.Server(make_handler(lab), access_log=None, keepalive_timeout=600)
    runner = web.ServerRunner(server, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(
        runner,
        "127.0.0.1",
        port,
        ssl_context=ca.server_context(ca.make_server(lab.authority)),
        backlog=1024,
    )
    await site.start()
    try:
        lab.serves(f"https://127.0.0.1:{runner.addresses[0][1]}")
        on_ready()
        await stop.wait()
    finally:
        await lab.stop()
        await runner.cleanup()
