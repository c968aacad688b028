"""Whole sessions of the program that takes files, by pipes and without sshd."""

from __future__ import annotations

import contextlib
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._scp.host import drop as host_drop
from ansible_collections.mssp.onboarding.plugins.module_utils._scp.host.rules import Refused
from tests.unit.ansible_tools import ROOT

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.mssp.onboarding.plugins.module_utils._scp.host import drop, main, sftp
sftp.HOLD_SECONDS = float(sys.argv[4])
sys.exit(main.serve(drop.Config.load(sys.argv[2]), sys.argv[3], "192.0.2.1", 2.0))
"""


class Session:
    """One that is asked and answers."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    def say(self, data: bytes, answer: int) -> bytes:
        """Sends bytes, and waits for so many of the answer."""
        self._in.write(data)
        self._in.flush()
        return self._out.read(answer)

    def ask(self, *requests: bytes) -> list[int]:
        """Status codes of the answers to SFTP requests; of another kind of answer the kind, as a negative number."""
        found = []
        for request in requests:
            (length,) = struct.unpack(">I", self.say(struct.pack(">I", len(request)) + request, 4))
            packet = self._out.read(length)
            found.append(struct.unpack(">I", packet[5:9])[0] if packet[0] == 101 else -packet[0])
        return found

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Drop:
    """A drop directory. Limits as in the account's file."""

    def __init__(self, folder: Path, **limits: Any) -> None:
        self.folder = folder
        for name in ("incoming", "ready", "state"):
            (folder / name).mkdir(parents=True)
        config = {"tenant": "contoso", "source": "esa", "base": str(folder), "directories": ["/upload"], "names": ["*"]}
        config |= {"max_file_bytes": 0, "min_free_bytes": 0, "quota_bytes": 0, "max_files": 0, "max_sessions": 0}
        config |= limits
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")

    def command(self, asked: str, hold: float = 60.0) -> list[str]:
        config = str(self.folder / "config.json")
        return [sys.executable, "-c", PROGRAM, str(ROOT / "collections"), config, asked, str(hold)]

    @contextlib.contextmanager
    def open(self, asked: str, hold: float = 60.0) -> Iterator[Session]:
        """A session that goes on until the block ends."""
        process = subprocess.Popen(self.command(asked, hold), stdin=-1, stdout=-1, stderr=-1)
        try:
            yield Session(process)
            process.communicate(timeout=30)
        finally:
            process.kill()
            process.wait()

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


INIT = b"\1\0\0\0\3"
OPENED, DONE, NO_SUCH_FILE, DENIED, FAILURE = -102, 0, 2, 3, 4


def opened(name: str, flags: int = 0x1A) -> bytes:
    return struct.pack(">BI", 3, 1) + text(name.encode()) + struct.pack(">II", flags, 0)


def closed(handle: int = 1) -> bytes:
    return struct.pack(">BI", 4, 3) + text(b"%d" % handle)


def named(kind: int, *names: str) -> bytes:
    return struct.pack(">BI", kind, 4) + b"".join(text(name.encode()) for name in names)


def renamed(old: str, new: str) -> bytes:
    return named(18, old, new)


