# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What editors check a fleet's files with, by scripts/schema."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def generate(root: Path) -> Iterator[tuple[Path, str]]:
    done = subprocess.run([sys.executable, "scripts/schema"], cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    yield root / "inventories/tenant.schema.json", done.stdout
