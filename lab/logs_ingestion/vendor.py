# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs Ingestion, registered: its paths stand among Azure's."""

from __future__ import annotations

import time
from typing import Any

from lab.entra.trace import trace
from lab.kernel.http import Call
from lab.kernel.registration import Vendor
from lab.logs_ingestion import routes
from lab.logs_ingestion.state import LogsIngestion, Table


def _state(state: LogsIngestion, _call: Call, _body: Any) -> dict[str, Any]:
    return {
        "tables": {
            one.name: {"columns": one.columns, "rows": [row.values for row in one.rows]}
            for one in state.tables.values()
        },
        "rules": {rule.id: rule.body for rule in state.rules.values()},
    }


def _status(state: LogsIngestion) -> dict[str, Any]:
    return {"custom_tables": len(state.tables), "rules": len(state.rules)}


# -- what others do ---------------------------------------------------------------------------------------------------


def make_table(state: LogsIngestion, id: str, columns: dict[str, str], classic: bool = False) -> None:
    """Somebody else's table; classic: made by posts to the retired API."""
    state.put_table(Table(id, id.rpartition("/")[2], columns, classic=classic))


def change_rule(state: LogsIngestion, id: str, endpoint: bool | None = None, **properties: Any) -> None:
    """Somebody changes a rule by hand. endpoint: whether it has one."""
    rule = state.rules[id.lower()]
    rule.body["properties"] |= properties
    rule.endpoint = rule.endpoint if endpoint is None else endpoint


def add_row(state: LogsIngestion, table: str, ago: float = 0.0, **values: Any) -> None:
    """A source has sent a record so many seconds ago. table: its id."""
    state.add(state.tables[table.lower()], values, time.time() + state.lab.clock.offset - ago)


VENDOR = Vendor(
    name="logs_ingestion",
    state=LogsIngestion,
    segments=frozenset({"subscriptions", "v1", "datacollectionrules"}),
    within="azure",
    find=routes.find,
    operations=routes.OPERATIONS,
    next_link="nextLink",
    trace=trace,
    control={("GET", ""): _state},
    mutations={"make_table": make_table, "change_rule": change_rule, "add_row": add_row},
    status=_status,
)
