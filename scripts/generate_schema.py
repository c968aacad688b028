# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What editors check a fleet's files with, by scripts/schema."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory


def generate(root: Path) -> Iterator[tuple[Path, str]]:
    with TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "scripts/schema", "--output", folder], cwd=root, check=True)
        for made in sorted(Path(folder).iterdir()):
            yield root / "inventories" / made.name, made.read_text(encoding="utf-8")
