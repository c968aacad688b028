# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Resource Manager: requests paced by its buckets, with typed refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from ..._core import http
from ..._core.client import VendorClient
from ..._core.errors import RefusedError
from ..._core.redaction import Redactor
from ..identity.cloud import Cloud
from ..identity.credentials import GivenToken, Tokens
from ..identity.options import Identity
from .refusals import refused

# learn.microsoft.com «request limits and throttling»: (bucket, refill per second), per subscription and principal;
# the tenant has buckets of the same size. Resource Graph: 15 queries per 5 seconds.
LIMITS = {
    "reads": (250.0, 25.0),
    "writes": (200.0, 10.0),
    "deletes": (200.0, 10.0),
    "queries": (15.0, 3.0),
}
OPERATIONS = {"GET": "reads", "PUT": "writes", "DELETE": "deletes", "POST": "reads"}
TENANT = "tenant"
AUXILIARY = "x-ms-authorization-auxiliary"


Following = Callable[[Any, "Call"], "Call | None"]


class Call(NamedTuple):
    """What to do and how to speak of it.

    scope: whose bucket pays; auxiliary: tenants whose tokens go along; limit: the bucket, where the method does not
    say it; again: reads, and PUT and DELETE of a resource, come to the same when they are done twice.
    """

    method: str
    path: str
    api_version: str
    operation: str
    scope: str
    auxiliary: tuple[str, ...] = ()
    body: Any = None
    limit: str = ""
    again: bool = True

    @property
    def bucket(self) -> str:
        return self.limit or OPERATIONS[self.method]


@asynccontextmanager
async def connected(identity: Identity, concurrency: int, redactor: Redactor) -> AsyncIterator[Arm]:
    """An Arm with its session and credential, both closed at the end; with the administrator's token where given."""
    tokens = identity.administrator(redactor)
    try:
        async with http.session(identity.cloud.resource_manager, identity.ca_file, concurrency) as session:
            yield Arm(session, identity.cloud, tokens, identity.sign_in)
    finally:
        await tokens.close()


class Arm(VendorClient[Call]):
    """One identity's way to Resource Manager. requests counts answers by «METHOD bucket»."""

    LIMITS = LIMITS
    REQUEST_ID = "x-ms-request-id"

    def __init__(self, session: Any, cloud: Cloud, tokens: Tokens | GivenToken, tenant: str) -> None:
        super().__init__(session, cloud.resource_manager)
        self._cloud = cloud
        self.tokens = tokens
        self._tenant = tenant

    async def sign_in(self) -> None:
        """Get the token of this way's tenant. Raises SignInError."""
        await self._bearer(self._tenant)

    def in_tenant(self, tenant: str) -> Arm:
        """The same identity signed in to another tenant, with buckets of its own."""
        return Arm(self._session, self._cloud, self.tokens, tenant)

    async def _bearer(self, tenant: str) -> str:
        return f"Bearer {await self.tokens.get(tenant, self._cloud.arm_scope)}"

    async def authorize(self, call: Call) -> Mapping[str, str]:
        headers = {"Authorization": await self._bearer(self._tenant)}
        if call.auxiliary:
            headers[AUXILIARY] = ", ".join([await self._bearer(tenant) for tenant in call.auxiliary])
        return headers

    def unauthorized(self, call: Call, headers: Mapping[str, str]) -> bool:
        carried = [headers["Authorization"], *headers.get(AUXILIARY, "").split(", ")]
        refused = [
            self.tokens.refuse(tenant, self._cloud.arm_scope, bearer.removeprefix("Bearer "))
            for tenant, bearer in zip((self._tenant, *call.auxiliary), carried, strict=False)
        ]
        return any(refused)

    def url(self, call: Call) -> str:
        return f"{self._base}{call.path}{'&' if '?' in call.path else '?'}api-version={call.api_version}"

    def bucket(self, call: Call) -> tuple[str, str]:
        return call.scope, call.bucket

    def counted(self, call: Call) -> str:
        return f"{call.method} {call.bucket}"

    def remaining(self, call: Call, answer: http.Answer) -> float | None:
        whose = "tenant" if call.scope == TENANT else "subscription"
        limited = f"x-ms-ratelimit-remaining-{whose}-{call.bucket}"
        value = answer.headers.get("x-ms-user-quota-remaining" if call.bucket == "queries" else limited, "")
        return http.number(value)

    def refusal(self, call: Call, answer: http.Answer) -> RefusedError:
        return refused(call.operation, answer)

    def pages(self, call: Call, following: Following | None = None) -> AsyncIterator[Any]:
        """Each body of a list, which goes on by C(nextLink)."""
        return super().pages(call, following or self._next_link)

    def _next_link(self, body: Any, call: Call) -> Call | None:
        link = body.get("nextLink") if isinstance(body, dict) else None
        if not link:
            return None
        path, _mark, query = self.own_path(link, call.operation).partition("?")
        kept = [part for part in query.split("&") if part and not part.casefold().startswith("api-version=")]
        return call._replace(path=path + ("?" + "&".join(kept) if kept else ""))
