# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP over aiohttp: one session a run, typed failures, retries that fit the kind of failure."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import math
import random
import ssl
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.request import getproxies, proxy_bypass
from weakref import WeakSet

from . import bodies
from .errors import InputError, MissingLibraryError, NoAnswerError, tls_step

try:
    import aiohttp
    from yarl import URL
except ImportError:  # said by session(), so that documentation tools can import this file
    aiohttp = None  # type: ignore[assignment]
else:

    class Connector(aiohttp.TCPConnector):
        """Connections of a session, none of which outlives it.

        aiohttp leaves what it breaks off to the end of its TLS, which the other side has to agree to, and forgets it.
        """

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self._transports: WeakSet[asyncio.Transport] = WeakSet()

        async def connect(self, *args: Any, **options: Any) -> Any:
            connection = await super().connect(*args, **options)
            if connection.transport is not None:
                self._transports.add(connection.transport)
            return connection

        def close(self, **options: Any) -> Any:
            for transport in self._transports:
                if transport.is_closing():
                    transport.abort()
            return super().close(**options)


# What the libraries of aiohttp raise past it for a body that is not compressed as it says.
BROKEN_BODIES = (zlib.error, EOFError, OSError)
CONNECT_SECONDS = 10
TOTAL_SECONDS = 60
# Of an answer, decompressed. The largest that a vendor documents, a page of 1,000 rows, has one or two of these.
MAX_BODY = 16 * 2**20
# Of the text of an error: more says no more, and each failed target keeps its own.
MAX_ERROR = 64 * 2**10
TOO_LARGE = "TooLarge"
TRANSIENT = frozenset({408, 500, 502, 503, 504})
ATTEMPTS = 5


class Format(NamedTuple):
    """What a vendor writes its answers in. parse: raises ValueError for what is none."""

    name: str
    parse: Callable[[bytes], Any]


JSON = Format("JSON", bodies.parse)


class Answer(NamedTuple):
    """status: HTTP status; headers: case-insensitive; body: as parsed, None when empty; size: its bytes."""

    status: int
    headers: Mapping[str, str]
    body: Any
    size: int = 0


def session(endpoint: str, ca_file: str | None, concurrency: int, proxy: str | None = None) -> aiohttp.ClientSession:
    """A session for one endpoint that verifies TLS always, by C(ca_file) or the system's authorities.

    Without C(proxy) the environment says which. Its variables are read once: aiohttp's own C(trust_env) reads them in
    a thread for each request, which measured 0.1 ms of CPU.
    """
    if aiohttp is None:
        raise MissingLibraryError("aiohttp")
    return aiohttp.ClientSession(
        connector=Connector(limit=concurrency, ssl=_trust(ca_file), ttl_dns_cache=300),
        timeout=aiohttp.ClientTimeout(total=TOTAL_SECONDS, sock_connect=CONNECT_SECONDS),
        proxy=proxy or _proxy(endpoint),
    )


def _trust(ca_file: str | None) -> ssl.SSLContext | bool:
    """What verifies the endpoint. True: the system's authorities, by the context that aiohttp made at its import.

    Reading them took 25 ms of CPU, which in the parent of Ansible's workers is spent once and not by each task.
    """
    try:
        return ssl.create_default_context(cafile=ca_file) if ca_file else True
    except OSError as error:
        step = "put the file there, readable for the user that runs this, or correct ca_file"
        raise InputError("read ca_file", f"{ca_file}: {error.strerror or error}", next_step=step) from error


def _proxy(endpoint: str) -> str | None:
    """The environment's proxy. NO_PROXY may name hosts with a port, as Python documents it, and networks."""
    url, proxies = URL(endpoint), getproxies()
    host = url.host or ""
    if proxy_bypass(f"{host}:{url.port}") or _in_network(host, proxies.get("no", "")):
        return None
    return proxies.get("https")


def _in_network(host: str, unproxied: str) -> bool:
    """Whether an address is in one of the networks (CIDR) of a list."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    for name in unproxied.split(","):
        with suppress(ValueError):
            if "/" in name and address in ipaddress.ip_network(name.strip(), strict=False):
                return True
    return False


async def send(
    client: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    operation: str,
    headers: Mapping[str, str],
    body: Any = None,
    form: Format = JSON,
) -> Answer:
    """One request, one answer; redirects are not followed, since they would carry the tokens elsewhere.

    body: sent as JSON, bytes as they are. form: of the answer. Raises NoAnswerError when no whole answer came, or it
    has another form, or it is more than an answer may be.
    """
    data = body if body is None or isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    try:
        async with client.request(
            method, URL(url, encoded=True), data=data, headers=headers, allow_redirects=False
        ) as response:
            raw = await read_bounded(response, operation)
            return Answer(response.status, response.headers, _parse(raw, response.status, operation, form), len(raw))
    except TimeoutError as error:
        raise NoAnswerError(operation, f"no answer within {TOTAL_SECONDS} s", code="Timeout") from error
    except aiohttp.ClientConnectorCertificateError as error:
        raise NoAnswerError(operation, str(error), code="CertificateRefused", next_step=tls_step(str(error))) from error
    except (aiohttp.ClientError, *BROKEN_BODIES) as error:
        raise NoAnswerError(operation, _connection_text(error), code=type(error).__name__) from error


async def read_bounded(response: aiohttp.ClientResponse, operation: str) -> bytes:
    """The body, no more of it than there may be: of an error the beginning."""
    limit = MAX_ERROR if response.status >= 400 else MAX_BODY
    read = bytearray()
    async for chunk in response.content.iter_any():
        read += chunk
        if len(read) > limit:
            response.close()
            if response.status < 400:
                text = f"the answer has more than {MAX_BODY} bytes"
                raise NoAnswerError(operation, text, code=TOO_LARGE, status=response.status)
            break
    return bytes(read[:limit])


def _connection_text(error: Exception) -> str:
    return str(error) or "the connection was closed before the whole answer came"


def _parse(raw: bytes, status: int, operation: str, form: Format) -> Any:
    if not raw.strip():
        return None
    try:
        return form.parse(raw)
    except (ValueError, RecursionError) as error:
        if status >= 400:
            return raw.decode("utf-8", "replace")
        text, code = f"the answer is not {form.name}: {error}", f"Bad{form.name.title()}"
        raise NoAnswerError(operation, text, code=code, status=status) from error


def backoff(attempt: int) -> float:
    """Seconds before the next try: doubling from half a second, with jitter, at most 20."""
    return min(20.0, 0.5 * float(2**attempt)) * random.uniform(0.5, 1.0)  # jitter  # nosec B311


def retry_after(headers: Mapping[str, str], default: float) -> float:
    """Seconds of C(Retry-After), kept between 1 and 300; C(default) where it is missing or a date."""
    try:
        seconds = float(headers.get("Retry-After", default))
    except ValueError:
        return default
    return min(300.0, max(1.0, seconds)) if math.isfinite(seconds) else default


def number(text: str) -> float | None:
    """A count in a header, None for anything else."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
