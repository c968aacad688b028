# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents of a workspace of Microsoft Sentinel by Resource Manager, for who is not at Microsoft Graph yet.

Facts: azure-rest-api-specs, Microsoft.SecurityInsights Incidents: names of properties; pages of 1,000 at most, and
nextLink; a PUT replaces an incident whole and needs the etag of the last GET. techcommunity.microsoft.com, «Microsoft
Sentinel and Defender: ITSM integrations explained»: one that was redirected is closed, has the tag Redirected and no
alerts, and providerIncidentId is that of the target. So it has lost its own, and a redirect that leads on can be
followed only where additionalData.mergedIncidentNumber is there (later versions of the API have it). assumed: that
incidentNumber and providerIncidentId can be filtered by; status and code of an etag that does not match.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import quote

from ..._core import http
from ..._core.bodies import instant, items, mapping, text, words
from ..._core.client import documented
from ..._core.errors import OnboardingError, RefusedError
from ..._core.freshness import stamp
from ..._core.redaction import Redactor
from ..arm.client import Arm, Call
from ..identity.cloud import Cloud
from ..identity.credentials import Tokens
from ..identity.options import Identity
from .feed import ID, MAX_URL, TAG_STEP, checked_id
from .plan import Incident
from .tickets import LIVE, MAX_TITLE, REDIRECTED, RESOLVED, plain

API_VERSION = "2025-09-01"
PROVIDER = "/providers/Microsoft.SecurityInsights"
READER, RESPONDER = "Microsoft Sentinel Reader", "Microsoft Sentinel Responder"
READ, WRITE = "Microsoft.SecurityInsights/incidents/read", "Microsoft.SecurityInsights/incidents/write"
# As Microsoft has announced it, by ServiceNow's documents of 2026-03-12 and 2026-09-10.
END = "Microsoft Sentinel leaves the Azure portal in March 2027"
STATUSES = {"new": LIVE, "active": LIVE, "closed": RESOLVED}
REDIRECTED_LABEL = "redirected"
# Names of providers by which an incident is one of Defender, too: only then is providerIncidentId a number there.
IN_DEFENDER = frozenset({"microsoft xdr", "microsoft defender xdr", "microsoft 365 defender"})
CONCURRENCY, PAGE = 2, 1000
# Somebody else has changed it since it was read.
CONFLICT = frozenset({409, 412})
TAG_ATTEMPTS = 3


class Found(NamedTuple):
    """An incident as Sentinel shows it.

    number: here; provider: its number in Defender, of a redirected one that of the target; merged: the target's here.
    """

    incident: Incident
    number: str
    provider: str
    merged: str = ""

    def leads_to(self, other: Found) -> bool:
        """Whether the other one has taken over the alerts of this one."""
        if self.merged:
            return other.number == self.merged and other is not self
        return bool(self.provider) and other.provider == self.provider and other.incident.status != REDIRECTED


