# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sophos Firewall, registered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from lab.kernel.http import Call
from lab.kernel.registration import Vendor
from lab.sophos.routes import LOGIN, OPERATIONS, OTHER, find
from lab.sophos.sending import emit
from lab.sophos.state import Sophos, load, server


def _state(sophos: Sophos, _call: Call, _body: Any) -> dict[str, Any]:
    return {one.host: asdict(one) for one in sophos.firewalls.values()}


def _status(sophos: Sophos) -> dict[str, Any]:
    return {"firewalls": len(sophos.firewalls)}


def _files(sophos: Sophos) -> Iterator[tuple[str, str]]:
    for one in sophos.firewalls.values():
        yield f"sophos-{one.host}.password", one.password


# -- what others do, in the firewall's console ------------------------------------------------------------------------


def change(sophos: Sophos, host: str, **fields: Any) -> None:
    """api_enabled, address_allowed, password, version, rules, inspections (dictionaries)."""
    for name, value in fields.items():
        setattr(sophos.firewalls[host], name, value)


def put_server(sophos: Sophos, host: str, name: str, address: str = "192.0.2.99") -> None:
    """Somebody adds a syslog server of their own, of everything."""
    one = sophos.firewalls[host]
    one.servers.append(server(one, name, address))


def change_server(sophos: Sophos, host: str, name: str, path: str, value: str) -> None:
    """path: of the field, as LogSettings/Events/AdminEvents; one that this release did not have is there then."""
    (held,) = (item for item in sophos.firewalls[host].servers if item["Name"] == name)
    *groups, leaf = path.split("/")
    for group in groups:
        held = held.setdefault(group, {})
    held[leaf] = value


def remove_server(sophos: Sophos, host: str, name: str) -> None:
    one = sophos.firewalls[host]
    one.servers = [item for item in one.servers if item["Name"] != name]


def import_authority(sophos: Sophos, host: str, name: str, pem: str) -> None:
    sophos.firewalls[host].authorities[name] = pem


def traffic(sophos: Sophos, host: str, message: str = "lab") -> None:
    """A connection by a firewall rule that logs."""
    emit(sophos.firewalls[host], ("SecurityPolicy", "PolicyRules"), message)


VENDOR = Vendor(
    name="sophos",
    state=Sophos,
    load=load,
    segments=frozenset({"webconsole"}),
    find=find,
    operations=(*OPERATIONS.values(), LOGIN, OTHER),
    control={("GET", ""): _state},
    mutations={
        "change_sophos_firewall": change,
        "put_sophos_server": put_server,
        "change_sophos_server": change_server,
        "remove_sophos_server": remove_server,
        "import_sophos_authority": import_authority,
        "sophos_traffic": traffic,
    },
    status=_status,
    files=_files,
)
