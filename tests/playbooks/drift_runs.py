"""Runs of drift through scripts/drift, each with what it printed, its exit code and its rows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from lab.client import LabClient
from lab.testing import ROOT

PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))


def azure_fleet(folder: Path, **shared: str) -> Path:
    """The lab's inventory with nothing but its Azure subscriptions; shared: further variables of all tenants."""
    shutil.copytree(ROOT / "inventories/lab", folder)
    for path in (folder / "tenants").iterdir():
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        content["sources"] = {"azure_diagnostics": content["sources"]["azure_diagnostics"]}
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
    (folder / "group_vars").mkdir()
    (folder / "group_vars/tenants.yml").write_text(yaml.safe_dump(shared), encoding="utf-8")
    return folder


class Run(NamedTuple):
    """code: exit code; out: everything that was printed; summary: {} where none was written."""

    code: int
    out: str
    summary: dict[str, Any]

    @property
    def outcomes(self) -> dict[str, str]:
        """Tenant -> outcome."""
        return {row["tenant"]: row["outcome"] for row in self.summary["tenants"]}


class Runner:
    """Runs commands against a lab and its Azure tenants, with one evidence root."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.lab = lab
        self.fleet = azure_fleet(folder / "fleet")
        self.root = folder / "evidence"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AZURE_"))},
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_HOME": str(folder / "home"),
            "MSSP_LAB_URL": lab.url,
            "MSSP_LAB_DIR": str(lab.state_dir),
            "MSSP_EVIDENCE_ROOT": str(self.root),
        }

    def command(self, *command: str, **environment: str) -> Run:
        done = subprocess.run(
            [sys.executable, ROOT / "scripts/drift", *command],
            cwd=ROOT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=180,
            stdin=subprocess.DEVNULL,
        )
        written = self.root / "latest" / "summary.json"
        summary = json.loads(written.read_text()) if written.is_file() else {}
        return Run(done.returncode, done.stdout + done.stderr, summary)

    def __call__(self, *arguments: str, verb: str = "drift") -> Run:
        return self.command(PLAYBOOK, "-i", str(self.fleet), f"mssp.onboarding.{verb}", *arguments)
