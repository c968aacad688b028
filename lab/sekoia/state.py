# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's Sekoia.io.

Names: docs.sekoia.io, meshroom 0.3.4, manifests of SEKOIA-IO/automation-library. Assumed: names of the permissions
beside SYMPHONY_READ_PLAYBOOKS, SYMPHONY_WRITE_PLAYBOOKS, SIC_READ_ALERTS, SIC_READ_INTAKES and SIC_READ_ENTITIES.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, ClassVar

from lab.kernel.context import Lab, State
from lab.kernel.registration import Scenario
from lab.kernel.sender import Sender

PERMISSIONS = frozenset(
    {
        "SYMPHONY_READ_PLAYBOOKS",
        "SYMPHONY_WRITE_PLAYBOOKS",
        "SIC_READ_ALERTS",
        "SIC_COMMENT_ALERTS",
        "SIC_READ_INTAKES",
        "SIC_WRITE_INTAKES",
        "SIC_READ_ENTITIES",
        "SIC_READ_EVENTS",
    }
)
SEKOIA_MODULE = "92d8bb47-7c51-445d-81de-ae04edbb6f0a"
ENABLED, DISABLED = "enabled", "disabled"
MASK = "********"
NODE_SECRETS = ("auth_token", "auth_password")


@dataclass(slots=True)
class Key:
    """An API key, of a community and those below it."""

    name: str
    community: str
    secret: str
    permissions: set[str] = field(default_factory=lambda: set(PERMISSIONS))


@dataclass(slots=True)
class Playbook:
    """errors: how many runs in a row have failed."""

    uuid: str
    community: str
    name: str
    description: str = ""
    tags: list[str] = field(default_factory=list)
    nodes: dict[str, Any] = field(default_factory=dict)
    configurations: list[dict[str, str]] = field(default_factory=list)
    status: str = DISABLED
    errors: int = 0


@dataclass(slots=True)
class Configuration:
    """Of a trigger or a module. kind: the uuid of that."""

    uuid: str
    community: str
    name: str
    kind: str
    value: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Run:
    """started, ends: world seconds. nodes: id -> {uuid, status, error, results}."""

    uuid: str
    playbook: str
    started: float
    ends: float
    status: str = "finished"
    error: str = ""
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Intake:
    """created: in world seconds. events: those that were sent to it, with theirs."""

    uuid: str
    community: str
    name: str
    entity: str
    format: str
    key: str
    created: float
    events: list[tuple[float, str]] = field(default_factory=list)


class Sekoia(State):
    """What the lab can do otherwise, since nobody has said how Sekoia.io does it:

    sekoia_switches: the ways of switching a playbook on that exist (activate, patch); sekoia_masks: secrets are shown
    masked, else left out; sekoia_asks: what the configuration of the module Sekoia.io has; sekoia_blocks: whoever gets
    two errors within ten seconds is blocked; sekoia_start_seconds: how long a run takes; sekoia_page: of lists.
    """

    configurable: ClassVar[tuple[str, ...]] = (
        "sekoia_switches", "sekoia_masks", "sekoia_asks", "sekoia_blocks", "sekoia_start_seconds", "sekoia_page",
    )  # fmt: skip

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.sender = lab.once("sender", lambda: Sender(lab.ca_pem))
        self.sekoia_switches = ["activate", "patch"]
        self.sekoia_masks = True
        self.sekoia_asks = ["api_key"]
        self.sekoia_blocks = False
        self.sekoia_start_seconds = 0.0
        self.sekoia_page = 100
        self.communities: dict[str, dict[str, str]] = {}
        self.keys: dict[str, Key] = {}
        self.playbooks: dict[str, Playbook] = {}
        self.triggers: dict[str, Configuration] = {}
        self.modules: dict[str, Configuration] = {}
        self.runs: dict[str, Run] = {}
        self.alerts: dict[str, dict[str, Any]] = {}
        self.entities: dict[str, dict[str, Any]] = {}
        self.formats: dict[str, dict[str, Any]] = {}
        self.intakes: dict[str, Intake] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.errors: list[float] = []
        self.blocked = False

    async def stop(self) -> None:
        await self.sender.close()

    def reaches(self, key: Key, community: str) -> bool:
        held = self.communities.get(community, {})
        return key.community in (community, held.get("parent"))

    def key_of(self, secret: str) -> Key | None:
        return next((one for one in self.keys.values() if one.secret == secret), None)


def new_uuid() -> str:
    return str(uuid.uuid4())


def load(sekoia: Sekoia, scenario: Scenario) -> None:
    """The key C(sekoia) of a scenario."""
    text = scenario.get("sekoia", {})
    for item in text.get("communities", []):
        sekoia.communities[item["uuid"]] = {"parent": "", **item}
    for item in text.get("keys", []):
        secret = sekoia.lab.derive(f"sekoia {item['name']}").hex()[:48]
        sekoia.keys[item["name"]] = Key(secret=secret, **item)
    for item in text.get("entities", []):
        sekoia.entities[item["uuid"]] = {"alerts_generation": "", "description": "", **item}
    for item in text.get("formats", []):
        sekoia.formats[item["uuid"]] = {"community_uuid": None, **item}
