# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of SFOS that are used, from and to its words.

Source: docs.sophos.com, SFOS API, «SyslogServers», «FirewallRule» and «SSLTLSInspectionRule»; sophosfirewall-python
0.1.68; of CertificateAuthority and its Name the collection sophos.sophos_firewall 2.5.1.
"""

from __future__ import annotations

from typing import NamedTuple

from .._core.errors import NoAnswerError, RefusedError
from . import wire
from .client import Call, Sophos
from .options import Firewall
from .plan import ON, Server

SERVERS, AUTHORITIES = "SyslogServers", "CertificateAuthority"


class Rules(NamedTuple):
    """Rules that log where they are told to. kind, tick: how SFOS' console calls them, and the setting.

    logs: any of these fields says so; exempt: (field, value) of one that is off, or has no such setting.
    """

    entity: str
    kind: str
    tick: str
    logs: tuple[str, ...]
    exempt: tuple[tuple[str, str], ...]


FIREWALL_RULES = Rules(
    "FirewallRule",
    "firewall rules",
    "Log firewall traffic",
    ("NetworkPolicy/LogTraffic", "UserPolicy/LogTraffic"),
    # What web server protection logs, its category alone says.
    (("Status", "Disable"), ("PolicyType", "HTTPBased")),
)
INSPECTION_RULES = Rules(
    "SSLTLSInspectionRule", "SSL/TLS inspection rules", "Log connections", ("LogConnections",), (("Enable", "No"),)
)


async def servers(client: Sophos, firewall: Firewall) -> list[Server]:
    """All entries, one or several or none. Raises OnboardingError."""
    operation = f"list the syslog servers of {firewall.name}"
    found = await client.ask(Call(firewall, operation, SERVERS, wire.get(SERVERS)))
    return [_named(operation, Server(tuple(wire.fields(one)))) for one in found]


def _named(operation: str, one: Server) -> Server:
    """Without a name nobody can say whose it is."""
    if not one.name:
        raise NoAnswerError(operation, "one of the entries has no name", code="BadShape")
    return one


async def silent_rules(client: Sophos, firewall: Firewall, rules: Rules) -> tuple[list[str], int]:
    """(names of the rules that are on and log nothing, how many there are). Raises OnboardingError."""
    operation = f"list the {rules.kind} of {firewall.name}"
    found = await client.ask(Call(firewall, operation, rules.entity, wire.get(rules.entity)))
    held = [dict(wire.fields(one)) for one in found]
    on = [one for one in held if not any(one.get(field) == value for field, value in rules.exempt)]
    return [one.get("Name", "?") for one in on if not any(one.get(path) == ON for path in rules.logs)], len(held)


async def authorities(client: Sophos, firewall: Firewall) -> list[str]:
    """Names of the certificate authorities that were imported. Raises OnboardingError."""
    operation = f"list the certificate authorities of {firewall.name}"
    found = await client.ask(Call(firewall, operation, AUTHORITIES, wire.get(AUTHORITIES)))
    return [dict(wire.fields(one)).get("Name", "") for one in found]


async def create(client: Sophos, firewall: Firewall, one: Server) -> None:
    """Add it with its whole tree. Raises OnboardingError; not tried twice, as the second were refused."""
    await _put(client, firewall, "add", one, again=False)


async def update(client: Sophos, firewall: Firewall, one: Server) -> None:
    await _put(client, firewall, "update", one, again=True)


async def _put(client: Sophos, firewall: Firewall, word: str, one: Server, *, again: bool) -> None:
    operation = f"{word} the syslog server {one.name} of {firewall.name}"
    await client.ask(Call(firewall, operation, SERVERS, wire.put(word, SERVERS, one.fields), True, again))


async def delete(client: Sophos, firewall: Firewall, name: str) -> None:
    """Remove it, and see that it is gone: SFOS calls anything a success. Raises OnboardingError."""
    operation = f"remove the syslog server {name} of {firewall.name}"
    await client.ask(Call(firewall, operation, SERVERS, wire.remove(SERVERS, name), True))
    if any(one.name == name for one in await servers(client, firewall)):
        step = "run again; if it stays, let the firewall's administrator remove it"
        raise RefusedError(
            operation, "SFOS says that it is gone, and still shows it", code="StillThere", next_step=step
        )
