# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How scripts/test runs its steps side by side: none is lost, whatever ends it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "test"
STEPS = """
set -euo pipefail
step_killed() { echo of the killed; kill -9 $BASHPID; }
step_bad() { echo of the bad; false; echo never; }
step_good() { sleep 0.1; echo of the good; }
step_absent() { return 77; }
start_step killed; start_step good
sleep 0.05; true # bash hears of the killed one here, and passes over it
finish_step; start_step bad; sleep 0.05; true
finish_step; start_step absent; sleep 0.05; true
while ((${#running[@]})); do finish_step; done
echo "Failed: ${failed[*]}"
"""


def test_a_step_that_fails_or_is_killed_is_told_with_its_output(tmp_path: Path) -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    runner = re.search(r"^failed=\(\).*?^trap [^\n]*\n", text, re.DOTALL | re.MULTILINE)
    assert runner
    (tmp_path / ".cache" / "log").mkdir(parents=True)
    command = ["bash", "-c", runner[0] + STEPS]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    words = [line.split()[0:2] for line in done.stdout.splitlines() if line.endswith(" s")]
    assert done.returncode == 0, done.stderr
    assert sorted(words) == [["FAILED", "bad"], ["FAILED", "killed"], ["absent", "absent"], ["ok", "good"]]
    assert "of the killed" in done.stdout
    assert "of the bad" in done.stdout
    assert "of the good" not in done.stdout
    assert "never" not in done.stdout
    assert done.stdout.splitlines()[-1] in ("Failed: bad killed", "Failed: killed bad")


BESIDE = """
set -euo pipefail
steps=(hosts one two pytest)
step_hosts() { until [[ -e pytest ]]; do sleep 0.01; done; echo "===== 3 passed, 1 skipped in 0.12s (0:00:01) ====="; }
step_one() { touch one; until [[ -e two ]]; do sleep 0.01; done; }
step_two() { touch two; until [[ -e one ]]; do sleep 0.01; done; }
step_pytest() { touch pytest; echo "5 passed in 1.23s" | tee .cache/log/pytest.txt; }
"""


def test_hosts_run_beside_all_others_and_pytest_has_the_last_word(tmp_path: Path) -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    parts = [
        re.search(pattern, text, re.DOTALL | re.MULTILINE)
        for pattern in (r"^has\(\) [^\n]*\n", r"^failed=\(\).*?^trap [^\n]*\n", r"^for step in [^\n]*\n  if .*")
    ]
    has, runner, loop = (part[0] for part in parts if part)
    (tmp_path / ".cache" / "log").mkdir(parents=True)
    command = ["timeout", "20", "bash", "-c", has + runner + BESIDE + loop]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    first, second, word, hosts, last = done.stdout.splitlines()
    assert {line.split()[1] for line in (first, second)} == {"one", "two"}
    assert re.fullmatch(r"ok +hosts +\d+ s  3 passed, 1 skipped", hosts)
    assert word == last == "5 passed in 1.23s"


@pytest.mark.parametrize(
    ("name", "bad"),
    [("publish", "WARNING: no such file"), ("publish", "ERROR: no"), ("sanity", "WARNING: Skipping pylint")],
)
def test_a_warning_in_its_own_log_fails_the_step(tmp_path: Path, name: str, bad: str) -> None:
    body = re.search(rf"^step_{name}\(\) \{{.*?^\}}", SCRIPT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert body
    check = next(line for line in body[0].splitlines() if "! grep" in line)
    log = tmp_path / ".cache" / "log" / f"{name}.txt"
    log.parent.mkdir(parents=True)
    for line, code in (("all is well", 0), (bad, 1)):
        with open(log, "w", encoding="utf-8") as file:
            command = ["bash", "-c", f"root=$PWD; echo '{line}'; {check}"]
            done = subprocess.run(command, cwd=tmp_path, check=False, stdout=file, stderr=file)
        assert done.returncode == code


FLAKY = """
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range({number}))
def test_it(number: int) -> None:
    seen = Path(f"{{number}}.seen")
    known = seen.exists()
    seen.touch()
    assert known and {good}

def test_other() -> None: ...
"""


@pytest.mark.parametrize(
    ("number", "good", "code"),
    [(3, True, 0), (4, True, 1), (1, False, 1)],
    ids=["passes alone", "too many", "fails again"],
)
def test_what_fails_beside_others_is_tried_once_more_and_told(
    tmp_path: Path, number: int, good: bool, code: int
) -> None:
    body = re.search(r"^run_pytest\(\) \{.*?^\}", SCRIPT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert body
    (tmp_path / "test_flaky.py").write_text(FLAKY.format(number=number, good=good), encoding="utf-8")
    command = ["bash", "-c", f"{body[0]}\nset -euo pipefail\nrun_pytest all {sys.executable} -q test_flaky.py"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("Failed beside others, passed alone: ")]
    assert len(told) == (0 if code else number)
