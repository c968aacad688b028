# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the control client for Splunk; of nothing but the standard library."""

from __future__ import annotations

from urllib.parse import quote

from lab.client import LabClient


class Client:
    """What a test may know; what others do there is lab.edit(...), see lab/splunk/vendor.py."""

    def __init__(self, lab: LabClient) -> None:
        self._lab = lab

    @property
    def token(self) -> str:
        return str(self._lab.control("GET", "splunk")["token"])

    def search(self, name: str) -> dict[str, str]:
        """The settings of a saved search."""
        return dict(self._lab.control("GET", "splunk")["searches"][name])

    def settings(self) -> dict[str, str]:
        """Of the webhook action."""
        return dict(self._lab.control("GET", "splunk")["settings"])

    def log(self) -> list[dict[str, str]]:
        """What splunkd.log says of webhooks: search, and why it failed."""
        return list(self._lab.control("GET", "splunk")["log"])

    def fire(self, name: str, app: str = "search") -> None:
        """A search runs now, with its actions."""
        path = f"/servicesNS/nobody/{app}/saved/searches/{quote(name)}/dispatch"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/x-www-form-urlencoded"}
        status = self._lab.call("POST", path, b"trigger_actions=1", headers)[0]
        if status != 201:
            raise RuntimeError(f"Splunk says {status} to a dispatch of {name}")
