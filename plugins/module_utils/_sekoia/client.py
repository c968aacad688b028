# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sekoia.io's API: the key in each request, refusals in typed words, and a stop at the second error.

Source: docs.sekoia.io (API, «Playbooks»); a draft of its page on errors (SEKOIA-IO/documentation#3088) says that the
address of whoever gets two errors within ten seconds may be blocked, which others behind the same address would feel.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

from .._core import http
from .._core.client import VendorClient
from .._core.errors import OnboardingError, RefusedError
from .._core.redaction import Redactor
from .._core.verdict import NOT_TRIED
from .identity import Identity

QUIET_SECONDS = 10.0
STATUS_STEPS = {
    401: "check api_key: it is wrong, has ended or was revoked; an administrator makes another in Settings > API keys",
    403: "let an administrator of the community give the key the permission that this needs; preflight tells which",
    404: "run again: it went away meanwhile; if it stays, check region and community_uuid",
    409: "run again: somebody else writes to it",
    429: "run again in some minutes: Sekoia.io asks to slow down",
}
OTHER_STEP = "run again in some minutes; if it stays, ask Sekoia.io's support"
STOPPED = f"nothing more was asked after a second error within {QUIET_SECONDS:g} seconds, or Sekoia.io may block us"
STOPPED_STEP = "see to the errors that were told first, wait a minute, then run again"
SHOWN_TEXT = 300
INTAKE_KEY = "X-SEKOIAIO-INTAKE-KEY"


class Call(NamedTuple):
    """What to do and how to speak of it. again: it may be repeated when no answer came.

    intake_key: of what goes to an intake, at the host of those.
    """

    method: str
    path: str
    operation: str
    body: Any = None
    again: bool = True
    intake_key: str = ""


class Sekoia(VendorClient[Call]):
    """One key's way to Sekoia.io.

    community: whose objects these are, once it was looked up; wrote: whether a write has been taken.
    """

    # The vendor publishes no numbers, so this is assumed.
    LIMITS: Mapping[str, tuple[float, float]] = {"requests": (20, 10.0)}

    def __init__(self, session: Any, identity: Identity) -> None:
        super().__init__(session, identity.api_url)
        self.identity = identity
        self.community = ""
        self.wrote = False
        self._error_at = float("-inf")
        self._stopped = False

    async def authorize(self, call: Call) -> Mapping[str, str]:
        if self._stopped:
            raise RefusedError(call.operation, f"not tried: {STOPPED}", code=NOT_TRIED, next_step=STOPPED_STEP)
        if call.intake_key:
            return {INTAKE_KEY: call.intake_key}
        return {"Authorization": f"Bearer {self.identity.key}"}

    def url(self, call: Call) -> str:
        return (self.identity.intake_url if call.intake_key else self.identity.api_url) + call.path

    def counted(self, call: Call) -> str:
        parts = call.path.partition("?")[0].split("/")
        return f"{call.method} " + "/".join("{uuid}" if len(part) == 36 else part for part in parts)

    def pause(self, call: Call, answer: http.Answer) -> float:
        return max(super().pause(call, answer), http.retry_after({}, QUIET_SECONDS))

    def _worth_another(self, call: Call, answer: http.Answer, headers: Mapping[str, str], attempt: int) -> float | None:
        """What is tried again waits until it cannot be the second error in a short time."""
        now = time.monotonic()
        self._stopped, self._error_at = self._stopped or now - self._error_at < QUIET_SECONDS, now
        wait = super()._worth_another(call, answer, headers, attempt)
        return None if wait is None or self._stopped else max(wait, http.retry_after({}, QUIET_SECONDS))

    def _note(self, call: Call, answer: http.Answer) -> None:
        super()._note(call, answer)
        self.wrote |= call.method != "GET"

    def refusal(self, call: Call, answer: http.Answer) -> OnboardingError:
        body = answer.body if isinstance(answer.body, dict) else {}
        told = str(body.get("message") or body.get("detail") or answer.body or "Sekoia.io gave no text")[:SHOWN_TEXT]
        return RefusedError(
            call.operation,
            f"{STOPPED}: {told}" if self._stopped else told,
            code=str(body.get("code") or f"HTTP{answer.status}")[:80],
            status=answer.status,
            next_step=STATUS_STEPS.get(answer.status, OTHER_STEP),
        )

    def credentials(self) -> list[dict[str, str]]:
        """For the result's summary. Sekoia.io does not tell when a key ends, so the tenant file has to."""
        expires = self.identity.expires
        return [{"name": "Sekoia.io API key", "expires": expires.isoformat() if expires else ""}]


ClientT = TypeVar("ClientT", bound=Sekoia)


@asynccontextmanager
async def connected(
    kind: type[ClientT], identity: Identity, concurrency: int, redactor: Redactor
) -> AsyncIterator[ClientT]:
    """A client with its session, closed at the end."""
    redactor.add(identity.key)
    async with http.session(identity.api_url, identity.ca_file, concurrency, identity.proxy) as session:
        yield kind(session, identity)
