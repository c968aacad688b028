# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the control client for Secure Endpoint; of nothing but the standard library."""

from __future__ import annotations

from typing import Any

from lab.client import LabClient

# Contoso's organisation is in the region at localhost, Fabrikam's in the one at 127.0.0.1.
CONTOSO, FABRIKAM = "2cee1c2632a2e9d63f53", "7fa01b4410c58d2e9b66"


class Client:
    """What a test may know; what others do is lab.edit(...), see lab/secure_endpoint/vendor.py."""

    def __init__(self, lab: LabClient) -> None:
        self._lab = lab

    @property
    def urls(self) -> list[str]:
        """The bases of both regions."""
        return [self._lab.url.replace("127.0.0.1", host) for host in ("localhost", "127.0.0.1")]

    def state(self) -> dict[str, Any]:
        """organisations, keys and streams, with passwords in the clear; messages and consumers of the memory."""
        return dict(self._lab.control("GET", "secure_endpoint"))

    def key(self, client_id: str) -> str:
        return str(self.state()["keys"][client_id])

    def streams(self, client_id: str = CONTOSO) -> list[dict[str, Any]]:
        """In the order in which they were made."""
        held = sorted(self.state()["streams"].values(), key=lambda one: int(one["id"]))
        return [one for one in held if one["organisation"] == client_id]
