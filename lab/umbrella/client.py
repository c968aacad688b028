# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the control client for Umbrella; of nothing but the standard library."""

from __future__ import annotations

from typing import Any

from lab.client import LabClient

CONTOSO, PROSEWARE, LITWARE, WINGTIP = "1234567", "7000000", "7000001", "7000002"
CONTOSO_KEY, PROSEWARE_KEY = "umbrella-contoso", "umbrella-proseware"


class Client:
    """What a test may know; what others do at Umbrella is lab.edit(...), see lab/umbrella/vendor.py."""

    def __init__(self, lab: LabClient) -> None:
        self._lab = lab

    def state(self) -> dict[str, Any]:
        """organizations and keys by id, and how many rotations there were; secrets in the clear."""
        return dict(self._lab.control("GET", "umbrella"))

    def organization(self, id: str) -> dict[str, Any]:
        return dict(self.state()["organizations"][id])

    def secret(self, key: str) -> str:
        return str(self.state()["keys"][key]["secret"])

    def attach(self, url: str, access_key_id: str, secret_access_key: str, *organizations: str) -> dict[str, Any]:
        """Keys of these organizations are those of users of this AWS from now on."""
        aws = {"url": url, "access_key_id": access_key_id, "secret_access_key": secret_access_key}
        return dict(self._lab.control("POST", "umbrella/aws", {"aws": aws, "organizations": organizations}))
