"""Which change of the package is done, and which hosts are taken."""

from __future__ import annotations

import hashlib
import http.client
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import (
    InputError,
    NoAnswerError,
    RefusedError,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import checks, package
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike.package import Installed, plan, same
from ansible_collections.mssp.onboarding.plugins.module_utils._host.changes import Change
from ansible_collections.mssp.onboarding.plugins.module_utils._host.commands import Said

THERE = Installed("deb", "crowdstrike-cs-falconhoseclient", "2.26.0")


@pytest.mark.parametrize(
    ("pinned", "version", "equal"),
    [
        ("2.29.0", "2.29.0", True),
        ("2.29.0", "2.29.0-1", True),
        ("2.29", "2.29.0", True),
        ("2.5.8", "2.5.8+005.u18-siem-release-2.5.8", True),
        ("2.2", "2.29.0", False),
        ("2.29.0-1", "2.29.0", False),
        ("", "2.29.0", False),
    ],
)
def test_a_pin(pinned: str, version: str, equal: bool) -> None:
    assert same(pinned, version) is equal


@pytest.mark.parametrize(
    ("found", "pinned", "policy", "changes"),
    [
        (None, "2.29.0", "never", [Change("package", "2.29.0", "create", "missing")]),
        (THERE, "2.26.0", "never", []),
        (THERE, "", "never", []),
        (THERE, "2.29.0", "upgrade", [Change("package", "2.29.0", "update", "different")]),
        (THERE, "2.29.0", "any", [Change("package", "2.29.0", "update", "different")]),
        (THERE, "2.9.0", "any", [Change("package", "2.9.0", "update", "different")]),
    ],
)
def test_allowed(found: Installed | None, pinned: str, policy: str, changes: list[Change]) -> None:
    assert plan(found, pinned, policy) == changes


@pytest.mark.parametrize(
    ("found", "pinned", "policy", "words"),
    [
        (None, "", "any", "not installed, and none is given"),
        (THERE, "2.29.0", "never", "an upgrade"),
        (THERE, "2.9.0", "never", "a downgrade"),
        (THERE, "2.9.0", "upgrade", "a downgrade"),
    ],
)
def test_refused(found: Installed | None, pinned: str, policy: str, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        plan(found, pinned, policy)


def test_a_sum_that_does_not_fit_is_never_written(tmp_path: Path) -> None:
    there = tmp_path / "package"
    content = b"!<arch>\nrest"
    with pytest.raises(RefusedError, match="its SHA-256 is") as caught:
        package._checked(content, "0" * 64, str(there))
    assert caught.value.code == "wrong_checksum"
    assert not there.exists()
    right = hashlib.sha256(content).hexdigest().upper()
    assert package._checked(content, right, str(there)) is package.TOOLS["deb"]
    with pytest.raises(RefusedError, match="neither a deb nor an rpm"):
        package._checked(b"MZ", hashlib.sha256(b"MZ").hexdigest(), str(there))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"version": "2.29.0", "sha256": ""}, "given together"),
        ({"version": "", "sha256": "0" * 64}, "given together"),
        ({"version": "2.29.0", "sha256": "abc"}, "64 hexadecimal digits"),
    ],
)
def test_a_version_needs_a_sum(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        package._wanted(None, options)


@pytest.mark.parametrize("kept", [False, None])
def test_a_clock_that_nobody_keeps_is_refused_before_anything_is_installed(
    monkeypatch: pytest.MonkeyPatch, kept: bool | None
) -> None:
    monkeypatch.setattr(package.system, "machine", lambda: "x86_64")
    monkeypatch.setattr(package.system, "synchronised", lambda: kept)
    options = {"version": "2.29.0", "sha256": "0" * 64, "version_change": "never", "src": "x.deb"}
    options |= {"allow_unsupported_os": True, "require_time_sync": True}
    with pytest.raises(RefusedError, match="nothing was changed") as caught:
        package._wanted(None, options)
    assert caught.value.code == "clock_refused"


def test_a_password_in_a_url_is_refused_and_not_shown() -> None:
    options = {"version": "2.29.0", "sha256": "0" * 64, "src": "https://user:canary@mirror/x.deb"}
    with pytest.raises(InputError, match="holds a user or password") as caught:
        package._wanted(None, options)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("error", [OSError("refused"), http.client.IncompleteRead(b"!<arch>")])
def test_a_download_that_is_cut_is_said(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def cut(*_args: Any, **_given: Any) -> None:
        raise error

    monkeypatch.setattr(package, "open_url", cut)
    with pytest.raises(NoAnswerError, match=r"http://mirror/x\.deb"):
        package._content("http://mirror/x.deb")


@pytest.mark.parametrize(("code", "absent"), [(1, True), (127, True), (2, False), (124, False)])
def test_a_package_manager_that_cannot_say_is_not_one_that_says_no(
    monkeypatch: pytest.MonkeyPatch, code: int, absent: bool
) -> None:
    monkeypatch.setattr(package.commands, "run", lambda *_command: Said(code, "", "database is damaged"))
    if absent:
        assert package.find() is None
    else:
        with pytest.raises(RefusedError, match="database is damaged"):
            package.find()


def test_a_change_needs_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said in check mode, too."""
    monkeypatch.setattr(package.system, "machine", lambda: "x86_64")
    options = {"version": "2.29.0", "sha256": "0" * 64, "version_change": "never", "src": ""}
    options |= {"allow_unsupported_os": True, "require_time_sync": False}
    with pytest.raises(InputError, match="is needed for it"):
        package._wanted(None, options)
    assert package._wanted(THERE._replace(version="2.29.0"), options) == []
    assert package._wanted(None, {**options, "src": "http://mirror/x.deb"})


@pytest.mark.parametrize(
    ("name", "version", "taken"),
    [
        ("ubuntu", "20.04", True),
        ("ubuntu", "22.04", False),
        ("rhel", "8.10", True),
        ("rhel", "9.4", False),
        ("centos", "7", True),
        ("debian", "12", False),
        ("", "", False),
    ],
)
def test_systems(name: str, version: str, taken: bool) -> None:
    release = {"ID": name, "VERSION_ID": version}
    checks.system(release, True)
    if taken:
        checks.system(release, False)
    else:
        with pytest.raises(RefusedError, match="is not among the systems"):
            checks.system(release, False)


def test_machines_and_clocks() -> None:
    checks.machine("x86_64")
    with pytest.raises(RefusedError, match="this host is aarch64"):
        checks.machine("aarch64")
    checks.clock(True)
    with pytest.raises(RefusedError, match="nothing keeps"):
        checks.clock(False)
    with pytest.raises(RefusedError, match="neither chronyc nor timedatectl"):
        checks.clock(None)
