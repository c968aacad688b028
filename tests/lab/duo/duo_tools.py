# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to the lab's Duo, signed by duo_client."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import ROOT

DRIVER = Path(__file__).with_name("duo_driver.py")


def duo_client(*calls: dict[str, Any], peer: str = "duo") -> list[Any]:
    """What duo_client answers to each; all in one process. peer: duo is 5.7, duo4 is 4.5, which Debian has."""
    python = ROOT / ".cache" / "peers" / peer / "bin" / "python"
    if not python.exists():
        pytest.skip(f"there is no duo_client in .cache/peers/{peer}")
    done = subprocess.run(
        [str(python), str(DRIVER)], input=json.dumps(calls), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def client(lab: LabClient, key: str, secret: str = "", host: str = "localhost") -> dict[str, Any]:
    """Whom duo_client speaks for, and where. It verifies names of certificates only, no addresses."""
    port = int(lab.url.rpartition(":")[2])
    return {
        "client": [key, secret or lab.duo.secret(key), host, port, lab.ca_file if host == "localhost" else "DISABLE"]
    }
