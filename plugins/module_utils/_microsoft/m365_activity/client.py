# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Office 365 Management Activity API: requests in the provider's name, refusals told as what they are.

Facts: MicrosoftDocs/office-365-management-api (activity-api-reference, troubleshooting): 2,000 requests a minute for
each tenant and publisher, AF codes. Seen in public issues: 401 with AF10001 is a permission that the token lacks, and
no bad secret (coe-starter-kit#8300); where the unified audit log is off, the code is a long text with a trace in it
(wazuh-documentation#7621). assumed: AF429 comes with status 429.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from ..._core import http
from ..._core.client import VendorClient
from ..._core.errors import OnboardingError, RefusedError
from ..._core.findings import CUSTOMER, PROVIDER
from ..._core.redaction import Redactor
from ..arm.refusals import error_code_and_text
from ..graph.consent import consent_step, link
from ..graph.switches import AUDIT_LOG
from ..identity.credentials import Tokens, roles_of
from ..identity.options import Identity
from .options import Setup
from .plan import START_WAIT

CONCURRENCY = 5
PUBLISHER = "PublisherIdentifier"
NO_PERMISSION, AUDIT_OFF = "AF10001", "AuditOff"
ALREADY_ON = "AF20024"
# There is no subscription, or it is disabled.
IS_OFF = frozenset({"AF20022", "AF20023"})
GONE = frozenset({"AF20050", "AF20051"})
# By its words, since what stands for a code is a text with ids and a trace in it.
AUDIT_OFF_WORDS = ("dataserviceexception", "does not exist")
AUDIT_OFF_TEXT = "the unified audit log of the tenant is off, or was turned on less than an hour ago"
SHOWN_TEXT = 300


class Step(NamedTuple):
    text: str
    owner: str = ""


STEPS = {
    "AF20010": Step("check tenant_id and api_url: the token is one of another tenant", PROVIDER),
    "AF20011": Step("check tenant_id: Microsoft 365 says that there is no such tenant, or no more", PROVIDER),
    "AF20012": Step(
        "have the customer's administrator open a case at Microsoft: the tenant is set up wrongly", CUSTOMER
    ),
    "AF20013": Step("check tenant_id", PROVIDER),
    "AF429": Step("run again in 15 minutes: the limit is used up, maybe by a start that was made a moment ago"),
    "AF50000": Step("run again in an hour: Microsoft 365 has a fault of its own"),
}
STATUS_STEPS = {
    401: Step("check cloud and office_plan: the token was not taken", PROVIDER),
    403: Step("have the customer's administrator consent to the app again", CUSTOMER),
    404: Step("check office_plan and api_url", PROVIDER),
    429: STEPS["AF429"],
}
OTHER_STEP = Step("run again; if it stays, open a case at Microsoft")


class Call(NamedTuple):
    """What to do and how to speak of it. starts: the content type that it starts, '' for any other call."""

    method: str
    path: str
    operation: str
    starts: str = ""
    body: Any = None

    @property
    def again(self) -> bool:
        """A start may be a second one, which is refused for 15 minutes; whether it was taken is seen in the list."""
        return not self.starts


class Feed(VendorClient[Call]):
    """One app's way to one tenant's feed."""

    LIMITS: Mapping[str, tuple[float, float]] = {"requests": (200.0, 2000 / 60), "starts": (10.0, 10.0)}
    THROTTLED_SECONDS = 60.0

    def __init__(self, session: Any, setup: Setup, tokens: Tokens) -> None:
        super().__init__(session, setup.url)
        self.tenant = setup.identity.tenant_id
        self._setup = setup
        self._tokens = tokens

    @property
    def root(self) -> str:
        return f"/api/v1.0/{self.tenant}/activity/feed"

    @property
    def consent_url(self) -> str:
        who = self._setup.identity
        return link(who.cloud.authority, who.tenant_id, who.client_id, None, None)

    async def token(self) -> str:
        """Raises SignInError."""
        return await self._tokens.get(self.tenant, self._setup.scope)

    async def roles(self) -> frozenset[str]:
        """The permissions that the app has here. Raises SignInError."""
        return roles_of(await self.token())

    async def authorize(self, call: Call) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {await self.token()}"}

    def unauthorized(self, call: Call, headers: Mapping[str, str]) -> bool:
        return self._tokens.refuse(self.tenant, self._setup.scope, headers["Authorization"].removeprefix("Bearer "))

    def url(self, call: Call) -> str:
        """In the provider's name: without it the limits are shared with all who leave it out."""
        path, _mark, query = call.path.partition("?")
        kept = [part for part in query.split("&") if part and not part.startswith(f"{PUBLISHER}=")]
        return f"{self._base}{path}?{'&'.join([*kept, f'{PUBLISHER}={self._setup.publisher}'])}"

    def bucket(self, call: Call) -> tuple[str, str]:
        return (call.starts, "starts") if call.starts else ("", "requests")

    def pause(self, call: Call, answer: http.Answer) -> float:
        """A start that is throttled was made too soon; that is not waited for."""
        return START_WAIT if call.starts else super().pause(call, answer)

    def counted(self, call: Call) -> str:
        place = call.path.partition("?")[0].removeprefix(self.root).split("/")
        return f"{call.method} {place[-1] if 'subscriptions' in place else 'content blob'}"

    def refusal(self, call: Call, answer: http.Answer) -> OnboardingError:
        code, text = error_code_and_text(answer.body)
        folded = f"{code} {text}".casefold()
        if all(words in folded for words in AUDIT_OFF_WORDS):
            code, text, step = AUDIT_OFF, AUDIT_OFF_TEXT, Step(AUDIT_LOG.step, CUSTOMER)
        elif code == NO_PERMISSION:
            step = Step(consent_step(self.consent_url), CUSTOMER)
        else:
            step = STEPS.get(code) or STATUS_STEPS.get(answer.status, OTHER_STEP)
        return RefusedError(
            call.operation,
            (text or "Microsoft 365 gave no text")[:SHOWN_TEXT],
            code=code[:SHOWN_TEXT] or f"HTTP{answer.status}",
            status=answer.status,
            next_step=step.text,
            owner=step.owner,
        )


@asynccontextmanager
async def connected(setup: Setup, redactor: Redactor) -> AsyncIterator[Feed]:
    """A client with its session and credential, both closed at the end."""
    who: Identity = setup.identity
    tokens = who.tokens(redactor)
    try:
        async with http.session(setup.url, who.ca_file, CONCURRENCY) as session:
            yield Feed(session, setup, tokens)
    finally:
        await tokens.close()
