"""sshd's files change together: what undoes them knows all of them, and a failure of one takes back the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import OnboardingError
from ansible_collections.mssp.onboarding.plugins.module_utils._host.commands import Said
from ansible_collections.mssp.onboarding.plugins.module_utils._scp import gate, names, system, target
from ansible_collections.mssp.onboarding.plugins.module_utils._scp.plan import CREATE, HOST, UPDATE, Change, Item
from tests.unit.plugins.module_utils._scp.test_plan import wanted

RIGHTS = {"mode": "0644", "owner": "root", "group": "root"}


class Host:
    """A host's folder of sshd's files. refused: the text that sshd does not take."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.undo = folder, folder / "run" / "undo-contoso"
        self.refused = "bad"
        self.asked: list[str] = []
        monkeypatch.setattr(names, "UNDO", str(folder / "run"))
        monkeypatch.setattr(names, "undo", lambda _tenant: str(self.undo))
        monkeypatch.setattr(names, "EXEMPT", str(folder / "01-exempt.conf"))
        monkeypatch.setattr(names, "drop_in", lambda _tenant: str(folder / "60-contoso.conf"))
        monkeypatch.setattr(gate, "run", self.run)
        monkeypatch.setattr(system, "run", self.run)
        monkeypatch.setattr(system, "_rights_of", lambda _want: (0o644, os.geteuid(), os.getegid()))
        monkeypatch.setattr(gate, "listeners", list)
        monkeypatch.setattr(gate, "check", self.check)
        monkeypatch.setattr(gate, "reload", lambda *_: None)

    def run(self, *command: str, check: bool = True) -> Said:
        self.asked.append(" ".join(command[:2]))
        return Said(0, "", "")

    def check(self, _sources: object) -> None:
        if any(self.refused in path.read_text() for path in self.folder.glob("*.conf")):
            raise OnboardingError("check sshd's configuration", "bad", code="sshd_t")

    def change(self, path: str, text: str, before: str = "") -> Change:
        if before:
            Path(path).write_text(before, encoding="ascii")
        item = Item(HOST, "file", path, {"content": text, **RIGHTS})
        old = {"content": before, **RIGHTS} if before else None
        return Change(item, UPDATE if before else CREATE, old, ("content",))

    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in sorted(self.folder.glob("*.conf"))}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, monkeypatch)


def test_the_undo_puts_all_of_them_back(host: Host) -> None:
    work = target.Work(wanted(), (), "ssh", 60)
    work.apply(host.change(names.drop_in(""), "new", before="old"))
    work.apply(host.change(names.EXEMPT, "new"))
    assert host.files() == {"01-exempt.conf": "new", "60-contoso.conf": "new"}
    assert work.armed
    script = (host.undo / "undo").read_text(encoding="ascii").splitlines()
    assert script[2:4] == [f"rm -f {names.EXEMPT}", f"cp -p {host.undo}/60-contoso.conf {names.drop_in('')}"]
    assert (host.undo / "60-contoso.conf").read_text(encoding="ascii") == "old"
    gate.disarm("contoso")
    assert not (host.folder / "run").exists()


def test_a_failure_of_the_second_takes_back_the_first(host: Host) -> None:
    work = target.Work(wanted(), (), "ssh", 60)
    first = host.change(names.drop_in(""), "new", before="old")
    work.apply(first)
    with pytest.raises(OnboardingError, match="bad"):
        work.apply(host.change(names.EXEMPT, "bad"))
    assert host.files() == {"60-contoso.conf": "old"}
    assert (work.undone, work.armed) == ([first], False)
    assert not (host.folder / "run").exists()
