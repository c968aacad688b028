# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's Microsoft Sentinel: automation rules and incidents of workspaces."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, ClassVar

from lab.azure.state import Azure
from lab.kernel.context import Lab, State

Item = dict[str, Any]


class Sentinel(State):
    """rules, incidents: by workspace and then by name, both in lower case. sentinel_page_size: of an answer."""

    configurable: ClassVar[tuple[str, ...]] = ("sentinel_page_size",)

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.azure = lab.of(Azure)
        self.rules: dict[str, dict[str, Item]] = defaultdict(dict)
        self.incidents: dict[str, dict[str, Item]] = defaultdict(dict)
        self.etags = 0
        self.sentinel_page_size = 50

    def etag(self) -> str:
        """One that nothing has had before."""
        self.etags += 1
        return f'"{self.etags:08x}-0000-0000-0000-000000000000"'

    def known(self, workspace: str) -> bool:
        """Whether the workspace has Sentinel: something of it was made there."""
        return workspace.lower() in self.rules or workspace.lower() in self.incidents