@pytest.mark.parametrize("offset", [(1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_sftp_at_an_offset_that_no_file_has(drop: Drop, offset: int) -> None:
    done = drop.session(sftp(OPEN, write(offset, b"abc"), CLOSE), "internal-sftp")
    assert (replies(done.stdout)[1:], done.stderr) == ([(101, 4), (101, 4)], b"")
    assert (drop.ready(), drop.is_clean(), drop.events()) == ({}, True, ["refused size"])


@pytest.mark.parametrize("parts", [[(3, b"def")], [(0, b"abc"), (6, b"ghi")], [(0, b"a"), (2, b"")]])
def test_sftp_that_goes_on_in_the_middle_is_refused(drop: Drop, parts: list[tuple[int, bytes]]) -> None:
    """As a client that resumes what another session has begun; zeros in the place of what it left out are no file."""
    done = drop.session(sftp(OPEN, *(write(*part) for part in parts), CLOSE), "internal-sftp")
    assert replies(done.stdout)[-1] == (101, 4)
    assert (drop.ready(), drop.is_clean(), drop.events()) == ({}, True, ["refused resume"])


@pytest.mark.parametrize(
    "temporary",
    ["x.log.filepart", "x.log.1a2b3c4d.partial", "x.log.writing", ".in.x.log", "x.log.tmp", "x.log.part", "X.LOG.TMP"],
)
def test_what_a_client_renames_is_judged_by_its_last_name(tmp_path: Path, temporary: str) -> None:
    drop = Drop(tmp_path / "drop", names=["*.log"])
    with drop.open("internal-sftp") as session:
        assert session.ask(INIT, opened(temporary), write(0, b"abc"), closed()) == [-2, OPENED, DONE, DONE]
        assert drop.ready() == {}
        assert session.ask(renamed(temporary, "/upload/x.c"), renamed(f"~/{temporary}", "x.log")) == [DENIED, DONE]
        assert drop.ready() == {"x.log": b"abc"}
    assert (drop.is_clean(), drop.events()) == (True, ["refused pattern", "accepted"])


def test_a_temporary_name_that_is_never_changed(tmp_path: Path) -> None:
    for names, ready in ((["*.log"], {}), (["*"], {"x.log.tmp": b"abc"})):
        drop = Drop(tmp_path / names[0][-1], names=names)
        drop.session(sftp(opened("x.log.tmp"), write(0, b"abc"), CLOSE), "internal-sftp")
        assert (drop.ready(), drop.is_clean()) == (ready, True)
    assert Drop(tmp_path / "in").session(sftp(opened(".in.x"), CLOSE), "internal-sftp").returncode == 0
    assert (list((tmp_path / "in/ready").iterdir()), list((tmp_path / "in/incoming").iterdir())) == ([], [])


def test_any_name_can_be_changed_while_the_file_waits(drop: Drop) -> None:
    with drop.open("internal-sftp") as session:
        assert session.ask(INIT, opened("a"), write(0, b"abc"), closed(), renamed("a", "b.log"))[2:] == [DONE] * 3
        assert drop.ready() == {"b.log": b"abc"}
        assert session.ask(opened("c.tmp"), closed(2), renamed("c.tmp", "c.part"), renamed("c.part", "c.log"))[1:] == [
            DONE,
            DONE,
            DONE,
        ]
        assert session.ask(renamed("never", "x")) == [NO_SUCH_FILE]
    assert drop.ready() == {"b.log": b"abc", "c.log": b""}


def test_a_file_that_nobody_renames_appears_by_itself(drop: Drop) -> None:
    with drop.open("internal-sftp", hold=0.2) as session:
        session.ask(INIT, opened("a.log"), write(0, b"abc"), closed())
        end = time.monotonic() + 20
        while not drop.ready() and time.monotonic() < end:
            time.sleep(0.02)
        assert drop.ready() == {"a.log": b"abc"}
        # Too late: it keeps its name on the collector, and the client is content and does not send it again.
        assert session.ask(renamed("a.log", "b.log"), named(17, "b.log"))[0] == DONE
        assert session.ask(opened("b.log"), write(0, b"xyz"), closed(2)) == [OPENED, FAILURE, DONE]
    assert drop.ready() == {"a.log": b"abc", "b.log": b""}
    drop.session(sftp(opened("b.log"), write(0, b"abc"), CLOSE), "internal-sftp")
    assert drop.events()[-1] == "duplicate"


def test_a_closed_file_outlives_the_session_that_is_killed(drop: Drop) -> None:
    with drop.open("internal-sftp") as session:
        session.ask(INIT, opened("a-b.log"), write(0, b"abc"), closed(), opened("x.tmp"), closed(2), opened("half.log"))
        session.kill()
    assert drop.ready() == {}
    drop.session(b"")
    assert (drop.ready(), drop.is_clean()) == ({"a-b.log": b"abc"}, True)
    assert sorted(drop.events()) == ["accepted", "cut", "cut"]


def test_what_was_closed_is_not_taken_back(drop: Drop) -> None:
    with drop.open("internal-sftp") as session:
        session.ask(INIT, opened("a.log"), write(0, b"abc"), closed())
        assert session.ask(named(13, "a.log"), named(13, "b.log")) == [DENIED, NO_SUCH_FILE]
        assert session.ask(opened("a.log"), closed(2)) == [OPENED, DONE]  # once more: both are files
    assert sorted(path.stat().st_size for path in (drop.folder / "ready").iterdir()) == [0, 3]


MIB = 1024 * 1024


def full(handle: int, size: int) -> list[bytes]:
    block = b"x" * 32768
    head = struct.pack(">BI", 6, 2) + text(b"%d" % handle)
    return [head + struct.pack(">Q", at) + text(block) for at in range(0, size, len(block))]


def test_what_is_in_flight_counts_for_the_share(tmp_path: Path) -> None:
    """Twelve sessions with one key have held four times its share."""
    drop = Drop(tmp_path / "drop", quota_bytes=3 * MIB)
    with drop.open("internal-sftp") as one, drop.open("internal-sftp") as other:
        assert set(one.ask(INIT, opened("a.log"), *full(1, 2 * MIB))[2:]) == {DONE}
        answers = other.ask(INIT, opened("b.log"), *full(1, 2 * MIB))
        assert (answers.count(DONE), answers.count(FAILURE)) == (32, 32)
        assert drop.session(b"C0644 2000000 c.log\n").stdout[:2] == b"\0\1"
        assert one.ask(closed()) == [DONE]
    assert list(drop.ready()) == ["a.log"]
    assert drop.events() == ["refused quota", "refused quota", "accepted"]


def test_what_is_in_flight_counts_for_the_number_of_files(tmp_path: Path) -> None:
    drop = Drop(tmp_path / "drop", max_files=2)
    with drop.open("internal-sftp") as session:
        assert session.ask(INIT, *map(opened, ("a", "b", "c"))) == [-2, OPENED, OPENED, FAILURE]


def test_the_reserve_is_looked_at_again_when_room_has_been_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accounts of other sources have other locks: two that look first and take then would both take the last of it."""
    made = Drop(tmp_path / "drop", min_free_bytes=MIB)
    config = host_drop.Config.load(str(made.folder / "config.json"))
    taken = host_drop.Drop(config, lambda *_: None, {})
    answers = iter([True, True, False])
    monkeypatch.setattr(host_drop.Drop, "_spare", lambda _self, _size: next(answers))
    with pytest.raises(Refused) as refused:
        taken.receive("a.log", 5)
    assert (refused.value.code, made.is_clean()) == ("disk_full", True)


def test_inodes_are_room_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Drop(tmp_path / "drop")
    taken = host_drop.Drop(host_drop.Config.load(str(made.folder / "config.json")), lambda *_: None, {})
    real = os.fstatvfs(taken.incoming)
    for free, there in ((real.f_files // 50, True), (real.f_files // 200, False)):
        low = os.statvfs_result((*real[:5], real.f_files, free, free, *real[8:]))
        monkeypatch.setattr(os, "fstatvfs", lambda _folder, low=low: low)
        assert taken._spare(0) is there


def test_sessions_are_limited_and_given_back(tmp_path: Path) -> None:
    drop = Drop(tmp_path / "drop", max_sessions=2)
    with drop.open("scp -t .") as one, drop.open("internal-sftp") as other:
        assert (one.say(b"", 1), other.ask(INIT)) == (b"\0", [-2])
        done = drop.session(record("a.log", b"one"))
        assert (done.returncode, b"too many sessions" in done.stderr) == (1, True)
        one.kill()
        assert drop.session(record("a.log", b"one")).returncode == 0
    assert drop.events() == ["refused busy", "accepted"]


def test_the_memory_of_deliveries_is_one_file(drop: Drop) -> None:
    for number in range(5):
        drop.session(record("a.log", b"%d" % number))
    for path in (drop.folder / "ready").iterdir():
        path.unlink()
    assert sorted(path.name for path in (drop.folder / "state").iterdir()) == ["delivered", "ledger.jsonl", "lock"]


def test_a_client_is_told_where_home_is(drop: Drop) -> None:
    with drop.open("internal-sftp") as session:
        asked = [named(200, "expand-path@openssh.com", path) for path in ("~/x.log", "~", "~root/x")]
        assert session.ask(INIT, *asked, named(200, "other@example.com")) == [-2, -104, -104, -104, 8]


def test_random_bytes_end_a_session_and_nothing_more(drop: Drop) -> None:
    for asked in ("scp -t .", "internal-sftp"):
        for _ in range(5):
            done = drop.session(os.urandom(2000), asked)
            assert b"Traceback" not in done.stderr
    assert (drop.ready(), drop.is_clean()) == ({}, True)
