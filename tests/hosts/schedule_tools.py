"""What the tests of scheduled drift need on hosts that are offline: packages, wheels, a way to the lab, a webhook."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lab.client import LabClient
from tests.hosts.nspawn import CACHE, ROOT, Host, give_all_lists
from tests.hosts.syslog_tools import eventually
from tests.playbooks.drift_runs import azure_fleet

ANSIBLE = Path(sys.executable).parent
SERVICE, TIMER = "mssp-drift.service", "mssp-drift.timer"
TELLERS = ("mssp-drift-tell@success.service", "mssp-drift-tell@failure.service")


def give_debs(host: Host, *packages: str) -> None:
    """Put into the host's package cache what apt-get would fetch for these packages."""
    give_all_lists(host)
    line = f"apt-get install --yes --no-install-recommends --print-uris {' '.join(packages)}"
    kept = CACHE / "debs"
    kept.mkdir(exist_ok=True)
    for uri, name in re.findall(r"^'(\S+)' (\S+)", host.run(line).stdout, re.MULTILINE):
        path = kept / name
        if not path.is_file():
            part = path.with_suffix(".part")
            with urllib.request.urlopen(uri, timeout=60) as answer, open(part, "wb") as file:
                shutil.copyfileobj(answer, file)
            part.replace(path)
        shutil.copy(path, host.root / "var/cache/apt/archives" / name)


def give_wheels(host: Host) -> None:
    """Make the host's pip take ansible-core and the collection's requirements from a folder."""
    wanted = ["ansible-core>=2.19,<2.20", *(ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()]
    wheels = CACHE / f"wheels-{hashlib.sha256(repr(wanted).encode()).hexdigest()[:12]}"
    if not wheels.is_dir():
        part = wheels.with_suffix(".part")
        platform = ["--python-version", "3.11", "--only-binary=:all:"]
        download = [sys.executable, "-m", "pip", "download", "-qq", "--dest", str(part), *platform]
        subprocess.run([*download, *(line for line in wanted if not line.startswith("#"))], check=True)
        part.replace(wheels)
    shutil.copytree(wheels, host.root / "srv/wheels")
    (host.root / "etc/pip.conf").write_text("[global]\nno-index = true\nfind-links = /srv/wheels\n", encoding="ascii")


def build_artifact(folder: Path) -> Path:
    """The collection as galaxy gets it."""
    build = [ANSIBLE / "ansible-galaxy", "collection", "build", "--output-path", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True, cwd=folder)
    return next(folder.glob("mssp-onboarding-*.tar.gz"))


@contextlib.contextmanager
def lab_on(host: Host, lab: LabClient) -> Iterator[None]:
    """The lab under its own URL on the host, whose loopback is not ours; its files in /etc/mssp/lab, for root only."""
    port = urllib.parse.urlsplit(lab.url).port
    shutil.copytree(lab.state_dir, host.root / "etc/mssp/lab")
    host.run("chown -R root:root /etc/mssp/lab; chmod 755 /etc/mssp; chmod -R go= /etc/mssp/lab")
    forward = ["-N", "-o", "ExitOnForwardFailure=yes", "-R", f"{port}:127.0.0.1:{port}"]
    alone = ["-o", "ControlMaster=no", "-o", "ControlPath=none"]
    *command, target = host.ssh
    tunnel = subprocess.Popen([*command, *alone, *forward, target], stdin=subprocess.DEVNULL)
    try:
        host.run(f"for i in $(seq 300); do ss -ltn | grep -q :{port} && exit; sleep 0.2; done; exit 1", timeout=90)
        yield
    finally:
        tunnel.terminate()
        tunnel.wait(20)


# What the lab's tenants sign in with, and the lab's authority, handed to the runs by systemd.
CREDENTIALS = {name: f"/etc/mssp/lab/{name}" for name in ("app.secret", "app.pem", "app.jwt", "ca.pem")}


def fleet_on(host: Host, lab: LabClient) -> None:
    """The lab's tenants with their Azure subscriptions in /etc/mssp/fleet."""
    folder = "{{ lookup('ansible.builtin.env', 'CREDENTIALS_DIRECTORY') }}"
    azure_fleet(host.root / "etc/mssp/fleet", mssp_lab_url=lab.url, mssp_lab_dir=folder)
    host.run("chmod -R a+rX /etc/mssp/fleet")


class Webhook:
    """Takes messages at an address; the first answers may be errors."""

    def __init__(self, address: str) -> None:
        self.messages: list[dict[str, Any]] = []
        self.answers: list[int] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = hook.answers.pop(0) if hook.answers else 200
                if status == 200:
                    hook.messages.append(json.loads(body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer((address, 0), Handler)
        self.url = f"http://{address}:{self._server.server_address[1]}/hook/token-of-the-hook"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def shown(host: Host, unit: str, *names: str) -> dict[str, str]:
    """Properties of a unit."""
    said = host.run(f"systemctl show {unit} {' '.join(f'-p {name}' for name in names)}").stdout
    return dict(line.split("=", 1) for line in said.splitlines())


def _tellers(host: Host) -> list[tuple[str, str]]:
    """When the units that tell were last started, and their states."""
    units = [shown(host, unit, "ExecMainStartTimestampMonotonic", "ActiveState") for unit in TELLERS]
    return [(unit["ExecMainStartTimestampMonotonic"], unit["ActiveState"]) for unit in units]


def run_service(host: Host) -> str:
    """The service, to its end and that of the unit that tells; gives the exit status."""
    before = _tellers(host)
    host.run(f"systemctl start {SERVICE}", check=False, timeout=180)

    def done() -> bool:
        now = _tellers(host)
        return now != before and {state for _started, state in now} <= {"inactive", "failed"}

    assert eventually(done, 90), host.run("journalctl --no-pager -o cat -u 'mssp-drift*'").stdout
    return shown(host, SERVICE, "ExecMainStatus")["ExecMainStatus"]


def heartbeat(host: Host) -> dict[str, Any]:
    return dict(json.loads(host.run("cat /var/lib/mssp-drift/heartbeat.json").stdout))


def changed(out: str) -> int:
    """Ansible's count of changed tasks, of the one host."""
    return int(re.findall(r"changed=(\d+)", out)[-1])
