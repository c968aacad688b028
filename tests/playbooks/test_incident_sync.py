# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on the incidents of a tenant of the lab, with the tenant file of the role's README."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.client import LabClient
from lab.testing import CONTOSO, ROOT, running_lab
from tests.playbooks.test_azure import Player, Run
from tests.playbooks.test_docs import blocks

FILE = "roles/incident_sync/README.md"


@pytest.fixture(scope="module")
def lab() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


class Fleet:
    """One tenant, of the README's example; only addresses are the lab's."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.lab, self.folder, self.player, self.told = lab, folder, Player(lab, folder), ""
        tenant: dict[str, Any] = yaml.safe_load(blocks(ROOT / FILE, "yaml")[0])
        tenant["sources"]["incident_sync"]["servicenow_url"] = lab.url
        (folder / "tenants").mkdir()
        (folder / "tenants" / "contoso.yml").write_text(yaml.safe_dump(tenant))
        azure = {"authority_url": lab.url, "graph_url": lab.graph.url, "ca_file": lab.ca_file}
        fleet = {"plugin": "mssp.onboarding.tenants", "defaults": {"azure": azure}}
        (folder / "fleet.yml").write_text(yaml.safe_dump(fleet))

    def __call__(self, verb: str, *arguments: str) -> tuple[Run, list[str]]:
        """The run, and the outcome of the capability."""
        secrets = {"CONTOSO_CLIENT_SECRET": self.lab.secret, "SERVICENOW_PASSWORD": self.lab.servicenow.password()}
        arguments = ("-vvv", "-t", "incident_sync", *arguments)
        run = self.player(verb, *arguments, inventory=str(self.folder / "fleet.yml"), **secrets)
        assert run.code == 0, run.out
        self.told += run.out + "".join(path.read_text() for path in run.evidence.rglob("*") if path.is_file())
        rows = json.loads((run.evidence / "summary.json").read_text())["tenants"]
        return run, [row["outcome"] for row in rows if row["capability"] == "incident_sync"]


def test_the_verbs_run(lab: LabClient, tmp_path: Path) -> None:
    fleet = Fleet(lab, tmp_path)
    for id in ("29", "31"):
        lab.edit("security_incident", tenant=CONTOSO, id=id)
    run, outcome = fleet("drift", "-e", "drift_correct=true", "--diff")
    assert outcome == ["corrected"], run.out
    lab.edit("security_merge", tenant=CONTOSO, source="29", target="31")
    run, outcome = fleet("onboard", "--diff")
    assert (outcome, "was merged into this one" in run.out) == (["corrected"], True), run.out
    assert [one["state"] for one in lab.servicenow.incidents()] == ["6", "1"]
    assert fleet("preflight")[1] == ["in_sync"]
    assert fleet("verify")[1] == ["in_sync"]
    leaving = ("-e", "offboard_confirm=contoso", "-e", "incident_sync_close_tickets=true")
    assert fleet("offboard", *leaving)[1] == ["corrected"]
    assert [one["state"] for one in lab.servicenow.incidents()] == ["6", "6"]
    assert lab.secret not in fleet.told
    assert lab.servicenow.password() not in fleet.told
