"""Both callbacks under ansible-playbook, with a module that pretends to work and returns results of our shape."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pty
import re
import signal
import stat
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.unit.ansible_tools import ROOT
from tests.unit.plugins.plugin_utils._console.results import REFUSED, result

COLUMNS = 100
ERASE = "\r\x1b[K"
LIVE = re.compile(r"azure_diagnostics · \d+/\d+ tenants")
ACTION = """
from __future__ import annotations

import os
import time

from ansible.plugins.action import ActionBase
from ansible_collections.mssp.onboarding.plugins.module_utils._core.evidence import EvidenceFile, tenant_file
from ansible_collections.mssp.onboarding.plugins.module_utils._core.progress import Reporter


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        plan, tenant = task_vars["plan"], task_vars["inventory_hostname"]
        reporter = Reporter(tenant, "azure_diagnostics")
        for step in plan.get("steps", []):
            if "failure" in step:
                reporter.failure(step["failure"])
            reporter.update(**step.get("update", {}))
            time.sleep(step.get("sleep", 0))
        if plan.get("die"):
            os._exit(9)
        if path := tenant_file(tenant, "pretend"):
            with EvidenceFile(path) as file:
                file.write({"target": tenant})
        return {**plan["result"], "evidence": str(path or "")}
"""
TASK = "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: Pretend\n      mssp.onboarding.pretend:\n"
UNRELATED = "- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.debug:\n        msg: hello\n"
CONFIG = """
[defaults]
collections_path = .
callbacks_enabled = mssp.onboarding.progress, mssp.onboarding.evidence
callback_result_format = yaml
check_mode_markers = true
forks = 4
"""
OK = result("in_sync", targets=100, in_sync=100)
CHANGED = result("corrected", targets=100, in_sync=70, corrected=30, drifts={"missing": 30})
PARTIAL = result("failed", REFUSED, targets=100, in_sync=92, failed=8) | {"failed": True}


class Done(NamedTuple):
    code: int
    output: str
    seconds: float


class Bench:
    """A working folder with the collection, in which nothing but the module is pretended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.evidence = folder / "evidence"
        collection = folder / "ansible_collections" / "mssp" / "onboarding"
        for name in ("callback", "module_utils", "plugin_utils"):
            (collection / "plugins" / name).parent.mkdir(parents=True, exist_ok=True)
            (collection / "plugins" / name).symlink_to(ROOT / "plugins" / name)
        (collection / "meta").symlink_to(ROOT / "meta")
        for name, text in {"action": ACTION, "modules": ""}.items():
            (collection / "plugins" / name).mkdir()
            (collection / "plugins" / name / "pretend.py").write_text(text)
        (folder / "ansible.cfg").write_text(CONFIG)

    def tenants(self, **plans: dict[str, Any]) -> None:
        hosts = {name: {"ansible_connection": "local", "plan": plan} for name, plan in plans.items()}
        (self.folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": hosts}}))

    def command(self, playbook: str, *arguments: str) -> list[str]:
        (self.folder / "play.yml").write_text(playbook)
        tool = Path(sys.executable).parent / "ansible-playbook"
        return [str(tool), "-i", "hosts.yml", "play.yml", *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        left_out = ("ANSIBLE_", "MSSP_", "AZURE_", "COLUMNS", "TERM", "NO_COLOR", "PYTHON")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        return clean | {"ANSIBLE_HOME": str(self.folder / "home"), "PYTHONUNBUFFERED": ""} | more

    def run(self, playbook: str = TASK, *arguments: str, stderr: int = subprocess.STDOUT, **environment: str) -> Done:
        begun = time.monotonic()
        done = subprocess.run(
            self.command(playbook, *arguments),
            cwd=self.folder,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout, time.monotonic() - begun)

    def start(self, play: str = TASK) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(play), cwd=self.folder, env=self.environment(), stdout=subprocess.PIPE, text=True
        )

    def run_on_terminal(self, **environment: str) -> Done:
        begun = time.monotonic()
        parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
        process = subprocess.Popen(
            self.command(TASK),
            cwd=self.folder,
            env=self.environment(TERM="xterm", **environment),
            stdin=child,
            stdout=child,
            stderr=child,
        )
        os.close(child)
        chunks = []
        while chunk := _read(parent):
            chunks.append(chunk)
        os.close(parent)
        output = b"".join(chunks).decode().replace("\r\n", "\n")
        return Done(process.wait(120), output, time.monotonic() - begun)

    def summary(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.evidence / "latest" / "summary.json").read_text())
        return loaded


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError as error:
        if error.errno == errno.EIO:  # the last process has closed its end of the terminal
            return b""
        raise


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def working(seconds: float, **more: Any) -> list[dict[str, Any]]:
    """Steps of ten equal parts of a work on 100 targets."""
    return [{"update": {"total": 100, "done": n * 10, **more}, "sleep": seconds / 10} for n in range(1, 11)]


