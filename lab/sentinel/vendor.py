# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Sentinel, registered: {workspace}/providers/Microsoft.SecurityInsights/automationRules.

Shapes: azure-rest-api-specs, Microsoft.SecurityInsights AutomationRules 2023-11-01. Assumed: what is no workspace with
Sentinel answers 404.
"""

from __future__ import annotations

from typing import Any, ClassVar

from lab.azure import arm
from lab.azure.rbac import require
from lab.azure.state import Azure
from lab.kernel.context import Lab, State
from lab.kernel.http import Call, Reply, nested, ok
from lab.kernel.registration import Operation, Vendor

PROVIDER = "/providers/microsoft.securityinsights/"
RULES = f"{PROVIDER}automationrules"


class Sentinel(State):
    """rules: by workspace, in lower case. sentinel_page_size: of an answer."""

    configurable: ClassVar[tuple[str, ...]] = ("sentinel_page_size",)

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.rules: dict[str, list[dict[str, Any]]] = {}
        self.sentinel_page_size = 50


def enter(sentinel: Sentinel, call: Call) -> None:
    arm.enter(sentinel.lab.of(Azure), call)


def listing(sentinel: Sentinel, call: Call) -> Reply:
    require(sentinel.lab.of(Azure), call.who, "Microsoft.SecurityInsights/automationRules/read", call.scope)
    rules = sentinel.rules.get(call.scope.lower())
    if rules is None:
        raise nested(404, "ResourceNotFound", f"'{call.scope}' is not onboarded to Microsoft Sentinel.")
    first = int(call.query.get("$skiptoken", "0"))
    after = first + sentinel.sentinel_page_size
    answer: dict[str, Any] = {"value": rules[first:after]}
    if after < len(rules):
        version = call.query.get("api-version", "")
        answer["nextLink"] = f"{sentinel.url}{call.path}?api-version={version}&$skipToken={after}"
    return ok(answer)


LIST = Operation("sentinel.rules", listing, enter)


def find(call: Call) -> Operation | None:
    if call.method != "GET" or not call.low.endswith(RULES):
        return None
    call.scope = call.path[: -len(RULES)]
    return LIST


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
    mutations={"sentinel_rule": rule},
)
