# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's Splunk: saved searches, settings of alert actions, and what its own log says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lab.kernel.context import Lab, State
from lab.kernel.registration import Scenario

ADMIN = ("admin_all_objects", "edit_webhook_allow_list", "schedule_search", "search")
# What a fresh one has of the webhook action, by the app alert_webhook.
SETTINGS = {"enable_allowlist": "0", "command": "sendalert $action_name$", "is_custom": "1", "label": "Webhook"}


@dataclass(slots=True)
class Search:
    name: str
    app: str
    owner: str
    sharing: str = "app"
    orphan: bool = False
    can_write: bool = True
    content: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Line:
    """One of splunkd.log. search: whose webhook it tells of; failed: why, '' where it was sent."""

    at: float  # world seconds
    search: str
    failed: str = ""


class Splunk(State):
    """poisoned: whether a stanza of the action lies in the app «search»; shows_log: whether _internal may be read."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.token = lab.derive("splunk").hex()
        self.capabilities = list(ADMIN)
        self.searches: dict[tuple[str, str], Search] = {}
        self.settings = dict(SETTINGS)
        self.poisoned = False
        self.shows_log = True
        self.log: list[Line] = []
        self.rows: dict[str, list[dict[str, Any]]] = {}  # results of a search, by its name

    def add(self, name: str, app: str = "search", owner: str = "admin", **content: Any) -> Search:
        usual = {"actions": "", "alert.digest_mode": "1", "disabled": "0", "is_scheduled": "1", "search": "index=main"}
        found = Search(name, app, owner, content={**usual, **{key: str(value) for key, value in content.items()}})
        self.searches[app, name] = found
        return found


def load(splunk: Splunk, scenario: Scenario) -> None:
    """The key C(splunk) of a scenario: name of each saved search to the settings that differ from the usual."""
    for name, content in scenario.get("splunk", {}).items():
        splunk.add(name, **content)
