"""What each queue mode loses: records towards an output that is down, at a restart and at SIGKILL.

The numbers are printed and stand as a table in the role's README; the test holds the role to their order.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.hosts.conftest import Boot
from tests.hosts.nspawn import Host
from tests.hosts.syslog_tools import Fleet, eventually, lines_with, record, send_tcp

MODES = ("fast", "graceful", "crash_safe")
SENT = 3000
CHECKPOINT = 100
IN_FLIGHT = 64  # records that the stopped output holds in its hand; measured: 0 to 16
SINK = """
import socket, sys
mode = sys.argv[1]
server = socket.create_server(("127.0.0.1", int(sys.argv[2])))
with open(f"/run/sink-{mode}", "ab", buffering=0) as out:
    while True:
        connection = server.accept()[0]
        while data := connection.recv(1 << 16):
            out.write(data)
"""


@pytest.fixture(scope="module")
def host(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Host:
    """One tenant per mode, each with an output whose target is down."""
    made = boot("bookworm", "losses")
    fleet = Fleet(tmp_path_factory.mktemp("fleet"), {"bookworm": made})
    fleet.play("main", {mode.replace("_", "-"): _tenant(number, mode) for number, mode in enumerate(MODES)})
    return made


def _tenant(number: int, mode: str) -> dict[str, Any]:
    return {
        "syslog_target_sources": {"stream": {"transport": "tcp", "port": 5600 + number}},
        "syslog_target_outputs": {"siem": {"type": "ama", "port": 28330 + number}},
        "syslog_target_queue": mode,
        "syslog_target_checkpoint": CHECKPOINT,
    }


@pytest.mark.parametrize(("event", "signal"), [("restart", "TERM"), ("crash", "KILL")])
@pytest.mark.parametrize("mode", MODES)
def test_what_is_lost(host: Host, mode: str, event: str, signal: str) -> None:
    number, tenant = MODES.index(mode), mode.replace("_", "-")
    unit = f"mssp-syslog-{tenant}.service"
    text = "".join(record(f"{event} {count}") + "\n" for count in range(SENT))
    send_tcp(host, 5600 + number, text.encode())
    assert len(lines_with(host, tenant, "stream", f"{event} ", SENT, 30)) == SENT  # in the file all are safe
    time.sleep(2)  # until they are in the output's queue
    if signal == "TERM":
        host.run(f"systemctl stop {unit}")
    else:
        host.run(f"systemctl kill --signal=KILL {unit}; sleep 0.3; systemctl stop {unit}")
    sink = f"systemd-run --quiet --unit=sink-{tenant}-{event} python3 /run/sink.py {mode}-{event} {28330 + number}"
    host.run(f"cat > /run/sink.py; {sink}; systemctl start {unit}", stdin=SINK)
    arrived = (eventually(lambda: len(_arrived(host, mode, event)) == SENT, 12) and SENT) or len(
        _arrived(host, mode, event)
    )
    host.run(f"systemctl stop sink-{tenant}-{event}")
    print(f"\nloss {mode} {event}: {SENT - arrived} of {SENT}")
    lost = SENT - arrived
    if mode == "crash_safe":
        assert lost <= CHECKPOINT + IN_FLIGHT
    elif mode == "graceful" and event == "restart":
        assert lost <= IN_FLIGHT


def _arrived(host: Host, mode: str, event: str) -> set[str]:
    lines = host.run(f"cat /run/sink-{mode}-{event}", check=False).stdout.splitlines()
    return {line.rsplit(" ", 1)[1] for line in lines if f" {event} " in line}
