# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control client's part for Azure, of nothing but the standard library."""

from __future__ import annotations

import urllib.parse
from typing import Any

from lab.client import LabClient


class Client:
    def __init__(self, lab: LabClient) -> None:
        self._lab = lab

    def world(self, target: str = "", resources: bool = False) -> dict[str, Any]:
        """Settings of a target, or of everything; see lab/azure/control.py."""
        query = urllib.parse.urlencode({"target": target, **({"resources": 1} if resources else {})})
        return dict(self._lab.control("GET", f"azure/world?{query}"))

    def messages(self, hub: str) -> list[dict[str, Any]]:
        """What others have sent to a hub, the oldest first."""
        return list(self._lab.control("GET", f"azure/messages?{urllib.parse.urlencode({'hub': hub})}"))

    def settings(self, target: str) -> dict[str, Any]:
        """Settings of one target by name, as a GET shows them."""
        held = self.world(target)["settings"].get(target.lower(), {})
        return {name: value["shown"] for name, value in held.items()}
