# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Table API: who may ask, and what is answered.

Documented: paths, sysparm_query, pairs of field and value, _limit (10,000 without), _offset, _fields, _display_value,
Link and X-Total-Count, 401 and 404 (facts itsm.md). Seen in clients (pysnc 1.2.1, servicenow.itsm 2.15.1):
sysparm_exclude_reference_link, sysparm_suppress_pagination_header, 201 of an insert, 204 of a delete, the list of
attachments. Seen by many: a condition on a field that does not exist is left out, so that all rows answer. Assumed:
texts of 403, and of what a data policy refuses. The batch API is not here.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from lab.kernel.http import Call, Principal, Refusal, Reply, dumps, ok
from lab.kernel.registration import Operation
from lab.kernel.router import Table
from lab.servicenow.state import CLOSED, FIELDS, FINAL, JOURNALS, RESOLVED, Row, ServiceNow

OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "!=": lambda held, given: held != given,
    ">=": lambda held, given: held >= given,
    "<=": lambda held, given: held <= given,
    "STARTSWITH": lambda held, given: held.startswith(given),
    "LIKE": lambda held, given: given in held,
    "IN": lambda held, given: held in given.split(","),
    "=": lambda held, given: held == given,
}
CONDITION = re.compile(rf"([a-z_]+)({'|'.join(map(re.escape, OPERATORS))})(.*)", re.DOTALL)
WRITERS = frozenset({"itil", "admin"})


def shape(code: str, message: str, _status: int) -> dict[str, Any]:
    """The body of an error: its message is what stands for a code."""
    return {"error": {"message": code, "detail": message or None}, "status": "failure"}


def refuse(status: int, message: str, detail: str = "") -> Refusal:
    return Refusal(Reply(status, dumps(shape(message, detail, status))))


def sign_in(now: ServiceNow, call: Call) -> None:
    """Basic, or a key in x-sn-apikey. The principal's oid is the user's name."""
    headers = {name.lower(): value for name, value in call.headers.items()}
    name = _by_key(now, headers.get("x-sn-apikey", "")) or _by_password(now, headers.get("authorization", ""))
    if not name:
        raise refuse(401, "User Not Authenticated", "Required to provide Auth information")
    call.principal = Principal("", name, "", "", 0.0, now.users[name].roles)


def enter(now: ServiceNow, call: Call) -> None:
    """A table that there is, and that the user may read or write."""
    sign_in(now, call)
    if call.args["table"] not in FIELDS:
        raise refuse(400, f"Invalid table {call.args['table']}")
    denied = now.servicenow_denied if call.method == "GET" else now.servicenow_read_only
    if call.args["table"] in denied or (call.method != "GET" and not call.who.roles & WRITERS):
        what = "query" if call.method == "GET" else "create or change"
        raise refuse(403, f"Insufficient rights to {what} records", "Field(s) present in the query do not have access")


def _by_key(now: ServiceNow, key: str) -> str:
    return next((name for name, one in now.users.items() if key and hmac.compare_digest(one.api_key, key)), "")


def _by_password(now: ServiceNow, header: str) -> str:
    kind, _space, text = header.partition(" ")
    try:
        name, _colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    known = kind.lower() == "basic" and name in now.users
    return name if known and hmac.compare_digest(now.users[name].password.encode(), password.encode()) else ""


# -- rows -------------------------------------------------------------------------------------------------------------


def _keeps(table: str, query: str) -> Callable[[Row], bool]:
    """^ joins, ^OR belongs to the condition before it. What names no field of the table is left out."""
    groups: list[list[Callable[[Row], bool]]] = []
    for part in re.split(r"\^(?!\^)", query):
        text = part.removeprefix("OR") if part.startswith("OR") and not part.startswith("ORDERBY") else part
        match = CONDITION.fullmatch(text)
        if match is None or match[1] not in (*FIELDS[table], "sys_id"):
            continue
        name, compare, given = match[1], OPERATORS[match[2]], match[3]

        def test(row: Row, name: str = name, compare: Any = compare, given: str = given) -> bool:
            return bool(compare(row.get(name, ""), given))

        if text is not part and groups:
            groups[-1].append(test)
        else:
            groups.append([test])
    return lambda row: all(any(test(row) for test in group) for group in groups)


