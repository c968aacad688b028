# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph security: who may ask, and what is answered.

Paths, query options, enumerations: models and builders of msgraph-sdk 1.65.0; that lists begin with the most recent:
its description of alerts_v2. 403 though the permission is there, of a tenant without a licence: clientst0r#143.
Hunting: learn.microsoft.com security-security-runhuntingquery. Assumed: words of the refusals; limits of pages; which
members come by name only with «Prefer: include-unknown-enum-members»; that writes to a merged incident are taken and
change nothing; 50 requests a minute of an app and tenant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lab.graph import api
from lab.graph.routes import ELSEWHERE
from lab.graph.state import Graph
from lab.graph_security import odata
from lab.graph_security.state import TABLES, GraphSecurity, Item
from lab.kernel.http import Call, Refusal, Reply, ok
from lab.kernel.registration import Operation
from lab.kernel.router import Table

ALERTS, INCIDENTS, HUNTING = "SecurityAlert.Read{}.All", "SecurityIncident.Read{}.All", "ThreatHunting.Read.All"
PREFER = "include-unknown-enum-members"
UNKNOWN = "unknownFutureValue"
# Members that were added after unknownFutureValue: of their names only who prefers them is told.
ADDED: Mapping[str, frozenset[str]] = {
    "status": frozenset({"awaitingAction"}),
    "serviceSource": frozenset({"microsoftDefenderForCloud", "microsoftSentinel", "microsoftThreatIntelligence"}),
}
_FILTERS = ("assignedTo", "classification", "createdDateTime", "determination", "lastUpdateDateTime", "severity",
            "status")  # fmt: skip
WRITABLE = frozenset({"assignedTo", "classification", "customTags", "description", "determination", "displayName",
                      "resolvingComment", "severity", "status", "summary"})  # fmt: skip
STATUSES = frozenset({"active", "resolved", "inProgress", "awaitingAction"})
REDIRECTED = "redirected"
_QUERY = re.compile(
    r"\s*(?P<table>\w+)\s*(?:\|\s*summarize\s+(?:(?P<name>\w+)\s*=\s*)?max\((?P<column>\w+)\)\s*)?;?\s*"
)


def _enter(*permissions: str, write: bool = False) -> Any:
    """Token and audience, a role of these, a licence; then the limit."""
    names = [name.format(part) for name in permissions for part in (("Write",) if write else ("", "Write"))]
    wanted = list(dict.fromkeys(names))

    def enter(security: GraphSecurity, call: Call) -> None:
        api.enter(security.lab.of(Graph), call)
        who = call.who
        if not (who.user or who.roles & set(wanted)):
            had = ",".join(sorted(who.roles))
            raise _forbidden(call, f"Missing application roles. API required roles: {','.join(wanted)}, application "
                             f"roles: {had}.")  # fmt: skip
        if not security.licensed(who.tid):
            raise _forbidden(call, "The tenant is not provisioned for Microsoft Defender XDR.")
        left, resets = security.lab.throttle.window(
            f"graph security {who.tid} {who.appid}", security.security_per_minute, 60.0
        )
        if left < 0:
            call.extra["Retry-After"] = str(int(resets) + 1)
            raise api.refuse(call, 429, "TooManyRequests", "Too many requests.")

    return enter


def _forbidden(call: Call, message: str) -> Refusal:
    return api.refuse(call, 403, "Forbidden", message)


# -- alerts and incidents ---------------------------------------------------------------------------------------------


def shown(security: GraphSecurity, call: Call, item: Item) -> Item:
    """With times on the client's clock, and without the names of members that were not asked for."""
    named = PREFER in call.headers.get("Prefer", "")
    return {name: _value(security, name, value, named=named) for name, value in item.items()}


def _value(security: GraphSecurity, name: str, value: Any, *, named: bool) -> Any:
    if name.endswith("DateTime") and isinstance(value, float):
        return security.told(value)
    return UNKNOWN if not named and isinstance(value, str) and value in ADDED.get(name, ()) else value


def alerts(security: GraphSecurity, call: Call) -> Reply:
    items = [shown(security, call, one) for one in security.of(call.who.tid).alerts.values()]
    return odata.page(security, call, "alerts_v2", items, (*_FILTERS, "serviceSource"), 1000)


def incidents(security: GraphSecurity, call: Call) -> Reply:
    items = [_incident(security, call, one) for one in security.of(call.who.tid).incidents.values()]
    return odata.page(security, call, "incidents", items, _FILTERS, 50)


def incident(security: GraphSecurity, call: Call) -> Reply:
    odata.options(call, ("alerts",))
    return ok(_incident(security, call, _found(security, call)))


def _incident(security: GraphSecurity, call: Call, item: Item) -> Item:
    """A merged one has no alerts any more: they are those of the incident that it was merged into."""
    found = shown(security, call, item)
    if call.query.get("$expand") == "alerts":
        held = security.of(call.who.tid).alerts.values()
        found["alerts"] = [shown(security, call, one) for one in held if one["incidentId"] == item["id"]]
    return found


