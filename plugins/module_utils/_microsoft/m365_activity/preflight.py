# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: consent, licence, permission and audit log, each told by itself, found by reading only.

A start would tell of the audit log without doubt. What only reads tells as much as the refusal of a start that was seen
comes for reading, too; assumed.
"""

from __future__ import annotations

from ..._core.errors import OnboardingError, SignInError
from ..._core.findings import CUSTOMER, MISSING, OK, PROVIDER, UNKNOWN, Finding, failed
from ..graph.consent import consent_step
from ..identity.refusals import NOT_CONSENTED, NOT_PROVISIONED, whose
from . import api
from .client import AUDIT_OFF, Feed
from .options import Setup
from .plan import permissions

LICENCE_STEP = (
    "let the tenant have a Microsoft 365 licence with auditing (Business Basic or E1 at least); where it has one, an "
    "administrator of the tenant runs: az ad sp create --id c5393580-f805-4401-95e8-94b7a6ef2fc2"
)
LISTED = "subscriptions"
PUBLISHER_STEP = "set publisher_id to the provider's own tenant, if this is not the provider's"


async def findings(feed: Feed, setup: Setup) -> list[Finding]:
    """The checks in the order in which a person would cure them; what stands on one that is missing is left out."""
    found = [await _signed_in(feed, setup)]
    if found[0].status != OK:
        return found
    held = await feed.roles()
    found += [_permission(feed, name, name in held) for name in permissions(setup.types)]
    if setup.publisher == setup.identity.tenant_id.casefold():
        found.append(Finding("publisher", setup.publisher, OK, "publisher_id is the customer's tenant", PROVIDER,
                             PUBLISHER_STEP))  # fmt: skip
    if all(one.status == OK for one in found):
        found.append(await _listed(feed, setup))
    if found[-1].check == LISTED and found[-1].status == OK:
        found.append(await _audit(feed, setup))
    return found


async def _signed_in(feed: Feed, setup: Setup) -> Finding:
    tenant = setup.identity.tenant_id
    try:
        await feed.token()
    except SignInError as error:
        detail = f"{error.code}: {error.message}"
        if error.code in NOT_CONSENTED:
            return Finding("consent", tenant, MISSING, detail, CUSTOMER, consent_step(feed.consent_url))
        if error.code in NOT_PROVISIONED:
            return Finding("licence", tenant, MISSING, detail, CUSTOMER, LICENCE_STEP)
        status = MISSING if error.code.startswith("AADSTS") else UNKNOWN
        return Finding("sign_in", tenant, status, detail, whose(error, tenant, tenant), error.next_step)
    return Finding("sign_in", tenant, OK, "the token is one of this tenant")


def _permission(feed: Feed, name: str, held: bool) -> Finding:
    if held:
        return Finding("permission", name, OK, "in the token")
    return Finding("permission", name, MISSING, "not in the token", CUSTOMER, consent_step(feed.consent_url))


async def _listed(feed: Feed, setup: Setup) -> Finding:
    tenant = setup.identity.tenant_id
    try:
        on = [one.type for one in (await api.subscriptions(feed)).values() if one.on]
    except OnboardingError as error:
        return failed(LISTED, tenant, error)
    return Finding(LISTED, tenant, OK, f"on: {', '.join(sorted(on)) or 'none'}")


async def _audit(feed: Feed, setup: Setup) -> Finding:
    error = await api.audited(feed, setup.types[0])
    if error is None:
        return Finding("audit_log", setup.identity.tenant_id, OK, "reading is not refused; a start proves it")
    return failed("audit_log" if error.code == AUDIT_OFF else "content", setup.identity.tenant_id, error)
