"""From a run to its report: the history that the callback keeps, and who reads it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.testing import running_lab
from tests import warm
from tests.playbooks.test_callbacks import CHANGED, OK, PARTIAL, TASK, Bench
from tests.playbooks.test_docs import blocks, fleet_file
from tests.unit.ansible_tools import ROOT
from tests.unit.plugins.plugin_utils._console.results import REFUSED, result

CANARY = "canary-5f1c9a"
DRIFT = result("drifted", targets=100, in_sync=98, drifted=2, drifts={"missing": 2})
ROLE = "- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.import_role:\n        name: probe\n"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def report(bench: Bench, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "report"), *arguments]
    return subprocess.run(
        command, cwd=bench.folder, env=bench.environment(), capture_output=True, text=True, timeout=120, check=False
    )


def states(bench: Bench) -> dict[str, str]:
    """tenant -> state, as Prometheus would read it."""
    done = report(bench, "--prometheus", "-")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("mssp_onboarding_state{")]
    return {line.split('"')[1]: line.split('"')[5] for line in lines}


def test_every_run_enters_the_history(bench: Bench) -> None:
    for plan in (OK, DRIFT, CHANGED):
        bench.tenants(contoso={"result": plan}, fabrikam={"result": OK})
        assert bench.run().code == 0
    assert states(bench) == {"contoso": "corrected", "fabrikam": "in_sync"}
    done = report(bench)
    path = (bench.evidence / "latest").resolve() / "report.html"
    assert done.stderr == f"Report: {path.relative_to(bench.folder)}\n"
    text = path.read_text()
    assert "drifted" in text
    assert "The last 3 runs" in text
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_was_named_in_the_root_is_a_run_of_it(bench: Bench) -> None:
    bench.tenants(contoso={"result": DRIFT})
    bench.run(MSSP_EVIDENCE_DIR=str(bench.evidence / "mine"))
    assert states(bench) == {"contoso": "drifted"}


def test_a_folder_elsewhere_has_a_report_and_no_history(bench: Bench) -> None:
    bench.tenants(contoso={"result": DRIFT})
    bench.run(MSSP_EVIDENCE_DIR=str(bench.folder / "mine"))
    assert list(bench.folder.rglob("history.sqlite")) == []
    done = report(bench, "mine", "--markdown", "-")
    assert done.stdout.startswith("## 1 of 1 tenant is not in sync.")


def test_the_row_says_when_by_which_role_and_for_what(bench: Bench) -> None:
    tasks = bench.folder / "roles" / "probe" / "tasks"
    tasks.mkdir(parents=True)
    (tasks / "main.yml").write_text("- name: Pretend\n  mssp.onboarding.pretend:\n")
    (tasks / "drift.yml").write_text("- name: Again\n  ansible.builtin.import_tasks: main.yml\n")
    changes = [{"target": "/x", "action": "create", "drift": ["missing"]}]
    bench.tenants(contoso={"result": CHANGED | {"changes": changes}})
    bench.run(ROLE + "        tasks_from: drift\n")
    (row,) = bench.summary()["tenants"]
    assert (row["role"], row["verb"]) == ("probe", "drift")
    assert row["changes"] == ["create /x: missing"]
    summary = bench.summary()
    assert summary["started"][:19] <= row["started"][:19] <= row["ended"][:19] <= summary["ended"][:19]


def test_the_fleet_is_every_tenant_of_the_inventory_also_beyond_the_limit(bench: Bench) -> None:
    plans: dict[str, Any] = {"contoso": {"result": OK}, "fabrikam": {"result": OK}}
    hosts = {
        name: {"ansible_connection": "local", "plan": plan, "mssp_tenant": name, "mssp_tenant_name": name.title()}
        for name, plan in plans.items()
    }
    inventory = {"all": {"hosts": hosts}, "has_azure_diagnostics": {"hosts": dict.fromkeys(hosts)}}
    (bench.folder / "hosts.yml").write_text(json.dumps(inventory))
    bench.run(TASK, "--limit", "contoso")
    file = str(bench.folder / "hosts.yml")
    entry = {"tenant": "fabrikam", "name": "Fabrikam", "ring": "", "roles": ["azure_diagnostics"], "file": file}
    assert bench.summary()["fleet"]["fabrikam"] == entry
    assert states(bench) == {"contoso": "in_sync", "fabrikam": "never_run"}


def test_a_corrupt_history_is_named_and_fails_nothing(bench: Bench) -> None:
    bench.tenants(contoso={"result": OK})
    bench.run()
    (bench.evidence / "history.sqlite").write_bytes(b"hello" * 1000)
    bench.tenants(contoso={"result": DRIFT})
    done = bench.run()
    text = " ".join(done.output.split())
    assert done.code == 0
    assert "history_corrupt" in text
    assert "The evidence of this run is whole." in text
    assert bench.summary()["complete"] is True
    # The report is made from the folders, and says so; and they give the history back.
    assert states(bench) == {"contoso": "drifted"}
    assert "made from the folders of the runs" in report(bench, "--markdown", "-").stderr
    assert "(2 runs)" in report(bench, "--rebuild", "--markdown", "-").stderr
    assert report(bench, "--markdown", "-").stderr == ""
    assert states(bench) == {"contoso": "drifted"}


def test_a_locked_history_is_named_and_fails_nothing(bench: Bench) -> None:
    bench.tenants(contoso={"result": OK})
    bench.run()
    lock = sqlite3.connect(bench.evidence / "history.sqlite", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        done = bench.run()
    finally:
        lock.close()
    assert done.code == 0
    assert "history_locked" in done.output
    assert bench.summary()["complete"] is True


def test_no_secret_reaches_the_history_or_a_report(bench: Bench) -> None:
    """Only fields of our own shape are kept, whatever else a result holds."""
    leaky = PARTIAL | {
        "client_secret": CANARY,
        "changes": [{"target": "/x", "action": "create", "after": {"key": CANARY}}],
        "problems": [REFUSED | {"request_body": CANARY, "headers": {"authorization": CANARY}}],
        "diff": [{"before": CANARY, "after": CANARY}],
        "invocation": {"module_args": {"client_secret": CANARY}},
    }
    leaky["summary"] = leaky["summary"] | {
        "token": CANARY,
        "credentials": [{"name": "certificate", "expires": "2026-11-22T00:00:00Z", "value": CANARY}],
    }
    bench.tenants(contoso={"result": leaky})
    bench.run()
    names = {"html": "r.html", "markdown": "r.md", "junit": "r.xml", "prometheus": "r.prom"}
    for name, file in names.items():
        assert report(bench, f"--{name}", str(bench.evidence / file)).returncode == 0
    assert report(bench, "--tenant", "contoso").returncode == 0
    files = [path for path in bench.evidence.rglob("*") if path.is_file()]
    assert {"history.sqlite", "summary.json", "report-contoso.html", *names.values()} <= {path.name for path in files}
    assert [path.name for path in files if CANARY.encode() in path.read_bytes()] == []


def test_a_page_for_each_tenant_names_no_other(bench: Bench) -> None:
    bench.tenants(contoso={"result": DRIFT}, fabrikam={"result": OK})
    bench.run()
    done = report(bench, "--pages", "customers", "--html", "fleet.html")
    assert done.returncode == 0, done.stderr
    pages = {path.name: path.read_text() for path in (bench.folder / "customers").iterdir()}
    assert sorted(pages) == ["contoso.html", "fabrikam.html"]
    assert "fabrikam" not in pages["contoso.html"].casefold()
    assert "contoso" not in pages["fabrikam.html"].casefold()
    assert (bench.folder / "fleet.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "Could not read the run: evidence: evidence/nowhere has no summary.json"),
        (["--tenant", "tailspin"], "it knows no tenant tailspin"),
        (["--html", "no/such/folder/x.html"], "Could not write the report: "),
        (["--evidence-root", "nowhere"], "Could not read the evidence: "),
    ],
)
def test_what_cannot_be_done_is_said(bench: Bench, arguments: list[str], said: str) -> None:
    bench.tenants(contoso={"result": OK})
    bench.run()
    done = report(bench, *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_report_that_cannot_be_written_whole_leaves_the_old_one(bench: Bench) -> None:
    bench.tenants(contoso={"result": OK})
    bench.run()
    (bench.folder / "r.prom").write_text("old")
    full = ["bash", "-c", f"ulimit -f 0; exec {sys.executable} {ROOT}/scripts/report --prometheus r.prom"]
    done = subprocess.run(full, cwd=bench.folder, env=bench.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert (bench.folder / "r.prom").read_text() == "old"
    assert sorted(path.name for path in bench.folder.glob("*r.prom*")) == ["r.prom"]


PLAY = """
- import_playbook: mssp.onboarding.fleet_status
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Ask
      mssp.onboarding.fleet_status_info:
        evidence_root: {root}
        statuses: [drifted]
      register: fleet
    - ansible.builtin.copy:
        content: "{{{{ fleet | to_json }}}}"
        dest: {answer}
        mode: "0600"
