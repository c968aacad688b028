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
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from .._core import http, token_cache
from .._core.errors import NoAnswerError, RefusedError, SignInError
from .._core.redaction import Redactor
from .._core.throttle import Buckets
from .._core.token_cache import key
from .connectors import refusal
from .options import Identity
from .profile import TEST_EVENT_FAILED, Profile

REQUESTS = "requests"
# No limit is published: the bucket never runs dry by itself, and closes for as long as a 429 says.
LIMITS = {REQUESTS: (1e6, 1e6)}
REFRESH_SECONDS = 300
REPLACED_SECONDS = 60.0
# A call is not tried again after it has waited this long in vain, and after some such calls in a row nothing is asked
# any more: a channel of hundreds of customers would wait a minute for each.
SILENCE_SECONDS = 60.0
SILENT_CALLS = 3

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


class Call(NamedTuple):
    """What to do and how to speak of it. again: it may be repeated when no answer came."""

    method: str
    path: str
    operation: str
    workspace: str
    body: Any = None
    again: bool = True


@asynccontextmanager
async def connected(identity: Identity, concurrency: int, redactor: Redactor) -> AsyncIterator[Coro]:
    """A Coro with its session, closed at the end."""
    redactor.add(identity.client_secret)
    async with http.session(identity.api_url, identity.ca_file, max(1, concurrency), identity.proxy) as client:
        yield Coro(client, identity, redactor)


