# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for the Falcon SIEM connector reads the lab's stream, writes every format and loses nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.hosts.falcon_standin.run import NAME, Standin, until


class Receiver:
    """A syslog server that keeps what it gets."""

    def __init__(self, udp: bool, port: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.data = b""
        if not udp:
            self.socket.listen()
        threading.Thread(target=self._datagrams if udp else self._streams, daemon=True).start()

    def _datagrams(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.data += self.socket.recv(65536)

    def _streams(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _peer = self.socket.accept()
                with connection:
                    while part := connection.recv(65536):
                        self.data += part

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self.socket.close()

    def lines(self, count: int) -> list[str]:
        until(lambda: self.data.count(b"\n") >= count, lambda: str(self.data.count(b"\n")))
        return self.data.decode().splitlines()


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    """receive(udp, port): a server until the test ends."""
    made: list[Receiver] = []

    def make(udp: bool, port: int = 0) -> Receiver:
        made.append(Receiver(udp, port))
        return made[-1]

    yield make
    for receiver in made:
        receiver.close()


# -- formats ----------------------------------------------------------------------------------------------------------


def test_json_over_many_lines(standin: Standin) -> None:
    standin.configure()
    standin.start()
    standin.lab.crowdstrike.emit("contoso", 3)
    assert standin.offsets(3) == [4711, 4712, 4713]
    assert standin.output().startswith('{\n    "metadata": {\n')
    assert "größer, 漢字" in standin.output()
    assert "Heartbeat" in standin.says("Heartbeat")
    secret = standin.lab.crowdstrike.client("contoso")[1]
    assert secret not in standin.log()


def test_cef(standin: Standin) -> None:
    standin.configure(style="cef")
    standin.start()
    standin.lab.crowdstrike.emit("contoso", 1, SeverityName="x", Severity=7)
    event, network = standin.lines(2)
    assert event.startswith(
        "CEF:0|CrowdStrike|FalconHost|1.0|EppDetectionSummaryEvent|EppDetectionSummaryEvent|7|cat=Execution externalId="
    )
    assert 'cs5=powershell.exe -c "echo a\\=b|c" \\\\\\\\srv\\\\share\\nsecond line ' in event
    assert " cn3Label=Offset cn3=4711 " in event
    assert " deviceCustomDate1=Nov " in event or " deviceCustomDate1=" in event
    assert network.startswith("CEF:0|CrowdStrike|FalconHost|1.0|EppDetectionSummaryEvent|")
    assert "src=192.0.2.10 spt=50000 dst=198.51.100.7 dpt=443 deviceCustomDate1=" in network


def test_leef(standin: Standin) -> None:
    standin.configure(style="leef")
    standin.start()
    standin.lab.crowdstrike.emit("contoso", 1, type="AuthActivityAuditEvent")
    [line] = standin.lines(1)
    assert line.startswith("LEEF:1.0|CrowdStrike|FalconHost|1.0|AuthActivityAuditEvent|usrName=")
    assert "\tsrc=203.0.113.5\tact=twoFactorAuthenticate\t" in line


def test_key_value(standin: Standin) -> None:
    standin.configure(output_format="syslog")
    standin.start()
    standin.lab.crowdstrike.emit("contoso", 1, type="FirewallMatchEvent")
    [line] = standin.lines(1)
    assert line.startswith("dhost=ws-00000 src=192.0.2.10 spt=50000 dst=198.51.100.7 dpt=22 ruleName=deny ssh ")


def test_event_types(standin: Standin) -> None:
    standin.configure(**{"EventTypeCollection.FirewallMatchEvent": "false"})
    standin.start()
    for kind in ("FirewallMatchEvent", "IncidentSummaryEvent"):
        standin.lab.crowdstrike.emit("contoso", 1, type=kind)
    assert standin.offsets(1) == [4712]
    until(lambda: "4712" in standin.saved(), standin.log)


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_syslog(standin: Standin, receive: Callable[..., Receiver], protocol: str) -> None:
    receiver = receive(protocol == "udp")
    syslog = {"Syslog.send_to_syslog_server": "true", "Syslog.host": "127.0.0.1", "Syslog.protocol": protocol}
    standin.configure(style="cef", output_to_file="false", **syslog, **{"Syslog.port": receiver.port})
    standin.start()
    standin.lab.crowdstrike.emit("contoso", 199, type="IncidentSummaryEvent")
    standin.lab.crowdstrike.emit("contoso", 1, type="IncidentSummaryEvent", Name="x" * 3000)
    found = receiver.lines(200)
    assert all(line.startswith("<14>2") and f" {NAME}[" in line and "]: CEF:0|" in line for line in found)
    assert [line.partition(" cn3=")[2].split()[0] for line in found[:-1]] == [str(4711 + n) for n in range(199)]
    assert len(found[-1].partition("]: ")[2]) == 2048
    assert standin.output() == ""


def test_tcp_waits_for_the_server(standin: Standin, receive: Callable[..., Receiver]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    syslog = {"Syslog.send_to_syslog_server": "true", "Syslog.host": "127.0.0.1", "Syslog.protocol": "tcp"}
    standin.configure(style="cef", **syslog, **{"Syslog.port": port, "Syslog.retry_interval_secs": 1})
    standin.start()
    standin.lab.crowdstrike.emit("contoso", 5, type="IncidentSummaryEvent")
    standin.says("Unable to send to syslog server")
    assert standin.saved() == ""
    assert len(receive(False, port).lines(5)) == 5


# -- nothing lost -----------------------------------------------------------------------------------------------------


def test_offsets_survive_a_restart(standin: Standin) -> None:
    standin.configure()
    standin.start()
    standin.lab.crowdstrike.emit("contoso", 4)
    standin.offsets(4)
    assert standin.stop() < 5  # a second, on a machine that is not busy; without an end of the read it is 30
    standin.lab.crowdstrike.emit("contoso", 4)
    standin.start()
    assert standin.offsets(8) == list(range(4711, 4719))


def test_a_kill_repeats_at_most_one_event(standin: Standin) -> None:
    standin.configure()
    standin.start()
    standin.lab.crowdstrike.emit("contoso", 2000)
    standin.offsets(50)
    standin.end()
    standin.start()
    until(lambda: "6710" in standin.saved(), standin.log)
    assert standin.peak() < 64  # 24 for Python and nothing read
    text = standin.output()
    found = [int(part.split(",")[0]) for part in text.split('"offset": ')[1:]]
    assert sorted(set(found)) == list(range(4711, 6711))
    assert len(found) <= 2001


def test_a_cut_stream(standin: Standin) -> None:
    standin.configure()
    standin.start()
    standin.says("Heartbeat")
    standin.lab.crowdstrike.do("cut", cid="contoso", after=2)
    standin.lab.crowdstrike.emit("contoso", 5)
    assert standin.offsets(5) == list(range(4711, 4716))
    standin.says("was interrupted")


def test_a_silent_stream(standin: Standin) -> None:
    standin.configure(read_timeout=1)
    standin.start()
    standin.says("Heartbeat")
    standin.lab.crowdstrike.do("silence", cid="contoso")
    standin.lab.crowdstrike.emit("contoso", 2)
    standin.says("interrupted: .*timed out")
    standin.lab.crowdstrike.do("silence", cid="contoso", on=False)
    assert standin.offsets(2) == [4711, 4712]


def test_partitions(standin: Standin) -> None:
    standin.configure("tailspin")
    standin.start()
    standin.lab.crowdstrike.emit("tailspin", 6)
    assert sorted(standin.offsets(6)) == [90210, 90211, 90212, 91210, 91211, 91212]
    standin.stop()
    standin.configure("tailspin", partition=1)
    standin.lab.crowdstrike.emit("tailspin", 2)
    standin.start()
    assert standin.offsets(7)[6:] == [91213]


def test_a_file_for_each_cid(standin: Standin) -> None:
    many = standin.root / "config"
    standin.configure("contoso", path=many / "contoso.cfg", app_id="one")
    standin.configure("tailspin-games", path=many / "games.cfg", app_id="two")
    (many / "broken.cfg").write_text("[Settings\nversion = 3\n")
    standin.start()
    standin.lab.crowdstrike.emit("contoso", 1)
    standin.lab.crowdstrike.emit("tailspin-games", 2)
    assert (standin.offsets(1, "contoso"), standin.offsets(2, "games")) == ([4711], [1, 2])
    assert "app_id two" in standin.says("Heartbeat", "games")
    standin.says("Unable to start with .*broken.cfg: line 1", "broken")
    assert standin.log() == ""


def test_output_rotates(standin: Standin) -> None:
    standin.configure(**{"Output_File_Rotation.max_size": 1, "Output_File_Rotation.max_backups": 2})
    standin.start()
    standin.lab.crowdstrike.emit("contoso", 5, Description="x" * 700_000)
    until(lambda: "4715" in standin.saved(), standin.log)
    assert len(list(standin.logs.glob("output-*"))) == 2


# -- sessions ---------------------------------------------------------------------------------------------------------


def test_sessions_are_refreshed_and_replaced(standin: Standin) -> None:
    standin.lab.crowdstrike.do("switch", interval=1, grace=300)
    standin.configure()
    standin.start()
    until(lambda: any(item["refreshed"] >= 2 for item in standin.lab.crowdstrike.sessions("contoso")), standin.log)
    assert len(standin.lab.crowdstrike.sessions("contoso")) == 1
    standin.lab.crowdstrike.do("expire_tokens", cid="contoso")
    before = standin.lab.crowdstrike.sessions("contoso")[0]["refreshed"]
    until(lambda: standin.lab.crowdstrike.sessions("contoso")[0]["refreshed"] > before + 1, standin.log)
    standin.lab.crowdstrike.do("end_sessions", cid="contoso")
    standin.lab.crowdstrike.emit("contoso", 1)
    assert standin.offsets(1) == [4711]
    assert len(standin.lab.crowdstrike.sessions("contoso")) > 1
