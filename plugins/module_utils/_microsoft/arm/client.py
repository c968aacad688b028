# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Resource Manager: requests paced by its buckets, with typed refusals."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from ..._core import http
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from ..._core.redaction import Redactor
from ..._core.throttle import Buckets, TokenBucket
from ..identity.cloud import Cloud
from ..identity.credentials import GivenToken, Tokens
from ..identity.options import Identity

# learn.microsoft.com «request limits and throttling»: (bucket, refill per second), per subscription and principal;
# the tenant has buckets of the same size. Resource Graph: 15 queries per 5 seconds.
LIMITS = {
    "reads": (250.0, 25.0),
    "writes": (200.0, 10.0),
    "deletes": (200.0, 10.0),
    "queries": (15.0, 3.0),
}
# Without any answer for this long nothing is tried again: the endpoint is gone, and waiting would take hours.
SILENCE_SECONDS = 60.0
OPERATIONS = {"GET": "reads", "PUT": "writes", "DELETE": "deletes", "POST": "reads"}
TENANT = "tenant"

# Azure's code -> what to do about it.
NEXT_STEPS = {
    "AuthorizationFailed": "grant the app's service principal Monitoring Contributor on the subscription",
    "LinkedAuthorizationFailed": "grant the app Log Analytics Contributor on the destination, or the right named",
    "InvalidAuthenticationTokenTenant": "check tenant_id, or managing_tenant_id where access is by Lighthouse",
    "ScopeLocked": "remove the lock for the change, or exclude the resource",
    "ReadOnlyDisabledSubscription": "enable the subscription, or exclude it",
    "ResourceNotFound": "run again: the resource went away between the inventory and this request",
    "ResourceGroupNotFound": "run again: the resource group went away between the inventory and this request",
    "SubscriptionNotFound": "check that the app's service principal has a role on the subscription",
    "MissingSubscriptionRegistration": "register the resource provider that the text names in the subscription",
    "ResourceTypeNotSupported": "exclude the resource type: it takes no diagnostic settings",
    "PrincipalNotFound": "check principal_id and tenant_id; a principal that is new is known after a minute or two",
    "InvalidRegistrationDefinitionCreateRequest": "choose the built-in roles that Lighthouse takes, as its text says",
    "RoleAssignmentUpdateNotPermitted": "remove the role assignment that the operation names, then run again",
}
# Words in Azure's text that say more than its code.
TEXT_STEPS = (
    ("not registered to use microsoft.insights", "run: az provider register --namespace Microsoft.Insights"),
    (
        "use namespace 'microsoft.managedservices'",
        "have an Owner of the subscription run: az provider register --namespace Microsoft.ManagedServices",
    ),
    ("microsoft.managedservices/", "run with the access_token of an Owner of the subscription who is no guest there"),
    (
        "microsoft.authorization/roleassignments/",
        "run with the access_token of an Owner, or of a User Access Administrator, of the scope",
    ),
    ("use namespace 'microsoft.eventhub'", "run: az provider register --namespace Microsoft.EventHub"),
    (
        "authorization to perform action 'microsoft.eventhub/",
        "grant the app's service principal Contributor on the resource group of the Event Hub",
    ),
    (
        "authorization to perform action 'microsoft.resources/subscriptions/resourcegroups/write'",
        "make the resource group, or grant the app's service principal Contributor on the subscription",
    ),
    ("please register the subscription", "run: az provider register --namespace Microsoft.Insights"),
    (
        "is not authorized to access linked subscription",
        "name the destination's tenant in auxiliary_tenant_ids and have the app consented there, "
        "or delegate the subscriptions by Azure Lighthouse and set managing_tenant_id",
    ),
    ("diagnostic settings was reached", "remove a setting that is no longer needed from this resource"),
    ("should be in the same region", "give a destination for the region in regional_destinations"),
    ("data sink", "another setting sends the same logs to the same destination: see on_conflict"),
)
STATUS_STEPS = {
    401: "check the identity: Azure did not take its token",
    403: "grant the app's service principal the right that the text names",
    404: "check that it still exists and that the identity may read it",
    429: "run again later or with fewer requests in flight: Azure kept throttling",
}


class Call(NamedTuple):
    """What to do and how to speak of it. scope: whose bucket pays; auxiliary: tenants whose tokens go along."""

    method: str
    path: str
    api_version: str
    operation: str
    scope: str
    auxiliary: tuple[str, ...] = ()
    body: Any = None
    limit: str = ""


@asynccontextmanager
async def connected(identity: Identity, concurrency: int, redactor: Redactor) -> AsyncIterator[Arm]:
    """An Arm with its session and credential, both closed at the end; with the administrator's token where given."""
    tokens = identity.administrator(redactor)
    try:
        async with http.session(identity.cloud.resource_manager, identity.ca_file, max(1, concurrency)) as client:
            yield Arm(client, identity.cloud, tokens, identity.sign_in)
    finally:
        await tokens.close()


