"""Labels of ports in the words of semanage: only where the policy does not allow them, and taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._host import commands, selinux
from ansible_collections.mssp.onboarding.plugins.module_utils._host.commands import Said
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import model, options

LISTED = """SELinux Port Type              Proto    Port Number

http_port_t                    tcp      80, 443, 8008
syslogd_port_t                 tcp      601, 20514
syslogd_port_t                 udp      514, 601, 20514
syslog_tls_port_t              tcp      6514, 10514
unreserved_port_t              tcp      61001-65535, 1024-32767
"""


def receiver(*ports: tuple[str, int]) -> model.Receiver:
    sources = {f"s{port}": {"transport": transport, "port": port} for transport, port in ports}
    return model.receiver({**options.DEFAULTS, "tenant": "contoso", "sources": sources})


class Policy:
    """A host's SELinux. ours: what it was asked to label; taken: ports that the policy gives to another service."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, taken: tuple[str, ...] = ()) -> None:
        self.taken = taken
        monkeypatch.setattr(commands, "run", self.run)
        self.asked: list[str] = []
        self.ours: list[str] = []

    def run(self, *command: str, timeout: float = 120) -> Said:
        if command[:3] == ("semanage", "port", "-l"):
            extra = "".join(f"syslogd_port_t  {port.replace(' ', '  ')}\n" for port in self.ours)
            return Said(0, LISTED + extra, "")
        if command[:2] == ("semanage", "port"):
            self.asked.append(" ".join(command))
            port = f"{command[-2]} {command[-1]}"
            if command[2] == "-a" and port in self.taken:
                return Said(1, "", f"ValueError: Port {port} already defined")
            self.ours = [other for other in self.ours if other != port] + ([] if command[2] == "-d" else [port])
        return Said(0, "", "")


@pytest.fixture
def record(tmp_path: Path) -> str:
    return f"{tmp_path}/selinux-ports.json"


def turn(record: str, made: model.Receiver, present: bool = True) -> tuple[Any, Any]:
    wanted, there = selinux.observe(made.ports if present else frozenset(), record)
    selinux.change(record, wanted, there)
    return set(wanted), set(there)


def test_labels_only_where_the_policy_does_not_allow_and_once(monkeypatch: pytest.MonkeyPatch, record: str) -> None:
    policy = Policy(monkeypatch)
    made = receiver(("udp", 514), ("tcp", 601), ("tcp", 5601), ("udp", 5514), ("relp", 20514))
    assert turn(record, made) == ({"tcp 5601", "udp 5514"}, set())
    assert policy.asked == [
        "semanage port -a -t syslogd_port_t -p tcp 5601",
        "semanage port -a -t syslogd_port_t -p udp 5514",
    ]
    assert turn(record, made) == ({"tcp 5601", "udp 5514"}, {"tcp 5601", "udp 5514"})
    assert len(policy.asked) == 2
    turn(record, receiver(("tcp", 5601)))
    turn(record, made, present=False)
    assert policy.asked[2:] == ["semanage port -d -p udp 5514", "semanage port -d -p tcp 5601"]
    assert turn(record, made, present=False) == (set(), set())
    assert len(policy.asked) == 4


def test_a_label_that_somebody_else_made_stays(monkeypatch: pytest.MonkeyPatch, record: str) -> None:
    policy = Policy(monkeypatch)
    policy.ours = ["tcp 5601"]
    turn(record, receiver(("tcp", 5601)))
    turn(record, receiver(("tcp", 5601)), present=False)
    assert policy.asked == []


def test_a_port_of_another_service_is_taken_over_and_a_refusal_is_semanages(
    monkeypatch: pytest.MonkeyPatch, record: str
) -> None:
    policy = Policy(monkeypatch, taken=("tcp 8008",))
    turn(record, receiver(("tcp", 8008)))
    assert policy.asked[-1] == "semanage port -m -t syslogd_port_t -p tcp 8008"
    monkeypatch.setattr(commands, "run", lambda *_command: Said(1, "", "ValueError: SELinux policy is not managed"))
    with pytest.raises(RefusedError, match=r"label a port in SELinux.*policy is not managed"):
        selinux.change(record, frozenset({"tcp 5601"}), frozenset())


def test_labels_that_cannot_be_read_are_not_taken_for_none(monkeypatch: pytest.MonkeyPatch, record: str) -> None:
    policy = Policy(monkeypatch)
    turn(record, receiver(("tcp", 5601)))
    for code in (1, 127):
        broken = {"semanage": Said(code, "", "cannot"), "selinuxenabled": Said(0, "", "")}
        monkeypatch.setattr(commands, "run", lambda *command, broken=broken: broken[command[0]])
        with pytest.raises(RefusedError, match="read the ports' labels"):
            selinux.observe(frozenset(), record)
    # Check mode before the package is there: nothing is labelled yet.
    Path(record).unlink()
    assert selinux.observe(frozenset({"tcp 5601"}), record) == ({"tcp 5601"}, set())
    assert policy.ours == ["tcp 5601"]


def test_a_host_without_selinux_is_asked_nothing_more(monkeypatch: pytest.MonkeyPatch, record: str) -> None:
    asked: list[str] = []

    def run(*command: str) -> Said:
        asked.append(command[0])
        return Said(127, "", "")

    monkeypatch.setattr(commands, "run", run)
    assert selinux.observe(frozenset({"tcp 5601"}), record) == (frozenset(), frozenset())
    assert asked == ["selinuxenabled"]
