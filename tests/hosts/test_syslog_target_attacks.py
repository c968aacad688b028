"""What senders may try against a booted collector of two tenants: contained, logged, service up, neighbour unharmed."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.conftest import Boot
from tests.hosts.nspawn import SUITES, Host
from tests.hosts.syslog_tools import (
    Fleet,
    eventually,
    fetch_peer,
    healthy,
    lines_with,
    octets,
    record,
    send_tcp,
    send_udp,
    stored,
    tls_connection,
)

PEER, COLLECTOR = "fw.contoso.example", "collector.contoso.example"
CONTOSO: dict[str, Any] = {
    "syslog_target_sources": {
        "one": {"transport": "udp", "port": 5514, "senders": ["10.213.0.0/16"], "file_per": "sender"},
        "stream": {"transport": "tcp", "port": 5601},
        "low": {"transport": "tcp", "port": 5602, "priority": "low"},
        "secure": {"transport": "tls", "port": 6514, "peers": [PEER]},
        # Two sources on one port, told apart by address; nobody else is taken there.
        "near": {"transport": "udp", "port": 5515, "senders": ["10.213.0.0/16"], "severity": "warning"},
        "far": {"transport": "udp", "port": 5515, "senders": ["198.51.100.0/24"], "facilities": ["local4"]},
        "only": {"transport": "udp", "port": 5516, "senders": ["198.51.100.7"]},
        "drop": {"transport": "file", "paths": ["/srv/drop/*.log"], "outputs": ["loop", "relay"]},
        "looped": {"transport": "tls", "port": 6515, "peers": [COLLECTOR], "outputs": []},
    },
    "syslog_target_outputs": {
        "dead": {"type": "tcp", "host": "127.0.0.1", "port": 9},
        "live": {"type": "ama", "port": 28330},
        "loop": {"type": "tls", "host": "127.0.0.1", "port": 6515, "peer": COLLECTOR},
        "relay": {"type": "relp", "host": "127.0.0.1", "port": 7520},
    },
    "syslog_target_tls_names": [COLLECTOR],
    "syslog_target_max_files": 16,
    "syslog_target_stats_seconds": 1,
}
for source in CONTOSO["syslog_target_sources"].values():
    source.setdefault("outputs", ["dead", "live"])
FABRIKAM: dict[str, Any] = {
    "syslog_target_sources": {
        "stream": {"transport": "tcp", "port": 7601},
        "secure": {"transport": "tls", "port": 7514, "peers": ["fw.fabrikam.example"]},
        "relayed": {"transport": "relp", "port": 7520},
    },
    "syslog_target_stats_seconds": 1,
}
OWN_LOG = "/var/log/collected/contoso/_collector/rsyslog.log"
TENANTS = {"contoso": CONTOSO, "fabrikam": FABRIKAM}


@pytest.fixture(scope="module")
def fleet(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """Both tenants on both machines, made at the same time from four forks."""
    made = Fleet(tmp_path_factory.mktemp("fleet"), {suite: boot(suite, suite) for suite in SUITES})
    for host in made.hosts.values():
        host.run("mkdir /srv/drop")
    made.play("main", TENANTS)
    return made


@pytest.fixture(params=SUITES)
def host(request: pytest.FixtureRequest, fleet: Fleet) -> Host:
    return fleet.hosts[request.param]


@pytest.fixture(autouse=True)
def _both_go_on(host: Host) -> Iterator[None]:
    """After each attack both receivers are the processes that they were, and the other tenant's takes records."""
    yield
    assert [healthy(host, tenant) for tenant in TENANTS] == [True, True]
    assert neighbour_takes_records(host, f"after {os.urandom(4).hex()}")


def neighbour_takes_records(host: Host, text: str) -> bool:
    send_tcp(host, 7601, (record(text) + "\n").encode())
    return len(lines_with(host, "fabrikam", "stream", text)) == 1


def refused(host: Host) -> int:
    """Clients from here of which contoso's receiver has written that it closed their connection."""
    line = f"grep -c 'from {host.gateway} will be closed due to error' {OWN_LOG}"
    return int(host.run(line, check=False).stdout)


