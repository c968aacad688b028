"""The JSON Schema for editors: up to date, and of one mind with the inventory plugin."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import load_schema
from tests.unit.ansible_tools import ROOT
from tests.unit.plugins.plugin_utils._inventory.fleets import make_fleet, problems, read, tenant_text

COMMITTED = ROOT / "inventories" / "tenant.schema.json"
TENANTS = sorted(ROOT.glob("inventories/*/tenants/*.yml"))


class Loader(yaml.SafeLoader):
    """Reads an encrypted value as its text, as editors do that know the tag."""


Loader.add_constructor("!vault", lambda loader, node: loader.construct_scalar(node))


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(COMMITTED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def errors(validator: jsonschema.Draft202012Validator, text: str) -> list[str]:
    return [error.message for error in validator.iter_errors(yaml.load(text, Loader=Loader))]


def test_the_committed_file_is_what_the_script_writes(tmp_path: Path) -> None:
    script = [sys.executable, str(ROOT / "scripts" / "schema")]
    printed = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    subprocess.run([*script, "--output", str(tmp_path / "out.json")], check=True)
    assert (tmp_path / "out.json").read_text(encoding="utf-8") == printed
    assert COMMITTED.read_text(encoding="utf-8") == printed, (
        "out of date: scripts/schema --output inventories/tenant.schema.json"
    )


@pytest.mark.parametrize("path", TENANTS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_our_tenant_files_fit_and_name_the_schema(path: Path, validator: jsonschema.Draft202012Validator) -> None:
    text = path.read_text(encoding="utf-8")
    assert errors(validator, text) == []
    (line,) = [line for line in text.splitlines() if line.startswith("# yaml-language-server: ")]
    assert (path.parent / line.partition("$schema=")[2]).resolve() == COMMITTED


def test_there_are_tenant_files() -> None:
    assert {path.parts[-3] for path in TENANTS} == {"example", "lab"}


def test_every_option_is_described(validator: jsonschema.Draft202012Validator) -> None:
    described: dict[str, Any] = validator.schema["$defs"]["options"]
    assert set(described) == set(load_schema().options)
    for name, option in described.items():
        assert option["description"], name
        assert "V(" not in option["description"], name
    assert described["azure_diagnostics_cloud"]["default"] == "azure_public"


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("  azure_diagnostics_exact: true", True),
        ("  azure_diagnostics_exact: 'true'", False),
        ("  azure_diagnostics_exact: '{{ exact }}'", True),
        ("  azure_diagnostics_exact: null", False),
        ("  azure_diagnostics_max_changes: 1", True),
        ("  azure_diagnostics_max_changes: many", False),
        ("  azure_diagnostics_ca_file: null", True),
        ("  azure_diagnostics_ca_file: 1", False),
        ("  azure_diagnostics_client_secret: plain", False),
        ("  azure_diagnostics_client_secret: \"{{ lookup('env', 'A') }}\"", True),
        ("  azure_diagnostics_client_secret: !vault |\n    $ANSIBLE_VAULT;1.1;AES256\n    61", True),
        ("  azure_diagnostics_families: [sql, '{{ family }}']", True),
        ("  azure_diagnostics_families: [sqll]", False),
        ("  azure_diagnostics_families: sql", False),
        ("  azure_diagnostics_logs: {default: {category_group: audit}}", True),
        ("  azure_diagnostics_logs: [audit]", False),
        ("  azure_diagnostics_managing_tenant_id: contoso", False),
        ("  azure_diagnostics_workspace_id: law", False),
        ("  azure_diagnostics_workspace_id: /subscriptions/a/resourceGroups/b", True),
        ("  azure_diagnostics_nmae: a", False),
        ("  ansible_host: a", False),
        ("unknown: a", False),
        ("ring: early", True),
        ("ring: late", False),
        ("collectors: {log1: {ansible_host: a, azure_diagnostics_name: b}}", None),
        ("collectors: {log1: {ansible_port: 22}, log2: null}", True),
        ("collectors: {log1: {port: 22}}", False),
        ("collectors: [log1]", False),
    ],
)
def test_the_schema_and_the_plugin_agree(
    tmp_path: Path, validator: jsonschema.Draft202012Validator, line: str, right: bool | None
) -> None:
    """None: the schema takes it, the plugin misses the role's other options."""
    text = tenant_text("contoso", 2, line)
    found = problems(read(make_fleet(tmp_path, {"tenants/contoso.yml": text})))
    assert (errors(validator, text) == []) is (right is not False)
    assert (found == []) is (right is True)