def after_recap(output: str) -> list[str]:
    return output.partition("PLAY RECAP")[2].splitlines()[1:]


def test_a_line_every_few_seconds_where_nobody_can_redraw(bench: Bench) -> None:
    steps = working(2, changed=3, throttled_seconds=4)
    bench.tenants(contoso={"steps": steps, "result": CHANGED}, adatum={"result": OK})
    done = bench.run(MSSP_PROGRESS_INTERVAL="0.5")
    lines = [line for line in done.output.splitlines() if LIVE.match(line)]
    assert 2 <= len(lines) <= 5
    assert lines[-1].startswith("azure_diagnostics · 1/2 tenants · ")
    assert lines[-1].endswith("s throttled")
    assert " · 3 corrected · 0 failed · " in lines[-1]
    assert "\x1b" not in done.output
    assert done.code == 0


def test_a_line_leaves_at_once_for_the_log_of_a_pipeline(bench: Bench) -> None:
    bench.tenants(contoso={"steps": [{"failure": "403 on vault kv-1"}, {"sleep": 3}], "result": OK})
    with bench.start() as process:
        assert process.stdout
        seen = next(time.monotonic() for line in process.stdout if line == "contoso: 403 on vault kv-1\n")
        process.stdout.read()
        assert time.monotonic() - seen > 2
    assert process.returncode == 0


def test_a_tenant_that_is_not_well_is_named_at_once_also_when_the_task_does_not_fail(bench: Bench) -> None:
    bench.tenants(contoso={"result": PARTIAL | {"failed": False, "msg": "8 of 100 failed."}})
    done = bench.run()
    assert done.code == 0
    assert "\ncontoso: failed: 8 of 100 failed.\n" in done.output.partition("PLAY RECAP")[0]
    assert "Exit 0, though 1 of 1 tenant is not well: 1 failed." in after_recap(done.output)


def test_the_end_of_a_mixed_run(bench: Bench) -> None:
    bench.tenants(contoso={"result": CHANGED}, fabrikam={"result": PARTIAL}, tailspin={"result": OK})
    done = bench.run(TASK, "--limit", "contoso,fabrikam,tailspin", COLUMNS="80")
    lines = after_recap(done.output)
    (folder,) = (path for path in bench.evidence.iterdir() if path.is_dir() and not path.is_symlink())
    first_words = ("tenant ", "contoso ", "fabrikam ", "tailspin ", "3 tenants ")
    table = [line for line in lines if line.startswith(first_words) and "ok=" not in line]
    assert table == [
        "tenant        outcome    targets  in_sync  corrected  drifted  failed  unknown",
        "fabrikam      failed         100       92          0        0       8        0",
        "contoso       corrected      100       70         30        0       0        0",
        "tailspin      in_sync        100      100          0        0       0        0",
        "3 tenants                    300      262         30        0       8        0",
    ]
    assert "  fabrikam: 403 AuthorizationFailed (8×)" in lines
    assert "    → grant Monitoring Contributor on the subscription to the app" in lines
    assert lines[-3:-1] == [
        "Exit 2: 1 of 3 tenants is not well: 1 failed.",
        f"Evidence: evidence/{folder.name}/summary.json",
    ]
    assert lines[-1].startswith("Only those again: ansible-playbook -i ")
    assert lines[-1].endswith(f"--limit @evidence/{folder.name}/retry")
    assert done.code == 2
    again = bench.run(TASK, "--limit", f"@evidence/{folder.name}/retry")
    assert "fabrikam" in again.output
    assert "contoso" not in again.output


