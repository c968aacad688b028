"""Reading a log that may rotate, and writing files that nobody else may read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import system
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike.plan import File
from ansible_collections.mssp.onboarding.plugins.module_utils._host.commands import Said


def test_only_what_was_written_since(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old heartbeat\n")
    before = system.mark(str(log))
    assert system.tail(str(log), before)[0] == ""
    with open(log, "a", encoding="utf-8") as file:
        file.write("new\n")
    text, written = system.tail(str(log), before)
    assert text == "new\n"
    assert written == log.stat().st_mtime
    assert system.tail(str(log), system.WHOLE)[0] == "old heartbeat\nnew\n"


def test_a_log_that_was_rotated_or_cut(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("a long line that was there before\n")
    before = system.mark(str(log))
    log.write_text("cut\n")
    assert system.tail(str(log), before)[0] == "cut\n"
    log.rename(tmp_path / "log.1")
    log.write_text("a line of the new file, and more of it\n")
    assert system.tail(str(log), before)[0] == "a line of the new file, and more of it\n"


def test_no_log(tmp_path: Path) -> None:
    missing = str(tmp_path / "log")
    assert system.mark(missing) == system.WHOLE
    assert system.tail(missing, system.WHOLE) == ("", 0.0)


def test_a_long_log_is_read_from_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "TAIL_BYTES", 4)
    (tmp_path / "log").write_text("0123456789")
    assert system.tail(str(tmp_path / "log"), system.WHOLE)[0] == "6789"


def test_when_a_file_was_written_to(tmp_path: Path) -> None:
    path = tmp_path / "offsets"
    assert system.modified(str(path)) is None
    path.touch()
    assert system.modified(str(path)) is None
    path.write_text("{}")
    assert system.modified(str(path)) == path.stat().st_mtime


def test_files_are_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.cfg"
    wanted = File("key = value\r\nbytes \udcff\n", 0o600, os.getuid())
    system.write(str(path), wanted)
    assert system.read(str(path)) == wanted
    assert path.read_bytes() == b"key = value\r\nbytes \xff\n"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.cfg"]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("[Settings]\n")
    (tmp_path / "a.cfg").symlink_to(tmp_path / "target")
    assert system.read(str(tmp_path / "a.cfg")) == File("", -1, -1)
    assert system.read(str(tmp_path / "missing")) is None


CHRONY = "Reference ID    : 7F7F0101\nLeap status     : {}\n"


@pytest.mark.parametrize(
    ("chrony", "timedatectl", "kept"),
    [
        (Said(0, CHRONY.format("Normal"), ""), None, True),
        (Said(0, CHRONY.format("Not synchronised"), ""), Said(0, "yes\n", ""), False),
        (Said(1, "", "506 Cannot talk to daemon"), Said(0, "yes\n", ""), True),
        (None, Said(0, "no\n", ""), False),
        (None, Said(1, "", "System has not been booted with systemd"), None),
        (None, Said(127, "", ""), None),
    ],
)
def test_whether_the_clock_is_kept(
    monkeypatch: pytest.MonkeyPatch, chrony: Said | None, timedatectl: Said | None, kept: bool | None
) -> None:
    said = {"chronyc": chrony, "timedatectl": timedatectl}
    monkeypatch.setattr(system.shutil, "which", lambda name: name if said[name] else None)
    monkeypatch.setattr(system, "run", lambda *command: said[command[0]])
    assert system.synchronised() is kept


@pytest.mark.parametrize(
    ("kind", "said", "owner"),
    [
        ("systemd", Said(0, "\n", ""), 0),
        ("systemd", Said(0, "root\n", ""), 0),
        ("systemd", Said(0, "4711\n", ""), 4711),
        ("sysv", Said(127, "", "no systemctl"), 0),
        ("systemd", Said(124, "", "no end after 120 s"), None),
        ("systemd", Said(0, "nobody-of-that-name\n", ""), None),
    ],
)
def test_whose_files_the_connector_reads(
    monkeypatch: pytest.MonkeyPatch, kind: str, said: Said, owner: int | None
) -> None:
    monkeypatch.setattr(system, "run", lambda *_command: said)
    monkeypatch.setattr(system, "manager", lambda: system.MANAGERS[kind])
    if owner is None:
        with pytest.raises(RefusedError, match=r"no end after|does not exist"):
            system.owner()
    else:
        assert system.owner() == owner
