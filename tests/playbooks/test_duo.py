# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The five verbs on a Duo account of the lab, with the tenant file of the role's README."""

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
from lab.duo.client import CONTOSO, CONTOSO_KEY
from lab.testing import ROOT, running_lab
from tests import warm
from tests.playbooks.test_azure import Run, recap
from tests.playbooks.test_coro import TOOL
from tests.playbooks.test_docs import blocks

PASSWORD = "canary-of-the-vault"
NAME = "Proseware log reader"


@pytest.fixture(scope="module")
def lab() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


class Fleet:
    """One tenant, of the README's example; only where Duo is, and from where it is asked, are the lab's."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.lab, self.folder, self.number, self.told = lab, folder, 0, ""
        text = blocks(ROOT / "roles/duo_logs/README.md", "yaml")[0]
        for ours, labs in (("api-12345678.duosecurity.com", lab.duo.host), ("203.0.113.0/24", "127.0.0.0/8")):
            assert ours in text
            text = text.replace(ours, labs)
        (folder / "tenants").mkdir()
        (folder / "tenants" / "contoso.yml").write_text(text)
        fleet = {"plugin": "mssp.onboarding.tenants", "defaults": {"duo": {"ca_file": lab.ca_file}}}
        (folder / "fleet.yml").write_text(yaml.safe_dump(fleet))
        self.file = folder / "duo-contoso.json"
        # Of the first application, which the account's Owner makes by hand.
        self.keys: dict[str, str] = {}

    def __call__(self, verb: str, *arguments: str) -> Run:
        self.number += 1
        evidence = self.folder / "evidence" / f"run-{self.number}"
        clean = {key: text for key, text in os.environ.items() if not key.startswith(("ANSIBLE_", "DUO_", "MSSP_"))}
        done = warm.run(
            [TOOL, "-i", self.folder / "fleet.yml", f"mssp.onboarding.{verb}", "-vvv", "--diff", *arguments],
            cwd=ROOT,
            env={
                **clean,
                **self.keys,
                "DUO_VAULT_PASSWORD": PASSWORD,
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

    def check(self, verb: str, code: int, changed: bool, outcome: str, *arguments: str) -> Run:
        run = self(verb, *arguments)
        assert run.code == code, run.out
        assert bool(recap(run.out)["contoso"]["changed"]) == changed, run.out
        (row,) = json.loads((run.evidence / "summary.json").read_text())["tenants"]
        assert (row["capability"], row["outcome"]) == ("duo_logs", outcome), run.out
        return run

    def kept(self) -> dict[str, Any]:
        """What was handed over, by Ansible's own tool."""
        password = self.folder / "password"
        password.write_text(PASSWORD)
        command = [TOOL.with_name("ansible-vault"), "view", "--vault-password-file", password, self.file]
        (one,) = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return dict(one)


def test_the_verbs_run(lab: LabClient, tmp_path: Path) -> None:
    fleet = Fleet(lab, tmp_path)
    lacking = fleet.check("preflight", 2, False, "failed")
    (page,) = lacking.evidence.glob("handover-*.html")
    assert page.name in lacking.out
    for text in ("Contoso Ltd", "As an Owner, in Duo", "Admin API", "Protect", "<code>first_application</code>"):
        assert text in page.read_text()
    fleet.keys = {"DUO_INTEGRATION_KEY": CONTOSO_KEY, "DUO_SECRET_KEY": lab.duo.secret(CONTOSO_KEY)}
    ready = fleet.check("preflight", 0, False, "in_sync")
    assert [*ready.evidence.glob("handover-*.html")] == []
    fleet.check("onboard", 0, True, "corrected")
    made = lab.duo.applications(CONTOSO)[NAME]
    assert (made["permissions"], made["networks"]) == (["adminapi_read_log"], "127.0.0.0/8")
    assert stat.S_IMODE(fleet.file.stat().st_mode) == 0o600
    assert fleet.file.read_text().startswith("$ANSIBLE_VAULT;")
    kept = fleet.kept()
    assert (kept["integration_key"], kept["secret_key"]) == (made["key"], made["secret"])
    fleet.check("onboard", 0, False, "in_sync")
    lab.edit("duo_sign_in", account=CONTOSO)
    fleet.check("verify", 0, False, "in_sync")
    # Somebody resets the secret, and lets the application do more.
    lab.edit("reset_duo_secret", key=made["key"])
    lab.edit("change_duo_application", key=made["key"], permissions=["adminapi_read_log", "adminapi_admins"])
    fleet.check("drift", 0, True, "corrected", "-edrift_correct=true")
    corrected = lab.duo.applications(CONTOSO)[NAME]
    assert corrected["permissions"] == ["adminapi_read_log"]
    assert fleet.kept()["secret_key"] == corrected["secret"] != made["secret"]
    fleet.check("offboard", 0, True, "corrected", "-eoffboard_confirm=contoso")
    assert (lab.duo.applications(CONTOSO), fleet.file.exists()) == ({}, False)
    # What is no secret is told, though it stands beside secrets in the file.
    assert made["key"] in fleet.told
    for secret in (PASSWORD, made["secret"], corrected["secret"], lab.duo.secret(CONTOSO_KEY)):
        assert secret not in fleet.told