def test_the_folder_of_a_run(bench: Bench) -> None:
    bench.tenants(contoso={"result": CHANGED}, fabrikam={"result": PARTIAL})
    bench.run(TASK, "--limit", "all")
    (folder,) = (path for path in bench.evidence.iterdir() if path.is_dir() and not path.is_symlink())
    assert re.fullmatch(r"\d{8}T\d{6}Z-play-[0-9a-f]{6}", folder.name)
    files = ["contoso.pretend.jsonl", "fabrikam.pretend.jsonl", "retry", "summary.json"]
    assert sorted(path.name for path in folder.iterdir()) == files
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert [stat.S_IMODE(path.stat().st_mode) for path in (bench.evidence, folder)] == [0o700, 0o700]
    assert (bench.evidence / "latest").resolve() == folder
    summary = bench.summary()
    assert summary["run"] == folder.name
    assert (summary["playbook"], summary["limit"], summary["check_mode"]) == ("play", "all", False)
    assert summary["complete"] is True
    assert summary["exit"] == {"code": 2, "meaning": "Exit 2: 1 of 2 tenants is not well: 1 failed."}
    assert summary["started"] <= summary["ended"]
    tenants = [(row["tenant"], row["capability"], row["outcome"]) for row in summary["tenants"]]
    assert tenants == [("fabrikam", "azure_diagnostics", "failed"), ("contoso", "azure_diagnostics", "corrected")]
    assert summary["tenants"][1]["counts"]["corrected"] == 30
    assert summary["tenants"][1]["evidence"] == str(folder / "contoso.pretend.jsonl")
    assert [cause["code"] for cause in summary["causes"]] == ["AuthorizationFailed"]


def test_latest_follows_and_leaves_what_is_not_a_link(bench: Bench) -> None:
    bench.tenants(contoso={"result": OK})
    bench.run()
    first = (bench.evidence / "latest").resolve()
    bench.run()
    assert (bench.evidence / "latest").resolve() != first
    (bench.evidence / "latest").unlink()
    (bench.evidence / "latest").write_text("precious")
    assert bench.run().code == 0
    assert (bench.evidence / "latest").read_text() == "precious"


def test_a_playbook_without_us_looks_as_if_we_were_not_there(bench: Bench) -> None:
    bench.tenants(contoso={})
    (bench.folder / "file").write_text("")
    ours = bench.run(UNRELATED, MSSP_EVIDENCE_ROOT=str(bench.folder / "file"), MSSP_PROGRESS_INTERVAL="0.1")
    (bench.folder / "plain.cfg").write_text(CONFIG.replace("callbacks_enabled", "# callbacks_enabled"))
    assert ours.output == bench.run(UNRELATED, ANSIBLE_CONFIG=str(bench.folder / "plain.cfg")).output
    bench.run(UNRELATED)
    assert not bench.evidence.exists()


def test_check_mode_is_marked(bench: Bench) -> None:
    bench.tenants(contoso={"result": result("drifted", targets=1, drifted=1)})
    done = bench.run(TASK, "--check")
    assert any(line.startswith("Check mode: nothing was written") for line in after_recap(done.output))
    assert bench.summary()["check_mode"] is True
    assert bench.summary()["tenants"][0]["check_mode"] is True


def test_a_task_in_check_mode_is_marked_too(bench: Bench) -> None:
    bench.tenants(contoso={"result": result("drifted", targets=1, drifted=1)})
    done = bench.run(TASK + "      check_mode: true\n")
    assert any(line.startswith("Check mode: nothing was written") for line in after_recap(done.output))
    assert bench.summary()["check_mode"] is False
    assert bench.summary()["tenants"][0]["check_mode"] is True


