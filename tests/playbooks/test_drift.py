"""Drift on a lab fleet: what policy lets be corrected, ring by ring, and what the exit code of scripts/drift says."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.client import LabClient
from lab.testing import CONTOSO, ROOT, running_lab
from tests.playbooks.drift_runs import PLAYBOOK, Run, Runner

OURS = "mssp-onboarding"
RINGS = ("tailspin", "contoso", "fabrikam")  # canary, early, all
OF = {"contoso": "/subscriptions/2", "fabrikam": "/subscriptions/3", "tailspin": "/subscriptions/4"}
CORRECT = ("-e", "drift_correct=true")


@pytest.fixture(scope="module")
def onboarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    """A lab whose tenants are as wanted; a test leaves it so."""
    with running_lab() as lab:
        run = Runner(lab, tmp_path_factory.mktemp("first"))(verb="onboard")
        assert run.code == 0, run.out
        yield lab


@pytest.fixture
def drift(onboarded: LabClient, tmp_path: Path) -> Iterator[Runner]:
    runner = Runner(onboarded, tmp_path)
    before = [ours(onboarded, tenant) for tenant in RINGS]
    yield runner
    onboarded.clear_faults()
    if [ours(onboarded, tenant) for tenant in RINGS] != before:
        restored = runner(*CORRECT)
        assert restored.code in (0, 3), restored.out  # 3 where a test took a capability out of the tenant files


def ours(lab: LabClient, tenant: str) -> dict[str, Any]:
    """Our settings at a tenant by target."""
    return {
        target: held[OURS]["shown"]
        for target, held in lab.azure.world()["settings"].items()
        if OURS in held and target.startswith(OF[tenant])
    }


def delete(lab: LabClient, tenant: str, number: int = 1) -> None:
    """Take our setting from the first targets of a tenant."""
    for target in sorted(ours(lab, tenant))[:number]:
        lab.edit("delete_setting", target=target, name=OURS)


def disable(lab: LabClient, tenant: str) -> str:
    """Change our setting on the last target of a tenant; gives the target."""
    target = sorted(ours(lab, tenant))[-1]
    lab.edit("disable_category", target=target, name=OURS)
    return target


def set_levels(fleet: Path, **levels: str) -> None:
    """Write correct of azure_diagnostics into the files of some tenants."""
    for tenant, level in levels.items():
        path = fleet / "tenants" / f"{tenant}.yml"
        content = yaml.safe_load(path.read_text())
        content["sources"]["azure_diagnostics"]["correct"] = level
        path.write_text(yaml.safe_dump(content))


def writes(lab: LabClient) -> int:
    return sum(line["count"] for line in lab.requests()["counts"] if line["method"] in ("PUT", "DELETE", "PATCH"))


def joined(run: Run) -> str:
    """What was printed, without line breaks."""
    return " ".join(run.out.split())


def test_clean_is_0_and_drift_that_is_left_is_2(drift: Runner) -> None:
    clean = drift()
    assert clean.code == 0, clean.out
    assert "mssp-drift: exit 0, clean: 3 as wanted" in clean.out
    delete(drift.lab, "contoso")
    drift.lab.reset_requests()
    found = drift()
    assert found.code == 2, found.out
    assert "mssp-drift: exit 2, drift is left: 1 drift" in found.out
    assert found.outcomes == {"tailspin": "in_sync", "contoso": "drifted", "fabrikam": "in_sync"}
    assert writes(drift.lab) == 0
    corrected = drift(*CORRECT)
    assert corrected.code == 0, corrected.out
    assert corrected.outcomes == {"tailspin": "in_sync", "contoso": "corrected", "fabrikam": "in_sync"}
    assert writes(drift.lab) == 1
    (drift.fleet / "tenants/fabrikam.yml").unlink()
    for verb in ("drift", "verify"):
        vanished = drift(verb=verb)
        assert "Gone from the tenant file, and never offboarded: fabrikam" in joined(vanished), vanished.out
        assert vanished.summary["left"]["fabrikam"]["roles"] == []
        assert "or are unknown, all were looked at: 1 gone from the tenant files" in vanished.out
        assert vanished.code == 3
        assert "all well" not in vanished.out


def test_check_mode_corrects_nothing_and_says_what_it_would(drift: Runner) -> None:
    delete(drift.lab, "contoso")
    drift.lab.reset_requests()
    run = drift("--check", *CORRECT)
    assert run.code == 2, run.out
    assert writes(drift.lab) == 0


def test_each_tenant_is_corrected_as_far_as_its_policy_goes(drift: Runner) -> None:
    set_levels(drift.fleet, contoso="safe", fabrikam="never")
    changed = {}
    for tenant in RINGS:
        delete(drift.lab, tenant)
        changed[tenant] = disable(drift.lab, tenant)
    before = {tenant: ours(drift.lab, tenant) for tenant in RINGS}
    run = drift(*CORRECT, "--diff")
    assert run.code == 2, run.out
    after = {tenant: ours(drift.lab, tenant) for tenant in RINGS}
    assert after["fabrikam"] == before["fabrikam"], "never"
    assert len(after["contoso"]) == len(before["contoso"]) + 1, "safe adds"
    assert after["contoso"][changed["contoso"]] == before["contoso"][changed["contoso"]], "safe changes nothing"
    assert after["tailspin"][changed["tailspin"]] != before["tailspin"][changed["tailspin"]], "all changes"
    assert run.outcomes == {"tailspin": "corrected", "contoso": "drifted", "fabrikam": "drifted"}
    set_levels(drift.fleet, contoso="all", fabrikam="all")


def test_a_misspelt_policy_is_refused_before_any_request(drift: Runner) -> None:
    drift.lab.reset_requests()
    set_levels(drift.fleet, contoso="sometimes")
    run = drift()
    assert run.code not in (0, 2)
    assert "expected one of never, safe, all" in run.out
    assert drift.lab.requests()["counts"] == []


def test_rings_are_walked_in_order_and_only_to_correct(drift: Runner) -> None:
    def batches(out: str) -> list[list[str]]:
        """The hosts of each first task's batch, in order."""
        parts = re.split(r"^TASK \[mssp.onboarding.azure_diagnostics : Diagnostic settings of .*$", out, flags=re.M)
        return [re.findall(r"^ok: \[(\w+)\]", part.partition("\nTASK")[0], re.M) for part in parts[1:]]

    assert batches(drift(*CORRECT).out) == [[tenant] for tenant in RINGS]
    assert [sorted(batch) for batch in batches(drift().out)] == [sorted(RINGS)]


