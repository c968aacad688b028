# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of Entra's logs every verb compares with the last good run: the categories that the tenant offers. Pure."""

from __future__ import annotations

from ..._core.coverage import NOT_ASKED, Part, Scope, Seen
from ..settings.plan import LogChoice
from ..settings.setting import Offered

REGAIN = "see whether the tenant has lost a licence (Microsoft Entra ID P1 or P2), or Microsoft renamed the category"


def seen(offered: Offered, chosen: LogChoice | None = None) -> Seen | None:
    """None where the categories were not read. chosen: what is wanted, where the verb knows; else all is covered."""
    if not offered.logs:
        return None
    scopes = [Scope(key, _spell(category.name)) for key, category in sorted(offered.logs.items())]
    left = sorted(set(offered.logs) - chosen.categories) if chosen and chosen.categories else []
    return Seen(scopes, parts=[Part(_spell(offered.logs[key].name), NOT_ASKED, next_step=_step(key)) for key in left])


def _spell(category: str) -> str:
    return f"Entra category {category}"


def _step(category: str) -> str:
    return f"name {category} in event_hub_export_entra_categories, or all"
