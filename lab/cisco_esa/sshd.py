# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH in front of the command lines, and Cisco's proxy, which only forwards: paramiko's server, in threads."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import paramiko  # type: ignore[import-untyped]

from lab.cisco_esa.cli import Cli
from lab.cisco_esa.state import Box, CiscoEsa
from lab.cisco_esa.wire import Wire

SECONDS, LEAVING_SECONDS = 20.0, 2.0
PROXY_USER = "dh-user"


class Appliance(paramiko.ServerInterface):  # type: ignore[misc]
    """A password, a terminal and a shell; nothing else."""

    def __init__(self, box: Box) -> None:
        self.box, self.ready = box, threading.Event()

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        self.box.sign_ins += 1
        fits = (username, password) == (self.box.username, self.box.password)
        return int(paramiko.AUTH_SUCCESSFUL if fits else paramiko.AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        allowed = kind == "session"
        return int(paramiko.OPEN_SUCCEEDED if allowed else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)

    def check_channel_pty_request(self, *_arguments: Any) -> bool:
        return True

    def check_channel_shell_request(self, channel: Any) -> bool:
        self.ready.set()
        return True


class Proxy(paramiko.ServerInterface):  # type: ignore[misc]
    """The keys of which a support case told, forwards to the hosts of the cloud, and no shell."""

    def __init__(self, esa: CiscoEsa) -> None:
        self.esa, self.to = esa, ""

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: Any) -> int:
        fits = username == PROXY_USER and f"{key.get_name()} {key.get_base64()}" in self.esa.gate.keys
        return int(paramiko.AUTH_SUCCESSFUL if fits else paramiko.AUTH_FAILED)

    def check_channel_direct_tcpip_request(self, chanid: int, origin: Any, destination: tuple[str, int]) -> int:
        host, port = destination
        if host not in self.esa.gate.hosts or port != 22:
            return int(paramiko.OPEN_FAILED_CONNECT_FAILED)
        self.to = self.esa.gate.hosts[host]
        return int(paramiko.OPEN_SUCCEEDED)


def quietly(serve: Callable[[socket.socket], None], connection: socket.socket) -> None:
    """One connection, to its end, however it comes."""
    with connection, suppress(paramiko.SSHException, OSError, EOFError):
        serve(connection)


def _transport(connection: Any, key: Any, server: Any) -> Any:
    transport = paramiko.Transport(connection)
    transport.add_server_key(key)
    transport.start_server(server=server)
    return transport


def command_line(esa: CiscoEsa, box: Box, key: Any, connection: Any) -> None:
    server = Appliance(box)
    transport = _transport(connection, key, server)
    try:
        channel = transport.accept(SECONDS)
        if channel is None or not server.ready.wait(SECONDS):
            return
        with esa.lock:
            wire = Wire(Cli(box, box.username))
            channel.sendall(wire.start().encode())
        while not wire.closed:
            data = channel.recv(4096)
            if not data:
                return
            with esa.lock:
                shown = wire.typed(data.decode(errors="replace"))
            channel.sendall(shown.encode())
        # What was sent last is lost where the connection goes before the other side has read it.
        channel.close()
        transport.join(LEAVING_SECONDS)
    finally:
        transport.close()


def proxy(esa: CiscoEsa, key: Any, keys: dict[str, Any], connection: Any) -> None:
    server = Proxy(esa)
    transport = _transport(connection, key, server)
    try:
        channel = transport.accept(SECONDS)
        if channel is not None:
            command_line(esa, esa.boxes[server.to], keys[server.to], channel)
    finally:
        transport.close()
