# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The five verbs on a Sekoia.io community of the lab, with the tenant files of both roles' READMEs as one."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.client import LabClient
from lab.sekoia.client import CONTOSO, READER_KEY
from lab.testing import ROOT, running_lab
from tests import warm
from tests.playbooks.test_azure import Run, recap
from tests.playbooks.test_coro import TOOL
from tests.playbooks.test_docs import blocks

PASSWORD = "canary-of-the-vault"


@pytest.fixture(scope="module")
def lab() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


class Fleet:
    """One tenant, of the READMEs' examples; only where Sekoia.io and the outside tool are is the lab's."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.lab, self.folder, self.number, self.told = lab, folder, 0, ""
        self.target = lab.receivers.describe()["fluency"]
        text = blocks(ROOT / "roles/sekoia_alert_sync/README.md", "yaml")[0]
        text += blocks(ROOT / "roles/sekoia_intake/README.md", "yaml")[0].partition("sources:\n")[2]
        for ours, labs in (
            ("00000000-0000-4000-8000-000000000000", CONTOSO),
            ("https://tickets.provider.example/hooks/sekoia", self.target["url"]),
        ):
            assert ours in text
            text = text.replace(ours, labs)
        (folder / "tenants").mkdir()
        (folder / "tenants" / "contoso.yml").write_text(text)
        shared = {"ca_file": lab.ca_file, "api_url": lab.sekoia.api_url}
        defaults = {"sekoia": shared, "sources": {"sekoia_intake": {"intake_url": lab.sekoia.intake_url}}}
        fleet = {"plugin": "mssp.onboarding.tenants", "defaults": defaults}
        (folder / "fleet.yml").write_text(yaml.safe_dump(fleet))
        self.file = folder / "sekoia-contoso.json"

    def __call__(self, verb: str, *arguments: str) -> Run:
        self.number += 1
        evidence = self.folder / "evidence" / f"run-{self.number}"
        clean = {key: text for key, text in os.environ.items() if not key.startswith(("ANSIBLE_", "SEKOIA_", "MSSP_"))}
        done = warm.run(
            [TOOL, "-i", self.folder / "fleet.yml", f"mssp.onboarding.{verb}", "-vvv", "--diff", *arguments],
            cwd=ROOT,
            env={
                **clean,
                "SEKOIA_API_KEY": self.lab.sekoia.key(),
                "SEKOIA_ALERTS_KEY": self.lab.sekoia.key(READER_KEY),
                "TICKETING_TOKEN": self.target["token"],
                "SEKOIA_VAULT_PASSWORD": PASSWORD,
                "HANDOVER": str(self.folder),
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_HOME": str(self.folder / "home"),
                "MSSP_EVIDENCE_DIR": str(evidence),
            },
            timeout=180,
        )
        # What a run says and leaves behind, for the canaries.
        self.told += done.stdout + done.stderr
        self.told += "".join(path.read_text() for path in evidence.rglob("*") if path.is_file())
        return Run(done.returncode, done.stdout + done.stderr, evidence)

    def check(self, verb: str, changed: bool, outcomes: str, *arguments: str) -> None:
        """outcomes: of sekoia_alert_sync and sekoia_intake."""
        run = self(verb, *arguments)
        assert run.code == 0, run.out
        assert bool(recap(run.out)["contoso"]["changed"]) == changed, run.out
        rows = json.loads((run.evidence / "summary.json").read_text())["tenants"]
        found = {row["capability"]: row["outcome"] for row in rows}
        assert f"{found['sekoia_alert_sync']} {found['sekoia_intake']}" == outcomes, run.out

    def kept(self) -> dict[str, dict[str, Any]]:
        """What was handed over, by Ansible's own tool."""
        password = self.folder / "password"
        password.write_text(PASSWORD)
        command = [TOOL.with_name("ansible-vault"), "view", "--vault-password-file", password, self.file]
        told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return {one["name"]: one for one in told}


def test_the_verbs_run(lab: LabClient, tmp_path: Path) -> None:
    fleet = Fleet(lab, tmp_path)
    fleet.check("preflight", False, "in_sync in_sync")
    fleet.check("onboard", True, "corrected corrected")
    intakes = {one["name"]: one for one in lab.sekoia.state()["intakes"].values()}
    assert stat.S_IMODE(fleet.file.stat().st_mode) == 0o600
    assert {name: one["intake_key"] for name, one in fleet.kept().items()} == {
        name: one["key"] for name, one in intakes.items()
    }
    fleet.check("onboard", False, "in_sync in_sync")
    alert = lab.sekoia.alert()
    assert lab.receivers.events("fluency")[-1]["alert_short_id"] == alert["short_id"]
    assert lab.receivers.events("fluency")[-1]["customer"] == "Contoso Ltd"
    fleet.check("verify", False, "in_sync in_sync", "-everify_probe=true")
    assert len(lab.receivers.events("fluency")) == 2
    (playbook,) = lab.sekoia.state()["playbooks"].values()
    lab.edit("change_sekoia_playbook", uuid=playbook["uuid"], configurations=[])
    lab.edit("change_sekoia_intake", uuid=intakes["Ticketing"]["uuid"], name="renamed")
    fleet.check("drift", True, "corrected corrected", "-edrift_correct=true")
    assert lab.sekoia.alert()["runs"] != []
    fleet.check(
        "offboard", True, "corrected corrected", "-eoffboard_confirm=contoso", "-esekoia_intake_remove_intakes=true"
    )
    after = lab.sekoia.state()
    assert [after[name] for name in ("playbooks", "triggers", "modules", "intakes")] == [{}, {}, {}, {}]
    assert not fleet.file.exists()
    # What is no secret is told.
    assert playbook["uuid"] in fleet.told
    keys = [one["key"] for one in intakes.values()]
    for secret in (PASSWORD, fleet.target["token"], lab.sekoia.key(), lab.sekoia.key(READER_KEY), *keys):
        assert secret not in fleet.told
