"""What a failed change leaves behind on a host: what was there before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._host import commands, openings, selinux
from ansible_collections.mssp.onboarding.plugins.module_utils._host.changes import DIFFERENT, MISSING, Change
from ansible_collections.mssp.onboarding.plugins.module_utils._host.commands import Said
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import files, host, model, options, tls
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog.files import File
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog.layout import Layout
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog.plan import Observed

SOURCES = {"proxies": {"transport": "tls", "peers": ["proxy.contoso.example"]}}
OLD = {"rsyslog.conf": "old", "tls/cert.pem": "old certificate", "tls/key.pem": "old key"}


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> host.Engine:
    """One that changes the configuration and the certificate of a receiver that runs."""
    for name in ("config", "work", "storage", "run"):
        monkeypatch.setattr(Layout, name, f"{tmp_path}/{name}")
    (tmp_path / "config/tls").mkdir(parents=True)
    for name, text in OLD.items():
        (tmp_path / "config" / name).write_text(text)
    made, layout = host.Engine.__new__(host.Engine), Layout("contoso")
    made.receiver = model.receiver({**options.DEFAULTS, "tenant": "contoso", "sources": SOURCES})
    made.layout, made.present, made.backend = layout, True, "ufw"
    made.files = {layout.main_file: File("new", 0o640)}
    made.all_units = made.units = (layout.unit, f"{layout.guard_unit}.timer")
    made.rules, made.labels, made.labelled = frozenset({"new rule"}), frozenset(), frozenset()
    made.observed = Observed(files={layout.main_file: ("old", 0o640)}, openings=frozenset({"old rule"}))
    return made


def test_a_firewall_that_refuses_brings_back_all_that_was_there(
    engine: host.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    rules: list[Any] = []
    layout = engine.layout

    def run(*command: str) -> Said:
        asked.append(" ".join(command))
        return Said(0, "", "")

    def make(_receiver: Any, _layout: Any, paths: list[str]) -> None:
        for path in paths:
            Path(path).write_text("new certificate")
            Path(tls.key(layout, path)).write_text("new key")

    def change(_backend: str, _label: str, wanted: frozenset[str], present: frozenset[str]) -> None:
        rules.append((set(wanted), set(present)))
        if len(rules) == 1:
            raise RefusedError("open the firewall", "ERROR: problem running ufw-init")

    monkeypatch.setattr(commands, "run", run)
    monkeypatch.setattr(tls, "make", make)
    monkeypatch.setattr(openings, "change", change)
    monkeypatch.setattr(openings, "present", lambda _backend, _label: frozenset({"old rule", "new rule"}))
    monkeypatch.setattr(engine, "_start", lambda _changes: None)
    changes = [
        Change("certificate", f"{layout.tls}/cert.pem", "create", MISSING),
        Change("file", layout.main_file, "update", DIFFERENT),
        Change("opening", "new rule", "create", MISSING),
    ]
    with pytest.raises(RefusedError, match="ufw-init"):
        engine.apply(changes)
    assert {name: Path(layout.config, name).read_text() for name in OLD} == OLD
    assert rules == [({"new rule"}, {"old rule"}), ({"old rule"}, {"old rule", "new rule"})]
    assert f"systemctl restart {layout.unit}" in asked
    assert not Path(layout.applied).exists()


def test_labels_are_made_before_what_may_fail(engine: host.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A roll-back takes labels back: of a port that it had not labelled yet it would be somebody else's."""
    steps: list[tuple[set[str], set[str]]] = []

    def fail(*_args: Any) -> None:
        raise RefusedError("make a key", "openssl is not there")

    monkeypatch.setattr(commands, "run", lambda *_command: Said(0, "", ""))
    monkeypatch.setattr(selinux, "change", lambda _layout, wanted, there: steps.append((set(wanted), set(there))))
    monkeypatch.setattr(tls, "make", fail)
    engine.labels, engine.rules = frozenset({"tcp 6515"}), frozenset()
    with pytest.raises(RefusedError, match="openssl"):
        engine.apply([])
    assert steps == [({"tcp 6515"}, set()), (set(), {"tcp 6515"})]


def test_a_diff_shows_the_configuration_and_no_key(engine: host.Engine) -> None:
    layout, path = engine.layout, f"{engine.layout.tls}/key.pem"
    engine.files[path] = File("canary-new\n", 0o600)
    engine.observed = Observed(files={layout.main_file: ("old", 0o640), path: ("canary-old\n", 0o600)})
    shown = engine.diff([Change("file", name, "update", DIFFERENT) for name in (layout.main_file, path)])
    assert [(part["before"], part["after"]) for part in shown] == [("old", "new"), ("(a secret)\n", "(a new secret)\n")]
    assert "canary" not in str(shown)


def test_where_the_key_of_a_certificate_lies() -> None:
    layout = Layout("contoso")
    keys = [tls.key(layout, f"{layout.tls}/{name}.pem") for name in ("ca", "cert", "clients/a.example")]
    assert keys == [f"{layout.tls}/{name}" for name in ("ca.key", "key.pem", "clients/a.example.key")]


def test_the_certificates_of_a_peer_that_is_gone_go_and_no_other(
    engine: host.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "run", lambda *_command: Said(0, "", ""))
    clients = Path(engine.layout.tls) / "clients"
    clients.mkdir()
    for name in ("proxy.contoso.example", "gone.contoso.example"):
        for ending in ("pem", "key"):
            (clients / f"{name}.{ending}").write_text("made")
    going = [f"{clients}/gone.contoso.example.{ending}" for ending in ("key", "pem")]
    engine.observed = engine._observe()
    changes = [change for change in engine.plan() if change.target.startswith(engine.layout.tls)]
    assert [(change.target, change.action) for change in changes if change.kind == "file"] == [
        (path, "delete") for path in going
    ]
    assert not any(files.restarts(path, engine.layout) for path in going)
    assert files.restarts(f"{engine.layout.tls}/cert.pem", engine.layout)
