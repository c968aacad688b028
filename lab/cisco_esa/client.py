# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the control client for Cisco's appliances; of nothing but the standard library."""

from __future__ import annotations

from typing import Any

from lab.client import LabClient

ALONE, FIRST, SECOND = "esa.contoso.example", "esa1.contoso.iphmx.com", "esa2.contoso.iphmx.com"
USERNAME = "mssp"


class Client:
    """What a test may know; what others do at an appliance is lab.edit(...), see lab/cisco_esa/vendor.py."""

    def __init__(self, lab: LabClient) -> None:
        self._lab = lab

    def state(self, box: str = ALONE) -> dict[str, Any]:
        return dict(self._lab.control("GET", "cisco_esa")["boxes"][box])

    def log(self, name: str, box: str = ALONE) -> dict[str, str] | None:
        """A subscription, fields as in the export."""
        found = self.state(box)["logs"].get(name)
        return None if found is None else dict(found)

    @property
    def proxy_port(self) -> int:
        return int(self._lab.control("GET", "cisco_esa")["gate"]["port"])

    def known_hosts(self) -> str:
        """Lines of OpenSSH's file for the appliances, and for Cisco's proxy."""
        return str(self._lab.control("GET", "cisco_esa/known_hosts"))
