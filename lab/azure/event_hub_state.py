# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event Hubs as they are kept: what is in a namespace. The namespace itself is a resource."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

TYPE = "Microsoft.EventHub/namespaces"
ROOT_RULE = "RootManageSharedAccessKey"
ALL_RIGHTS = ("Listen", "Manage", "Send")


@dataclass(slots=True)
class Rule:
    """An authorization rule. Its keys follow from its id and from how often each was made."""

    id: str
    name: str
    rights: tuple[str, ...] = ALL_RIGHTS
    made: dict[str, int] = field(default_factory=lambda: {"primary": 0, "secondary": 0})

    def key(self, derive: Callable[[str], bytes], which: str) -> str:
        return base64.b64encode(derive(f"{self.id.lower()}/{which}/{self.made[which]}")).decode()


@dataclass(slots=True)
class Group:
    """A consumer group."""

    name: str
    metadata: str | None
    made: float  # world seconds


@dataclass(slots=True)
class Hub:
    id: str
    name: str
    partitions: int
    hours: int  # of retention
    made: float  # world seconds
    cleanup: str = "Delete"
    rules: dict[str, Rule] = field(default_factory=dict)  # by lower name
    groups: dict[str, Group] = field(default_factory=dict)  # likewise


@dataclass(slots=True)
class Namespace:
    rules: dict[str, Rule] = field(default_factory=dict)  # by lower name
    hubs: dict[str, Hub] = field(default_factory=dict)  # likewise
    made: float = 0.0  # world seconds
    going: float = 0.0  # until when its deletion takes, 0 for none
    tls: str = "1.2"
    local_auth: bool = True
