"""A tenant with Azure subscriptions and two collectors, from its tenant file through all verbs of the playbooks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.client import LabClient
from lab.testing import running_lab
from tests import warm
from tests.hosts.conftest import Boot
from tests.hosts.nspawn import ROOT, Host
from tests.hosts.printed import diffs

ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
COLLECTORS = ("contoso-log1", "contoso-log2")
MADE = "/etc/mssp /var/lib/rsyslog/mssp /etc/systemd/system/mssp-syslog-contoso.service"
# Some of what a diff must show; the rest is compared with what check mode showed.
DIFFS = ("/etc/mssp/syslog/contoso/rsyslog.conf", "file /etc/ssh/sshd_config.d/60-mssp-scp-contoso.conf")


class Fleet:
    """The lab's inventory with collectors of contoso beside, and a way to run the playbooks on it."""

    def __init__(self, folder: Path, lab: LabClient, hosts: list[Host]) -> None:
        self.folder = folder
        self.lab = lab
        self.hosts = dict(zip(COLLECTORS, hosts, strict=True))
        shutil.copytree(ROOT / "inventories/lab", folder / "lab")
        self.key = folder / "drop"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        path = folder / "lab/tenants/contoso.yml"
        tenant = yaml.safe_load(path.read_text())
        tenant["collectors"] = {name: self._collector(host) for name, host in self.hosts.items()}
        path.write_text(yaml.safe_dump(tenant))
        (folder / "lab/group_vars").mkdir(exist_ok=True)
        (folder / "lab/group_vars/collectors.yml").write_text("scp_target_min_free_mib: 1\n")  # the provider's alone

    def _collector(self, host: Host) -> dict[str, Any]:
        _name, *pairs = re.findall(r"(?:[^\s'\"]|'[^']*'|\"[^\"]*\")+", host.inventory_line)
        connection = {key: value.strip("'\"") for key, value in (pair.split("=", 1) for pair in pairs)}
        return {
            **connection,
            "syslog_target": {
                "stats_seconds": 5,  # without counters verify does not say that nothing is lost
                "sources": {
                    "firewall": {"transport": "udp", "port": 5514, "senders": [host.gateway]},
                    "switch": {"transport": "tcp", "port": 5601, "senders": [host.gateway]},
                },
            },
            "scp_target": {
                "sources": {
                    "gateway": {"keys": [self.key.with_suffix(".pub").read_text().strip()], "from": [host.gateway]}
                },
            },
            "collector_verify": {
                "known_hosts": str(host.known_hosts),
                "ssh_keys": {"gateway": str(self.key)},
                "count": 5,
            },
        }

    def play(self, verb: str, *options: str) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MSSP_", "AZURE_"))}
        return warm.run(
            [ANSIBLE_PLAYBOOK, "-i", self.folder / "lab", f"mssp.onboarding.{verb}", *options],
            cwd=ROOT,
            env={
                **kept,
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "MSSP_LAB_URL": self.lab.url,
                "MSSP_LAB_DIR": str(self.lab.state_dir),
                "MSSP_EVIDENCE_ROOT": str(self.folder / "evidence"),
            },
        )


@pytest.fixture(scope="module")
def fleet(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    hosts = [boot("bookworm", COLLECTORS[0]), boot("trixie", COLLECTORS[1])]
    with running_lab() as lab:
        yield Fleet(tmp_path_factory.mktemp("fleet"), lab, hosts)


def changed(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    return {host: int(n) for host, n in re.findall(r"^(\S+) +: ok=.*?changed=(\d+)", done.stdout, re.MULTILINE)}


def files(host: Host) -> str:
    return host.run("find /etc /var/spool /var/log/collected /usr/local -xdev 2>/dev/null | sort").stdout


def test_one_file_of_a_tenant_makes_its_azure_logs_and_its_collectors(fleet: Fleet) -> None:
    """One test, since each step is about what the one before has left."""
    before = {name: files(host) for name, host in fleet.hosts.items()}
    predicted = fleet.play("onboard", "--check", "--diff")
    assert predicted.returncode == 0, predicted.stdout + predicted.stderr
    assert {name: files(host) for name, host in fleet.hosts.items()} == before

    first = fleet.play("onboard", "--diff")
    assert first.returncode == 0, first.stdout + first.stderr
    assert all(count > 0 for count in changed(first).values())
    assert set(changed(first)) == {"contoso", "fabrikam", "tailspin", *COLLECTORS}
    assert changed(predicted) == changed(first)
    shown = diffs(first.stdout)
    assert all(any(f"+++ after: {name}" in one for one in shown) for name in DIFFS)
    assert diffs(predicted.stdout) == shown

    second = fleet.play("onboard")
    assert second.returncode == 0, second.stdout + second.stderr
    assert changed(second) == dict.fromkeys(changed(first), 0)

    fleet.lab.advance(3600)
    for name in COLLECTORS:  # as if an hour had passed there, too: what is new may be silent for a while
        fleet.hosts[name].run("touch -d '61 minutes ago' /var/lib/rsyslog/mssp/*/applied")
    silent = fleet.play("verify", "-l", "tenant_contoso")
    assert silent.returncode == 2, "no source has sent anything: that must not read as well"
    rows = re.findall(r"^(\S+) +(in_sync|pending|drifted|failed) ", silent.stdout, re.MULTILINE)
    # One row per host and capability. File drops that are new may be silent for a day.
    assert sorted(rows) == [(name, outcome) for name in COLLECTORS for outcome in ("drifted", "pending")]
    verified = fleet.play("verify", "-e", "verify_probe=true", "-l", "contoso,tenant_contoso")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "collector_verify : Table of the sources" in verified.stdout
    assert re.search(r"firewall +udp +in_sync +5 +5 +0", verified.stdout), verified.stdout
    assert re.search(r"gateway +scp +in_sync +5 +5 +0", verified.stdout), verified.stdout

    clean = fleet.play("drift", "-e", "drift_fail=true", "-l", "contoso,tenant_contoso")
    assert clean.returncode == 0, clean.stdout + clean.stderr
    collector = fleet.hosts[COLLECTORS[0]]
    collector.run("rm -r /etc/mssp/syslog/contoso")
    found = fleet.play("drift", "-e", "drift_fail=true", "-l", "tenant_contoso")
    assert found.returncode == 2
    corrected = fleet.play("drift", "-e", "drift_correct=true", "-l", "tenant_contoso")
    assert corrected.returncode == 0, corrected.stdout + corrected.stderr
    assert changed(corrected)[COLLECTORS[0]] > 0
    assert changed(corrected)[COLLECTORS[1]] == 0

    gone = fleet.play("offboard", "-e", "offboard_confirm=contoso")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    for host in fleet.hosts.values():
        left = host.run(f"ls -d {MADE} 2>/dev/null; getent passwd | grep ^mssp-; true").stdout
        assert left == ""
        host.run("logger -t fleet the-host-logs-on")
        assert "the-host-logs-on" in host.run("sleep 1; cat /var/log/syslog").stdout
    again = fleet.play("offboard", "-e", "offboard_confirm=contoso")
    assert again.returncode == 0, again.stdout + again.stderr
    assert set(changed(again).values()) == {0}
