"""Files of a host: no link is followed, nothing half is written, and what others share is not taken away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._host import files

ME = os.geteuid(), os.getegid()


def test_a_file_is_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.cfg"
    files.write(str(path), "key = value\r\nbytes \udcff\n", 0o640, *ME)
    assert files.read(str(path)) == files.Found("key = value\r\nbytes \udcff\n", 0o640, *ME)
    assert path.read_bytes() == b"key = value\r\nbytes \xff\n"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.cfg"]
    assert files.read(str(tmp_path / "missing")) is None


def test_what_is_no_plain_file_is_neither_read_nor_waited_for(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("theirs")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder", "pipe"):
        with pytest.raises(files.NotPlain):
            files.read(str(tmp_path / name))


def test_a_file_without_end_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 3)
    (tmp_path / "long").write_text("four")
    with pytest.raises(OSError, match="more than 3 bytes"):
        files.read(str(tmp_path / "long"))
    assert files.read_bytes(str(tmp_path / "long"), 2) == (b"fo", os.stat(tmp_path / "long"))


def test_a_link_in_the_place_of_a_file_is_replaced_and_its_target_stays(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("theirs")
    for name in ("a", "a.mssp-new"):
        (tmp_path / name).symlink_to(tmp_path / "target")
    files.write(str(tmp_path / "a"), "ours", 0o600, *ME)
    assert ((tmp_path / "a").read_text(), (tmp_path / "target").read_text()) == ("ours", "theirs")
    assert not (tmp_path / "a").is_symlink()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write(str(tmp_path / "a"), "new", 0o600, *ME)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]


def test_a_folder_gets_its_rights_and_a_link_does_not(tmp_path: Path) -> None:
    files.own_folder(str(tmp_path / "new"), 0o2750, *ME)
    assert (tmp_path / "new").stat().st_mode & 0o7777 == 0o2750
    (tmp_path / "theirs").mkdir(0o700)
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError):
        files.own_folder(str(tmp_path / "link"), 0o777, *ME)
    assert (tmp_path / "theirs").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("used", [True, False])
def test_a_folder_that_packages_may_have_made_goes_only_if_it_came_by_us_and_is_of_no_use(
    tmp_path: Path, there: bool, used: bool
) -> None:
    folder = tmp_path / "rsyslog"
    if there:
        folder.mkdir()
    for _ in range(2):
        files.make_shared(str(folder))
    if used:
        (folder / "imjournal.state").touch()
    files.remove_shared(str(folder))
    assert folder.exists() == (there or used)


def test_empty_folders_and_trees(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "c/d").mkdir(parents=True)
    (tmp_path / "c/file").touch()
    files.remove_empty(*(str(tmp_path / name) for name in ("a/b", "a", "c/d", "c", "missing")))
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
    (tmp_path / "link").symlink_to(tmp_path / "c")
    with pytest.raises(RefusedError, match="it is a link"):
        files.remove_tree(str(tmp_path / "link"))
    files.remove_tree(str(tmp_path / "c"))
    files.remove(str(tmp_path / "link"))
    files.remove(str(tmp_path / "link"))
    assert list(tmp_path.iterdir()) == []
