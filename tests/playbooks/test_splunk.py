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


def test_the_verbs_run(tmp_path: Path) -> None:
    documented, rotation = blocks(ROOT / FILE, "yaml")
    tenant: dict[str, Any] = yaml.safe_load(documented)
    workspace = tenant["sources"]["azure_custom_logs"]["workspace_id"]
    tenant["splunk"].pop("api_url")
    relay = tenant["sources"]["splunk_alert_relay"]
    relay["callers"] = ["127.0.0.1"]
    (tmp_path / "tenants").mkdir()
    (tmp_path / "keys.yml").write_text(rotation)
    told: list[str] = []
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
        player = Player(lab, tmp_path)

        def play(verb: str, *arguments: str, changed: bool) -> str:
            """The URL that the search has afterwards."""
            (tmp_path / "tenants" / "contoso.yml").write_text(yaml.safe_dump(tenant))
            run = player(
                verb, "-vvv", *arguments, inventory=str(tmp_path / "fleet.yml"),
                CONTOSO_CLIENT_SECRET=lab.secret, CONTOSO_SPLUNK_TOKEN=lab.splunk.token,
            )  # fmt: skip
            assert run.code == 0, run.out
            assert bool(recap(run.out)["contoso"]["changed"]) == changed, run.out
            told.append(run.out + "".join(path.read_text() for path in run.evidence.rglob("*") if path.is_file()))
            return lab.splunk.search("Brute force").get("action.webhook.param.url", "")

        def post(url: str) -> int:
            return int(lab.call("POST", url.removeprefix(lab.url), {"search_name": "by hand"})[0])

        only = ("-t", "azure_custom_logs,splunk_alert_relay,splunk_alerts")
        first = play("onboard", *only, changed=True)
        assert post(first) == 202
        # Nobody has told Splunk the URL, nor does anybody tell it the next one.
        relay["key"] = "secondary"
        second = play(str(tmp_path / "keys.yml"), changed=True)
        assert [post(first), post(second)] == [401, 202]
        lab.splunk.fire("Brute force")
        assert play("verify", *only, "-e", "verify_probe=true", changed=False) == second
        play("offboard", *only, "-e", "offboard_confirm=contoso", changed=True)
        *rows, probe = lab.logs_ingestion.rows("SplunkAlert_CL")
        assert [row["SearchName"] for row in rows] == ["by hand", "by hand", "Brute force"]
        assert any(str(value).startswith("mssp-onboarding-probe-") for value in probe.values())
        assert lab.logs_ingestion.rules() == {}
        assert lab.logic.workflows() == {}
        assert lab.splunk.search("Brute force")["actions"] == "email"
        keys = [url.partition("sig=")[2] for url in (first, second)]
        assert [one for one in (lab.secret, lab.splunk.token, *keys) if one in "".join(told)] == []