def _found(security: GraphSecurity, call: Call) -> Item:
    item = security.of(call.who.tid).incidents.get(call.args["id"])
    if item is None:
        raise api.refuse(call, 404, "NotFound", f"Incident with id {call.args['id']} not found.")
    return item


def update(security: GraphSecurity, call: Call) -> Reply:
    """A list that is sent replaces the one that is there."""
    item, sent = _found(security, call), api.body(call)
    if unknown := sorted(set(sent) - WRITABLE):
        raise odata.bad(call, f"The property '{unknown[0]}' cannot be updated.")
    if sent.get("status", "active") not in STATUSES:
        raise odata.bad(call, f"Invalid value specified for property 'status': '{sent['status']}'.")
    if item["status"] != REDIRECTED:
        item.update(sent, lastUpdateDateTime=security.now(), lastModifiedBy=call.who.appid)
    return ok(_incident(security, call, item))


def comment(security: GraphSecurity, call: Call) -> Reply:
    item, text = _found(security, call), api.body(call).get("comment")
    if not isinstance(text, str) or not text.strip():
        raise odata.bad(call, "A value is required for property 'comment'.")
    if item["status"] != REDIRECTED:
        made = {
            "comment": text,
            "createdByDisplayName": call.who.appid,
            "createdDateTime": security.told(security.now()),
        }
        item["comments"] = [*item["comments"], made]
        item["lastUpdateDateTime"] = security.now()
    return ok({"value": item["comments"]})


# -- hunting ----------------------------------------------------------------------------------------------------------


def hunt(security: GraphSecurity, call: Call) -> Reply:
    """TABLE, or TABLE | summarize [NAME =] max(Timestamp): more of KQL the lab does not know."""
    sent = {key.lower(): value for key, value in api.body(call).items()}
    match = _QUERY.fullmatch(str(sent.get("query", "")))
    if match is None:
        raise odata.bad(call, f"The lab does not know the query '{sent.get('query')}'.")
    table, column = match["table"], match["column"]
    if table not in TABLES:
        raise odata.bad(call, f"'summarize' operator: Failed to resolve table or column expression named '{table}'. "
                        "Fix semantic errors in your query.")  # fmt: skip
    newest = security.newest(call.who.tid, table)
    since = security.now() - _timespan(call, str(sent.get("timespan") or "P30D"))
    told = security.told(newest) if newest is not None and newest >= since else None
    if column is None:
        return _rows("Timestamp", [{"Timestamp": told}] if told else [])
    if column != "Timestamp":
        raise odata.bad(call, f"'summarize' operator: Failed to resolve scalar expression named '{column}'. "
                        "Fix semantic errors in your query.")  # fmt: skip
    name = match["name"] or f"max_{column}"
    return _rows(name, [{name: told}])


def _rows(name: str, rows: list[Item]) -> Reply:
    return ok({"schema": [{"name": name, "type": "DateTime"}], "results": rows})


_SPAN = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def _timespan(call: Call, text: str) -> float:
    match = _SPAN.fullmatch(text)
    if match is None or not any(match.groups()):
        raise odata.bad(call, f"The lab does not know the timespan '{text}'.")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()


# -- routes -----------------------------------------------------------------------------------------------------------


def _nothing(_security: GraphSecurity, call: Call) -> Reply:
    raise odata.bad(call, f"Resource not found for the segment '{call.path.rsplit('/', 1)[1]}'.")


ROOT = ELSEWHERE.rstrip("/")
_READ, _WRITE = _enter(INCIDENTS), _enter(INCIDENTS, write=True)
_TABLE = Table(
    {
        ("GET", f"{ROOT}/alerts_v2"): Operation("security.alerts", alerts, _enter(ALERTS)),
        ("GET", f"{ROOT}/incidents"): Operation("security.incidents", incidents, _READ),
        ("GET", f"{ROOT}/incidents/{{id}}"): Operation("security.incidents.get", incident, _READ),
        ("PATCH", f"{ROOT}/incidents/{{id}}"): Operation("security.incidents.update", update, _WRITE),
        ("POST", f"{ROOT}/incidents/{{id}}/comments"): Operation("security.incidents.comment", comment, _WRITE),
        ("POST", f"{ROOT}/runHuntingQuery"): Operation("security.hunt", hunt, _enter(HUNTING)),
        ("POST", f"{ROOT}/microsoft.graph.security.runHuntingQuery"): Operation("security.hunt", hunt, _enter(HUNTING)),
    }
)
_NOTHING = Operation("security.unknown", _nothing, lambda security, call: api.enter(security.lab.of(Graph), call))
OPERATIONS = (*_TABLE.operations, _NOTHING)


def find(call: Call) -> Operation | None:
    """None for what is not of security: another part of Graph may know it."""
    return (_TABLE.find(call) or _NOTHING) if call.low.startswith(ELSEWHERE) else None
