# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control client's part for CrowdStrike, of nothing but the standard library. A CID or client goes by its name."""

from __future__ import annotations

from typing import Any

from lab.client import LabClient


class Client:
    def __init__(self, lab: LabClient) -> None:
        self._control = lab.control
        self.url = lab.url  # of the API: the lab's own

    def state(self) -> dict[str, Any]:
        """cids, clients (id, secret, scopes), sessions (reading, delivered), switches."""
        return dict(self._control("GET", "crowdstrike"))

    def do(self, deed: str, **fields: Any) -> dict[str, Any]:
        """What lab/crowdstrike/control.py lists."""
        return dict(self._control("POST", "crowdstrike", {"do": deed, **fields}))

    def emit(
        self,
        cid: str,
        count: int = 1,
        type: str = "EppDetectionSummaryEvent",
        partition: int | None = None,
        **fields: Any,
    ) -> list[tuple[int, int]]:
        """New events; their (partition, offset)."""
        made = self.do("emit", cid=cid, count=count, type=type, partition=partition, fields=fields)
        return [(item, offset) for item, offset in made["offsets"]]

    def client(self, name: str) -> tuple[str, str]:
        """(client id, secret that is valid now)"""
        found = self.state()["clients"][name]
        return str(found["id"]), str(found["secret"])

    def rotate_secret(self, client: str) -> str:
        """The new secret; the old one is void at once."""
        return str(self.do("rotate_secret", client=client)["secret"])

    def sessions(self, cid: str, app_id: str | None = None) -> list[dict[str, Any]]:
        """Oldest first: reading, opened, refreshed, delivered, last_offset of each session."""
        found = self.state()["sessions"]
        return [item for item in found if item["cid"] == cid and app_id in (None, item["app_id"])]
