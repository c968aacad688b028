# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of one's own for a test module: `with running_lab() as lab:`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.client import LabClient

PROSEWARE = "10000000-0000-4000-8000-000000000000"
CONTOSO = "20000000-0000-4000-8000-000000000000"
FABRIKAM = "30000000-0000-4000-8000-000000000000"
TAILSPIN = "40000000-0000-4000-8000-000000000000"
NORTHWIND = "60000000-0000-4000-8000-000000000000"
CLIENT_ID = "a0000000-0000-4000-8000-00000000000a"
SENTINEL = "/subscriptions/10000000-0000-4000-8000-000000000001/resourceGroups/rg-sentinel/providers"
WORKSPACE = f"{SENTINEL}/Microsoft.OperationalInsights/workspaces/law-sentinel"
EVENT_HUB_RULE = f"{SENTINEL}/Microsoft.EventHub/namespaces/evh-sentinel/authorizationRules/diagnostics"
STORAGE = f"{SENTINEL}/Microsoft.Storage/storageAccounts/stsentinel"

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def running_lab(scenario: str = "fleet", *, latency: float = 0.0, throttle: bool = True) -> Iterator[LabClient]:
    """A lab on a free port, in a process of its own, with a state directory that goes with it."""
    with tempfile.TemporaryDirectory(prefix="mssp-lab-") as folder:
        options = ["--scenario", scenario, "--port", "0", "--latency", str(latency)]
        with running("lab", ["serve", *options, *([] if throttle else ["--no-throttle"])], folder, "lab ready"):
            yield LabClient(folder)


@contextmanager
def running(module: str, arguments: list[str], folder: str, ready: str, log: list[str] | None = None) -> Iterator[None]:
    """`python -m MODULE` with a state directory, from the line that says it is ready to its end."""
    command = [sys.executable, "-m", module, *arguments, "--state-dir", folder]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    printed: list[str] = [] if log is None else log
    try:
        for line in process.stdout:
            printed.append(line)
            if line.startswith(ready):
                break
        else:
            raise RuntimeError(f"the lab did not start: {printed}, exit code {process.wait(10)}")
        yield
    finally:
        process.terminate()
        try:
            printed += process.communicate(timeout=10)[0].splitlines(keepends=True)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
