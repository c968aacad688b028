# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control client's part for Microsoft Sentinel; of nothing but the standard library."""

from __future__ import annotations

from typing import Any

from lab.client import LabClient


class Client:
    """What a test may know; what others do there is lab.edit(...), see lab/sentinel/vendor.py."""

    def __init__(self, lab: LabClient) -> None:
        self._lab = lab

    def rules(self, workspace: str) -> list[dict[str, Any]]:
        """The automation rules of a workspace."""
        return list(self._lab.control("GET", "sentinel")["rules"].get(workspace.lower(), []))

    def incidents(self, workspace: str) -> dict[str, Any]:
        """Properties of incidents, by name."""
        held = self._lab.control("GET", "sentinel")["incidents"].get(workspace.lower(), {})
        return {name: one["properties"] for name, one in held.items()}
