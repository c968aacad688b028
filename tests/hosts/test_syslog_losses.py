"""Each loss that a booted receiver can have is told by verify, with its count, and told once."""

from __future__ import annotations

import re
import socket
import struct
import time
from typing import Any

import pytest

from tests.hosts.conftest import Boot
from tests.hosts.nspawn import Host
from tests.hosts.syslog_tools import Fleet, eventually, lines_with, octets, record, send_tcp, send_udp

UNIT = "mssp-syslog-contoso.service"
CONTOSO: dict[str, Any] = {
    "syslog_target_sources": {
        "udp": {"transport": "udp", "port": 5514},
        "auto": {"transport": "tcp", "port": 5601, "max_connections": 3, "outputs": []},
        "tls": {"transport": "tls", "port": 6514, "senders": ["10.213.0.0/16"], "outputs": []},
        "auth": {"transport": "udp", "port": 5515, "facilities": ["auth"], "outputs": []},
    },
    "syslog_target_outputs": {"siem": {"type": "tcp", "host": "127.0.0.1", "port": 9}},
    "syslog_target_stats_seconds": 1,
}


@pytest.fixture(scope="module")
def fleet(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    made = Fleet(tmp_path_factory.mktemp("fleet"), {"bookworm": boot("bookworm", "losses")})
    made.play("main", {"contoso": CONTOSO})
    return made


def verified(fleet: Fleet) -> str:
    """What verify says; Ansible breaks long lines where it likes."""
    time.sleep(3)  # until the receiver has written its counters
    return re.sub(r"\s+", " ", fleet.play("verify", {"contoso": CONTOSO}, fails=True).output)


def counted(output: str, finding: str) -> int:
    found = re.search(rf"{finding}(?: \((\d+)\))?: ", output)
    assert found, (finding, output)
    return int(found[1] or 1)


def test_each_loss_is_told_once(fleet: Fleet) -> None:
    host = fleet.hosts["bookworm"]
    send_udp(host, 5514, record("before"))
    assert len(lines_with(host, "contoso", "udp", "before")) == 1
    stored = overrun(host, 20_000)
    send_tcp(host, 5601, b"2026-11-29 10:00:01 GET /\n" + record("after").encode() + b"\n")
    send_tcp(host, 5601, octets("<134>" + "A" * 70_000))
    reset(host, 5601, (record("then a reset") + "\n").encode())
    for _number in range(3):
        reset(host, 6514, b"")
    opened = [socket.create_connection((host.address, 5601), 10) for _number in range(3)]
    with pytest.raises(OSError):
        socket.create_connection((host.address, 5601), 10).close()
    for connection in opened:
        connection.close()
    send_udp(host, 5515, "date=2026-11-29 devname=x")

    said = verified(fleet)
    assert counted(said, "udp_drops: udp 5514") == 20_000 - stored
    assert counted(said, f"framing: {host.gateway}") == 1
    assert counted(said, f"oversize: {host.gateway}") == 1
    assert counted(said, "cut: connections") >= 1
    assert counted(said, "limited: connections") == 1
    assert counted(said, "waiting: siem") == stored + 1
    assert "refused_tls" not in said

    host.run(f"systemctl kill --signal=KILL {UNIT}; sleep 3")
    said = verified(fleet)
    assert counted(said, "killed: receiver") == 1
    for told in ("udp_drops", "framing", "oversize", "limited", "cut"):
        assert f"{told}: " not in said
    assert "killed" not in fleet.play("verify", {"contoso": CONTOSO}).output  # all is well: it was told once


def overrun(host: Host, count: int) -> int:
    """Send datagrams while the receiver stands still; how many it then had."""
    host.run(f"systemctl kill --signal=STOP {UNIT}")
    send_udp(host, 5514, *(record(f"burst {number} " + "x" * 1000) for number in range(count)))
    host.run(f"systemctl kill --signal=CONT {UNIT}")
    lines = "grep -c 'burst ' /var/log/collected/contoso/udp/udp.log"
    seen = -1
    while (now := int(host.run(lines, check=False).stdout or 0)) != seen or not now:
        seen = now
        time.sleep(1)
    return now


def reset(host: Host, port: int, data: bytes) -> None:
    """A connection that ends as a firewall or a port check ends it."""
    with socket.create_connection((host.address, port), 10) as out:
        out.sendall(data)
        eventually(lambda: not data, 0.3)
        out.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