class Arm:
    """One identity's way to Resource Manager. requests counts answers by «METHOD kind»."""

    def __init__(self, client: Any, cloud: Cloud, tokens: Tokens | GivenToken, tenant: str) -> None:
        self._client = client
        self._cloud = cloud
        self.tokens = tokens
        self._tenant = tenant
        self.buckets = Buckets(LIMITS)
        self.requests: Counter[str] = Counter()
        self.throttled = 0
        self._last_answer = time.monotonic()

    async def sign_in(self) -> None:
        """Get the token of this way's tenant. Raises SignInError."""
        await self.tokens.get(self._tenant, self._cloud.arm_scope)

    def in_tenant(self, tenant: str) -> Arm:
        """The same identity signed in to another tenant, with buckets of its own."""
        return Arm(self._client, self._cloud, self.tokens, tenant)

    async def call(self, call: Call) -> Any:
        """The body of the answer. Raises RefusedError, NoAnswerError or SignInError.

        Reads, PUT and DELETE of a setting are idempotent, so all are tried again after a failure that may pass.
        """
        limit = call.limit or OPERATIONS[call.method]
        bucket = self.buckets.get(call.scope, limit)
        url = (
            f"{self._cloud.resource_manager}{call.path}{'&' if '?' in call.path else '?'}api-version={call.api_version}"
        )
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = await self._once(call, url, bucket, limit)
            except NoAnswerError:
                if attempt >= http.ATTEMPTS or time.monotonic() - self._last_answer > SILENCE_SECONDS:
                    raise
                await asyncio.sleep(http.backoff(attempt))
                continue
            if answer.status < 300:
                return answer.body
            if attempt >= http.ATTEMPTS or not await self._worth_another(call, answer, bucket, attempt):
                raise refused(call.operation, answer)

    async def _once(self, call: Call, url: str, bucket: TokenBucket, limit: str) -> http.Answer:
        await self.buckets.acquire(bucket)
        remaining = None
        try:
            scope = self._cloud.arm_scope
            token = await self.tokens.get(self._tenant, scope)
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            others = [await self.tokens.get(tenant, scope) for tenant in call.auxiliary]
            if others:
                headers["x-ms-authorization-auxiliary"] = ", ".join(f"Bearer {other}" for other in others)
            self.requests[f"{call.method} {limit}"] += 1
            answer = await http.send(
                self._client, call.method, url, operation=call.operation, headers=headers, body=call.body
            )
            self._last_answer = time.monotonic()
            remaining = _remaining(answer.headers, call.scope, limit)
            if answer.status == 401:
                for tenant, used in zip((self._tenant, *call.auxiliary), (token, *others), strict=True):
                    self.tokens.refuse(tenant, scope, used)
            return answer
        finally:
            bucket.done(remaining)

    async def _worth_another(self, call: Call, answer: http.Answer, bucket: TokenBucket, attempt: int) -> bool:
        """Whether the same request may be answered otherwise; waits, or sees to what has to change first."""
        if answer.status == 429:
            self.throttled += 1
            bucket.close(http.retry_after(answer.headers, 5.0))
            return True
        if answer.status == 401 and attempt == 1:  # with the token that took the refused one's place
            return True
        if answer.status in http.TRANSIENT:
            await asyncio.sleep(http.retry_after(answer.headers, http.backoff(attempt)))
            return True
        return False

    async def pages(self, call: Call) -> AsyncIterator[Any]:
        """Each body of a list that goes on by C(nextLink)."""
        while True:
            body = await self.call(call)
            yield body
            following = body.get("nextLink") if isinstance(body, dict) else None
            if not following:
                return
            call = call._replace(path=self._own_path(following, call.operation))

    def _own_path(self, link: str, operation: str) -> str:
        """The path and query of a link, which must lead back to the same endpoint: the token goes along."""
        base = self._cloud.resource_manager
        if not link.casefold().startswith(base.casefold() + "/"):
            raise NoAnswerError(operation, "the next page's link leads to another host", code="ForeignLink")
        path, _mark, query = link[len(base) :].partition("?")
        kept = [part for part in query.split("&") if part and not part.casefold().startswith("api-version=")]
        return path + ("?" + "&".join(kept) if kept else "")


def _remaining(headers: Mapping[str, str], scope: str, limit: str) -> float | None:
    whose = "tenant" if scope == TENANT else "subscription"
    name = "x-ms-user-quota-remaining" if limit == "queries" else f"x-ms-ratelimit-remaining-{whose}-{limit}"
    value = headers.get(name, "")
    return float(value) if value.isdigit() else None


def error_code_and_text(body: Any) -> tuple[str, str]:
    """Azure's code and text out of both its shapes, {"error": {…}} and {"code": …}, also when nested as JSON text."""
    if isinstance(body, str):
        return "", body
    if not isinstance(body, dict):
        return "", ""
    inner = body.get("error", body)
    if not isinstance(inner, dict):
        return "", str(inner)
    code, text = str(inner.get("code") or ""), str(inner.get("message") or "")
    if text.startswith("{"):
        try:
            nested_code, nested_text = error_code_and_text(json.loads(text))
        except ValueError:
            return code, text
        return nested_code or code, nested_text or text
    return code, text


def next_step(status: int, code: str, text: str) -> str:
    folded = text.casefold()
    for words, step in TEXT_STEPS:
        if words in folded:
            return step
    return NEXT_STEPS.get(code) or STATUS_STEPS.get(status, "run again; if it stays, give Azure support the request id")


def refused(operation: str, answer: http.Answer) -> RefusedError:
    code, text = error_code_and_text(answer.body)
    return RefusedError(
        operation,
        text or "Azure gave no text",
        code=code or f"HTTP{answer.status}",
        status=answer.status,
        next_step=next_step(answer.status, code, text),
        request_id=answer.headers.get("x-ms-request-id", ""),
    )


def malformed(operation: str, error: Exception) -> OnboardingError:
    """An answer that is JSON, and not of the documented shape."""
    return NoAnswerError(operation, f"the answer has another shape than documented: {error!r}", code="BadShape")
