# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the control client for Coro; of nothing but the standard library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab.client import LabClient


class Client:
    """What others do in Coro's console, and what a test may know; deeds and fields in lab/coro/control.py."""

    def __init__(self, lab: LabClient) -> None:
        self._control = lab.control

    def state(self) -> dict[str, Any]:
        """workspaces, clients (with secrets), connectors by workspace (with `stored` and `lost`), switches."""
        return dict(self._control("GET", "coro"))

    def do(self, deed: str, **fields: Any) -> dict[str, Any]:
        return dict(self._control("POST", "coro", {"do": deed, **fields}))

    def client(self, client_id: str) -> tuple[str, str]:
        """(client id, secret that is valid now)"""
        return client_id, str(self.state()["clients"][client_id]["secret"])

    def connectors(self, workspace: str) -> dict[str, dict[str, Any]]:
        """By name, as the API shows them, with `stored` (secrets in the clear) and `lost` tickets."""
        return {one["name"]: one for one in self.state()["connectors"][workspace]}

    def put_workspace(self, id: str, name: str, type: str = "regular", parent: str | None = None) -> None:
        self.do("put_workspace", id=id, name=name, type=type, parent=parent)

    def remove_workspace(self, id: str) -> None:
        self.do("remove_workspace", id=id)

    def put_connector(self, workspace: str, name: str, type: str, **fields: Any) -> str:
        """The id. Without a test event; fields by their names on the wire, and `status`."""
        return str(self.do("put_connector", workspace=workspace, name=name, type=type, **fields)["connector"])

    def remove_connector(self, workspace: str, name: str) -> None:
        self.do("remove_connector", workspace=workspace, name=name)

    def set_status(self, workspace: str, name: str, status: str) -> None:
        self.do("set_status", workspace=workspace, name=name, status=status)

    def rename_connector(self, workspace: str, name: str, to: str) -> None:
        self.do("rename_connector", workspace=workspace, name=name, to=to)

    def expire_tokens(self) -> None:
        self.do("expire_tokens")

    def expire_client(self, client_id: str, expired: bool = True) -> None:
        self.do("expire_client", client_id=client_id, expired=expired)

    def rotate_client(self, client_id: str) -> str:
        """The new secret; the old one is void at once."""
        return str(self.do("rotate_client", client_id=client_id)["secret"])

    def configure(self, **switches: Any) -> None:
        """unique_names, blank_secret, new_children, child_connectors, token_life, timeout, rate, azure_url."""
        self.do("configure", **switches)

    def trust(self, ca_file: str) -> None:
        """Send to receivers with certificates of another CA, too."""
        self.do("trust", pem=Path(ca_file).read_text())

    def emit(self, workspace: str, event: dict[str, Any] | None = None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """(the ticket, its deliveries: connector, sent, accepted, status, body)"""
        done = self.do("emit", workspace=workspace, event=event)
        return done["event"], done["deliveries"]
