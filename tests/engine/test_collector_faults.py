# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault of what verify stands on at a collector: its programs and its files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._host.commands import Said

from .collectors import COLLECTORS, Host
from .sources import never_well

# What a program of the host may answer, and what may become of a file.
PROGRAMS: dict[str, Callable[[Said], Said]] = {
    "refused": lambda _said: Said(1, "", "Operation not permitted"),
    "not there": lambda _said: Said(127, "", "no such program"),
    "hanging": lambda _said: Said(124, "", "no end after 120 s"),
    "malformed": lambda _said: Said(0, "\x00{]garbage\n", ""),
}


def _huge(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(3 * 1024**3)


def _unreadable(path: Path) -> None:
    """Also for root, who may read all that is a file, and list all that is a folder."""
    if path.is_dir():
        shutil.rmtree(path)
        path.touch()
    else:
        path.unlink()
        path.mkdir()


def _gone(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


# Without what the last look saw, this one is the first, which is no fault.
FIRST_LOOK = ("seen", "gone")
FILES: dict[str, Callable[[Path], object]] = {
    "gone": _gone,
    "refused": _unreadable,
    "malformed": lambda path: path.write_bytes(b"\x00{]garbage\n"),
    "odd": lambda path: path.write_text('{"time": [], "sources": 7, "udp": "x"}\n'),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 3]),
    "huge": _huge,
}


@pytest.mark.parametrize("name", COLLECTORS)
def test_a_collector_that_answers_is_well(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = COLLECTORS[name].prepare(Host(tmp_path, monkeypatch))()
    assert found["summary"]["outcome"] == "in_sync", found


@pytest.mark.parametrize("fault", PROGRAMS)
@pytest.mark.parametrize(
    ("name", "program"), [(name, program) for name, one in COLLECTORS.items() for program in one.programs]
)
def test_a_program_that_does_not_answer_is_told_and_never_called_well(
    name: str, program: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(tmp_path, monkeypatch)
    run = COLLECTORS[name].prepare(host)
    host.says[program] = PROGRAMS[fault](host.says[program])
    never_well(run())


@pytest.mark.parametrize(
    ("name", "file", "fault"),
    [
        *(
            (name, file, fault)
            for name, one in COLLECTORS.items()
            for file in one.files
            for fault in FILES
            if (file, fault) != FIRST_LOOK
        ),
        *(
            (name, folder, fault)
            for name, one in COLLECTORS.items()
            for folder in one.folders
            for fault in ("gone", "refused")
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_never_called_well(
    name: str, file: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(tmp_path, monkeypatch)
    run = COLLECTORS[name].prepare(host)
    FILES[fault](tmp_path / file)
    never_well(run())


def test_counters_that_are_written_no_more_are_no_counters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(tmp_path, monkeypatch)
    run = COLLECTORS["syslog, verify"].prepare(host)
    host.file("storage/_collector/stats.log", '2026-01-01T00:00:00+00:00 {"name": "store-firewall", "processed": 5}\n')
    found = run()
    never_well(found)
    assert [one["code"] for one in found["problems"]] == ["uncounted"]
