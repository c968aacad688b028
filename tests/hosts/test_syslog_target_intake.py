"""What a booted collector takes besides the example: framings, filters, RELP by TLS, certificates that are given, IPv6.

And its files: an output's, rotation, retention. What rsyslog refuses, and preflight.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.conftest import Boot
from tests.hosts.nspawn import Host
from tests.hosts.syslog_tools import (
    Fleet,
    eventually,
    fetch_peer,
    healthy,
    lines_with,
    record,
    send_relp,
    send_tcp,
    stored,
    tls_connection,
)
from tests.unit.plugins.module_utils._collector.certificates import make_certificate

PEER = "mail.contoso.example"
CONTOSO: dict[str, Any] = {
    "syslog_target_sources": {
        "nul": {"transport": "tcp", "port": 5601, "framing": "nul"},
        "lf": {"transport": "tcp", "port": 5602, "framing": "lf"},
        "relp": {"transport": "relp", "port": 5603, "peers": [PEER]},
        "six": {"transport": "udp", "port": 5604, "senders": ["fd00:5:6:7::/64"]},
        "auth": {"transport": "tcp", "port": 5605, "facilities": ["auth", "authpriv"], "outputs": ["copy"]},
    },
    "syslog_target_outputs": {
        "dead": {"type": "tcp", "host": "127.0.0.1", "port": 9},
        "copy": {"type": "file", "path": "/srv/copy/all.log"},
    },
    "syslog_target_retention_days": 3,
    "syslog_target_stats_seconds": 1,
}
for source in CONTOSO["syslog_target_sources"].values():
    source.setdefault("outputs", ["dead"])
GIVEN: dict[str, Any] = {
    "syslog_target_sources": {"secure": {"transport": "tls", "port": 7514, "peers": [PEER]}},
}
# Its authority stays on the control node, which signs for the host.
SIGNED: dict[str, Any] = {
    "syslog_target_sources": {"secure": {"transport": "tls", "port": 7515, "peers": [PEER]}},
    "syslog_target_tls_key_type": "rsa",
}
FOLDER = "/var/log/collected/contoso"
SEND_SIX = """
import socket
for address in ("fd00:5:6:7::8", "fd00:5:6:8::8"):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as out:
        out.bind((address, 0))
        out.sendto(f"<134>1 - h a - - - from {address}".encode(), ("::1", 5604))
