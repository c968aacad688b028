"""Every shape of record through every transport to the store and to each kind of output, byte for byte."""

from __future__ import annotations

import base64
import re
import socket
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.conftest import Boot
from tests.hosts.nspawn import SUITES, Host
from tests.hosts.syslog_shapes import Shape, as_line, following, shapes
from tests.hosts.syslog_tools import Fleet, eventually, fetch_peer, send_relp, tls_connection

PEER, COLLECTOR = "fw.contoso.example", "collector.contoso.example"
ROUNDS = 3  # so many of each, mixed, on one connection
OUTPUTS = {"counted": 8001, "raw": 8002, "secure": 8003, "relp": 8004, "ama": 8005}
CONTOSO: dict[str, Any] = {
    "syslog_target_sources": {
        "udp": {"transport": "udp", "port": 5514},
        "auto": {"transport": "tcp", "port": 5601},
        "lines": {"transport": "tcp", "port": 5602, "framing": "lf"},
        "nul": {"transport": "tcp", "port": 5603, "framing": "nul"},
        "tls": {"transport": "tls", "port": 6514, "peers": [PEER]},
        "relp": {"transport": "relp", "port": 20514},
        "file": {"transport": "file", "paths": ["/srv/drop/*.log"]},
    },
    "syslog_target_outputs": {
        "counted": {"type": "tcp", "host": "127.0.0.1", "port": 8001},
        "raw": {"type": "tcp", "host": "127.0.0.1", "port": 8002, "envelope": "none"},
        "secure": {"type": "tls", "host": "127.0.0.1", "port": 8003, "peer": COLLECTOR},
        "relp": {"type": "relp", "host": "127.0.0.1", "port": 8004},
        "ama": {"type": "ama", "port": 8005},
        "copy": {"type": "file", "path": "/srv/copy/all.log"},
    },
    "syslog_target_tls_names": [COLLECTOR],
    "syslog_target_memory_max": "4G",  # so that no queue goes to disk, where rsyslog does not keep the order
}
ENVELOPE = re.compile(
    rb"<(\w+)>1 (\S+) (\S+) - - - \[mssp@32473 tenant=\"contoso\" source=\"(\w+)\" sender=\"(.*?)\"\] (.*)", re.DOTALL
)
# A SIEM of our own, which shares no code with rsyslog: each record it takes becomes a line of base64.
SIEM = """
import base64, socket, ssl, sys, threading
kind, port, tls = sys.argv[1], int(sys.argv[2]), "/etc/mssp/syslog/contoso/tls"
lock, out = threading.Lock(), open(f"/run/siem-{kind}", "ab", buffering=0)

def keep(record):
    with lock:
        out.write(base64.b64encode(record) + b"\\n")

def counted(reader, connection):
    while word := reader.read(1):
        while word[-1:] != b" ":
            word += reader.read(1)
        keep(reader.read(int(word)))

def lines(reader, connection):
    for line in reader:
        keep(line[:-1])

def relp(reader, connection):
    while True:
        word = b""
        while word.count(b" ") < 2:
            byte = reader.read(1)
            if not byte:
                return
            word += byte
        number, command, _ = word.split(b" ")
        length = b""
        while (byte := reader.read(1)).isdigit():
            length += byte
        data = reader.read(int(length))
        if byte == b" ":
            reader.read(1)
        if command == b"syslog":
            keep(data)
        answer = b"200 OK" + (b"\\nrelp_version=0\\ncommands=syslog" if command == b"open" else b"")
        connection.sendall(number + b" rsp %d " % len(answer) + answer + b"\\n")

takes = {"ama": lines, "relp": relp}.get(kind, counted)
server = socket.create_server(("127.0.0.1", port))
if kind == "secure":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{tls}/cert.pem", f"{tls}/key.pem")
    server = context.wrap_socket(server, server_side=True)
while True:
    connection = server.accept()[0]
    threading.Thread(target=takes, args=(connection.makefile("rb"), connection), daemon=True).start()
"""


