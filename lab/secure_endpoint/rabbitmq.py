# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's RabbitMQ for a test module: `with running_broker(folder) as broker:`, beside any other that runs here.

Its node name, ports, data, cookie and port mapper are its own, and all of them are on loopback; its TLS is of an
authority of its own. Debian's package also has a service, which is neither needed nor touched.

    python -m lab.secure_endpoint.rabbitmq FOLDER    # until it is ended; FOLDER/told is for the lab
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from lab.kernel import ca

SERVER: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
START_SECONDS: Final = 240.0
HOST: Final = "localhost"
CONFIG = """\
listeners.tcp = none
listeners.ssl.default = 127.0.0.1:{port}
ssl_options.certfile = {folder}/server.crt
ssl_options.keyfile = {folder}/server.key
ssl_options.verify = verify_none
ssl_options.fail_if_no_peer_cert = false
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
default_user = lab
default_pass = {password}
log.console = true
log.console.level = error
log.file = false
"""


class Place(NamedTuple):
    """A running broker. told: what `configure(secure_endpoint_broker=...)` of the lab takes."""

    told: str
    port: int
    ca_file: Path


@contextmanager
def running_broker(folder: Path) -> Iterator[Place]:
    """From the moment that it answers to its end; what it leaves is in the folder, which is the caller's."""
    port, management, distribution, mapper = _free_ports(4)
    password = secrets.token_hex(16)
    _write(folder, port, management, password)
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(mapper),
        "ERL_CRASH_DUMP_SECONDS": "0",
        "RABBITMQ_NODENAME": f"lab-{secrets.token_hex(4)}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        # Two cores are all there is, and the schedulers of more would only spin.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none",
    }
    url = f"http://127.0.0.1:{management}"
    log = folder / "server.txt"
    with (
        _child(["epmd"], environment, folder / "epmd.txt"),
        _child([str(SERVER)], environment, log) as server,
    ):
        _await(url, server, log)
        yield Place(f"{url} lab {password} {HOST} {port}", port, folder / "ca.crt")


def _write(folder: Path, port: int, management: int, password: str) -> None:
    authority = ca.make_ca()
    server = ca.make_server(authority)
    (folder / "ca.crt").write_text(ca.cert_pem(authority.certificate))
    (folder / "server.crt").write_text(ca.cert_pem(server.certificate))
    ca.private(folder / "server.key", ca.key_pem(server.key))
    ca.private(folder / ".erlang.cookie", secrets.token_hex(16))
    (folder / ".erlang.cookie").chmod(0o400)
    (folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
    text = CONFIG.format(folder=folder, port=port, management=management, password=password)
    ca.private(folder / "rabbitmq.conf", text)


def _free_ports(number: int) -> list[int]:
    """That are free now, all of them different."""
    held = [socket.create_server(("127.0.0.1", 0)) for _one in range(number)]
    try:
        return [int(one.getsockname()[1]) for one in held]
    finally:
        for one in held:
            one.close()


@contextmanager
def _child(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """In a process group of its own: the server's script has the runtime as its child."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    try:
        yield process
    finally:
        # Its data goes with the folder, so nothing is to be saved, which takes RabbitMQ six seconds.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until its management API asks who we are."""
    ends = time.monotonic() + START_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < ends and server.poll() is None:
        try:
            opener.open(f"{url}/api/overview", timeout=5)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"RabbitMQ did not start: {log.read_text(errors='replace')[-2000:]}")


def main(folder: Path) -> None:
    """A broker until this process is asked to end."""
    signal.signal(signal.SIGTERM, lambda *_what: sys.exit())
    folder.mkdir()
    with running_broker(folder) as place:
        ca.private(folder / "told", place.told)
        signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
