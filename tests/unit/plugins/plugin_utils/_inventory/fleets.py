"""Fleets to read in tests, and what the checks say about them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.fleet import Fleet, read_fleet, read_single
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import load_schema
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.shared import Surroundings
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.yaml import Types

GUID = "{}0000000-0000-4000-8000-000000000000"
WORKSPACE = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/"


# Of the file below, for tests that take a line away.
CLIENT = "  client_id: a0000000-0000-4000-8000-00000000000a\n"
CERTIFICATE = "  client_certificate_path: /etc/app.pem\n"


def tenant_text(slug: str, number: int, *lines: str) -> str:
    """A right tenant file of 9 lines, the rest from line 10 on: options of azure_diagnostics begin there."""
    return "\n".join(
        (
            "plugin: mssp.onboarding.tenants",
            f"slug: {slug}",
            f"name: {slug.title()}",
            "azure:",
            f"  tenant_id: {GUID.format(number)}",
            "  client_id: a0000000-0000-4000-8000-00000000000a",
            "  client_certificate_path: /etc/app.pem",
            "sources:",
            "  azure_diagnostics:",
            *lines,
            "",
        )
    )


def workspace(number: int) -> str:
    return f"{WORKSPACE.replace('/1/', f'/{GUID.format(number)}/')}law"


def whole_tenant(slug: str, number: int, *lines: str) -> str:
    """The same with a destination, on line 10: the plugin itself asks for one."""
    return tenant_text(slug, number, f"    workspace_id: {workspace(number)}", *lines)


def make_fleet(folder: Path, files: dict[str, str]) -> Path:
    """Write the files, by path in the fleet's folder, beside a fleet file; return that."""
    for name, text in {"fleet.yml": "plugin: mssp.onboarding.tenants\n", **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "fleet.yml"


def find_vars(folder: str, name: str) -> list[str]:
    """As DataLoader.find_vars_files, for plain files with the extension .yml."""
    path = os.path.join(folder, f"{name}.yml")
    return [path] if os.path.exists(path) else []


def surroundings(**changes: Any) -> Surroundings:
    """Those of a run without extra variables, in an empty environment."""
    values: dict[str, Any] = {
        "types": Types(),
        "find_vars": find_vars,
        "load": yaml.safe_load,
        "wrong_wish": lambda *_: ("", ""),  # most files of these tests have no destination
        "extra_vars": frozenset(),
        "environment": {},
    }
    return Surroundings(**(values | changes))


def read(fleet_file: Path, **changes: Any) -> Fleet:
    """The fleet, read with the roles of this collection."""
    return read_fleet(str(fleet_file), load_schema(), surroundings(**changes))


def read_one(path: Path, **changes: Any) -> Fleet:
    """One tenant by its file."""
    return read_single(str(path), load_schema(), surroundings(**changes))


def problems(fleet: Fleet) -> list[str]:
    """The problems, with paths from the fleet's folder on."""
    return [str(problem).removeprefix(f"{fleet.folder}/") for problem in sorted(set(fleet.problems))]
