# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Microsoft Graph has beside the directory, which is Entra's."""

from __future__ import annotations

from typing import ClassVar

from lab.entra.state import Entra
from lab.kernel.context import Lab, State


class Graph(State):
    configurable: ClassVar[tuple[str, ...]] = ("page_size",)

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.entra = lab.of(Entra)
        self.page_size = 1000
