# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: what is missing before a table can be filled, found by reading only."""

from __future__ import annotations

from ..._core.errors import OnboardingError
from ..._core.findings import CUSTOMER, MISSING, OK, Finding
from ..arm.checks import allowed, registered, signed_in, unread
from .api import CustomLogs
from .options import Setup
from .plan import STEPS

PROVIDER_NAME = "Microsoft.Insights"
LOGS, RULES, ROLES = "Log Analytics Contributor", "Monitoring Contributor", "Role Based Access Control Administrator"
ON_WORKSPACE = (
    "Microsoft.OperationalInsights/workspaces/read",
    "Microsoft.OperationalInsights/workspaces/tables/read",
    "Microsoft.OperationalInsights/workspaces/tables/write",
    "Microsoft.OperationalInsights/workspaces/query/read",
)
ON_GROUP = (
    "Microsoft.Insights/dataCollectionRules/read",
    "Microsoft.Insights/dataCollectionRules/write",
    "Microsoft.Insights/dataCollectionRules/delete",
)
ASSIGNING = ("Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete")


async def findings(logs: CustomLogs, setup: Setup) -> list[Finding]:
    """The checks in the order in which a person would cure them."""
    arm, app, asked = logs.arm, setup.identity.client_id, setup.wanted
    sign_in = await signed_in(arm, setup.identity.tenant_id)
    if sign_in.status != OK:
        return [sign_in]
    group = asked.rule_id.partition("/providers/")[0]
    return [
        sign_in,
        await registered(arm, asked.subscription, PROVIDER_NAME),
        await _workspace(logs, asked.workspace),
        await allowed(arm, app, "write_table", asked.workspace, ON_WORKSPACE, LOGS),
        await allowed(arm, app, "write_rule", group, ON_GROUP, RULES),
        await allowed(arm, app, "let_senders", group, ASSIGNING, ROLES),
        await _table(logs),
    ]


async def _workspace(logs: CustomLogs, workspace: str) -> Finding:
    try:
        location = await logs.location()
    except OnboardingError as error:
        return unread("workspace", workspace, error)
    return Finding("workspace", workspace, OK, f"it is in {location}")


async def _table(logs: CustomLogs) -> Finding:
    """Whether a table of the name would be in the way; above all one of the retired API."""
    name = logs.wanted.table
    try:
        found = await logs.table()
    except OnboardingError as error:
        return unread("table", name, error)
    if found is not None and found.classic:
        text = "it is a classic one: somebody has posted to the retired HTTP Data Collector API"
        return Finding("table", name, MISSING, text, CUSTOMER, STEPS["classic"])
    return Finding("table", name, OK, "it is there" if found else "the name is free")
