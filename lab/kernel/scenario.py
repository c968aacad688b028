# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: YAML files whose keys belong to the vendors, and texts of the same form for worlds of any size."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lab.scenarios import sizes
from lab.scenarios.sizes import FOLDER


def read(name: str) -> dict[str, Any]:
    """A scenario's text: a file of lab/scenarios by its name, any other file by its path, or a size.

    Whoever loads it takes copies of what they change.

    Raises:
        ValueError: for a name that is none.
    """
    for path in (FOLDER / f"{name}.yml", Path(name)):
        if path.is_file():
            return load(path)
    made = sizes.make(name, load(FOLDER / "fleet.yml"))
    if made is None:
        raise ValueError(f"there is no scenario '{name}'")
    return made


@cache
def load(path: Path) -> dict[str, Any]:
    """Parsed once."""
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded
