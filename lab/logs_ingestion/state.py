# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists of Logs Ingestion: custom tables with their rows, and the rules that fill them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from lab.azure.state import Azure
from lab.azure.state import Table as Listed
from lab.kernel.context import Lab, State


@dataclass(slots=True)
class Row:
    """A record in a table; times in world seconds."""

    at: float  # its own time
    seen: float  # when a query finds it
    values: dict[str, Any]


@dataclass(slots=True)
class Table:
    """columns: name to type. classic: made by the retired HTTP Data Collector API."""

    id: str
    name: str
    columns: dict[str, str]
    description: str = ""
    classic: bool = False
    rows: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class Rule:
    """A data collection rule's body as it was written, and what Azure adds to it."""

    id: str
    immutable: str
    location: str
    body: dict[str, Any]
    made: float  # world seconds
    endpoint: bool = True


class LogsIngestion(State):
    """Indexes are keyed by the lower-cased id."""

    configurable: ClassVar[tuple[str, ...]] = ("ingestion_lag",)

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.azure = lab.of(Azure)
        self.tables: dict[str, Table] = {}
        self.rules: dict[str, Rule] = {}
        self.ingestion_lag = 0.0  # seconds from a record's ingestion until a query finds it

    def put_table(self, table: Table) -> None:
        """Store, and let the workspace list it."""
        self.tables[table.id.lower()] = table
        self._listed(table)[table.name] = Listed(columns=tuple(table.columns))

    def drop_table(self, table: Table) -> None:
        del self.tables[table.id.lower()]
        self._listed(table).pop(table.name, None)

    def _listed(self, table: Table) -> dict[str, Listed]:
        return self.azure.tables.setdefault(table.id.lower().partition("/tables/")[0], {})

    def table(self, workspace: str, name: str) -> Table | None:
        return self.tables.get(f"{workspace}/tables/{name}".lower())

    def rule(self, immutable: str) -> Rule | None:
        return next((one for one in self.rules.values() if one.immutable == immutable), None)

    def add(self, table: Table, values: dict[str, Any], at: float) -> None:
        table.rows.append(Row(at, self.now() + self.ingestion_lag, values))
