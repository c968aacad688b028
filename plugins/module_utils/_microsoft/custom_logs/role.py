# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How old somebody's right to send to a rule is: Azure refuses until it counts."""

from __future__ import annotations

from ..._core.client import documented
from ..arm.client import Arm
from ..rights import api as rights
from .data import age
from .senders import PUBLISHER_GUID

# azure-sdk-for-net#37173: until a role counts.
ROLE_SECONDS = 1800.0
NEW_ROLE_STEP = "wait, and run verify again: a new role counts after up to 30 minutes, first rows after 15"


async def role_age(arm: Arm, rule: str, principal: str) -> float | None:
    """How old somebody's right to send to a rule is, in seconds, None where it has none. Raises OnboardingError."""
    held = [one for one in await rights.assignments(arm, rule, principal) if one.role == PUBLISHER_GUID]
    with documented(f"read when the role on {rule} was given"):
        ages = [old for one in held if (old := age(one.made)) is not None]
    # Of one whose age nobody knows it is not said that it will count soon.
    return min(ages, default=ROLE_SECONDS + 1) if held else None
