"""What was delivered is remembered in one file of bounded size, whatever a crash has left of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mssp.onboarding.plugins.module_utils._scp.host import seen
from ansible_collections.mssp.onboarding.plugins.module_utils._scp.host.drop import MAX_PIECES, joined
from ansible_collections.mssp.onboarding.plugins.module_utils._scp.host.rules import Refused


def digest(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def test_what_was_added_is_known(folder: int) -> None:
    known = seen.Seen(folder)
    assert digest(1) not in known
    for number in (1, 2):
        known.add(digest(number))
    assert [digest(number) in known for number in (1, 2, 3)] == [True, True, False]
    # Bytes that stand across two entries are none.
    assert digest(1)[16:] + digest(2)[:16] not in known


def test_the_older_half_is_forgotten(folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "MOST", 10)
    known = seen.Seen(folder)
    for number in range(100):
        known.add(digest(number))
        assert (tmp_path / "delivered").stat().st_size <= 10 * seen.DIGEST_BYTES
        assert all(digest(last) in known for last in range(max(0, number - 4), number + 1))
    assert digest(80) not in known
    assert [path.name for path in tmp_path.iterdir()] == ["delivered"]


def test_an_entry_that_was_cut_is_written_over(folder: int, tmp_path: Path) -> None:
    known = seen.Seen(folder)
    known.add(digest(1))
    with open(tmp_path / "delivered", "ab") as stream:
        stream.write(digest(2)[:7])
    known.add(digest(3))
    assert [digest(number) in known for number in (1, 2, 3)] == [True, False, True]


def test_a_link_is_not_followed(folder: int, tmp_path: Path) -> None:
    (tmp_path / "delivered").symlink_to("/etc/passwd")
    with pytest.raises(OSError):
        seen.Seen(folder).add(digest(1))


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=30))
def test_pieces_are_what_was_written(writes: list[tuple[int, int]]) -> None:
    pieces: list[tuple[int, int]] = []
    bytes_there: set[int] = set()
    for start, length in writes:
        pieces = joined(pieces, (start, start + length))
        bytes_there |= set(range(start, start + length))
    assert {at for start, end in pieces for at in range(start, end)} == bytes_there
    assert all(one[1] < other[0] for one, other in pairwise(pieces))


def test_pieces_are_bounded() -> None:
    pieces: list[tuple[int, int]] = [(2 * number, 2 * number + 1) for number in range(MAX_PIECES)]
    assert joined(pieces, (1, 2))[0] == (0, 3)
    with pytest.raises(Refused, match="too many pieces"):
        joined(pieces, (1 << 40, (1 << 40) + 1))
