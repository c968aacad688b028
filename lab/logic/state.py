# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which workflows there are, and their runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lab.azure.state import Azure
from lab.kernel.context import Lab, State
from lab.logs_ingestion.state import LogsIngestion


@dataclass(slots=True)
class Run:
    name: str
    started: float  # world seconds
    status: str
    code: str = ""


@dataclass(slots=True)
class Workflow:
    """A workflow as it was written. principal: object id of its identity, '' for none; key: how often it was made."""

    id: str
    location: str
    body: dict[str, Any]
    short: str
    principal: str = ""
    app: str = ""
    keys: dict[str, int] = field(default_factory=lambda: {"Primary": 0, "Secondary": 0})
    runs: list[Run] = field(default_factory=list)


class Logic(State):
    """Workflows and connections, by lower-cased id."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.azure = lab.of(Azure)
        self.ingestion = lab.of(LogsIngestion)
        self.workflows: dict[str, Workflow] = {}
        self.connections: dict[str, dict[str, Any]] = {}

    def signature(self, workflow: Workflow, which: str, ends: str) -> str:
        made = workflow.keys[which]
        return self.lab.derive(f"{workflow.id.lower()}/{which}/{made}/{ends}").hex()
