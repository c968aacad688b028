"""Whole sessions of the program that takes files, by pipes and without sshd."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ansible_tools import ROOT

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.mssp.onboarding.plugins.module_utils._scp.host import drop, main
sys.exit(main.serve(drop.Config.load(sys.argv[2]), sys.argv[3], "192.0.2.1", 1.0))
"""


class Drop:
    """A drop directory. Limits as in the account's file."""

    def __init__(self, folder: Path, **limits: Any) -> None:
        self.folder = folder
        for name in ("incoming", "ready", "state/seen"):
            (folder / name).mkdir(parents=True)
        config = {"tenant": "contoso", "source": "esa", "base": str(folder), "directories": ["/upload"], "names": ["*"]}
        config |= {"max_file_bytes": 0, "min_free_bytes": 0, "quota_bytes": 0, "max_files": 0, **limits}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")

    def command(self, asked: str) -> list[str]:
        return [sys.executable, "-c", PROGRAM, str(ROOT / "collections"), str(self.folder / "config.json"), asked]

    def session(self, given: bytes, asked: str = "scp -t /upload") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(self.command(asked), input=given, capture_output=True, timeout=30, check=False)

    def ready(self) -> dict[str, bytes]:
        files = sorted((self.folder / "ready").iterdir())
        return {path.name.split("-", 2)[2]: path.read_bytes() for path in files}

    def events(self) -> list[str]:
        lines = (self.folder / "state/ledger.jsonl").read_text(encoding="utf-8").splitlines()
        return [" ".join(filter(None, (event["event"], event.get("code")))) for event in map(json.loads, lines)]

    def is_clean(self) -> bool:
        return list((self.folder / "incoming").iterdir()) == []


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop(tmp_path / "drop")


def record(name: str, content: bytes, status: bytes = b"\0") -> bytes:
    return b"C0644 %d %s\n" % (len(content), name.encode()) + content + status


def test_whole_files_are_delivered_and_acknowledged(drop: Drop) -> None:
    done = drop.session(b"T1 0 1 0\n" + record("a.log", b"one") + record("empty.log", b""))
    assert (done.returncode, done.stdout) == (0, b"\0" * 6)
    assert drop.ready() == {"a.log": b"one", "empty.log": b""}
    assert drop.events() == ["accepted", "accepted"]


def test_the_path_at_the_end_of_the_command_may_name_the_file(drop: Drop) -> None:
    drop.session(record("a.log", b"one"), "scp -t -- /upload/b.log")
    assert drop.ready() == {"b.log": b"one"}


def test_a_second_delivery_is_known_by_name_and_content(drop: Drop) -> None:
    for content in (b"one", b"one", b"two"):
        assert drop.session(record("a.log", content)).returncode == 0
    drop.session(record("b.log", b"one"))
    assert drop.events() == ["accepted", "duplicate", "accepted", "accepted"]
    assert len(list((drop.folder / "ready").iterdir())) == 3


def test_a_second_delivery_is_known_after_the_first_was_taken_away(drop: Drop) -> None:
    drop.session(record("a.log", b"one"))
    for path in (drop.folder / "ready").iterdir():
        path.unlink()
    assert drop.session(record("a.log", b"one")).returncode == 0
    assert drop.ready() == {}


@pytest.mark.parametrize("end", range(1, 24))
def test_a_transfer_that_ends_anywhere_leaves_nothing(drop: Drop, end: int) -> None:
    drop.session(record("a.log", b"0123456789")[:-end])
    assert drop.ready() == {}
    assert drop.is_clean()


def test_silence_ends_a_session(drop: Drop) -> None:
    with subprocess.Popen(drop.command("scp -t ."), stdin=-1, stdout=-1, stderr=-1) as process:
        assert process.stdin
        process.stdin.write(b"C0644 10 a.log\n123")
        process.stdin.flush()
        assert process.wait(timeout=20) == 1
    assert drop.is_clean()
    assert drop.events() == ["cut"]


