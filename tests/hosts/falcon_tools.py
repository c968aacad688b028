"""Collectors with the connector under test: the lab's cloud made reachable, packages, plays, and what arrived."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.client import LabClient
from tests.hosts.falcon_standin.build import build_deb
from tests.hosts.falcon_standin.reach import lab_on
from tests.hosts.nspawn import ROOT, Host
from tests.hosts.syslog_tools import RECAP, Played, _reach, eventually

LOGS = "/var/log/crowdstrike/falconhoseclient"
CONFIGS = "/opt/crowdstrike/config"
UNIT = "cs.falconhoseclientd.service"
PACKAGE = "crowdstrike-cs-falconhoseclient"


@dataclass(frozen=True)
class Falcon:
    """Booted hosts, each a collector of each tenant, and the lab's CrowdStrike cloud at the lab's own address."""

    folder: Path
    lab: LabClient
    hosts: dict[str, Host]
    packages: dict[str, Path]

    def cid(self, suite: str, name: str, client: str = "contoso", **options: Any) -> dict[str, Any]:
        """A CID's options. Hosts read the same streams, so each has app_ids of its own."""
        client_id = self.lab.falcon_client(client)[0]
        return {"base_url": self.lab.url, "client_id": client_id, "app_id": f"{suite}-{name}", **options}

    def package(self, version: str) -> dict[str, Any]:
        path = self.packages[version]
        return {
            "falcon_siem_connector_package": str(path),
            "falcon_siem_connector_version": version,
            "falcon_siem_connector_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }

    def play(
        self,
        entry: str,
        variables: dict[tuple[str, str], dict[str, Any]],
        *arguments: str,
        fails: bool = False,
    ) -> Played:
        """Run an entry point. variables: (tenant, suite) to role variables."""
        inventory: dict[str, Any] = {"all": {"hosts": {}}}
        for (tenant, suite), own in variables.items():
            reach = _reach(self.hosts[suite])
            inventory["all"]["hosts"][f"{tenant}-{suite}"] = {**reach, **own, "mssp_tenant": tenant}
        path = self.folder / "inventory.json"
        path.write_text(json.dumps(inventory), encoding="utf-8")
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MSSP_"))}
        environment = {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_PIPELINING": "true",
            "MSSP_EVIDENCE_ROOT": str(self.folder / "evidence"),
        }
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(path)]
        done = subprocess.run(
            [*command, str(ROOT / "tests/hosts/falcon_play.yml"), "-e", f"entry={entry}", *arguments],
            cwd=ROOT,
            env=clean | environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        output = done.stdout + done.stderr
        assert bool(done.returncode) == fails, output
        assert "[WARNING]" not in done.stderr, output
        return Played(done.returncode, output, {found[1]: int(found[3]) for found in RECAP.finditer(output)})


@contextlib.contextmanager
def falcon(folder: Path, lab: LabClient, hosts: dict[str, Host]) -> Iterator[Falcon]:
    """Hosts that reach the lab's cloud at the lab's own address, and two versions of the package."""
    packages = {version: build_deb(folder, version) for version in ("2.26.0", "2.29.0")}
    with contextlib.ExitStack() as stack:
        for host in hosts.values():
            stack.enter_context(lab_on(host, lab))
        yield Falcon(folder, lab, hosts, packages)


def counted(host: Host, source: str, text: str, wanted: int, tenant: str = "contoso", seconds: float = 60) -> int:
    """How often the text was stored for a source, as soon as that is often enough, or when the time is over."""
    command = f"cat /var/log/collected/{tenant}/{source}/*.log 2>/dev/null | grep -c -F -- {text!r}"
    found = [0]

    def enough() -> bool:
        found[0] = int(host.run(command, check=False).stdout or 0)
        return found[0] >= wanted

    eventually(enough, seconds)
    return found[0]


def wait_for(host: Host, label: str, text: str, seconds: float = 60) -> None:
    """Until the text stands in the log of a CID, behind its last heartbeat."""
    log = f"{LOGS}/cs.falconhoseclient.{label}.log"
    command = f"tac {log} | sed /Heartbeat/q | grep -q -F -- {text!r}"
    assert eventually(lambda: host.run(command, check=False).returncode == 0, seconds), host.run(f"tail {log}").stdout


def beats_again(host: Host, label: str, seconds: float = 60) -> None:
    """Until the log of a CID has one more heartbeat."""
    command = f"grep -c Heartbeat {LOGS}/cs.falconhoseclient.{label}.log"
    before = int(host.run(command, check=False).stdout or 0)
    assert eventually(lambda: int(host.run(command, check=False).stdout or 0) > before, seconds)
