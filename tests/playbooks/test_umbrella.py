# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The five verbs on an Umbrella export, with the tenant file of the role's README."""

from __future__ import annotations

import json
import os
from pathlib import Path

import yaml

from lab.client import LabClient
from lab.testing import ROOT, running_lab
from lab.umbrella.client import CONTOSO, CONTOSO_KEY
from tests import warm
from tests.moto import MANAGED, moto
from tests.playbooks.test_azure import Run, recap
from tests.playbooks.test_coro import TOOL
from tests.playbooks.test_docs import blocks

PASSWORD = "canary-of-the-vault"


class Fleet:
    """One tenant, of the README's example; only where Umbrella and AWS are is the lab's."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.lab, self.folder, self.aws, self.told, self.number = lab, folder, moto(), "", 0
        self.aws.user(f"umbrella-{CONTOSO}", MANAGED)
        lab.umbrella.attach(self.aws.url, *self.aws.keys, CONTOSO)
        self.first = lab.umbrella.organization(CONTOSO)
        (folder / "tenants").mkdir()
        text = blocks(ROOT / "roles/umbrella_logs/README.md", "yaml")[0]
        (folder / "tenants" / "contoso.yml").write_text(text)
        where = {"ca_file": lab.ca_file, "api_url": lab.url, "aws_endpoint_url": self.aws.url}
        fleet = {"plugin": "mssp.onboarding.tenants", "defaults": {"umbrella": where}}
        (folder / "fleet.yml").write_text(yaml.safe_dump(fleet))

    def check(self, verb: str, code: int, changed: bool, outcome: str, *arguments: str) -> None:
        self.number += 1
        evidence = self.folder / "evidence" / f"run-{self.number}"
        unclean = ("ANSIBLE_", "UMBRELLA_", "MSSP_", "AWS_")
        done = warm.run(
            [TOOL, "-i", self.folder / "fleet.yml", f"mssp.onboarding.{verb}", "-vvv", "--diff", *arguments],
            cwd=ROOT,
            env={
                **{key: text for key, text in os.environ.items() if not key.startswith(unclean)},
                "UMBRELLA_API_KEY": CONTOSO_KEY,
                "UMBRELLA_API_SECRET": self.lab.umbrella.secret(CONTOSO_KEY),
                "UMBRELLA_ACCESS_KEY_ID": self.first["key"],
                "UMBRELLA_SECRET_ACCESS_KEY": self.first["secret"],
                "UMBRELLA_VAULT_PASSWORD": PASSWORD,
                "HANDOVER": str(self.folder),
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_HOME": str(self.folder / "home"),
                "MSSP_EVIDENCE_DIR": str(evidence),
            },
            timeout=180,
        )
        self.told += done.stdout + done.stderr
        self.told += "".join(path.read_text() for path in evidence.rglob("*") if path.is_file())
        run = Run(done.returncode, done.stdout + done.stderr, evidence)
        assert run.code == code, run.out
        assert bool(recap(run.out)["contoso"]["changed"]) == changed, run.out
        (row,) = json.loads((evidence / "summary.json").read_text())["tenants"]
        assert (row["capability"], row["outcome"]) == ("umbrella_logs", outcome), run.out


def test_the_verbs_run(tmp_path: Path) -> None:
    with running_lab() as lab:
        fleet = Fleet(lab, tmp_path)
        fleet.check("preflight", 0, False, "in_sync")
        fleet.check("onboard", 0, True, "corrected")
        new = lab.umbrella.organization(CONTOSO)
        assert new["key"] != fleet.first["key"]
        assert f"aws_access_key_id = {new['key']}" in (tmp_path / "credentials").read_text()
        assert (tmp_path / "contoso" / "contoso.json").read_text().startswith("$ANSIBLE_VAULT;")
        fleet.check("onboard", 0, False, "in_sync")
        fleet.aws.log("1234567_0123456789abcdef/")
        fleet.check("verify", 0, False, "in_sync")
        (tmp_path / "credentials").unlink()
        fleet.check("drift", 0, True, "corrected", "-edrift_correct=true")
        fleet.check("offboard", 0, True, "corrected", "-eoffboard_confirm=contoso")
        assert not (tmp_path / "contoso" / "contoso.json").exists()
        gone = lab.umbrella.organization(CONTOSO)
        assert gone["key"] != new["key"]
        for secret in (
            PASSWORD,
            fleet.first["secret"],
            new["secret"],
            gone["secret"],
            lab.umbrella.secret(CONTOSO_KEY),
        ):
            assert secret not in fleet.told
