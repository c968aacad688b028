"""The collectors' part of scripts/bench: what role syslog_target makes beside a bare rsyslog, on one booted host.

Needs root and what tests/hosts/nspawn.py needs. Takes about six minutes; 100,000 records at most are on their way at a
time, from this machine to the host's own network namespace on it.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.mssp.onboarding.plugins.module_utils._collector import relp
from ansible_collections.mssp.onboarding.plugins.module_utils._collector.compare import compare
from ansible_collections.mssp.onboarding.plugins.module_utils._collector.records import (
    Style,
    body,
    dress,
    find,
    new_run,
    octet_counted,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._collector.stored import Store
from tests.hosts.nspawn import ROOT, Host, booted_host
from tests.hosts.syslog_tools import receiver_pids

TENANT = "bench"
STYLE = Style("rfc5424", "local0", "info", "bench")
SIZE = 256
COUNTS = {"udp": 40_000, "tcp": 100_000, "tls": 100_000, "relp": 40_000}
UDP_RATE = 20_000
# With an output all are paced: one that cannot follow takes no more, and what is not forwarded costs nothing.
OUTPUT_RATE, OUTPUT_COUNT = 10_000, 40_000
MEMORY_CGROUPS = Path("/sys/fs/cgroup/memory")
MEMORY = 1 << 30  # of each receiver, as the role's unit asks for
ROUNDS = 5
SINGLES = 10
STEP = 20  # records between two looks at the clock
QUIET_SECONDS, STOPPED_QUIET_SECONDS = 1.0, 5.0
POLL_SECONDS = 0.002
CHUNK = 64 * 1024
BACKLOG = 5_000
LIVE_COUNT, LIVE_RATE = 15_000, 5_000
DELIVERY_SECONDS = 25
MODES = ("fast", "graceful", "crash_safe")
STOPS = {"restart": "systemctl restart", "SIGKILL": "systemctl kill --signal=KILL"}
UNIT = f"mssp-syslog-{TENANT}"
PLAY = "- hosts: all\n  gather_facts: false\n  roles: [mssp.onboarding.syslog_target]\n"
BARE = """
global(workDirectory="/var/lib/bare" defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="{tls}/ca.pem" defaultNetstreamDriverCertFile="{tls}/cert.pem"
  defaultNetstreamDriverKeyFile="{tls}/key.pem")
module(load="imudp") module(load="imptcp") module(load="imtcp") module(load="imrelp")
ruleset(name="udp") {{ action(type="omfile" file="/var/log/bare/udp.log") {output} }}
ruleset(name="tcp") {{ action(type="omfile" file="/var/log/bare/tcp.log") {output} }}
ruleset(name="tls") {{ action(type="omfile" file="/var/log/bare/tls.log") {output} }}
ruleset(name="relp") {{ action(type="omfile" file="/var/log/bare/relp.log") {output} }}
ruleset(name="imptcp") {{ action(type="omfile" file="/var/log/bare/imptcp.log") {output} }}
input(type="imudp" port="5614" ruleset="udp" rcvbufSize="8m")
input(type="imtcp" port="5615" ruleset="tcp" streamDriver.name="ptcp" streamDriver.mode="0")
input(type="imtcp" port="5616" ruleset="tls" streamDriver.name="gtls" streamDriver.mode="1"
  streamDriver.authMode="x509/name" permittedPeer=["bench"])
