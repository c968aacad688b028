"""The files of docs/pipelines: against the published schemas, and what they run, run against the lab.

The schemas are those of SchemaStore (GitHub), GitLab and Microsoft (Azure) as the package check-jsonschema has them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mssp.onboarding.plugins.module_utils._core.coverage import FOLDER
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.history import FILE
from lab.testing import ROOT, running_lab
from tests.playbooks.drift_runs import Runner

PIPELINES = ROOT / "docs/pipelines"
GITHUB = yaml.safe_load((PIPELINES / "github-actions.yml").read_text(encoding="utf-8"))
AZURE = yaml.safe_load((PIPELINES / "azure-pipelines.yml").read_text(encoding="utf-8"))
GITLAB = yaml.safe_load((PIPELINES / "gitlab-ci.yml").read_text(encoding="utf-8"))
BIN = Path(sys.executable).parent
# Azure's patterns are read by Python's «re»: the tool's own reader of JavaScript's patterns refuses one of them.
SCHEMAS = {
    "github-actions.yml": ["vendor.github-workflows"],
    "azure-pipelines.yml": [
        "vendor.azure-pipelines",
        "--data-transform",
        "azure-pipelines",
        "--regex-variant",
        "python",
    ],
    "gitlab-ci.yml": ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
}


def check(name: str, path: Path) -> int:
    command = [BIN / "check-jsonschema", "--builtin-schema", *SCHEMAS[name], path]
    return subprocess.run(command, capture_output=True, check=False).returncode


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_what_the_published_schema_wants(name: str, tmp_path: Path) -> None:
    assert check(name, PIPELINES / name) == 0
    (tmp_path / name).write_text((PIPELINES / name).read_text().replace("s:\n", "z:\n"), encoding="utf-8")
    assert check(name, tmp_path / name) == 1, "the check sees nothing"


def test_nothing_is_corrected_without_an_approval() -> None:
    github, azure = GITHUB["jobs"], {stage["stage"]: stage for stage in AZURE["stages"]}
    for text, gate in (
        (yaml.safe_dump([github["compare"], azure["compare"], GITLAB["compare"], GITLAB["every tenant"]]), ""),
        (yaml.safe_dump(github["correct"]), github["correct"]["environment"]),
        (yaml.safe_dump(azure["correct"]), azure["correct"]["jobs"][0]["environment"]),
        (yaml.safe_dump(GITLAB["correct"]), GITLAB["correct"]["environment"]),
    ):
        assert ("drift_correct" in text) == (gate == "drift-correction")
    assert """contains(fromJSON('["2", "3"]'), needs.compare.outputs.code)""" in github["correct"]["if"]
    assert "'2', '3'" in azure["correct"]["condition"]
    assert GITLAB["correct"]["when"] == "manual"
    assert GITLAB["compare"]["allow_failure"] == {"exit_codes": [2, 3]}
    assert "resource_group" not in {*GITLAB, *GITLAB["compare"]}
    assert "concurrency" not in GITHUB, "a run that waits for its approval keeps the next ones from comparing"
    assert github["correct"]["concurrency"]["cancel-in-progress"] is False


def test_each_job_goes_on_with_the_history_of_the_runs_before() -> None:
    steps = [step for job in GITHUB["jobs"].values() for step in job["steps"] if "cache/" in str(step)]
    caches = [step["with"] for step in steps]
    saves = [step for step in steps if "cache/save@" in step["uses"]]
    assert len({step["with"]["key"] for step in saves}) == len(saves) == len(GITHUB["jobs"]), "a key is written once"
    assert all(step["if"] == "always()" for step in saves), "a failed tenant must not cost the history"
    assert all(cache["key"].startswith(cache.get("restore-keys", "drift-history-")) for cache in caches)
    root = GITHUB["env"]["MSSP_EVIDENCE_ROOT"].removeprefix("${{ github.workspace }}/")
    kept = {f"{root}/{FILE}", f"{root}/{FOLDER}", f"{Path(root).parent}/told.json"}
    assert all(set(cache["path"].split()) == kept for cache in caches)
    (before,) = (step for step in AZURE["stages"][0]["jobs"][0]["steps"] if "DownloadPipelineArtifact" in str(step))
    given = {f"{Path(root).parent}/{name.removesuffix('/**')}" for name in before["inputs"]["itemPattern"].split()}
    assert (given, before["inputs"]["allowFailedBuilds"]) == (kept, True)
    for job in ("compare", "correct"):
        assert GITLAB[job]["extends"] == ".drift"
        assert "cache" not in GITLAB[job]
    cache = GITLAB[".drift"]["cache"]
    assert (set(cache["paths"]), cache["when"], GITLAB[".drift"]["artifacts"]["when"]) == (kept, "always", "always")
    assert GITLAB[".drift"]["artifacts"]["exclude"] == [f"{root}/fingerprints/**/*"]
    assert "fingerprints" not in str([*caches, before, cache])


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with running_lab() as lab:
        yield Runner(lab, tmp_path_factory.mktemp("pipelines"))


def steps(name: str) -> dict[str, str]:
    """Names of the steps of a pipeline to their scripts; GitLab has one shell for a job."""
    if name == "gitlab":
        jobs = {COMPARE: "compare", CORRECT: "correct"}
        return {step: "\n".join(GITLAB[job]["script"]) for step, job in jobs.items()}
    if name == "github":
        found = [step for job in GITHUB["jobs"].values() for step in job["steps"]]
        return {step["name"]: step["run"] for step in found if "run" in step}
    first, second = (stage["jobs"][0] for stage in AZURE["stages"])
    found = [*first["steps"], *second["strategy"]["runOnce"]["deploy"]["steps"]]
    return {step["displayName"]: step["script"] for step in found if "script" in step}


COMPARE, CORRECT = "Compare", "Correct what policy allows, canary first"
TELL = "Tell what is new and what has recovered"


def shell(
    runner: Runner, script: str, folder: Path, name: str = "bash", **more: str
) -> subprocess.CompletedProcess[str]:
    environment = {
        **runner.environment,
        "COLLECTION": str(ROOT),
        "INVENTORY": str(runner.fleet),
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        **more,
    }
    return subprocess.run(
        [name, "-e", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_the_steps_do_what_they_say(runner: Runner, tmp_path: Path) -> None:
    """A new tenant is all drift: one compares it without failing, one corrects it, another finds it clean."""
    github, azure, gitlab = steps("github"), steps("azure"), steps("gitlab")
    found = shell(runner, github[COMPARE], tmp_path)
    assert found.returncode == 0, found.stdout + found.stderr
    assert (tmp_path / "output").read_text() == "code=2\n"
    first, again = (shell(runner, pipeline[TELL], tmp_path, CODE="2") for pipeline in (github, azure))
    assert re.search(r"::warning title=Drift::mssp-drift on .*drift is left \(exit 2\) New: 3", first.stdout)
    assert re.search(r"##vso\[task.logissue type=warning\]mssp-drift on .* Still: 3", again.stdout)
    reported = shell(runner, github["Report"], tmp_path)
    assert reported.returncode == 0, reported.stderr
    assert "contoso" in (runner.root / "report.html").read_text()
    assert "contoso" in (tmp_path / "summary.md").read_text()
    corrected = shell(runner, azure[CORRECT].replace("=100", "=500"), tmp_path)
    assert corrected.returncode == 0, corrected.stdout + corrected.stderr
    clean = shell(runner, gitlab[COMPARE], tmp_path)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    assert "Recovered: 3" in clean.stdout
    assert (runner.root.parent / "code").read_text() == "0\n"
    assert "<testsuite" in (runner.root / "report.xml").read_text()
    runner.lab.fault("status", method="GET", path="/subscriptions", status=403, count=None)
    wrong = (github[COMPARE], azure[CORRECT], gitlab[COMPARE], gitlab[CORRECT])
    failed = [shell(runner, script, tmp_path).returncode for script in wrong]
    runner.lab.clear_faults()
    assert failed == [1, 1, 1, 1]


def test_a_fleet_that_is_empty_or_not_there_fails(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "empty" / "tenants").mkdir(parents=True)
    (tmp_path / "empty" / "fleet.yml").write_text("plugin: mssp.onboarding.tenants\n")
    for name, fleet, code, why in (
        ("github", "empty", 4, "expected tenant files in tenants/"),
        ("azure", "nowhere", 1, "this run reaches no tenant"),
    ):
        as_there = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "0", "INVENTORY": str(tmp_path / fleet)}
        done = shell(runner, steps(name)[COMPARE], tmp_path, **as_there)
        assert (done.returncode, why in " ".join((done.stdout + done.stderr).split())) == (code, True), done.stdout


@pytest.mark.parametrize(
    ("name", "warning"), [("github", "::warning::"), ("azure", "result=SucceededWithIssues"), ("gitlab", "")]
)
def test_drift_that_policy_leaves_warns_and_does_not_fail(
    runner: Runner, tmp_path: Path, name: str, warning: str
) -> None:
    """To GitLab the exit code itself is the warning."""
    stub = tmp_path / "mssp-drift"
    scripts = {
        step: text.replace('$COLLECTION/roles/drift_schedule/files/mssp-drift"', f'{stub}"')
        for step, text in steps(name).items()
    }
    for code in (0, 2, 1, 4):
        stub.write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
        stub.chmod(0o755)
        done = shell(runner, scripts[CORRECT], tmp_path)
        ended = 0 if code == 2 and warning else code
        assert (done.returncode, warning in done.stdout) == (ended, code == 2 or not warning)
        if name != "gitlab":
            done = shell(runner, scripts[COMPARE], tmp_path, GITHUB_OUTPUT=str(tmp_path / f"output-{code}"))
            kept = tmp_path / f"output-{code}"
            said = done.stdout if name == "azure" else kept.read_text()
            assert (done.returncode, said.split()[-1][-1]) == (ended, str(code))


def test_gitlab_says_in_red_that_some_tenants_failed_and_offers_to_correct_the_others(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (script,) = GITLAB["every tenant"]["script"]
    for code, ended in (("2", 0), ("3", 3)):
        (tmp_path / "state/code").write_text(f"{code}\n")
        assert subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, check=False).returncode == ended
    assert [GITLAB[job]["needs"] for job in ("every tenant", "correct")] == [["compare"], ["compare"]]


def crontab(name: str = "mssp-drift.cron") -> tuple[dict[str, str], list[str]]:
    """(environment, fields of the one job) of a file for /etc/cron.d."""
    lines = [line for line in (PIPELINES / name).read_text().splitlines() if not line.startswith("#")]
    *assignments, job = lines
    return dict(line.split("=", 1) for line in assignments), job.split(None, 6)


def test_the_cron_line_of_incidents_is_the_same_in_a_folder_of_its_own() -> None:
    """So that its heartbeat is not taken for that of the search for drift."""
    (here, (*_times, _user, drift)), (there, (*times, user, incidents)) = crontab(), crontab("mssp-incidents.cron")
    assert (times, user) == (["*/5", "*", "*", "*", "*"], "mssp-drift")
    assert incidents.replace(" --tags incident_sync", "") == drift.replace(" -e drift_max_changes=100", "")
    assert here == {name: value.replace("mssp-incidents", "mssp-drift") for name, value in there.items()}


def test_the_cron_line_runs_and_tells(runner: Runner, tmp_path: Path) -> None:
    environment, (*times, user, command) = crontab()
    assert re.fullmatch(r"\d+ \* \* \* \*", " ".join(times))
    assert user == "mssp-drift"
    assert "%" not in command, "cron takes it for the end of the line"
    assert set(environment) == {"SHELL", "PATH", "HOME", "ANSIBLE_CALLBACKS_ENABLED", "MSSP_EVIDENCE_ROOT"}
    hook = tmp_path / "hook"
    hook.write_text("http://127.0.0.1:9/")
    files = ROOT / "roles/drift_schedule/files"
    line = command.replace("/etc/mssp/fleet", str(runner.fleet)).replace("/etc/mssp-drift.webhook", str(hook))
    said = shell(runner, f"HOME={tmp_path} PATH={files}:$PATH; set +e; {line}", tmp_path, "sh")
    heartbeat: dict[str, Any] = yaml.safe_load((tmp_path / "heartbeat.json").read_text())
    assert heartbeat["exit"] in ("0", "2"), (tmp_path / "run.log").read_text()
    assert said.returncode in (0, 1)
    assert "mssp-drift: exit" in (tmp_path / "run.log").read_text()
