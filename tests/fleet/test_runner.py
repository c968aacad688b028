"""The playbooks under ansible-runner, as controllers and pipelines use it: events, cancel, and a second try."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ansible_runner
import pytest

from lab.client import LabClient
from lab.testing import CONTOSO, ROOT, running_lab

Run = Callable[..., Any]


@pytest.fixture
def lab() -> Iterator[LabClient]:
    with running_lab() as found:
        yield found


@pytest.fixture
def run(lab: LabClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """run(verb, **options of ansible_runner.run), in a private data directory with the lab's inventory."""
    shutil.copytree(ROOT / "inventories/lab", tmp_path / "inventory")
    for name in [name for name in os.environ if name.startswith(("ANSIBLE_", "MSSP_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)

    def start(verb: str, **options: Any) -> Any:
        return ansible_runner.run(
            private_data_dir=str(tmp_path),
            playbook=f"mssp.onboarding.{verb}",
            envvars={
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
                "ANSIBLE_CALLBACKS_ENABLED": "mssp.onboarding.progress,mssp.onboarding.evidence",
                "MSSP_LAB_URL": lab.url,
                "MSSP_LAB_DIR": str(lab.state_dir),
                "MSSP_EVIDENCE_ROOT": str(tmp_path / "evidence"),
            },
            quiet=True,
            **options,
        )

    return start


def results(done: Any, kind: str) -> dict[str, dict[str, Any]]:
    """{tenant: result of our module} of the events of this kind."""
    found = [event["event_data"] for event in done.events if event["event"] == kind]
    ours = [data for data in found if data["task_action"].startswith("mssp.onboarding.")]
    return {data["host"]: data["res"] for data in ours}


def test_events_carry_the_results_and_no_secret(run: Run, lab: LabClient, tmp_path: Path) -> None:
    done = run("onboard")
    assert (done.status, done.rc) == ("successful", 0)
    summaries = {tenant: result["summary"] for tenant, result in results(done, "runner_on_ok").items()}
    assert set(summaries) == {"contoso", "fabrikam", "tailspin"}
    assert all(summary["counts"]["corrected"] for summary in summaries.values())
    secret = (Path(lab.state_dir) / "app.secret").read_text().strip()
    kept = [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if secret in path.read_text(errors="replace")]


def test_the_failed_tenant_is_run_again_by_the_file_that_names_it(run: Run, lab: LabClient, tmp_path: Path) -> None:
    lab.fault("status", method="GET", path="/subscriptions", tenant=CONTOSO, status=503, count=None)
    first = run("onboard")
    assert (first.status, first.rc) == ("failed", 2)
    assert set(results(first, "runner_on_failed")) == {"contoso"}
    lab.clear_faults()
    again = run("onboard", limit=f"@{tmp_path / 'evidence/latest/retry'}")
    assert (again.status, again.rc) == ("successful", 0)
    assert set(results(again, "runner_on_ok")) == {"contoso"}


def test_a_cancelled_run_can_be_taken_up(run: Run, lab: LabClient) -> None:
    def written() -> bool:
        return any(line["method"] == "PUT" for line in lab.requests()["counts"])

    # 2 s before each answer to a write, so that the run cannot end before it is cancelled.
    lab.fault("slow", method="PUT", seconds=2.0, count=None)
    stopped = run("onboard", cancel_callback=written)
    assert stopped.status == "canceled"
    lab.clear_faults()
    assert run("onboard").rc == 0
    assert not [tenant for tenant, result in results(run("onboard"), "runner_on_ok").items() if result["changed"]]
