# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The day's mix of scripts/bench: every shape of record by five transports, and two outputs of which one dies twice.

Each record is looked for by its bytes: in the store, at the output that lives and at the one that dies. What is not
there has to be told by verify, to the record. Sending is paced: an output that cannot follow takes no more, by design.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import re
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._collector import relp
from scripts.bench_collectors import TENANT, Bench, Target, table
from tests.hosts.nspawn import Host, booted_host
from tests.hosts.syslog_shapes import Shape, shapes

RATE = 8_000  # records a second in all, at most
# Records that an output which is up may be behind before senders wait for it: what is measured is loss, not pace.
BEHIND = {"lives": 10_000, "dies": 50_000}
LARGE, LARGE_ROUNDS = 4_096, 50  # a shape beyond this size comes once in so many rounds
# Transport to its share of the rounds, its port, and the shapes that it can carry.
SHARES = {"tcp": 4, "lines": 2, "tls": 2, "relp": 1, "udp": 1}
PORTS = {"tcp": 5601, "lines": 5602, "tls": 6514, "relp": 20514, "udp": 5514}
DEATHS = (0.3, 0.6)  # when the second output dies, as shares of the whole time
DEAD_SECONDS = 15.0
QUIET_SECONDS, PATIENCE_SECONDS = 30.0, 60.0
HEADINGS = ["where", "sent", "there", "lost", "more than once", "of other bytes"]
SOURCES: dict[str, Any] = {name: {"transport": name, "port": port} for name, port in PORTS.items()} | {
    "lines": {"transport": "tcp", "port": PORTS["lines"], "framing": "lf"},
    "tls": {"transport": "tls", "port": PORTS["tls"], "peers": ["bench"]},
}
ENVELOPE = re.compile(
    rb'<(\w+)>1 \S+ \S+ - - - \[mssp@32473 tenant="bench" source="(\w+)" sender="[^"]*"\] ',
)
COUNTED = re.compile(rb"(\d+) ")
FRAME = re.compile(rb"(\d+) (\w+) (\d+)[ \n]")
TARGET = Target("syslog_target", f"mssp-syslog-{TENANT}", PORTS, f"var/log/collected/{TENANT}/{{0}}/{{0}}.log")
VERIFY = """
- hosts: all
  gather_facts: false
  tasks:
    - name: What verify says
      mssp.onboarding.syslog_receiver_info: {{options_from: syslog_target, tenant: "{{{{ mssp_tenant }}}}"}}
      become: true
      register: found
      failed_when: found.problems is not defined
    - name: Each finding, for this machine
      ansible.builtin.copy:
        content: "{{{{ found.problems | items2dict(key_name='code', value_name='count') | to_json }}}}"
        dest: "{folder}/problems.json"
        mode: "0600"
      delegate_to: localhost
      become: false
"""

Found = Counter[tuple[str, bytes]]
Frames = Callable[[bytes], Iterator[tuple[int, bytes, bytes]]]


# --- what a SIEM is


