# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom in the lab, those imports included that are for type checkers only."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import lab
from lab.kernel.registration import names

ROOT = Path(lab.__file__).parent
KERNEL = "lab.kernel"
# For people and tests; a kernel or a vendor's server side needs none of it.
CLIENTS = ("lab.client", "lab.testing")


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(ROOT.rglob("*.py"))}


def imports(path: Path) -> set[str]:
    """Modules of the lab that a file names in imports, wherever they stand."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {item.name for item in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            base = str(node.module)
            inner = {f"{base}.{item.name}" for item in node.names}
            found |= inner & set(MODULES) or {base}
    return {name for name in found if name in MODULES} - {module_of(path)}


GRAPH = {name: imports(path) for name, path in MODULES.items()}


def package_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def acyclic(graph: dict[str, set[str]]) -> list[str]:
    """The modules of a circle; none when there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_by_a_detour() -> None:
    assert acyclic(GRAPH) == []


def test_no_package_imports_itself_by_a_detour() -> None:
    packages: dict[str, set[str]] = {}
    for module, found in GRAPH.items():
        packages.setdefault(package_of(module), set()).update(
            package_of(name) for name in found if package_of(name) != package_of(module)
        )
    assert acyclic(packages) == []


def test_a_circle_is_found() -> None:
    assert acyclic({"a": {"b"}, "b": {"a"}}) != []


def test_the_kernel_imports_no_vendor() -> None:
    inside = {name: found for name, found in GRAPH.items() if name.startswith(KERNEL)}
    assert len(inside) > 8
    allowed = (KERNEL, "lab.scenarios")
    assert {name: bad for name, found in inside.items() if (bad := {x for x in found if not _below(x, allowed)})} == {}


def _below(module: str, packages: tuple[str, ...]) -> bool:
    return module == "lab" or package_of(module) in packages


def test_the_kernel_names_no_vendor() -> None:
    """Not even in a string, by which it could import one."""
    for name, path in MODULES.items():
        if name.startswith(KERNEL):
            said = {
                node.value
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value
            }
            assert said & {*names("vendor"), *(f"lab.{vendor}" for vendor in names("vendor"))} == set(), name


@pytest.mark.parametrize("vendor", names("client"))
def test_clients_are_of_nothing_but_the_standard_library(vendor: str) -> None:
    """They run where the lab's own requirements are not installed."""
    for module in (f"lab.{vendor}.client", f"lab.{vendor}", *CLIENTS):
        assert GRAPH[module] <= {"lab", *CLIENTS}, module
        for node in ast.walk(ast.parse(MODULES[module].read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                named = [item.name for item in node.names] if isinstance(node, ast.Import) else [str(node.module)]
                assert {name.split(".")[0] for name in named}.isdisjoint({"aiohttp", "jwt", "yaml", "cryptography"})


def test_servers_need_no_client() -> None:
    outside = {f"lab.{name}.client" for name in names("client")} | {"lab.receivers.testing", *CLIENTS, "lab.__main__"}
    for module in set(MODULES) - outside:
        assert GRAPH[module].isdisjoint(CLIENTS), module
