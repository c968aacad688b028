"""The Kubernetes manifest: valid for the API, and its pods share a fleet without a gap or an overlap."""

from __future__ import annotations

import os
import re
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


def command(folder: Path) -> list[str]:
    """What a pod runs, with the volumes in a folder of ours."""
    [container] = SPEC["template"]["spec"]["containers"]
    shell, flags, script = container["command"]
    for volume in ("fleet", "evidence", "webhook"):
        assert f"/{volume}" in {mount["mountPath"] for mount in container["volumeMounts"]}
        script = re.sub(rf"(?<![\w/])/{volume}\b", f"{folder}/{volume}", script)
    return [shell, flags, script]


def test_the_manifest_is_valid() -> None:
    kubernetes_validate.validate(JOB, "1.30", strict=True)


def test_each_tenant_is_in_the_slice_of_one_pod(play: Player, tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    hook = tmp_path / "webhook" / "url"
    hook.parent.mkdir()
    hook.write_text("ftp://hook.example/")
    shutil.copytree(ROOT / "inventories/lab", fleet)
    with open(fleet / "fleet.yml", "a", encoding="utf-8") as file:
        file.write(f"slices: {SPEC['completions']}\n")
    assert SPEC["completionMode"] == "Indexed"
    assert SPEC["completions"] == SPEC["parallelism"]
    seen: list[str] = []
    for index in range(SPEC["completions"]):
        done = subprocess.run(
            command(tmp_path),
            cwd=ROOT,
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "MSSP_LAB_URL": play.lab.url,
                "MSSP_LAB_DIR": str(play.lab.state_dir),
                "ANSIBLE_CALLBACKS_ENABLED": "mssp.onboarding.evidence",
                "JOB_COMPLETION_INDEX": str(index),
                "SCRIPTS": str(ROOT / "roles/drift_schedule/files"),
            },
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if "leaves us with no hosts to target" not in done.stderr:  # four slices are many for three tenants
            # What was not delivered is told by a second try of the pod.
            assert done.returncode == (1 if hook.exists() else 2), done.stdout + done.stderr
            assert "New: " in done.stdout
            assert ("not delivered: " in done.stderr) == hook.exists()
            hook.unlink(missing_ok=True)
        seen += recap(done.stdout)
    assert sorted(seen) == ["contoso", "fabrikam", "tailspin"]
    one_report_tells_of_all(
        sorted({path.parents[1] for path in tmp_path.glob("evidence/slice_*/evidence/*/summary.json")})
    )


def one_report_tells_of_all(roots: list[Path]) -> None:
    assert len(roots) > 1
    given = [part for root in roots for part in ("--evidence-root", str(root))]
    line = [sys.executable, str(ROOT / "scripts/report"), *given, "--junit", "-"]
    cases = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    assert all(f'name="{tenant}"' in cases for tenant in ("contoso", "fabrikam", "tailspin"))
    assert "<failure" in cases
    assert "did not reach" not in cases
    without = subprocess.run([*line, "--evidence-root", str(roots[0].parent)], capture_output=True, text=True)
    assert without.returncode == 1
    assert "no run is in" in without.stderr