def on_screen(output: str) -> list[str]:
    """What is left on the terminal: a line is what came after it was last erased."""
    return [line.rpartition(ERASE)[2] for line in output.split("\n")]


def test_a_terminal_shows_one_line_and_keeps_none_of_it(bench: Bench) -> None:
    plans = {f"tenant-{n:02}": {"steps": working(0.3 + n % 4 / 5), "result": OK} for n in range(12)}
    bench.tenants(**plans)
    done = bench.run_on_terminal()
    drawn = [text.partition("\r")[0] for text in done.output.split(ERASE)[1:]]
    live = [text for text in drawn if LIVE.match(text)]
    assert len(live) > 3
    assert max(len(text) for text in live) < COLUMNS
    # It is the only thing on its line, and gone in the end.
    assert all("\n" not in text for text in live)
    assert not any(LIVE.search(line) for line in on_screen(done.output))
    plain = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in on_screen(done.output)]
    assert sorted(line for line in plain if line.startswith("ok: ")) == [f"ok: [{name}]" for name in plans]
    assert done.code == 0


def test_while_another_task_runs_there_is_no_line_of_ours(bench: Bench) -> None:
    bench.tenants(contoso={"steps": working(1), "result": OK})
    wait = "    - name: Wait\n      ansible.builtin.wait_for:\n        timeout: 2\n"
    done = bench.run(TASK + wait, MSSP_PROGRESS_INTERVAL="0.3")
    ours, _, others = done.output.partition("TASK [Wait]")
    assert LIVE.search(ours)
    assert not LIVE.search(others)


def test_a_failure_on_a_terminal_has_a_line_of_its_own(bench: Bench) -> None:
    steps = [*working(0.6), {"failure": "403 on vault kv-1"}, *working(0.6)]
    bench.tenants(contoso={"steps": steps, "result": OK})
    lines = on_screen(bench.run_on_terminal(NO_COLOR="1").output)
    assert "contoso: 403 on vault kv-1" in lines


def test_no_color_means_none(bench: Bench) -> None:
    bench.tenants(contoso={"steps": working(0.6), "result": PARTIAL})
    assert "\x1b[0;31m" in bench.run_on_terminal().output
    output = bench.run_on_terminal(NO_COLOR="1").output
    assert LIVE.search(output)
    assert "\x1b" not in output.replace(ERASE, "")


@pytest.mark.parametrize("refusing", [{"AWX_ISOLATED_DATA_DIR": "x"}, {"RUNNER_OMIT_EVENTS": "1"}])
def test_under_a_runner_lines_are_lines(bench: Bench, refusing: dict[str, str]) -> None:
    bench.tenants(contoso={"steps": working(1), "result": OK})
    done = bench.run_on_terminal(MSSP_PROGRESS_INTERVAL="0.3", **refusing)
    assert ERASE not in done.output
    assert any(LIVE.match(line) for line in done.output.split("\n"))


def test_evidence_that_cannot_be_written_is_a_warning(bench: Bench) -> None:
    (bench.folder / "file").write_text("")
    bench.tenants(contoso={"result": OK})
    done = bench.run(TASK, "-v", MSSP_EVIDENCE_ROOT=str(bench.folder / "file" / "root"))
    text = " ".join(done.output.split())
    assert done.code == 0
    assert text.count("Cannot write evidence to") == 1
    assert "is not a folder; let the user" in text
    assert "This run leaves no evidence." in text
    assert "Evidence:" not in text
    assert "evidence: ''" in text  # the worker was not sent there either


def test_a_pipeline_may_name_the_folder(bench: Bench) -> None:
    bench.tenants(contoso={"result": OK})
    bench.run(MSSP_EVIDENCE_DIR=str(bench.folder / "mine"))
    assert sorted(path.name for path in (bench.folder / "mine").iterdir()) == ["contoso.pretend.jsonl", "summary.json"]
    assert not bench.evidence.exists()
    assert not (bench.folder / "latest").is_symlink()


def test_a_root_in_the_configuration(bench: Bench) -> None:
    with (bench.folder / "ansible.cfg").open("a") as config:
        config.write("[callback_mssp_evidence]\nevidence_root = kept/here\n")
    bench.tenants(contoso={"result": OK})
    bench.run()
    assert (bench.folder / "kept" / "here" / "latest" / "summary.json").is_file()


def test_a_run_that_is_interrupted_says_what_it_knows(bench: Bench) -> None:
    plans = {f"tenant-{n}": {"steps": [{"sleep": 30}], "result": OK} for n in range(1, 9)}
    bench.tenants(**{"tenant-0": {"result": OK}}, **plans)
    # Alone in its batch, the first is done and told before the others are begun.
    with bench.start(TASK.replace("  tasks", "  serial: [1, 8]\n  tasks")) as process:
        assert process.stdout is not None
        output = ""
        while "ok: [tenant-0]" not in output:
            output += process.stdout.readline()
        time.sleep(5)  # four others have begun, and take thirty
        process.send_signal(signal.SIGINT)
        output += process.stdout.read()
    assert "ok: [tenant-0]" in output
    assert "The run was stopped before its end: 1 of 9 tenants done and as wanted; 4 unknown, 4 not reached." in output
    assert re.search(r"4 more tenants not reached: nothing was done there \(tenant-\d, ", output)
    summary = bench.summary()
    assert (summary["complete"], summary["exit"]["code"]) == (False, None)
    assert summary["totals"]["outcomes"] == {"in_sync": 1, "unknown": 4}
    assert len((bench.evidence / "latest" / "retry").read_text().split()) == 8


def test_a_worker_that_dies_leaves_its_tenant_unknown(bench: Bench) -> None:
    bench.tenants(contoso={"die": True, "result": OK}, fabrikam={"result": OK})
    done = bench.run()
    assert done.code != 0
    outcomes = {row["tenant"]: row["outcome"] for row in bench.summary()["tenants"]}
    assert outcomes["contoso"] in ("unknown", "failed")
    assert (bench.evidence / "latest" / "retry").read_text().startswith("contoso\n")


def test_batches_that_were_not_reached_are_named(bench: Bench) -> None:
    bench.tenants(a={"result": PARTIAL}, b={"result": OK}, c={"result": OK})
    done = bench.run(TASK.replace("  tasks", "  serial: 1\n  max_fail_percentage: 0\n  tasks"))
    assert "Exit 2: 3 of 3 tenants are not well: 1 failed, 2 not reached." in done.output
    assert bench.summary()["not_reached"] == ["b", "c"]
    assert (bench.evidence / "latest" / "retry").read_text() == "a\nb\nc\n"


def test_batches_count_on(bench: Bench) -> None:
    plan = {"steps": working(1), "result": OK}
    bench.tenants(a=plan, b=plan, c=plan)
    done = bench.run(TASK.replace("  tasks", "  serial: 1\n  tasks"), MSSP_PROGRESS_INTERVAL="0.4")
    seen = re.findall(r"(\d)/(\d) tenants", done.output)
    assert seen == sorted(seen)
    assert set(seen) == {("0", "3"), ("1", "3"), ("2", "3")}


def test_failures_of_other_tasks_are_told_unless_rescued(bench: Bench) -> None:
    bench.tenants(contoso={"result": OK}, fabrikam={"result": OK}, tailspin={"result": OK})
    before = """
    - name: Rescued
      block:
        - ansible.builtin.fail:
            msg: hunter2
      rescue:
        - ansible.builtin.debug:
            msg: saved
    - name: Ask for what is not there
      ansible.builtin.assert:
        that: inventory_hostname != "tailspin"
        fail_msg: hunter2
"""
    head, _, tail = TASK.partition("  tasks:\n")
    done = bench.run(f"{head}  tasks:{before}{tail}")
    summary = bench.summary()
    found = [(row["tenant"], row["outcome"]) for row in summary["tenants"]]
    assert found == [("tailspin", "failed"), ("contoso", "in_sync"), ("fabrikam", "in_sync")]
    assert "hunter2" not in json.dumps(summary)
    assert done.code == 2


