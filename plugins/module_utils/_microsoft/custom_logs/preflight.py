# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: what is missing before a table can be filled, found by reading only."""

from __future__ import annotations

from ..._core.errors import OnboardingError, SignInError
from ..._core.findings import CUSTOMER, MISSING, OK, UNKNOWN, Finding
from ..arm.permissions import grant, lacking, permissions, registration
from ..arm.refusals import is_gone, lacks_right
from ..identity.refusals import whose
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
    tenant, asked = setup.identity.tenant_id, setup.wanted
    try:
        await logs.arm.sign_in()
    except SignInError as error:
        who = whose(error, tenant, tenant)
        return [Finding("sign_in", tenant, MISSING, f"{error.code}: {error.message}", who, error.next_step)]
    group = asked.rule_id.partition("/providers/")[0]
    return [
        Finding("sign_in", tenant, OK, "the token is one of this tenant"),
        await _registered(logs, asked.subscription),
        await _workspace(logs, asked.workspace),
        await _allowed(logs, setup, "write_table", asked.workspace, ON_WORKSPACE, LOGS),
        await _allowed(logs, setup, "write_rule", group, ON_GROUP, RULES),
        await _allowed(logs, setup, "let_senders", group, ASSIGNING, ROLES),
        await _table(logs),
    ]


async def _registered(logs: CustomLogs, subscription: str) -> Finding:
    try:
        state = await registration(logs.arm, subscription, PROVIDER_NAME)
    except OnboardingError as error:
        return _unread("provider_registered", subscription, error)
    if state == "Registered":
        return Finding("provider_registered", subscription, OK, f"{PROVIDER_NAME} is registered")
    step = f"az provider register --namespace {PROVIDER_NAME} --subscription {subscription}"
    return Finding("provider_registered", subscription, MISSING, f"{PROVIDER_NAME} is {state}", CUSTOMER, step)


async def _workspace(logs: CustomLogs, workspace: str) -> Finding:
    try:
        location = await logs.location()
    except OnboardingError as error:
        return _unread("workspace", workspace, error)
    return Finding("workspace", workspace, OK, f"it is in {location}")


async def _allowed(
    logs: CustomLogs, setup: Setup, check: str, scope: str, actions: tuple[str, ...], role: str
) -> Finding:
    step = grant(setup.identity.client_id, role, scope)
    try:
        missing = lacking(await permissions(logs.arm, scope), actions)
    except OnboardingError as error:
        return _unread(check, scope, error, step)
    if missing:
        return Finding(check, scope, MISSING, f"lacks {', '.join(missing)}", CUSTOMER, step)
    return Finding(check, scope, OK, "by the primary token")


async def _table(logs: CustomLogs) -> Finding:
    """Whether a table of the name would be in the way; above all one of the retired API."""
    name = logs.wanted.table
    try:
        found = await logs.table()
    except OnboardingError as error:
        return _unread("table", name, error)
    if found is not None and found.classic:
        text = "it is a classic one: somebody has posted to the retired HTTP Data Collector API"
        return Finding("table", name, MISSING, text, CUSTOMER, STEPS["classic"])
    return Finding("table", name, OK, "it is there" if found else "the name is free")


def _unread(check: str, subject: str, error: OnboardingError, step: str = "") -> Finding:
    """A right that Azure says is missing; whatever else went wrong leaves it unknown."""
    refused = lacks_right(error)
    status = MISSING if refused or is_gone(error) else UNKNOWN
    owner = CUSTOMER if refused else error.owner or CUSTOMER
    return Finding(
        check, subject, status, f"{error.code}: {error.message}", owner, (refused and step) or error.next_step
    )
