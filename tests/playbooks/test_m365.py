# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on a Microsoft 365 tenant of the lab, with the tenant file of the role's README and the access to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.client import LabClient
from lab.testing import CONTOSO, ROOT, running_lab
from tests.playbooks.test_azure import Player, Run, recap
from tests.playbooks.test_docs import blocks

FILE = "roles/m365_activity/README.md"


@pytest.fixture(scope="module")
def lab() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


class Fleet:
    """One tenant, of the README's example, with the access to its directory; only addresses are the lab's."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.lab, self.folder, self.player, self.told = lab, folder, Player(lab, folder), ""
        tenant: dict[str, Any] = yaml.safe_load(blocks(ROOT / FILE, "yaml")[0])
        tenant["sources"]["m365_activity"]["api_url"] = lab.url
        permissions = {"office365_management": ["ActivityFeed.Read"]}
        tenant["sources"]["tenant_access"] = {"permissions": permissions}
        (folder / "tenants").mkdir()
        (folder / "tenants" / "contoso.yml").write_text(yaml.safe_dump(tenant))
        addresses = dict.fromkeys(("authority_url", "resource_manager_url"), lab.url)
        azure = {**addresses, "graph_url": lab.graph.url, "ca_file": lab.ca_file}
        fleet = {"plugin": "mssp.onboarding.tenants", "defaults": {"azure": azure}}
        (folder / "fleet.yml").write_text(yaml.safe_dump(fleet))

    def __call__(self, verb: str, *arguments: str) -> Run:
        given = {"CONTOSO_CLIENT_SECRET": self.lab.secret}
        run = self.player(verb, "-vvv", *arguments, inventory=str(self.folder / "fleet.yml"), **given)
        self.told += run.out + "".join(path.read_text() for path in run.evidence.rglob("*") if path.is_file())
        return run

    def check(self, verb: str, changed: bool, outcome: str, *arguments: str) -> Run:
        run = self(verb, *arguments)
        assert run.code == 0, run.out
        assert bool(recap(run.out)["contoso"]["changed"]) == changed, run.out
        rows = json.loads((run.evidence / "summary.json").read_text())["tenants"]
        assert [row["outcome"] for row in rows if row["capability"] == "m365_activity"] == [outcome], run.out
        return run


def test_the_verbs_run(lab: LabClient, tmp_path: Path) -> None:
    fleet = Fleet(lab, tmp_path)
    fleet.check("onboard", True, "corrected")
    assert set(lab.m365.subscriptions(CONTOSO)) == {"Audit.AzureActiveDirectory", "Audit.Exchange"}
    fleet.check("verify", False, "pending", "-t", "m365_activity")
    # The access goes last: a stop needs the app's token.
    tokens = {f"tenant_access_admin_{api}_token": lab.admin_token(CONTOSO, api, life=3600) for api in ("graph", "arm")}
    (tmp_path / "tokens.yml").write_text(yaml.safe_dump(tokens))
    lab.reset_requests()
    run = fleet.check("offboard", True, "corrected", "-e", "offboard_confirm=contoso", "-e", f"@{tmp_path}/tokens.yml")
    assert {one["status"] for one in lab.m365.subscriptions(CONTOSO).values()} == {"disabled"}
    kinds = [one["kind"] for one in lab.requests(last=2000)["last"]]
    assert kinds.index("graph.principals.delete") > max(n for n, kind in enumerate(kinds) if kind == "m365.stop"), (
        run.out
    )
    assert lab.secret not in fleet.told
    assert not re.search(r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}", fleet.told), "a token"
