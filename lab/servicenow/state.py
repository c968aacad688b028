# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's ServiceNow: one instance with its tables, users, and rules that run on each write.

Table API: the fields of facts itsm.md. Assumed: lengths of fields; texts of refusals; that a resolved incident is still
active and a closed one is not; which states may follow a closed one (none); that children are resolved with a parent.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from lab.kernel.context import Lab, State
from lab.kernel.registration import Scenario

Row = dict[str, str]
NEW, IN_PROGRESS, ON_HOLD, RESOLVED, CLOSED, CANCELED = "1", "2", "3", "6", "7", "8"
FINAL = (CLOSED, CANCELED)
# Fields by table, with the length that a text is cut at.
FIELDS: dict[str, dict[str, int]] = {
    "incident": dict.fromkeys(
        ("number", "state", "active", "urgency", "impact", "priority", "severity", "caller_id", "assignment_group",
         "category", "parent_incident", "sys_created_by", "sys_created_on", "sys_updated_on", "close_code",
         "assigned_to", "incident_state"), 40,
    ) | {"short_description": 160, "description": 4000, "correlation_id": 100, "correlation_display": 100,
         "close_notes": 4000},
    "sys_user": dict.fromkeys(("user_name", "name", "email", "active"), 100),
    "sys_user_group": dict.fromkeys(("name", "active"), 80),
    "sys_choice": dict.fromkeys(("name", "element", "value", "label", "inactive", "language"), 100),
    "sys_journal_field": {"element_id": 32, "element": 40, "value": 4000, "sys_created_on": 40, "name": 40},
}  # fmt: skip
JOURNALS = ("work_notes", "comments")


@dataclass(slots=True)
class User:
    password: str
    api_key: str
    roles: frozenset[str] = field(default_factory=frozenset)


class ServiceNow(State):
    """servicenow_hidden: TABLE.FIELD that the access control shows to nobody, and whose writes come to nothing;
    servicenow_denied: tables that may not be read; servicenow_read_only: tables that may not be written;
    servicenow_prefix: what a business rule puts before each new short_description; servicenow_page_size: of a list.
    """

    configurable: ClassVar[tuple[str, ...]] = (
        "servicenow_hidden",
        "servicenow_denied",
        "servicenow_read_only",
        "servicenow_prefix",
        "servicenow_page_size",
    )

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.tables: dict[str, dict[str, Row]] = {name: {} for name in FIELDS}
        self.users: dict[str, User] = {}
        self.numbers = 10_000
        self.servicenow_hidden: list[str] = []
        self.servicenow_denied: list[str] = ["sys_journal_field"]
        self.servicenow_read_only: list[str] = []
        self.servicenow_prefix = ""
        self.servicenow_page_size = 10_000

    def told(self) -> str:
        """Now, in UTC without a zone, as tables hold it."""
        return datetime.fromtimestamp(self.shown(self.now()), UTC).strftime("%Y-%m-%d %H:%M:%S")

    def put(self, table: str, fields: dict[str, Any], by: str = "admin") -> Row:
        """A new row, as the rules of its table make it."""
        row = dict.fromkeys(FIELDS[table], "") | {"sys_id": fields.get("sys_id") or uuid.uuid4().hex}
        self.write(table, row, fields)
        if table == "incident":
            self.numbers += 1
            given = {name: row[name] for name in ("state", "urgency", "impact") if row[name]}
            row |= {"state": NEW, "urgency": "3", "impact": "3", **given}
            row |= {"number": f"INC{self.numbers:07}", "sys_created_by": by, "sys_created_on": self.told()}
            row["short_description"] = (self.servicenow_prefix + row["short_description"])[:160]
            self.incident_rules(row)
        self.tables[table][row["sys_id"]] = row
        return row

    def write(self, table: str, row: Row, fields: dict[str, Any]) -> None:
        """What the access control hides is not written, and nobody is told. Journals are rows of their own."""
        for name, value in fields.items():
            text = str(value)
            if f"{table}.{name}" in self.servicenow_hidden:
                continue
            if name in JOURNALS and table == "incident" and text:
                note = {"element_id": row["sys_id"], "element": name, "value": text, "name": table,
                        "sys_created_on": self.told()}  # fmt: skip
                self.put("sys_journal_field", note)
            elif name in FIELDS[table]:
                row[name] = text[: FIELDS[table][name]]
        if table == "incident":
            row["sys_updated_on"] = self.told()

    def incident_rules(self, row: Row) -> None:
        """Business rules after each write: what is computed, and the children of what is resolved."""
        row["active"] = "false" if row["state"] in FINAL else "true"
        row["incident_state"] = row["state"]
        row["priority"] = str(max(1, min(5, int(row["urgency"] or 3) + int(row["impact"] or 3) - 1)))
        if row["state"] == RESOLVED:
            for child in self.tables["incident"].values():
                if child["parent_incident"] == row["sys_id"] and child["state"] not in (RESOLVED, *FINAL):
                    child |= {"state": RESOLVED, "close_code": row["close_code"]}
                    self.incident_rules(child)


def load(now: ServiceNow, scenario: Scenario) -> None:
    """The key C(servicenow) of a scenario: users (name -> roles), rows by table."""
    held = scenario.get("servicenow", {})
    for name, roles in held.get("users", {}).items():
        secret = now.lab.derive(name).hex()
        now.users[name] = User(secret[:24], secret[24:56], frozenset(roles))
    for table, rows in held.get("tables", {}).items():
        for row in rows:
            now.put(table, dict(row))
