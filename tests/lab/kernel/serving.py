# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab with vendors of a test's own, in the test's process."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from lab.kernel.context import Lab
from lab.kernel.registration import Vendor
from lab.kernel.server import serve

GOOD = {"Authorization": "Bearer good"}


class Client:
    """Requests to the lab, and to its control endpoint."""

    def __init__(self, session: aiohttp.ClientSession, lab: Lab) -> None:
        self.session = session
        self.lab = lab

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
        """(status, headers, JSON)"""
        async with self.session.request(
            method, self.lab.url + path, json=body, headers=GOOD | headers, allow_redirects=False
        ) as answer:
            return answer.status, answer.headers, await answer.json(content_type=None)

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        status, _headers, value = await self.call(method, f"/_lab/{path}", body)
        assert status == 200, value
        return value


def with_lab(vendors: list[Vendor[Any]], test: Callable[[Client], Awaitable[None]], seconds: float = 2.0) -> None:
    """Run a test against a lab that has only these vendors. `seconds`: the client's patience."""

    async def run() -> None:
        lab, stop, ready = Lab("fleet", throttle=False, vendors=vendors), asyncio.Event(), asyncio.Event()
        server = asyncio.create_task(serve(lab, 0, ready.set, stop))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({server, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if server.done():
            waiting.cancel()
            server.result()
        tls = ssl.create_default_context(cadata=lab.ca_pem)
        patience = aiohttp.ClientTimeout(total=seconds)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls), timeout=patience) as session:
            try:
                await test(Client(session, lab))
            finally:
                stop.set()
                await server

    asyncio.run(run())
