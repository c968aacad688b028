# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: YAML files whose keys belong to the vendors, and texts of the same form for worlds of any size."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

import lab
from lab.scenarios import sizes

ROOT = Path(lab.__file__).parent


def read(name: str) -> dict[str, Any]:
    """A scenario's text: what the packages have in files of its name, one file by its path, or a size.

    Whoever loads it takes copies of what they change.

    Raises:
        ValueError: for a name that is none, and for a key that two files have.
    """
    if name.isidentifier() and (paths := sorted(ROOT.glob(f"*/{name}.yml"))):
        return merge(paths)
    if Path(name).is_file():
        return _load(Path(name))
    made = sizes.make(name, _load(sizes.FLEET))
    if made is None:
        raise ValueError(f"there is no scenario '{name}'")
    return made


def merge(paths: list[Path]) -> dict[str, Any]:
    """The keys of all files. Raises ValueError for one that two of them have."""
    text: dict[str, Any] = {}
    for path in paths:
        found = _load(path)
        if both := sorted(text.keys() & found.keys()):
            raise ValueError(f"{path}: another file has {both}, too")
        text |= found
    return text


@cache
def _load(path: Path) -> dict[str, Any]:
    """Parsed once."""
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded
