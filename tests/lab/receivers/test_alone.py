# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab.receivers`: ports of their own, what fails before HTTP, and that no secret is printed."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from lab.receivers.client import ReceiversClient
from lab.receivers.testing import running_receivers
from lab.testing import ROOT, running_lab
from tests.lab.coro.coro_tools import CONTOSO, Coro

CANARY = "canary-5b1f6a"


def post(url: str, headers: dict[str, str], body: Any, ca_file: str | None = None) -> int:
    """The status, or an exception of the connection."""
    context = ssl.create_default_context(cafile=ca_file) if url.startswith("https") else None
    request = urllib.request.Request(url, json.dumps(body).encode(), headers | {"Content-Type": "application/json"})
    handlers: list[Any] = [urllib.request.ProxyHandler({})]
    handlers += [urllib.request.HTTPSHandler(context=context)] if context else []
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def address(url: str) -> tuple[str, int]:
    host, _, port = url.split("/")[2].partition(":")
    return host, int(port)


def test_a_ticket_from_coro_to_receivers_that_run_alone(tmp_path: Path) -> None:
    log: list[str] = []
    records = tmp_path / "records"
    with running_lab() as lab, running_receivers("--records", str(records), log=log) as receivers:
        told = receivers.describe()
        lab.coro.trust(receivers.ca_file)
        contoso = Coro(lab, "coro-contoso", CONTOSO)
        splunk = {"type": "SPLUNK", "listenerUrl": told["splunk"]["url"]}
        contoso.made(name="soc", authorization=f"Splunk {told['splunk']['token']}", **splunk)
        assert contoso.create(name="no", authorization=f"Splunk {CANARY}", **splunk)[0] == 422
        ticket, _deliveries = lab.coro.emit(CONTOSO)
        assert receivers.events("splunk")[-1]["event"] == ticket
    (secret,) = [one["headers"]["Authorization"] for one in map(json.loads, records.read_text().splitlines())][:1]
    assert secret == "Splunk ********"
    assert stat.S_IMODE(records.stat().st_mode) == 0o600
    printed = "".join(log) + records.read_text()
    assert "accepted: code 0, events: 1" in printed
    assert "refused: code 4: the token is not ours, nor a GUID" in printed
    for hidden in (told["splunk"]["token"], told["azure"]["primary_key"], told["fluency"]["token"], CANARY):
        assert hidden not in printed


def test_what_fails_before_http() -> None:
    log: list[str] = []
    with running_receivers(log=log) as receivers:
        told = receivers.describe()
        token = {"Authorization": f"Splunk {told['splunk']['token']}"}
        with pytest.raises(OSError):
            post(told["splunk"]["url"].replace("https", "http"), token, {"event": 1})
        with pytest.raises(OSError):
            post(told["azure"]["url"], {}, [])  # by a sender that does not trust our CA
        socket.create_connection(address(told["generic"]["url"])).close()
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(OSError), socket.create_connection(address(told["fluency"]["url"])) as raw:
            old.wrap_socket(raw)
        assert post(told["splunk"]["url"], token, {"event": 1}, receivers.ca_file) == 200
    printed = "".join(log)
    assert "splunk   127.0.0.1 refused: no TLS, but this receiver speaks nothing else" in printed
    assert "azure    127.0.0.1 refused: TLS handshake failed: the sender does not trust the CA" in printed
    assert "generic  127.0.0.1 refused: connected and left without a word" in printed
    assert "fluency  127.0.0.1 refused: TLS handshake failed: the sender speaks no TLS 1.2 or later" in printed


