# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the control client for Logs Ingestion; of nothing but the standard library."""

from __future__ import annotations

from typing import Any

from lab.client import LabClient


class Client:
    """What a test may know; what others do there is lab.edit(...), see lab/logs_ingestion/vendor.py."""

    def __init__(self, lab: LabClient) -> None:
        self._lab = lab

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The records of a custom table, by its name."""
        return list(self._lab.control("GET", "logs_ingestion")["tables"][table]["rows"])

    def columns(self, table: str) -> dict[str, str] | None:
        """None where there is no such table."""
        found = self._lab.control("GET", "logs_ingestion")["tables"].get(table)
        return dict(found["columns"]) if found else None

    def rules(self) -> dict[str, Any]:
        """By id, as they were written."""
        return dict(self._lab.control("GET", "logs_ingestion")["rules"])
