# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""{workspace}/providers/Microsoft.SecurityInsights/automationRules.

Shapes: azure-rest-api-specs, Microsoft.SecurityInsights AutomationRules 2023-11-01. Assumed: what is no workspace with
Sentinel answers 404.
"""

from __future__ import annotations

from typing import Any

from lab.azure import arm
from lab.azure.rbac import require
from lab.azure.state import Azure
from lab.kernel.http import Call, Reply, nested, ok
from lab.kernel.registration import Operation
from lab.sentinel.state import Sentinel

RULES = "/providers/microsoft.securityinsights/automationrules"


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
