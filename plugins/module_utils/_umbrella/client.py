# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Umbrella's API and Secure Access': a token for each organization, limits as published, refusals in typed words.

Source: developer.cisco.com, Umbrella API «Getting started» (token, X-Umbrella-OrgId), «Rate limits» (admin: 5 a second,
14 a minute, 350 in 30 minutes) and «S3 Bucket Key Rotation». Whether the header of a child organization belongs to the
token request or to each request two of Cisco's texts say differently; public clients send it with the token request.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from typing import Any, NamedTuple

from .._aws.session import Aws
from .._core import http
from .._core.bodies import is_token
from .._core.client import NOT_TAKEN, VendorClient, documented
from .._core.errors import OnboardingError, RefusedError
from .._core.freshness import Flow
from .._core.redaction import Redactor
from .options import Identity

TOKEN = "/auth/v2/token"  # a path, no secret  # nosec B105
KEYS_STEP = "check api_key and api_secret, which may have expired: Umbrella's dashboard, Admin > API Keys"
STATUS_STEPS = {
    400: "see what the text names",
    401: KEYS_STEP,
    403: "give the API key the scope that the call needs (admin.iam:write, reports): Admin > API Keys",
    404: "check api_url and organization",
    429: "run again in half an hour: the API key's limit is used up, maybe by another program",
}
OTHER_STEP = "run again; if it stays, ask Cisco's support"
SHOWN_TEXT = 300


class Call(NamedTuple):
    """What to do and how to speak of it. again: it may be repeated when no answer came."""

    method: str
    path: str
    operation: str
    organization: str = ""
    body: Any = None
    again: bool = True


class Umbrella(VendorClient[Call]):
    """One API key's way to Umbrella, and the keys of its buckets to AWS.

    flows: those of a verification; writes: whether the run may; held: what is let go at its end.
    """

    # So that no minute has more than 14 requests, and no half hour more than 350; of tokens 20 a minute (documented for
    # the government's twin).
    LIMITS: Mapping[str, tuple[float, float]] = {
        "admin": (5, 9 / 60),
        "token": (5, 15 / 60),
        "reports": (5, 5.0),
        "aws": (1e6, 1e6),
    }
    THROTTLED_SECONDS = 60.0

    def __init__(self, session: Any, identity: Identity, redactor: Redactor) -> None:
        super().__init__(session, identity.api_url)
        self._identity = identity
        self._redactor = redactor
        self._tokens: dict[str, str] = {}
        self.aws = Aws(identity.place)
        self.flows: list[Flow] = []
        self.writes = False
        self.held = ExitStack()

    def hide(self, secret: str) -> None:
        self._redactor.add(secret)

    async def sign_in(self, organization: str) -> None:
        """Have a token. Raises OnboardingError."""
        if organization in self._tokens:
            return
        of = f" for organization {organization}" if organization else ""
        call = Call("POST", TOKEN, f"sign in to Umbrella{of}", organization, b"grant_type=client_credentials")
        answer = await self.call(call)
        with documented(call.operation):
            token = answer["access_token"]
            if not is_token(token):
                raise ValueError("access_token is no token")
        self.hide(token)
        self._tokens[organization] = token

    async def authorize(self, call: Call) -> Mapping[str, str]:
        if call.path != TOKEN:
            await self.sign_in(call.organization)
            return {"Authorization": f"Bearer {self._tokens[call.organization]}"}
        pair = f"{self._identity.api_key}:{self._identity.api_secret}"
        child = {"X-Umbrella-OrgId": call.organization} if call.organization else {}
        return {
            "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
            **child,
        }

    def not_taken(self, call: Call) -> frozenset[int]:
        """What must not be done twice is not sent again after a 503, either."""
        return NOT_TAKEN if call.again else frozenset({429})

    def bucket(self, call: Call) -> tuple[str, str]:
        kind = call.path.split("/")[1]
        return self._identity.api_key, {"auth": "token", "reports": "reports"}.get(kind, "admin")

    def counted(self, call: Call) -> str:
        return f"{call.method} {call.path.partition('?')[0]}"

    def refusal(self, call: Call, answer: http.Answer) -> OnboardingError:
        body = answer.body if isinstance(answer.body, dict) else {}
        text = body.get("error_description") or body.get("error") or body.get("message") or answer.body
        return RefusedError(
            call.operation,
            str(text or "Umbrella gave no text")[:SHOWN_TEXT],
            code=f"HTTP{answer.status}",
            status=answer.status,
            next_step=STATUS_STEPS.get(answer.status, OTHER_STEP),
        )

    def costs(self) -> dict[str, Any]:
        found = super().costs()
        return {**found, "requests": {**found["requests"], **self.aws.requests}}


@asynccontextmanager
async def connected(identity: Identity, concurrency: int, redactor: Redactor) -> AsyncIterator[Umbrella]:
    """A client with its session, closed at the end."""
    redactor.add(identity.api_secret)
    async with http.session(identity.api_url, identity.ca_file, concurrency, identity.proxy) as session:
        yield Umbrella(session, identity, redactor)
