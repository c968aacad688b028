"""The second sshd changes as a whole: one that does not start leaves what was there, running as it was."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._host import commands, sockets
from ansible_collections.mssp.onboarding.plugins.module_utils._host.commands import Said
from ansible_collections.mssp.onboarding.plugins.module_utils._scp import names, second, system
from ansible_collections.mssp.onboarding.plugins.module_utils._scp.plan import CREATE, HOST, UPDATE, Change, Item

PORT = 2222
FOLDER = {"mode": "0644", "owner": "root", "group": "root"}


class Host:
    """systemctl and sshd of a host, as far as the second sshd is about them. broken: it does not open its port."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.broken = False
        self.state: dict[str, bool] | None = None
        self.config, self.unit_file = folder / "sshd_config", folder / "unit"
        monkeypatch.setattr(names, "legacy_config", lambda _tenant: str(self.config))
        monkeypatch.setattr(names, "unit_file", lambda _unit: str(self.unit_file))
        monkeypatch.setattr(commands, "run", self.run)
        monkeypatch.setattr(sockets, "bound", lambda _pid, _tables: set() if self.broken else {("tcp", PORT)})
        monkeypatch.setattr(second, "START_SECONDS", 0.3)
        monkeypatch.setitem(system.SEE, "unit", lambda _unit: self.state)
        monkeypatch.setattr(system, "_rights_of", lambda _want: (0o644, os.geteuid(), os.getegid()))

    def run(self, *command: str) -> Said:
        self.asked.append(" ".join(command[:2] + command[-1:]) if command[0] == "systemctl" else command[0])
        if command[:2] == ("systemctl", "show"):
            return Said(0, "7\nfailed\n" if self.broken else "7\nactive\n", "")
        if command[0] == "journalctl":
            return Said(0, "error: Bind to port 2222 on 0.0.0.0 failed: Address already in use.\n", "")
        return Said(0, "", "")

    def changes(self, text: str) -> list[Change]:
        """All three, made or changed."""
        made = []
        for kind, path in (("file", self.config), ("file", self.unit_file)):
            before = {"content": path.read_text(), **FOLDER} if path.exists() else None
            item = Item(HOST, kind, str(path), {"content": text, **FOLDER})
            made.append(Change(item, UPDATE if before else CREATE, before, ("content",)))
        if self.state != {"enabled": True, "active": True}:
            unit = Item(HOST, "unit", names.legacy_unit("contoso"), {"enabled": True, "active": True})
            made.append(Change(unit, CREATE, self.state, ("missing",)))
        return made


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, monkeypatch)


def apply(host: Host, text: str) -> second.SecondSshd:
    """All changes; one that is to fail does so in sshd's words."""
    made = second.SecondSshd("contoso", PORT)
    fails = pytest.raises(RefusedError, match="Address already in use") if host.broken else contextlib.nullcontext()
    with fails:
        for change in host.changes(text):
            made.apply(change)
    return made


def test_a_first_one_that_does_not_start_leaves_nothing(host: Host) -> None:
    host.broken = True
    made = apply(host, "new")
    assert not host.config.exists()
    assert not host.unit_file.exists()
    assert {f"systemctl {verb} {names.legacy_unit('contoso')}" for verb in ("disable", "stop")} <= set(host.asked)
    assert [change.item.kind for change in made.undone] == ["file", "file", "unit"]


def test_one_that_runs_comes_back_with_its_old_file(host: Host) -> None:
    assert apply(host, "old").undone == []
    host.state = {"enabled": True, "active": True}
    host.broken = True
    apply(host, "new")
    assert (host.config.read_text(), host.unit_file.read_text()) == ("old", "old")
    assert host.asked[-2:] == [f"systemctl {verb} {names.legacy_unit('contoso')}" for verb in ("restart", "enable")]
    assert not any(line.startswith(("systemctl disable", "systemctl stop")) for line in host.asked)


def test_one_that_somebody_stopped_stays_stopped(host: Host) -> None:
    apply(host, "old")
    host.state, host.broken, host.asked = {"enabled": True, "active": False}, True, []
    apply(host, "new")
    assert (host.config.read_text(), host.unit_file.read_text()) == ("old", "old")
    assert f"systemctl stop {names.legacy_unit('contoso')}" in host.asked


def test_a_file_that_sshd_does_not_take_is_put_back(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(host, "old")
    run: Any = host.run
    monkeypatch.setattr(commands, "run", lambda *line: Said(255, "", "bad") if line[0] == second.SSHD else run(*line))
    with pytest.raises(RefusedError, match="bad"):
        second.SecondSshd("contoso", PORT).apply(host.changes("new")[0])
    assert host.config.read_text() == "old"