input(type="imptcp" port="5617" ruleset="imptcp")
input(type="imrelp" port="5618" ruleset="relp")
"""
BARE_OUTPUT = """action(type="omfwd" target="{host}" port="{port}" protocol="tcp" TCP_Framing="octet-counted"
  template="RSYSLOG_SyslogProtocol23Format" queue.type="FixedArray" queue.size="20000" action.resumeRetryCount="-1")"""


class Target(NamedTuple):
    """One rsyslogd on the host. ports by transport; folder: of its files, {} is the transport."""

    name: str
    unit: str
    ports: dict[str, int]
    path: str

    def file(self, host: Host, transport: str) -> Path:
        return host.root / self.path.format(transport)


OURS = Target(
    "syslog_target",
    UNIT,
    {"udp": 5514, "tcp": 5515, "tls": 5516, "relp": 5518},
    f"var/log/collected/{TENANT}/{{0}}/{{0}}.log",
)
PLAIN = Target("bare rsyslog", "bare", {"udp": 5614, "tcp": 5615, "tls": 5616, "relp": 5618}, "var/log/bare/{0}.log")
# rsyslog's faster input, which the role does not use: see its README.
FASTER = Target("bare rsyslog, imptcp", "bare", {"tcp": 5617}, "var/log/bare/imptcp.log")


class Bench:
    """A booted host with both receivers."""

    def __init__(self, host: Host, folder: Path) -> None:
        self.host = host
        self.folder = folder
        self.inventory = folder / "hosts"
        self.inventory.write_text(host.inventory_line + "\n", encoding="utf-8")
        (folder / "play.yml").write_text(PLAY, encoding="utf-8")

    def role(self, **more: Any) -> None:
        """Run the role, with sources on three ports and whatever else is given."""
        sources: dict[str, Any] = {name: {"transport": name, "port": port} for name, port in OURS.ports.items()}
        sources["tls"]["peers"] = ["bench"]
        variables = {"mssp_tenant": TENANT, "syslog_target_sources": sources, **more}
        (self.folder / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
        self.play(self.folder / "play.yml")

    def play(self, play: Path) -> None:
        """Run it with what the role was last given."""
        tool = Path(sys.executable).with_name("ansible-playbook")
        done = subprocess.run(
            [tool, "-i", self.inventory, play, "-e", f"@{self.folder / 'variables.json'}"],
            cwd=ROOT,
            env={**os.environ, "MSSP_EVIDENCE_ROOT": str(self.folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"syslog_target: {done.stdout}{done.stderr}")

    def bare(self, output: str = "") -> None:
        """Start the bare rsyslog, with the certificates that the role made."""
        text = BARE.format(tls=f"/etc/mssp/syslog/{TENANT}/tls", output=output)
        self.host.run("systemctl stop bare 2>/dev/null; mkdir -p /etc/bare /var/lib/bare /var/log/bare", check=False)
        self.host.run("cat >/etc/bare.conf", stdin=text)
        self.host.run("systemd-run --quiet --unit=bare rsyslogd -n -i /run/bare.pid -f /etc/bare.conf")
        self.host.run("for i in $(seq 100); do ss -ltn | grep -q :5618 && exit; sleep 0.1; done; exit 1")

    @contextlib.contextmanager
    def limited(self) -> Iterator[None]:
        """Each receiver within a memory cgroup that the kernel enforces, where this machine has them."""
        with contextlib.ExitStack() as stack:
            for config in (f"/etc/mssp/syslog/{TENANT}/rsyslog.conf", "/etc/bare.conf"):
                group = MEMORY_CGROUPS / f"mssp-bench-{self.host.slot}-{Path(config).stem}"
                group.mkdir(exist_ok=True)
                (group / "memory.limit_in_bytes").write_text(str(MEMORY), encoding="ascii")
                for pid in receiver_pids(self.host, config):
                    (group / "cgroup.procs").write_text(str(pid), encoding="ascii")
                stack.callback(_dissolve, group)
            yield

    def certificates(self) -> None:
        """Those that the role made, for the senders here."""
        for name in ("ca.pem", "clients/bench.pem", "clients/bench.key"):
            text = self.host.run(f"cat /etc/mssp/syslog/{TENANT}/tls/{name}").stdout
            (self.folder / Path(name).name).write_text(text, encoding="utf-8")

    @contextlib.contextmanager
    def connected(self, target: Target, transport: str) -> Iterator[socket.socket]:
        address = (self.host.address, target.ports[transport])
        if transport == "udp":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
                link.connect(address)
                yield link
            return
        with socket.create_connection(address, 30) as plain:
            if transport != "tls":
                yield plain
                return
            context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
            context.load_cert_chain(self.folder / "bench.pem", self.folder / "bench.key")
            with context.wrap_socket(plain, server_hostname=self.host.address) as link:
                yield link

    def cpu_seconds(self, target: Target) -> float:
        """Of all its threads, by the scheduler's own count, which has no ticks."""
        command = f"cat /proc/$(systemctl show -p MainPID --value {target.unit})/task/*/schedstat"
        return sum(int(line.split()[0]) for line in self.host.run(command).stdout.splitlines()) / 1e9


