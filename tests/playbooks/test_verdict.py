"""What fails by itself: a capability of a tenant, or a tenant file. The rest has its run, and the exit code tells."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from lab.client import LabClient
from lab.testing import CONTOSO, ROOT
from tests.playbooks.test_azure import ANSIBLE_PLAYBOOK, Player, lab, play, recap, shared_lab

__all__ = ["lab", "play", "shared_lab"]


def test_a_wrong_tenant_file_in_a_fleet_that_is_not_strict(play: Player, tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    shutil.copytree(ROOT / "inventories/lab", fleet)
    with open(fleet / "fleet.yml", "a", encoding="utf-8") as file:
        file.write("strict: false\n")
    wrong = fleet / "tenants/fabrikam.yml"
    wrong.write_text(wrong.read_text(encoding="utf-8") + "rings: early\n", encoding="utf-8")

    run = play("onboard", inventory=str(fleet))
    assert run.code == 2
    assert "rings: unknown key" in run.out
    assert "left out: fabrikam" in run.out
    lines = recap(run.out)
    assert (lines["fabrikam"]["ok"], lines["fabrikam"]["failed"]) == (0, 1)
    assert all(lines[tenant]["failed"] == 0 and lines[tenant]["changed"] for tenant in ("contoso", "tailspin"))
    assert run.rows["fabrikam"]["outcome"] == "failed"
    assert (run.evidence / "retry").read_text().split() == ["fabrikam"]

    strict = play("onboard", inventory=str(wrong))
    assert strict.code == 4
    assert "nothing was run" in strict.out


def outcomes(evidence: Path, tenant: str) -> dict[str, str]:
    """{capability: outcome} of a tenant."""
    rows = json.loads((evidence / "summary.json").read_text())["tenants"]
    return {row["capability"]: row["outcome"] for row in rows if row["tenant"] == tenant}


def test_a_failing_capability_leaves_the_tenants_others_alone(play: Player, lab: LabClient) -> None:
    lab.fault("status", method="GET", path="/subscriptions", tenant=CONTOSO, status=403, count=None)
    run = play("onboard")
    assert run.code == 2
    assert outcomes(run.evidence, "contoso") == {"azure_diagnostics": "failed", "coro_connectors": "corrected"}
    assert (run.evidence / "retry").read_text().split() == ["contoso"]


def test_a_task_without_end_costs_its_own_host(play: Player, lab: LabClient) -> None:
    lab.fault("hang", method="GET", path="/subscriptions", tenant=CONTOSO, count=None)
    run = play("onboard", "-l", "contoso", "-e", "mssp_task_seconds=6")
    assert run.code == 2
    assert "Timed out after 6" in run.out
    assert outcomes(run.evidence, "contoso") == {"azure_diagnostics": "failed", "coro_connectors": "corrected"}


def test_in_a_staged_rollout_it_stops_the_stages_to_come(play: Player, lab: LabClient) -> None:
    lab.fault("status", method="GET", path="/subscriptions", tenant=CONTOSO, status=403, count=None)
    run = play("onboard", "-e", "mssp_serial=1", "-e", "mssp_max_fail_percentage=0")
    assert run.code == 2
    assert outcomes(run.evidence, "contoso") == {"azure_diagnostics": "failed"}
    done = [tenant for tenant in ("fabrikam", "tailspin") if outcomes(run.evidence, tenant)]
    assert len(done) < 2, "the stages after contoso's are not begun"


def test_what_a_percentage_left_out_is_told_by_capability_and_run_again(play: Player, lab: LabClient) -> None:
    lab.fault("status", method="GET", path="/subscriptions", tenant=CONTOSO, status=403, count=None)
    run = play("onboard", "-e", "mssp_max_fail_percentage=10")
    tenants = ["contoso", "fabrikam", "tailspin"]
    summary = json.loads((run.evidence / "summary.json").read_text())
    assert run.code == 2
    assert summary["missed"] == {tenant: ["coro_connectors"] for tenant in tenants}
    assert (run.evidence / "retry").read_text().split() == tenants
    assert "Not reached at contoso, fabrikam, tailspin: coro_connectors" in run.out
    assert "Exit 2: 3 of 3 tenants are not well: 1 failed, 2 not reached." in run.out


NO_WORK = """- hosts: has_azure_diagnostics
  gather_facts: false
  tasks:
    - ansible.builtin.assert: {that: true, quiet: true}
- import_playbook: mssp.onboarding.verdict
"""
TENANT = """plugin: mssp.onboarding.tenants
slug: t{0:04}
name: Tenant {0}
azure:
  tenant_id: 50000000-0000-4000-8000-00000000{0:04}
  client_secret: "{{{{ lookup('ansible.builtin.env', 'NOBODY') }}}}"
sources:
  azure_diagnostics: {{}}
"""


def test_a_poisoned_file_among_a_thousand(tmp_path: Path) -> None:
    """Not even YAML: that tenant is named and left out, and 999 have their run."""
    fleet = tmp_path / "fleet"
    (fleet / "tenants").mkdir(parents=True)
    shared = (ROOT / "inventories/lab/fleet.yml").read_text(encoding="utf-8")
    (fleet / "fleet.yml").write_text(f"{shared}strict: false\n", encoding="utf-8")
    for number in range(1000):
        (fleet / f"tenants/t{number:04}.yml").write_text(TENANT.format(number), encoding="utf-8")
    (fleet / "tenants/t0500.yml").write_text("slug: t0500\nvars: {azure: [\n\t\x1b]0;x\x07", encoding="utf-8")
    (tmp_path / "play.yml").write_text(NO_WORK, encoding="utf-8")
    done = subprocess.run(
        [ANSIBLE_PLAYBOOK, "-i", str(fleet), str(tmp_path / "play.yml")],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "MSSP_EVIDENCE_ROOT": str(tmp_path / "e")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    lines = recap(done.stdout)
    assert done.returncode == 2, done.stdout + done.stderr
    assert len(lines) == 1000
    assert [host for host, line in lines.items() if line["failed"]] == ["t0500"]
    assert {line["ok"] for host, line in lines.items() if host != "t0500"} == {1}
    assert "t0500.yml" in done.stdout + done.stderr
    assert "\x1b]0;" not in done.stdout + done.stderr
