"""What a receiver's engine leaves of a folder that packages may have made, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import system


@pytest.mark.parametrize("there", [True, False])
def test_folders_go_as_far_as_they_are_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    parent = tmp_path / "rsyslog"
    if there:
        parent.mkdir()
    monkeypatch.setattr(system, "PARENT", str(parent))
    monkeypatch.setattr(system, "OURS", (str(parent / "mssp"),))
    work = parent / "mssp" / "contoso"
    system.make_parent()
    work.mkdir(parents=True)
    (work / "applied").touch()
    system.remove(str(work / "applied"))
    assert [path.name for path in tmp_path.iterdir()] == (["rsyslog"] if there else [])
    assert not there or list(parent.iterdir()) == []