# --- rate and loss


class Round(NamedTuple):
    """rate: records stored per second, from the first sent to the last stored; cpu: of the receiver, µs per record;
    behind: of the records, those that have not come out of its output."""

    rate: float
    lost: int
    cpu: float
    behind: int


def messages(run: str, count: int) -> list[bytes]:
    now = time.time()
    return [dress(STYLE, body(run, number, now, SIZE), now) for number in range(count)]


def rate(bench: Bench, target: Target, transport: str, drain: Drain | None) -> Round:
    run, count = new_run(), OUTPUT_COUNT if drain else COUNTS[transport]
    made = messages(run, count)
    file = target.file(bench.host, transport)
    cpu, before = bench.cpu_seconds(target), drain.taken.value if drain else 0
    with bench.connected(target, transport) as link:
        size = _size(file)
        start = time.monotonic()
        pace = OUTPUT_RATE if drain else UDP_RATE if transport == "udp" else 0
        _send(link, transport, made, start, pace)
        end = _settled(file, size)
    if drain:
        drain.settled(before + count)
    cpu = bench.cpu_seconds(target) - cpu
    stored = _found(file, run, count)
    os.truncate(file, 0)  # rsyslog appends, so it goes on at the start
    behind = before + count - drain.taken.value if drain else 0
    return Round(stored["stored"] / (end - start), stored["lost"], cpu / count * 1e6, behind)


def _send(link: socket.socket, transport: str, made: list[bytes], start: float, pace: int) -> None:
    """pace: records a second, 0 for as many as are taken."""
    if transport == "relp":
        session = relp.Session(link, link.makefile("rb"))
        session.open()
        for number, _sent in enumerate(session.send(made)):
            _wait(number, start, pace)
        session.close()
    elif transport == "udp":
        for number, message in enumerate(made):
            _wait(number, start, pace)
            link.send(message)
    elif pace:
        for number in range(0, len(made), STEP):
            _wait(number, start, pace)
            link.sendall(b"".join(map(octet_counted, made[number : number + STEP])))
    else:
        stream = b"".join(map(octet_counted, made))
        for place in range(0, len(stream), CHUNK):
            link.sendall(stream[place : place + CHUNK])


def _wait(number: int, start: float, pace: int) -> None:
    if pace and number % STEP == 0 and (early := start + number / pace - time.monotonic()) > 0:
        time.sleep(early)


