# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on a custom table of the lab, with the tenant file of the role's README."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from lab.testing import CONTOSO, ROOT, running_lab
from tests.playbooks.test_azure import Player, recap
from tests.playbooks.test_docs import blocks

FILE = "roles/azure_custom_logs/README.md"
ROLES = ("Log Analytics Contributor", "Monitoring Contributor", "Role Based Access Control Administrator")


def test_the_verbs_run(tmp_path: Path) -> None:
    tenant: dict[str, Any] = yaml.safe_load(blocks(ROOT / FILE, "yaml")[0])
    workspace = tenant["sources"]["azure_custom_logs"]["workspace_id"]
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "contoso.yml").write_text(yaml.safe_dump(tenant))
    with running_lab() as lab:
        for role in ROLES:
            lab.edit("assign_role", tenant=CONTOSO, role=role, scope=workspace.partition("/providers/")[0])
        addresses = dict.fromkeys(("authority_url", "resource_manager_url", "log_analytics_url"), lab.url)
        fleet = {"plugin": "mssp.onboarding.tenants", "defaults": {"azure": {**addresses, "ca_file": lab.ca_file}}}
        (tmp_path / "fleet.yml").write_text(yaml.safe_dump(fleet))
        player, told = Player(lab, tmp_path), ""
        for verb, changed, arguments in (
            ("onboard", True, []),
            ("verify", False, ["-e", "verify_probe=true"]),
            ("offboard", True, ["-e", "offboard_confirm=contoso"]),
        ):
            run = player(
                verb, "-vvv", "-t", "azure_custom_logs", *arguments, inventory=str(tmp_path / "fleet.yml"),
                CONTOSO_CLIENT_SECRET=lab.secret,
            )  # fmt: skip
            assert run.code == 0, run.out
            assert bool(recap(run.out)["contoso"]["changed"]) == changed, run.out
            told += run.out + "".join(path.read_text() for path in run.evidence.rglob("*") if path.is_file())
        (row,) = lab.logs_ingestion.rows("SplunkAlert_CL")
        assert row["SearchName"].startswith("mssp-onboarding-probe-")
        assert lab.logs_ingestion.rules() == {}
        assert lab.secret not in told
