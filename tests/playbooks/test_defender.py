# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on a tenant's Defender in the lab, with the tenant file of the role's README."""

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
from tests.playbooks.test_azure import Player
from tests.playbooks.test_docs import blocks

FILE = "roles/defender_xdr/README.md"
SHARED = "20000000-0000-4000-8000-000000000003"


@pytest.fixture(scope="module")
def lab() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


def test_the_verbs_run(lab: LabClient, tmp_path: Path) -> None:
    """Nobody has set anything in the portal: that is the customer's turn, and no run fails by it.

    Without azure-eventhub nobody can look into the hub, which verify tells, and calls nothing well.
    """
    tenant: dict[str, Any] = yaml.safe_load(blocks(ROOT / FILE, "yaml")[0])
    tenant["sources"]["event_hub_export"]["entra_categories"] = []
    tenant["sources"]["defender_xdr"]["ways"].append("continuous_export")
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "contoso.yml").write_text(yaml.safe_dump(tenant))
    addresses = dict.fromkeys(("authority_url", "resource_manager_url"), lab.url)
    azure = {**addresses, "graph_url": lab.graph.url, "ca_file": lab.ca_file}
    (tmp_path / "fleet.yml").write_text(
        yaml.safe_dump({"plugin": "mssp.onboarding.tenants", "defaults": {"azure": azure}})
    )
    for name in ("SecurityAlert.Read.All", "SecurityIncident.Read.All", "ThreatHunting.Read.All"):
        lab.edit("grant_permission", tenant=CONTOSO, resource="microsoft_graph", permission=name)
    lab.edit("assign_role", tenant=CONTOSO, role="Contributor", scope=f"/subscriptions/{SHARED}")
    player = Player(lab, tmp_path)
    more = {"onboard": (), "verify": ("-t", "defender_xdr"), "offboard": ("-t", "defender_xdr")}
    outcomes = {"onboard": ("waiting", 0), "verify": ("failed", 2), "offboard": ("waiting", 0)}
    for verb, outcome in outcomes.items():
        given = {"inventory": str(tmp_path / "fleet.yml"), "CONTOSO_CLIENT_SECRET": lab.secret}
        run = player(verb, "-vvv", "-e", "offboard_confirm=contoso", *more[verb], **given)
        rows = json.loads((run.evidence / "summary.json").read_text())["tenants"]
        told = [row["outcome"] for row in rows if row["capability"] == "defender_xdr"]
        assert (told, run.code) == ([outcome[0]], outcome[1]), run.out
        assert ("install azure-eventhub" if verb == "verify" else "Streaming API") in run.out
        kept = run.out + "".join(path.read_text() for path in run.evidence.rglob("*") if path.is_file())
        assert lab.secret not in kept
        assert not re.search(r"SharedAccessKey=[^*]|eyJ[\w-]{10,}\.eyJ[\w-]{10,}", kept), "a key or a token"
