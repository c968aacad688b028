"""Reading back: what counts, what does not, and files that grow."""

from __future__ import annotations

import gzip
import lzma
import os
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._collector import stored
from ansible_collections.mssp.onboarding.plugins.module_utils._collector.records import body
from ansible_collections.mssp.onboarding.plugins.module_utils._collector.stored import Store

RUN = "0123456789abcdef"


def line(number: int, size: int = 128) -> bytes:
    return b"<134>1 - " + body(RUN, number, 1000.0, size) + b"\n"


def numbers(store: Store) -> list[int]:
    return [record.number for record in store.found]


def test_files_are_read_in_the_order_of_their_last_writing(tmp_path: Path) -> None:
    for name, number, when in (("a/x.log", 1, 2000), ("b.log", 0, 1000)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(line(number))
        os.utime(path, (when, when))
    store = Store(str(tmp_path), RUN)
    store.look()
    assert [(record.number, record.seen) for record in store.found] == [(0, 1000.0), (1, 2000.0)]


def test_a_second_look_takes_only_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(line(0) + line(1)[:60])
    store = Store(str(path), RUN)
    store.look()
    assert numbers(store) == [0]
    path.write_bytes(line(0) + line(1) + line(2))
    store.look()
    assert numbers(store) == [0, 1, 2]


def test_a_moved_file_is_not_counted_again(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(line(0))
    store = Store(str(tmp_path), RUN)
    store.look()
    path.rename(tmp_path / "x.log.1")
    path.write_bytes(line(1))
    store.look()
    assert numbers(store) == [0, 1]


def test_records_across_the_pieces_that_are_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "CHUNK", 100)
    path = tmp_path / "x.log"
    path.write_bytes(b"".join(line(number, 400) for number in range(5)))
    store = Store(str(path), RUN)
    store.look()
    assert numbers(store) == [0, 1, 2, 3, 4]
    assert all(record.whole for record in store.found)


def test_what_is_not_read(tmp_path: Path) -> None:
    outside = tmp_path / "outside.log"
    outside.write_bytes(line(0))
    folder = tmp_path / "store"
    folder.mkdir()
    (folder / "x.log.xz").write_bytes(lzma.compress(line(1)))
    old = folder / "x.log-20261101.gz"
    old.write_bytes(gzip.compress(line(2)))
    os.utime(old, (time.time() - 3 * 86400,) * 2)
    (folder / "link.log").symlink_to(outside)
    os.mkfifo(folder / "pipe")
    store = Store(str(folder), RUN)
    store.look()
    assert numbers(store) == []
    assert list(store.unreadable) == [str(folder / "link.log")]


def test_what_rotation_has_compressed_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "x.log-1.gz").write_bytes(gzip.compress(line(0)))
    store = Store(str(tmp_path), RUN)
    store.look()
    store.look()
    assert numbers(store) == [0]


def test_what_was_taken_before_it_was_compressed_is_not_taken_again(tmp_path: Path) -> None:
    first, second = tmp_path / "x.log", tmp_path / "y.log"
    first.write_bytes(line(0) + line(1))
    second.write_bytes(line(5))
    store = Store(str(tmp_path), RUN)
    store.look()
    for path, content in ((first, line(0) + line(1) + line(2)), (second, line(5))):
        path.with_suffix(".log-1.gz").write_bytes(gzip.compress(content))
        path.unlink()
    store.look()
    assert sorted(numbers(store)) == [0, 1, 2, 5]


def test_another_file_that_was_compressed_is_read_from_its_start(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_bytes(line(0))
    (tmp_path / "y.log-1.gz").write_bytes(gzip.compress(line(1) + line(2)))
    store = Store(str(tmp_path), RUN)
    store.look()
    assert sorted(numbers(store)) == [0, 1, 2]


def test_a_file_that_gzip_still_writes_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.log-1.gz"
    whole = gzip.compress(b"".join(line(number) for number in range(200)))
    path.write_bytes(whole[: len(whole) // 2])
    store = Store(str(tmp_path), RUN)
    store.look()
    assert (numbers(store), list(store.unreadable)) == ([], [str(path)])
    path.write_bytes(whole)
    store.look()
    assert (numbers(store), store.unreadable) == (list(range(200)), {})


def test_it_waits_for_what_is_on_its_way_and_no_longer(tmp_path: Path) -> None:
    path = tmp_path / "later" / "x.log"

    def write() -> None:
        time.sleep(0.3)
        path.parent.mkdir()
        path.write_bytes(line(0))

    writer = threading.Thread(target=write)
    writer.start()
    store = Store(str(path.parent), RUN)
    started = time.monotonic()
    store.wait(1, 20)
    writer.join()
    assert numbers(store) == [0]
    assert time.monotonic() - started < 5


def test_no_folder_is_an_error_when_the_time_is_over(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Store(str(tmp_path / "none"), RUN).wait(1, 0.2)
