# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A place that takes files by `scp -t`: OpenSSH's own scp as the sink, behind paramiko's server."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import paramiko


class Door(paramiko.ServerInterface):
    def __init__(self, drop: Drop) -> None:
        self.drop, self.command, self.ready = drop, b"", threading.Event()

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        fits = f"{key.get_name()} {key.get_base64()}" in self.drop.keys
        return paramiko.AUTH_SUCCESSFUL if fits else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.command = command
        self.ready.set()
        return True


class Drop:
    """keys: public ones that may push. Files lie in C(ready) as role scp_target leaves them."""

    def __init__(self, folder: Path) -> None:
        self.ready, self._incoming = folder / "ready", folder / "incoming"
        self.ready.mkdir()
        self._incoming.mkdir()
        self.keys: list[str] = []
        self._key = paramiko.ECDSAKey.generate()
        self.host_key = f"{self._key.get_name()} {self._key.get_base64()}"
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.port = self._sock.getsockname()[1]

    def __enter__(self) -> Drop:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_error: Any) -> None:
        self._sock.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _address = self._sock.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        transport, door = paramiko.Transport(connection), Door(self)
        transport.add_server_key(self._key)
        with suppress(paramiko.SSHException, OSError, EOFError):
            transport.start_server(server=door)
            channel = transport.accept(10)
            if channel and door.ready.wait(10) and door.command.startswith(b"scp -t"):
                self._sink(channel)
        transport.close()

    def _sink(self, channel: paramiko.Channel) -> None:
        with subprocess.Popen(
            ["scp", "-t", str(self._incoming)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as sink:
            assert sink.stdin
            assert sink.stdout
            threading.Thread(target=self._back, args=(sink.stdout, channel), daemon=True).start()
            while data := channel.recv(65536):
                sink.stdin.write(data)
                sink.stdin.flush()
            sink.stdin.close()
            code = sink.wait(10)
        for path in self._incoming.iterdir():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            path.rename(self.ready / f"{int(time.time())}-{digest}-{path.name}")
        channel.send_exit_status(code)
        channel.close()

    @staticmethod
    def _back(out: Any, channel: paramiko.Channel) -> None:
        with suppress(OSError):
            while data := out.read1(65536):
                channel.sendall(data)
