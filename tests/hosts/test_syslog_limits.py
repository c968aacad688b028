"""Limits of a booted collector that hold: connections in all, by source and by sender; memory, whatever the records."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.conftest import Boot
from tests.hosts.nspawn import Host
from tests.hosts.syslog_tools import Fleet, eventually, healthy, lines_with, receiver_pids, record, send_tcp

UNIT = "mssp-syslog-contoso.service"
MEMORY_CGROUPS = Path("/sys/fs/cgroup/memory")  # where a limit on the host's processes can be enforced
LARGE, MANY = 60_000, 10_000
CONTOSO: dict[str, Any] = {
    "syslog_target_sources": {
        "few": {"transport": "tcp", "port": 5601, "more_ports": [5611], "max_connections": 20, "outputs": []},
        "many": {"transport": "tcp", "port": 5602},
        "oneway": {"transport": "tls", "port": 6514, "senders": ["10.213.0.0/16"], "outputs": []},
    },
    "syslog_target_outputs": {
        "dead": {"type": "tcp", "host": "127.0.0.1", "port": 9},
        "gone": {"type": "tcp", "host": "127.0.0.1", "port": 10},
    },
    "syslog_target_max_connections": 60,
    "syslog_target_max_connections_per_sender": 30,
    "syslog_target_stats_seconds": 1,
    "syslog_target_queue_disk_bytes": 4 << 30,
}


@pytest.fixture(scope="module")
def host(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Host:
    made = boot("bookworm", "limits")
    Fleet(tmp_path_factory.mktemp("fleet"), {"bookworm": made}).play("main", {"contoso": CONTOSO})
    return made


@contextlib.contextmanager
def connections(host: Host, wanted: int, *ports: int, sender: str = "") -> Iterator[int]:
    """How many of the wanted connections are open, while the block runs."""
    with contextlib.ExitStack() as stack:
        opened = 0
        for number in range(wanted):
            with contextlib.suppress(OSError):
                address = (host.address, ports[number % len(ports)])
                stack.enter_context(socket.create_connection(address, 10, (sender or host.gateway, 0)))
                opened += 1
        yield opened


def test_a_source_a_sender_and_all_together_have_their_limits(host: Host) -> None:
    with connections(host, 40, 5601, 5611, sender=host.senders[0]) as opened:
        assert opened == 20  # of the source, by both of its ports
    time.sleep(1)
    with connections(host, 40, 5602, sender=host.senders[1]) as first:
        assert first == 30  # of the sender
        with connections(host, 25, 5602, sender=host.senders[2]) as second:
            assert second == 25
            with connections(host, 40, 5602, sender=host.senders[3]) as third:
                assert third == 5  # of all
    time.sleep(1)
    send_tcp(host, 5602, (record("after the flood") + "\n").encode())
    assert len(lines_with(host, "contoso", "many", "after the flood")) == 1


def test_an_appliance_without_a_certificate_is_taken_from_its_address(host: Host, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text(host.run("cat /etc/mssp/syslog/contoso/tls/ca.pem").stdout, encoding="ascii")
    context = ssl.create_default_context(cafile=str(ca))
    context.check_hostname = False
    with socket.create_connection((host.address, 6514), 10) as plain, context.wrap_socket(plain) as out:
        out.sendall((record("one way") + "\n").encode())
    assert len(lines_with(host, "contoso", "oneway", "one way")) == 1


def test_the_units_are_confined(host: Host) -> None:
    for unit in (UNIT, "mssp-syslog-contoso-guard.service"):
        said = host.run(f"systemd-analyze security --no-pager {unit}").stdout
        exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
        assert exposure, said
        print(f"\nexposure {unit}: {exposure[1]}")
        assert float(exposure[1]) <= 3.0, said
        # No port below 1024, no datagrams, no files of others: nothing of root's power is left to it.
        assert host.run(f"systemctl show --value -p CapabilityBoundingSet {unit}").stdout.strip() == ""
    assert healthy(host, "contoso")


@pytest.mark.skipif(not MEMORY_CGROUPS.is_dir(), reason="no memory cgroup that this machine can set")
def test_two_dead_outputs_and_large_records_stay_within_the_units_memory(host: Host) -> None:
    """The limit is enforced from outside, as systemd does where it may: a process that needs more is killed."""
    group = MEMORY_CGROUPS / f"mssp-limit-{host.slot}"
    group.mkdir(exist_ok=True)
    try:
        (group / "memory.limit_in_bytes").write_text(str(1 << 30), encoding="ascii")
        for pid in receiver_pids(host, "/etc/mssp/syslog/contoso/rsyslog.conf"):
            (group / "cgroup.procs").write_text(str(pid), encoding="ascii")
        text = (record("L" * LARGE) + "\n").encode()
        with socket.create_connection((host.address, 5602), 10) as out:
            for _number in range(MANY):
                out.sendall(text)
            out.shutdown(socket.SHUT_WR)
            out.recv(1)
        size = "stat -c %s /var/log/collected/contoso/many/many.log"
        eventually(lambda: int(host.run(size).stdout) >= MANY * LARGE, 60)
        peak = int((group / "memory.max_usage_in_bytes").read_text(encoding="ascii")) >> 20
        rss = host.run(f"grep VmHWM /proc/$(systemctl show --value -p MainPID {UNIT})/status").stdout.split()[1]
        print(f"\nmemory with two dead outputs: at most {int(rss) >> 10} MiB resident, {peak} MiB in its group")
        assert peak > 10, "the limit was not enforced"
        assert healthy(host, "contoso")
        found = int(host.run("grep -c LLLL /var/log/collected/contoso/many/many.log", timeout=120).stdout)
        assert found == MANY
        assert int(rss) >> 10 < 900
    finally:
        host.run(f"systemctl stop {UNIT}", timeout=120)
        with contextlib.suppress(OSError):
            group.rmdir()
