# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's Coro cloud: workspaces, SIEM connectors, API clients and their tokens.

Fields and formats of connectors: Coro's guide «Configuring and managing SIEM connectors». Their names on the wire are
assumed: Coro documents no endpoint for them.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lab.kernel.context import Lab, State
from lab.kernel.registration import Scenario
from lab.kernel.sender import Sender

CONNECTED, DISCONNECTED = "CONNECTED", "DISCONNECTED"
MASK = "********"
# Format -> its fields, in the order of Coro's form.
FIELDS: dict[str, tuple[str, ...]] = {
    "FLUENCY": ("listenerUrl", "token"),
    "GENERIC": ("listenerUrl", "headers"),
    "AZURE_SENTINEL": ("workspaceId", "primaryKey", "logType"),
    "SPLUNK": ("listenerUrl", "authorization"),
}
SECRETS = frozenset({"token", "headers", "primaryKey", "authorization"})


@dataclass(slots=True)
class Workspace:
    id: str
    name: str
    type: str = "regular"  # regular | channel | child
    parent: str | None = None


@dataclass(slots=True)
class Client:
    """A set of API credentials: made in one workspace, good for that and all below it."""

    client_id: str
    secret: str
    workspace: str
    expired: bool = False


@dataclass(slots=True)
class Connector:
    """`settings` by wire names, secrets in the clear. A copy in a descendant has `origin` and its own status."""

    workspace: str
    name: str
    type: str
    settings: dict[str, Any]
    apply_to_all: bool = False
    origin: Connector | None = None
    status: str = CONNECTED
    last_error: dict[str, Any] | None = None
    updated: float = 0.0  # world seconds
    retry_at: float | None = None  # world seconds; set while the receiver is down
    lost: int = 0  # tickets that nobody got
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def inherit(self, workspace: str) -> Connector:
        return Connector(workspace, self.name, self.type, self.settings, origin=self, updated=self.updated)


_CHOICES = {
    "blank_secret": ("keep", "clear"),
    "new_children": ("inherit", "none"),
    "child_connectors": ("own", "none"),
}


@dataclass(slots=True)
class Switches:
    """What Coro does not say, both ways. The first value of each is the default.

    blank_secret: keep | clear (of a PUT without or with a masked secret). new_children: inherit | none (connectors that
    apply to all customers). child_connectors: own | none (whether a child may have connectors of its own).
    token_life, timeout: seconds. rate: requests a second and client, 0 without end. azure_url: where events for Azure
    go; the lab's own Data Collector when empty.
    """

    unique_names: bool = True
    blank_secret: str = "keep"
    new_children: str = "inherit"
    child_connectors: str = "own"
    token_life: int = 86400
    timeout: float = 10.0
    rate: int = 0
    azure_url: str = ""

    def change(self, values: dict[str, Any]) -> None:
        """Raises ValueError for a switch that does not exist or a value that it does not take."""
        for name, value in values.items():
            if name not in Switches.__slots__:
                raise ValueError(f"unknown switch '{name}' of Coro")
            present = getattr(self, name)
            if isinstance(present, float):
                value = float(value)
            if type(value) is not type(present) or value not in _CHOICES.get(name, (value,)):
                raise ValueError(f"the switch '{name}' of Coro takes no {value!r}")
            setattr(self, name, value)