def listing(now: ServiceNow, call: Call) -> Reply:
    table, query = call.args["table"], call.query
    text = query.get("sysparm_query", "")
    keeps = _keeps(table, text)
    pairs = {name: value for name, value in query.items() if name in FIELDS[table] or name == "sys_id"}
    rows = [row for row in now.tables[table].values() if keeps(row) and pairs.items() <= row.items()]
    for part in reversed(text.split("^")):
        if part.startswith("ORDERBY"):
            down = part.startswith("ORDERBYDESC")
            name = part.removeprefix("ORDERBYDESC" if down else "ORDERBY")
            rows.sort(key=lambda row, name=name: row.get(name, ""), reverse=down)  # type: ignore[misc]
    limit, offset = (int(query.get(f"sysparm_{name}", default)) for name, default in (("limit", 10_000), ("offset", 0)))
    limit = min(limit, now.servicenow_page_size)
    call.extra["X-Total-Count"] = str(len(rows))
    if offset + limit < len(rows) and query.get("sysparm_suppress_pagination_header") != "true":
        following = {**query, "sysparm_limit": str(limit), "sysparm_offset": str(offset + limit)}
        address = "&".join(f"{name}={quote(value, safe='')}" for name, value in following.items())
        call.extra["Link"] = f'<{now.url}{call.path}?{address}>;rel="next"'
    return ok({"result": [shown(now, call, row) for row in rows[offset : offset + limit]]})


def shown(now: ServiceNow, call: Call, row: Row) -> dict[str, Any]:
    """Without what the access control hides; journals look empty."""
    table, query = call.args["table"], call.query
    asked = [name for name in query.get("sysparm_fields", "").split(",") if name]
    told = {"sys_id": row["sys_id"], **row, **(dict.fromkeys(JOURNALS, "") if table == "incident" else {})}
    kept = {
        name: value
        for name, value in told.items()
        if (not asked or name in asked) and f"{table}.{name}" not in now.servicenow_hidden
    }
    if query.get("sysparm_display_value") == "all":
        return {name: {"value": value, "display_value": value} for name, value in kept.items()}
    return kept


def _row(now: ServiceNow, call: Call) -> Row:
    found = now.tables[call.args["table"]].get(call.args["id"])
    if found is None:
        raise refuse(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
    return found


def _sent(call: Call) -> dict[str, Any]:
    try:
        found = json.loads(call.body or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise refuse(400, "Exception while reading request", "The payload is not valid JSON")
    return found


def one(now: ServiceNow, call: Call) -> Reply:
    return ok({"result": shown(now, call, _row(now, call))})


def insert(now: ServiceNow, call: Call) -> Reply:
    return ok({"result": shown(now, call, now.put(call.args["table"], _sent(call), call.who.oid))}, 201)


def update(now: ServiceNow, call: Call) -> Reply:
    table, row, sent = call.args["table"], _row(now, call), _sent(call)
    if table == "incident":
        _policy(row, sent)
    now.write(table, row, sent)
    if table == "incident":
        now.incident_rules(row)
    return ok({"result": shown(now, call, row)})


def _policy(row: Row, sent: dict[str, Any]) -> None:
    """What is closed stays so; what is resolved says how."""
    state = str(sent.get("state", row["state"]))
    if row["state"] in FINAL and state != row["state"]:
        raise refuse(403, "Operation Failed", "Update of a closed incident aborted by business rule")
    if state in (RESOLVED, CLOSED) and not all(sent.get(name) or row[name] for name in ("close_code", "close_notes")):
        text = "Data Policy Exception: The following fields are mandatory: Resolution code, Resolution notes"
        raise refuse(403, "Operation Failed", text)


def delete(now: ServiceNow, call: Call) -> Reply:
    del now.tables[call.args["table"]][_row(now, call)["sys_id"]]
    return Reply(204)


def attachments(_now: ServiceNow, call: Call) -> Reply:
    """Nothing here has any."""
    call.extra["X-Total-Count"] = "0"
    return ok({"result": []})


def _routes(version: str) -> dict[tuple[str, str], Operation]:
    table = f"/api/now/{version}table/{{table}}"
    return {
        ("GET", table): Operation("servicenow.list", listing, enter),
        ("POST", table): Operation("servicenow.insert", insert, enter),
        ("GET", f"{table}/{{id}}"): Operation("servicenow.get", one, enter),
        ("PATCH", f"{table}/{{id}}"): Operation("servicenow.update", update, enter),
        ("PUT", f"{table}/{{id}}"): Operation("servicenow.update", update, enter),
        ("DELETE", f"{table}/{{id}}"): Operation("servicenow.delete", delete, enter),
    }


_ATTACHMENTS = {("GET", "/api/now/attachment"): Operation("servicenow.attachments", attachments, sign_in)}
ROUTES = Table(_routes("") | _routes("v2/") | _ATTACHMENTS)
