# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of an export: whole, for its owner, and never taken for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella.keyfile import KeyFile
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella.plan import Kept, Pair

OLD, NEW = Pair("AKIAOLDOLDOLDOLD0000", "canary-old-secret"), Pair("AKIANEWNEWNEWNEW0000", "canary-new-secret")


@pytest.mark.parametrize("password", ["", "password"])
def test_what_is_written_is_read(tmp_path: Path, password: str) -> None:
    file = KeyFile(tmp_path / "contoso.json", password)
    assert file.read() is None
    kept = Kept(NEW, 5.0, True, 7.0, OLD, True)
    file.write(kept)
    assert file.read() == kept
    assert ("canary" in file.path.read_text()) == (not password)
    assert file.path.stat().st_mode & 0o777 == 0o600
    file.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["{", "[]", '{"created": "x"}', '{"access_key_id": 5}'])
def test_what_cannot_be_read_is_not_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "contoso.json").write_text(text)
    with pytest.raises(InputError) as caught:
        KeyFile(tmp_path / "contoso.json", "").read()
    assert caught.value.code == "UnreadableKeyFile"


def test_a_new_file_without_its_name_is_found(tmp_path: Path) -> None:
    """A run was killed between the two: nobody else has that secret."""
    file, newer = (KeyFile(tmp_path / name, "") for name in ("contoso.json", "contoso.json.mssp-new"))
    newer.write(Kept(NEW, 5.0, previous=OLD))
    file.write(Kept(OLD, asked=4.0))
    newer.write(Kept(NEW, 5.0, previous=OLD))
    assert file.read() == Kept(NEW, 5.0, previous=OLD)
    file.path.write_text(file.path.read_text().replace('"asked": 4.0', '"asked": 0.0'))
    assert file.read() == Kept(OLD)