def counted(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Of octet-counted frames: where each ends, the frame, and the answer that it asks for."""
    place = 0
    while (head := COUNTED.match(data, place)) and len(data) >= (end := head.end() + int(head[1])):
        yield end, data[head.end() : end], b""
        place = end


def relp_frames(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """The same of RELP."""
    place = 0
    while head := FRAME.match(data, place):
        length = int(head[3])
        end = head.end() + length + 1 if length else head.end()
        if len(data) < end:
            return
        answer = b"200 OK" + (b"\nrelp_version=0\ncommands=syslog" if head[2] == b"open" else b"")
        record = data[head.end() : end - 1] if head[2] == b"syslog" else b""
        yield end, record, b"%s rsp %d %s\n" % (head[1], len(answer), answer)
        place = end


class Siem:
    """A process that counts records by source and bytes, and that can be down."""

    def __init__(self, address: str, port: int, frames: Frames) -> None:
        self.port, self._frames, self._address = port, frames, address
        context = multiprocessing.get_context("fork")
        self.down, self._end, self.taken = context.Event(), context.Event(), context.Value("q", 0)
        self._found: Any = context.Queue()
        self._process = context.Process(target=self._serve, daemon=True)
        self._process.start()

    def finish(self) -> Found:
        self._end.set()
        found: Found = self._found.get()
        self._process.join()
        return found

    @property
    def _open(self) -> bool:
        return not self.down.is_set() and not self._end.is_set()

    def _serve(self) -> None:
        found: Found = Counter()
        lock = threading.Lock()
        while not self._end.is_set():
            if self.down.is_set():
                time.sleep(0.1)
                continue
            threads = []
            with socket.create_server((self._address, self.port)) as server:
                server.settimeout(0.2)
                while self._open:
                    with contextlib.suppress(TimeoutError):
                        connection = server.accept()[0]
                        threads.append(threading.Thread(target=self._take, args=(connection, found, lock)))
                        threads[-1].start()
            for thread in threads:
                thread.join()
        self._found.put(found)

    def _take(self, connection: socket.socket, found: Found, lock: threading.Lock) -> None:
        data = b""
        connection.settimeout(0.2)
        with connection, contextlib.suppress(ConnectionError):
            while self._open:
                try:
                    more = connection.recv(1 << 18)
                except TimeoutError:
                    continue
                if not more:
                    return
                place, answers = 0, []
                data += more
                with lock:
                    for end, record, answer in self._frames(data):
                        place = end
                        answers.append(answer)
                        if record:
                            found[identity(record)] += 1
                            self.taken.value += 1
                data = data[place:]
                if any(answers):
                    connection.sendall(b"".join(answers))


def identity(record: bytes) -> tuple[str, bytes]:
    """Source and bytes of a forwarded record; what has no envelope of ours is nobody's."""
    head = ENVELOPE.match(record)
    return (head[2].decode(), head[1] + b">" + record[head.end() :]) if head else ("", record)


# --- what senders are


def carried(transport: str) -> list[Shape]:
    """What the transport can carry. Lines: none with a line feed in it, or without a record."""
    if transport == "lines":
        return [shape for shape in shapes() if shape.record and b"\n" not in shape.record]
    return [shape for shape in shapes() if len(shape.record) <= 65_507 or transport != "udp"]


def rounds(transport: str, number: int) -> Iterator[list[Shape]]:
    every = carried(transport)
    small = [shape for shape in every if len(shape.record) <= LARGE]
    return (every if each % LARGE_ROUNDS == 0 else small for each in range(number))


def framed(transport: str, shape: Shape) -> bytes:
    return shape.record + b"\n" if transport == "lines" else b"%d %s" % (len(shape.record), shape.record)


class Pace:
    """Records sent so far by all senders, who wait for outputs that are up and far behind."""

    def __init__(self, siems: dict[str, Siem]) -> None:
        self._siems, self._sent, self._lock = siems, 0, threading.Lock()

    def add(self, count: int) -> None:
        """Not for ever: what an output has no more places for never comes."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and any(self._behind(name) for name in self._siems):
            time.sleep(0.05)
        with self._lock:
            self._sent += count

    def _behind(self, name: str) -> bool:
        one = self._siems[name]
        return not one.down.is_set() and self._sent - one.taken.value > BEHIND[name]


def send(bench: Bench, transport: str, number: int, seconds: float, pace: Pace) -> None:
    """Send so many rounds, spread over the time."""
    start = time.monotonic()

    def due() -> Iterator[list[Shape]]:
        for each, chosen in enumerate(rounds(transport, number)):
            if (early := start + seconds * each / number - time.monotonic()) > 0:
                time.sleep(early)
            pace.add(len(chosen))
            yield chosen

    connection = "tcp" if transport in ("lines", "relp") else transport
    with bench.connected(TARGET._replace(ports={connection: PORTS[transport]}), connection) as link:
        if transport == "udp":
            for chosen in due():
                for shape in chosen:
                    link.send(shape.record)
        elif transport == "relp":
            session = relp.Session(link, link.makefile("rb"))
            session.open()
            for _sent in session.send(shape.record for chosen in due() for shape in chosen):
                pass
            session.close()
        else:
            made: dict[int, bytes] = {}
            for chosen in due():
                if len(chosen) not in made:
                    made[len(chosen)] = b"".join(framed(transport, shape) for shape in chosen)
                link.sendall(made[len(chosen)])


# --- what has come


def wanted(numbers: dict[str, int]) -> tuple[Found, Found]:
    """(as stored, as forwarded) of all that is sent."""
    stored: Found = Counter()
    forwarded: Found = Counter()
    for transport, number in numbers.items():
        for shape in carried(transport):
            times = number if len(shape.record) <= LARGE else -(-number // LARGE_ROUNDS)
            stored[transport, shape.line] += times
            forwarded[transport, shape.pri + b">" + shape.body] += times
    return stored, forwarded


def in_store(host: Host, transports: Iterable[str]) -> Found:
    found: Found = Counter()
    for transport in transports:
        with TARGET.file(host, transport).open("rb") as file:
            for line in file:
                found[transport, line[:-1].split(b" ", 2)[2]] += 1
    return found


def differences(wanted: Found, found: Found) -> tuple[Counter[str], int, int]:
    """(lost by source, more than once, of other bytes than were sent)."""
    lost: Counter[str] = Counter()
    for (source, _record), count in (wanted - found).items():
        lost[source] += count
    more = found - wanted
    odd = sum(count for key, count in more.items() if key not in wanted)
    return lost, sum(more.values()) - odd, odd


def verified(bench: Bench) -> dict[str, int]:
    """Code of each finding of verify to its count."""
    play = bench.folder / "verify.yml"
    play.write_text(VERIFY.format(folder=bench.folder), encoding="utf-8")
    bench.play(play)
    found: dict[str, int] = json.loads((bench.folder / "problems.json").read_text(encoding="utf-8"))
    return found


def delivered(siems: Iterable[Siem]) -> None:
    """Until no output has taken anything for a while."""
    last, quiet = -1, time.monotonic()
    while time.monotonic() < quiet + QUIET_SECONDS:
        taken = sum(siem.taken.value for siem in siems)
        if taken != last:
            last, quiet = taken, time.monotonic()
        time.sleep(0.5)


def main(records: int) -> None:
    weights = {name: share * len(carried(name)) for name, share in SHARES.items()}
    each = records / sum(weights.values())
    numbers = {name: max(1, round(each * share)) for name, share in SHARES.items()}
    stored, forwarded = wanted(numbers)
    seconds = stored.total() / RATE
    with tempfile.TemporaryDirectory() as folder, booted_host("bookworm", "bench") as host:
        bench = Bench(host, Path(folder))
        siems = {"lives": Siem(host.gateway, 8601, counted), "dies": Siem(host.gateway, 8602, relp_frames)}
        outputs = {
            "lives": {"type": "tcp", "host": host.gateway, "port": 8601},
            "dies": {"type": "relp", "host": host.gateway, "port": 8602, "queue": "crash_safe"},
        }
        bench.role(
            syslog_target_sources=SOURCES,
            syslog_target_outputs=outputs,
            syslog_target_queue_disk_bytes=4 << 30,
            syslog_target_memory_max="4G",
            syslog_target_tls_names=[host.address],
        )
        bench.certificates()
        verified(bench)  # the first look, from which the next one counts
        pace, start = Pace(siems), time.monotonic()
        threads = [
            threading.Thread(target=send, args=(bench, transport, number, seconds, pace))
            for transport, number in numbers.items()
        ]
        timers = [
            threading.Timer(share * seconds + late, change)
            for share in DEATHS
            for late, change in ((0.0, siems["dies"].down.set), (DEAD_SECONDS, siems["dies"].down.clear))
        ]
        for thread in (*threads, *timers):
            thread.start()
        for thread in (*threads, *timers):
            thread.join()
        took = time.monotonic() - start
        delivered(siems.values())
        told = verified(bench)
        rows = [("store", stored, in_store(host, numbers))]
        rows += [(name, forwarded, siem.finish()) for name, siem in siems.items()]
    print(f"{stored.total():,} records sent in {took:.0f} s; verify tells: {told or 'nothing'}\n")
    table(HEADINGS, [_row(name, sent, found) for name, sent, found in rows])


def _row(name: str, sent: Found, found: Found) -> list[str]:
    lost, twice, odd = differences(sent, found)
    by = ", ".join(f"{source} {count}" for source, count in lost.items())
    return [
        name,
        f"{sent.total():,}",
        f"{found.total():,}",
        f"{lost.total()}" + (f" ({by})" if by else ""),
        f"{twice}",
        f"{odd}",
    ]
