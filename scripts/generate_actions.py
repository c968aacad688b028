# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of each module, and the action group of each vendor."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module
from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import load_capabilities
from scripts.generate_yaml import dump

MODULES = "ansible_collections.mssp.onboarding.plugins.modules"
# A file for each, since documentation tools take a link or a redirect for another name of the same plugin, and Ansible
# loads a file in the parent, before it forks, with what its module imports.
ACTION = """\
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
\"\"\"Made by scripts/generate: the action of the module of the same name.\"\"\"

from __future__ import annotations

from ansible_collections.mssp.onboarding.plugins.modules.{name} import MODULE
from ansible_collections.mssp.onboarding.plugins.plugin_utils._action import EngineAction


class ActionModule(EngineAction):
    MODULE = MODULE
"""
RUNTIME = """\
---
# Made by scripts/generate. A vendor's group holds the modules that its package has.
requires_ansible: ">=2.18.0"
"""


def generate(root: Path) -> Iterator[tuple[Path, str]]:
    for name in _modules(root):
        yield root / "plugins/action" / f"{name}.py", ACTION.format(name=name)
    yield root / "meta/runtime.yml", RUNTIME + dump({"action_groups": action_groups(root)})


def action_groups(root: Path) -> dict[str, list[str]]:
    """Vendor to its modules: those whose engine is in the same package as that of one of its capabilities.

    Where these share options, those that work on a collector are not among them: they have none of these.
    """
    packages = {name: _package(name) for name in _modules(root)}
    groups: dict[str, list[str]] = {}
    for capability in load_capabilities(str(root / "roles")).values():
        if capability.vendor:
            own = {packages[name] for name in capability.modules.values()}
            groups[capability.vendor] = [
                name
                for name, package in packages.items()
                if package in own and not (capability.shared and _declared(name).on_host)
            ]
    return dict(sorted(groups.items()))


def _modules(root: Path) -> list[str]:
    return sorted(path.stem for path in (root / "plugins/modules").glob("[!_]*.py"))


def _declared(module: str) -> Module:
    found: Module = import_module(f"{MODULES}.{module}").MODULE
    return found


def _package(module: str) -> str:
    """The package of module_utils that the module's engine is in."""
    engine = str(_declared(module).engine.__module__)
    return engine.partition(".module_utils.")[2].partition(".")[0]
