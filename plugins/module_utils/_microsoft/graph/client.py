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
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from ..._core import http
from ..._core.client import VendorClient, documented
from ..._core.errors import RefusedError, malformed
from ..._core.redaction import Redactor
from ..arm.refusals import error_code_and_text
from ..identity.cloud import Cloud
from ..identity.credentials import GivenToken, Tokens
from ..identity.options import Identity

VERSION = "/v1.0"
CONCURRENCY = 8
# For this long a read of what was just made may say that it is not there.
LAG_SECONDS = 120.0
NOT_FOUND = frozenset({"Request_ResourceNotFound", "ResourceNotFound"})

# What the lag of a new app, or of a new service principal, makes of a request about it.
LAG_TEXTS = ("does not reference a valid application object", "not a valid reference update")

NEXT_STEPS = {
    "Authentication_MissingOrMalformed": "the request needs {needs}",
    "Directory_QuotaExceeded": "delete apps of this tenant that nobody needs, the deleted ones too",
    "Request_ResourceNotFound": "check the id: this tenant's directory has no such object",
}
TEXT_STEPS = (
    # microsoftgraph/msgraph-bicep-types#202, #137.
    (
        "same value for property uniquename",
        "restore the deleted app of this unique_name, or delete it for good (Deleted applications), or choose another",
    ),
    # KelvinTegelaar/CIPP-API PR#1970: the tenant's app management policy.
    (
        "credentialinvalidlifetime",
        "lower secret_days, or the certificate's life, to what the tenant's app management policy allows",
    ),
    ("credentialtypenotallowed", "use a certificate: the tenant's app management policy allows no secrets"),
    ("multi-factor authentication", "sign in again with multi-factor authentication and give that access_token"),
    ("conditional access", "sign in again as the Conditional Access policy asks and give that access_token"),
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
    """What to do and how to speak of it. needs: the right that a refusal lacks, in words; prefer: the header.

    once: it hands out what is told once, so only a 429 lets it be sent again.
    """

    method: str
    path: str
    operation: str
    needs: str = "a right on the object"
    body: Any = None
    prefer: str = ""
    once: bool = False

    @property
    def again(self) -> bool:
        """Whether it may be sent twice: whatever sets a state rather than adding one."""
        return self.method != "POST"


def lags(error: RefusedError) -> bool:
    """Whether a refusal may be the lag of what was just made, in the directory's own words."""
    return (error.status == 404 and error.code in NOT_FOUND) or any(
        words in error.message.casefold() for words in LAG_TEXTS
    )


@asynccontextmanager
async def connected(identity: Identity, redactor: Redactor) -> AsyncIterator[Graph]:
    """A Graph with its session and credential, both closed at the end; with the administrator's token where given."""
    tokens = identity.administrator(redactor)
    try:
        async with http.session(identity.cloud.microsoft_graph, identity.ca_file, CONCURRENCY) as session:
            yield Graph(session, identity.cloud, tokens, identity.tenant_id)
    finally:
        await tokens.close()


class Graph(VendorClient[Call]):
    """One identity's way to one tenant's directory. requests counts answers by method."""

    REQUEST_ID = "request-id"

    def __init__(self, session: Any, cloud: Cloud, tokens: Tokens | GivenToken, tenant: str) -> None:
        super().__init__(session, cloud.microsoft_graph + VERSION)
        self._cloud = cloud
        self._tokens = tokens
        self.tenant = tenant
        self.lag_seconds = LAG_SECONDS

    async def authorize(self, call: Call) -> Mapping[str, str]:
        token = await self._tokens.get(self.tenant, self._cloud.graph_scope)
        return {"Authorization": f"Bearer {token}"} | ({"Prefer": call.prefer} if call.prefer else {})

    def not_taken(self, call: Call) -> frozenset[int]:
        return frozenset({429}) if call.once else super().not_taken(call)

    def unauthorized(self, call: Call, headers: Mapping[str, str]) -> bool:
        token = headers["Authorization"].removeprefix("Bearer ")
        return self._tokens.refuse(self.tenant, self._cloud.graph_scope, token)

    def refusal(self, call: Call, answer: http.Answer) -> RefusedError:
        code, text = error_code_and_text(answer.body)
        step = next_step(answer.status, code, text)
        return RefusedError(
            call.operation,
            text or "Microsoft Graph gave no text",
            code=code or f"HTTP{answer.status}",
            status=answer.status,
            next_step=step.format(needs=call.needs, graph=self._cloud.microsoft_graph),
            request_id=answer.headers.get(self.REQUEST_ID, ""),
        )

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
        """The body of the answer about something just made: what its lag refuses is tried again.

        What lasts for longer than LAG_SECONDS is no lag, and is waited for once in a run.
        """
        until, attempt = time.monotonic() + self.lag_seconds, 0
        while True:
            attempt += 1
            try:
                return await self.call(call)
            except RefusedError as error:
                if not lags(error):
                    raise
                if time.monotonic() >= until:
                    self.lag_seconds = 0.0
                    raise
            await asyncio.sleep(http.backoff(attempt))

    async def items(self, call: Call) -> list[dict[str, Any]]:
        """Every item of a list that goes on by C(@odata.nextLink)."""
        found: list[dict[str, Any]] = []
        async for body in self.pages(call, self._next_link):
            with documented(call.operation):
                found += [dict(item) for item in body["value"]]
        return found

    def _next_link(self, body: Any, call: Call) -> Call | None:
        link = body.get("@odata.nextLink")
        return call._replace(path=self.own_path(link, call.operation)) if link else None


def next_step(status: int, code: str, text: str) -> str:
    """What to do about a refusal, with places for C(needs) and C(graph)."""
    folded = f"{code} {text}".casefold()
    for words, step in TEXT_STEPS:
        if words in folded:
            return step
    return NEXT_STEPS.get(code) or STATUS_STEPS.get(status, OTHER_STEP)
