"""The lab's firewall really sends to a booted collector, by UDP and by TLS: the tenant file of the role's README."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.client import LabClient
from lab.sophos.client import HEADQUARTERS
from lab.testing import running_lab
from tests.hosts.conftest import Boot
from tests.hosts.nspawn import ROOT, Host
from tests.hosts.syslog_tools import _reach, lines_with
from tests.playbooks.test_docs import blocks

TOOL = Path(sys.executable).with_name("ansible-playbook")
NAME = "mssp"
SECURE = "-esophos_syslog_source=branches"
# The collector stays as it is.
HERE = ("-l", "contoso:!collectors")


class Fleet:
    """One tenant, of the README's example; where its firewall and its collector are is the test's."""

    def __init__(self, lab: LabClient, host: Host, folder: Path) -> None:
        self.lab, self.host, self.folder, self.told = lab, host, folder, ""
        tenant = yaml.safe_load(blocks(ROOT / "roles/sophos_syslog/README.md", "yaml")[0])
        firewall = tenant["sophos"]["firewalls"]["headquarters"]
        assert firewall["serial_number"] == lab.sophos.state()["serial"]
        firewall |= {"host": HEADQUARTERS, "port": lab.sophos.port}
        collector = tenant["collectors"]["collector1"]
        collector |= _reach(host)
        sources = collector["syslog_target"]["sources"]
        sources["firewalls"]["senders"] = [host.gateway]
        sources["branches"] = {"transport": "tls", "senders": [host.gateway]}
        (folder / "tenants").mkdir()
        (folder / "tenants" / "contoso.yml").write_text(yaml.safe_dump(tenant))
        fleet = {"plugin": "mssp.onboarding.tenants", "defaults": {"sophos": {"ca_file": lab.ca_file}}}
        (folder / "fleet.yml").write_text(yaml.safe_dump(fleet))

    def __call__(self, verb: str, *arguments: str, fails: bool = False) -> dict[str, Any]:
        """The row of the firewalls in what the run sums up, with all that it said."""
        evidence = self.folder / "evidence"
        clean = {key: text for key, text in os.environ.items() if not key.startswith(("ANSIBLE_", "SOPHOS_", "MSSP_"))}
        done = subprocess.run(
            [TOOL, "-i", self.folder / "fleet.yml", f"mssp.onboarding.{verb}", "-vvv", "--diff", *arguments],
            cwd=ROOT,
            env={
                **clean,
                "SOPHOS_PASSWORD": self.lab.sophos.state()["password"],
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "MSSP_EVIDENCE_DIR": str(evidence),
            },
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        text = done.stdout + done.stderr
        assert bool(done.returncode) == fails, text
        self.told += text + "".join(path.read_text() for path in evidence.rglob("*") if path.is_file())
        rows = json.loads((evidence / "summary.json").read_text())["tenants"]
        (row,) = [one for one in rows if one["capability"] == "sophos_syslog"]
        (changed,) = re.findall(r"^contoso +: ok=.*?changed=(\d+)", done.stdout, re.MULTILINE)
        return {**row, "changed": int(changed), "text": text}


@pytest.fixture(scope="module")
def fleet(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with running_lab() as lab:
        yield Fleet(lab, boot("bookworm", "sophos"), tmp_path_factory.mktemp("fleet"))


def test_a_firewall_sends_to_the_tenants_collector(fleet: Fleet) -> None:
    """One test, since each step is about what the one before has left."""
    lab, serial = fleet.lab, fleet.lab.sophos.state()["serial"]
    before = lab.sophos.servers()
    assert (made := fleet("onboard"))["changed"] > 0
    assert made["outcome"] == "corrected"
    server = lab.sophos.servers()[NAME]
    assert (server["ServerAddress"], server["Port"]) == (fleet.host.address, "514")
    assert fleet("verify", *HERE)["outcome"] == "in_sync"
    lab.edit("sophos_traffic", host=HEADQUARTERS, message="by datagram")
    (line,) = lines_with(fleet.host, "contoso", "firewalls", "by datagram")
    assert f'device_serial_id="{serial}"' in line

    # By TLS nothing arrives until somebody has imported the authority, and preflight says so.
    lacking = fleet("preflight", SECURE, *HERE, fails=True)
    assert "/etc/mssp/syslog/TENANT/tls/ca.pem" in lacking["text"]
    assert fleet("drift", SECURE, "-edrift_correct=true", *HERE)["outcome"] == "corrected"
    pem = fleet.host.run("cat /etc/mssp/syslog/contoso/tls/ca.pem").stdout
    lab.edit("import_sophos_authority", host=HEADQUARTERS, name=NAME, pem=pem)
    assert fleet("verify", SECURE, *HERE)["outcome"] == "in_sync"
    assert lines_with(fleet.host, "contoso", "branches", serial)
    assert fleet("onboard", SECURE, *HERE)["changed"] == 0

    assert fleet("offboard", "-eoffboard_confirm=contoso")["outcome"] == "corrected"
    assert lab.sophos.servers() == before
    assert lab.sophos.state()["password"] not in fleet.told
