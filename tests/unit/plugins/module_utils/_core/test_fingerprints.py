# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of fingerprints: which secret was sent last."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import ClassVar

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.fingerprints import load


class TestFingerprints:
    SECRETS: ClassVar = {"authorization": "canary"}

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "new" / "fingerprints"

    def test_a_secret_is_known_when_it_was_kept_and_stale_when_it_is_another(self, folder: Path) -> None:
        marks = load(folder, "coro", "w", None)
        assert not marks.knows("1")
        assert not marks.stale("1", self.SECRETS)
        assert not folder.exists(), "looking writes nothing"
        marks.keep("1", self.SECRETS)
        marks.save()
        again = load(folder, "coro", "w", None)
        assert not again.stale("1", self.SECRETS)
        assert again.stale("1", {"authorization": "other"})
        assert (again.knows("1"), again.knows("2")) == (True, False)
        again.forget("1")
        again.save()
        assert not load(folder, "coro", "w", None).knows("1")

    def test_files_are_for_their_owner_and_hold_no_secret(self, folder: Path) -> None:
        marks = load(folder, "coro", "w", None)
        marks.keep("1", self.SECRETS)
        marks.save()
        files = list(folder.iterdir())
        assert sorted(path.name for path in files) == ["fingerprint.key", "w.coro.json"]
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert all("canary" not in path.read_text() for path in files)

    def test_the_same_secret_looks_different_everywhere(self, folder: Path) -> None:
        for workspace in ("w", "v"):
            marks = load(folder, "coro", workspace, None)
            marks.keep("1", self.SECRETS)
            marks.keep("2", self.SECRETS)
            marks.save()
        held = [json.loads((folder / f"{name}.coro.json").read_text()) for name in ("w", "v")]
        assert len({mark for one in held for mark in one.values()}) == 4

    def test_another_key_knows_nothing(self, folder: Path) -> None:
        marks = load(folder, "coro", "w", "key one")
        marks.keep("1", self.SECRETS)
        marks.save()
        assert not (folder / "fingerprint.key").exists()
        assert not load(folder, "coro", "w", "key one").stale("1", self.SECRETS)
        assert load(folder, "coro", "w", "key two").stale("1", self.SECRETS)

    def test_a_folder_that_others_may_write_is_refused(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o777)
        with pytest.raises(InputError, match="others may write"):
            load(tmp_path, "coro", "w", None)

    def test_a_broken_file_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "w.coro.json").write_text("[1,")
        with pytest.raises(InputError) as caught:
            load(tmp_path, "coro", "w", None)
        assert "remove the file" in caught.value.next_step
