# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control client's part for Graph security; of nothing but the standard library."""

from __future__ import annotations

from typing import Any

from lab.client import LabClient


class Client:
    """What a test may know; what others do there is lab.edit(...), see lab/graph_security/vendor.py."""

    def __init__(self, lab: LabClient) -> None:
        self._lab = lab

    def of(self, tenant: str) -> dict[str, Any]:
        """devices, alerts, incidents, rows of a tenant."""
        return dict(self._lab.control("GET", "graph_security").get(tenant, {}))

    def incidents(self, tenant: str) -> dict[str, dict[str, Any]]:
        """By id, as they are kept."""
        return dict(self.of(tenant)["incidents"])
