# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server: one shell around synchronous handlers, kept lean since the benchmark drives 10,000 LISTs through it.

A request passes: route, authenticate, fault, latency, handler, journal. Handlers raise Refusal for every «no».
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

from lab import arm, ca, control, coro_api, falcon_api, faults, generator, graph_routes, graph_wire, router
from lab.coro_delivery import Sender
from lab.journal import Journal
from lab.receivers_http import answer
from lab.receivers_set import Receivers
from lab.throttle import Throttle
from lab.tokens import TokenCache
from lab.wire import Call, Handler, Refusal, Reply
from lab.world import World

# What is checked of a call before its handler, by what the route needs.
_ENTER = {
    router.ARM: arm.enter,
    router.LOGS: router.enter_logs,
    router.CORO: coro_api.enter,
    router.FALCON: falcon_api.enter,
    router.FEED: falcon_api.enter_feed,
    graph_routes.GRAPH: graph_wire.enter,
}


class Lab:
    """Everything a handler may need: the world, the tokens, the buckets, the journal and the switches."""

    def __init__(self, scenario: str, *, throttle: bool = True, latency: float = 0.0) -> None:
        self.scenario = scenario
        self.url = ""
        self.audiences: frozenset[str] = frozenset()
        self.graph_url = ""
        self.graph_audiences: frozenset[str] = frozenset()
        self.signing_key = ca.rsa_key()
        self.key_id = uuid.uuid4().hex[:27]
        self.credentials = generator.Credentials.make()
        self.tokens = TokenCache(self)
        self.throttle = Throttle()
        self.journal = Journal()
        self.sender = Sender(self)
        self.receivers = Receivers(self.credentials.derive)
        self.world = World()
        self.started_with = (throttle, latency)
        self.reset()

    def reset(self) -> None:
        """Back to the scenario as it was when the lab started; keys and certificates stay."""
        self.world.falcon.close()
        self.world = generator.build(self.scenario, self.credentials)
        self.receivers.reset()
        self.faults: list[faults.Fault] = []
        self.token_life = 3599
        self.graph_lag = 0.0
        self.page_size = 1000
        self.graph_kept: tuple[tuple[Any, ...], list[dict[str, Any]]] = ((), [])
        self.throttle.enabled, self.latency = self.started_with
        self.throttle.clear()
        self.tokens.clear()
        self.journal.clear()

    def serves(self, url: str) -> None:
        self.url = url
        port = url.rsplit(":", 1)[1]
        self.audiences = frozenset({url, f"https://localhost:{port}"})
        self.graph_url = f"{url}/graph"
        self.graph_audiences = frozenset(f"{one}/graph" for one in self.audiences)

    def lags(self, made: float) -> bool:
        """Whether what was made then (real seconds) has not yet reached the replica of the directory that is asked."""
        return time.time() < made + self.graph_lag


def make_handler(lab: Lab) -> Callable[[web.BaseRequest], Coroutine[Any, Any, web.StreamResponse]]:
    """The coroutine that aiohttp's low-level server calls for each request."""
    prefix, numbers = f"{uuid.uuid4().hex[:8]}-1ab0-4000-8000-", itertools.count(1)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        call = await read(request)
        if call.low.startswith("/_lab/"):
            return _response(await control.handle(lab, call), {})
        receiver = lab.receivers.find(call)
        if receiver is not None:
            return (await answer(receiver, request, call))[0]
        start = time.time()
        lab.journal.enter()
        kind, status = "unknown", 0
        try:
            if lab.world.assignments.waiting:
                lab.world.assignments.settle(lab.world)
            kind, needs, handler = router.find(call)
            reply = await _answer(lab, request, call, kind, needs, handler)
            if reply is None:
                return web.Response()  # the connection is gone; nobody reads this
            status = reply.status
            if reply.stream is not None:
                return await reply.stream(request)
            _trace(kind, call, f"{prefix}{next(numbers):012x}")
            return _response(reply, call.extra)
        finally:
            tenant = call.principal.tid if call.principal else ""
            lab.journal.leave(kind, call.method, call.path, status, tenant, start, len(call.auxiliary))

    return handle


def _trace(kind: str, call: Call, number: str) -> None:
    """The headers by which the vendors find a request again."""
    if kind.startswith("coro."):
        call.extra["X-Coro-Trace-Id"] = number
        return
    if kind.startswith("graph."):
        call.extra.setdefault("request-id", number)  # a fault answers before there is one
        return
    call.extra["x-ms-request-id"] = number
    call.extra["x-ms-correlation-request-id"] = call.headers.get("x-ms-correlation-request-id", number)


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
    lab: Lab, request: web.BaseRequest, call: Call, kind: str, needs: str, handler: Handler
) -> Reply | None:
    """None when the connection was dropped on purpose."""
    if lab.latency:
        await asyncio.sleep(lab.latency)
    fault = None
    refused: Refusal | None = None
    try:
        if needs in _ENTER:
            _ENTER[needs](lab, call)
    except Refusal as refusal:
        refused = refusal
    if lab.faults:
        fault = faults.pick(lab.faults, kind, call)
        if fault is not None and fault.action in faults.BEFORE:
            return await _instead(fault, request, call)
    reply = _refused(call, refused) if refused else await _run(lab, call, handler)
    return reply if fault is None else await faults.spoil(fault, request, reply)


async def _instead(fault: faults.Fault, request: web.BaseRequest, call: Call) -> Reply | None:
    """What a fault answers that keeps the request from being processed."""
    if fault.action == "hang":
        await faults.hang(request)
    if fault.action in ("hang", "drop"):
        faults.drop(request)
        return None
    return faults.refusal(fault, call)


async def _run(lab: Lab, call: Call, handler: Handler) -> Reply:
    try:
        reply = handler(lab, call)
        return reply if isinstance(reply, Reply) else await reply
    except Refusal as refusal:
        return _refused(call, refusal)


def _refused(call: Call, refusal: Refusal) -> Reply:
    call.extra.update(refusal.headers)
    return refusal.reply


def _response(reply: Reply, headers: dict[str, str]) -> web.Response:
    headers["Content-Type"] = reply.content_type
    headers["Cache-Control"] = "no-cache"
    return web.Response(status=reply.status, body=reply.body, headers=headers)


async def serve(lab: Lab, port: int, on_ready: Callable[[], None], stop: asyncio.Event) -> None:
    """Serve on 127.0.0.1 until `stop`. `on_ready` is called when connections are accepted and lab.url is known."""
    authority = ca.make_ca()
    lab.credentials.ca_pem = ca.cert_pem(authority.certificate)
    lab.sender.trust(lab.credentials.ca_pem)
    server = web.Server(make_handler(lab), access_log=None, keepalive_timeout=600)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(
        runner,
        "127.0.0.1",
        port,
        ssl_context=ca.server_context(ca.make_server(authority)),
        shutdown_timeout=1.0,
        backlog=1024,
    )
    await site.start()
    try:
        lab.serves(f"https://127.0.0.1:{runner.addresses[0][1]}")
        on_ready()
        await stop.wait()
    finally:
        lab.world.falcon.close()
        await lab.sender.close()
        await runner.cleanup()
