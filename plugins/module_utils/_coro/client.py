# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coro's public API: sign-in, requests that name their workspace, lists by page, typed refusals.

Facts: Coro, «Public API» (token call, header Workspace, items and totalElements, X-Coro-Trace-Id). Coro publishes
neither rate limits nor the shape of an error's body; C({code, message}) is assumed, as are the codes of the contract
profile; any other text is shown as is.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from .._core import http, token_cache
from .._core.bodies import amount, is_token
from .._core.client import ODD_SHAPE, VendorClient
from .._core.errors import NoAnswerError, OnboardingError, RefusedError, SignInError, malformed
from .._core.fingerprints import Fingerprints
from .._core.freshness import Flow
from .._core.redaction import Redactor
from .._core.token_cache import key
from .connectors import refusal
from .options import Identity
from .profile import TEST_EVENT_FAILED, Profile

REFRESH_SECONDS = 300
REPLACED_SECONDS = 60.0

# By the contract profile's names of error codes.
NEXT_STEPS = {
    "name_taken": "give another name, or let the owner of the connector of this name remove it",
    "inherited": "change the connector in the channel workspace that it is inherited from",
    "child_workspace": "register the connector in the channel workspace, for all customers",
    "invalid_audience": "set audience to what Coro's console shows beside the API credentials",
    "invalid_client": "check client_id and client_secret, and region: credentials belong to one region",
    "credentials_expired": "make new API credentials in Coro (Connectors > API Credentials) and put them in the vault",
}
STATUS_STEPS = {
    400: "check the options that the text names; with an assumed contract, check the profile",
    401: "check client_id, client_secret, audience and region",
    403: "make the API credentials in this workspace or in the channel above it, with an admin's rights",
    404: "run again: it went away meanwhile; with an assumed contract, check the profile's paths",
    405: "check the profile's methods",
    409: "run again: someone else changed it meanwhile",
    422: "check the options that the text names",
    429: "run again later or with less concurrency: Coro kept throttling",
}
# What the receiver's answer to Coro's test event says. Codes: Splunk, «HTTP Event Collector: error codes».
SPLUNK_STEPS = {
    1: "enable the token in Splunk's HTTP Event Collector settings",
    2: "set authorization: the collector saw no token",
    3: "set authorization to «Splunk <token>»",
    4: "check the token in authorization: the collector does not know it",
    7: "let the token write to the index it names",
    10: "switch off «Enable indexer acknowledgment» of the token: Coro sends no channel",
    11: "switch off «Enable indexer acknowledgment» of the token: Coro sends no channel",
}
RECEIVER_STEPS = {
    None: "check that the receiver runs, that Coro's cloud reaches it, and that its certificate is a public one",
    401: "check the secret: the receiver did not take it",
    403: "check the secret: the receiver did not take it",
    404: "check the path of listener_url",
}


MAX_LIFE = 24 * 3600.0


class Call(NamedTuple):
    """What to do and how to speak of it. again: it may be repeated when no answer came; signs_in: without a token."""

    method: str
    path: str
    operation: str
    workspace: str
    body: Any = None
    again: bool = True
    signs_in: bool = False


