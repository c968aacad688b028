"""Bytes that no client would send: a session ends or answers, and what it leaves is whole, counted and in its place.

MSSP_FUZZ_EXAMPLES=N tries N of each kind, for longer runs by hand.
"""

from __future__ import annotations

import contextlib
import os
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mssp.onboarding.plugins.module_utils._scp.host import drop, legacy, rules, sftp
from ansible_collections.mssp.onboarding.plugins.module_utils._scp.host.channel import Gone
from tests.unit.plugins.module_utils._scp.test_sessions import text

FUZZ = settings(
    max_examples=int(os.environ.get("MSSP_FUZZ_EXAMPLES", settings().max_examples * 3 // 2)),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
QUOTA, FILES = 4096, 6
MOST = st.sampled_from([0, 3000])
PATH_REQUESTS = [7, 11, 13, 14, 15, 16, 17, 19, 20]
NAMES = st.sampled_from([b"a.log", b"/a.log", b"b.log", b"c.log.tmp", b".in.d", b"~/e.filepart", b"/upload/f"])
PATHS = NAMES | st.sampled_from([b"", b"/", b".", b"..", b"../x", b"/etc/passwd", b"~", b"\0", b"\xff" * 9, b"x" * 300])
PATHS |= st.binary(max_size=12)
HANDLES = st.sampled_from([b"1", b"2", b"3", b"4", b"", b"-1"]) | st.binary(max_size=4)
SIZES = st.integers(0, 9000) | st.sampled_from([(1 << 63) - 1, 1 << 63, (1 << 64) - 1])
DATA = st.binary(max_size=40) | st.integers(0, 5000).map(lambda size: b"x" * size)


class Bytes:
    """A channel of bytes that are there already."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.answered = 0

    def ready(self, seconds: float) -> bool:
        return True

    def some(self, most: int) -> bytes:
        if not self._data:
            raise Gone("the connection ended")
        taken, self._data = self._data[:most], self._data[most:]
        return taken

    def exactly(self, number: int) -> bytes:
        if len(self._data) < number:
            self._data = b""
            raise Gone("the connection ended")
        return self.some(number) if number else b""

    def line(self, most: int) -> bytes | None:
        found, end, rest = self._data.partition(b"\n")
        if len(found) > most:
            raise ValueError("line too long")
        if not end and found:
            raise Gone("the connection ended in a line")
        self._data = rest
        return found if end else None

    def put(self, data: bytes) -> None:
        self.answered += 1


@contextlib.contextmanager
def dropped(monkeypatch: pytest.MonkeyPatch, most: int) -> Iterator[drop.Drop]:
    """A drop directory, without limits of bytes where most is 0; in the end all that must hold of it is looked at."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)  # nothing cuts the power here
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        for name in ("incoming", "ready", "state"):
            (top / name).mkdir()
        config = drop.Config(
            "contoso", "esa", folder, most, 0, QUOTA if most else 0, FILES, 1, ("/upload",), ("*.log", "f")
        )
        made = drop.Drop(config, lambda *_event: None, {})
        made.enter()
        before = set(os.listdir("/proc/self/fd"))
        yield made
        assert list((top / "incoming").iterdir()) == []
        assert {path.name for path in top.iterdir()} == {"incoming", "ready", "state"}
        assert {path.name for path in (top / "state").iterdir()} <= {"delivered", "ledger.jsonl", "lock", "session.0"}
        ready = list((top / "ready").iterdir())
        assert len(ready) <= FILES
        assert not most or sum(path.stat().st_size for path in ready) <= QUOTA
        for path in ready:
            name = path.name.split("-", 2)[2]
            assert rules.file_name(name.encode(), config.names) == name
        assert set(os.listdir("/proc/self/fd")) <= before
        for descriptor in (made.incoming, made.ready, made.state):
            os.close(descriptor)


def request(kind: int, *fields: bytes) -> bytes:
    return struct.pack(">BI", kind, 7) + b"".join(fields)


def number(form: str, value: int) -> bytes:
    return struct.pack(form, value)


REQUEST = st.one_of(
    st.builds(
        lambda name, flags, more: request(sftp.OPEN, text(name), number(">I", flags), number(">I", more)),
        PATHS,
        st.sampled_from([0x1A, 0x02, 0x01, 0x06, 0x3A]),
        st.sampled_from([0, 1, 15, 0x80000000]),
    ),
    st.builds(
        lambda handle, at, data: request(sftp.WRITE, text(handle), number(">Q", at), text(data)), HANDLES, SIZES, DATA
    ),
    st.builds(lambda handle: request(sftp.CLOSE, text(handle)), HANDLES),
    st.builds(lambda old, new: request(sftp.RENAME, text(old), text(new)), PATHS, PATHS),
    st.builds(lambda kind, path: request(kind, text(path)), st.sampled_from(PATH_REQUESTS), PATHS),
    st.builds(
        lambda kind, what, size: request(kind, text(what), number(">I", 1), number(">Q", size)),
        st.sampled_from([sftp.SETSTAT, sftp.FSETSTAT, sftp.READ, sftp.FSTAT, sftp.READDIR]),
        PATHS | HANDLES,
        SIZES,
    ),
    st.builds(lambda what, path: request(sftp.EXTENDED, text(what), text(path)), st.just(sftp.EXPAND) | PATHS, PATHS),
    st.binary(min_size=1, max_size=60),
)
# Mostly the order in which a client would ask, so that more than the first request is reached.
WRITTEN = st.builds(
    lambda name, parts: [
        request(sftp.OPEN, text(name), number(">I", 0x1A), number(">I", 0)),
        *(request(sftp.WRITE, text(b"1"), number(">Q", at), text(data)) for at, data in parts),
        request(sftp.CLOSE, text(b"1")),
    ],
    NAMES,
    st.lists(st.tuples(SIZES, DATA), max_size=4) | DATA.map(lambda data: [(0, data)]),
)
SESSION = st.builds(lambda first, rest: [*first, *rest], WRITTEN | st.just([]), st.lists(REQUEST, max_size=25))


@FUZZ
@given(SESSION, st.binary(max_size=8), st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=3), MOST)
def test_sftp(requests: list[bytes], end: bytes, flips: list[tuple[int, int]], most: int) -> None:
    stream = bytearray(b"".join(number(">I", len(packet)) + packet for packet in [b"\1\0\0\0\3", *requests]) + end)
    for at, value in flips:
        if at < len(stream):
            stream[at] = value
    with pytest.MonkeyPatch.context() as patch, dropped(patch, most) as made:
        assert sftp.Server(Bytes(bytes(stream)), made).run() in (0, 1)  # type: ignore[arg-type]


RECORD = st.one_of(
    st.builds(
        lambda mode, size, name, data, status: b"C%s %d %s\n" % (mode, size, name) + data + status,
        st.sampled_from([b"0644", b"6777", b"0", b"00000"]),
        SIZES,
        PATHS,
        DATA,
        st.sampled_from([b"\0", b"\1no\n", b"\2", b""]),
    ),
    st.builds(lambda name, data: b"C0644 %d %s\n" % (len(data), name) + data + b"\0", NAMES, DATA),
    st.sampled_from([b"T1 0 1 0\n", b"E\n", b"D0755 0 x\n", b"\1warning\n", b"\2fatal\n", b"\0", b"\n", b"x" * 5000]),
    st.binary(max_size=40),
)


@FUZZ
@given(st.lists(RECORD, max_size=12), st.none() | st.just("t.log"), MOST)
def test_legacy(records: list[bytes], target: str | None, most: int) -> None:
    with pytest.MonkeyPatch.context() as patch, dropped(patch, most) as made, contextlib.suppress(Gone):
        assert legacy.Sink(Bytes(b"".join(records)), made, target).run() in (0, 1)  # type: ignore[arg-type]