class Coro(State):
    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.sender = lab.once("sender", lambda: Sender(lab.ca_pem))
        self.switches = Switches()
        self.workspaces: dict[str, Workspace] = {}
        self.clients: dict[str, Client] = {}
        self.tokens: dict[str, tuple[str, float]] = {}  # token -> (client id, real seconds of its end)
        self.held: dict[str, dict[str, Connector]] = {}  # workspace -> id -> connector
        self.waiting: dict[str, Connector] = {}  # id -> connector whose retry is due some time
        self.tickets = 0
        self._spent: dict[str, tuple[int, int]] = {}  # client id -> (real second, requests in it)
        self._children: dict[str, list[Workspace]] = {}

    async def stop(self) -> None:
        await self.sender.close()

    # -- workspaces -----------------------------------------------------------------------------------------------

    def add_workspace(self, workspace: Workspace) -> None:
        if workspace.type not in ("regular", "channel", "child") or (workspace.type == "child") != bool(
            workspace.parent
        ):
            raise ValueError("a workspace is regular, channel, or child, and a child has a parent")
        if workspace.parent is not None and self.workspaces[workspace.parent].type == "regular":
            raise ValueError(f"the workspace '{workspace.parent}' is no channel")
        self.workspaces[workspace.id] = workspace
        self.held[workspace.id] = {}
        if workspace.parent is None:
            return
        self._children.setdefault(workspace.parent, []).append(workspace)
        if self.switches.new_children == "inherit":
            for above in self.above(workspace):
                for connector in [one for one in self.held[above.id].values() if one.apply_to_all]:
                    self.add(connector.inherit(workspace.id))

    def remove_workspace(self, id_: str) -> None:
        for child in list(self._children.get(id_, ())):
            self.remove_workspace(child.id)
        gone = self.workspaces.pop(id_)
        if gone.parent is not None:
            self._children[gone.parent].remove(gone)
        for connector in list(self.held[id_].values()):
            self.remove(connector)
        del self.held[id_]

    def children(self, id_: str) -> list[Workspace]:
        return self._children.get(id_, [])

    def descendants(self, id_: str) -> Iterator[Workspace]:
        for child in self.children(id_):
            yield child
            yield from self.descendants(child.id)

    def above(self, workspace: Workspace) -> Iterator[Workspace]:
        while workspace.parent is not None:
            workspace = self.workspaces[workspace.parent]
            yield workspace

    def reaches(self, client: Client, workspace: Workspace) -> bool:
        """Rights follow the workspace that the credentials were made in."""
        return client.workspace in (workspace.id, *(above.id for above in self.above(workspace)))

    # -- tokens ---------------------------------------------------------------------------------------------------

    def issue(self, client: Client) -> str:
        token = "lab-coro-" + secrets.token_urlsafe(32)
        self.tokens[token] = (client.client_id, time.time() + self.switches.token_life)
        return token

    def bearer(self, token: str) -> Client | None:
        """None for a token that is unknown or over, or whose credentials are."""
        client_id, ends = self.tokens.get(token, ("", 0.0))
        client = self.clients.get(client_id)
        return client if client is not None and ends > time.time() and not client.expired else None

    def admits(self, client: Client) -> bool:
        """Whether the client's rate allows another request in this second."""
        second = int(time.time())
        last, spent = self._spent.get(client.client_id, (second, 0))
        spent = spent + 1 if last == second else 1
        self._spent[client.client_id] = second, spent
        return not self.switches.rate or spent <= self.switches.rate

    # -- connectors -----------------------------------------------------------------------------------------------

    def add(self, connector: Connector) -> None:
        self.held[connector.workspace][connector.id] = connector
        self.spread(connector)

    def spread(self, connector: Connector) -> None:
        """Make the copies in all descendants be there, or be gone, as `apply_to_all` says; and be up to date."""
        for workspace in self.descendants(connector.workspace):
            copies = [one for one in self.held[workspace.id].values() if one.origin is connector]
            if connector.apply_to_all and not copies:
                self.add(connector.inherit(workspace.id))
            for copy in copies:
                if connector.apply_to_all:
                    copy.name, copy.settings, copy.updated = connector.name, connector.settings, connector.updated
                else:
                    self.remove(copy)

    def remove(self, connector: Connector) -> None:
        """From its workspace, and the copies from all descendants."""
        connector.apply_to_all = False
        self.spread(connector)
        del self.held[connector.workspace][connector.id]
        self.waiting.pop(connector.id, None)

    def named(self, workspace: str, name: str) -> list[Connector]:
        return [one for one in self.held[workspace].values() if one.name == name]


def shown(connector: Connector, offset: float) -> dict[str, Any]:
    """A connector as the API shows it: secrets masked, times in milliseconds on the clients' clock."""
    return {
        "id": connector.id,
        "name": connector.name,
        "type": connector.type,
        **{name: _masked(name, connector.settings.get(name)) for name in FIELDS[connector.type]},
        "applyToAllCustomers": connector.apply_to_all,
        "status": connector.status,
        "inherited": connector.origin is not None,
        "channelWorkspaceId": connector.origin.workspace if connector.origin else None,
        "lastError": connector.last_error,
        "updatedAt": int((connector.updated - offset) * 1000),
    }


def _masked(name: str, value: Any) -> Any:
    if name == "headers":
        return [{"name": header["name"], "value": MASK} for header in value or ()]
    return MASK if name in SECRETS and value else value


# -- scenarios --------------------------------------------------------------------------------------------------------


def load(coro: Coro, scenario: Scenario) -> None:
    """The key `coro` of a scenario."""
    text = scenario.get("coro", {})
    for item in text.get("workspaces", []):
        coro.add_workspace(Workspace(**item))
    for item in text.get("clients", []):
        coro.clients[item["id"]] = Client(item["id"], coro.lab.derive(item["id"]).hex(), item["workspace"])
