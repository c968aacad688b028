# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the control client for Cisco Duo; of nothing but the standard library."""

from __future__ import annotations

from typing import Any

from lab.client import LabClient

CONTOSO, PROSEWARE = "DACONTOSO00000000000", "DAPROSEWARE000000000"
LITWARE, FOURTH_COFFEE, WINGTIP = "DALITWARE00000000000", "DAFOURTHCOFFEE000000", "DAWINGTIP00000000000"
CONTOSO_KEY, PROSEWARE_KEY = "DICONTOSO00000000000", "DIPROSEWARE000000000"


class Client:
    """What a test may know; what others do at Duo is lab.edit(...), see lab/duo/vendor.py."""

    def __init__(self, lab: LabClient) -> None:
        self._lab = lab

    @property
    def host(self) -> str:
        """What a client is told as the API hostname."""
        return self._lab.url.replace("https://127.0.0.1", "localhost")

    def secret(self, key: str) -> str:
        return str(self.state()["applications"][key]["secret"])

    def state(self) -> dict[str, Any]:
        """accounts and applications by id and key; secrets in the clear."""
        return dict(self._lab.control("GET", "duo"))

    def applications(self, account: str) -> dict[str, dict[str, Any]]:
        """By name, without those that the scenario has."""
        held = self.state()["applications"].values()
        return {
            one["name"]: one
            for one in held
            if one["account"] == account and one["key"] not in (CONTOSO_KEY, PROSEWARE_KEY)
        }
