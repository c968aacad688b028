# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the control client for Microsoft 365; of nothing but the standard library."""

from __future__ import annotations

from typing import Any

from lab.client import LabClient


class Client:
    """What a test may know; what others do there is lab.edit(...), see lab/m365/vendor.py."""

    def __init__(self, lab: LabClient) -> None:
        self._lab = lab

    def subscriptions(self, tenant: str) -> dict[str, dict[str, Any]]:
        """By content type: status, dead, webhook, contents (how many)."""
        held = self._lab.control("GET", "m365")["subscriptions"]
        return {one["type"]: one for one in held if one["tenant"] == tenant}

    def publishers(self) -> list[str]:
        """In whose names was asked."""
        return list(self._lab.control("GET", "m365")["publishers"])

    def record(self, tenant: str, *types: str, ago: float = 0.0, lag: float = 0.0) -> None:
        """Something happened so many seconds ago, and is content after the lag."""
        for type in types:
            self._lab.edit("m365_record", tenant=tenant, type=type, ago=ago, lag=lag)
