"""The guard's second work: last lines of files that have no line feed behind them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import guard

NOW = 1_000_000.0


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, str]]:
    found: list[tuple[bytes, str]] = []
    monkeypatch.setattr(guard, "send", lambda data, path: found.append((data, path)))
    return found


def file(path: Path, data: bytes, age: float = 60) -> str:
    path.write_bytes(data)
    os.utime(path, (NOW - age, NOW - age))
    return str(path)


def test_a_last_line_without_an_end_is_handed_on_once(tmp_path: Path, sent: list[tuple[bytes, str]]) -> None:
    whole, short = file(tmp_path / "a.log", b"one\ntwo\n"), file(tmp_path / "b.log", b"one\ntwo")
    files = {"/run/last": [f"{tmp_path}/*.log", f"{tmp_path}/b*"]}
    told = guard.hand_on(files, {}, NOW)
    assert sent == [(b"two", "/run/last")]
    assert told == {whole: 8, short: 7}
    assert guard.hand_on(files, told, NOW) == told
    assert len(sent) == 1
    file(tmp_path / "b.log", b"one\ntwo\nthree")
    guard.hand_on(files, told, NOW)
    assert sent[1:] == [(b"three", "/run/last")]


def test_a_file_that_may_grow_is_left_alone(tmp_path: Path, sent: list[tuple[bytes, str]]) -> None:
    file(tmp_path / "a.log", b"half of a li", age=5)
    assert guard.hand_on({"/run/last": [f"{tmp_path}/*"]}, {}, NOW) == {}
    assert sent == []


def test_what_could_not_be_handed_on_is_tried_again(tmp_path: Path) -> None:
    file(tmp_path / "a.log", b"last")
    assert guard.hand_on({f"{tmp_path}/no-socket": [f"{tmp_path}/*.log"]}, {}, NOW) == {}


def test_a_line_longer_than_a_datagram_is_cut_at_its_start(tmp_path: Path) -> None:
    path = file(tmp_path / "a.log", b"x" * (guard.LONGEST_LINE + 10))
    assert len(guard.last_line(path, guard.LONGEST_LINE + 10)) == guard.LONGEST_LINE
