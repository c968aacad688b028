"""Everything that scripts/generate makes is up to date, and says what it was made from."""

from __future__ import annotations

import subprocess
import sys

from tests.unit.ansible_tools import ROOT


def test_nothing_is_stale() -> None:
    """Run scripts/generate after a change of roles/*/meta."""
    run = subprocess.run([sys.executable, "scripts/generate", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
