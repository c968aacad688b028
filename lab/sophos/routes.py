# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SFOS's XML API: one path, status 200 for every outcome, and the outcome in one of four layers of the answer.

Envelope, codes 200, 502, 532 and 534, both spellings of an empty list: docs.sophos.com and sophosfirewall-python
0.1.68. Traps that were seen: a filter gives one fixed record, the local store is in the list, a server that is added
without log settings has all of them off, removing what is not there is a success. Assumed: words and code of the sixth
server, codes 500 and 529, three refused sign-ins lock the address, whose answer is the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from lab.kernel.http import Call, Principal, Refusal, Reply
from lab.kernel.registration import Operation
from lab.sophos.sending import ADMIN, emit
from lab.sophos.state import LOCAL, OFF, ON, Firewall, Sophos, Tree

PATH = "/webconsole/apicontroller"
SERVERS, AUTHORITIES = "SyslogServers", "CertificateAuthority"
RULES, INSPECTIONS = "FirewallRule", "SSLTLSInspectionRule"
MOST_SERVERS, FAILURES = 5, 3
CREDENTIALS = ("Username", "Password")
# Two spellings, by entity.
NONE = {
    SERVERS: "No. of records Zero.",
    RULES: "Number of records Zero.",
    INSPECTIONS: "Number of records Zero.",
    AUTHORITIES: "No. of records Zero.",
}
DEFAULTS = {"Port": "514", "EnableSecureConnection": OFF, "Facility": "DAEMON", "SeverityLevel": "Information"}
DONE = "Configuration applied successfully."


def xml(value: Any) -> str:
    """A tree as elements; a list is one element of the name for each."""
    if not isinstance(value, dict):
        return escape(str(value))
    return "".join(
        f"<{name}>{xml(item)}</{name}>"
        for name, held in value.items()
        for item in (held if isinstance(held, list) else [held])
    )


def envelope(firewall: Firewall, inside: str, login: str = "Authentication Successful") -> Reply:
    told = f"<Login><status>{login}</status></Login>" if login else ""
    text = f'<?xml version="1.0" encoding="UTF-8"?><Response APIVersion="{firewall.version}">{told}{inside}</Response>'
    return Reply(200, text.encode(), "text/xml")


def status(code: int, text: str) -> str:
    return f'<Status code="{code}">{text}</Status>'


def of(entity: str, inside: str) -> str:
    return f'<{entity} transactionid="">{inside}</{entity}>'


# -- requests ---------------------------------------------------------------------------------------------------------


def request(call: Call) -> ElementTree.Element | None:
    """The form field with the request in it."""
    try:
        return ElementTree.fromstring(parse_qs(call.body.decode())["reqxml"][0])
    except (KeyError, ValueError, ElementTree.ParseError):
        return None


def find(call: Call) -> Operation | None:
    """By what is asked, since all have one path."""
    if call.low != PATH or call.method != "POST":
        return None
    asked = request(call)
    for verb in ("Get", "Set", "Remove"):
        held = None if asked is None else asked.find(verb)
        if held is not None and len(held):
            return OPERATIONS.get((verb, held[0].tag), OTHER)
    return LOGIN


def tree(element: ElementTree.Element) -> Any:
    return {child.tag: tree(child) for child in element} if len(element) else (element.text or "").strip()


def given(call: Call, verb: str) -> Tree:
    asked = request(call)
    held = None if asked is None else asked.find(verb)
    assert held is not None
    found = tree(held[0])
    return found if isinstance(found, dict) else {}


def firewall(sophos: Sophos, call: Call) -> Firewall:
    return sophos.firewalls[call.who.tid]


def enter(sophos: Sophos, call: Call) -> None:
    host = call.headers.get("Host", "").rpartition(":")[0].lower()
    asked = request(call)
    if host not in sophos.firewalls:
        raise Refusal(Reply(404))
    one = sophos.firewalls[host]
    if not one.api_enabled:
        raise Refusal(envelope(one, status(532, "API operations are not allowed."), ""))
    if not one.address_allowed:
        raise Refusal(envelope(one, status(534, "API operations are not allowed from the requester IP address."), ""))
    username, password = (
        ("", "") if asked is None else (asked.findtext(f"Login/{name}", "") for name in ("Username", "Password"))
    )
    if one.failures >= FAILURES or (username, password) != (one.username, one.password):
        one.failures += 1
        raise Refusal(envelope(one, "", "Authentication Failure"))
    one.failures = 0
    call.principal = Principal(host, username, username, "sophos", 0.0)