class Drain:
    """A SIEM that is always up and only counts, in a process of its own: each record of ours ends with a semicolon."""

    def __init__(self, address: str) -> None:
        context = multiprocessing.get_context("fork")
        self.taken = context.Value("q", 0)
        self._server = socket.create_server((address, 0))
        self.port = self._server.getsockname()[1]
        self._process = context.Process(target=self._serve, daemon=True)
        self._process.start()

    def settled(self, wanted: int) -> None:
        until = time.monotonic() + 10
        while self.taken.value < wanted and time.monotonic() < until:
            time.sleep(0.05)

    def _serve(self) -> None:
        while True:
            threading.Thread(target=self._take, args=[self._server.accept()[0]], daemon=True).start()

    def _take(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while more := connection.recv(1 << 18):
                with self.taken.get_lock():
                    self.taken.value += more.count(b";")


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _settled(file: Path, size: int, quiet: float = QUIET_SECONDS) -> float:
    """When the file was seen to grow for the last time, once it has been quiet for so many seconds."""
    last = time.monotonic()
    until = last + 60
    while time.monotonic() < min(until, last + quiet):
        if (now := _size(file)) != size:
            size, last = now, time.monotonic()
        time.sleep(POLL_SECONDS)
    return last


def _found(path: Path, run: str, count: int) -> dict[str, Any]:
    store = Store(str(path), run)
    with contextlib.suppress(FileNotFoundError):
        store.look()
    return compare(count, store.found)


def first_stored(bench: Bench, target: Target, transport: str) -> float:
    """Milliseconds from the sending of one record on an open connection until the file grows, the median of some."""
    file = target.file(bench.host, transport)
    taken = []
    with bench.connected(target, transport) as link:
        for message in messages(new_run(), SINGLES):
            size = _size(file)
            start = time.monotonic()
            link.send(octet_counted(message) if transport != "udp" else message)
            while _size(file) == size and time.monotonic() < start + 5:
                time.sleep(0.0002)
            taken.append(time.monotonic() - start)
            time.sleep(0.05)
    return statistics.median(taken) * 1000


def rates(bench: Bench, drain: Drain | None = None) -> list[list[str]]:
    """All receivers in turn, round by round, so that what else the machine does meets all of them."""
    rows = []
    for transport in COUNTS:
        targets = [
            target for target in (OURS, PLAIN, FASTER) if transport in target.ports and not (drain and target is FASTER)
        ]
        rounds: dict[str, list[Round]] = {target.name: [] for target in targets}
        for number in range(ROUNDS + 1):
            for target in targets:
                found = rate(bench, target, transport, drain)
                if number:  # the first one only warms up
                    rounds[target.name].append(found)
        for target in targets:
            row = _row(target, transport, rounds[target.name], rounds[PLAIN.name], drain)
            alone = not drain and transport != "relp"  # whose records need a session around them
            rows.append([*row, f"{first_stored(bench, target, transport):.1f}" if alone else ""])
            print(" ".join(rows[-1]), file=sys.stderr)
    return rows


def _row(target: Target, transport: str, each: list[Round], plain: list[Round], drain: Drain | None) -> list[str]:
    """The ratios are the medians of those of the rounds: neighbours in time met the same machine.

    That of CPU is bare rsyslog's by the receiver's own, so that less than 1 is dearer, as less than 1 is slower.
    """
    pace = OUTPUT_RATE if drain else UDP_RATE if transport == "udp" else 0
    count = OUTPUT_COUNT if drain else COUNTS[transport]
    pairs = list(zip(each, plain, strict=True))
    behind = sum(one.behind for one in each)
    return [
        transport + (f" at {pace:,}/s" if pace else "") + (", an output" if drain else ""),
        target.name,
        f"{count * ROUNDS:,}",
        f"{statistics.median(one.rate for one in each):,.0f}",
        "paced" if pace else f"{statistics.median(one.rate / other.rate for one, other in pairs):.2f}",
        f"{sum(one.lost for one in each)}" + (f", {behind} of the output" if drain else ""),
        f"{statistics.median(one.cpu for one in each):.1f}",
        f"{statistics.median(other.cpu / one.cpu for one, other in pairs):.2f}",
    ]


# --- what a stop loses


class Sink:
    """A SIEM that is down until C(start), then takes what comes; C(data) holds it."""

    def __init__(self, address: str) -> None:
        self.held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.held.bind((address, 0))  # bound but not listening: whoever connects is refused
        self.port = self.held.getsockname()[1]
        self.data = b""

    def start(self) -> None:
        self.held.listen(8)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _peer = self.held.accept()
                threading.Thread(target=self._take, args=[connection], daemon=True).start()

    def _take(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while more := connection.recv(65536):
                self.data += more

    def numbers(self, run: str) -> set[int]:
        return {record.number for record in find(run, self.data)}


def live(bench: Bench, stop: Callable[[], None]) -> int:
    """Records lost of a TCP sender that connects again and sends the failed record again, over a stop in the middle."""
    run = new_run()
    made = messages(run, LIVE_COUNT)
    timer = threading.Timer(1.0, stop)
    timer.start()
    start = time.monotonic()
    number = 0
    while number < LIVE_COUNT:
        with contextlib.suppress(OSError), bench.connected(OURS, "tcp") as link:
            while number < LIVE_COUNT:
                early = start + number / LIVE_RATE - time.monotonic()
                if early > 0:
                    time.sleep(early)
                link.sendall(octet_counted(made[number]))
                number += 1
        time.sleep(0.01)
    timer.join()
    file = OURS.file(bench.host, "tcp")
    _settled(file, _size(file), STOPPED_QUIET_SECONDS)
    found = _found(file, run, LIVE_COUNT)
    print(f"not stored: {', '.join(found['lost_numbers'])}", file=sys.stderr)
    return int(found["lost"])


def backlog(bench: Bench, sink: Sink, stop: Callable[[], None]) -> int:
    """Records lost of those that waited for a dead output when the receiver was stopped."""
    run = new_run()
    file = OURS.file(bench.host, "tcp")
    size = _size(file)
    with bench.connected(OURS, "tcp") as link:
        for message in messages(run, BACKLOG):
            link.sendall(octet_counted(message))
        _settled(file, size)
    stop()
    sink.start()
    end = time.monotonic() + DELIVERY_SECONDS
    while len(sink.numbers(run)) < BACKLOG and time.monotonic() < end:
        time.sleep(0.2)
    return BACKLOG - len(sink.numbers(run))


def stops(bench: Bench) -> list[list[str]]:
    rows = []
    for mode in MODES:
        row = [mode]
        for command in STOPS.values():

            def stop(line: str = f"{command} {UNIT}") -> None:
                bench.host.run(line)
                bench.host.run("for i in $(seq 100); do ss -ltn | grep -q :5515 && exit; sleep 0.1; done; exit 1")

            sink = Sink(bench.host.gateway)
            output = {"siem": {"type": "tcp", "host": bench.host.gateway, "port": sink.port}}
            bench.role(syslog_target_queue=mode, syslog_target_outputs=output)
            row += [f"{live(bench, stop)} of {LIVE_COUNT:,}", f"{backlog(bench, sink, stop)} of {BACKLOG:,}"]
            sink.held.close()
        rows.append(row)
        print(" ".join(row), file=sys.stderr)
    return rows


RATE_HEADINGS = [
    "by",
    "receiver",
    "records",
    "records/s",
    "ratio",
    "lost",
    "CPU µs/record",
    "by CPU",
    "first stored ms",
]
STOP_HEADINGS = ["queue", *(f"lost at {stop}, {what}" for stop in STOPS for what in ("live", "dead output"))]


def table(headings: list[str], rows: list[list[str]]) -> None:
    print("| " + " | ".join(headings) + " |")
    print("|" + "---|" * len(headings))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def _dissolve(group: Path) -> None:
    """Its processes go back to where they came from; a group that is still used stays until the host ends."""
    for pid in (group / "cgroup.procs").read_text(encoding="ascii").split():
        (MEMORY_CGROUPS / "cgroup.procs").write_text(pid, encoding="ascii")
    with contextlib.suppress(OSError):
        group.rmdir()


def main(*, losses: bool = True) -> None:
    with tempfile.TemporaryDirectory() as folder, booted_host("bookworm", "bench") as host:
        bench = Bench(host, Path(folder))
        bench.role(syslog_target_tls_names=[host.address])
        bench.certificates()
        bench.bare()
        with bench.limited():
            rows = rates(bench)
        drain = Drain(host.gateway)
        bench.role(
            syslog_target_tls_names=[host.address],
            syslog_target_outputs={"siem": {"type": "tcp", "host": host.gateway, "port": drain.port}},
        )
        bench.bare(BARE_OUTPUT.format(host=host.gateway, port=drain.port))
        with bench.limited():
            rows += rates(bench, drain)
        table(RATE_HEADINGS, rows)
        bench.host.run("systemctl stop bare")
        if losses:
            print()
            table(STOP_HEADINGS, stops(bench))