def test_a_canary_ring_over_the_budget_stops_changes_in_every_ring(drift: Runner) -> None:
    """The rest of the fleet needs little, and would stay within the budget by itself."""
    delete(drift.lab, "tailspin", 5)
    delete(drift.lab, "fabrikam", 1)
    drift.lab.reset_requests()
    stopped = drift(*CORRECT, "-e", "drift_max_changes=4")
    assert stopped.code == 1, stopped.out
    assert writes(drift.lab) == 0
    none = drift(*CORRECT, "-e", "drift_max_changes=0", "-l", "fabrikam")
    assert (none.code, writes(drift.lab)) == (1, 0), none.out
    assert re.search(r"would\s+change\s+5\s+targets", stopped.out)
    within = drift(*CORRECT, "-e", "drift_max_changes=6")
    assert within.code == 0, within.out
    assert writes(drift.lab) == 6


def test_a_misspelt_limit_is_refused_before_any_request(drift: Runner) -> None:
    delete(drift.lab, "fabrikam", 1)
    drift.lab.reset_requests()
    run = drift(*CORRECT, "-e", "drift_max_changes=2%", "-e", "mssp_serial=0", "-l", "fabrikam")
    assert run.code == 1
    assert re.search(r"drift_max_changes:\s+expected\s+a\s+whole\s+number", run.out)
    assert re.search(r"mssp_serial:\s+expected\s+a\s+number", run.out)
    assert drift.lab.requests()["counts"] == []


def test_rings_share_the_budget(drift: Runner) -> None:
    for tenant in RINGS:
        delete(drift.lab, tenant, 2)
    drift.lab.reset_requests()
    run = drift(*CORRECT, "-e", "drift_max_changes=4")
    assert run.code == 1, run.out
    assert writes(drift.lab) == 4, "canary and early; the third ring would go over it"


def test_capabilities_share_the_budget(drift: Runner) -> None:
    """Two settings are within a budget of two; the connector after them would be the third change."""
    coro, workspace = drift.lab.coro, "contoso_Qx7d_b"

    def contoso(verb: str, *arguments: str) -> Run:
        whole = (PLAYBOOK, "-i", "inventories/lab", f"mssp.onboarding.{verb}", "--limit", "contoso")
        return drift.command(*whole, *arguments)

    assert contoso("onboard").code == 0
    delete(drift.lab, "contoso", 2)
    gone = sorted(coro.connectors(workspace))[0]
    coro.remove_connector(workspace, gone)
    run = contoso("drift", *CORRECT, "-e", "drift_max_changes=2")
    assert run.code == 1, run.out
    assert re.search(r"with\s+it\s+the\s+run\s+would\s+change\s+3\s+targets", run.out)
    assert gone not in coro.connectors(workspace)
    assert contoso("drift", *CORRECT, "-e", "drift_max_changes=3").code == 0
    assert gone in coro.connectors(workspace)


