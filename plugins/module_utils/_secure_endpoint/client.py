# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secure Endpoint's REST API, version 1: the region that knows the credential, limits from headers, typed refusals.

Source: api-docs.amp.cisco.com («Rate limits», «Authentication»); 3,000 calls an hour, shared by all programs of an
organisation. Seen in public code: the envelope of errors, and headers with X-Rate-Limit in an older spelling.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from .._core import http
from .._core.client import VendorClient
from .._core.errors import InputError, OnboardingError, RefusedError
from .._core.freshness import Flow
from .._core.redaction import Redactor
from .keeping import Place
from .options import Setup
from .plan import Stream

CONSOLE = "as an administrator, in the Secure Endpoint console, Administration > API Credentials"
FIRST_STEP = (
    f"{CONSOLE} (Accounts > API Credentials in older ones) > New API Credential: scope Read & Write; hand over its 3rd "
    "Party API Client ID, and its API Key, which is shown once, by a way that nobody else can read (client_id, api_key "
    "in the tenant file)"
)
STATUS_STEPS = {
    401: (
        f"{CONSOLE}, see that the credential of client_id is there and its scope is Read & Write, else make another; "
        "and compare both with client_id and api_key"
    ),
    403: f"{CONSOLE}, make a credential with scope Read & Write, which managing event streams needs",
    404: "run again: it went away meanwhile",
    429: "run again in an hour: the organisation's 3,000 calls are used up, maybe by another program",
}
OTHER_STEP = "run again; if it stays, ask Cisco's support"
SHOWN_TEXT = 300
REMAINING = ("X-RateLimit-Remaining", "X-Rate-Limit-Remaining")
RESET = ("X-RateLimit-Reset", "X-Rate-Limit-Reset")


class Call(NamedTuple):
    """What to do and how to speak of it. again: it may be repeated when no answer came; base: '' for our region's."""

    method: str
    path: str
    operation: str
    body: Any = None
    again: bool = True
    base: str = ""


class SecureEndpoint(VendorClient[Call]):
    """One credential's way to its organisation.

    place: the file with the passwords; found: the streams that are there, as listed last; samples: the file that
    remembers how full the queues were, None where no evidence is kept; flows: those of a verification.
    """

    LIMITS: Mapping[str, tuple[float, float]] = {"call": (300, 3000 / 3600)}

    def __init__(self, session: Any, wanted: Setup, redactor: Redactor, samples: Path | None) -> None:
        super().__init__(session, "")
        self.identity = wanted.identity
        self.place = Place(wanted.secret_file, wanted.vault_password)
        self.redactor = redactor
        self.samples = samples
        self.found: tuple[Stream, ...] = ()
        self.flows: list[Flow] = []
        credential = f"{wanted.identity.client_id}:{wanted.identity.api_key}"
        self._authorization = f"Basic {b64encode(credential.encode()).decode()}"

    @property
    def base(self) -> str:
        return self._base

    async def settle(self) -> None:
        """Find the region: the one whose base takes the credential. Raises OnboardingError where none surely does."""
        if not self.identity.client_id:
            text = "there is no client_id: an API credential is made by hand"
            raise InputError("sign in to Secure Endpoint", text, code="NoCredential", next_step=FIRST_STEP)
        urls = self.identity.urls
        known = {one.api_url for one in self.place.held.streams.values()} & set(urls)
        if len(urls) > 1 and not known:
            known = await self._asked(urls)
        self._base = min(known or urls)

    async def _asked(self, urls: tuple[str, ...]) -> set[str]:
        """Each is asked once, all at a time. A base that gave no answer may be the one."""
        calls = [Call("GET", "/v1/version", f"sign in at {url}", base=url) for url in urls]
        answers = await asyncio.gather(*(self.call(call) for call in calls), return_exceptions=True)
        good = {url for url, answer in zip(urls, answers, strict=True) if not isinstance(answer, BaseException)}
        errors = [answer for answer in answers if isinstance(answer, BaseException)]
        if len(good) == 1:
            return good
        if good:
            text = f"more than one base takes the credential: {', '.join(sorted(good))}"
            step = "name the organisation's own in api_urls, alone"
            raise InputError("find the region", text, code="ManyRegions", next_step=step)
        raise next((one for one in errors if getattr(one, "status", None) != 401), errors[0])

    async def authorize(self, call: Call) -> Mapping[str, str]:
        return {"Authorization": self._authorization, "Accept": "application/json"}

    def url(self, call: Call) -> str:
        return (call.base or self._base) + call.path

    def bucket(self, call: Call) -> tuple[str, str]:
        return call.base or self._base, "call"

    def remaining(self, call: Call, answer: http.Answer) -> float | None:
        return _number(answer.headers, REMAINING)

    def pause(self, call: Call, answer: http.Answer) -> float:
        reset = _number(answer.headers, RESET)
        return super().pause(call, answer) if reset is None else reset

    def counted(self, call: Call) -> str:
        pieces = ["{id}" if piece.isdigit() else piece for piece in call.path.partition("?")[0].split("/")]
        return f"{call.method} {'/'.join(pieces)}"

    def refusal(self, call: Call, answer: http.Answer) -> OnboardingError:
        body = answer.body if isinstance(answer.body, dict) else {}
        errors = body.get("errors")
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        details = first.get("details")
        told = [first.get("description"), *(details if isinstance(details, list) else [])]
        text = ". ".join(str(one) for one in told if one) or str(answer.body or "the API gave no text")
        return RefusedError(
            call.operation,
            text[:SHOWN_TEXT],
            code=str(first.get("error_code") or f"HTTP{answer.status}"),
            status=answer.status,
            next_step=STATUS_STEPS.get(answer.status, OTHER_STEP),
        )


def _number(headers: Mapping[str, str], names: tuple[str, ...]) -> float | None:
    """The first of these headers that is a number."""
    given = (http.number(headers[name]) for name in names if name in headers)
    return next((one for one in given if one is not None), None)


@asynccontextmanager
async def connected(wanted: Setup, redactor: Redactor, samples: Path | None) -> AsyncIterator[SecureEndpoint]:
    """A client with its session, closed at the end; the file with the passwords is read. Raises InputError."""
    identity = wanted.identity
    redactor.add(identity.api_key)
    redactor.add(wanted.vault_password)
    async with http.session(identity.urls[0], identity.ca_file, len(identity.urls), identity.proxy) as session:
        client = SecureEndpoint(session, wanted, redactor, samples)
        for kept in client.place.read().streams.values():
            redactor.add(kept.access.password)
        with client.place.lock:
            yield client
