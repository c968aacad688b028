# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure's own libraries within our limits: bounded bodies and reads, few retries, no redirects."""

from __future__ import annotations

from typing import Any

from ..._core import http

try:
    import aiohttp
    from azure.core.pipeline.transport import AioHttpTransport
except ImportError:  # said by whoever uses the libraries
    LIBRARIES = False
else:
    LIBRARIES = True

    class BoundedResponse(aiohttp.ClientResponse):
        """A response whose body ends at the limit of all others."""

        async def read(self) -> bytes:
            if self._body is None:
                self._body = await http.read_bounded(self, f"read the answer of {self.url.host}")
            return self._body

    class BoundedTransport(AioHttpTransport):  # type: ignore[misc]  # untyped
        """Decompresses while it reads: the libraries would do it afterwards, to whatever size that comes."""

        async def open(self) -> None:
            if not self.session:  # type: ignore[has-type]
                self.session = aiohttp.ClientSession(
                    connector=http.Connector(),
                    trust_env=True,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    response_class=BoundedResponse,
                )
            await super().open()


def limited(ca_file: str | None) -> dict[str, Any]:
    """Keyword arguments of a client or credential of Azure's libraries."""
    verify = {"connection_verify": ca_file} if ca_file else {}
    transport = BoundedTransport(connection_timeout=http.CONNECT_SECONDS, read_timeout=http.TOTAL_SECONDS, **verify)
    return {"transport": transport, "permit_redirects": False, "retry_total": 2, **verify}
