# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the Cisco ESA modules: the argument specs, and their values checked and typed once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import env_fallback

from .._core.errors import InputError
from .._core.options import COVERAGE_SPEC, RUN_SPEC, TIME_SPEC, Check
from .contract import LABELS, NO_LEVEL, NO_SYSLOG, PROXY_USER
from .plan import SCP, SYSLOG, Wanted, seconds, size

READ = "read the options"
PORT = 22
# No list of AsyncOS cuts a name of so many characters; no word of its menus has an underscore.
NAME = re.compile(r"[a-z][a-z0-9]*_[a-z0-9_]{1,18}")
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
DIRECTORY = re.compile(r"/[A-Za-z0-9._/-]{0,200}")
SERIAL = re.compile(r"[A-Za-z0-9-]{6,60}")
KEY = re.compile(r"(?:ssh-rsa|ssh-ed25519|ecdsa-sha2-nistp\d{3}) [A-Za-z0-9+/]{40,2000}={0,2}")
IDENTIFIERS = "$hostname.$serialnumber"
LOWEST_SIZE, HIGHEST_SIZE, LONGEST = 100 * 1024, 10 * 1024**3, 12 * 86400

# Of each appliance, of which the user chooses the name.
APPLIANCE_SPEC: dict[str, dict[str, Any]] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": PORT},
    "serial_number": {"type": "str", "required": True},
}
# Of each subscription; the user's name of it is its name at the appliance.
SUBSCRIPTION_SPEC: dict[str, dict[str, Any]] = {
    "type": {"type": "str", "required": True, "choices": list(LABELS["type"])},
    "log_level": {"type": "str", "choices": list(LABELS["log_level"]), "default": "information"},
    "filename": {"type": "str"},
    "max_size": {"type": "str", "default": "10M"},
    "rollover_interval": {"type": "str", "default": "15m"},
    "facility": {"type": "str", "choices": list(LABELS["facility"]), "default": "mail"},
}
PROXY_SPEC: dict[str, dict[str, Any]] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": PORT},
    "username": {"type": "str", "default": PROXY_USER},
    "private_key_file": {"type": "path", "required": True},
}
IDENTITY_SPEC: dict[str, dict[str, Any]] = {
    "appliances": {"type": "dict", "required": True},
    "username": {"type": "str", "required": True},
    "password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["CISCO_ESA_PASSWORD"])},
    "private_key_file": {"type": "path"},
    "known_hosts": {"type": "path", "required": True},
    "ssh_proxy": {"type": "dict", "options": PROXY_SPEC},
    "screen_seconds": {"type": "float", "default": 60.0},
    "concurrency": RUN_SPEC["concurrency"],
    **TIME_SPEC,
}
RECEIVER_SPEC: dict[str, dict[str, Any]] = {
    "method": {"type": "str", "choices": [SCP, SYSLOG], "required": True},
    "address": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "user": {"type": "str"},
    "directory": {"type": "str"},
    "host_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "transport": {"type": "str", "choices": list(LABELS["transport"])},
}
TARGET_SPEC: dict[str, dict[str, Any]] = {
    "subscriptions": {"type": "dict", "required": True},
    "receiver": {"type": "dict", "options": RECEIVER_SPEC},
    "level": {"type": "str", "choices": ["cluster", "machine"], "default": "cluster"},
}
CONVERGE_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    **TARGET_SPEC,
    "probe": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **RUN_SPEC,
    **COVERAGE_SPEC,
}
ACCESS_SPEC: dict[str, dict[str, Any]] = {**IDENTITY_SPEC, **TARGET_SPEC, **COVERAGE_SPEC}


class Appliance(NamedTuple):
    """A machine, and its serial number. name: what the tenant file calls it."""

    name: str
    host: str
    port: int
    serial: str

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


class Proxy(NamedTuple):
    """Cisco's way into its cloud."""

    host: str
    port: int
    username: str
    key_file: str


