# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""splunk-sdk, which Splunk wrote, works against the lab unmodified; and a webhook is really sent, or kept in."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import ROOT, running_lab

DRIVER = Path(__file__).with_name("sdk_driver.py")
BRUTE = "/servicesNS/nobody/search/saved/searches/Brute%20force"


@pytest.fixture(scope="module")
def fleet() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


@pytest.fixture
def lab(fleet: LabClient) -> LabClient:
    fleet.reset()
    return fleet


def test_splunks_own_sdk_reads_and_writes_saved_searches(lab: LabClient) -> None:
    python = ROOT / ".cache" / "peers" / "splunk" / "bin" / "python"
    if not python.exists():
        pytest.skip("there is no splunk-sdk in .cache/peers/splunk")
    port = int(lab.url.rpartition(":")[2])
    given = {"port": port, "ca_file": lab.ca_file, "token": lab.splunk.token, "url": "https://x.example/a?b=%2F&sig=c"}
    done = subprocess.run(
        [str(python), str(DRIVER)], input=json.dumps(given), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["before"] == {"actions": "email", "app": "search"}
    assert told["after"] == {"actions": "email,webhook", "url": given["url"]}
    assert told["names"] == ["Brute force", "Malware found"]
    assert (told["made"], told["twice"], told["wrong"]) == ("index=main", 409, "AuthenticationError")
    assert lab.splunk.search("Brute force")["action.webhook.param.url"] == given["url"]


def post(lab: LabClient, path: str, form: str = "") -> int:
    headers = {"Authorization": f"Bearer {lab.splunk.token}", "Content-Type": "application/x-www-form-urlencoded"}
    return int(lab.call("POST", path, form.encode(), headers)[0])


def fire(lab: LabClient) -> str:
    """What splunkd.log says of the last webhook."""
    assert post(lab, f"{BRUTE}/dispatch", "trigger_actions=1") == 201
    return str(lab.splunk.log()[-1]["failed"])


def test_a_webhook_is_sent_unless_the_list_or_a_stanza_keeps_it_in(lab: LabClient) -> None:
    told = lab.receivers.describe()["generic"]
    content = {"actions": "webhook", "action.webhook.param.url": told["url"]}
    lab.edit("splunk_change", name="Brute force", content=content)
    lab.edit("splunk_results", name="Brute force", rows=[{"src": "203.0.113.1"}, {"src": "203.0.113.2"}])
    assert "HTTP status=401" in fire(lab)  # no header can be sent, so that a receiver with a token refuses
    lab.edit("splunk_allow", entries={"theirs": "^https://hooks"})
    assert "not in the allow list" in fire(lab)
    assert post(lab, "/services/alerts/alert_actions/webhook", "enable_allowlist=0") == 200
    assert "Unable to find alert action script" in fire(lab)
