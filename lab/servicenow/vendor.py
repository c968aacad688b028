# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ServiceNow, registered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lab.kernel.http import Call
from lab.kernel.registration import Vendor
from lab.servicenow.routes import ROUTES, shape
from lab.servicenow.state import ServiceNow, load


def _state(now: ServiceNow, _call: Call, _body: Any) -> dict[str, Any]:
    return {
        "users": {name: {"password": one.password, "api_key": one.api_key} for name, one in now.users.items()},
        "incidents": list(now.tables["incident"].values()),
        "notes": [
            {"sys_id": one["element_id"], "text": one["value"]} for one in now.tables["sys_journal_field"].values()
        ],
    }


def _status(now: ServiceNow) -> dict[str, Any]:
    return {"incidents": len(now.tables["incident"])}


def _files(now: ServiceNow) -> Iterator[tuple[str, str]]:
    for name, one in now.users.items():
        yield f"{name}.password", one.password


# -- what others do ---------------------------------------------------------------------------------------------------


def put(now: ServiceNow, table: str, **fields: Any) -> None:
    """Somebody makes a row."""
    now.put(table, fields)


def edit(now: ServiceNow, number: str, **fields: Any) -> None:
    """A person's hand in an incident's fields."""
    (row,) = [one for one in now.tables["incident"].values() if one["number"] == number]
    row.update({name: str(value) for name, value in fields.items()})
    now.incident_rules(row)


def remove(now: ServiceNow, table: str, field: str, value: str) -> None:
    """Rows go."""
    now.tables[table] = {id: row for id, row in now.tables[table].items() if row.get(field) != value}


VENDOR = Vendor(
    name="servicenow",
    state=ServiceNow,
    load=load,
    segments=frozenset({"api"}),
    find=ROUTES.find,
    operations=ROUTES.operations,
    shapes={"servicenow": shape},
    throttled=("Rate limit exceeded", "Rejected by the rate limit of the inbound REST API"),
    control={("GET", ""): _state},
    mutations={"servicenow_put": put, "servicenow_edit": edit, "servicenow_remove": remove},
    status=_status,
    files=_files,
)
