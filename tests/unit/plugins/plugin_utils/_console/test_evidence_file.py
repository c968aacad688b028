"""Evidence stays readable whatever happens to its writer, and never stops the work."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import evidence
from ansible_collections.mssp.onboarding.plugins.module_utils._core.evidence import (
    EvidenceFile,
    make_folder,
    run_dir,
    tenant_file,
    write_whole,
)
from tests.unit.ansible_tools import ROOT

MODULE = "from ansible_collections.mssp.onboarding.plugins.module_utils._core.evidence import EvidenceFile"


def lines(path: Path) -> list[Any]:
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n") or not text
    return [json.loads(line) for line in text.splitlines()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_records_are_lines_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "root" / "run" / "contoso.jsonl"
    with EvidenceFile(path) as file:
        file.write({"target": "ä", "n": 1})
        file.write({"target": "b\nc", "n": None})
    assert lines(path) == [{"target": "ä", "n": 1}, {"target": "b\nc", "n": None}]
    assert file.problems == []
    assert [mode(path), mode(path.parent), mode(path.parent.parent)] == [0o600, 0o700, 0o700]


def test_a_second_task_of_the_run_appends_and_closes_the_file_to_others(tmp_path: Path) -> None:
    path = tmp_path / "contoso.jsonl"
    path.write_text('{"n":1}\n')
    path.chmod(0o644)
    with EvidenceFile(path) as file:
        file.write({"n": 2})
    assert lines(path) == [{"n": 1}, {"n": 2}]
    assert mode(path) == 0o600


def test_half_a_line_of_a_killed_writer_stays_alone(tmp_path: Path) -> None:
    path = tmp_path / "contoso.jsonl"
    path.write_text('{"n":1}\n{"n":')
    with EvidenceFile(path) as file:
        file.write({"n": 2})
    assert path.read_text().splitlines() == ['{"n":1}', '{"n":', '{"n":2}']


def test_values_are_scrubbed_before_they_are_text(tmp_path: Path) -> None:
    path = tmp_path / "contoso.jsonl"
    with EvidenceFile(path, redact=lambda record: dict.fromkeys(record, "***")) as file:
        file.write({"a": "hunter2"})
    assert lines(path) == [{"a": "***"}]


def test_what_json_cannot_hold_is_named_and_not_shown(tmp_path: Path) -> None:
    class Secret:
        def __repr__(self) -> str:
            return "hunter2"

    path = tmp_path / "contoso.jsonl"
    with EvidenceFile(path) as file:
        file.write({"a": Secret(), "b": Path("x"), "c": {1, 2}, "d": "\ud800"})
    assert lines(path) == [{"a": "<Secret>", "b": "x", "c": "<set>", "d": "\ud800"}]


def test_a_killed_run_leaves_whole_lines_not_older_than_a_second(tmp_path: Path) -> None:
    path = tmp_path / "contoso.jsonl"
    script = f"""{MODULE}
