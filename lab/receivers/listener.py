# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receivers on ports of their own, for when a vendor's connector will not connect.

What happens before HTTP is told as well, since that is where most connectors fail: http where https is wanted and the
other way round, a certificate that the sender does not trust, a connection without a word.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from lab.kernel.http import Call, dumps
from lab.kernel.server import read
from lab.receivers.answer import answer
from lab.receivers.receiver import Receiver, Record
from lab.receivers.state import Receivers

PATIENCE = 30.0  # seconds for the first byte, and for the TLS handshake
_LARGEST = 64 * 1024 * 1024
_HANDSHAKE = 0x16  # the first byte of TLS
_REASONS = {
    "TLSV1_ALERT_UNKNOWN_CA": "the sender does not trust the CA of our certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the sender does not accept our certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the sender does not accept our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "our certificate has expired for the sender",
    "UNSUPPORTED_PROTOCOL": "the sender speaks no TLS 1.2 or later",
    "NO_SHARED_CIPHER": "the sender shares no cipher with us",
}


@dataclass(slots=True)
class Listener:
    """The port of one receiver. `say` gets a line for people, `keep` every record."""

    receiver: Receiver
    listening: socket.socket
    tls: ssl.SSLContext | None
    say: Callable[[str], None]
    keep: Callable[[Record], None]

    @property
    def url(self) -> str:
        host, port = self.listening.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls else 'http'}://{shown}:{port}{self.receiver.path}"

    async def run(self) -> None:
        """Until cancelled."""
        complaints = logging.Logger("receivers")
        complaints.addHandler(_Complaints(self._tell))
        server = web.Server(self._handle, request_factory=_request, access_log=None, logger=complaints)
        loop, tasks = asyncio.get_running_loop(), set()
        try:
            while True:
                connection, peer = await loop.sock_accept(self.listening)
                connection.setblocking(False)
                task = loop.create_task(self._welcome(server, connection, peer[0]))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        finally:
            for task in tasks:
                task.cancel()
            await server.shutdown(1.0)
            self.listening.close()

    async def _welcome(self, server: web.Server, connection: socket.socket, peer: str) -> None:
        """Look at the first byte, then hand the connection over to HTTP."""
        loop = asyncio.get_running_loop()
        try:
            first = await asyncio.wait_for(_peek(connection), PATIENCE)
            if not first or (first[0] == _HANDSHAKE) != (self.tls is not None):
                self._tell(peer, _mismatch(first))
                connection.close()
                return
            patience = PATIENCE if self.tls else None
            await loop.connect_accepted_socket(server, connection, ssl=self.tls, ssl_handshake_timeout=patience)
        except TimeoutError:
            self._tell(peer, f"connected, but sent nothing for {PATIENCE:g} s")
            connection.close()
        except OSError as error:  # of which ssl.SSLError is one
            reason = getattr(error, "reason", None) or str(error) or type(error).__name__
            self._tell(peer, f"TLS handshake failed: {_REASONS.get(reason, reason)}")
            connection.close()

    def _tell(self, peer: str, what: str) -> None:
        self.say(f"{time.strftime('%H:%M:%S')} {self.receiver.name:<8} {peer} refused: {what}")

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            call = await read(request)
        except (web.PayloadAccessError, web.RequestPayloadError, web.HTTPException, ConnectionError) as error:
            self._tell(request.remote or "", f"the body cannot be read: {_cause(error)}")
            return web.Response(status=400)
        response, record = await answer(self.receiver, request, call)
        self.keep(record)
        return response


class _Complaints(logging.Handler):
    """aiohttp's own errors as one line each: its traces quote headers, and so secrets."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        super().__init__(logging.ERROR)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and isinstance(record.args, tuple) and record.args:  # of a request: its sender is named
            self._tell(str(record.args[0]), f"no HTTP that we understand: {_cause(record.exc_info[1])}")


def _cause(error: BaseException | None) -> str:
    """The first line that says something; those that follow quote the request."""
    if isinstance(error, ConnectionError):
        return "the sender left in the middle of it"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if not line.endswith("message:")]
    return said[0].rstrip(":") if said else type(error).__name__


def _mismatch(first: bytes) -> str:
    if not first:
        return "connected and left without a word"
    if first[0] == _HANDSHAKE:
        return "TLS, but this receiver speaks none: the sender's URL must begin with http://"
    return "no TLS, but this receiver speaks nothing else: the sender's URL must begin with https://"


async def _peek(connection: socket.socket) -> bytes:
    """The first byte, which stays there; empty when the sender has left."""
    loop = asyncio.get_running_loop()
    there = asyncio.Event()
    loop.add_reader(connection.fileno(), there.set)
    try:
        await there.wait()
    finally:
        loop.remove_reader(connection.fileno())
    return connection.recv(1, socket.MSG_PEEK)


def _request(*arguments: Any) -> web.BaseRequest:
    """aiohttp's own, but for larger bodies."""
    message, payload, protocol, writer, task = arguments[:5]
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_LARGEST)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; OSError where the port is taken."""
    made = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=128)
    made.setblocking(False)
    return made


# -- control ----------------------------------------------------------------------------------------------------------


def controller(receivers: Receivers, urls: dict[str, str], token: str) -> Callable[[web.BaseRequest], Any]:
    """The handler of the control port: /receivers and /receivers/records as in control.py, for who has the token."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        call = await read(request)
        given = call.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), token.encode()):
            return web.Response(status=401, body=dumps({"error": "wrong control token"}))
        try:
            return web.Response(body=dumps(_control(receivers, urls, call)))
        except (KeyError, ValueError) as error:
            return web.Response(status=400, body=dumps({"error": f"{type(error).__name__}: {error}"}))

    return handle


def _control(receivers: Receivers, urls: dict[str, str], call: Call) -> Any:
    if call.low == "/_lab/receivers/records":
        return receivers.records(call.query["receiver"], int(call.query.get("last", 100)))
    if call.method == "POST":
        body = json.loads(call.body)
        return receivers.change(body.pop("receiver"), body)
    return receivers.describe(urls)


async def serve(
    listeners: list[Listener], control: tuple[socket.socket, Callable[[web.BaseRequest], Any]], stop: asyncio.Event
) -> None:
    """All listeners and the control port until `stop`."""
    runner = web.ServerRunner(web.Server(control[1], access_log=None), shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, control[0]).start()
    tasks = [asyncio.create_task(one.run()) for one in listeners]
    await stop.wait()
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await runner.cleanup()
