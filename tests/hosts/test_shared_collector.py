"""Two tenants on one booted collector, made and taken away at the same time, and files that go on as syslog records."""

from __future__ import annotations

import json
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hosts.conftest import Boot
from tests.hosts.nspawn import Host
from tests.hosts.scp_drops import ROOT, Drops, ansible
from tests.hosts.syslog_tools import eventually, lines_with, record, send_udp

PLAYBOOK = ROOT / "tests/hosts/playbooks/shared_collector.yml"
TENANTS = {"contoso": 5514, "fabrikam": 5515}
LEFT = (
    "ls -d /etc/mssp* /usr/local/sbin/mssp* /usr/local/lib/mssp* /etc/ssh/mssp* 2>/dev/null; getent passwd | grep ^mssp"
)


class Siem(socketserver.ThreadingTCPServer):
    """What an output sends to. records: all that came, octet-counted (RFC 6587)."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: str) -> None:
        self.records: list[str] = []
        super().__init__((address, 0), self.Handler)

    class Handler(socketserver.StreamRequestHandler):
        server: Siem

        def handle(self) -> None:
            length = b""
            while byte := self.rfile.read(1):
                if byte == b" ":
                    self.server.records.append(self.rfile.read(int(length)).decode())
                    length = b""
                else:
                    length += byte


@contextmanager
def siem(host: Host) -> Iterator[Siem]:
    with Siem(host.gateway) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def variables(host: Host, drops: Drops, port: int, siem_port: int) -> dict[str, Any]:
    """A receiver with a port of its own, a file drop, and what hands its files on."""
    handed_on = {"transport": "file", "paths": [f"{drops.base('esa')}/ready/*"]}
    return {
        "ansible_host": host.address,
        "ansible_user": "ansible",
        "ansible_ssh_timeout": 60,
        "ansible_ssh_private_key_file": str(host.ssh_key),
        "ansible_ssh_common_args": " ".join(host.ssh_options),
        "mssp_tenant": drops.tenant,
        "syslog_target_sources": {"firewall": {"transport": "udp", "port": port}, "esa-files": handed_on},
        "syslog_target_outputs": {"siem": {"type": "tcp", "host": host.gateway, "port": siem_port}},
        "scp_target_sources": drops.sources,
        "scp_target_min_free_mib": 1,
    }


def play(inventory: Path, entry: str) -> tuple[str, dict[str, int]]:
    """(what was printed, changes by inventory host), of two forks."""
    done = ansible("ansible-playbook", "-i", str(inventory), "-f", "2", str(PLAYBOOK), "-e", f"entry={entry}")
    assert done.returncode == 0, done.stdout + done.stderr
    recap = re.findall(r"^(\S+) +: ok=.*?changed=(\d+)", done.stdout, re.MULTILINE)
    return done.stdout, {host: int(number) for host, number in recap}


def test_two_tenants_at_the_same_time(boot: Boot, tmp_path: Path) -> None:
    host = boot("trixie", "shared")
    tenants = {name: Drops(host, tmp_path, tenant=name) for name in TENANTS}
    for drops in tenants.values():
        drops.add("esa")
    inventory = tmp_path / "inventory.json"
    with siem(host) as server:
        port = server.server_address[1]
        hosts = {f"{name}-log": variables(host, tenants[name], TENANTS[name], port) for name in TENANTS}
        inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        _printed, changed = play(inventory, "main")
        assert all(changed.values()), changed
        assert play(inventory, "main")[1] == dict.fromkeys(hosts, 0)
        for name, drops in tenants.items():
            send_udp(host, TENANTS[name], record(f"of {name}"))
            assert len(lines_with(host, name, "firewall", f"of {name}", seconds=60)) == 1
            pushed(drops, tmp_path, server)
    play(inventory, "offboard")
    assert play(inventory, "offboard")[1] == dict.fromkeys(hosts, 0)
    assert host.run(LEFT, check=False).stdout == ""
    host.run("sshd -t && systemctl is-active ssh rsyslog")


def pushed(drops: Drops, folder: Path, server: Siem) -> None:
    """A file that is pushed by SCP is stored line by line, and each line goes to the output with tenant and source."""
    texts = [f"{drops.tenant} line {number}" for number in range(3)]
    path = folder / f"{drops.tenant}.log"
    path.write_text("".join(f"{text}\n" for text in texts), encoding="ascii")
    assert drops.scp("esa", path).code == 0
    stored = lines_with(drops.host, drops.tenant, "esa-files", f"{drops.tenant} line", 3, seconds=60)
    assert [sum(text in line for line in stored) for text in texts] == [1, 1, 1]

    def sent() -> list[str]:
        return [one for one in server.records if f"{drops.tenant} line" in one]

    assert eventually(lambda: len(sent()) >= len(texts), seconds=60), server.records
    assert [sum(text in one for one in sent()) for text in texts] == [1, 1, 1]
    assert all(f'tenant="{drops.tenant}" source="esa-files"' in one for one in sent())
