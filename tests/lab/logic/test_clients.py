# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""azure-mgmt-logic, which Microsoft wrote, works against the lab unmodified."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lab.testing import CLIENT_ID, CONTOSO, ROOT, running_lab

DRIVER = Path(__file__).with_name("logic_driver.py")
SUBSCRIPTION = "20000000-0000-4000-8000-000000000003"
DEFINITION = {
    "triggers": {"manual": {"type": "Request", "kind": "Http"}},
    "actions": {"Send": {"type": "Http", "inputs": {"method": "POST", "uri": "https://x.example"}}},
}


def test_a_workflow_lives_and_goes() -> None:
    python = ROOT / ".cache" / "peers" / "logic" / "bin" / "python"
    if not python.exists():
        pytest.skip("there is no azure-mgmt-logic in .cache/peers/logic")
    with running_lab() as lab:
        lab.edit("assign_role", tenant=CONTOSO, role="Logic App Contributor", scope=f"/subscriptions/{SUBSCRIPTION}")
        given = {
            "tenant": CONTOSO, "app": CLIENT_ID, "secret": lab.secret, "url": lab.url, "ca_file": lab.ca_file,
            "subscription": SUBSCRIPTION, "group": "rg-operations", "definition": DEFINITION,
        }  # fmt: skip
        done = subprocess.run(
            [str(python), str(DRIVER)], input=json.dumps(given), capture_output=True, text=True, check=False, timeout=90
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "principal": True, "state": "Enabled", "definition": True, "listed": ["made-by-the-sdk"],
        "url": ["POST", True], "runs": 0, "gone": "ResourceNotFound",
    }  # fmt: skip
