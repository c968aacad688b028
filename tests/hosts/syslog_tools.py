"""Collectors under test: plays of the role, senders as appliances are, certificates, what was stored."""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import warm
from tests.hosts.nspawn import CGROUPS, ROOT, Host

PLAY = ROOT / "tests/hosts/syslog_play.yml"
RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Played:
    """What ansible-playbook did. changed: by inventory host."""

    code: int
    output: str
    changed: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Fleet:
    """Booted hosts as the collectors of tenants: one inventory host per tenant and machine."""

    folder: Path
    hosts: dict[str, Host]

    def play(self, entry: str, variables: dict[str, dict[str, Any]], *arguments: str, fails: bool = False) -> Played:
        """Run an entry point. variables: tenant to its role variables; each host is a collector of each tenant."""
        inventory: dict[str, Any] = {"all": {"hosts": {}}}
        for tenant, own in variables.items():
            for suite, host in self.hosts.items():
                inventory["all"]["hosts"][f"{tenant}-{suite}"] = {**_reach(host), **own, "mssp_tenant": tenant}
        path = self.folder / "inventory.json"
        path.write_text(json.dumps(inventory), encoding="utf-8")
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MSSP_"))}
        environment = {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_PIPELINING": "true",
            "MSSP_EVIDENCE_ROOT": str(self.folder / "evidence"),
        }
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(path), str(PLAY)]
        done = warm.run(
            [*command, "-e", f"entry={entry}", *arguments],
            cwd=ROOT,
            env=clean | environment,
        )
        output = done.stdout + done.stderr
        assert bool(done.returncode) == fails, output
        assert "[WARNING]" not in done.stderr, output
        return Played(done.returncode, output, {found[1]: int(found[3]) for found in RECAP.finditer(output)})


def _reach(host: Host) -> dict[str, Any]:
    return {
        "ansible_host": host.address,
        "ansible_user": "ansible",
        "ansible_ssh_timeout": 60,
        "ansible_ssh_private_key_file": str(host.ssh_key),
        "ansible_ssh_common_args": " ".join(host.ssh_options),
    }


def eventually(check: Callable[[], Any], seconds: float = 10) -> Any:
    """The first true value of the check; its last value when the time is over."""
    until = time.monotonic() + seconds
    while True:
        found = check()
        if found or time.monotonic() > until:
            return found
        time.sleep(0.2)


def stored(host: Host, tenant: str, source: str) -> list[str]:
    """The stored lines of a source."""
    return host.run(f"cat /var/log/collected/{tenant}/{source}/*.log 2>/dev/null", check=False).stdout.splitlines()


def lines_with(host: Host, tenant: str, source: str, text: str, count: int = 1, seconds: float = 10) -> list[str]:
    """Stored lines that hold the text, as soon as there are so many, or what there is when the time is over."""
    found: list[str] = []

    def enough() -> bool:
        found[:] = [line for line in stored(host, tenant, source) if text in line]
        return len(found) >= count

    eventually(enough, seconds)
    return found


def record(text: str, host: str = "fw1", priority: int = 134) -> str:
    return f"<{priority}>1 2026-11-21T10:00:00Z {host} app - - - {text}"


def send_udp(host: Host, port: int, *records: str, sender: str = "") -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.bind((sender or host.gateway, 0))
        for text in records:
            out.sendto(text.encode(), (host.address, port))


def send_tcp(host: Host, port: int, data: bytes, sender: str = "") -> None:
    with socket.create_connection((host.address, port), 10, (sender or host.gateway, 0)) as out:
        out.sendall(data)


def octets(*records: str) -> bytes:
    """Octet-counted frames (RFC 6587)."""
    return b"".join(f"{len(text.encode())} {text}".encode() for text in records)


@contextmanager
def tls_connection(host: Host, port: int, certificate: Path, ca: Path) -> Iterator[ssl.SSLSocket]:
    """A connection with a client certificate; certificate: PEM file with the key."""
    context = ssl.create_default_context(cafile=str(ca))
    context.check_hostname = False  # the test reaches the host by address
    context.load_cert_chain(certificate)
    with (
        socket.create_connection((host.address, port), 10) as plain,
        context.wrap_socket(plain) as out,
    ):
        yield out


def send_relp(connection: socket.socket, *records: str, encoding: str = "utf-8") -> int:
    """Send by RELP over a new connection and close it; the number of records that the receiver acknowledged."""
    with connection as out:
        reader = out.makefile("rb")

        def command(number: int, name: str, data: bytes) -> bytes:
            out.sendall(f"{number} {name} {len(data)}".encode() + (b" " + data if data else b"") + b"\n")
            if name == "close":
                return b""
            words = reader.readline()
            length = int(words.split(b" ")[2])
            have = len(words.split(b" ", 3)[3]) if words.count(b" ") > 2 else 0
            rest = reader.read(max(0, length + 1 - have)) if have <= length else b""
            return words + rest

        offers = b"relp_version=0\nrelp_software=test\ncommands=syslog"
        assert b"200" in command(1, "open", offers)
        acknowledged = sum(
            b"rsp 6 200 OK" in command(number, "syslog", text.encode(encoding))
            for number, text in enumerate(records, 2)
        )
        command(len(records) + 2, "close", b"")
        reader.close()
    return acknowledged


def fetch_peer(host: Host, tenant: str, peer: str, folder: Path) -> tuple[Path, Path]:
    """(certificate with key, authority) that the receiver made for a peer."""
    tls = f"/etc/mssp/syslog/{tenant}/tls"
    certificate, ca = folder / f"{host.suite}-{peer}.pem", folder / f"{host.suite}-{tenant}-ca.pem"
    certificate.write_text(host.run(f"cat {tls}/clients/{peer}.pem {tls}/clients/{peer}.key").stdout, encoding="ascii")
    certificate.chmod(0o600)
    ca.write_text(host.run(f"cat {tls}/ca.pem").stdout, encoding="ascii")
    return certificate, ca


def healthy(host: Host, tenant: str) -> bool:
    """The receiver is up, and is still the first process that was started."""
    unit = f"mssp-syslog-{tenant}.service"
    return host.run(f"systemctl show -p ActiveState -p NRestarts {unit}").stdout == "NRestarts=0\nActiveState=active\n"


def receiver_pids(host: Host, config: str) -> list[int]:
    """Process ids of the rsyslogd that reads the file, as this machine sees them."""
    found = []
    for listed in {path for top in CGROUPS for path in (top / f"mssphost{host.slot}").rglob("cgroup.procs")}:
        for pid in listed.read_text(encoding="ascii").split():
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if words[0].endswith(b"rsyslogd") and config.encode() in words:
                    found.append(int(pid))
    return found
