# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph v1.0: requests with typed refusals, lists by page, and the wait for what was just made.

Facts: learn.microsoft.com, «Microsoft Graph error responses», «Paging», «Throttling guidance». New directory objects
are read from replicas, so a read may answer 404 for a while; no limit is published (microsoftgraph/msgraph-bicep-types
#193 tells of minutes).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from ..._core import http
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from ..._core.redaction import Redactor
from ..arm.client import error_code_and_text
from ..identity.cloud import Cloud
from ..identity.credentials import GivenToken, Tokens
from ..identity.options import Identity

VERSION = "/v1.0"
CONCURRENCY = 8
# For this long a read of what was just made may say that it is not there.
LAG_SECONDS = 120.0
NOT_FOUND = frozenset({"Request_ResourceNotFound", "ResourceNotFound"})
# How aiohttp names a connection that never came about: nothing was sent, so even a POST may be tried again.
NEVER_SENT = frozenset({"ClientConnectorError", "ClientConnectorDNSError", "ClientProxyConnectionError"})
# Statuses by which Graph says that it has not looked at the request; after another error of its own nobody knows.
NOT_TAKEN = frozenset({429, 503})

# What the lag of a new app, or of a new service principal, makes of a request about it.
LAG_TEXTS = ("does not reference a valid application object", "not a valid reference update")

NEXT_STEPS = {
    "Authentication_MissingOrMalformed": "the request needs {needs}",
    "Directory_QuotaExceeded": "delete apps of this tenant that nobody needs, the deleted ones too",
    "Request_ResourceNotFound": "check the id: this tenant's directory has no such object",
}
TEXT_STEPS = (
    ("invalid audience", "give a token of Microsoft Graph: az account get-access-token --scope {graph}/.default"),
    ("lifetime validation failed", "get a fresh token: az account get-access-token --scope {graph}/.default"),
    ("access token has expired", "get a fresh token: az account get-access-token --scope {graph}/.default"),
)
STATUS_STEPS = {
    400: "check the options that the text names",
    401: "check the token: Microsoft Graph did not take it",
    403: "the identity needs {needs}",
    404: "check the id, and graph_url where one is given",
    409: "run again: someone else changes the same object",
    429: "run again later: Microsoft Graph kept throttling",
}
OTHER_STEP = "run again; if it stays, give Microsoft's support the request id"


class Call(NamedTuple):
    """What to do and how to speak of it. needs: the right that a refusal lacks, in words; prefer: the header."""

    method: str
    path: str
    operation: str
    needs: str = "a right on the object"
    body: Any = None
    prefer: str = ""

    @property
    def again(self) -> bool:
        """Whether it may be sent twice: whatever sets a state rather than adding one."""
        return self.method != "POST"


def lags(error: RefusedError) -> bool:
    """Whether a refusal may be the lag of what was just made."""
    return error.status == 404 or any(words in error.message.casefold() for words in LAG_TEXTS)


@asynccontextmanager
async def connected(identity: Identity, redactor: Redactor) -> AsyncIterator[Graph]:
    """A Graph with its session and credential, both closed at the end; with the administrator's token where given."""
    tokens = identity.administrator(redactor)
    try:
        async with http.session(identity.cloud.microsoft_graph, identity.ca_file, CONCURRENCY) as client:
            yield Graph(client, identity.cloud, tokens, identity.tenant_id)
    finally:
        await tokens.close()


class Graph:
    """One identity's way to one tenant's directory. requests counts answers by method."""

    def __init__(self, client: Any, cloud: Cloud, tokens: Tokens | GivenToken, tenant: str) -> None:
        self._client = client
        self._cloud = cloud
        self._tokens = tokens
        self.tenant = tenant
        self.requests: Counter[str] = Counter()
        self.throttled = 0

    async def call(self, call: Call) -> Any:
        """The body of the answer. Raises RefusedError, NoAnswerError or SignInError.

        After a failure that may pass all is tried again but a POST whose end is not known.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = await self._once(call)
            except NoAnswerError as error:
                if attempt >= http.ATTEMPTS or not (call.again or error.code in NEVER_SENT):
                    raise
                await asyncio.sleep(http.backoff(attempt))
                continue
            if answer.status < 300:
                return answer.body
            if attempt >= http.ATTEMPTS or not await self._worth_another(call, answer, attempt):
                raise self._refusal(call, answer)

    async def _once(self, call: Call) -> http.Answer:
        scope = self._cloud.graph_scope
        token = await self._tokens.get(self.tenant, scope)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if call.prefer:
            headers["Prefer"] = call.prefer
        self.requests[call.method] += 1
        url = self._cloud.microsoft_graph + VERSION + call.path
        answer = await http.send(
            self._client, call.method, url, operation=call.operation, headers=headers, body=call.body
        )
        if answer.status == 401:
            self._tokens.refuse(self.tenant, scope, token)
        return answer

    async def _worth_another(self, call: Call, answer: http.Answer, attempt: int) -> bool:
        """Whether the same request may be answered otherwise; waits as long as Graph asks for."""
        if answer.status == 401:
            return attempt == 1  # with the token that took the refused one's place
        self.throttled += answer.status == 429
        if answer.status not in NOT_TAKEN and not (call.again and answer.status in http.TRANSIENT):
            return False
        await asyncio.sleep(http.retry_after(answer.headers, http.backoff(attempt)))
        return True

    async def found(self, call: Call) -> Any:
        """The body of the answer, None where the directory says that there is no such object: only by its own word."""
        try:
            body = await self.call(call)
        except RefusedError as error:
            if error.status == 404 and error.code in NOT_FOUND:
                return None
            raise
        if call.method == "GET" and not isinstance(body, dict):
            raise malformed(call.operation, TypeError("the answer is empty"))
        return body

    async def settled(self, call: Call) -> Any:
        """The body of the answer about something just made: what its lag refuses is tried again for LAG_SECONDS."""
        until, attempt = time.monotonic() + LAG_SECONDS, 0
        while True:
            attempt += 1
            try:
                return await self.call(call)
            except RefusedError as error:
                if not lags(error) or time.monotonic() >= until:
                    raise
            await asyncio.sleep(http.backoff(attempt))

    async def items(self, call: Call) -> list[dict[str, Any]]:
        """Every item of a list that goes on by C(@odata.nextLink)."""
        found: list[dict[str, Any]] = []
        while True:
            body = await self.call(call)
            try:
                found += [dict(item) for item in body["value"]]
                following = body.get("@odata.nextLink")
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise malformed(call.operation, error) from error
            if not following:
                return found
            call = call._replace(path=self._own_path(str(following), call.operation))

    def _own_path(self, link: str, operation: str) -> str:
        """The path and query of a link, which must lead back to the same endpoint: the token goes along."""
        base = self._cloud.microsoft_graph + VERSION
        if not link.casefold().startswith(base.casefold() + "/"):
            raise NoAnswerError(operation, "the next page's link leads to another host", code="ForeignLink")
        return link[len(base) :]

    def _refusal(self, call: Call, answer: http.Answer) -> OnboardingError:
        """A refusal, or no answer at all where nobody can say whether a POST has been done."""
        code, text = error_code_and_text(answer.body)
        step = next_step(answer.status, code, text)
        unknown = not call.again and answer.status in http.TRANSIENT - NOT_TAKEN
        return (NoAnswerError if unknown else RefusedError)(
            call.operation,
            text or "Microsoft Graph gave no text",
            code=code or f"HTTP{answer.status}",
            status=answer.status,
            next_step=step.format(needs=call.needs, graph=self._cloud.microsoft_graph),
            request_id=answer.headers.get("request-id", ""),
        )


def next_step(status: int, code: str, text: str) -> str:
    """What to do about a refusal, with places for C(needs) and C(graph)."""
    folded = text.casefold()
    for words, step in TEXT_STEPS:
        if words in folded:
            return step
    return NEXT_STEPS.get(code) or STATUS_STEPS.get(status, OTHER_STEP)


def malformed(operation: str, error: Exception) -> OnboardingError:
    """An answer that is JSON, and not of the documented shape."""
    return NoAnswerError(operation, f"the answer has another shape than documented: {error!r}", code="BadShape")