def test_a_signal_leaves_nothing(drop: Drop) -> None:
    with subprocess.Popen(drop.command("scp -t ."), stdin=-1, stdout=-1) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"C0644 10 a.log\n123")
        process.stdin.flush()
        assert process.stdout.read(2) == b"\0\0"
        process.kill()  # what no program can catch is cleaned up by the next session
    assert not drop.is_clean()
    drop.session(b"")
    assert drop.is_clean()


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"max_file_bytes": 2}, "size"),
        ({"min_free_bytes": 1 << 60}, "disk_full"),
        ({"quota_bytes": 2}, "quota"),
    ],
)
def test_what_does_not_fit_is_refused_before_its_bytes(tmp_path: Path, limits: dict[str, int], code: str) -> None:
    drop = Drop(tmp_path / "drop", **limits)
    done = drop.session(b"C0644 3 a.log\n")
    assert (done.returncode, done.stdout[:2]) == (1, b"\0\1")
    assert drop.events() == [f"refused {code}"]


def test_the_number_of_files_is_limited(tmp_path: Path) -> None:
    drop = Drop(tmp_path / "drop", max_files=1)
    assert drop.session(record("a.log", b"1")).returncode == 0
    assert drop.session(record("b.log", b"2")).returncode == 1


@pytest.mark.parametrize("asked", ["", "id", "scp -f /etc/passwd", "scp -t a b", "sh -c 'scp -t .'", "scp -t '"])
def test_nothing_else_is_done(drop: Drop, asked: str) -> None:
    done = drop.session(record("a.log", b"one"), asked)
    assert (done.returncode, done.stdout) == (1, b"")
    assert drop.ready() == {}


def text(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def sftp(*requests: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(request)) + request for request in (b"\1\0\0\0\3", *requests))


def replies(stream: bytes) -> list[tuple[int, int]]:
    """(kind, status code) of each reply after the first."""
    found = []
    while stream:
        (length,) = struct.unpack(">I", stream[:4])
        packet, stream = stream[4 : 4 + length], stream[4 + length :]
        found.append((packet[0], struct.unpack(">I", packet[5:9])[0] if packet[0] == 101 else 0))
    return found[1:]


OPEN = struct.pack(">BI", 3, 1) + text(b"/a.log") + struct.pack(">II", 0x1A, 0)
CLOSE = struct.pack(">BI", 4, 3) + text(b"1")


def write(offset: int, data: bytes) -> bytes:
    return struct.pack(">BI", 6, 2) + text(b"1") + struct.pack(">Q", offset) + text(data)


def test_sftp_delivers_what_is_closed_whatever_the_order_of_its_parts(drop: Drop) -> None:
    done = drop.session(sftp(OPEN, write(3, b"def"), write(0, b"xxx"), write(0, b"abc"), CLOSE), "internal-sftp")
    assert replies(done.stdout) == [(102, 0), (101, 0), (101, 0), (101, 0), (101, 0)]
    assert drop.ready() == {"a.log": b"abcdef"}
    drop.session(sftp(OPEN, write(0, b"abcdef"), CLOSE), "/usr/lib/openssh/sftp-server")
    assert drop.events() == ["accepted", "duplicate"]


def test_sftp_delivers_nothing_that_is_not_closed(drop: Drop) -> None:
    drop.session(sftp(OPEN, write(0, b"abc")), "internal-sftp")
    assert (drop.ready(), drop.is_clean(), drop.events()) == ({}, True, ["cut"])


def test_sftp_that_grows_too_large_is_refused_and_stays_refused(tmp_path: Path) -> None:
    drop = Drop(tmp_path / "drop", max_file_bytes=4)
    done = drop.session(sftp(OPEN, write(0, b"abc"), write(3, b"def"), write(0, b"x"), CLOSE), "internal-sftp")
    assert replies(done.stdout) == [(102, 0), (101, 0), (101, 4), (101, 4), (101, 4)]
    assert (drop.ready(), drop.is_clean(), drop.events()) == ({}, True, ["refused size"])


def test_sftp_far_behind_the_end_makes_no_hole(tmp_path: Path) -> None:
    drop = Drop(tmp_path / "drop", max_file_bytes=1000)
    done = drop.session(sftp(OPEN, write(1 << 62, b"abc"), CLOSE), "internal-sftp")
    assert replies(done.stdout)[1:] == [(101, 4), (101, 4)]


def test_random_bytes_end_a_session_and_nothing_more(drop: Drop) -> None:
    for asked in ("scp -t .", "internal-sftp"):
        for _ in range(5):
            done = drop.session(os.urandom(2000), asked)
            assert b"Traceback" not in done.stderr
    assert (drop.ready(), drop.is_clean()) == ({}, True)