class Coro(VendorClient[Call]):
    """One identity's way to Coro. customers: how many workspaces below a channel the run has listed.

    visible: the workspaces that a preflight has listed; below: those below the channel, None where nobody asked.
    flows: those of a verification; sent: fingerprints of the secrets that were sent last.

    requests counts answers by method and path, ids taken out.
    """

    REQUEST_ID = "X-Coro-Trace-Id"

    def __init__(self, session: Any, identity: Identity, redactor: Redactor) -> None:
        super().__init__(session, identity.api_url)
        self.identity = identity
        self.customers = 0
        self.visible: list[Any] = []
        self.below: list[Any] | None = None
        self.sent: Fingerprints | None = None
        self.probes = False  # whether verify may let Coro send test events
        self.flows: list[Flow] = []
        self._redactor = redactor
        self._cache_key = key(identity.api_url, identity.audience, identity.client_id, identity.client_secret)
        self._sign_in_lock = asyncio.Lock()
        self._denied: SignInError | None = None
        self._replaced = float("-inf")

    async def sign_in(self) -> str:
        """The token, from the run's cache while that is good. Raises SignInError or NoAnswerError."""
        async with self._sign_in_lock:
            if self._denied:
                raise self._denied
            token = token_cache.cache.get(self._cache_key) or await self._fetch()
            self._redactor.add(token)
            return token

    async def _fetch(self) -> str:
        """POST /oauth/token (documented)."""
        one = self.identity
        body = {
            "client_id": one.client_id,
            "client_secret": one.client_secret,
            "audience": one.audience,
            "grant_type": "client_credentials",
        }
        call = Call("POST", one.token_path, f"sign in as {one.client_id} at {one.api_url}", "", body, signs_in=True)
        try:
            answer = await self.call(call)
        except RefusedError as refused:
            self._denied = SignInError(refused.operation, refused.message, code=refused.code, status=refused.status,
                                       next_step=refused.next_step, request_id=refused.request_id)  # fmt: skip
            raise self._denied from refused
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not is_token(token):
            raise NoAnswerError(call.operation, "the answer holds no access_token", code="BadShape")
        self._redactor.add(token)
        try:
            life = min(amount(answer.get("expires_in") or 0), MAX_LIFE)
        except ODD_SHAPE as error:
            raise malformed(call.operation, error) from error
        token_cache.cache.put(self._cache_key, token, time.time() + max(life - REFRESH_SECONDS, life / 2))
        return token

    async def authorize(self, call: Call) -> Mapping[str, str]:
        if call.signs_in:
            return {}
        return {"Authorization": f"Bearer {await self.sign_in()}", "Workspace": call.workspace}

    def unauthorized(self, call: Call, headers: Mapping[str, str]) -> bool:
        """A token is replaced at most once in a while, since every workspace would be refused alike."""
        if not call.signs_in and time.monotonic() > self._replaced + REPLACED_SECONDS:
            self._replaced = time.monotonic()
            token_cache.cache.drop(self._cache_key, headers["Authorization"].partition(" ")[2])
        return not call.signs_in

    def refusal(self, call: Call, answer: http.Answer) -> OnboardingError:
        return _refusal(call.operation, answer, self.identity.profile)

    def counted(self, call: Call) -> str:
        path = call.path.partition("?")[0]
        return f"{call.method} {'/'.join(path.split('/')[:3])}"

    async def listed(self, call: Call, size: int) -> AsyncIterator[list[dict[str, Any]]]:
        """The items of each page of a list (documented: page from 0, pageSize, items, totalElements).

        A GET is paged by its query, a POST by its body. An answer of another shape is a NoAnswerError, as is a list
        that ends before all have come.
        """
        number = page = 0

        def part() -> Call:
            if call.method == "GET":
                return call._replace(path=f"{call.path}?page={page}&pageSize={size}")
            return call._replace(body={"page": page, "pageSize": size})

        def following(answer: Any, _call: Call) -> Call | None:
            nonlocal number, page
            items, total = _page(call.operation, answer)
            number, page = number + len(items), page + 1
            if number >= total:
                return None
            if not items:
                raise NoAnswerError(call.operation, f"{number} of {total} items came", code="ListCutShort")
            return part()

        async for answer in self.pages(part(), following):
            yield _page(call.operation, answer)[0]


def _page(operation: str, answer: Any) -> tuple[list[dict[str, Any]], int]:
    try:
        return list(answer["items"]), int(amount(answer["totalElements"]))
    except ODD_SHAPE as error:
        raise malformed(operation, error) from error


@asynccontextmanager
async def connected(identity: Identity, concurrency: int, redactor: Redactor) -> AsyncIterator[Coro]:
    """A Coro with its session, closed at the end."""
    redactor.add(identity.client_secret)
    async with http.session(identity.api_url, identity.ca_file, concurrency, identity.proxy) as session:
        yield Coro(session, identity, redactor)


def _refusal(operation: str, answer: http.Answer, profile: Profile) -> RefusedError:
    body = answer.body if isinstance(answer.body, dict) else {}
    code = str(body.get("code") or f"HTTP{answer.status}")
    text = str(body.get("message") or "") or (answer.body if isinstance(answer.body, str) else "Coro gave no text")
    errors = body.get("errors")
    fields = [
        f"{one.get('field')} {one.get('message')}"
        for one in (errors if isinstance(errors, list) else ())
        if isinstance(one, dict)
    ]
    known = profile.error_of(code)
    step = NEXT_STEPS.get(known) or STATUS_STEPS.get(answer.status, "run again; if it stays, give Coro the trace id")
    if known == TEST_EVENT_FAILED:
        receiver = body.get("receiver")
        text = f"{text} Nothing was saved. The receiver said: {refusal(receiver) or 'nothing that Coro passed on'}"
        step = receiver_step(receiver)
    return RefusedError(
        operation,
        " ".join([text.rstrip(), *fields]),
        code=code,
        status=answer.status,
        next_step=step,
        request_id=answer.headers.get(Coro.REQUEST_ID, ""),
    )


def receiver_step(receiver: Any) -> str:
    """What to do about a receiver that did not take an event."""
    status = receiver.get("status") if isinstance(receiver, dict) else None
    try:
        code = json.loads(receiver["body"])["code"]
    except ODD_SHAPE:
        code = None
    other = "see the receiver's answer and its own log"
    if isinstance(code, int) and code in SPLUNK_STEPS:
        return SPLUNK_STEPS[code]
    return RECEIVER_STEPS.get(status, other)
