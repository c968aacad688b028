# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Automation rules of Microsoft Sentinel whose conditions break once its workspace is onboarded to Defender.

Facts: techcommunity.microsoft.com, «Microsoft Sentinel and Defender: ITSM integrations explained»: the provider of each
incident is Microsoft XDR then, and titles change by correlation. azure-rest-api-specs, Microsoft.SecurityInsights
2023-11-01: names of properties. assumed: conditions may be nested by innerConditions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..._core.bodies import items, mapping, text, words
from ..._core.client import documented
from ..._core.redaction import Redactor
from ..arm.client import Call, connected
from ..identity.options import Identity
from .tickets import plain

API_VERSION = "2023-11-01"
# What breaks, and what to ask for instead.
BREAKS = {
    "IncidentProviderName": ("the incident provider, which is always Microsoft XDR", "Alert product names"),
    "IncidentTitle": ("the incident title, which correlation changes", "Analytic rule name"),
}
CONCURRENCY = 2


class Broken(NamedTuple):
    """A rule, why it breaks, and the condition to take instead."""

    rule: str
    why: str
    instead: str


def broken(rule: Mapping[str, Any]) -> list[Broken]:
    """Of one automation rule that is on. Raises what ODD_SHAPE names for another shape."""
    properties = mapping(rule["properties"])
    logic = mapping(properties.get("triggeringLogic"))
    if logic.get("isEnabled") is False:
        return []
    name = plain(words(properties.get("displayName")) or text(rule["name"]))
    used = dict.fromkeys(one for one in _properties(logic.get("conditions")) if one in BREAKS)
    return [Broken(name, *BREAKS[one]) for one in used]


def _properties(conditions: Any) -> Iterator[str]:
    for one in items(conditions or []):
        told = mapping(mapping(one).get("conditionProperties"))
        yield words(told.get("propertyName"))
        yield from _properties(told.get("innerConditions"))
        yield from _properties(told.get("conditions"))


async def read(identity: Identity, workspace: str, redactor: Redactor) -> list[Broken]:
    """Of all rules of a workspace. Raises OnboardingError."""
    operation = f"read the automation rules of {workspace.rpartition('/')[2]}"
    path = f"{workspace}/providers/Microsoft.SecurityInsights/automationRules"
    found: list[Broken] = []
    async with connected(identity, CONCURRENCY, redactor) as arm:
        async for body in arm.pages(Call("GET", path, API_VERSION, operation, workspace.split("/")[2])):
            with documented(operation):
                for rule in items(body["value"]):
                    found += broken(rule)
    return found
