# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the control client for Logic Apps; of nothing but the standard library."""

from __future__ import annotations

from typing import Any

from lab.client import LabClient


class Client:
    """What a test may know; what others do there is lab.edit(...), see lab/logic/vendor.py."""

    def __init__(self, lab: LabClient) -> None:
        self._lab = lab

    def workflows(self) -> dict[str, Any]:
        """By id: body, principal, runs."""
        return dict(self._lab.control("GET", "logic"))
