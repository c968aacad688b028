"""What every playbook refuses before it begins: a run that reaches less than it seems to."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from lab.testing import ROOT
from tests import warm

PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))
EXAMPLE = str(ROOT / "inventories/example")
LOOSE = "[defaults]\ncollections_path = {}\nnocows = true\n"


def run(folder: Path, *arguments: str, config: str = str(ROOT / "ansible.cfg")) -> tuple[int, str]:
    """Exit code, and what was printed, as one line."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AZURE_", "MSSP_"))}
    done = warm.run(
        [PLAYBOOK, *arguments],
        cwd=folder,
        env={**clean, "ANSIBLE_CONFIG": config, "MSSP_EVIDENCE_ROOT": str(folder / "evidence")},
        timeout=120,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_a_limit_that_leaves_out_a_collector(tmp_path: Path) -> None:
    code, out = run(tmp_path, "-i", EXAMPLE, "mssp.onboarding.verify", "-l", "woodgrove,adatom")
    assert code == 2
    assert "Nothing was done. --limit adatom: no tenant, host or group is named so (did you mean adatum" in out
    assert "the limit takes woodgrove without its collectors" in out
    assert "write -l woodgrove,tenant_woodgrove" in out
    assert "Syslog receiver" not in out


def test_offboard_leaves_no_collector_behind_even_where_the_limit_says_so(tmp_path: Path) -> None:
    limit = ("-l", "woodgrove:!collectors", "-e", "offboard_confirm=woodgrove")
    code, out = run(tmp_path, "-i", EXAMPLE, "mssp.onboarding.offboard", *limit)
    assert code == 2
    assert "Nothing was removed. This run does not reach woodgrove-" in out
    assert "Limit it to woodgrove,tenant_woodgrove." in out


def test_tags_that_choose_nothing(tmp_path: Path) -> None:
    code, out = run(
        tmp_path, "-i", EXAMPLE, "mssp.onboarding.onboard", "--tags", "azure_diagnostic", "-e", "drift_corect=1"
    )
    assert code == 2
    assert "-e drift_corect: no such variable (did you mean drift_correct?)" in out
    assert "--tags azure_diagnostic: no capability is named so (did you mean azure_diagnostics?)" in out


@pytest.mark.parametrize("inventory", [(), ("-i", "nowhere")])
def test_no_inventory_and_settings_that_let_it_pass(tmp_path: Path, inventory: tuple[str, ...]) -> None:
    (tmp_path / "loose.cfg").write_text(LOOSE.format(ROOT / "collections"), encoding="utf-8")
    code, out = run(tmp_path, *inventory, "mssp.onboarding.drift", config=str(tmp_path / "loose.cfg"))
    assert code == 2
    assert "Nothing was done. this run reaches no tenant" in out


def test_a_schedule_for_nobody(tmp_path: Path) -> None:
    hosts = ("-e", "schedule_hosts=has_drift_schedul", "--check")
    code, out = run(tmp_path, "-i", EXAMPLE, "mssp.onboarding.schedule", *hosts)
    assert code == 2
    assert "No host of this inventory is in has_drift_schedul." in out
