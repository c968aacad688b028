# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP from a vendor's cloud to the receivers of what it sends."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MOST = 2000  # characters of an answer that are kept


@dataclass(frozen=True, slots=True)
class Outgoing:
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """Of a receiver; `status` is None when there was none, and `body` says why."""

    status: int | None
    body: str

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    def error(self) -> dict[str, Any]:
        return {"status": self.status, "body": self.body}


class Sender:
    """The one client session, made when first used; it outlives a reset. Sends to loopback only, where we listen."""

    def __init__(self, ca_pem: str) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._tls = ssl.create_default_context()
        self.trust(ca_pem)

    def trust(self, pem: str) -> None:
        self._tls.load_verify_locations(cadata=pem)

    async def send(self, out: Outgoing, patience: float) -> Answer:
        if urlsplit(out.url).hostname not in _LOOPBACK:
            return Answer(None, "the lab sends to loopback only")
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, ssl=self._tls))
        timeout = aiohttp.ClientTimeout(total=patience)
        try:
            async with self._session.post(
                out.url, data=out.body, headers=out.headers, timeout=timeout, allow_redirects=False
            ) as got:
                return Answer(got.status, (await got.read()).decode("utf-8", "replace")[:_MOST])
        except TimeoutError:
            return Answer(None, f"no answer within {patience:g} s")
        except (aiohttp.ClientError, ValueError) as error:
            return Answer(None, f"{type(error).__name__}: {error}")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
