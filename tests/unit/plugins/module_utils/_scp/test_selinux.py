"""The label of the second sshd's port, in the words of semanage: made once, and taken back only where it is ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._host import commands, selinux
from ansible_collections.mssp.onboarding.plugins.module_utils._host.commands import Said
from ansible_collections.mssp.onboarding.plugins.module_utils._scp import desired, names, preflight, system, target
from ansible_collections.mssp.onboarding.plugins.module_utils._scp.plan import plan
from tests.unit.plugins.module_utils._scp.test_plan import wanted
from tests.unit.plugins.module_utils._scp.test_preflight import LABELS
from tests.unit.plugins.module_utils._scp.test_sources import source


class Host:
    """A host with SELinux; of what the role does there, the label and its record."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.labels = {"443": "http_port_t", "2223": "ssh_port_t"}
        self.asked: list[str] = []
        self.record = folder / "record"
        self.broken = False
        monkeypatch.setattr(commands, "run", self.run)
        monkeypatch.setattr(names, "label_record", lambda _tenant: str(self.record))

    def run(self, *command: str) -> Said:
        if self.broken:
            return Said(1, "", "ValueError: SELinux policy is not managed")
        if command[0] == "selinuxenabled" or command[1] == "-h":
            return Said(0, "", "")
        if command[2] == "-l":
            return Said(0, "".join(f"{kind}  tcp  {port}\n" for port, kind in self.labels.items()), "")
        self.asked.append(" ".join(command[2:]))
        port = command[-1]
        if command[2] == "-d":
            del self.labels[port]
        elif (command[2] == "-a") == (port in self.labels):
            return Said(1, "", f"ValueError: Port tcp/{port} already defined, or not defined")
        else:
            self.labels[port] = "ssh_port_t"
        return Said(0, "", "")

    def turn(self, port: int, *, present: bool = True) -> list[str]:
        """One run; the kinds of what it changed."""
        want = wanted({"old": source(legacy_transport=True)}, legacy_port=port, selinux=True)
        known = target.discover("contoso", port)
        items = (desired.present if present else desired.absent)(want, known)
        items = [item for item in items if item.kind == "label" or item.key == str(self.record)]
        there = {("file", str(self.record)): self._seen()}
        there |= {(item.kind, item.key): system.SEE["label"](item.key) for item in items if item.kind == "label"}
        changes = plan(items, there)
        for change in changes:
            if change.item.kind == "label":
                system.apply(change)
            elif change.item.want is None:
                self.record.unlink()
            else:
                self.record.write_text(change.item.want["content"])
        return [f"{change.action} {change.item.kind}" for change in changes]

    def _seen(self) -> dict[str, Any] | None:
        rights = {"mode": "0644", "owner": "root", "group": "root"}
        return {"content": self.record.read_text(), **rights} if self.record.exists() else None


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, monkeypatch)


def test_a_label_is_made_once_moved_and_taken_back(host: Host) -> None:
    assert host.turn(2222) == ["create file", "create label"]
    assert host.turn(2222) == []
    assert host.turn(2224) == ["delete label", "update file", "create label"]
    assert host.turn(2224, present=False) == ["delete label", "delete file"]
    assert host.asked == [
        "-a -t ssh_port_t -p tcp 2222",
        "-d -p tcp 2222",
        "-a -t ssh_port_t -p tcp 2224",
        "-d -p tcp 2224",
    ]


def test_a_port_of_another_service_is_taken_over(host: Host) -> None:
    assert host.turn(443) == ["create file", "update label"]
    assert host.asked == ["-a -t ssh_port_t -p tcp 443", "-m -t ssh_port_t -p tcp 443"]
    assert host.turn(443) == []


def test_a_label_that_somebody_else_made_stays(host: Host) -> None:
    assert host.turn(2223) == []
    assert host.turn(2223, present=False) == []
    assert host.asked == []


def test_labels_that_cannot_be_read_are_not_taken_for_none(host: Host) -> None:
    host.broken = True
    with pytest.raises(RefusedError, match="policy is not managed"):
        host.turn(2222)


def test_preflight_tells_what_it_cannot_ask(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def look() -> list[tuple[str, str]]:
        return [(found.subject, found.status) for found in preflight._selinux({"legacy_port": 2222}, [])]

    monkeypatch.setattr(selinux, "runs", lambda: True)
    assert look() == [("tcp 2222", "ok")]
    host.broken = True
    assert look() == [("semanage", "unknown")]
    monkeypatch.setattr(selinux, "runs", lambda: False)
    assert look() == []


def test_a_label_in_the_list_of_semanage() -> None:
    ports = {port: selinux.type_of(f"tcp {port}", LABELS) for port in ("22", "2222", "2224", "443", "80")}
    assert ports == {"22": "ssh_port_t", "2222": "", "2224": "", "443": "http_port_t", "80": "http_port_t"}


def test_without_selinux_nothing_is_labelled() -> None:
    items = desired.present(wanted({"old": source(legacy_transport=True)}, legacy_port=2222), desired.Known())
    assert [item.key for item in items if item.kind == "label"] == []
    assert [item.want for item in items if item.key == names.label_record("contoso")] == [None]
