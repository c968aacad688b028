"""What the lab has really pushes to a booted collector, by the tenant file of the role's README.

A firewall by UDP and by TLS, an e-mail gateway by OpenSSH's scp and by syslog.
"""

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

from lab.cisco_esa.client import ALONE
from lab.client import LabClient
from lab.sophos.client import HEADQUARTERS
from lab.testing import running_lab
from tests.hosts.conftest import Boot
from tests.hosts.nspawn import ROOT, Host
from tests.hosts.syslog_tools import _reach, lines_with
from tests.playbooks.test_docs import blocks

TOOL = Path(sys.executable).with_name("ansible-playbook")
NAME = "mssp"
RECORDS = "-ecisco_esa_logs_source=records"
SECURE = "-esophos_syslog_source=branches"
# The collector stays as it is.
HERE = ("-l", "contoso:!collectors")


class Fleet:
    """One tenant, of the example of the role's README; where what pushes and its collector are is the test's."""

    def __init__(self, lab: LabClient, host: Host, folder: Path, role: str, environment: dict[str, str]) -> None:
        self.lab, self.host, self.folder, self.role, self.told = lab, host, folder, role, ""
        self.environment = environment
        self.tenant = yaml.safe_load(blocks(ROOT / f"roles/{role}/README.md", "yaml")[0])
        self.tenant["collectors"]["collector1"] |= _reach(host)

    def write(self, **defaults: Any) -> None:
        (self.folder / "tenants").mkdir()
        (self.folder / "tenants" / "contoso.yml").write_text(yaml.safe_dump(self.tenant))
        fleet = {"plugin": "mssp.onboarding.tenants", "defaults": defaults}
        (self.folder / "fleet.yml").write_text(yaml.safe_dump(fleet))

    def __call__(self, verb: str, *arguments: str, fails: bool = False) -> dict[str, Any]:
        """The role's row in what the run sums up, with all that it said."""
        evidence = self.folder / "evidence"
        clean = {key: text for key, text in os.environ.items() if not key.startswith(("ANSIBLE_", "MSSP_"))}
        done = subprocess.run(
            [TOOL, "-i", self.folder / "fleet.yml", f"mssp.onboarding.{verb}", "-vvv", "--diff", *arguments],
            cwd=ROOT,
            env={
                **clean,
                **self.environment,
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
        (row,) = [one for one in rows if one["capability"] == self.role]
        (changed,) = re.findall(r"^contoso +: ok=.*?changed=(\d+)", done.stdout, re.MULTILINE)
        return {**row, "changed": int(changed), "text": text}


@pytest.fixture(scope="module")
def lab() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


@pytest.fixture(scope="module")
def host(boot: Boot) -> Host:
    return boot("bookworm", "pushed-to")


@pytest.fixture
def fleet(lab: LabClient, host: Host, tmp_path: Path) -> Fleet:
    """Of the firewall."""
    found = Fleet(lab, host, tmp_path, "sophos_syslog", {"SOPHOS_PASSWORD": lab.sophos.state()["password"]})
    firewall = found.tenant["sophos"]["firewalls"]["headquarters"]
    assert firewall["serial_number"] == lab.sophos.state()["serial"]
    firewall |= {"host": HEADQUARTERS, "port": lab.sophos.port}
    sources = found.tenant["collectors"]["collector1"]["syslog_target"]["sources"]
    sources["firewalls"]["senders"] = [host.gateway]
    sources["branches"] = {"transport": "tls", "senders": [host.gateway]}
    found.write(sophos={"ca_file": lab.ca_file})
    return found


@pytest.fixture
def gateways(lab: LabClient, host: Host, tmp_path: Path) -> Fleet:
    """Of the e-mail gateway."""
    state = lab.cisco_esa.state()
    found = Fleet(lab, host, tmp_path, "cisco_esa_logs", {"CISCO_ESA_PASSWORD": state["password"]})
    appliance = found.tenant["cisco_esa"]["appliances"]["esa1"]
    assert appliance["serial_number"] == state["serial"]
    appliance |= {"host": "127.0.0.1", "port": state["port"]}
    collector = found.tenant["collectors"]["collector1"]
    collector["scp_target"]["sources"]["esa"]["from"] = [host.gateway]
    collector["syslog_target"] = {"sources": {"records": {"transport": "tcp", "senders": [host.gateway]}}}
    (tmp_path / "known_hosts").write_text(lab.cisco_esa.known_hosts())
    found.write(collectors={"scp_target": {"min_free_mib": 1}})
    return found


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


def test_an_email_gateway_pushes_to_the_tenants_collector(gateways: Fleet) -> None:
    """From nothing to a file in the drop by one run, in which no key was typed by anybody."""
    lab, before = gateways.lab, gateways.lab.cisco_esa.state()["names"]
    assert (made := gateways("onboard"))["changed"] > 0
    assert made["outcome"] == "corrected"
    log = lab.cisco_esa.log("mssp_mail")
    assert log is not None
    assert (log["hostname"], log["username"]) == (gateways.host.address, "mssp-contoso-esa")
    assert gateways("verify", *HERE)["outcome"] == "in_sync"
    (sent,) = lab.cisco_esa.state()["sent"]
    assert sent == {"log": "mssp_mail", "error": ""}
    ready = gateways.host.run("cat /var/spool/collected/contoso/esa/ready/*").stdout
    assert lab.cisco_esa.state()["serial"] in ready
    assert gateways("onboard", *HERE)["changed"] == 0

    # From files to records, by naming another source of the same collector.
    assert gateways("drift", RECORDS, "-edrift_correct=true", *HERE)["outcome"] == "corrected"
    lab.edit("esa_mail", box=ALONE)
    assert lab.cisco_esa.state()["sent"][-1] == {"log": "mssp_mail", "error": ""}
    assert gateways("verify", RECORDS, *HERE)["outcome"] == "in_sync"
    assert lines_with(gateways.host, "contoso", "records", "mssp_mail: Info: MID 1")

    assert gateways("offboard", "-eoffboard_confirm=contoso")["outcome"] == "corrected"
    assert lab.cisco_esa.state()["names"] == before
    assert lab.cisco_esa.state()["password"] not in gateways.told
