"""Runs the Ansible command lines that lie beside the running interpreter."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests import warm

ROOT = Path(__file__).resolve().parents[2]


def run(tool: str, *arguments: str | Path, cwd: Path, **environment: str) -> str:
    """Returns what the tool printed; a failure or a warning is an AssertionError with all of it."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MSSP_", "AZURE_"))}
    command = [str(Path(sys.executable).parent / tool), *map(str, arguments)]
    done = warm.run(
        command,
        cwd=cwd,
        env=clean | environment,
    )
    assert done.returncode == 0, f"{tool} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "[WARNING]" not in done.stderr, done.stderr
    assert "[DEPRECATION WARNING]" not in done.stderr, done.stderr
    return done.stdout
