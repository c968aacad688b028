# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Duo's Admin API and Accounts API: a signature in each request, limits as published, refusals in typed words.

Source: duo.com/docs/adminapi, duo.com/docs/accountsapi, duo_client 5.7. Limits are for each application and come in no
header: a statement of Duo's staff of 2019 has 300 reads and 300 writes a minute; the documents ask for one call of a
log a minute.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Any, NamedTuple

from .._core import http
from .._core.bodies import is_token
from .._core.client import VendorClient, documented
from .._core.errors import OnboardingError, RefusedError
from .._core.freshness import Flow
from .._core.redaction import Redactor
from . import signing
from .options import Identity
from .plan import Kept

KEYS_STEP = "check integration_key and secret_key against Applications > the application in Duo's Admin Panel"
# By Duo's own codes. Which permission a call lacks Duo does not say, nor that it is the network.
NEXT_STEPS = {
    40002: "check the options that the text names",
    40101: KEYS_STEP,
    40102: "check integration_key, and api_host: each account has a host of its own",
    40103: "check secret_key, which somebody may have reset in Duo's Admin Panel",
    40105: "set the clock of the control node, by NTP: it may be off by 5 minutes at most",
    40301: (
        "let an Owner see in Duo's Admin Panel, at Applications > the application, whether its permissions or its "
        "networks for API access leave this out; an edition without the Admin API answers so, too"
    ),
    40401: "run again: it went away meanwhile",
    42901: "run again in some minutes: the application's limit is used up, maybe by another program with the same key",
}
OTHER_STEP = "run again; if it stays, ask Duo's support"
SHOWN_TEXT = 300
MIN_SECRET = 16


class Account(NamedTuple):
    """An account of Duo. id: '' for the one that the keys are of; host: without a port."""

    id: str
    host: str
    name: str = ""

    @property
    def label(self) -> str:
        """What evidence calls it: the same in every run, whatever it is renamed to."""
        return self.id or self.host


class Call(NamedTuple):
    """What to do and how to speak of it. again: it may be repeated when no answer came.

    path: with the query, in the order in which it is signed; keys: of another application than our own.
    """

    method: str
    path: str
    operation: str
    account: Account
    body: Any = None
    again: bool = True
    keys: Kept | None = None


class Duo(VendorClient[Call]):
    """One application's way to Duo. secrets: those that this run has read, by integration key.

    children: child accounts that it has listed; chosen: those of them that are wanted, None where none was listed;
    flows: those of a verification.
    """

    LIMITS: Mapping[str, tuple[float, float]] = {"read": (20, 5.0), "write": (20, 5.0), "log": (1, 1 / 60)}
    # Duo does not say how long to wait; five tries of this are longer than the minute that its limits are for.
    THROTTLED_SECONDS = 16.0

    def __init__(self, session: Any, identity: Identity, redactor: Redactor, *, tells: bool = False) -> None:
        super().__init__(session, f"https://{identity.host}{identity.port}")
        self.identity = identity
        self.own = Account("", identity.host)
        self.children: list[Account] = []
        self.chosen: list[Account] | None = None
        self.secrets: dict[str, str] = {}
        self.flows: list[Flow] = []
        self._redactor = redactor
        self._tells = tells

    def learn(self, key: str, secret: Any) -> None:
        """A secret was read: it is not to be told, but by the result of a task that is hidden as a whole.

        Raises ValueError for what is none, such as a letter that the redactor would take out everywhere.
        """
        if not is_token(secret) or len(secret) < MIN_SECRET:
            raise ValueError("the secret key is not one")
        if not self._tells:
            self._redactor.add(secret)
        self.secrets[key] = secret

    async def authorize(self, call: Call) -> Mapping[str, str]:
        keys = call.keys or Kept(self.identity.key, self.identity.secret)
        date = formatdate()
        path, _mark, query = call.path.partition("?")
        text = signing.canonical(date, call.method, call.account.host, path, query, call.body or b"")
        return {"Date": date, "Authorization": signing.authorization(keys.key, keys.secret, text)}

    def url(self, call: Call) -> str:
        return f"https://{call.account.host}{self.identity.port}{call.path}"

    def bucket(self, call: Call) -> tuple[str, str]:
        key = call.keys.key if call.keys else self.identity.key
        path = call.path.partition("?")[0]
        if "/logs/" in path:
            return f"{key} {path}", "log"
        return key, "read" if call.method == "GET" else "write"

    def counted(self, call: Call) -> str:
        return f"{call.method} " + re.sub(r"(/integrations)/[^/]+", r"\1/{key}", call.path.partition("?")[0])

    def refusal(self, call: Call, answer: http.Answer) -> OnboardingError:
        body = answer.body if isinstance(answer.body, dict) else {}
        code = body.get("code")
        told = [body.get("message") or answer.body or "Duo gave no text", body.get("message_detail")]
        if code == 40105:
            told.append(f"Duo's own clock: {answer.headers.get('Date', 'not said')}")
        return RefusedError(
            call.operation,
            ". ".join(str(text) for text in told if text)[:SHOWN_TEXT],
            code=str(code or f"HTTP{answer.status}"),
            status=answer.status,
            next_step=NEXT_STEPS.get(code, OTHER_STEP) if isinstance(code, int) else OTHER_STEP,
        )

    async def ask(self, call: Call) -> Any:
        """C(response) of the answer. Raises OnboardingError."""
        return response(call.operation, await self.call(call))


def response(operation: str, answer: Any) -> Any:
    """What an answer of 200 holds. Raises NoAnswerError where it does not say OK."""
    with documented(operation):
        if answer["stat"] != "OK":
            raise ValueError(f"stat is {str(answer['stat'])[:20]!r}")
        return answer["response"]


@asynccontextmanager
async def connected(identity: Identity, concurrency: int, redactor: Redactor, *, tells: bool) -> AsyncIterator[Duo]:
    """A client with its session, closed at the end. tells: the result holds the secrets that are read."""
    redactor.add(identity.secret)
    url = f"https://{identity.host}{identity.port}"
    async with http.session(url, identity.ca_file, concurrency, identity.proxy) as session:
        yield Duo(session, identity, redactor, tells=tells)
