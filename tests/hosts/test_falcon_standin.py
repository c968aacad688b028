# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in packages: their names and files, and a deb's whole life on a booted host; rpm as far as Debian goes."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.client import LabClient
from lab.testing import running_lab
from tests.hosts.conftest import Boot, require_hosts
from tests.hosts.falcon_standin.build import CONFIGS, ETC, LOGS, NAME, UNIT, USER, build_deb, build_rpm
from tests.hosts.falcon_standin.reach import lab_on
from tests.hosts.falcon_standin.run import edit, until
from tests.hosts.falcon_standin.samples import SINCE, TWICE, sample
from tests.hosts.nspawn import Host

PACKAGE = "crowdstrike-cs-falconhoseclient"
MAIN = f"/{ETC}/{NAME}.cfg"


def require_rpm() -> None:
    require_hosts()
    if shutil.which("rpmbuild") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("there is no rpmbuild")


def run(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


# -- files ------------------------------------------------------------------------------------------------------------


def test_the_deb(tmp_path: Path) -> None:
    made = build_deb(tmp_path)
    assert made.name == f"{PACKAGE}_2.29.0_amd64.deb"
    fields = run("dpkg-deb", "--field", made, "Package", "Version", "Architecture", "Depends").split("\n")
    assert fields[:4] == [f"Package: {PACKAGE}", "Version: 2.29.0", "Architecture: amd64", "Depends: python3"]
    first = made.read_bytes()
    assert build_deb(tmp_path).read_bytes() == first  # its checksum may be pinned


def test_the_rpm(tmp_path: Path) -> None:
    require_rpm()
    made = build_rpm(tmp_path, "2.26.0")
    assert made.name == f"{NAME}-2.26.0-1.x86_64.rpm"
    assert run("rpm", "-qcp", made).split() == sorted(f"/{ETC}/{name}" for name in CONFIGS.values())
    assert f"/opt/crowdstrike/bin/{NAME}" in run("rpm", "-qlp", made).split()
    root = tmp_path / "root"
    run("rpm", "--root", root, "-i", "--nodeps", "--noscripts", made)
    assert run("rpm", "--root", root, "-q", NAME).strip() == f"{NAME}-2.26.0-1.x86_64"
    assert (root / ETC / f"{NAME}.cfg").read_text() == sample("", "2.26.0")
    run("rpm", "--root", root, "-e", "--noscripts", NAME)
    assert not (root / ETC / f"{NAME}.cfg").exists()


@pytest.mark.parametrize("style", CONFIGS)
def test_the_traps_of_the_configuration(style: str) -> None:
    text = sample(style, "2.29.0")
    with pytest.raises(configparser.DuplicateOptionError):
        configparser.ConfigParser(interpolation=None).read_string(text)
    section, seen, twice = "", set(), []
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and line[0] not in "#;":
            key = (section, line.partition("=")[0].strip())
            twice += [key] if key in seen else []
            seen.add(key)
    assert {name: [item[0] for item in twice].count(name) for name, _key in twice} == TWICE
    assert len(twice) == 10
    assert '"|":"\\|","\\\\":"\\\\\\\\"' in text
    assert "\n;" in text


def test_versions_differ() -> None:
    for name in SINCE:
        assert name in sample("", "2.29.0")
        assert name not in sample("", "2.26.0")


# -- a booted host ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lab() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


def install(host: Host, package: Path) -> None:
    (host.root / "opt" / package.name).write_bytes(package.read_bytes())
    host.run(f"dpkg -i --force-confold /opt/{package.name}")


def configure(host: Host, lab: LabClient) -> None:
    client_id, secret = lab.crowdstrike.client("contoso")
    text = host.run(f"cat {MAIN}").stdout
    for key, value in (
        ("api_url", f"{lab.crowdstrike.url}/sensors/entities/datafeed/v2"),
        ("request_token_url", f"{lab.crowdstrike.url}/oauth2/token"),
        ("client_id", client_id),
        ("client_secret", secret),
    ):
        text = edit(text, key, value)
    host.run(f"install -o {USER} -m 0600 /dev/stdin {MAIN}", stdin=text)


def offset(host: Host) -> str:
    return host.run(f"cat {LOGS}/stream_offsets", check=False).stdout


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_the_life_of_a_deb(boot: Boot, lab: LabClient, tmp_path: Path, suite: str) -> None:
    host = boot(suite, f"standin-{suite}")
    lab.reset()
    with lab_on(host, lab):
        install(host, build_deb(tmp_path, "2.26.0"))
        assert host.run(f"systemctl is-active {UNIT}", check=False).stdout.strip() == "inactive"
        configure(host, lab)
        host.run(f"systemctl enable --now {UNIT}")
        lab.crowdstrike.emit("contoso", 3)
        until(lambda: "4713" in offset(host), lambda: host.run(f"journalctl -u {UNIT}").stdout)
        host.run(f"systemctl stop {UNIT}")
        lab.crowdstrike.emit("contoso", 2)
        install(host, build_deb(tmp_path, "2.29.0"))
        assert "4713" in offset(host)
        host.run(f"systemctl start {UNIT}")
        until(lambda: "4715" in offset(host), lambda: host.run(f"journalctl -u {UNIT}").stdout)
        assert host.run(f"grep -c customerIDString {LOGS}/output").stdout.strip() == "5"
        assert "Heartbeat" in host.run(f"cat {LOGS}/{NAME}.log").stdout
        host.run(f"dpkg --purge {PACKAGE}")
        assert host.run(f"systemctl is-active {UNIT}", check=False).stdout.strip() == "inactive"
        assert "4715" in offset(host)