import os, signal, sys
now = 0.0
file = EvidenceFile(sys.argv[1], clock=lambda: now)
for number in range(5000):
    now = number / 1000
    file.write({{"n": number, "text": "x" * 200}})
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "collections")}
    done = subprocess.run([sys.executable, "-c", script, path], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    numbers = [line["n"] for line in lines(path)]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 4000


def test_lines_wait_for_a_second_or_for_more_of_them(tmp_path: Path) -> None:
    now = 0.0
    path = tmp_path / "contoso.jsonl"
    file = EvidenceFile(path, clock=lambda: now)
    file.write({"n": 1})
    assert lines(path) == []
    now = 1.0
    file.write({"n": 2})
    assert len(lines(path)) == 2
    file.write({"n": "x" * evidence.BUFFER_BYTES})
    assert len(lines(path)) == 3
    file.close()


def test_a_full_disk_ends_the_evidence_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first part of a write fits, the rest does not."""
    path = tmp_path / "contoso.jsonl"
    file = EvidenceFile(path)
    file.write({"n": 0})
    file.flush()
    real, room = os.write, [10]

    def write(descriptor: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = real(descriptor, bytes(data)[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(os, "write", write)
    for number in range(1, 4):
        file.write({"n": number, "text": "x" * 100})
    file.close()
    monkeypatch.undo()
    file.write({"n": 4})
    assert lines(path) == [{"n": 0}]
    (problem,) = file.problems
    assert (problem["code"], problem["count"]) == ("evidence_ENOSPC", 4)
    assert "free space" in problem["next_step"]
    assert problem["target"] == str(path)


def test_a_limit_of_the_system_is_met_the_same_way(tmp_path: Path) -> None:
    path = tmp_path / "contoso.jsonl"
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
            with EvidenceFile(path) as file:
                for number in range(2000):
                    file.write({"n": number, "text": "x" * 200})
            code = 0 if [problem["code"] for problem in file.problems] == ["evidence_EFBIG"] else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    numbers = [line["n"] for line in lines(path)]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 100


def test_a_path_that_cannot_be_is_a_problem_with_a_next_step(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with EvidenceFile(tmp_path / "file" / "run" / "contoso.jsonl") as file:
        file.write({"n": 1})
        file.write({"n": 2})
    (problem,) = file.problems
    assert (problem["code"], problem["count"]) == ("evidence_ENOTDIR", 2)
    assert "MSSP_EVIDENCE_ROOT" in problem["next_step"]
    assert "Cannot write evidence to" in str(file.error)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("precious")
    (tmp_path / "contoso.jsonl").symlink_to("elsewhere")
    with EvidenceFile(tmp_path / "contoso.jsonl") as file:
        file.write({"n": 1})
    assert (tmp_path / "elsewhere").read_text() == "precious"
    assert file.problems[0]["code"] == "evidence_ELOOP"


def test_the_folder_of_the_run_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MSSP_EVIDENCE_DIR", raising=False)
    assert run_dir() is None
    assert tenant_file("contoso", "m") is None
    monkeypatch.setenv("MSSP_EVIDENCE_DIR", str(tmp_path))
    assert tenant_file("contoso", "m") == tmp_path / "contoso.m.jsonl"
    assert tenant_file("../x y", "m") == tmp_path / ".._x_y.m.jsonl"


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    make_folder(tmp_path / "a" / "b")
    assert [mode(path) for path in (tmp_path, tmp_path / "a", tmp_path / "a" / "b")] == [0o750, 0o700, 0o700]


@pytest.mark.parametrize("given", [0o777, 0o707, 0o770, 0o775])
def test_nothing_is_written_where_others_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: int) -> None:
    tmp_path.chmod(given)
    monkeypatch.setattr("grp.getgrgid", lambda _group: SimpleNamespace(gr_name="staff", gr_mem=[]))
    with EvidenceFile(tmp_path / "e") as evidence:
        evidence.write({"target": "x"})
    assert evidence.error
    assert "others may write" in evidence.problems[0]["message"]
    with pytest.raises(PermissionError):
        write_whole(tmp_path / "summary.json", "x")
    assert not list(tmp_path.iterdir())


def test_the_users_own_group_is_nobody_else(tmp_path: Path) -> None:
    tmp_path.chmod(0o775)
    user = SimpleNamespace(pw_name="ops")
    for name, members, theirs in (("ops", [], False), ("ops", ["eve"], True), ("staff", [], True)):
        group = SimpleNamespace(gr_name=name, gr_mem=members)
        with (
            patch("grp.getgrgid", return_value=group),
            patch("pwd.getpwuid", return_value=user),
        ):
            assert evidence.others_write(tmp_path.stat()) is theirs


def test_a_file_that_has_another_name_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("old")
    (tmp_path / "e").hardlink_to(tmp_path / "precious")
    with EvidenceFile(tmp_path / "e") as evidence:
        evidence.write({"target": "x"})
    assert evidence.error
    assert (tmp_path / "precious").read_text() == "old"


def test_a_whole_file_is_made_anew_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("old")
    (tmp_path / "e").symlink_to(tmp_path / "precious")
    write_whole(tmp_path / "e", "new")
    assert ((tmp_path / "e").read_text(), (tmp_path / "e").is_symlink()) == ("new", False)
    assert (tmp_path / "precious").read_text() == "old"
