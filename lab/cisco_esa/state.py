# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's appliances. A cluster shares one configuration."""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, ClassVar

from lab.kernel.context import Lab, State
from lab.kernel.registration import Scenario

Log = dict[str, str]
# The logs that an appliance is delivered with: by hand, level 3 (Cisco's guide).
DELIVERED = (("mail_logs", 0, "Information"), ("error_logs", 0, "Critical"), ("system_logs", 1, "Information"))


@dataclass(slots=True)
class Config:
    """logs: subscriptions, fields as the export has them; host_keys: pinned ones, by host."""

    logs: list[Log] = field(default_factory=list)
    host_keys: dict[str, list[str]] = field(default_factory=dict)

    def copy(self) -> Config:
        return deepcopy(self)


@dataclass(slots=True)
class Shared:
    """What the machines of a cluster have in common. commits: who, with which comment, and what it became."""

    config: Config = field(default_factory=Config)
    commits: list[tuple[str, str, Config]] = field(default_factory=list)


@dataclass(slots=True)
class Quirks:
    """How a command line behaves besides.

    pager: lines of a page, 0 for none; pending: administrators with changes of their own, told where (banner, commit);
    extra: a question that no book has, asked before this topic; cut: the session ends before the answer to this topic
    or command, or after a commit (committed); operator: the account may look only; override: the settings are asked
    for at the machine's level first; hang: nothing more comes
    after this command; spoilt: this field is kept otherwise than it was typed.
    """

    pager: int = 0
    pending: list[str] = field(default_factory=list)
    pending_told: str = "commit"
    extra: str = ""
    cut: str = ""
    operator: bool = False
    override: bool = False
    hang: str = ""
    spoilt: str = ""


@dataclass(slots=True)
class Box:
    """A machine. cluster: its name, none for one that stands alone; key, public_key: by which it signs in elsewhere."""

    name: str
    serial: str
    version: str
    username: str
    password: str
    shared: Shared
    cluster: str = ""
    port: int = 0
    quirks: Quirks = field(default_factory=Quirks)
    sent: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    sign_ins: int = 0
    public_key: Callable[[], str] = lambda: ""
    push: Callable[[Box, Log], str] = lambda _box, _log: ""

    @property
    def later(self) -> bool:
        return int(self.version.partition(".")[0]) >= 15


@dataclass(slots=True)
class Gate:
    """Cisco's proxy: forwards to the appliances of its cloud, for the keys of which a support case told."""

    port: int = 0
    keys: list[str] = field(default_factory=list)
    hosts: dict[str, str] = field(default_factory=dict)


class CiscoEsa(State):
    """boxes by name. Command lines run in threads of their own, one at a time."""

    configurable: ClassVar[tuple[str, ...]] = ()

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.boxes: dict[str, Box] = {}
        self.gate = Gate()
        self.lock = threading.RLock()


def delivered(later: bool) -> Config:
    """A configuration as an appliance is delivered with, in its release's words."""
    kinds = (("Cisco Text Mail Logs" if later else "IronPort Text Mail Logs"), "System Logs")
    return Config(
        [
            {
                "name": name,
                "type": kinds[kind],
                "level": level,
                "retrieval_method": "Download Manually",
                "filename": name,
            }
            for name, kind, level in DELIVERED
        ]
    )


def load(esa: CiscoEsa, scenario: Scenario) -> None:
    """The key C(cisco_esa) of a scenario."""
    shared: dict[str, Shared] = {}
    for item in scenario.get("cisco_esa", []):
        later, cluster = int(item["version"].partition(".")[0]) >= 15, item.get("cluster", "")
        password = esa.lab.derive(f"cisco_esa {item['name']}").hex()[:24]
        of = shared.setdefault(cluster or item["name"], Shared(delivered(later)))
        box = Box(item["name"], item["serial"], item["version"], item["username"], password, of, cluster)
        esa.boxes[box.name] = box
        if "cloud" in item:
            esa.gate.hosts[item["cloud"]] = box.name
