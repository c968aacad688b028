# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the Sophos modules: the argument specs, and their values checked and typed once."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import env_fallback

from .._core.errors import InputError
from .._core.options import COVERAGE_SPEC, RUN_SPEC, TIME_SPEC, Check
from .plan import ALL, OFF, ON, Wanted

READ = "read the options"
NAME = "mssp"
PORT = 4444
MAX_NAME = 50
FACILITIES = ("DAEMON", "KERNEL", *(f"LOCAL{number}" for number in range(8)), "USER")
SEVERITIES = ("Emergency", "Alert", "Critical", "Error", "Warning", "Notification", "Information", "Debug")
# The second is written as a number: seen, with no name for it.
FORMATS = {"device_standard": "DeviceStandardFormat", "standard_syslog": "3"}
# What SFOS sends by: it has a switch for TLS, and else datagrams.
SECURE = {"udp": OFF, "tls": ON}
# Of a source of the role syslog_target that names none.
PORTS = {"udp": 514, "tls": 6514}
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
SERIAL = re.compile(r"[A-Za-z0-9]{6,40}")
CATEGORY = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)?")

# Of each firewall, of which the user chooses the name.
FIREWALL_SPEC: dict[str, dict[str, Any]] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": PORT},
    "serial_number": {"type": "str", "required": True},
}
IDENTITY_SPEC: dict[str, dict[str, Any]] = {
    "firewalls": {"type": "dict", "required": True},
    "username": {"type": "str", "required": True},
    "password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["SOPHOS_PASSWORD"])},
    "passwords": {"type": "dict", "no_log": True, "default": {}},
    "ca_file": {"type": "path"},
    "proxy": {"type": "str"},
    "concurrency": RUN_SPEC["concurrency"],
    **TIME_SPEC,
}
RECEIVER_SPEC: dict[str, dict[str, Any]] = {
    "address": {"type": "str", "required": True},
    "port": {"type": "int"},
    "transport": {"type": "str", "choices": list(SECURE), "default": "udp"},
}
SERVER_SPEC: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "default": NAME},
    "facility": {"type": "str", "choices": list(FACILITIES), "default": "DAEMON"},
    "severity": {"type": "str", "choices": list(SEVERITIES), "default": "Information"},
    "format": {"type": "str", "choices": list(FORMATS), "default": "device_standard"},
    "categories": {"type": "list", "elements": "str", "default": [ALL]},
}
TARGET_SPEC: dict[str, dict[str, Any]] = {
    "server": {"type": "dict", "options": SERVER_SPEC, "apply_defaults": True},
    "receiver": {"type": "dict", "options": RECEIVER_SPEC},
}
CONVERGE_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    **TARGET_SPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **RUN_SPEC,
    **COVERAGE_SPEC,
}
ACCESS_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    **TARGET_SPEC,
    "authority": {"type": "str", "default": NAME},
    **COVERAGE_SPEC,
}


class Firewall(NamedTuple):
    """A firewall, and who asks it. name: what the tenant file calls it."""

    name: str
    host: str
    port: int
    serial: str
    username: str
    password: str

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}"


class Setup(NamedTuple):
    """What a task wants of one tenant. authority: name under which the collector's is imported, for TLS."""

    firewalls: tuple[Firewall, ...]
    server: Wanted
    secure: bool = False
    authority: str = NAME
    ca_file: str | None = None
    proxy: str | None = None
    leaving: bool = False
    concurrency: int = 4


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters of any Sophos module, typed. Raises InputError with every reason."""
    problems: list[str] = []
    firewalls = [_firewall(name, given, params, problems) for name, given in params["firewalls"].items()]
    if not firewalls:
        problems.append("firewalls must name at least one")
    hosts, serials = [(one.host, one.port) for one in firewalls], [one.serial for one in firewalls]
    twice = [one for one in firewalls if one.host and hosts.count((one.host, one.port)) > 1]
    problems += [f"firewalls: {one.name} is at {one.host}, as another is" for one in twice]
    # What arrives from one would be taken for the other's, too.
    same = [one for one in firewalls if one.serial and serials.count(one.serial) > 1]
    problems += [f"firewalls: {one.name} has the serial_number {one.serial}, as another has" for one in same]
    lost = sorted(params["passwords"].keys() - params["firewalls"].keys())
    problems += [f"passwords: there is no firewall {name!r}" for name in lost]
    server = _server(params["server"], params["receiver"], problems)
    if problems:
        raise InputError(READ, "; ".join(problems), next_step="correct the options; nothing was sent")
    return Setup(
        tuple(firewalls),
        server,
        bool(params["receiver"]) and params["receiver"]["transport"] == "tls",
        params.get("authority", NAME),
        params["ca_file"],
        params["proxy"],
        params.get("state") == "absent",
        params["concurrency"],
    )


def _firewall(name: str, given: Any, params: Mapping[str, Any], problems: list[str]) -> Firewall:
    checked = ArgumentSpecValidator(FIREWALL_SPEC).validate(given if isinstance(given, dict) else {})
    found = checked.validated_parameters
    problems += [f"firewalls.{name}: {text}" for text in checked.error_messages]
    if checked.error_messages:
        return Firewall(name, "", 0, "", "", "")
    host, port, serial = found["host"], found["port"], found["serial_number"]
    if not (HOST.fullmatch(host) or _is_address(host)):
        problems.append(f"firewalls.{name}.host must be a name or an address alone, not {host!r}")
    if not 0 < port < 65536:
        problems.append(f"firewalls.{name}.port must be a port, not {port}")
    if not SERIAL.fullmatch(serial):
        problems.append(f"firewalls.{name}.serial_number must be letters and digits, not {serial!r}")
    password = str(params["passwords"].get(name) or params["password"] or "")
    if not password:
        problems.append(f"firewalls.{name} has no password: give one for all, or its own in passwords")
    return Firewall(name, host.lower(), port, serial, params["username"], password)


def _server(given: Mapping[str, Any], to: Mapping[str, Any] | None, problems: list[str]) -> Wanted:
    """Without a receiver there are no settings: that is enough to remove the server, and to check the tenant file."""
    name = given["name"]
    if not 0 < len(name) <= MAX_NAME or "," in name or not name.isprintable() or name != name.strip():
        text = f"at most {MAX_NAME} characters, without commas and without blanks around it"
        problems.append(f"server.name must be {text}")
    if not given["categories"]:
        problems.append("server.categories must name at least one: a server of none sends nothing")
    odd = [one for one in given["categories"] if not CATEGORY.fullmatch(one)]
    problems += [f"server.categories: {one!r} must be all, a group or Group/Leaf" for one in odd]
    settings = {} if to is None else _settings(given, to, problems)
    return Wanted(name, tuple(settings.items()), tuple(given["categories"]))


def _settings(given: Mapping[str, Any], to: Mapping[str, Any], problems: list[str]) -> dict[str, str]:
    address, port = to["address"], to["port"] or PORTS[to["transport"]]
    if not (HOST.fullmatch(address) or _is_address(address)):
        problems.append(f"receiver.address must be the name or the address of the collector, not {address!r}")
    if not 0 < port < 65536:
        problems.append(f"receiver.port must be a port, not {port}")
    return {
        "ServerAddress": address,
        "Port": str(port),
        "EnableSecureConnection": SECURE[to["transport"]],
        "Facility": given["facility"],
        "SeverityLevel": given["severity"],
        "Format": FORMATS[given["format"]],
    }


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


CHECK = Check(CONVERGE_SPEC, setup)
