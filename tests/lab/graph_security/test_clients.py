# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Office365-REST-Python-Client, which others wrote, reads the lab's alerts, incidents and hunting.

msgraph-sdk 1.65.0 takes 450 MB, so it was tried by hand only: docs/support.md tells what it read.
"""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from lab.client import LabClient
from lab.testing import CONTOSO, ROOT
from tests.lab.conftest import token

PYTHON = ROOT / ".cache" / "peers" / "office365" / "bin" / "python"
DRIVER = ROOT / "tests" / "lab" / "graph_security" / "office365_driver.py"


def test_alerts_incidents_and_hunting_are_understood(lab: LabClient) -> None:
    if not PYTHON.exists():
        pytest.skip("there is no Office365-REST-Python-Client in .cache/peers/office365")
    for name in ("SecurityIncident.Read.All", "ThreatHunting.Read.All"):
        lab.edit("grant_permission", tenant=CONTOSO, resource="microsoft_graph", permission=name)
    lab.edit("security_incident", tenant=CONTOSO, id="29", status="awaitingAction")
    for number in range(3):
        lab.edit("security_alert", tenant=CONTOSO, id=f"a{number}", incident="29", ago=60.0 * number)
    bearer = token(lab, CONTOSO, scope="https://graph.microsoft.com/.default")
    command = [PYTHON, DRIVER, lab.graph.url, bearer]
    trusts = {**os.environ, "REQUESTS_CA_BUNDLE": str(lab.ca_file)}
    run = subprocess.run(command, env=trusts, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert [one[:3] for one in found["alerts"]] == [[f"a{number}", "new", "medium"] for number in range(3)]
    assert [one[0] for one in found["incidents"]] == ["29"]
    schema, ((column, _newest),) = found["hunting"][0], found["hunting"][1][0].items()
    assert (schema, column) == ([["max_Timestamp", "DateTime"]], "max_Timestamp")
    assert found["refused"][:2] == [400, "BadRequest"]
    kinds = [one["kind"] for one in lab.requests(last=9)["last"]]
    assert kinds.count("security.alerts") == 2, "by its next link"