"""


@pytest.fixture(scope="module")
def fleet(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    made = Fleet(tmp_path_factory.mktemp("fleet"), {"bookworm": boot("bookworm", "intake")})
    made.hosts["bookworm"].run("mkdir /srv/copy")
    authority = make_certificate(made.folder, "ca", None)
    for name in ("collector", PEER):
        make_certificate(made.folder, name, authority)
    files = {"tls_ca": "ca.pem", "tls_certificate": "collector.pem", "tls_key": "collector.key"}
    given = {f"syslog_target_{name}": (made.folder / file).read_text() for name, file in files.items()}
    kept = {"tls_ca": (made.folder / "ca.pem").read_text(), "tls_ca_key": (made.folder / "ca.key").read_text()}
    signed = {**SIGNED, **{f"syslog_target_{name}": text for name, text in kept.items()}}
    played = made.play("main", {"contoso": CONTOSO, "given": {**GIVEN, **given}, "signed": signed})
    assert kept["tls_ca_key"] not in played.output
    assert made.play("main", {"signed": signed}).changed == {"signed-bookworm": 0}
    return made


@pytest.fixture
def host(fleet: Fleet) -> Host:
    return fleet.hosts["bookworm"]


def said(output: str) -> str:
    """Ansible breaks long lines where it likes."""
    return re.sub(r"\s+", " ", output)


def test_only_nul_ends_a_record_of_the_framing_nul(host: Host) -> None:
    send_tcp(host, 5601, f"{record('one')}\nstill one\0{record('two')}\0".encode())
    assert len(lines_with(host, "contoso", "nul", "one#012still one")) == 1
    assert len(lines_with(host, "contoso", "nul", "two")) == 1
    assert len(stored(host, "contoso", "nul")) == 2


def test_digits_at_the_start_are_no_count_with_the_framing_lf(host: Host) -> None:
    send_tcp(host, 5602, b"16 not a count but words\n" + record("next").encode() + b"\n")
    assert len(lines_with(host, "contoso", "lf", "16 not a count but words")) == 1
    assert len(lines_with(host, "contoso", "lf", "next")) == 1


def test_relp_by_tls_takes_the_peer_and_tells_of_others(host: Host, fleet: Fleet, tmp_path: Path) -> None:
    certificate, ca = fetch_peer(host, "contoso", PEER, tmp_path)
    with tls_connection(host, 5603, certificate, ca) as out:
        assert send_relp(out, record("sealed and acknowledged")) == 1
    assert len(lines_with(host, "contoso", "relp", "sealed and acknowledged")) == 1
    own = tmp_path / "collector.pem"  # of the same authority, but not the peer's name
    tls = "/etc/mssp/syslog/contoso/tls"
    own.write_text(host.run(f"cat {tls}/cert.pem {tls}/key.pem").stdout, encoding="ascii")
    with pytest.raises((OSError, AssertionError, IndexError)), tls_connection(host, 5603, own, ca) as out:
        send_relp(out, record("with another name"))
    with pytest.raises((OSError, AssertionError, IndexError)):
        send_relp(socket.create_connection((host.address, 5603), 10), record("in the clear"))
    assert [line for line in stored(host, "contoso", "relp") if "sealed" not in line] == []
    counted = f"""grep '"refused_tls"' {FOLDER}/_collector/stats.log | grep -c '"clients": 2'"""
    assert eventually(lambda: host.run(counted, check=False).stdout.strip() not in ("", "0"), 60)
    output = said(fleet.play("verify", {"contoso": CONTOSO}, fails=True).output)
    assert "refused_tls: TLS clients (2): refused; last:" in output
    assert f"conn to clt {host.gateway}" in output
    assert healthy(host, "contoso")


def test_a_control_node_signs_and_its_key_is_never_on_the_host(host: Host, fleet: Fleet, tmp_path: Path) -> None:
    certificate, ca = fetch_peer(host, "signed", PEER, tmp_path)
    assert ca.read_text().strip() == (fleet.folder / "ca.pem").read_text().strip()
    with tls_connection(host, 7515, certificate, ca) as out:
        out.sendall((record("by what was signed elsewhere") + "\n").encode())
    assert len(lines_with(host, "signed", "secure", "by what was signed elsewhere", seconds=60)) == 1
    words = "".join((fleet.folder / "ca.key").read_text().splitlines()[1:3])
    here = "/etc/mssp/syslog/signed /var/lib/rsyslog/mssp/signed"
    assert host.run(f"find {here} -name '*.key' -o -name requests").stdout.split() == [
        f"/etc/mssp/syslog/signed/tls/clients/{PEER}.key"
    ]
    assert words not in host.run(f"cat $(find {here} -name '*.key' -o -name key.pem) | tr -d '\\n'").stdout


def test_certificates_that_are_given_are_used_and_none_are_made(host: Host, fleet: Fleet) -> None:
    client = fleet.folder / "client.pem"
    client.write_bytes(b"".join((fleet.folder / f"{PEER}.{ending}").read_bytes() for ending in ("pem", "key")))
    with tls_connection(host, 7514, client, fleet.folder / "ca.pem") as out:
        out.sendall((record("by a given certificate") + "\n").encode())
    assert len(lines_with(host, "given", "secure", "by a given certificate", seconds=60)) == 1
    made = host.run("ls -A --file-type /etc/mssp/syslog/given/tls").stdout.split()
    assert made == ["ca.pem", "cert.pem", "key.pem"]


def test_a_source_keeps_only_its_facilities_and_an_output_to_a_file_has_them(host: Host) -> None:
    send_tcp(host, 5605, "".join(record(f"of {p}", priority=p) + "\n" for p in (38, 134, 86)).encode())
    assert len(lines_with(host, "contoso", "auth", "of 86", seconds=60)) == 1
    assert len(stored(host, "contoso", "auth")) == 2
    assert "of 134" not in " ".join(stored(host, "contoso", "auth"))
    assert eventually(lambda: "of 86" in host.run("cat /srv/copy/all.log", check=False).stdout, 60)
    assert host.run("grep -c 'of [0-9]' /srv/copy/all.log").stdout == "2\n"


def test_an_ipv6_network_is_taken_and_its_neighbour_is_counted(host: Host) -> None:
    for address in ("fd00:5:6:7::8", "fd00:5:6:8::8"):
        host.run(f"ip address add {address}/64 dev lo nodad")
    host.run("python3 -", stdin=SEND_SIX)
    assert len(lines_with(host, "contoso", "six", "from fd00:5:6:7::8")) == 1
    counted = f"grep refused_senders {FOLDER}/_collector/stats.log | grep -c fd00:5:6:8::8"
    assert eventually(lambda: host.run(counted, check=False).stdout.strip() not in ("", "0"), 60)
    assert len(stored(host, "contoso", "six")) == 1


def test_logrotate_itself_moves_and_compresses_and_no_record_is_lost(host: Host) -> None:
    rotate = "logrotate --force /etc/logrotate.d/mssp-syslog-contoso"
    for day in range(3):
        send_tcp(host, 5602, (record(f"of day {day}") + "\n").encode())
        assert len(lines_with(host, "contoso", "lf", f"of day {day}")) == 1
        host.run(f"{rotate}; sleep 1.1")  # the names of two rotations differ by the second
    send_tcp(host, 5602, (record("of today") + "\n").encode())
    assert eventually(lambda: "of today" in host.run(f"cat {FOLDER}/lf/lf.log", check=False).stdout, 60)
    files = host.run(f"ls {FOLDER}/lf").stdout.split()
    assert len([name for name in files if name.endswith(".gz")]) == 2  # the newest is still plain
    kept = host.run(f"cd {FOLDER}/lf && zcat -f *").stdout
    assert [kept.count(f"of day {day}") for day in range(3)] == [1, 1, 1]
    assert host.run(f"stat -c %a {FOLDER}/lf/*.gz").stdout.split() == ["640", "640"]
    host.run(rotate)  # a fourth file, of which three are kept
    kept = host.run(f"cd {FOLDER}/lf && zcat -f *").stdout
    assert [kept.count(text) for text in ("of day 0", "of day 1", "of today")] == [0, 1, 1]


def test_what_rsyslog_itself_refuses_changes_nothing(fleet: Fleet, host: Host) -> None:
    state = "sha256sum /etc/mssp/syslog/contoso/rsyslog.conf; systemctl show -p MainPID mssp-syslog-contoso"
    before = host.run(state).stdout
    bad = {"transport": "file", "paths": ["/srv/x.log"], "record": "regex", "record_start": "("}
    for arguments in ((), ("--check",)):
        wanted = {"contoso": {**CONTOSO, "syslog_target_sources": {**CONTOSO["syslog_target_sources"], "bad": bad}}}
        output = said(fleet.play("main", wanted, *arguments, fails=True).output)
        assert "nothing was changed" in output
        assert "error in startmsg.regex expansion: Unmatched (" in output
    assert host.run(state).stdout == before
    send_tcp(host, 5602, (record("after the refusal") + "\n").encode())
    assert len(lines_with(host, "contoso", "lf", "after the refusal")) == 1
    assert fleet.play("main", {"contoso": CONTOSO}).changed == {"contoso-bookworm": 0}


@pytest.fixture
def squatter(host: Host) -> Iterator[None]:
    program = "import socket, time\ntaken = socket.create_server(('', 5999))\ntime.sleep(600)"
    host.run(f'systemd-run --quiet --unit=squatter python3 -c "{program}"')
    assert eventually(lambda: ":5999 " in host.run("ss -Hlnt").stdout, 60)
    yield
    host.run("systemctl stop squatter")


@pytest.mark.usefixtures("squatter")
def test_preflight_names_what_is_in_the_way_and_not_what_is_ours(fleet: Fleet, host: Host) -> None:
    sources = {**CONTOSO["syslog_target_sources"], "new": {"transport": "tcp", "port": 5999}}
    wanted = {"contoso": {**CONTOSO, "syslog_target_sources": sources}}
    output = said(fleet.play("preflight", wanted, fails=True).output)
    assert re.search(r"port tcp 5999 of source new: python3 \(pid \d+\) has it at 0.0.0.0. the host's admin", output)
    assert "output dead (127.0.0.1:9): [Errno 111] Connection refused" in output
    assert "of source lf:" not in output  # our own receiver has that port
    assert "package " not in output