@pytest.fixture(scope="module")
def fleet(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    made = Fleet(tmp_path_factory.mktemp("fleet"), {suite: boot(suite, suite) for suite in SUITES})
    for host in made.hosts.values():
        host.run("mkdir -p /srv/copy /srv/drop")
    made.play("main", {"contoso": CONTOSO})
    for host in made.hosts.values():
        host.run("cat > /run/siem.py", stdin=SIEM)
        for kind, port in OUTPUTS.items():
            host.run(f"systemd-run --quiet --unit=siem-{kind} python3 /run/siem.py {kind} {port}")
    return made


@pytest.fixture(params=SUITES)
def host(request: pytest.FixtureRequest, fleet: Fleet) -> Host:
    return fleet.hosts[request.param]


def mixed(chosen: Iterable[Shape]) -> list[Shape]:
    """Each shape with the next record behind it, a few times over."""
    pairs = [(shape, Shape(f"behind {shape.id}", following(shape), border=False)) for shape in chosen]
    return [each for _round in range(ROUNDS) for pair in pairs for each in pair]


def by_udp(host: Host, sent: list[Shape], _folder: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.bind((host.gateway, 0))
        for shape in sent:
            out.sendto(shape.record, (host.address, 5514))


def stream(host: Host, port: int, data: bytes) -> None:
    with socket.create_connection((host.address, port), 10) as out:
        out.sendall(data)
        out.shutdown(socket.SHUT_WR)
        out.recv(1)  # until the receiver has read to the end


def counts(sent: list[Shape]) -> bytes:
    return b"".join(b"%d %s" % (len(shape.record), shape.record) for shape in sent)


def by_tls(host: Host, sent: list[Shape], folder: Path) -> None:
    certificate, ca = fetch_peer(host, "contoso", PEER, folder)
    with tls_connection(host, 6514, certificate, ca) as out:
        out.sendall(counts(sent))


def by_relp(host: Host, sent: list[Shape], _folder: Path) -> None:
    records = [shape.record.decode("latin-1") for shape in sent]
    acknowledged = send_relp(socket.create_connection((host.address, 20514), 10), *records, encoding="latin-1")
    assert acknowledged == len(sent)


def by_file(host: Host, sent: list[Shape], _folder: Path) -> None:
    data = b"".join(shape.record + b"\n" for shape in sent)
    host.run("base64 -d > /srv/new.log && mv /srv/new.log /srv/drop/shapes.log", stdin=base64.b64encode(data).decode())


def one_line(shape: Shape) -> bool:
    return b"\n" not in shape.record and bool(shape.record)


def begins_with_pri(shape: Shape) -> bool:
    return one_line(shape) and shape.record.startswith(b"<")


# Name of the source: which shapes its transport can carry, and how.
WAYS: dict[str, tuple[Any, Any]] = {
    "udp": (lambda shape: len(shape.record) <= 65_507, by_udp),
    "auto": (lambda _shape: True, lambda host, sent, _folder: stream(host, 5601, counts(sent))),
    "lines": (
        one_line,
        lambda host, sent, _folder: stream(host, 5602, b"".join(shape.record + b"\r\n" for shape in sent)),
    ),
    "nul": (
        lambda shape: b"\0" not in shape.record,
        lambda host, sent, _folder: stream(host, 5603, b"".join(shape.record + b"\0" for shape in sent)),
    ),
    "tls": (lambda _shape: True, by_tls),
    "relp": (lambda _shape: True, by_relp),
    "file": (one_line, by_file),
}


def stored_lines(host: Host, source: str) -> list[bytes]:
    """Records as stored, without time and sender."""
    path = host.root / f"var/log/collected/contoso/{source}/{source}.log"
    return [line.split(b" ", 2)[2] for line in path.read_bytes().split(b"\n")[:-1]] if path.exists() else []


def arrived(host: Host, kind: str) -> list[bytes]:
    """Records that the SIEM has taken by one output."""
    said = host.run(f"cat /run/siem-{kind}", check=False, timeout=120).stdout
    return [base64.b64decode(line) for line in said.split()]


def differences(wanted: Iterable[bytes], found: Iterable[bytes]) -> str:
    """Short, since a record can have 64 KiB; "" where both are the same."""
    lacks, extra = Counter(wanted), Counter(found)
    lines = [f"- {count} {record[:300]!r}" for record, count in (lacks - extra).items()]
    return "\n".join([*lines, *(f"+ {count} {record[:300]!r}" for record, count in (extra - lacks).items())][:20])


@pytest.mark.parametrize("source", WAYS)
def test_every_shape_is_stored_and_forwarded_as_it_came(host: Host, source: str, tmp_path: Path) -> None:
    carries, send = WAYS[source]
    sent = mixed(shape for shape in shapes() if carries(shape))
    send(host, sent, tmp_path)
    eventually(lambda: len(stored_lines(host, source)) >= len(sent), 30)
    stored = stored_lines(host, source)
    assert not differences((shape.line for shape in sent), stored)
    if source != "udp":  # imudp takes datagrams with two threads
        assert stored == [shape.line for shape in sent]

    sender = b"" if source == "file" else host.gateway.encode()
    file = source == "file"  # imfile gives all lines one PRI, whatever stands there
    pris = [b"133" if file else shape.pri for shape in sent]
    bodies = [shape.after_pri if file else shape.body for shape in sent]
    for kind in ("counted", "secure", "relp"):

        def enveloped(kind: str = kind) -> list[tuple[bytes, bytes]]:
            found = [match.groups() for record in arrived(host, kind) if (match := ENVELOPE.fullmatch(record))]
            return [
                (pri, body) for pri, _time, _host, name, by, body in found if (name, by) == (source.encode(), sender)
            ]

        eventually(lambda: len(enveloped()) >= len(sent), 30)
        wanted = [pri + b">" + body for pri, body in zip(pris, bodies, strict=True)]
        assert not differences(wanted, (b">".join(pair) for pair in enveloped())), kind
    raw = [b"<133>" + shape.after_pri if file else shape.raw for shape in sent]
    for kind, wanted in (("raw", raw), ("ama", [as_line(record) for record in raw])):
        # All sources are in these, told apart by nothing: what this one sent must be there.
        eventually(lambda kind=kind, wanted=wanted: not Counter(wanted) - Counter(arrived(host, kind)), 30)
        assert not differences(wanted, (Counter(wanted) & Counter(arrived(host, kind))).elements()), kind
    copy = Counter(line.split(b" ", 2)[2] for line in (host.root / "srv/copy/all.log").read_bytes().split(b"\n")[:-1])
    assert not Counter(shape.line for shape in sent) - copy
