# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for the Falcon SIEM connector says what keeps it from reading, and goes on when that has gone."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.hosts.falcon_standin.run import Standin

APP = "SIEM-Connector-v2.0.0"


@pytest.mark.parametrize(
    ("changes", "pattern"),
    [
        ({"client_secret": "wrong"}, r"ERROR Unable to get an access token: 403 .*Client authentication failed"),
        ({"client_id": "nonsense"}, r"ERROR Unable to get an access token: 400 .*clientID=nonsense"),
        ({"app_id": "x" * 33}, r"ERROR Unable to discover event streams .*: 400 appId"),
        (
            {"request_token_url": "https://127.0.0.1:1/oauth2/token"},
            r"ERROR Unable to connect to 127.0.0.1:1: .*refused",
        ),
        ({"request_token_url": "https://cloud.invalid/oauth2/token"}, r"ERROR Unable to resolve cloud.invalid"),
        ({"http_proxy": "http://127.0.0.1:1"}, r"ERROR Unable to connect to proxy 127.0.0.1:1: .*refused"),
    ],
)
def test_failures_of_the_configuration(standin: Standin, changes: dict[str, str], pattern: str) -> None:
    standin.configure(**changes)
    standin.start()
    standin.says(pattern)
    assert "Heartbeat" not in standin.log()
    assert standin.stop() < 5


def test_missing_scope(standin: Standin) -> None:
    standin.configure("contoso-hosts")
    standin.start()
    standin.says(r"ERROR Unable to discover event streams .*Event streams: Read.*: 403 access denied")


def test_app_id_in_use(standin: Standin) -> None:
    standin.lab.crowdstrike.do("occupy", cid="contoso", app_id=APP)
    standin.configure()
    standin.start()
    standin.says(f"ERROR No event stream is available for app_id {APP}")
    standin.lab.crowdstrike.do("release", cid="contoso", app_id=APP)
    standin.says("Heartbeat")


def test_wrong_clock(standin: Standin) -> None:
    standin.lab.crowdstrike.do("switch", skew=-7200)
    standin.configure()
    standin.start()
    standin.says("ERROR The session token has expired at .* the clock of this host .* is not in sync")


def test_unknown_authority(standin: Standin) -> None:
    standin.configure()
    standin.start(SSL_CERT_FILE="/dev/null")
    standin.says("ERROR TLS handshake with 127.0.0.1 failed: .*certificate verify failed")


def test_busy_cloud(standin: Standin) -> None:
    standin.lab.fault("throttle", kind="falcon.token", seconds=1)
    standin.lab.fault("status", kind="falcon.discover", status=500)
    standin.lab.fault("status", kind="falcon.feed", status=503)
    standin.lab.fault("malformed", kind="falcon.discover")
    standin.configure()
    standin.start()
    standin.says("ERROR Unable to get an access token: 429")
    standin.says("ERROR Unable to discover event streams .*: 500")
    standin.says("ERROR Unable to discover event streams .*: the answer is no JSON")
    standin.says("ERROR Unable to open the event stream: 503")
    standin.says("Heartbeat")


def test_rotated_secret(standin: Standin) -> None:
    standin.configure()
    standin.start()
    standin.says("Heartbeat")
    new = standin.lab.crowdstrike.rotate_secret("contoso")
    standin.lab.crowdstrike.do("end_sessions", cid="contoso")
    standin.says("ERROR Unable to get an access token: 403")
    standin.stop()
    standin.configure(client_secret=new)
    standin.start()
    standin.lab.crowdstrike.emit("contoso", 1)
    assert standin.offsets(1) == [4711]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_secret": ""}, "client_secret is empty"),
        ({"version": "2"}, "version must be 3"),
        ({"output_format": "xml"}, "output_format must be"),
        ({"api_url": "http://127.0.0.1"}, "api_url is no https URL"),
        ({"Logging.max_size": "big"}, r"\[Logging\] max_size must be a number"),
        ({"EventTypeCollection.IncidentSummaryEvent": "yes"}, "IncidentSummaryEvent must be true or false"),
    ],
)
def test_it_ends_on_a_wrong_configuration(standin: Standin, changes: dict[str, str], words: str) -> None:
    standin.configure(**changes)
    standin.start()
    standin.says(f"ERROR Unable to start with .*{words}")
    assert standin.process is not None
    assert standin.process.wait(60) == 1


@contextlib.contextmanager
def connect_proxy(log: list[str]) -> Iterator[int]:
    """A proxy for one CONNECT at a time."""
    server = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while part := source.recv(65536):
                target.sendall(part)
        except OSError:
            pass
        target.close()

    def serve() -> None:
        while True:
            try:
                near, _peer = server.accept()
            except OSError:
                return
            head = near.recv(65536).decode()
            log.append(head)
            if "Proxy-Authorization" not in head:
                near.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                near.close()
                continue
            host, _, port = head.split()[1].rpartition(":")
            far = socket.create_connection((host, int(port)))
            near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            for pair in ((near, far), (far, near)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()


def test_proxy(standin: Standin) -> None:
    heads: list[str] = []
    with connect_proxy(heads) as port:
        standin.configure(http_proxy=f"http://127.0.0.1:{port}")
        standin.start()
        standin.says(f"ERROR Unable to connect to proxy 127.0.0.1:{port}: Tunnel connection failed: 407")
        standin.stop()
        standin.configure(http_proxy=f"http://user:pass@127.0.0.1:{port}")
        standin.start()
        standin.lab.crowdstrike.emit("contoso", 1)
        assert standin.offsets(1) == [4711]
        standin.stop()
