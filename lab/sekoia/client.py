# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the control client for Sekoia.io; of nothing but the standard library."""

from __future__ import annotations

from typing import Any

from lab.client import LabClient

PARENT, CONTOSO = "5e000000-0000-4000-8000-000000000000", "5e000000-0000-4000-8000-000000000001"
WINGTIP = "5e000000-0000-4000-8000-000000000002"
PROVIDER_KEY, READER_KEY = "provider", "alerts-contoso"
ENTITY, FORMAT = "Main Entity", "Custom format"


class Client:
    """What a test may know; what others do at Sekoia.io is lab.edit(...), see lab/sekoia/vendor.py."""

    def __init__(self, lab: LabClient) -> None:
        self._lab = lab

    @property
    def api_url(self) -> str:
        return f"{self._lab.url}/api"

    @property
    def intake_url(self) -> str:
        return f"{self._lab.url}/sekoia-intake"

    def key(self, name: str = PROVIDER_KEY) -> str:
        return str(self.state()["keys"][name]["secret"])

    def state(self) -> dict[str, Any]:
        """Everything by uuid, secrets in the clear."""
        return dict(self._lab.control("GET", "sekoia"))

    def alert(self, community: str = CONTOSO, **fields: Any) -> dict[str, Any]:
        """An alert is created (rule, severity, ago): uuid, short_id, and the runs that it has started."""
        return dict(self._lab.control("POST", "sekoia/alert", {"community": community, **fields}))
