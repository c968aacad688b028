"""One run at a time: nobody but root can hold the lock, and waiting for it has an end."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import system as falcon
from ansible_collections.mssp.onboarding.plugins.module_utils._host import lock
from ansible_collections.mssp.onboarding.plugins.module_utils._scp import system as scp
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import system as syslog


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lock, "FOLDER", str(tmp_path / "mssp"))
    monkeypatch.setattr(lock, "POLL_SECONDS", 0.01)
    return tmp_path / "mssp"


@pytest.mark.parametrize(("engine", "name"), [(syslog, "syslog"), (falcon, "falcon"), (scp, "scp")])
def test_every_engine_has_a_lock_of_its_own_and_check_mode_none(engine: object, name: str, folder: Path) -> None:
    with engine.locked(True):  # type: ignore[attr-defined]
        assert [path.name for path in folder.iterdir()] == [f"{name}.lock"]
        assert folder.stat().st_mode & 0o7777 == 0o700
        assert (folder / f"{name}.lock").stat().st_mode & 0o7777 == 0o600
    assert not folder.exists()
    with engine.locked(False):  # type: ignore[attr-defined]
        assert not folder.exists()


def test_waiting_has_an_end_that_is_told(folder: Path) -> None:
    with lock.held("syslog"):
        before = time.monotonic()
        held = pytest.raises(RefusedError, match=r"another run has held .*syslog\.lock for 0\.1 s")
        with held as refused, lock.held("syslog", seconds=0.1):
            pytest.fail("two at a time")
        assert time.monotonic() - before < 5
    assert (refused.value.code, "fuser" in refused.value.next_step) == ("locked", True)
    with lock.held("syslog", seconds=0.1), lock.held("scp", seconds=0.1):
        pass


def test_one_after_the_other_though_the_file_goes_with_each(folder: Path) -> None:
    inside, most, done = 0, 0, []

    def run(number: int) -> None:
        nonlocal inside, most
        for _ in range(10):
            with lock.held("scp", seconds=60):
                inside += 1
                most = max(most, inside)
                time.sleep(0.001)
                inside -= 1
        done.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert (sorted(done), most) == ([0, 1, 2, 3], 1)
    assert not folder.exists()


def test_a_lock_that_was_given_up_is_taken_over_and_one_that_is_held_is_not(folder: Path) -> None:
    folder.mkdir(0o700)
    (folder / "scp.lock").touch()  # a run that was killed
    with lock.held("scp", seconds=0.1):
        pass
    folder.mkdir(0o700)
    descriptor = os.open(folder / "scp.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(RefusedError), lock.held("scp", seconds=0.1):
        pytest.fail("two at a time")
    os.close(descriptor)


@pytest.mark.parametrize("mode", [0o777, 0o755, 0o710])
def test_a_folder_that_others_may_use_is_not_taken(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(RefusedError, match="not a folder of root's alone"), lock.held("scp", seconds=0.1):
        pytest.fail("others may hold it")


def test_a_link_in_the_place_of_folder_or_lock_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(0o700)
    folder.symlink_to(tmp_path / "theirs")
    with pytest.raises(RefusedError, match="not a folder of root's alone"), lock.held("scp", seconds=0.1):
        pytest.fail("a link")
    folder.unlink()
    folder.mkdir(0o700)
    (folder / "scp.lock").symlink_to(tmp_path / "planted")
    with pytest.raises(OSError), lock.held("scp", seconds=0.1):
        pytest.fail("a link")
    assert not (tmp_path / "planted").exists()
