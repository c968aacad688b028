# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents of Microsoft Defender XDR by Microsoft Graph, from and to its words.

Facts: models of msgraph-sdk 1.65.0; learn.microsoft.com, «List incidents», «Update incident»: pages of 50 at most.
Statuses that were added later are named only to those who prefer it. customTags is replaced as a whole, and has no
etag. Seen (demisto/content#25841): redirected incidents have no alerts, so nothing is expanded here. assumed: 50
requests a minute of an app and tenant; that a time is taken to the second.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from ..._core import http
from ..._core.bodies import instant, text, texts, words
from ..._core.client import documented
from ..._core.errors import OnboardingError, RefusedError
from ..._core.freshness import stamp
from ..._core.redaction import Redactor
from ..graph.client import CONCURRENCY, Call, Graph
from ..identity.credentials import roles_of
from ..identity.options import Identity
from .plan import Incident
from .tickets import LIVE, MAX_TITLE, REDIRECTED, RESOLVED, plain

ROOT = "/security/incidents"
READ, WRITE = "SecurityIncident.Read.All", "SecurityIncident.ReadWrite.All"
PREFER = "include-unknown-enum-members"
# In any case of letters, as samples have them.
STATUSES = {
    "active": LIVE,
    "inprogress": LIVE,
    "awaitingaction": LIVE,
    "resolved": RESOLVED,
    "redirected": REDIRECTED,
}
# What may stand in a key of a ticket and in a query for it.
ID = re.compile(r"[A-Za-z0-9-]{1,40}")
MAX_URL = 300
TAG_STEP = "run again: others write the incident's tags at the same time"


class Feed(Graph):
    """One app's way to one tenant's incidents."""

    LIMITS: Mapping[str, tuple[float, float]] = {"requests": (50.0, 50 / 60)}

    async def token(self) -> str:
        """Raises SignInError."""
        return await self._tokens.get(self.tenant, self._cloud.graph_scope)

    async def roles(self) -> frozenset[str]:
        """The permissions that the app has here. Raises SignInError."""
        return roles_of(await self.token())

    async def changed(self, since: float) -> list[Incident]:
        """All that were changed since then. Raises OnboardingError."""
        operation = f"list the incidents of tenant {self.tenant}"
        path = f"{ROOT}?$filter=lastUpdateDateTime%20ge%20{stamp(since)}&$top=50"
        listed = await self.items(Call("GET", path, operation, READ, prefer=PREFER))
        with documented(operation):
            return [parse(one) for one in listed]

    async def one(self, id: str) -> Incident:
        """Raises OnboardingError."""
        return parse(await self._read(id))

    async def _read(self, id: str) -> dict[str, Any]:
        operation = f"read incident {id}"
        with documented(operation):
            checked_id(id)
        body = await self.call(Call("GET", f"{ROOT}/{id}", operation, READ, prefer=PREFER))
        with documented(operation):
            parse(body)
            return dict(body)

    async def followed(self, id: str) -> Incident | OnboardingError:
        """Where a redirect leads; a refusal of this one is a value. Raises OnboardingError."""
        try:
            return await self.one(id)
        except RefusedError as error:
            if error.status in (403, 404):
                return error
            raise

    async def tag(self, id: str, number: str) -> None:
        """Add a tag to what is there, and see that it and all others are there. Raises OnboardingError."""
        operation = f"tag incident {id}"
        held = texts((await self._read(id)).get("customTags"))
        if number in held:
            return
        body = {"customTags": [*held, number]}
        await self.call(Call("PATCH", f"{ROOT}/{id}", operation, WRITE, body=body))
        left = texts((await self._read(id)).get("customTags"))
        if lost := {*held, number} - {*left}:
            raise RefusedError(
                operation, f"not kept: {', '.join(sorted(lost))}"[:300], code="TagLost", next_step=TAG_STEP
            )


@asynccontextmanager
async def connected(identity: Identity, redactor: Redactor) -> AsyncIterator[Feed]:
    """A client with its session and credential, both closed at the end."""
    tokens = identity.tokens(redactor)
    try:
        async with http.session(identity.cloud.microsoft_graph, identity.ca_file, CONCURRENCY) as session:
            yield Feed(session, identity.cloud, tokens, identity.tenant_id)
    finally:
        await tokens.close()


def parse(one: Mapping[str, Any]) -> Incident:
    """An incident as it is listed. Raises what ODD_SHAPE names for another shape."""
    status = text(one["status"])
    return Incident(
        checked_id(one["id"]),
        STATUSES.get(status.casefold(), status[:MAX_TITLE]),
        text(one.get("displayName") or ""),
        words(one.get("severity")).casefold(),
        checked_id(one["redirectIncidentId"]) if one.get("redirectIncidentId") else "",
        instant(one["lastUpdateDateTime"]),
        plain(words(one.get("incidentWebUrl")), MAX_URL),
        frozenset(texts(one.get("customTags"))),
    )


def checked_id(value: Any) -> str:
    """Raises TypeError, ValueError."""
    if not ID.fullmatch(text(value)):
        raise ValueError(f"{value!r:.60} is no id")
    return text(value)
