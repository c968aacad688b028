# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock has one holder, and leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import one_run
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.one_run import locked


def test_one_run_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / "keys" / ".lock"
    with locked(lock):
        assert lock.stat().st_mode & 0o777 == 0o600
        with pytest.raises(RefusedError) as caught, locked(lock):
            pass
        assert (caught.value.code, lock.exists()) == ("Locked", True)
    assert list(lock.parent.iterdir()) == []


def test_a_lock_whose_file_went_with_another_run_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, flock = tmp_path / ".lock", one_run.fcntl.flock

    def late(descriptor: int, how: int) -> None:
        lock.unlink()
        lock.touch()
        flock(descriptor, how)

    monkeypatch.setattr(one_run.fcntl, "flock", late)
    with pytest.raises(RefusedError), locked(lock):
        pass


def test_what_the_run_itself_raises_is_not_taken_for_a_lock(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), locked(tmp_path / ".lock"):
        raise BlockingIOError
    (tmp_path / "file").touch()
    with pytest.raises(RefusedError) as caught, locked(tmp_path / "file" / ".lock"):
        pass
    assert caught.value.code == "LockUnusable"
    assert os.listdir(tmp_path) == ["file"]
