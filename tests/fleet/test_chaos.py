"""Runs that are killed and disks that are full: the next run puts right what was half done, nothing is made twice."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.client import LabClient
from lab.testing import CONTOSO, ROOT
from tests.playbooks.test_azure import ANSIBLE_PLAYBOOK, OURS, Player, lab, play, shared_lab, shown_settings

__all__ = ["lab", "play", "shared_lab"]

WRITES = 157  # of a first run on the lab's three tenants
# Other points on each machine and day would be no test that can be run again.
POINTS = sorted(random.Random(20261121).sample(range(1, WRITES), 4))


def written(lab: LabClient) -> int:
    return sum(line["count"] for line in lab.requests()["counts"] if line["method"] == "PUT")


def killed_after(lab: LabClient, writes: int, folder: Path) -> None:
    """Start onboard, and kill all of its processes when the lab has seen so many writes."""
    with subprocess.Popen(
        [ANSIBLE_PLAYBOOK, "-i", "inventories/lab", "mssp.onboarding.onboard"],
        cwd=ROOT,
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MSSP_"))},
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "MSSP_LAB_URL": lab.url,
            "MSSP_LAB_DIR": str(lab.state_dir),
            "MSSP_EVIDENCE_ROOT": str(folder),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as run:
        until = time.monotonic() + 60
        while written(lab) < writes and run.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        # Whatever is in flight is cut too: the group is this run's alone.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
    assert written(lab) >= writes


@pytest.mark.parametrize("writes", POINTS)
def test_a_killed_run_is_taken_up_by_the_next(play: Player, lab: LabClient, tmp_path: Path, writes: int) -> None:
    root = tmp_path / "evidence"
    lab.configure(latency=0.05)
    killed_after(lab, writes, root)
    for path in root.rglob("*.jsonl"):
        # The line that the kill cut is the file's last, if any.
        for line in path.read_text(encoding="utf-8").splitlines()[:-1]:
            json.loads(line)

    lab.configure(latency=0)
    after = play("onboard")
    assert after.code == 0, after.out
    assert play("drift", "-e", "drift_fail=true").code == 0
    for target, settings in shown_settings(lab).items():
        ours = [name for name in settings if name.startswith(OURS)]
        assert len(ours) <= 1, f"{target}: {ours}"


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    folder = tmp_path / "full"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_under_the_evidence_stops_only_what_needs_it_and_is_named(play: Player, full: Path) -> None:
    """A secret is not sent whose fingerprint cannot be kept; which of them still fit is chance."""
    run = play("onboard", MSSP_EVIDENCE_DIR=str(full / "run"))
    assert (run.code, "use the fingerprints of secrets" in run.out) in ((0, False), (2, True)), run.out
    assert not re.search(r"azure_diagnostics .*failed", run.out), run.out
    assert "No space left on device" in run.out
    assert "free space on the disk that holds the evidence" in run.out
    assert play("onboard").rows, "the next run has its evidence again"


def test_a_tenant_whose_endpoint_hangs_ends_by_its_time_out_and_harms_nobody(play: Player, lab: LabClient) -> None:
    """No answer for ever to lists of contoso's settings; the others are done long before its time is over."""
    assert play("onboard").code == 0
    lab.edit("delete_setting", target=sorted(shown_settings(lab))[-1], name=OURS)
    lab.fault("hang", tenant=CONTOSO, kind="settings.list", count=None)
    lab.reset_requests()
    began = time.monotonic()
    run = play("onboard")
    assert run.code != 0
    assert time.monotonic() - began < 150
    assert run.rows["contoso"]["outcome"] == "unknown"
    assert "no answer within 60 s" in run.out
    assert {row["outcome"] for (tenant, row) in run.rows.items() if tenant != "contoso"} == {"in_sync", "corrected"}
    settings = [line for line in lab.requests(last=2000)["last"] if line["kind"].startswith("settings.")]
    others = [line["at"] for line in settings if line["tenant"] != CONTOSO]
    assert max(others) < max(line["at"] for line in settings if line["tenant"] == CONTOSO) - 30
    lab.clear_faults()
    assert play("onboard").code == 0
