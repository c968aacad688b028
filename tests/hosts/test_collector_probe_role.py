"""The role collector_verify beside the roles that made the collector, on a booted host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import warm
from tests.hosts.conftest import Boot
from tests.hosts.nspawn import ROOT, Host

PLAYBOOK = ROOT / "tests/hosts/playbooks/collector_probe_role.yml"
TRANSPORTS = ("udp", "tcp", "tls", "relp", "scp", "sftp")
SYSLOG = ("firewall", "proxy", "switch", "mail", "branch", "badge")
ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


class Collector:
    """A host that the roles made a collector, and its variables."""

    def __init__(self, host: Host, folder: Path) -> None:
        self.host = host
        self.folder = folder
        self.key = folder / "drop"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        public = self.key.with_suffix(".pub").read_text().strip()
        (folder / "hosts").write_text(f"[collectors]\n{host.inventory_line}\n", encoding="utf-8")
        self.variables: dict[str, Any] = {
            "mssp_tenant": "contoso",
            "syslog_target_tls_names": [host.address],
            "syslog_target_sources": {
                "firewall": {"transport": "udp", "port": 5514, "senders": [host.gateway]},
                "proxy": {"transport": "tcp", "port": 5515, "severity": "warning", "facilities": ["local4"]},
                "switch": {"transport": "tcp", "port": 5516, "senders": ["127.0.0.1"]},
                "mail": {"transport": "tls", "port": 6514, "peers": ["mail.example.net"]},
                "branch": {"transport": "tls", "port": 6515, "senders": [host.gateway]},
                "badge": {"transport": "relp", "port": 20514},
                "vault": {"transport": "udp", "port": 5517, "senders": ["192.0.2.7"]},
            },
            "scp_target_sources": {
                "gateway": {"keys": [public], "from": [host.gateway], "names": ["mail.@*.s"]},
                "other": {"keys": [public], "from": ["192.0.2.7"]},
            },
            "scp_target_min_free_mib": 1,
            "collector_verify_known_hosts": str(host.known_hosts),
            "collector_verify_ssh_keys": {"gateway": str(self.key)},
            "collector_verify_count": 8,
        }

    def example(self) -> subprocess.CompletedProcess[str]:
        """The example of the README, with the paths of the test; what it sets is set by nobody else."""
        text = (ROOT / "roles/collector_verify/README.md").read_text(encoding="utf-8")
        example = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0]
        site = self.folder / "site.yml"
        example = example.replace("~/.ssh/gateway-probe", str(self.key))
        site.write_text(example.replace("~/.ssh/known_hosts", str(self.host.known_hosts)), encoding="utf-8")
        given = {name: value for name, value in self.variables.items() if name not in example}
        return self._run(site, given)

    def play(self, *options: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return self._run(PLAYBOOK, {**self.variables, **more}, *options)

    def _run(self, playbook: Path, given: dict[str, Any], *options: str) -> subprocess.CompletedProcess[str]:
        variables = self.folder / "variables.json"
        variables.write_text(json.dumps(given), encoding="utf-8")
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MSSP_"))}
        line = [ANSIBLE_PLAYBOOK, "-i", self.folder / "hosts", playbook, "-e", f"@{variables}", *options]
        settings = {"ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_PIPELINING": "true"}
        return warm.run(line, cwd=ROOT, env={**clean, **settings, "MSSP_EVIDENCE_ROOT": str(self.folder)})


@pytest.fixture(scope="module")
def collector(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Collector:
    made = Collector(boot("trixie", "verified"), tmp_path_factory.mktemp("collector"))
    done = made.play(make=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def table(text: str) -> dict[tuple[str, str], list[str]]:
    """The printed rows: (source, transport) to outcome, sent, stored, lost."""
    cells = [line.strip(' ",').split() for line in text.split("\n")]
    return {(row[0], row[1]): row[2:6] for row in cells if len(row) == 10 and row[1] in TRANSPORTS}


def told(done: subprocess.CompletedProcess[str]) -> str:
    """What was printed as running text, whatever its lines."""
    return " ".join(line.strip(' ",') for line in done.stdout.split("\n"))


def test_every_source_is_probed_from_where_it_may_be(collector: Collector) -> None:
    done = collector.example()
    assert done.returncode == 0, done.stdout + done.stderr
    well, unknown = ["in_sync", "8", "8", "0"], ["unknown", "0", "-", "-"]
    assert table(done.stdout) == {
        ("firewall", "udp"): well,
        ("proxy", "tcp"): well,
        ("switch", "tcp"): well,
        ("mail", "tls"): well,
        ("branch", "tls"): well,
        ("badge", "relp"): well,
        ("vault", "udp"): unknown,
        ("gateway", "scp"): well,
        ("gateway", "sftp"): well,
        ("other", "scp"): unknown,
        ("other", "sftp"): unknown,
    }
    assert "not over the network: mail, switch" in done.stdout
    assert "takes this source from 192.0.2.7 only" in told(done)
    assert "has no key for it" in told(done)


def test_a_certificate_on_the_control_node_is_used_from_there(collector: Collector) -> None:
    clients = "/etc/mssp/syslog/contoso/tls/clients/mail.example.net"
    for ending in ("pem", "key"):
        text = collector.host.run(f"cat {clients}.{ending}").stdout
        (collector.folder / f"mail.{ending}").write_text(text, encoding="utf-8")
    files = {"cert": str(collector.folder / "mail.pem"), "key": str(collector.folder / "mail.key")}
    done = collector.play(collector_verify_certificates={"mail": files}, collector_verify_from="control")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = table(done.stdout)
    assert rows["mail", "tls"] == ["in_sync", "8", "8", "0"]
    assert rows["switch", "tcp"][0] == "unknown"
    assert "not over the network" not in done.stdout
    files = {"collector_verify_certificates": {"mail": files}, "collector_verify_from": "collector"}
    done = collector.play(**files, syslog_target_tls_certificate="given")
    assert table(done.stdout)["mail", "tls"][0] == "unknown"
    assert "Its certificate is on the control node only, and collector_verify_from is collector." in told(done)


def test_a_certificate_of_the_control_node_counts_from_the_sources_addresses_only(collector: Collector) -> None:
    sources = dict(collector.variables["syslog_target_sources"])
    sources["mail"] = {**sources["mail"], "senders": ["192.0.2.7"]}
    files = {"mail": {"cert": str(collector.folder / "mail.pem"), "key": str(collector.folder / "mail.key")}}
    given = {"collector_verify_certificates": files, "syslog_target_tls_certificate": "given"}
    done = collector.play("--check", **given, syslog_target_sources=sources)
    assert table(done.stdout)["mail", "tls"][0] == "unknown"
    words = "takes this source from 192.0.2.7 only, and this host sends from"
    assert f"{words} {collector.host.gateway}. Its certificate is on the control node only, and is not" in told(done)


def test_check_mode_sends_nothing(collector: Collector) -> None:
    count = "grep -r --exclude-dir=_collector --include=*.log -c mssp-probe /var/log/collected/contoso | sort"
    before = collector.host.run(count).stdout
    # Certificates that are given: the collector has made none for a client, and cannot stand in for one.
    done = collector.play("--check", syslog_target_tls_certificate="given")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = table(done.stdout)
    assert {row[0] for row in rows.values()} == {"skipped", "unknown"}
    assert rows["mail", "tls"][0] == "unknown"
    assert "has no certificate for it, and the collector has made none" in told(done)
    assert "Would send 8 records" in told(done)
    assert collector.host.run(count).stdout == before


def test_loss_fails_the_play_and_names_the_source(collector: Collector) -> None:
    rules = "add table inet lossy; add chain inet lossy in { type filter hook input priority 0; };"
    collector.host.run(f"nft '{rules} add rule inet lossy in udp dport 5514 drop'")
    try:
        done = collector.play(collector_verify_wait_seconds=1)
    finally:
        collector.host.run("nft delete table inet lossy")
    assert done.returncode == 2
    rows = table(done.stdout)
    assert rows["firewall", "udp"] == ["failed", "8", "0", "8"]
    assert rows["proxy", "tcp"][0] == "in_sync"
    assert "firewall udp is failed: 0 of 8 records are stored" in told(done)


def test_a_receiver_that_is_down_fails_the_play(collector: Collector) -> None:
    collector.host.run("systemctl stop mssp-syslog-contoso")
    try:
        done = collector.play(collector_verify_wait_seconds=1)
    finally:
        collector.host.run("systemctl start mssp-syslog-contoso")
    assert done.returncode == 2
    failed = {key for key, row in table(done.stdout).items() if row[0] == "failed"}
    assert failed == {(name, by) for name, by in table(done.stdout) if name in SYSLOG}