def is_refused(host: Host, port: int, certificate: Path, ca: Path, text: str) -> None:
    """Told by the receiver, whatever the client sees. Tried again, as by appliances: after a flood lines are few."""
    before = refused(host)

    def told() -> bool:
        with contextlib.suppress(OSError), tls_connection(host, port, certificate, ca) as out:
            out.sendall((record(text) + "\n").encode())
            time.sleep(0.5)
        return refused(host) > before

    assert eventually(told, 60)


def folders(host: Host) -> set[str]:
    return set(host.run("find /var/log/collected -type d").stdout.split())


FORGED = ("../../x", "/abs/x", "..", ".", "a/../../b", "x" * 300, "%fromhost-ip%", "$(id)", "\x1b[2J")


def test_forged_host_names_are_only_text(host: Host) -> None:
    before = folders(host)
    send_udp(host, 5514, *(record(f"forged {number}", name) for number, name in enumerate(FORGED)))
    send_tcp(host, 5601, "".join(record(f"forged {n}", name) + "\n" for n, name in enumerate(FORGED)).encode())
    for source in ("one", "stream"):
        assert len(lines_with(host, "contoso", source, "forged ", len(FORGED))) == len(FORGED)
    assert folders(host) - before <= {f"/var/log/collected/contoso/{name}" for name in ("one", "stream")}
    assert host.run("find / -xdev -name '*x*' -newer /etc/mssp/syslog/contoso/rsyslog.conf -path '*abs*'").stdout == ""


def test_a_thousand_hosts_make_no_more_files_than_the_cap(host: Host) -> None:
    send_udp(host, 5514, *(record(f"crowd {number}", f"host{number}") for number in range(1000)))
    assert len(lines_with(host, "contoso", "one", "crowd ", 1000)) == 1000
    names = host.run("ls /var/log/collected/contoso/one").stdout.split()
    assert 0 < len(names) <= CONTOSO["syslog_target_max_files"]
    assert all(re.fullmatch(r"bucket-\d+\.log", name) for name in names)


def test_ten_megabytes_in_one_record_come_in_pieces_of_the_limit(host: Host) -> None:
    send_tcp(host, 5601, record("giant " + "A" * 10_000_000).encode() + b"\n" + record("after giant").encode() + b"\n")
    assert len(lines_with(host, "contoso", "stream", "after giant")) == 1
    pieces = [line for line in stored(host, "contoso", "stream") if "AAAA" in line]
    # 8.2302 drops one byte at each cut.
    assert sum(line.count("A") for line in pieces) >= 10_000_000 - len(pieces)
    assert len(pieces) <= 10_000_000 // 65536 + 2
    assert max(map(len, pieces)) < 66_200


def test_an_embedded_line_feed_does_not_make_a_second_record(host: Host) -> None:
    send_tcp(host, 5601, octets(record("first\n2026-11-21T10:00:00+00:00 10.9.9.9 <134>forged line")))
    found = lines_with(host, "contoso", "stream", "forged line")
    assert len(found) == 1
    assert "first#012" in found[0]


