"""The Kubernetes manifest: valid for the API, and its pods share a fleet without a gap or an overlap."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import yaml

from lab.testing import ROOT
from tests.playbooks.test_azure import Player, lab, play, recap, shared_lab

__all__ = ["lab", "play", "shared_lab"]

JOB = yaml.safe_load((ROOT / "docs/engines/kubernetes.yml").read_text())
SPEC = JOB["spec"]["jobTemplate"]["spec"]


def command(index: int, fleet: Path) -> list[str]:
    """What the pod of this index runs, on a fleet of ours."""
    [container] = SPEC["template"]["spec"]["containers"]
    shell, flags, script = container["command"]
    assert "-i /fleet " in script
    return ["env", f"JOB_COMPLETION_INDEX={index}", shell, flags, script.replace("-i /fleet ", f"-i {fleet} ")]


def test_the_manifest_is_valid() -> None:
    kubernetes_validate.validate(JOB, "1.30", strict=True)


def test_each_tenant_is_in_the_slice_of_one_pod(play: Player, tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    shutil.copytree(ROOT / "inventories/lab", fleet)
    with open(fleet / "fleet.yml", "a", encoding="utf-8") as file:
        file.write(f"slices: {SPEC['completions']}\n")
    assert SPEC["completionMode"] == "Indexed"
    assert SPEC["completions"] == SPEC["parallelism"]
    seen: list[str] = []
    for index in range(SPEC["completions"]):
        done = subprocess.run(
            command(index, fleet),
            cwd=ROOT,
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "MSSP_LAB_URL": play.lab.url,
                "MSSP_LAB_DIR": str(play.lab.state_dir),
                "MSSP_EVIDENCE_ROOT": str(tmp_path / f"evidence-{index}"),
            },
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if "leaves us with no hosts to target" not in done.stderr:  # four slices are many for three tenants
            assert done.returncode in (0, 2), done.stdout + done.stderr
        seen += recap(done.stdout)
    assert sorted(seen) == ["contoso", "fabrikam", "tailspin"]
