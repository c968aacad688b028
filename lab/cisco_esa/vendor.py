# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco's appliances, registered. They are reached by SSH at ports of their own, and not by the lab's HTTPS."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from lab.cisco_esa.push import push
from lab.cisco_esa.state import Box, CiscoEsa, Quirks, load
from lab.kernel.context import Lab
from lab.kernel.http import Call
from lab.kernel.registration import Scenario, Vendor

GATE = "proxy"


class Way:
    """Where one listens, with the keys of it: it outlives a reset. Nothing is made before it is used."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.sock.getsockname()[1])
        self._host_key: Any = None
        self._lock = threading.Lock()

    @cached_property
    def folder(self) -> Path:
        """Gone with the process."""
        self._folder = tempfile.TemporaryDirectory(prefix="mssp-esa-")
        return Path(self._folder.name)

    @property
    def host_key(self) -> Any:
        import paramiko  # type: ignore[import-untyped]  # a quarter of a second that most labs need not pay

        with self._lock:
            self._host_key = self._host_key or paramiko.ECDSAKey.generate()
            return self._host_key

    def public_key(self) -> str:
        """Of the appliance as a client."""
        import paramiko

        place = self.folder / "id_rsa"
        with self._lock:
            if not place.exists():
                paramiko.RSAKey.generate(2048).write_private_key_file(str(place))
            key = paramiko.RSAKey.from_private_key_file(str(place))
        return f"{key.get_name()} {key.get_base64()}"


def _ways(lab: Lab) -> dict[str, Way]:
    return lab.once("cisco_esa", dict)


def _load(esa: CiscoEsa, scenario: Scenario) -> None:
    load(esa, scenario)
    ways = _ways(esa.lab)
    for name in (*esa.boxes, *([GATE] if esa.gate.hosts else [])):
        if name not in ways:
            ways[name] = Way(name)
            threading.Thread(target=_serve, args=(esa.lab, name), daemon=True).start()
    for box in esa.boxes.values():
        way = ways[box.name]
        box.port, box.public_key = way.port, way.public_key
        box.push = partial(_pushed, way)
    if esa.gate.hosts:
        esa.gate.port = ways[GATE].port


def _pushed(way: Way, box: Box, log: dict[str, str]) -> str:
    way.public_key()
    return push(box, log, way.folder)


def _serve(lab: Lab, name: str) -> None:
    """Until the lab ends; what is asked is the state of that time."""
    ways = _ways(lab)

    def connection(sock: socket.socket) -> None:
        from lab.cisco_esa import sshd

        esa = lab.of(CiscoEsa)
        if name == GATE:
            sshd.proxy(esa, ways[name].host_key, {one: ways[one].host_key for one in esa.boxes}, sock)
        else:
            sshd.command_line(esa, esa.boxes[name], ways[name].host_key, sock)

    while True:
        accepted, _address = ways[name].sock.accept()
        threading.Thread(target=_quietly, args=(connection, accepted), daemon=True).start()


def _quietly(serve: Any, sock: socket.socket) -> None:
    from lab.cisco_esa.sshd import quietly

    quietly(serve, sock)


# -- what a test may see and do ---------------------------------------------------------------------------------------


def _shown(box: Box) -> dict[str, Any]:
    config = box.shared.config
    return {
        "serial": box.serial,
        "port": box.port,
        "username": box.username,
        "password": box.password,
        "logs": {one["name"]: one for one in config.logs},
        "names": [one["name"] for one in config.logs],
        "host_keys": config.host_keys,
        "commits": [comment for _user, comment, _config in box.shared.commits],
        "sent": box.sent,
        "lines": box.lines,
        "sign_ins": box.sign_ins,
        "quirks": asdict(box.quirks),
    }


def _state(esa: CiscoEsa, _call: Call, _body: Any) -> dict[str, Any]:
    with esa.lock:
        return {"boxes": {name: _shown(box) for name, box in esa.boxes.items()}, "gate": asdict(esa.gate)}


def _known_hosts(esa: CiscoEsa, _call: Call, _body: Any) -> str:
    """Lines of OpenSSH's known_hosts for all that listens here."""
    ways, lines = _ways(esa.lab), []
    names = {f"[127.0.0.1]:{way.port}": way for way in ways.values()}
    names |= {host: ways[box] for host, box in esa.gate.hosts.items()}
    lines = [f"{name} {way.host_key.get_name()} {way.host_key.get_base64()}\n" for name, way in names.items()]
    return "".join(lines)


def change_log(esa: CiscoEsa, box: str, name: str, **fields: str) -> None:
    """Somebody changes a subscription; fields as in the export."""
    with esa.lock:
        (log,) = (one for one in esa.boxes[box].shared.config.logs if one["name"] == name)
        log.update(fields)


def put_log(esa: CiscoEsa, box: str, name: str, **fields: str) -> None:
    """Somebody adds one; it comes first, so that all numbers are others."""
    with esa.lock:
        esa.boxes[box].shared.config.logs.insert(0, {"name": name, **fields})


def remove_log(esa: CiscoEsa, box: str, name: str) -> None:
    with esa.lock:
        config = esa.boxes[box].shared.config
        config.logs = [one for one in config.logs if one["name"] != name]


def pin_host_key(esa: CiscoEsa, box: str, host: str, keys: list[str]) -> None:
    with esa.lock:
        esa.boxes[box].shared.config.host_keys[host] = keys


def mail(esa: CiscoEsa, box: str) -> None:
    """A mail passes, of which each log tells that goes by syslog; a file waits until it is rolled over."""
    with esa.lock:
        found = esa.boxes[box]
        logs = [one for one in found.shared.config.logs if one["retrieval_method"] == "Syslog Push"]
        found.sent += [{"log": one["name"], "error": found.push(found, one)} for one in logs]


def behave(esa: CiscoEsa, box: str, **quirks: Any) -> None:
    """How the command line of a box behaves from now on: fields of Quirks."""
    with esa.lock:
        esa.boxes[box].quirks = Quirks(**quirks)


def change(esa: CiscoEsa, box: str, **fields: Any) -> None:
    """serial, version, username, password."""
    with esa.lock:
        for name, value in fields.items():
            setattr(esa.boxes[box], name, value)


def admit(esa: CiscoEsa, key: str) -> None:
    """Cisco's support has dealt with the case: the proxy takes the key."""
    with esa.lock:
        esa.gate.keys.append(key)


def _status(esa: CiscoEsa) -> dict[str, Any]:
    return {"appliances": len(esa.boxes)}


def _files(esa: CiscoEsa) -> Iterator[tuple[str, str]]:
    for box in esa.boxes.values():
        yield f"cisco-esa-{box.name}.password", box.password


VENDOR = Vendor(
    name="cisco_esa",
    state=CiscoEsa,
    load=_load,
    find=lambda _call: None,
    operations=(),
    control={("GET", ""): _state, ("GET", "known_hosts"): _known_hosts},
    mutations={
        "change_esa_log": change_log,
        "put_esa_log": put_log,
        "remove_esa_log": remove_log,
        "pin_esa_host_key": pin_host_key,
        "esa_mail": mail,
        "behave_esa": behave,
        "change_esa": change,
        "admit_esa_key": admit,
    },
    status=_status,
    files=_files,
)
