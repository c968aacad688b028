# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the control client for Sophos Firewall; of nothing but the standard library."""

from __future__ import annotations

from typing import Any

from lab.client import LabClient

HEADQUARTERS, BRANCH = "localhost", "127.0.0.1"
USERNAME = "mssp-api"


class Client:
    """What a test may know; what others do at a firewall is lab.edit(...), see lab/sophos/vendor.py."""

    def __init__(self, lab: LabClient) -> None:
        self._lab = lab

    @property
    def port(self) -> int:
        return int(self._lab.url.rpartition(":")[2])

    def state(self, host: str = HEADQUARTERS) -> dict[str, Any]:
        """The firewall as it is, its password in the clear."""
        return dict(self._lab.control("GET", "sophos")[host])

    def servers(self, host: str = HEADQUARTERS) -> dict[str, dict[str, Any]]:
        """Syslog servers by name, the local store among them."""
        return {one["Name"]: one for one in self.state(host)["servers"]}

    def on(self, name: str, host: str = HEADQUARTERS) -> set[str]:
        """Paths of the log settings of a server that are on."""
        settings = self.servers(host)[name]["LogSettings"]
        return {f"{group}/{leaf}" for group, held in settings.items() for leaf in held if held[leaf] == "Enable"}
