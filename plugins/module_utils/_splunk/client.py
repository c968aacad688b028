# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The management API of Splunk: a token in each request, forms in, JSON out, refusals in typed words.

Source: help.splunk.com, REST API reference: Authorization: Bearer; output_mode=json; errors are {"messages": [{"type",
"text"}]}, whose text varies by version, so that only the status is decided by.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode

from .._core import http
from .._core.client import VendorClient
from .._core.errors import OnboardingError, RefusedError
from .._core.redaction import Redactor
from .options import Identity, Setup

STATUS_STEPS = {
    401: "check token: Settings > Tokens shows whether it has ended, or was disabled",
    402: "have the licence of this Splunk renewed: it answers nothing else until then",
    403: "give the token's user a role with the capability that the text names",
    404: "check api_url and the names of app and search",
    429: "run again later or with less concurrency",
}
OTHER_STEP = "run again; if it stays, see splunkd.log on the search head"
SHOWN_TEXT = 300


class Call(NamedTuple):
    """What to do and how to speak of it. form: fields of a POST; again: it may be repeated when no answer came."""

    method: str
    path: str
    operation: str
    form: tuple[tuple[str, str], ...] = ()
    again: bool = True

    @property
    def body(self) -> bytes | None:
        return urlencode(self.form).encode() if self.form else None


class Splunk(VendorClient[Call]):
    """One token's way to one search head."""

    def __init__(self, session: Any, identity: Identity) -> None:
        super().__init__(session, identity.api_url)
        self._token = identity.token

    async def authorize(self, call: Call) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token}", "Content-Type": "application/x-www-form-urlencoded"}

    def url(self, call: Call) -> str:
        return f"{self._base}{call.path}{'&' if '?' in call.path else '?'}output_mode=json"

    def counted(self, call: Call) -> str:
        pieces = call.path.partition("?")[0].split("/")
        return f"{call.method} {'saved/searches' if 'saved' in pieces else '/'.join(pieces[-2:])}"

    def refusal(self, call: Call, answer: http.Answer) -> OnboardingError:
        told = answer.body.get("messages") if isinstance(answer.body, dict) else None
        texts = [str(one.get("text")) for one in told if isinstance(one, dict)] if isinstance(told, list) else []
        return RefusedError(
            call.operation,
            ("; ".join(texts) or str(answer.body or "Splunk gave no text"))[:SHOWN_TEXT],
            code=f"HTTP{answer.status}",
            status=answer.status,
            next_step=STATUS_STEPS.get(answer.status, OTHER_STEP),
        )


@asynccontextmanager
async def connected(setup: Setup, redactor: Redactor) -> AsyncIterator[Splunk]:
    """A client with its session, closed at the end."""
    who = setup.identity
    redactor.add(who.token)
    redactor.add(setup.url)
    redactor.add(setup.url.partition("?")[2] or None)
    async with http.session(who.api_url, who.ca_file, setup.concurrency, who.proxy) as session:
        yield Splunk(session, who)