"""


def test_fleet_status_says_since_when(bench: Bench) -> None:
    lost = {"name": "sub 2", "state": "unreachable", "why": "no answer", "next_step": "start it"}
    coverage = {"states": {"covered": 1, "unreachable": 1}, "parts": [lost]}
    for plan in (OK, DRIFT, DRIFT):
        bench.tenants(contoso={"result": plan | {"coverage": coverage}}, fabrikam={"result": OK})
        bench.run()
    answer = bench.folder / "answer.json"
    (bench.folder / "ask.yml").write_text(PLAY.format(root=bench.evidence, answer=answer))
    tool = Path(sys.executable).with_name("ansible-playbook")
    environment = bench.environment(ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"), MSSP_EVIDENCE_ROOT=str(bench.evidence))
    command = [str(tool), "-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}"]
    done = warm.run(
        [*command, "ask.yml"],
        cwd=bench.folder,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(answer.read_text())
    (contoso,) = told["tenants"]
    assert (contoso["tenant"], contoso["status"], told["summary"]["statuses"]["drifted"]) == ("contoso", "drifted", 1)
    assert contoso["first_seen"] <= contoso["last_in_sync"] <= contoso["drifted_since"] <= contoso["seen"]
    # The question is no tenant's, and its run none of the fleet's: that it was answered is not told as «all well».
    said = " ".join(done.stdout.split())
    assert "2 tenants, 2 capabilities: 1 drifted, 1 in_sync" in said
    assert "contoso · azure_diagnostics · sub 2 · unreachable · no answer · start it" in said
    assert "fabrikam" not in said
    assert "all well" not in said
    assert "Evidence:" not in said
    assert states(bench) == {"contoso": "drifted", "fabrikam": "in_sync"}


def test_the_script_works_in_an_installed_collection(bench: Bench) -> None:
    bench.tenants(contoso={"result": OK})
    bench.run()
    tree = bench.folder / "installed" / "ansible_collections" / "mssp" / "onboarding"
    for name in ("plugins", "scripts"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, str(tree / "scripts" / "report"), "--markdown", "-"],
        cwd=bench.folder, env={**bench.environment(), "PATH": os.environ["PATH"]}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("## The tenant is in sync."), done.stderr


def test_the_examples_of_the_document_work_as_they_stand(tmp_path: Path) -> None:
    fleet = tmp_path / "inventories" / "prod"
    (fleet / "tenants").mkdir(parents=True)
    (fleet / "tenants" / "contoso.yml").write_text(blocks("README.md", "yaml")[0])
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    (tmp_path / "ask.yml").write_text(blocks("docs/report.md", "yaml")[0])
    (commands,) = blocks("docs/report.md", "sh")
    with running_lab() as lab:
        (fleet / "fleet.yml").write_text(fleet_file(lab, blocks("README.md", "yaml")[1:]))
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "CONTOSO_CLIENT_SECRET": lab.secret.strip(),
            "MSSP_EVIDENCE_ROOT": str(tmp_path / "evidence"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        for command in [*commands.splitlines(), "ansible-playbook -i localhost, -c local ask.yml"]:
            done = subprocess.run(
                shlex.split(command), cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180
            )
            assert done.returncode == 0, command + done.stdout + done.stderr
    for name in ("fleet.html", "fleet.md", "fleet.xml", "fleet.prom", "contoso.html"):
        assert "contoso" in (tmp_path / name).read_text().casefold(), name
    assert "≠ drifted" in (tmp_path / "fleet.md").read_text()


def slice_of(root: Path, tenant: str, minute: int, outcome: str, missed: list[str]) -> None:
    """An evidence root with one run of one tenant."""
    name, ended = f"20261130T10{minute:02d}00Z-drift-aaaaa{minute}", f"2026-11-30T10:{minute:02d}:00Z"
    row = {
        "tenant": tenant, "host": tenant, "capability": "azure_diagnostics", "step": "azure_diagnostic_settings",
        "outcome": outcome, "ended": ended, "counts": {"targets": 1, outcome: 1},
    }  # fmt: skip
    run = {
        "run": name, "playbook": "drift", "started": ended, "ended": ended, "seconds": 1, "complete": True,
        "exit": {"code": 0, "meaning": ""}, "not_reached": missed, "tenants": [row],
    }  # fmt: skip
    (root / name).mkdir(parents=True)
    (root / name / "summary.json").write_text(json.dumps(run))


def test_all_slices_make_one_report(bench: Bench) -> None:
    slice_of(bench.folder / "a", "contoso", 0, "drifted", ["contoso-log1"])
    slice_of(bench.folder / "b", "fabrikam", 1, "in_sync", [])
    both = ["--evidence-root", "a", "--evidence-root", "b", "--junit", "-"]
    cases = report(bench, *both).stdout
    assert all(f'name="{one}"' in cases for one in ("contoso", "fabrikam", "contoso-log1"))
    assert (cases.count("<failure "), cases.count("<error ")) == (1, 1), "also what an earlier slice did not reach"
    (bench.folder / "c").mkdir()
    without = report(bench, *both, "--evidence-root", "c")
    assert (without.returncode, without.stdout) == (1, "")
    assert "no run is in c" in without.stderr
