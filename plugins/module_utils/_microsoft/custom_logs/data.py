# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where records go in, and where they are asked for: Logs Ingestion's endpoint, and Log Analytics.

Contract: Logs Ingestion API 2023-01-01, an array of objects, 204; at most 1 MB a call, 12,000 calls a minute and rule.
A 403 OperationFailed has two causes, told apart by the flags in its text: no role, or one that does not count yet (for
up to half an hour: azure-sdk-for-net#37173, azure-sdk-for-python#30168); or a rule that is not bound to the endpoint.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from ..._core import http
from ..._core.bodies import amount, items, mapping
from ..._core.client import VendorClient, documented
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from ..arm.client import Arm
from ..arm.refusals import refused
from ..identity.credentials import GivenToken, Tokens
from ..identity.options import Identity
from .plan import TIME, Rule, Wanted

INGESTION_API = "2023-01-01"
NO_ACCESS = "OperationFailed"
UNBOUND = re.compile(r"IsDcrDceBindingValid\W+false", re.IGNORECASE)
# How records of ours begin that only say that the way is open.
PROBE = "mssp-onboarding-probe"
SAMPLES: Mapping[str, Any] = {"int": 0, "long": 0, "real": 0.0, "boolean": False, "dynamic": {}, "string": ""}


class Call(NamedTuple):
    """What to do and how to speak of it."""

    method: str
    path: str
    operation: str
    body: Any = None
    again: bool = True


class Data(VendorClient[Call]):
    """One identity's way to an endpoint that is not Resource Manager's."""

    LIMITS: Mapping[str, tuple[float, float]] = {"requests": (200.0, 200.0)}
    REQUEST_ID = "x-ms-request-id"

    def __init__(self, session: Any, url: str, tokens: Tokens | GivenToken, tenant: str, scope: str) -> None:
        super().__init__(session, url)
        self._tokens, self._tenant, self._scope = tokens, tenant, scope

    async def authorize(self, call: Call) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {await self._tokens.get(self._tenant, self._scope)}"}

    def unauthorized(self, call: Call, headers: Mapping[str, str]) -> bool:
        return self._tokens.refuse(self._tenant, self._scope, headers["Authorization"].removeprefix("Bearer "))

    def refusal(self, call: Call, answer: http.Answer) -> OnboardingError:
        return refused(call.operation, answer)


@asynccontextmanager
async def connected(arm: Arm, identity: Identity, url: str, scope: str) -> AsyncIterator[Data]:
    """A client of the same identity's, for one address."""
    async with http.session(url, identity.ca_file, 2) as session:
        yield Data(session, url, arm.tokens, identity.tenant_id, scope)


def address(rule: Rule, operation: str) -> str:
    """Where a rule is sent to. Raises NoAnswerError: the token goes along."""
    parts = urlsplit(rule.endpoint)
    if parts.scheme != "https" or not parts.hostname or parts.username:
        raise NoAnswerError(operation, "the rule's address is no https URL", code="BadShape")
    return rule.endpoint


async def send(arm: Arm, identity: Identity, wanted: Wanted, rule: Rule, record: Mapping[str, Any]) -> None:
    """One record. Raises OnboardingError."""
    operation = f"send a record to the rule {wanted.rule}"
    path = f"/dataCollectionRules/{quote(rule.immutable)}/streams/{quote(wanted.input)}?api-version={INGESTION_API}"
    # A record that comes twice is one row more, which says the same.
    call = Call("POST", path, operation, [dict(record)])
    async with connected(arm, identity, address(rule, operation), identity.cloud.monitor_scope) as data:
        await data.call(call)


def unbound(error: OnboardingError) -> bool:
    """Whether a refusal says that the rule and its address do not belong together, which no waiting cures."""
    return bool(UNBOUND.search(error.message))


def lacks_access(error: OnboardingError) -> bool:
    return isinstance(error, RefusedError) and error.status == 403 and error.code == NO_ACCESS


def probe(wanted: Wanted, marked: str) -> dict[str, Any]:
    """A record by which the way is seen to be open, of the types that the stream has."""
    now = datetime.now(UTC).isoformat()
    values = {**SAMPLES, "datetime": now, "guid": str(uuid.uuid4())}
    return {**{name: values[kind] for name, kind in wanted.stream.items()}, marked: f"{PROBE}-{uuid.uuid4().hex}"}


# -- queries ----------------------------------------------------------------------------------------------------------


FIGURES = f"Newest = max({TIME}), Ingested = max(ingestion_time()), Records = count()"


class Arrived(NamedTuple):
    """What a query has found, in seconds since the epoch; None for no record."""

    newest: float | None
    ingested: float | None
    records: int
    days: tuple[int, ...]


def arrivals_query(table: str, marked: str) -> str:
    """When the newest record came, how many, and of which days; probes of ours are no records."""
    kept = f" | where {marked} !startswith '{PROBE}'" if marked else ""
    days = ", ".join(f"Day{n} = countif(TimeGenerated between (ago({n + 1}d) .. ago({n}d)))" for n in (0, 7, 14))
    return f"{table}{kept} | summarize {FIGURES}, {days}"


def probe_query(table: str, marked: str, marker: str) -> str:
    return f"{table} | where {marked} == '{marker}' | summarize {FIGURES}"


async def ask(arm: Arm, identity: Identity, workspace: str, query: str, hours: float) -> Arrived:
    """The one row of a query. Raises OnboardingError."""
    operation = f"query the workspace {workspace}"
    call = Call("POST", f"/v1{quote(workspace)}/query", operation, {"query": query, "timespan": f"PT{int(hours)}H"})
    async with connected(arm, identity, identity.cloud.log_analytics, identity.cloud.logs_scope) as data:
        answer = await data.call(call)
    with documented(operation):
        if answer.get("error"):
            told = mapping(answer["error"])
            raise RefusedError(operation, str(told.get("message")), code=str(told.get("code")), status=200)
        return parse(answer)


def parse(answer: Mapping[str, Any]) -> Arrived:
    """Raises what ODD_SHAPE names for another shape."""
    (table,) = items(answer["tables"])
    (row,) = items(table["rows"])
    told = dict(zip((one["name"] for one in items(table["columns"])), items(row), strict=True))
    days = tuple(int(amount(told[name])) for name in sorted(told) if name.startswith("Day"))
    return Arrived(_seconds(told["Newest"]), _seconds(told["Ingested"]), int(amount(told["Records"])), days)


def _seconds(value: Any) -> float | None:
    return None if value is None else datetime.fromisoformat(value).timestamp()


def age(made: str) -> float | None:
    """Seconds since a time of Azure's, None where it does not say. Raises ValueError."""
    return max(0.0, time.time() - datetime.fromisoformat(made).timestamp()) if made else None