def test_without_tls_and_with_options() -> None:
    log: list[str] = []
    with running_receivers("--tls=off", "--set=splunk.ack=true", "--set=generic.answer=500", log=log) as receivers:
        told = receivers.describe()
        token = {"Authorization": f"Splunk {told['splunk']['token']}"}
        assert post(told["splunk"]["url"], token, {"event": 1}) == 400
        assert post(told["generic"]["url"], {}, {}) == 500
        receivers.configure("splunk", ack=False)
        assert post(told["splunk"]["url"], token, {"event": 1}) == 200
        with pytest.raises(OSError):
            post(told["splunk"]["url"].replace("http", "https"), token, {"event": 1}, None)
        with pytest.raises(ValueError, match="no option 'speed'"):
            receivers.configure("splunk", speed=1)
        state = json.loads((receivers.state_dir / "control.json").read_text())
        assert post(f"{state['url']}/_lab/receivers", {"Authorization": "Bearer x"}, {}) == 401
    assert "TLS, but this receiver speaks none: the sender's URL must begin with http://" in "".join(log)


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lab.receivers", "--state-dir", str(folder), *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_secrets_and_certificate_outlive_a_start(tmp_path: Path) -> None:
    told, authorities = [], []
    for _ in range(2):
        with start(tmp_path, *(f"--port={name}=0" for name in ("splunk", "azure", "generic", "fluency"))) as process:
            assert process.stdout is not None
            assert any(line == "receivers ready\n" for line in process.stdout)
            told.append(ReceiversClient(tmp_path).describe()["splunk"]["token"])
            authorities.append((tmp_path / "ca.pem").read_text())
            for name in ("secrets.json", "receivers.json", "control.json", "tls.pem"):
                assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        assert not (tmp_path / "receivers.json").exists()
        if len(told) == 1:
            secrets = json.loads((tmp_path / "secrets.json").read_text())
            secrets["splunk"]["token"] = "a-sender-has-it-already"
            (tmp_path / "secrets.json").write_text(json.dumps(secrets))
    assert told[0] != told[1] == "a-sender-has-it-already"
    assert authorities[0] == authorities[1]


def test_broken_requests_are_told_without_what_they_hold(tmp_path: Path) -> None:
    head = f"POST /services/collector HTTP/1.1\r\nHost: x\r\nAuthorization: Splunk {CANARY}"
    broken = (
        "\0\r\n\r\n",
        "\r\nContent-Length: many\r\n\r\n",
        "\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        "\r\nContent-Length: 300\r\n\r\nabc",
    )
    ports = ["--port=splunk=0", "--port=azure=off", "--port=generic=off", "--port=fluency=off"]
    with start(tmp_path, "--tls=off", *ports) as process:
        assert process.stdout is not None
        assert any(line == "receivers ready\n" for line in process.stdout)
        url = ReceiversClient(tmp_path).describe()["splunk"]["url"]
        for rest in broken:
            with socket.create_connection(address(url)) as raw:
                raw.sendall((head + rest).encode())
                raw.shutdown(socket.SHUT_WR)
                raw.settimeout(60)
                while raw.recv(4096):
                    pass
        process.send_signal(signal.SIGTERM)
        printed, complaints = process.communicate(timeout=60)
    for words in (
        "Invalid header value char",
        "Invalid character in Content-Length",
        "content-encoding",
        "left in the",
    ):
        assert words in printed
    assert CANARY not in printed
    assert complaints == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port=qradar=1"], "NAME one of splunk, azure, generic, fluency"),
        (["--port=splunk=many"], "PORT a number or off"),
        ([f"--port={name}=off" for name in ("splunk", "azure", "generic", "fluency")], "every receiver is off"),
        (["--set=splunk.speed=1"], "no such option"),
        (["--set=splunk.ack=maybe"], "takes no 'maybe'"),
        (["--tls=nowhere.pem"], "No such file"),
    ],
)
def test_wrong_options(tmp_path: Path, options: list[str], words: str) -> None:
    with start(tmp_path, *options) as process:
        _out, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert words in said


def test_wrong_secrets_and_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = f"--port=splunk={taken.getsockname()[1]}"
        with start(tmp_path, port, "--port=azure=off", "--port=generic=off", "--port=fluency=off") as process:
            assert "cannot listen" in process.communicate(timeout=60)[1]
        assert process.returncode == 1
    (tmp_path / "secrets.json").write_text('{"splunk": {"password": "x"}}')
    with start(tmp_path, "--port=splunk=0") as process:
        assert "splunk has token" in process.communicate(timeout=60)[1]


def test_help_names_what_there_is() -> None:
    command = [sys.executable, "-m", "lab.receivers", "--help"]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
    for word in ("8088", "8443", "8444", "8445", "--tls", "--listen", "--records", "ack", "strict", "secrets.json"):
        assert word in text


def test_the_first_byte_may_be_slow() -> None:
    with running_receivers("--tls=off") as receivers:
        told = receivers.describe()
        with socket.create_connection(address(told["generic"]["url"])) as raw:
            time.sleep(0.3)
            header = "".join(f"{name}: {value}\r\n" for name, value in told["generic"]["headers"].items())
            raw.sendall(f"POST /hooks HTTP/1.1\r\nHost: x\r\n{header}Content-Length: 2\r\n\r\n".encode())
            time.sleep(0.3)
            raw.sendall(b"{}")
            raw.settimeout(60)
            assert raw.recv(100).startswith(b"HTTP/1.1 200")
