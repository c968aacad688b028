# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: whether the key is good, for how long, and reads what is needed; found by reading only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import NamedTuple

from .._core.errors import InputError, OnboardingError
from .._core.findings import CUSTOMER, MISSING, OK, PROVIDER, UNKNOWN, Finding
from . import api
from .client import Sekoia

KEY = "Sekoia.io API key"
KEY_STEP = (
    "as an administrator of the community, in Sekoia.io, Settings > API keys > + API key: tick {}; it is shown once: "
    "hand it over by a way that nobody else can read, with its last day (api_key, api_key_expires in the tenant file)"
)
PERMISSION_STEP = (
    "as an administrator of the community, in Sekoia.io, Settings > API keys: give the API key the permission {!r}, or "
    "make another one that has it"
)
SOON_DAYS = 30
REFUSED = (401, 403, 404)


class Look(NamedTuple):
    """Something that has to be readable. permission: as Sekoia.io's form of API keys shows it."""

    check: str
    permission: str
    read: Callable[[Sekoia], Awaitable[str]]


async def findings(client: Sekoia, looks: Sequence[Look], needs: str, today: date) -> list[Finding]:
    """The checks in the order in which a person would cure them; the first refusal is the last request.

    needs: the permissions of a key that can do all of it, as the form shows them.
    """
    who, step = _who(client), KEY_STEP.format(needs)
    if not client.identity.key:
        return [Finding("api_key", "Sekoia.io", MISSING, "no API key is there to sign in with", who, step)]
    try:
        community = await api.community(client)
    except InputError as error:
        return [Finding("community", client.identity.community, MISSING, error.message, PROVIDER, error.next_step)]
    except OnboardingError as error:
        return [_failed("sign_in", KEY, error, who, step)]
    found = [Finding("sign_in", KEY, OK, f"community {community}"), expiry(client.identity.expires, today, who, step)]
    for look in looks:
        try:
            found.append(Finding(look.check, community, OK, await look.read(client)))
        except InputError as error:
            found.append(Finding(look.check, community, MISSING, error.message, PROVIDER, error.next_step))
        except OnboardingError as error:
            found.append(_failed(look.check, community, error, who, PERMISSION_STEP.format(look.permission)))
    return found


def _who(client: Sekoia) -> str:
    """Whose key it is: one that is to reach a community by name is taken for the provider's."""
    return PROVIDER if client.identity.community else CUSTOMER


def expiry(expires: date | None, today: date, who: str, step: str) -> Finding:
    """What is to be said of the key's last day. Pure."""
    if expires is None:
        text = "nobody can say when it ends: Sekoia.io does not tell by its API"
        return Finding("key_end", KEY, OK, text, PROVIDER, "set api_key_expires to the day that the key's page shows")
    left = (expires - today).days
    if left < 0:
        return Finding("key_end", KEY, MISSING, f"it ended on {expires}", who, step)
    if left < SOON_DAYS:
        return Finding("key_end", KEY, OK, f"it ends in {left} days, on {expires}", who, step)
    return Finding("key_end", KEY, OK, f"it ends on {expires}")


def _failed(check: str, subject: str, error: OnboardingError, who: str, step: str) -> Finding:
    text = f"{error.code}: {error.message}"
    if error.status in REFUSED:
        return Finding(check, subject, MISSING, text, who, step)
    return Finding(check, subject, UNKNOWN, text, PROVIDER, error.next_step)
