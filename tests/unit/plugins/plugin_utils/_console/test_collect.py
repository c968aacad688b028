# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run's end says of what it cannot know is unknown, and not nothing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.evidence import RUN_FOLDER_VARIABLE
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.history import FILE, History, Left
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.collect import CollectingCallback
from tests.unit.plugins.plugin_utils._report.fleets import fleet_of, row, run


def left(root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Left] | None, list[str]]:
    """(what has left, the warnings) at the end of a run that has no tenant any more."""
    monkeypatch.setenv(RUN_FOLDER_VARIABLE, str(root / "run"))
    told: list[str] = []
    callback: Any = SimpleNamespace(fleet=dict, _display=SimpleNamespace(warning=told.append))
    return CollectingCallback._left(cast("CollectingCallback", callback)), told


def test_without_a_history_nothing_has_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert left(tmp_path, monkeypatch) == ({}, [])


def test_of_a_history_that_can_be_read_it_is_what_that_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with History(tmp_path / FILE, write=True) as made:
        made.add(run(1, row("a", "x"), fleet=fleet_of(["a"])))
        made._connection.execute("UPDATE hosts SET gone = 1")
    assert left(tmp_path, monkeypatch) == ({"a": Left("a")}, [])


def test_of_a_history_that_cannot_be_read_it_is_unknown_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE).write_bytes(b"hello" * 1000)
    found, (told,) = left(tmp_path, monkeypatch)
    assert found is None
    assert "--rebuild" in told
    assert "What has left the tenant files is not known." in told
