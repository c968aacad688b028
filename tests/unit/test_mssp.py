# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scripts/mssp: which command each of its own stands for."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "mssp"
# Asked by the other playbooks, or by a controller's own job.
NO_VERBS = {"verdict"}


@pytest.fixture(scope="module")
def mssp() -> ModuleType:
    spec = spec_from_loader("mssp", SourceFileLoader("mssp", str(SCRIPT)))
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("preflight", "ansible-playbook mssp.onboarding.preflight"),
        ("verify contoso", "ansible-playbook mssp.onboarding.verify -l contoso,tenant_contoso"),
        ("drift a-b c", "ansible-playbook mssp.onboarding.drift -l a-b,tenant_a_b,c,tenant_c"),
        ("status", "ansible-playbook mssp.onboarding.fleet_status"),
        (
            "offboard contoso -i inventories/prod -e offboard_confirm=contoso -t duo_logs --check --diff",
            "ansible-playbook -i inventories/prod mssp.onboarding.offboard -l contoso,tenant_contoso "
            "-e offboard_confirm=contoso -t duo_logs --check --diff",
        ),
        ("onboard -- --forks 20 -l ring_early", "ansible-playbook mssp.onboarding.onboard --forks 20 -l ring_early"),
        ("report --markdown -", f"{sys.executable} {ROOT}/scripts/report --markdown -"),
        ("new-tenant -h", f"{sys.executable} {ROOT}/scripts/new-tenant -h"),
    ],
)
def test_each_verb_stands_for_one_command(mssp: ModuleType, words: str, wanted: str) -> None:
    assert mssp.command(words.split()) == wanted.split()


def test_every_playbook_has_a_verb(mssp: ModuleType) -> None:
    known = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    assert {name for name, _text in mssp.PLAYBOOKS.values()} == known - NO_VERBS


@pytest.mark.parametrize("words", [[], ["onbord"], ["status", "contoso"], ["verify", "--limit", "x"]])
def test_what_it_does_not_know_is_refused(mssp: ModuleType, words: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        mssp.command(words)


def test_tenants_are_completed_from_the_inventory(mssp: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "tenants").mkdir()
    for slug in ("fabrikam", "contoso"):
        (tmp_path / f"tenants/{slug}.yml").touch()
    (tmp_path / "fleet.yml").touch()
    for given in (tmp_path, tmp_path / "fleet.yml"):
        assert mssp._tenants(argparse.Namespace(inventory=[str(given)])) == ["contoso", "fabrikam"]


def test_the_command_is_printed_and_takes_its_place(tmp_path: Path) -> None:
    fake = tmp_path / "ansible-playbook"
    fake.write_text('#!/bin/sh\necho "$@"; exit 3\n', encoding="utf-8")
    fake.chmod(0o755)
    (tmp_path / "python").symlink_to(sys.executable)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": ""}
    command = [tmp_path / "python", SCRIPT, "verify", "contoso"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 3, done.stderr
    assert done.stdout == "mssp.onboarding.verify -l contoso,tenant_contoso\n"
    assert done.stderr == "+ ansible-playbook mssp.onboarding.verify -l contoso,tenant_contoso\n"
