# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the stand-in packages: build_deb(folder), build_rpm(folder); `python -m` this makes a deb in a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.hosts.falcon_standin.samples import sample

HERE = Path(__file__).parent
NAME = "cs.falconhoseclient"
UNIT = f"{NAME}d.service"
ROOT = Path("opt/crowdstrike")
ETC = ROOT / "etc"
CONFIGS = {"": f"{NAME}.cfg", "cef": f"{NAME}.cef.cfg", "leef": f"{NAME}.leef.cfg"}
LOGS = "/var/log/crowdstrike/falconhoseclient"
SUMMARY = "Stand-in for CrowdStrike's SIEM connector, for tests only"
USER = "daemon"

_BIN = """\
#!/usr/bin/env python3
# Stand-in for tests, not CrowdStrike's program.
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "lib"))
from falcon_standin.main import main

sys.exit(main(ROOT))
"""
_UNIT = f"""\
# Stand-in for tests. What the vendor's unit says is not known: User, UMask and the limits are a public recipe's.
[Unit]
Description={SUMMARY}
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=/{ROOT}/bin/{NAME} -nodaemon
User={USER}
UMask=0022
LimitNOFILE=10000
Restart=on-failure
RestartSec=1

[Install]
WantedBy=multi-user.target
"""
_AFTER_INSTALL = f"""\
install -d -o {USER} -g {USER} -m 0755 {LOGS}
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
"""
_BEFORE_REMOVE = f"""\
if [ -d /run/systemd/system ]; then systemctl disable --now {UNIT} || true; fi
"""
_AFTER_REMOVE = """\
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
"""


def build_deb(folder: Path, version: str = "2.29.0") -> Path:
    """crowdstrike-cs-falconhoseclient_<version>_amd64.deb in the folder."""
    root = tree(folder / f"deb-{version}", version)
    control = root / "DEBIAN"
    control.mkdir()
    fields = {
        "Package": f"crowdstrike-{NAME.replace('.', '-')}",
        "Version": version,
        "Architecture": "amd64",
        "Maintainer": "the mssp.onboarding contributors <nobody@lab.example>",
        "Depends": "python3",
        "Description": SUMMARY,
    }
    (control / "control").write_text("".join(f"{key}: {value}\n" for key, value in fields.items()), "utf-8")
    (control / "conffiles").write_text("".join(f"/{ETC / name}\n" for name in CONFIGS.values()), "utf-8")
    for name, when, script in (
        ("postinst", "configure", _AFTER_INSTALL),
        ("prerm", "remove", _BEFORE_REMOVE),
        ("postrm", "remove", _AFTER_REMOVE),
    ):
        _write(control / name, f'#!/bin/sh\nset -e\nif [ "$1" = {when} ]; then\n{script}fi\n', 0o755)
    made = folder / f"{fields['Package']}_{version}_amd64.deb"
    _run("dpkg-deb", "--root-owner-group", "--build", str(root), str(made))
    shutil.rmtree(root)
    return made


def build_rpm(folder: Path, version: str = "2.29.0") -> Path:
    """cs.falconhoseclient-<version>-1.x86_64.rpm in the folder. Needs rpmbuild, of the Debian package rpm."""
    top = folder / f"rpm-{version}"
    root = tree(top / "tree", version)
    files = sorted(f"/{path.relative_to(root)}" for path in root.rglob("*") if path.is_file())
    configs = {f"/{ETC / name}" for name in CONFIGS.values()}
    spec = top / f"{NAME}.spec"
    spec.write_text(
        "\n".join(
            (
                f"Name: {NAME}\nVersion: {version}\nRelease: 1\nSummary: {SUMMARY}\nLicense: GPL-3.0-or-later",
                "AutoReqProv: no\nRequires: /usr/bin/python3\n%description",
                SUMMARY,
                f"%install\ncp -a {root}/. %{{buildroot}}/",
                f"%post\n{_AFTER_INSTALL}",
                f"%preun\nif [ $1 = 0 ]; then\n{_BEFORE_REMOVE}fi",
                f"%postun\n{_AFTER_REMOVE}",
                "%files",
                *(f"%config(noreplace) {name}" if name in configs else name for name in files),
                "",
            )
        ),
        "utf-8",
    )
    defines = {"_topdir": str(top), "_build_id_links": "none", "debug_package": "%{nil}", "__os_install_post": "%{nil}"}
    options = [text for key, value in defines.items() for text in ("--define", f"{key} {value}")]
    _run("rpmbuild", "-bb", "--quiet", "--target", "x86_64", *options, str(spec))
    [built] = (top / "RPMS").rglob("*.rpm")
    made = Path(shutil.move(built, folder / built.name))
    shutil.rmtree(top)
    return made


def tree(root: Path, version: str) -> Path:
    """What the package installs, below `root`."""
    library = root / ROOT / "lib/falcon_standin"
    library.mkdir(parents=True)
    for path in sorted((HERE / "daemon").glob("*.py")):
        _write(library / path.name, path.read_text("utf-8"))
    _write(root / ROOT / "bin" / NAME, _BIN, 0o755)
    for style, name in CONFIGS.items():
        _write(root / ETC / name, sample(style, version))
    _write(root / "usr/lib/systemd/system" / UNIT, _UNIT)
    return root


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(mode)


def _run(*command: str) -> None:
    """Reproducible: the same tree gives the same package."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1767225600"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"«{' '.join(command)}» ended with {done.returncode}:\n{done.stderr}")


if __name__ == "__main__":
    print(build_deb(Path(sys.argv[1]), *sys.argv[2:]))
