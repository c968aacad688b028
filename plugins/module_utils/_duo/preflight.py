# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: whether the application that we sign in with may make another one, found by reading only."""

from __future__ import annotations

from .._core.errors import InputError, OnboardingError
from .._core.findings import CUSTOMER, MISSING, OK, PROVIDER, UNKNOWN, Finding
from . import api
from .accounts import accounts, first_step
from .client import Account, Duo
from .options import Setup
from .plan import Application

# Permission of the application that we sign in with -> what for.
NEEDED = {
    "adminapi_integrations": "Grant applications: to make and read applications",
    "adminapi_allow_to_set_permissions": "Grant setting permissions: to permit the new one to read the logs",
    "adminapi_info": "Grant read information: so that verify can tell a quiet account from a broken log",
}
PLACE = "as an Owner, in Duo's Admin Panel, Applications > the application"
OTHER_DEPLOYMENT_STEP = (
    "as an Owner, make the application in the child's own Admin Panel, or give the child a tenant file with keys of "
    "its own: the Accounts API does not reach accounts of another deployment; or its application's networks leave us "
    "out"
)
REFUSED = (400, 401, 403, 404)


async def findings(duo: Duo, wanted: Setup) -> list[Finding]:
    """The checks in the order in which a person would cure them."""
    if not wanted.identity.key:
        text = "no application is there to sign in with"
        return [Finding("first_application", duo.own.label, MISSING, text, _owner(wanted), first_step(wanted))]
    return await (_children(duo, wanted) if wanted.children else _own(duo))


def _owner(wanted: Setup) -> str:
    """Whose account the keys are of: that of all child accounts is the provider's own."""
    return PROVIDER if wanted.children else CUSTOMER


async def _own(duo: Duo) -> list[Finding]:
    """One request tells all: to read itself the application needs the first permission, and its answer has them."""
    key = duo.identity.key
    try:
        one = await api.application(duo, duo.own, key)
    except OnboardingError as error:
        if error.status != 403:
            return [_failed("sign_in", key, error)]
        return [_signed_in(duo), _failed("adminapi_integrations", key, error)]
    return [_signed_in(duo), *(_permission(one, name, purpose) for name, purpose in NEEDED.items())]


def _signed_in(duo: Duo) -> Finding:
    return Finding("sign_in", duo.identity.key, OK, f"at {duo.identity.host}")


def _permission(one: Application, name: str, purpose: str) -> Finding:
    if name in one.permissions:
        return Finding(name, one.key, OK, purpose)
    return Finding(
        name, one.key, MISSING, f"not granted: {purpose}", CUSTOMER, f"{PLACE}, tick {purpose.partition(':')[0]}"
    )


async def _children(duo: Duo, wanted: Setup) -> list[Finding]:
    try:
        chosen = await accounts(duo, wanted)
    except InputError as error:
        return [
            _signed_in(duo),
            Finding("child_accounts", duo.identity.key, MISSING, error.message, PROVIDER, error.next_step),
        ]
    except OnboardingError as error:
        return [_failed("sign_in", duo.identity.key, error, PROVIDER)]
    found = [_signed_in(duo), Finding("child_accounts", duo.identity.key, OK, f"{len(chosen)} of {len(duo.children)}")]

    async def look(one: Account) -> None:
        found.append(await _child(duo, one))

    await api.of_each(duo, chosen, look, wanted.concurrency)
    return [*found[:2], *sorted(found[2:], key=lambda finding: finding.subject)]


async def _child(duo: Duo, child: Account) -> Finding:
    subject = f"{child.name} ({child.id})"
    try:
        number = len(await api.applications(duo, child))
    except OnboardingError as error:
        if error.status != 403:
            return _failed("child_account", subject, error)
        return Finding(
            "child_account", subject, MISSING, f"{error.code}: {error.message}", CUSTOMER, OTHER_DEPLOYMENT_STEP
        )
    return Finding("child_account", subject, OK, f"{number} applications are there")


def _failed(check: str, subject: str, error: OnboardingError, who: str = CUSTOMER) -> Finding:
    status = MISSING if error.status in REFUSED else UNKNOWN
    return Finding(check, subject, status, f"{error.code}: {error.message}", who, error.next_step)