def test_half_open_tls_connections_leave_room_for_a_real_client(host: Host, tmp_path: Path) -> None:
    certificate, ca = fetch_peer(host, "contoso", PEER, tmp_path)
    before = refused(host)
    flood = [socket.create_connection((host.address, 6514), 10) for _ in range(300)]
    try:
        for number, out in enumerate(flood):
            if number % 2:
                out.sendall(b"\x16\x03\x01\x02\x00")  # a ClientHello that never goes on
        with tls_connection(host, 6514, certificate, ca) as out:
            out.sendall((record("through the flood") + "\n").encode())
        assert len(lines_with(host, "contoso", "secure", "through the flood")) == 1
        assert neighbour_takes_records(host, "during the flood")
    finally:
        for out in flood:
            out.close()
    assert eventually(lambda: refused(host) >= before + len(flood) // 2, 60)


def test_another_tenants_certificate_is_refused_and_told(host: Host, fleet: Fleet, tmp_path: Path) -> None:
    theirs, _ca = fetch_peer(host, "fabrikam", "fw.fabrikam.example", tmp_path)
    _mine, ca = fetch_peer(host, "contoso", PEER, tmp_path)
    is_refused(host, 6514, theirs, ca, "stolen way in")
    assert lines_with(host, "contoso", "secure", "stolen", seconds=1) == []
    time.sleep(2)
    output = fleet.play("verify", {"contoso": CONTOSO}, fails=True).output
    assert "refused_tls" in output
    assert host.gateway in output


def test_a_source_takes_its_own_peers_only(host: Host, tmp_path: Path) -> None:
    """Of one tenant and one authority: the certificate of one source at the port of the other."""
    certificate, ca = fetch_peer(host, "contoso", PEER, tmp_path)
    is_refused(host, 6515, certificate, ca, "at the wrong door")
    assert lines_with(host, "contoso", "looped", "at the wrong door", seconds=1) == []


@pytest.mark.parametrize(
    ("ciphers", "taken"),
    [("ECDHE-ECDSA-AES128-GCM-SHA256", True), ("ECDHE-ECDSA-AES128-SHA256", False), ("ECDHE-ECDSA-AES128-SHA", False)],
)
def test_no_cipher_of_yesterday_is_spoken(host: Host, tmp_path: Path, ciphers: str, taken: bool) -> None:
    certificate, _ca = fetch_peer(host, "contoso", PEER, tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    context.load_cert_chain(certificate)
    with socket.create_connection((host.address, 6514), 10) as plain:
        if taken:
            with context.wrap_socket(plain) as out:
                assert out.version() == "TLSv1.2"
        else:
            with pytest.raises(OSError):
                context.wrap_socket(plain)


def test_sources_on_one_port_are_told_apart_by_address(host: Host) -> None:
    send_udp(host, 5515, record("too low", priority=134), record("bad enough", priority=132), sender=host.senders[1])
    assert len(lines_with(host, "contoso", "near", "bad enough")) == 1
    assert [line for line in stored(host, "contoso", "near") if "too low" in line] == []
    assert stored(host, "contoso", "far") == []


def test_a_stranger_is_counted_and_not_stored(host: Host) -> None:
    send_udp(host, 5516, record("stranger"), sender=host.senders[2])
    stats = "/var/log/collected/contoso/_collector/stats.log"
    wanted = f"grep refused_senders {stats} | grep -c {host.senders[2]}"
    assert eventually(lambda: host.run(wanted, check=False).stdout.strip() not in ("", "0"))
    assert host.run("grep -r stranger /var/log/collected/*/[a-z]*", check=False).stdout == ""


def test_a_dead_output_holds_up_neither_storage_nor_the_other_output(host: Host) -> None:
    # Every connection: rsyslog opens one to see whether a target that was away is there again.
    server = "import socket, threading; s = socket.create_server(('127.0.0.1', 28330)); f = open('/run/ama', 'ab', 0)\n"
    server += "def take(c):\n    for line in c.makefile('rb'):\n        f.write(line)\n"
    server += "while True:\n    threading.Thread(target=take, args=(s.accept()[0],)).start()\n"
    host.run("cat > /run/ama.py; systemd-run --quiet python3 /run/ama.py", stdin=server)
    text = "".join(record(f"forwarded {number}") + "\n" for number in range(3000))
    send_tcp(host, 5602, text.encode())
    assert len(lines_with(host, "contoso", "low", "forwarded ", 3000)) == 3000
    assert eventually(lambda: int(host.run("grep -c forwarded /run/ama", check=False).stdout or 0) >= 2000, 60)


SQUATTER = """systemd-run --quiet python3 -c "
import socket, time
taken = socket.create_server(('', 5999))
time.sleep(600)"
sleep 1"""


def test_a_dropped_file_goes_out_by_tls_and_relp_and_says_whose_it_is(host: Host) -> None:
    host.run("echo 'a dropped line' >> /srv/drop/a.log")
    assert len(lines_with(host, "contoso", "drop", "a dropped line")) == 1
    for tenant, source in (("contoso", "looped"), ("fabrikam", "relayed")):
        found = lines_with(host, tenant, source, "a dropped line")
        assert len(found) == 1, source
        assert '[mssp@32473 tenant="contoso" source="drop" sender=""]' in found[0]


def test_a_bad_change_is_rolled_back_with_rsyslogs_words(host: Host, fleet: Fleet) -> None:
    host.run(SQUATTER)
    sources = {**CONTOSO["syslog_target_sources"], "bad": {"transport": "tcp", "port": 5999}}
    wanted = {**CONTOSO, "syslog_target_sources": sources}
    before = host.run("cat /etc/mssp/syslog/contoso/rsyslog.conf").stdout
    alone = Fleet(fleet.folder, {host.suite: host})
    output = re.sub(r"\s+", " ", alone.play("main", {"contoso": wanted}, fails=True).output)
    assert "Address already in use" in output
    assert host.run("cat /etc/mssp/syslog/contoso/rsyslog.conf").stdout == before
    send_tcp(host, 5601, (record("after rollback") + "\n").encode())
    assert len(lines_with(host, "contoso", "stream", "after rollback")) == 1
    assert neighbour_takes_records(host, "beside a rollback")
    assert alone.play("main", {"contoso": CONTOSO}).changed == {f"contoso-{host.suite}": 0}


def test_a_full_disk_stops_low_priority_first_and_nobody_else(host: Host) -> None:
    """The storage is a small file system of its own here, filled from outside."""
    unit, folder = "mssp-syslog-contoso.service", "/var/log/collected/contoso"
    host.run(f"systemctl stop {unit}; mount -t tmpfs -o size=64m tmpfs {folder}; systemctl start {unit}")
    try:
        host.run(f"head -c 57m /dev/zero > {folder}/ballast; systemctl start mssp-syslog-contoso-guard")
        assert eventually(lambda: "not taken" in host.run("journalctl -q -t mssp-syslog-guard").stdout)
        time.sleep(1)
        send_tcp(host, 5602, (record("of low priority") + "\n").encode())
        send_tcp(host, 5601, (record("of normal priority") + "\n").encode())
        assert len(lines_with(host, "contoso", "stream", "of normal priority")) == 1
        assert stored(host, "contoso", "low") == []
        alarms = f"cat {folder}/_collector/rsyslog.log"
        assert eventually(lambda: "priority low are not taken" in host.run(alarms).stdout)
        host.run(f"head -c 99m /dev/zero > {folder}/ballast2", check=False)
        send_tcp(host, 5601, (record("into the full disk") + "\n").encode() * 2000)
        assert neighbour_takes_records(host, "beside a full disk")
        assert host.run(f"systemctl is-active {unit}").stdout == "active\n"
        host.run(f"rm {folder}/ballast*; systemctl start mssp-syslog-contoso-guard; sleep 1")
        send_tcp(host, 5602, (record("taken again") + "\n").encode())
        assert len(lines_with(host, "contoso", "low", "taken again")) == 1
    finally:
        host.run(f"systemctl stop {unit}; umount {folder}; systemctl start {unit}; sleep 1")


def test_one_tenant_leaves_and_the_other_notices_nothing(host: Host, fleet: Fleet) -> None:
    def inside() -> str:
        listed = "find /etc/mssp/syslog/contoso /etc/systemd/system/mssp-syslog-contoso* -type f -exec sha256sum {} +"
        return host.run(f"{listed} | sort; systemctl show -p MainPID mssp-syslog-contoso").stdout

    before = inside()
    alone = Fleet(fleet.folder, {host.suite: host})
    alone.play("offboard", {"fabrikam": FABRIKAM})
    assert host.run("ls -d /etc/mssp/syslog/fabrikam /etc/systemd/system/*fabrikam*", check=False).stdout == ""
    assert inside() == before
    alone.play("main", {"fabrikam": FABRIKAM})
    assert inside() == before