def test_a_budget_and_a_percentage_stop_corrections_and_everything_is_looked_at(drift: Runner) -> None:
    """As the schedule of docs/operations.md has them; the canary goes over the budget."""
    delete(drift.lab, "tailspin", 2)
    delete(drift.lab, "contoso", 1)
    drift.lab.reset_requests()
    whole = (PLAYBOOK, "-i", "inventories/lab", "mssp.onboarding.drift", *CORRECT)
    run = drift.command(*whole, "-e", "drift_max_changes=1", "-e", "mssp_max_fail_percentage=10")
    assert (run.code, writes(drift.lab)) == (1, 0), run.out
    looked_at = sorted((row["tenant"], row["capability"]) for row in run.summary["tenants"])
    assert looked_at == [
        (tenant, role) for tenant in sorted(RINGS) for role in ("azure_diagnostics", "coro_connectors")
    ]
    assert run.summary["missed"] == {}
    assert re.search(r"100.0\s+%\s+of\s+the\s+hosts\s+of\s+a\s+ring\s+have\s+failed", run.out)


def test_a_failure_is_never_2(drift: Runner) -> None:
    delete(drift.lab, "contoso")
    drift.lab.fault("status", method="GET", path="/subscriptions", tenant=CONTOSO, status=403, count=None)
    failed = drift()
    assert failed.code == 3, failed.out
    assert "some tenants failed or are unknown, all were looked at: 1 failed" in failed.out
    drift.lab.clear_faults()
    drift.lab.fault("status", method="GET", path="diagnosticsettings", tenant=CONTOSO, status=403, count=1)
    unknown = drift("-e", "azure_diagnostics_fail_on=never")
    assert unknown.code == 3, unknown.out
    assert "1 unknown" in unknown.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("-i", "inventories/lab", "mssp.onboarding.drift", "-l", "nobody"), 1),
        (("-i", "inventories/nowhere", "mssp.onboarding.drift"), None),
        (("-i", "inventories/lab", "mssp.onboarding.drft"), 1),
        (("--no-such-option",), 1),
    ],
    ids=["no host", "no inventory", "no playbook", "wrong option"],
)
def test_a_run_that_looked_at_nothing_has_failed(drift: Runner, arguments: tuple[str, ...], code: int | None) -> None:
    run = drift.command(PLAYBOOK, *arguments)
    assert run.code == code if code else run.code not in (0, 2), run.out


def test_without_the_callback_nothing_is_known(drift: Runner) -> None:
    blind = drift.command(
        *(PLAYBOOK, "-i", str(drift.fleet), "mssp.onboarding.drift"),
        ANSIBLE_CALLBACKS_ENABLED="ansible.builtin.default",
    )
    assert blind.code == 1
    assert "it left no summary" in blind.out


def test_unreachable_is_4(drift: Runner) -> None:
    path = drift.fleet / "tenants" / "contoso.yml"
    content = yaml.safe_load(path.read_text())
    sources = {"fw": {"transport": "udp", "port": 5514, "senders": ["192.0.2.1"]}}
    content["collectors"] = {
        "contoso-log1": {"ansible_host": "127.0.0.1", "ansible_port": 1, "syslog_target_sources": sources}
    }
    path.write_text(yaml.safe_dump(content))
    assert drift().code == 4


def test_a_run_that_is_stopped_has_failed(drift: Runner) -> None:
    drift.lab.fault("slow", path="diagnosticsettings", seconds=60, count=None)
    drift.lab.reset_requests()
    command = [sys.executable, str(ROOT / "scripts/drift"), PLAYBOOK, "-i", str(drift.fleet), "mssp.onboarding.drift"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=drift.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not drift.lab.requests()["counts"] and time.monotonic() < until:
        time.sleep(0.2)
    process.terminate()  # as a container's first process is told; it tells Ansible
    assert process.wait(60) == 128 + signal.SIGTERM
    summary = json.loads(next(drift.root.glob("*/summary.json")).read_text())
    assert (summary["complete"], set(summary["totals"]["outcomes"]) & {"in_sync", "unknown"}) == (False, {"unknown"})
    assert "The run was stopped before its end" in summary["exit"]["meaning"]


def test_it_asks_for_a_command(drift: Runner) -> None:
    assert drift.command().code == 64
    assert drift.command("-i", "inventories/lab").code == 64
    assert drift.command("no-such-command").code == 127


def test_an_offboarded_tenant_is_left_alone_and_said_so(drift: Runner) -> None:
    drift("-l", "contoso")
    left = drift("-e", "offboard_confirm=contoso", verb="offboard")
    assert re.search(r"Now take \S*/contoso.yml out of the inventory", joined(left))
    run = drift(*CORRECT)
    assert set(run.outcomes) == {"tailspin", "fabrikam"}
    assert "Contoso Ltd (contoso) was offboarded and is left alone" in joined(run)
    refused = drift("-l", "contoso", verb="onboard")
    assert refused.code == 1
    assert "Contoso Ltd (contoso) was offboarded; nothing was done there" in joined(refused)
    assert ours(drift.lab, "contoso") == {}
    taken = drift("-l", "contoso", "-e", "onboard_again=contoso", verb="onboard")
    assert taken.code == 0, taken.out
    assert ours(drift.lab, "contoso") != {}
