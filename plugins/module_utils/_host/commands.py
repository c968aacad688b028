# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of the host that an engine runs on."""

from __future__ import annotations

import os
import subprocess
from typing import NamedTuple

from .._core.errors import RefusedError


class Said(NamedTuple):
    """Exit code and output of a command; 127 where there is no such command."""

    code: int
    out: str
    err: str


def run(*command: str, timeout: float = 120) -> Said:
    """A command without a shell, in the C locale."""
    environment = {**os.environ, "LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        return Said(127, "", str(error))
    except subprocess.TimeoutExpired:
        return Said(124, "", f"no end after {timeout:.0f} s")
    return Said(done.returncode, done.stdout, done.stderr)


def must(operation: str, *command: str) -> str:
    """Output of a command that has to succeed. Raises RefusedError with its own text."""
    said = run(*command)
    if said.code:
        raise RefusedError(operation, (said.err or said.out).strip()[-2000:], code=f"exit_{said.code}")
    return said.out
