"""The package engine with rpm, as far as a Debian machine goes: a root of its own, no scripts, no dependencies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import catalog, memory, package, system
from ansible_collections.mssp.onboarding.plugins.module_utils._host import commands, lock
from tests.hosts.falcon_standin.build import build_rpm
from tests.hosts.test_falcon_standin import require_rpm

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The engine of falcon_connector_package on a root below tmp_path."""
    require_rpm()
    root = tmp_path / "root"
    root.mkdir()
    real = commands.run

    def below(*command: str, timeout: float = 120) -> commands.Said:
        if command[0] == "dpkg-query":
            return commands.Said(127, "", "not on this host")
        options = ["--noscripts", *(["--nodeps"] if "--upgrade" in command else [])]
        words = command[1:] if "--query" in command else (command[1], *options, *command[2:])
        return real(command[0], "--root", str(root), *words, timeout=timeout)

    monkeypatch.setattr(commands, "run", below)
    monkeypatch.setattr(lock, "FOLDER", str(tmp_path / "lock"))
    monkeypatch.setattr(system, "STATE", str(tmp_path / "state"))
    monkeypatch.setattr(memory, "_PACKAGE", str(tmp_path / "state" / "_package"))

    def engine(source: Path | None = None, version: str = "", *, check: bool = False, **options: Any) -> dict[str, Any]:
        params = {
            "state": "present",
            "src": str(source or ""),
            "version": version,
            "sha256": hashlib.sha256(source.read_bytes()).hexdigest() if source else "",
            "version_change": "never",
            "allow_unsupported_os": True,
            "require_time_sync": False,
            **options,
        }
        return execute(package.run, catalog.CAPABILITY, params, check=check, diff=True)

    return engine


def test_the_life_of_an_rpm(run: Run, tmp_path: Path) -> None:
    old, new = build_rpm(tmp_path, "2.26.0"), build_rpm(tmp_path, "2.29.0")
    assert run()["problems"][0]["code"] == "not_installed"
    assert run(old, "2.26.0", sha256="0" * 64)["problems"][0]["code"] == "wrong_checksum"
    assert run(old, "2.29.0")["problems"][0]["code"] == "other_version"
    assert run(old, "2.26.0", check=True)["changed"]
    assert package.find() is None
    assert run(old, "2.26.0")["changed"]
    assert package.find() == package.Installed("rpm", "cs.falconhoseclient", "2.26.0-1")
    assert not run(old, "2.26.0")["changed"]
    assert run(new, "2.29.0")["problems"][0]["code"] == "version_change_refused"
    done = run(new, "2.29.0", version_change="upgrade")
    assert done["diff"] == [{"before": "cs.falconhoseclient 2.26.0-1\n", "after": "2.29.0\n"}]
    assert package.installed() == "2.29.0-1"
    assert run(old, "2.26.0", version_change="upgrade")["failed"]
    assert run(old, "2.26.0", version_change="any")["changed"]
    assert package.installed() == "2.26.0-1"
    assert run(state="absent")["changed"]
    assert package.find() is None
    assert not run(state="absent")["changed"]


def test_a_package_that_was_there_before_stays(run: Run, tmp_path: Path) -> None:
    made = build_rpm(tmp_path, "2.29.0")
    commands.must("install by hand", "rpm", "--upgrade", str(made))
    assert not run(made, "2.29.0")["changed"]
    assert not run(state="absent")["changed"]
    assert package.installed() == "2.29.0-1"