class Coro:
    """One identity's way to Coro. requests counts answers by «METHOD path», ids taken out."""

    def __init__(self, client: Any, identity: Identity, redactor: Redactor) -> None:
        self._client = client
        self.identity = identity
        self._redactor = redactor
        self._cache_key = key(identity.api_url, identity.audience, identity.client_id, identity.client_secret)
        self._sign_in_lock = asyncio.Lock()
        self._refused: SignInError | None = None
        self.buckets = Buckets(LIMITS)
        self.requests: Counter[str] = Counter()
        self.throttled = 0
        self._silent = 0
        self._replaced = float("-inf")

    async def sign_in(self) -> str:
        """The token, from the run's cache while that is good. Raises SignInError or NoAnswerError."""
        async with self._sign_in_lock:
            if self._refused:
                raise self._refused
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
        call = Call("POST", one.token_path, f"sign in as {one.client_id} at {one.api_url}", "", body)
        answer = await self._answered(call, {})
        token = answer.body.get("access_token") if isinstance(answer.body, dict) else None
        if answer.status >= 300:
            refused = _refused(call.operation, answer, one.profile)
            self._refused = SignInError(refused.operation, refused.message, code=refused.code, status=refused.status,
                                        next_step=refused.next_step, request_id=refused.request_id)  # fmt: skip
            raise self._refused
        if not isinstance(token, str) or not token:
            raise NoAnswerError(call.operation, "the answer holds no access_token", code="BadShape")
        self._redactor.add(token)
        try:
            life = float(answer.body.get("expires_in") or 0)
        except (TypeError, ValueError) as error:
            raise malformed(call.operation, error) from error
        token_cache.cache.put(self._cache_key, token, time.time() + max(life - REFRESH_SECONDS, life / 2))
        return token

    async def call(self, call: Call) -> Any:
        """The body of the answer. Raises RefusedError, NoAnswerError or SignInError."""
        answer = await self._with_token(call)
        if answer.status == 401:  # the token is over: once more with another
            answer = await self._with_token(call)
        if answer.status >= 300:
            raise _refused(call.operation, answer, self.identity.profile)
        return answer.body

    async def _with_token(self, call: Call) -> http.Answer:
        token = await self.sign_in()
        answer = await self._answered(call, {"Authorization": f"Bearer {token}", "Workspace": call.workspace})
        # At most once in a while, since every workspace would be refused alike.
        if answer.status == 401 and time.monotonic() > self._replaced + REPLACED_SECONDS:
            self._replaced = time.monotonic()
            token_cache.cache.drop(self._cache_key, token)
        return answer

    async def _answered(self, call: Call, headers: dict[str, str]) -> http.Answer:
        """An answer that stays: what may pass is tried again. Raises NoAnswerError."""
        if self._silent >= SILENT_CALLS:
            raise _not_tried(call.operation)
        bucket = self.buckets.get("", REQUESTS)
        attempt = 0
        in_vain = 0.0
        while True:
            attempt += 1
            await self.buckets.acquire(bucket)
            began = time.monotonic()
            try:
                answer = await self._once(call, headers)
            except NoAnswerError as error:
                in_vain += time.monotonic() - began
                over = attempt >= http.ATTEMPTS or in_vain >= SILENCE_SECONDS
                self._silent = self._silent + over if error.status is None else 0
                if over or not call.again:
                    raise
                await asyncio.sleep(http.backoff(attempt))
                continue
            finally:
                bucket.done()
            self._silent = 0
            if attempt >= http.ATTEMPTS:
                return answer
            if answer.status == 429:
                self.throttled += 1
                bucket.close(http.retry_after(answer.headers, 5.0))
            elif answer.status in http.TRANSIENT and call.again:
                await asyncio.sleep(http.retry_after(answer.headers, http.backoff(attempt)))
            else:
                return answer

    async def _once(self, call: Call, headers: dict[str, str]) -> http.Answer:
        path = call.path.partition("?")[0]
        self.requests[f"{call.method} {'/'.join(path.split('/')[:3])}"] += 1
        return await http.send(
            self._client,
            call.method,
            self.identity.api_url + call.path,
            operation=call.operation,
            headers={"Content-Type": "application/json", **headers},
            body=call.body,
        )

    async def pages(self, call: Call, size: int) -> AsyncIterator[list[dict[str, Any]]]:
        """The items of each page of a list (documented: page from 0, pageSize, items, totalElements).

        A GET is paged by its query, a POST by its body. An answer of another shape is a NoAnswerError, as is a list
        that ends before all have come.
        """
        number = page = 0
        while True:
            if call.method == "GET":
                part = call._replace(path=f"{call.path}?page={page}&pageSize={size}")
            else:
                part = call._replace(body={"page": page, "pageSize": size})
            answer = await self.call(part)
            try:
                items, total = list(answer["items"]), int(answer["totalElements"])
            except (KeyError, TypeError, ValueError) as error:
                raise malformed(call.operation, error) from error
            yield items
            number += len(items)
            page += 1
            if number >= total:
                return
            if not items:
                raise NoAnswerError(call.operation, f"{number} of {total} items came", code="ListCutShort")


def _not_tried(operation: str) -> NoAnswerError:
    return NoAnswerError(
        operation,
        f"not tried, since nothing answered the last {SILENT_CALLS} calls",
        code="NotTried",
    )


def _refused(operation: str, answer: http.Answer, profile: Profile) -> RefusedError:
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
        request_id=answer.headers.get("X-Coro-Trace-Id", ""),
    )


def receiver_step(receiver: Any) -> str:
    """What to do about a receiver that did not take an event."""
    status = receiver.get("status") if isinstance(receiver, dict) else None
    try:
        code = json.loads(receiver["body"])["code"]
    except (KeyError, TypeError, ValueError):
        code = None
    other = "see the receiver's answer and its own log"
    if isinstance(code, int) and code in SPLUNK_STEPS:
        return SPLUNK_STEPS[code]
    return RECEIVER_STEPS.get(status, other)


def malformed(operation: str, error: Exception) -> NoAnswerError:
    """An answer that is JSON, and not of the shape that the profile says."""
    return NoAnswerError(
        operation,
        f"the answer has another shape than the contract profile: {error!r}",
        code="BadShape",
        next_step="compare the profile with what Coro answers",
    )
