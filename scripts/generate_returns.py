# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules have in common in RETURN, from scripts/generate_returns.yml.

A module names a key (under contains of summary, too), and its description comes from there. What only the module has is
its own, and stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from scripts.generate_actions import MODULES
from scripts.generate_yaml import dump

RETURN = re.compile(r'(?<=^RETURN = r""")\n.*?(?=^""")', re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^(\w+):\n(?:(?: .*)?\n)*", re.MULTILINE)


def generate(root: Path) -> Iterator[tuple[Path, str]]:
    common = yaml.safe_load((root / "scripts/generate_returns.yml").read_text(encoding="utf-8"))
    optional = common.pop("optional")
    for path in sorted((root / "plugins/modules").glob("[!_]*.py")):
        declared = import_module(f"{MODULES}.{path.stem}").MODULE
        text = path.read_text(encoding="utf-8")
        found = RETURN.search(text)
        if found is None:
            raise ValueError(f"{path.name} has no RETURN")
        blocks = [
            described(block[1], block[0], common, optional, declared.capability) for block in BLOCK.finditer(found[0])
        ]
        yield path, text[: found.start()] + "\n" + "".join(blocks) + text[found.end() :]


def described(key: str, block: str, common: dict[str, Any], optional: dict[str, Any], capability: str) -> str:
    """The lines of one key, as they are where it is the module's own."""
    if key not in common:
        return block
    if key == "summary":
        return dump({key: summary(common[key], yaml.safe_load(block)[key], optional, capability)})
    return dump({key: common[key]})


def summary(common: dict[str, Any], own: dict[str, Any], optional: dict[str, Any], capability: str) -> dict[str, Any]:
    """What every summary has, then what the module names: described in common where several have it."""
    everybody = dict(common["contains"])
    name = everybody["capability"]
    everybody["capability"] = {**name, "description": name["description"] % capability}
    named = {
        key: optional.get(key, value) for key, value in (own.get("contains") or {}).items() if key not in everybody
    }
    return {**common, "contains": everybody | named}
