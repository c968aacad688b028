"""Collectors with the connector under test: the lab's cloud made reachable, packages, plays, and what arrived."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lab.client import LabClient
from tests import warm
from tests.hosts.falcon_standin.build import build_deb
from tests.hosts.falcon_standin.reach import lab_on
from tests.hosts.nspawn import ROOT, SUITES, Host
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
    mirror: int  # port of a web server with the packages

    def cid(self, suite: str, name: str, client: str = "contoso", **options: Any) -> dict[str, Any]:
        """A CID's options. Hosts read the same streams, so each has app_ids of its own."""
        client_id = self.lab.crowdstrike.client(client)[0]
        return {"base_url": self.lab.url, "client_id": client_id, "app_id": f"{suite}-{name}", **options}

    def package(self, suite: str, version: str) -> dict[str, Any]:
        """One host gets its package from this machine's disk, the other from a mirror."""
        path = self.packages[version]
        mirror = f"http://{self.hosts[suite].gateway}:{self.mirror}/{path.name}"
        return {
            "falcon_siem_connector_package": str(path) if suite == SUITES[0] else mirror,
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
        done = warm.run(
            [*command, str(ROOT / "tests/hosts/falcon_play.yml"), "-e", f"entry={entry}", *arguments],
            cwd=ROOT,
            env=clean | environment,
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
        mirror = stack.enter_context(_serving(folder))
        yield Falcon(folder, lab, hosts, packages, mirror)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr."""


@contextlib.contextmanager
def _serving(folder: Path) -> Iterator[int]:
    """The port at which the folder's files can be had over HTTP."""
    with ThreadingHTTPServer(("", 0), functools.partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


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


def beats(host: Host, label: str, seconds: float = 60) -> None:
    """Until the log of a CID has a heartbeat since the connector's last start."""
    command = f"tac {LOGS}/cs.falconhoseclient.{label}.log | sed '/Starting with/q' | grep -q Heartbeat"
    assert eventually(lambda: host.run(command, check=False).returncode == 0, seconds)
