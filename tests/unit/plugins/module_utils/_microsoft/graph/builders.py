# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apps, resources and certificates for the tests of the plans, with the defaults of what is as wanted."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Verdict
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.application import plan as plans
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.application.certificates import (
    Certificate,
    thumbprint,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.application.options import Wanted
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.graph import permissions

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GRAPH, O365 = permissions.RESOURCES["microsoft_graph"], permissions.RESOURCES["office365_management"]
DEFENDER = permissions.RESOURCES["windows_defender_atp"]
ALERTS, INCIDENTS, EVENTS = "SecurityAlert.Read.All", "SecurityIncident.Read.All", "SecurityEvents.Read.All"
REDIRECT = "https://onboarding.example/consented"

SP = "0f000000-0000-4000-8000-00000000000f"
MS_GRAPH = permissions.Resource(
    GRAPH, "graph-object", {ALERTS: "id-alerts", INCIDENTS: "id-incidents", EVENTS: "id-ev"}
)
OFFICE = permissions.Resource(O365, "office-object", {"ActivityFeed.Read": "id-feed"})
KNOWN: dict[str, Any] = {GRAPH: MS_GRAPH, O365: OFFICE}


def days(number: float) -> timedelta:
    return timedelta(days=number)


def wanted(**given: Any) -> Wanted:
    base = Wanted("Proseware SOC", (REDIRECT,), {GRAPH: (ALERTS,)}, False, 14, "", 180, 30)
    return base._replace(**given)


def certificate(name: str, *, start: float = -1, end: float = 365) -> Certificate:
    """A certificate of a file; start and end in days from now. The name is its content."""
    der = name.encode()
    return Certificate(f"{name}.pem", der, thumbprint(der), NOW + days(start), NOW + days(end))


def key(name: str, *, uploaded: float | None = None, start: float = -100, end: float = 265) -> plans.Credential:
    """A certificate that the app has; uploaded: by us, in days from now."""
    label = "CN=by hand" if uploaded is None else plans.mark(NOW + days(uploaded))
    raw = {"keyId": f"key-{name}", "displayName": label, "key": base64.b64encode(name.encode()).decode(), "hint": None}
    return plans.Credential(label, thumbprint(name.encode()), NOW + days(start), NOW + days(end), raw)


def secret(name: str, *, start: float = -10, end: float = 170) -> plans.Credential:
    return plans.Credential(name, "", NOW + days(start), NOW + days(end), {"keyId": f"secret-{name}"})


def held(**given: Any) -> plans.Application:
    """The app as wanted() wants it."""
    base = plans.Application(
        "object", "app", "Proseware SOC", plans.AUDIENCE, (REDIRECT,),
        {GRAPH: frozenset({("id-alerts", "Role")})}, (key("current"),), (),
    )  # fmt: skip
    return base._replace(**given)


def by_name(parts: list[Verdict]) -> dict[str, Verdict]:
    assert len({part.target for part in parts}) == len(parts), "each part is one target"
    return {part.target: part for part in parts}


def name_of(one: Certificate | plans.Credential) -> str:
    return plans.certificate_name(one.thumbprint)
