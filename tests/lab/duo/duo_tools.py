# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to the lab's Duo, signed by clients that others wrote."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import ROOT

DRIVER, PERL_DRIVER = (Path(__file__).with_name(f"duo_driver.{kind}") for kind in ("py", "pl"))
# 5.7, as PyPI has it, and what Debian has.
PYTHONS = {"5.7": ROOT / ".cache" / "peers" / "duo" / "bin" / "python", "4.5": Path("/usr/bin/python3")}


def duo_client(*calls: dict[str, Any], release: str = "5.7") -> list[Any]:
    """What duo_client answers to each; all in one process."""
    return _answers([str(PYTHONS[release]), "-c", "import duo_client"], [str(PYTHONS[release]), str(DRIVER)], calls)


def net_duo(*calls: dict[str, Any]) -> list[Any]:
    """What Net::Duo of Debian's libnet-duo-perl answers to each."""
    return _answers(["perl", "-MNet::Duo::Admin", "-e1"], ["perl", str(PERL_DRIVER)], calls)


def _answers(probe: list[str], command: list[str], calls: tuple[dict[str, Any], ...]) -> list[Any]:
    if not os.environ.get("CI") and not _works(*probe):
        pytest.skip(f"{' '.join(probe)} does not work here")
    done = subprocess.run(command, input=json.dumps(calls), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@cache
def _works(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def client(lab: LabClient, key: str, secret: str = "", host: str = "localhost") -> dict[str, Any]:
    """Whom a client speaks for, and where. It verifies names of certificates only, no addresses."""
    port = int(lab.url.rpartition(":")[2])
    return {
        "client": [key, secret or lab.duo.secret(key), host, port, lab.ca_file if host == "localhost" else "DISABLE"]
    }
