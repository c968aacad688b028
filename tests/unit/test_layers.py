# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports go down only: modules and actions, vendors, _host, _core; and no package leads back to itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.ansible_tools import ROOT

UTILS = ROOT / "plugins" / "module_utils"
PACKAGE = "ansible_collections.mssp.onboarding.plugins.module_utils"
# What a package may import beside itself; every other package is a vendor's.
LOWER = {"_core": (), "_host": ("_core",), "_aws": ("_core",), "_collector": ("_core", "_host"), "_fleet": ("_core",)}
VENDOR = ("_core", "_host", "_collector", "_aws")
FILES = sorted(UTILS.rglob("*.py"))
PARTS = sorted({path.parent.name for path in (UTILS / "_microsoft").glob("*/*.py")})


def imported(path: Path) -> Iterator[tuple[str, ...]]:
    """Each import of ours as pieces of a path below module_utils; under TYPE_CHECKING too."""
    place = path.relative_to(UTILS).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        named = tuple(node.module.split(".")) if node.module else ()
        if node.level:
            base = place[: len(place) - node.level] + named
        elif node.module and node.module.startswith(PACKAGE):
            base = named[len(PACKAGE.split(".")) :]
        else:
            continue
        for alias in node.names:
            whole = (*base, alias.name)
            yield whole if (UTILS.joinpath(*whole)).with_suffix(".py").exists() else base


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(UTILS)))
def test_no_vendor_imports_another(path: Path) -> None:
    own = path.relative_to(UTILS).parts[0]
    allowed = {own, *LOWER.get(own, VENDOR)}
    assert {pieces[0] for pieces in imported(path)} <= allowed


@pytest.mark.parametrize("part", PARTS)
def test_no_capability_of_microsoft_reaches_into_another(part: str) -> None:
    """What two of them share lies in a package that has no capability, or in a file with another name."""
    for path in (UTILS / "_microsoft" / part).glob("*.py"):
        for pieces in imported(path):
            if pieces[:1] == ("_microsoft",) and len(pieces) > 2 and pieces[1] != part:
                assert pieces[2] not in ("capability", "preflight", "freshness"), f"{path.name}: {'.'.join(pieces)}"


def test_no_file_leads_back_to_itself() -> None:
    edges = {
        path.relative_to(UTILS).with_suffix("").parts: {one for one in imported(path) if _is_file(one)}
        for path in FILES
    }
    done: set[tuple[str, ...]] = set()

    def walk(one: tuple[str, ...], above: tuple[tuple[str, ...], ...]) -> None:
        assert one not in above, " -> ".join("/".join(each) for each in (*above, one))
        if one not in done:
            for below in edges.get(one, ()):
                walk(below, (*above, one))
            done.add(one)

    for one in edges:
        walk(one, ())


def _is_file(pieces: tuple[str, ...]) -> bool:
    return UTILS.joinpath(*pieces).with_suffix(".py").exists()
