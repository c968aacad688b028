"""The rulebook, run by ansible-rulebook on Java against the lab: one tenant is put right soon after the event."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import ROOT, running_lab
from tests.playbooks.drift_runs import PLAYBOOK

BIN = Path(sys.executable).parent
TOKEN = "token-of-the-rulebook"
OURS = "mssp-onboarding"
ALERT: dict[str, Any] = {
    "schemaId": "Microsoft.Insights/activityLogs",
    "data": {
        "status": "Activated",
        "context": {
            "activityLog": {
                "operationName": "Microsoft.Insights/diagnosticSettings/delete",
                "status": "Succeeded",
                "subscriptionId": "20000000-0000-4000-8000-000000000001",
            }
        },
        "properties": {},
    },
}


def require_java() -> None:
    """Skip where there is no Java; where CI promised it, fail."""
    if shutil.which("java"):
        return
    if os.environ.get("CI") == "true":
        pytest.fail("the rulebook needs java")
    pytest.skip("the rulebook needs java")


class Rulebook:
    """A running rulebook, and the lab that it corrects."""

    def __init__(self, lab: LabClient, port: int, log: Path) -> None:
        self.lab, self.port, self.log = lab, port, log

    def post(self, path: str, body: Any, token: str = TOKEN) -> None:
        url = f"http://127.0.0.1:{self.port}/{path}/{token}"
        request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30):
            pass

    def settings(self, tenant: str) -> set[str]:
        """Targets at a tenant that have our setting."""
        held = self.lab.azure.world()["settings"]
        return {target for target, settings in held.items() if OURS in settings and target.startswith(tenant)}

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


def await_(check: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while not (found := check()) and time.monotonic() < until:
        time.sleep(0.2)
    return found


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def rulebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rulebook]:
    require_java()
    folder = tmp_path_factory.mktemp("eda")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with running_lab() as lab:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MSSP_", "AZURE_"))}
        environment = {
            **kept,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "MSSP_LAB_URL": lab.url,
            "MSSP_LAB_DIR": str(lab.state_dir),
            "MSSP_EVIDENCE_ROOT": str(folder / "evidence"),
            "MSSP_EDA_TOKEN_FILE": str(folder / "token"),
            "PATH": f"{BIN}:{os.environ['PATH']}",
        }
        onboard = [PLAYBOOK, "-i", "inventories/lab", "mssp.onboarding.onboard"]
        subprocess.run(onboard, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=180)
        variables = folder / "vars.json"
        variables.write_text(json.dumps({"correct_port": port}), encoding="utf-8")
        (folder / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
        command = [BIN / "ansible-rulebook", "--rulebook", "mssp.onboarding.correct"]
        command += ["-i", ROOT / "inventories/lab", "--vars", variables]
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        running = Rulebook(lab, port, folder / "log")
        try:
            assert await_(lambda: listens(port) or process.poll() is not None)
            assert process.poll() is None, running.said()
            yield running
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)


def test_a_deleted_setting_is_back_soon_and_only_at_its_tenant(rulebook: Rulebook) -> None:
    contoso, fabrikam = "/subscriptions/2", "/subscriptions/3"
    gone, other = sorted(rulebook.settings(contoso))[:2], sorted(rulebook.settings(fabrikam))[0]
    for target in (*gone, other):
        rulebook.lab.edit("delete_setting", target=target, name=OURS)
    rulebook.post("azure/contoso", ALERT, token="wrong")
    for tenant in ("all", "tenants", "fabrikam,contoso", "ring_all"):
        rulebook.post(f"azure/{tenant}", ALERT)
    rulebook.post("azure/contoso", {"data": "something else"})
    rulebook.post("azure/contoso", ALERT)
    rulebook.post("azure/contoso", ALERT)
    assert await_(lambda: set(gone) <= rulebook.settings(contoso)), rulebook.said()
    assert await_(lambda: rulebook.said().count("PLAY RECAP") > 0)
    assert other not in rulebook.settings(fabrikam), "nobody told of it"
    assert rulebook.said().count("PLAY RECAP") == 1, "two events within three seconds are one run"


def test_a_disconnected_connector_is_synced(rulebook: Rulebook) -> None:
    coro = rulebook.lab.coro
    workspace = "contoso_Qx7d_b"
    name = sorted(coro.connectors(workspace))[0]
    coro.set_status(workspace, name, "DISCONNECTED")
    rulebook.post("coro/contoso", {"status": "Disconnected", "connector": name})
    assert await_(lambda: coro.connectors(workspace)[name]["status"] == "CONNECTED"), rulebook.said()


def test_the_token_is_not_told(rulebook: Rulebook) -> None:
    assert TOKEN not in rulebook.said()
