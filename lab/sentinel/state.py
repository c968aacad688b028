# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's Microsoft Sentinel: automation rules of workspaces."""

from __future__ import annotations

from typing import Any, ClassVar

from lab.kernel.context import Lab, State


class Sentinel(State):
    """rules: by workspace, in lower case. sentinel_page_size: of an answer."""

    configurable: ClassVar[tuple[str, ...]] = ("sentinel_page_size",)

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.rules: dict[str, list[dict[str, Any]]] = {}
        self.sentinel_page_size = 50