class Workspace(Arm):
    """One app's way to the incidents of one workspace."""

    def __init__(self, session: Any, cloud: Cloud, tokens: Tokens, tenant: str, id: str) -> None:
        super().__init__(session, cloud, tokens, tenant)
        self.id, self.name = id, id.rpartition("/")[2]
        self._held: dict[str, Found] = {}
        self._asked: set[str] = set()

    async def changed(self, since: float) -> list[Incident]:
        """All that were changed since then, each with where it leads. Raises OnboardingError."""
        found = await self._list(f"properties/lastModifiedTimeUtc ge {stamp(since)}")
        return [await self._led(one) for one in found]

    async def followed(self, id: str) -> Incident | OnboardingError:
        """One of that id; a refusal of this one is a value. Raises OnboardingError."""
        if id not in self._held:
            try:
                self._held[id] = self._parsed(await self._read(id), id)
            except RefusedError as error:
                if error.status in (403, 404):
                    return error
                raise
        return await self._led(self._held[id])

    async def tag(self, id: str, number: str) -> None:
        """Add a label to what is there, and see that it and all others are there. Raises OnboardingError.

        All else that was read is sent along, since what is left out would be gone.
        """
        operation = f"tag incident {id}"
        for attempt in range(1, TAG_ATTEMPTS + 1):
            body = await self._read(id)
            with documented(operation):
                held, labels = _labels(body["properties"]), items(body["properties"].get("labels") or [])
                sent: dict[str, Any] = {"etag": text(body["etag"])}
            if number in held:
                return
            added = [*labels, {"labelName": number, "labelType": "User"}]
            sent["properties"] = {**body["properties"], "labels": added}
            call = self._call("PUT", f"/{id}", operation, sent)
            try:
                await self.call(call)
            except RefusedError as error:
                if error.status not in CONFLICT or attempt == TAG_ATTEMPTS:
                    raise
                continue
            body = await self._read(id)
            with documented(operation):
                lost = {*held, number} - _labels(body["properties"])
            if lost:
                told = f"not kept: {', '.join(sorted(lost))}"[:300]
                raise RefusedError(operation, told, code="TagLost", next_step=TAG_STEP)
            return

    async def _led(self, found: Found) -> Incident:
        """It with the id of where it leads, '' where that is not in this workspace. Raises OnboardingError."""
        if found.incident.status != REDIRECTED:
            return found.incident
        if not (target := self._target(found)):
            by_number, by_provider = f"properties/incidentNumber eq {found.merged}", "properties/providerIncidentId eq "
            wanted = by_number if found.merged else f"{by_provider}'{found.provider}'"
            if wanted not in self._asked:
                self._asked.add(wanted)
                await self._list(wanted)
                target = self._target(found)
        return found.incident._replace(target=target)

    def _target(self, found: Found) -> str:
        return next((id for id, one in self._held.items() if found.leads_to(one)), "")

    async def _list(self, wanted: str) -> list[Found]:
        operation = f"list the incidents of workspace {self.name}"
        call = self._call("GET", f"?$filter={quote(wanted)}&$top={PAGE}", operation)
        found: list[Found] = []
        async for body in self.pages(call):
            with documented(operation):
                found += [parse(one) for one in items(body["value"])]
        self._held |= {one.incident.id: one for one in found}
        return found

    async def _read(self, id: str) -> dict[str, Any]:
        operation = f"read incident {id}"
        with documented(operation):
            checked_id(id)
        body = await self.call(self._call("GET", f"/{id}", operation))
        self._parsed(body, id)
        return dict(body)

    def _parsed(self, body: Any, id: str) -> Found:
        with documented(f"read incident {id}"):
            return parse(body)

    def _call(self, method: str, below: str, operation: str, body: Any = None) -> Call:
        path = f"{self.id}{PROVIDER}/incidents{below}"
        return Call(method, path, API_VERSION, operation, self.id.split("/")[2], body=body)


@asynccontextmanager
async def connected(identity: Identity, workspace: str, redactor: Redactor) -> AsyncIterator[Workspace]:
    """A client with its session and credential, both closed at the end."""
    tokens = identity.tokens(redactor)
    try:
        async with http.session(identity.cloud.resource_manager, identity.ca_file, CONCURRENCY) as session:
            yield Workspace(session, identity.cloud, tokens, identity.sign_in, workspace)
    finally:
        await tokens.close()


def parse(raw: Mapping[str, Any]) -> Found:
    """An incident as it is listed. Raises what ODD_SHAPE names for another shape."""
    properties = mapping(raw["properties"])
    more, labels, status = mapping(properties.get("additionalData")), _labels(properties), text(properties["status"])
    known = STATUSES.get(status.casefold(), status[:MAX_TITLE])
    provider = _provider(properties)
    tagged = REDIRECTED_LABEL in {one.casefold() for one in labels}
    if known == RESOLVED and provider and tagged and not more.get("alertsCount"):
        known = REDIRECTED
    incident = Incident(
        checked_id(text(raw["name"]).casefold()),
        known,
        words(properties.get("title")),
        words(properties.get("severity")).casefold(),
        "",
        instant(properties["lastModifiedTimeUtc"]),
        plain(words(more.get("providerIncidentUrl") or properties.get("incidentUrl")), MAX_URL),
        labels,
    )
    number, merged = properties["incidentNumber"], more.get("mergedIncidentNumber")
    return Found(incident, _number(number), provider, _number(merged) if merged else "")


def _labels(properties: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(text(mapping(one)["labelName"]) for one in items(properties.get("labels") or []))


def _number(value: Any) -> str:
    if not str(value).isdecimal():
        raise ValueError(f"{value!r:.60} is no number")
    return str(value)


def _provider(properties: Mapping[str, Any]) -> str:
    """Its number in Defender, '' where it is not there; one that is no id is of no use in a filter."""
    given = words(properties.get("providerIncidentId"))
    known = words(properties.get("providerName")).casefold() in IN_DEFENDER
    return given if known and ID.fullmatch(given) else ""
