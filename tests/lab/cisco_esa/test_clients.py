# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""netmiko, which others wrote, goes through the lab's dialogue as a person would, by the numbers that it shows."""

from __future__ import annotations

import json
import subprocess

import pytest

from lab.client import LabClient
from lab.testing import ROOT, running_lab

PYTHON = ROOT / ".cache" / "peers" / "netmiko" / "bin" / "python"
DRIVER = ROOT / "tests" / "lab" / "cisco_esa" / "netmiko_driver.py"
# Of the older release: mail logs, their name and level, SCP push, host, port, user, directory, file, size, an interval
# of its own, SSH2, and no host key check.
NEW = (
    "NEW",
    "1",
    "by_netmiko",
    "3",
    "3",
    "192.0.2.7",
    "22",
    "drop",
    "/upload",
    "mail",
    "5M",
    "Y",
    "1",
    "1h30m",
    "2",
    "N",
)


def typed(lab: LabClient, *sessions: list[str]) -> list[list[str]]:
    state = lab.cisco_esa.state()
    to = {"port": state["port"], "username": state["username"], "password": state["password"]}
    done = subprocess.run(
        [str(PYTHON), str(DRIVER)], input=json.dumps({"to": to, "sessions": sessions}), capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.mark.skipif(not PYTHON.exists(), reason="there is no netmiko in .cache/peers/netmiko")
def test_netmiko_makes_a_subscription_and_what_is_not_committed_is_gone() -> None:
    with running_lab() as lab:
        lost = [one.replace("by_netmiko", "forgotten") for one in NEW]
        (version, *dialogue, saved), _lost = typed(
            lab, ["version", "logconfig", *NEW, "", "commit", "by hand"], ["logconfig", *lost]
        )
        assert lab.cisco_esa.state()["serial"] in version
        assert "1. IronPort Text Mail Logs" in dialogue[1]
        assert "Changes committed" in saved
        log = lab.cisco_esa.log("by_netmiko")
        assert log is not None
        assert [log[field] for field in ("type", "level", "retrieval_method", "hostname", "rollover_interval")] == [
            *("IronPort Text Mail Logs", "Information", "SCP Push", "192.0.2.7", "1h30m"),
        ]
        assert lab.cisco_esa.log("forgotten") is None