class Setup(NamedTuple):
    """What a task wants of one tenant. level: of the cluster, where there is one."""

    appliances: tuple[Appliance, ...]
    username: str
    password: str
    key_file: str
    known_hosts: str
    proxy: Proxy | None
    subscriptions: tuple[Wanted, ...]
    receiver: bool = False
    level: str = "cluster"
    probe: bool = False
    leaving: bool = False
    screen_seconds: float = 60.0
    concurrency: int = 4


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters of any Cisco ESA module, typed. Raises InputError with every reason."""
    problems: list[str] = []
    appliances = [_appliance(name, given, problems) for name, given in params["appliances"].items()]
    if not appliances:
        problems.append("appliances must name at least one")
    for field in ("place", "serial"):
        held = [getattr(one, field) for one in appliances]
        problems += [f"appliances: {one.name} has the {field} of another" for one in appliances
                     if held.count(getattr(one, field)) > 1]  # fmt: skip
    if not params["password"] and not params["private_key_file"]:
        problems.append("password or private_key_file is needed")
    if params["screen_seconds"] <= 0:
        problems.append("screen_seconds must be more than 0")
    receiver = params["receiver"]
    leaving = params.get("state") == "absent"
    to = _receiver(receiver, problems, pinned=not leaving) if receiver else {}
    wanted = [_subscription(name, given, receiver, to, problems) for name, given in params["subscriptions"].items()]
    if not wanted:
        problems.append("subscriptions must name at least one")
    # What arrives of one would be taken for the other's.
    files = [one.fields["filename"] for one in wanted if "filename" in one.fields and not leaving]
    problems += [f"subscriptions: {name} begins the file names of another one, too" for name in dict.fromkeys(files)
                 if sum(f"{one}.".startswith(f"{name}.") for one in files) > 1]  # fmt: skip
    if problems:
        raise InputError(READ, "; ".join(problems), next_step="correct the options; nothing was sent")
    return Setup(
        tuple(appliances),
        params["username"],
        params["password"] or "",
        params["private_key_file"] or "",
        params["known_hosts"],
        _proxy(params["ssh_proxy"]),
        tuple(wanted),
        bool(receiver),
        params["level"],
        params.get("probe", False),
        leaving,
        params["screen_seconds"],
        params["concurrency"],
    )


def _appliance(name: str, given: Any, problems: list[str]) -> Appliance:
    checked = ArgumentSpecValidator(APPLIANCE_SPEC).validate(given if isinstance(given, dict) else {})
    values = checked.validated_parameters
    problems += [f"appliances.{name}: {text}" for text in checked.error_messages]
    if checked.error_messages:
        return Appliance(name, f"{name}?", 0, f"{name}?")
    _fits(f"appliances.{name}.host", values["host"], HOST, problems)
    _fits(f"appliances.{name}.serial_number", values["serial_number"], SERIAL, problems)
    _port(f"appliances.{name}.port", values["port"], problems)
    return Appliance(name, values["host"].lower(), values["port"], values["serial_number"].upper())


def _proxy(given: Mapping[str, Any] | None) -> Proxy | None:
    return Proxy(given["host"], given["port"], given["username"], given["private_key_file"]) if given else None


def _receiver(given: Mapping[str, Any], problems: list[str], *, pinned: bool) -> dict[str, str]:
    """Where to, as fields of a subscription. What is typed at a prompt has no character that a prompt could take."""
    _fits("receiver.address", given["address"], HOST, problems)
    _port("receiver.port", given["port"], problems)
    to = {"method": given["method"], "host": given["address"], "port": str(given["port"])}
    if given["method"] == SYSLOG:
        if not given["transport"]:
            problems.append("receiver.transport is needed for syslog_push")
        return {**to, "transport": given["transport"] or ""}
    _fits("receiver.user", given["user"] or "", WORD, problems)
    _fits("receiver.directory", given["directory"] or "", DIRECTORY, problems)
    if pinned and not given["host_keys"]:
        problems.append("receiver.host_keys is needed for scp_push: the appliance pins the collector by them")
    for key in given["host_keys"]:
        _fits("receiver.host_keys", key, KEY, problems)
    return {**to, "user": given["user"] or "", "directory": given["directory"] or "", "host_key_check": "yes"}


def _subscription(
    name: str, given: Any, receiver: Mapping[str, Any] | None, to: Mapping[str, str], problems: list[str]
) -> Wanted:
    checked = ArgumentSpecValidator(SUBSCRIPTION_SPEC).validate(given if isinstance(given, dict) else {})
    values = checked.validated_parameters
    place = f"subscriptions.{name}"
    problems += [f"{place}: {text}" for text in checked.error_messages]
    if not NAME.fullmatch(name):
        problems.append(f"{place}: a name is 3 to 20 small letters, digits and underscores, one underscore at least")
    if checked.error_messages:
        return Wanted(name, {})
    kind = values["type"]
    fields = {"type": kind, **to} | ({} if kind in NO_LEVEL else {"log_level": values["log_level"]})
    if to and to["method"] == SYSLOG:
        if kind in NO_SYSLOG:
            problems.append(f"{place}: {kind} logs do not go by syslog; give it a source of scp_target")
        return Wanted(name, {**fields, "facility": values["facility"]})
    filename = values["filename"] or name
    _fits(f"{place}.filename", filename, WORD, problems)
    _measured(f"{place}.max_size", values["max_size"], size, LOWEST_SIZE, HIGHEST_SIZE, problems)
    if values["rollover_interval"]:
        _measured(f"{place}.rollover_interval", values["rollover_interval"], seconds, 1, LONGEST, problems)
        fields["rollover_interval"] = values["rollover_interval"]
    fields |= {"filename": filename, "max_size": values["max_size"], "identifier_format": IDENTIFIERS}
    return Wanted(name, fields, tuple(receiver["host_keys"]) if receiver else ())


def _measured(what: str, text: str, read: Any, least: int, most: int, problems: list[str]) -> None:
    try:
        if least <= read(text) <= most:
            return
    except ValueError:
        pass
    problems.append(f"{what} must be as 10M or 1h30m, and within AsyncOS' bounds, not {text!r}")


def _fits(what: str, text: str, pattern: re.Pattern[str], problems: list[str]) -> None:
    if not pattern.fullmatch(text):
        problems.append(f"{what} cannot be {text[:60]!r}")


def _port(what: str, number: int, problems: list[str]) -> None:
    if not 0 < number < 65536:
        problems.append(f"{what} must be a port, not {number}")


CHECK = Check(CONVERGE_SPEC, setup)
