# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest record of each sender, in files as the collector writes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._collector import newest

ONE, OTHER = "C01001ABCDEF123", "C01001ABCDEF1234"


def marks(*serials: str) -> dict[str, bytes]:
    return {one: f'device_serial_id="{one}"'.encode() for one in serials}


def line(serial: str, at: int) -> str:
    return f'2026-11-30T10:{at:02d}:00.5+00:00 192.0.2.1 <30>device_name="SFW" device_serial_id="{serial}" log_id="1"\n'


def minute(at: int) -> float:
    return 1_796_032_800.5 + 60 * at


def test_the_newest_record_of_each_device_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "CHUNK", 64)
    (tmp_path / "old.log").write_text(line(OTHER, 1))
    os.utime(tmp_path / "old.log", (1, 1))
    (tmp_path / "new.log").write_text(line(ONE, 2) + line(ONE, 3) + "x" * 300 + "\n" + line("C0", 4))
    (tmp_path / "new.log-1.gz").write_bytes(b"not looked at")
    found = newest.newest(str(tmp_path), marks(ONE, OTHER, "missing"))
    assert found == {ONE: minute(3), OTHER: minute(1)}
    assert newest.newest(str(tmp_path / "none"), marks(ONE)) == {}


def test_no_more_is_read_than_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "CHUNK", 64)
    (tmp_path / "all.log").write_text(line(ONE, 1) + line("C0", 2) * 10)
    assert newest.newest(str(tmp_path), marks(ONE), most=256) == {}


def test_nothing_is_read_once_all_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, time_of in (("old.log", 1), ("new.log", 2)):
        (tmp_path / name).write_text(line(ONE, time_of))
        os.utime(tmp_path / name, (time_of, time_of))
    read: list[str] = []
    backwards = newest._backwards
    monkeypatch.setattr(newest, "_backwards", lambda name, most: read.append(Path(name).name) or backwards(name, most))
    assert newest.newest(str(tmp_path), marks(ONE)) == {ONE: minute(2)}
    assert read == ["new.log"]


def test_what_does_not_begin_as_the_collector_writes_is_no_record(tmp_path: Path) -> None:
    """A sender may write a line feed and a time of its own only where the collector writes neither so."""
    (tmp_path / "all.log").write_text(line(ONE, 1) + f'device_serial_id="{ONE}"\n')
    assert newest.newest(str(tmp_path), marks(ONE)) == {ONE: minute(1)}


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(line(ONE, 1))
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a.log").symlink_to(tmp_path / "elsewhere")
    assert newest.newest(str(tmp_path / "store"), marks(ONE)) == {}


def test_a_line_whose_time_is_none_is_passed_over(tmp_path: Path) -> None:
    """What a sender has smuggled to the start of a line, as far as a collector lets it."""
    odd = line(ONE, 9).replace("2026-11-30T10:09:00.5", "9999-99-99T99:99")
    (tmp_path / "today.log").write_text(line(ONE, 3) + odd)
    assert newest.newest(str(tmp_path), marks(ONE)) == {ONE: minute(3)}