# -- what is asked ----------------------------------------------------------------------------------------------------


def answered(kind: str, handle: Callable[[Sophos, Firewall, Call], str]) -> Operation:
    """An operation: its answer, and the admin event that it makes."""

    async def handler(sophos: Sophos, call: Call) -> Reply:
        one = firewall(sophos, call)
        inside = handle(sophos, one, call)
        await asyncio.to_thread(emit, one, ADMIN, f"{call.who.oid} has used the API: {kind}")
        if kind in sophos.sophos_raw:
            return Reply(200, sophos.sophos_raw[kind].encode(), "text/xml")
        return envelope(one, inside)

    return Operation(kind, handler, enter)


def listed(entity: str, items: list[Tree]) -> str:
    return "".join(of(entity, xml(item)) for item in items) or of(entity, f"<Status>{NONE[entity]}</Status>")


def get_servers(_sophos: Sophos, one: Firewall, call: Call) -> str:
    return listed(SERVERS, one.servers[:1] if "Filter" in given(call, "Get") else one.servers)


def get_rules(_sophos: Sophos, one: Firewall, _call: Call) -> str:
    rules = [
        {"Name": name, "Status": ON, "PolicyType": "Network", "NetworkPolicy": {"LogTraffic": ON if logs else OFF}}
        for name, logs in one.rules.items()
    ]
    return listed(RULES, rules)


def get_inspections(_sophos: Sophos, one: Firewall, _call: Call) -> str:
    rules = [
        {"Name": name, "IsDefault": "No", "Enable": "Yes", "LogConnections": ON if logs else OFF}
        for name, logs in one.inspections.items()
    ]
    return listed(INSPECTIONS, rules)


def get_authorities(_sophos: Sophos, one: Firewall, _call: Call) -> str:
    return listed(AUTHORITIES, [{"Name": name} for name in one.authorities])


def set_server(sophos: Sophos, one: Firewall, call: Call) -> str:
    wanted, asked = given(call, "Set"), request(call)
    operation = "" if asked is None else asked.find("Set").get("operation", "add")  # type: ignore[union-attr]
    held = next((item for item in one.servers if item["Name"] == wanted.get("Name")), None)
    name, settings = str(wanted.get("Name", "")), wanted.get("LogSettings") or {}
    if not name or len(name) > 50 or "," in name:
        return of(SERVERS, status(510, "Operation failed. Name is not valid."))
    if operation == "update" and held is not None:
        before = None if sophos.sophos_update_resets else held["LogSettings"]
        held.update({key: value for key, value in wanted.items() if key != "LogSettings"})
        held["LogSettings"] = one.settings(settings, before)
        return of(SERVERS, status(200, DONE))
    if operation == "update":
        return of(SERVERS, status(500, "Operation failed. Entity does not exist."))
    if held is not None:
        return of(SERVERS, status(502, "Operation failed. Entity having same name already exists."))
    if sum(item["Name"] != LOCAL for item in one.servers) >= MOST_SERVERS:
        return of(SERVERS, status(503, "Operation failed. The maximum number of syslog servers is there."))
    one.servers.append({**DEFAULTS, **wanted, "LogSettings": one.settings(settings)})
    return of(SERVERS, status(200, DONE))


def remove_server(_sophos: Sophos, one: Firewall, call: Call) -> str:
    one.servers = [item for item in one.servers if item["Name"] != given(call, "Remove").get("Name")]
    return of(SERVERS, status(200, DONE))


def _nothing(_sophos: Sophos, _one: Firewall, _call: Call) -> str:
    return ""


def _unknown(_sophos: Sophos, _one: Firewall, _call: Call) -> str:
    return status(529, "Input request module is Invalid.")


LOGIN = answered("sophos.login", _nothing)
OTHER = answered("sophos.other", _unknown)
OPERATIONS = {
    ("Get", SERVERS): answered("sophos.servers.get", get_servers),
    ("Set", SERVERS): answered("sophos.servers.set", set_server),
    ("Remove", SERVERS): answered("sophos.servers.remove", remove_server),
    ("Get", RULES): answered("sophos.rules.get", get_rules),
    ("Get", INSPECTIONS): answered("sophos.inspections.get", get_inspections),
    ("Get", AUTHORITIES): answered("sophos.authorities.get", get_authorities),
}