def test_a_tenant_whose_task_is_skipped_is_neither_well_nor_ill(bench: Bench) -> None:
    bench.tenants(contoso={"result": OK}, fabrikam={"result": OK})
    bench.run(TASK + "      when: inventory_hostname == 'contoso'\n")
    summary = bench.summary()
    assert [row["tenant"] for row in summary["tenants"]] == ["contoso"]
    assert (summary["skipped"], summary["not_reached"]) == (1, [])


def test_hosts_that_no_task_of_ours_came_to_are_told_and_kept(bench: Bench) -> None:
    bench.tenants(contoso={"result": OK}, fabrikam={"result": OK})
    hosts = json.loads((bench.folder / "hosts.yml").read_text())
    hosts["all"]["vars"] = {"ansible_host": "127.0.0.1", "ansible_port": 1}
    for host in hosts["all"]["hosts"].values():
        host["ansible_connection"] = "ssh"
    (bench.folder / "hosts.yml").write_text(json.dumps(hosts))
    first = "  vars:\n    play_role: azure_diagnostics\n  tasks:\n    - ansible.builtin.ping:\n"
    done = bench.run(TASK.replace("  tasks:\n", first))
    assert "Exit 4: 2 of 2 tenants are not well: 2 unreachable." in done.output
    assert bench.summary()["totals"]["outcomes"] == {"unreachable": 2}


def test_an_unreachable_tenant_gives_exit_code_4(bench: Bench) -> None:
    bench.tenants(contoso={"result": OK | {"unreachable": True, "msg": "no route"}}, fabrikam={"result": OK})
    done = bench.run()
    assert done.code == 4
    assert "Exit 4: 1 of 2 tenants is not well: 1 unreachable." in done.output


JSON = """
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, "stdout", "json"

    def v2_playbook_on_stats(self, stats):
        self._display.display('{"ok": %d}' % sum(stats.ok.values()))
"""


def test_what_machines_read_is_alone_on_stdout(bench: Bench) -> None:
    bench.tenants(contoso=OK, fabrikam=PARTIAL)
    (bench.folder / "callbacks").mkdir()
    (bench.folder / "callbacks" / "json.py").write_text(JSON)
    given = {"ANSIBLE_STDOUT_CALLBACK": "json", "ANSIBLE_CALLBACK_PLUGINS": str(bench.folder / "callbacks")}
    done = bench.run(stderr=subprocess.DEVNULL, **given)
    assert "ok" in json.loads(done.output)


def test_brief_names_only_plays_that_have_something_to_show(bench: Bench) -> None:
    bench.tenants(contoso={"result": OK}, fabrikam={"result": CHANGED | {"changed": True}})
    (bench.folder / "more.yml").write_text("- ansible.builtin.debug: {msg: included}\n")
    playbook = (
        "- {name: Nobody's, hosts: 'all:!all'}\n"
        "- name: Well\n  hosts: contoso\n  gather_facts: false\n  tasks:\n"
        "    - mssp.onboarding.pretend:\n    - ansible.builtin.include_tasks: more.yml\n"
        "- name: Changed\n  hosts: all\n  gather_facts: false\n  tasks: [mssp.onboarding.pretend: ]\n"
    )
    brief = {"ANSIBLE_STDOUT_CALLBACK": "mssp.onboarding.brief"}
    named = bench.run(playbook, **brief).output
    assert "Nobody's" not in named
    assert "no hosts matched" not in named
    assert all(one in named for one in ("PLAY [Well]", "PLAY [Changed]", "more.yml for contoso", "msg: included"))
    shown = bench.run(playbook, **brief, ANSIBLE_DISPLAY_OK_HOSTS="false", ANSIBLE_DISPLAY_SKIPPED_HOSTS="false").output
    assert shown.count("PLAY [") == 1
    assert shown.index("PLAY [Changed]") < shown.index("TASK [") < shown.index("changed: [fabrikam]")
    assert "ok: [contoso]" not in shown
    assert "more.yml" not in shown
    assert "2 tenants" in shown
