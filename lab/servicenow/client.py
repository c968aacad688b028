# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control client's part for ServiceNow; of nothing but the standard library."""

from __future__ import annotations

from typing import Any

from lab.client import LabClient

USER = "mssp.integration"


class Client:
    """What a test may know; what others do there is lab.edit(...), see lab/servicenow/vendor.py."""

    def __init__(self, lab: LabClient) -> None:
        self._lab = lab

    def state(self) -> dict[str, Any]:
        return dict(self._lab.control("GET", "servicenow"))

    def password(self, user: str = USER) -> str:
        return str(self.state()["users"][user]["password"])

    def api_key(self, user: str = USER) -> str:
        return str(self.state()["users"][user]["api_key"])

    def incidents(self) -> list[dict[str, str]]:
        """In the order in which they were made."""
        return sorted(self.state()["incidents"], key=lambda one: one["number"])

    def notes(self, number: str) -> list[str]:
        """The work notes of an incident."""
        held = self.state()
        (id,) = [one["sys_id"] for one in held["incidents"] if one["number"] == number]
        return [one["text"] for one in held["notes"] if one["sys_id"] == id]
