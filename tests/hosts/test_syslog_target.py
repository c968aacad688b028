"""The role syslog_target on booted hosts, from the first check to the last file."""

from __future__ import annotations

import re
import socket
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.hosts.conftest import Boot
from tests.hosts.nspawn import OPTIONAL_PACKAGES, ROOT, SUITES, Host
from tests.hosts.printed import diffs
from tests.hosts.syslog_tools import (
    Fleet,
    eventually,
    fetch_peer,
    lines_with,
    octets,
    record,
    send_relp,
    send_tcp,
    send_udp,
    tls_connection,
)
from tests.playbooks.tenant_files import variables

SIEM = "host: 127.0.0.1, port: 8601"
LISTENER = """
import socket
connection = socket.create_server(("127.0.0.1", 8601)).accept()[0]
while connection.recv(1 << 16):
    pass
"""
SNAPSHOT = (
    "find /etc /usr/local /var/lib/rsyslog /var/log -newer /run/mark -type f | grep -v -e /journal/ -e wtmp | sort"
)


@pytest.fixture(scope="module")
def fleet(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    return Fleet(tmp_path_factory.mktemp("fleet"), {suite: boot(suite, suite) for suite in SUITES})


def example() -> dict[str, Any]:
    """The example of the role's README, with the senders and the SIEM of the test instead of its addresses."""
    text = (ROOT / "roles/syslog_target/README.md").read_text(encoding="utf-8")
    found = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert found
    text = found[1].replace("192.0.2.0/24", "10.213.0.0/16").replace("host: 203.0.113.20, port: 601", SIEM)
    return variables({"syslog_target": yaml.safe_load(text)["collectors"]["collector1"]["syslog_target"]})


def test_from_check_to_offboard(fleet: Fleet, tmp_path: Path) -> None:
    """One walk, as each step needs the one before: a receiver where the packages are not even installed."""
    variables = {"contoso": {**example(), "syslog_target_stats_seconds": 1}}
    for host in fleet.hosts.values():
        host.run(f"dpkg --purge {' '.join(OPTIONAL_PACKAGES)}; touch /run/mark; sleep 1")
    predicted = fleet.play("main", variables, "--check", "--diff")
    for host in fleet.hosts.values():
        assert [path for path in host.run(SNAPSHOT).stdout.split() if "/var/log/" not in path] == []
        assert host.run("ls -d /etc/mssp /var/log/collected", check=False).stdout == ""

    for host in fleet.hosts.values():
        host.run("cat > /run/siem.py; systemd-run --quiet python3 /run/siem.py", stdin=LISTENER)
    first = fleet.play("main", variables, "--diff")
    ours = [[one for one in diffs(played.output) if "/mssp" in one] for played in (predicted, first)]
    assert any("+++ after: /etc/mssp/syslog/contoso/rsyslog.conf" in one for one in ours[1])
    assert ours[0] == ours[1]
    assert predicted.changed == first.changed == dict.fromkeys(first.changed, 2)
    assert fleet.play("main", variables).changed == dict.fromkeys(first.changed, 0)
    assert fleet.play("drift", variables, "-e", "drift_fail=true").changed == dict.fromkeys(first.changed, 0)

    for host in fleet.hosts.values():
        _sends_by_every_transport(host, tmp_path)
        assert eventually(partial(_counted, host), 60)
    verified = fleet.play("verify", variables)
    assert "all well" in verified.output, verified.output

    for host in fleet.hosts.values():
        host.run("sed -i s/contoso/fabrikam/ /etc/mssp/syslog/contoso/rsyslog.conf; systemctl stop mssp-syslog-contoso")
    found = fleet.play("drift", variables, "-e", "drift_fail=true", fails=True)
    assert "different" in found.output
    assert "stopped" in found.output
    corrected = fleet.play("drift", variables, "-e", "drift_correct=true", "-e", "drift_fail=true")
    assert all(corrected.changed.values())

    _leaves_nothing(fleet, variables)


def _sends_by_every_transport(host: Any, folder: Path) -> None:
    send_udp(host, 514, record("by udp"), sender=host.senders[0])
    send_tcp(host, 601, octets(record("by tcp")), sender=host.senders[0])
    certificate, ca = fetch_peer(host, "contoso", "proxy.contoso.example", folder)
    with tls_connection(host, 6514, certificate, ca) as out:
        out.sendall((record("by tls") + "\n").encode())
    assert send_relp(socket.create_connection((host.address, 20514), 10), record("by relp")) == 1
    for source, text in (("firewalls", "udp"), ("switches", "tcp"), ("proxies", "tls"), ("mail", "relp")):
        assert len(lines_with(host, "contoso", source, f"by {text}")) == 1, (host.suite, text)


def _counted(host: Host) -> bool:
    """Whether the receiver has written down that it stored the one record of the source mail."""
    line = """grep '"store-mail"' /var/log/collected/contoso/_collector/stats.log | grep -q '"processed": 1,'"""
    return host.run(line, check=False).returncode == 0


def _leaves_nothing(fleet: Fleet, variables: dict[str, dict[str, Any]]) -> None:
    removed = fleet.play("offboard", variables)
    assert set(removed.changed.values()) == {1}
    for host in fleet.hosts.values():
        left = host.run("ls -d /etc/mssp /var/lib/rsyslog /run/mssp /run/mssp-* /etc/logrotate.d/mssp*", check=False)
        assert left.stdout == ""
        assert host.run("systemctl list-unit-files 'mssp-*' --no-legend", check=False).stdout == ""
        assert len(lines_with(host, "contoso", "firewalls", "by udp")) == 1  # records are the customer's
        host.run("logger still-working && sleep 0.5 && grep -q still-working /var/log/syslog")
        assert host.run("systemctl is-system-running").stdout == "running\n"
    assert set(fleet.play("offboard", variables).changed.values()) == {0}
    purged = {tenant: {**own, "syslog_target_purge_records": True} for tenant, own in variables.items()}
    fleet.play("offboard", purged)
    for host in fleet.hosts.values():
        assert host.run("ls -d /var/log/collected", check=False).stdout == ""
