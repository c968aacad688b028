# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings of a preflight that every one over Resource Manager may have."""

from __future__ import annotations

from collections.abc import Iterable

from ..._core.errors import OnboardingError, SignInError
from ..._core.findings import CUSTOMER, MISSING, OK, UNKNOWN, Finding
from ..identity.refusals import whose
from .client import Arm
from .permissions import grant, lacking, permissions, registration
from .refusals import is_gone, lacks_right


async def signed_in(arm: Arm, tenant: str) -> Finding:
    """The sign-in to the customer's own tenant."""
    try:
        await arm.sign_in()
    except SignInError as error:
        who = whose(error, tenant, tenant)
        return Finding("sign_in", tenant, MISSING, f"{error.code}: {error.message}", who, error.next_step)
    return Finding("sign_in", tenant, OK, "the token is one of this tenant")


async def registered(arm: Arm, subscription: str, provider: str) -> Finding:
    check = "provider_registered"
    try:
        state = await registration(arm, subscription, provider)
    except OnboardingError as error:
        return unread(check, subscription, error)
    if state == "Registered":
        return Finding(check, subscription, OK, f"{provider} is registered")
    step = f"az provider register --namespace {provider} --subscription {subscription}"
    return Finding(check, subscription, MISSING, f"{provider} is {state}", CUSTOMER, step)


async def allowed(arm: Arm, client_id: str, check: str, scope: str, actions: Iterable[str], role: str) -> Finding:
    """Whether the app may do all of it there. role: what gives it."""
    step = grant(client_id, role, scope)
    try:
        missing = lacking(await permissions(arm, scope), actions)
    except OnboardingError as error:
        return unread(check, scope, error, step)
    if missing:
        return Finding(check, scope, MISSING, f"lacks {', '.join(missing)}", CUSTOMER, step)
    return Finding(check, scope, OK, "by the primary token")


def unread(check: str, subject: str, error: OnboardingError, step: str = "") -> Finding:
    """A right that Azure says is missing; whatever else went wrong leaves it unknown."""
    refused = lacks_right(error)
    status = MISSING if refused or is_gone(error) else UNKNOWN
    owner = CUSTOMER if refused else error.owner or CUSTOMER
    return Finding(
        check, subject, status, f"{error.code}: {error.message}", owner, (refused and step) or error.next_step
    )
