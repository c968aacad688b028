# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""azure-mgmt-securityinsight, which Microsoft wrote, works against the lab unmodified."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lab.testing import CLIENT_ID, CONTOSO, ROOT, running_lab

DRIVER = Path(__file__).with_name("sentinel_driver.py")
SUBSCRIPTION = "20000000-0000-4000-8000-000000000003"
WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-operations/providers/"
    "Microsoft.OperationalInsights/workspaces/law-contoso-ops"
)


def test_incidents_and_rules_live_and_go() -> None:
    python = ROOT / ".cache" / "peers" / "securityinsight" / "bin" / "python"
    if not python.exists():
        pytest.skip("there is no azure-mgmt-securityinsight in .cache/peers/securityinsight")
    with running_lab() as lab:
        lab.edit("assign_role", tenant=CONTOSO, role="Microsoft Sentinel Contributor", scope=WORKSPACE)
        for number in ("1", "2"):
            lab.edit("sentinel_incident", workspace=WORKSPACE, name=f"one-{number}", providerIncidentId=number)
        lab.edit("sentinel_merge", workspace=WORKSPACE, source="one-1", target="one-2", ago=60)
        given = {
            "tenant": CONTOSO, "app": CLIENT_ID, "secret": lab.secret, "url": lab.url, "ca_file": lab.ca_file,
            "subscription": SUBSCRIPTION, "group": "rg-operations", "workspace": "law-contoso-ops",
        }  # fmt: skip
        done = subprocess.run(
            [str(python), str(DRIVER)], input=json.dumps(given), capture_output=True, text=True, check=False, timeout=90
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "listed": [["Incident 1", "Closed", 0], ["Incident 2", "New", 1]],
        "labels": ["INC1"], "stale": 409, "left": 1, "rules": ["ours"],
    }  # fmt: skip
