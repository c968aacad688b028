# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on a custom table, the relay into it and the Splunk that posts to it, by the tenant file of a README."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from lab.testing import CONTOSO, ROOT, running_lab
from tests.playbooks.test_azure import Player, recap
from tests.playbooks.test_docs import blocks

FILE = "roles/splunk_alert_relay/README.md"
ROLES = (
    "Log Analytics Contributor", "Monitoring Contributor", "Role Based Access Control Administrator",
    "Logic App Contributor",
)  # fmt: skip
WEBHOOK = "https://relay.example/workflows/abc/invoke?sig=canary5ecret"


def test_the_verbs_run(tmp_path: Path) -> None:
    tenant: dict[str, Any] = yaml.safe_load(blocks(ROOT / FILE, "yaml")[0])
    workspace = tenant["sources"]["azure_custom_logs"]["workspace_id"]
    tenant["splunk"].pop("api_url")
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "contoso.yml").write_text(yaml.safe_dump(tenant))
    with running_lab() as lab:
        for role in ROLES:
            lab.edit("assign_role", tenant=CONTOSO, role=role, scope=workspace.partition("/providers/")[0])
        addresses = dict.fromkeys(("authority_url", "resource_manager_url", "log_analytics_url"), lab.url)
        shared = {
            "azure": {**addresses, "ca_file": lab.ca_file},
            "splunk": {"api_url": lab.url, "ca_file": lab.ca_file},
        }
        fleet = {"plugin": "mssp.onboarding.tenants", "defaults": shared}
        (tmp_path / "fleet.yml").write_text(yaml.safe_dump(fleet))
        player, told = Player(lab, tmp_path), ""
        for verb, changed, arguments in (
            ("onboard", True, []),
            ("verify", False, ["-e", "verify_probe=true"]),
            ("offboard", True, ["-e", "offboard_confirm=contoso"]),
        ):
            run = player(
                verb, "-vvv", "-t", "azure_custom_logs,splunk_alert_relay,splunk_alerts", *arguments,
                inventory=str(tmp_path / "fleet.yml"), CONTOSO_CLIENT_SECRET=lab.secret,
                CONTOSO_SPLUNK_TOKEN=lab.splunk.token, CONTOSO_WEBHOOK_URL=WEBHOOK,
            )  # fmt: skip
            assert run.code == 0, run.out
            assert bool(recap(run.out)["contoso"]["changed"]) == changed, run.out
            told += run.out + "".join(path.read_text() for path in run.evidence.rglob("*") if path.is_file())
        (row,) = lab.logs_ingestion.rows("SplunkAlert_CL")
        assert any(str(value).startswith("mssp-onboarding-probe-") for value in row.values())
        assert lab.logs_ingestion.rules() == {}
        assert lab.logic.workflows() == {}
        assert lab.splunk.search("Brute force")["actions"] == "email"
        assert [one for one in (lab.secret, lab.splunk.token, "canary5ecret") if one in told] == []
