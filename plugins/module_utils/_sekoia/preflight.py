# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: whether the key is good, for how long, and reads what is needed; found by reading only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import NamedTuple

from .._core.errors import InputError, OnboardingError
from .._core.findings import MISSING, OK, UNKNOWN, Finding
from . import api
from .client import Sekoia

WHO = "an administrator of the Sekoia.io community"
KEY_STEP = (
    "in Sekoia.io, Settings > API keys > + API key, with the permissions that the README names; the key is shown "
    "once, and its last day belongs into api_key_expires"
)
SOON_DAYS = 30
REFUSED = (401, 403, 404)


class Look(NamedTuple):
    """Something that has to be readable. permission: as Sekoia.io's form of API keys shows it."""

    check: str
    permission: str
    read: Callable[[Sekoia], Awaitable[str]]


async def findings(client: Sekoia, looks: Sequence[Look], today: date) -> list[Finding]:
    """The checks in the order in which a person would cure them; the first refusal is the last request."""
    key = "Sekoia.io API key"
    try:
        community = await api.community(client)
    except InputError as error:
        return [Finding("community", client.identity.community, MISSING, error.message, WHO, error.next_step)]
    except OnboardingError as error:
        return [_failed("sign_in", key, error, KEY_STEP)]
    found = [Finding("sign_in", key, OK, f"community {community}"), expiry(client.identity.expires, today)]
    for look in looks:
        try:
            found.append(Finding(look.check, community, OK, await look.read(client)))
        except InputError as error:
            found.append(Finding(look.check, community, MISSING, error.message, WHO, error.next_step))
        except OnboardingError as error:
            step = f"give the API key the permission {look.permission!r}, or make another one that has it"
            found.append(_failed(look.check, community, error, step))
    return found


def expiry(expires: date | None, today: date) -> Finding:
    """What is to be said of the key's last day. Pure."""
    subject = "Sekoia.io API key"
    if expires is None:
        step = "set api_key_expires to the day that Settings > API keys shows"
        return Finding(
            "key_end", subject, OK, "nobody can say when it ends: Sekoia.io does not tell by its API", WHO, step
        )
    left = (expires - today).days
    if left < 0:
        return Finding("key_end", subject, MISSING, f"it ended on {expires}", WHO, KEY_STEP)
    if left < SOON_DAYS:
        return Finding("key_end", subject, OK, f"it ends in {left} days, on {expires}", WHO, KEY_STEP)
    return Finding("key_end", subject, OK, f"it ends on {expires}")


def _failed(check: str, subject: str, error: OnboardingError, step: str) -> Finding:
    if error.status in REFUSED:
        return Finding(check, subject, MISSING, f"{error.code}: {error.message}", WHO, step)
    return Finding(check, subject, UNKNOWN, f"{error.code}: {error.message}", WHO, error.next_step)
