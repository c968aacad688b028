# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to the lab's firewalls by the client that Sophos wrote."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab.client import LabClient
from lab.sophos.client import HEADQUARTERS, USERNAME
from lab.testing import ROOT

DRIVER = Path(__file__).with_name("sophos_driver.py")


def sophos_client(lab: LabClient, *calls: tuple[str, dict[str, Any]], **given: str) -> list[Any]:
    """What it answers to each, all in one process. given: host, password where it is not the firewall's own."""
    python = ROOT / ".cache" / "peers" / "sophos" / "bin" / "python"
    if not python.exists():
        pytest.skip("there is no sophosfirewall-python in .cache/peers/sophos")
    host = given.get("host", HEADQUARTERS)
    password = given.get("password") or lab.sophos.state(host)["password"]
    client = [USERNAME, password, host, lab.sophos.port, lab.ca_file]
    done = subprocess.run(
        [str(python), str(DRIVER)],
        input=json.dumps([{"client": client, "do": do, "with": params} for do, params in calls]),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))
