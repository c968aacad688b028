# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Sentinel, registered."""

from __future__ import annotations

from typing import Any

from lab.kernel.http import Call
from lab.kernel.registration import Vendor
from lab.sentinel.routes import LIST, find
from lab.sentinel.state import Sentinel


def _state(sentinel: Sentinel, _call: Call, _body: Any) -> dict[str, Any]:
    return sentinel.rules


def rule(sentinel: Sentinel, workspace: str, name: str, properties: tuple[str, ...] = (), enabled: bool = True) -> None:
    """Somebody makes an automation rule with conditions on these properties; the workspace has Sentinel then."""
    conditions = [
        {"conditionType": "Property", "conditionProperties": {
            "propertyName": one, "operator": "Contains", "propertyValues": ["x"]}}
        for one in properties
    ]  # fmt: skip
    held = sentinel.rules.setdefault(workspace.lower(), [])
    id = f"{workspace}/providers/Microsoft.SecurityInsights/AutomationRules/{name}"
    logic = {"isEnabled": enabled, "triggersOn": "Incidents", "triggersWhen": "Created", "conditions": conditions}
    held.append({"id": id, "name": name, "properties": {"displayName": name, "order": 1, "triggeringLogic": logic,
                                                        "actions": []}})  # fmt: skip


VENDOR = Vendor(
    name="sentinel",
    state=Sentinel,
    segments=frozenset({"subscriptions"}),
    find=find,
    operations=(LIST,),
    next_link="nextLink",
    control={("GET", ""): _state},
    mutations={"sentinel_rule": rule},
)
