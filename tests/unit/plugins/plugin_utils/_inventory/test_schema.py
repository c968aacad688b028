"""The JSON Schema for editors: up to date, and of one mind with the inventory plugin."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from referencing import Registry, Resource

from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import load_schema
from tests.unit.ansible_tools import ROOT
from tests.unit.plugins.plugin_utils._inventory.fleets import make_fleet, problems, read, tenant_text

INVENTORIES = ROOT / "inventories"
COMMITTED = INVENTORIES / "tenant.schema.json"
TENANTS = sorted(ROOT.glob("inventories/*/tenants/*.yml"))

GROUP = "/subscriptions/a/resourceGroups/b/providers/c"


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


def test_the_committed_files_are_what_the_script_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(ROOT / "scripts" / "schema"), "--output", str(tmp_path)], check=True)
    for name in ("tenant.schema.json", "fleet.schema.json"):
        written = (tmp_path / name).read_text(encoding="utf-8")
        assert (INVENTORIES / name).read_text(encoding="utf-8") == written, "out of date: run scripts/schema"


@pytest.mark.parametrize("path", TENANTS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_our_tenant_files_fit_and_name_the_schema(path: Path, validator: jsonschema.Draft202012Validator) -> None:
    text = path.read_text(encoding="utf-8")
    assert errors(validator, text) == []
    (line,) = [line for line in text.splitlines() if line.startswith("# yaml-language-server: ")]
    assert (path.parent / line.partition("$schema=")[2]).resolve() == COMMITTED


def test_there_are_tenant_files() -> None:
    assert {path.parts[-3] for path in TENANTS} == {"example", "lab"}


def test_every_option_is_described(validator: jsonschema.Draft202012Validator) -> None:
    roles: dict[str, Any] = validator.schema["$defs"]["roles"]
    assert set(roles) == set(load_schema().roles)
    for name, role in roles.items():
        assert list(role["properties"]) == list(load_schema().roles[name].options)
        for option in nested(role):
            assert option["description"], (name, option)
            assert "V(" not in option["description"], (name, option)
    assert roles["azure_diagnostics"]["properties"]["cloud"]["default"] == "azure_public"


def nested(schema: Any) -> Iterator[dict[str, Any]]:
    """Every property and every value of a dictionary in it, at any depth."""
    if isinstance(schema, list):
        for item in schema:
            yield from nested(item)
    if not isinstance(schema, dict):
        return
    yield from schema.get("properties", {}).values()
    if "description" in (schema.get("additionalProperties") or ()):
        yield schema["additionalProperties"]
    for value in schema.values():
        yield from nested(value)


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("    exact: true", True),
        ("    exact: 'true'", False),
        ("    exact: '{{ exact }}'", True),
        ("    exact: null", False),
        ("    max_changes: 1", True),
        ("    max_changes: many", False),
        ("    ca_file: null", True),
        ("    ca_file: 1", False),
        ("    client_secret: plain", False),
        ("    client_secret: \"{{ lookup('env', 'A') }}\"", True),
        ("    client_secret: !vault |\n      $ANSIBLE_VAULT;1.1;AES256\n      61", True),
        ("    families: [sql, '{{ family }}']", True),
        ("    families: [sqll]", False),
        ("    families: sql", False),
        ("    logs: {default: {category_group: audit}}", True),
        ("    logs: {default: {category_grup: audit}}", False),
        ("    logs: {default: {category_group: some}}", False),
        ("    logs: [audit]", False),
        ("    include_tags: {env: 1}", False),
        ("    regional_destinations: {westeurope: {storage_account_id: law}}", False),
        ("    managing_tenant_id: contoso", False),
        ("    workspace_id: law", False),
        (f"    workspace_id: {GROUP}/workspaces/d", True),
        (f"    workspace_id: {GROUP}/storageAccounts/d", False),
        (f"    event_hub_authorization_rule_id: {GROUP}/namespaces/d/authorizationRules/f", True),
        (f"    event_hub_authorization_rule_id: {GROUP}/namespaces/d/eventhubs/e/authorizationRules/f", False),
        ("    authority_url: http://login.example", False),
        ("    max_changes: -1", False),
        ("    nmae: a", False),
        ("  azure_diagnostic: {}", False),
        ("  syslog_target: {}", False),
        ("  tenant_access: {roles: [{role: Reader, scope: /}]}", True),
        ("  tenant_access: {roles: [{role: Reader}]}", False),
        ("  event_hub_export: {}", None),
        ("unknown: a", False),
        ("ring: early", True),
        ("ring: late", False),
        ("coro: {region: eu}", True),
        ("coro: {region: mars}", False),
        ("coro: {connectors: {}}", False),
        ("coro:", True),
        ("vars: {mine: 1, yours: [a]}", True),
        ("vars: {azure_diagnostics_exact: true}", False),
        ("vars: {mssp_ring: early}", False),
        ("vars: {my-own: early}", False),
        ("collectors: {log1: {ansible_port: 22, vars: {a: b}}, log2: null}", True),
        ("collectors: {log1: {drift_schedule: {}}}", None),
        ("collectors: {log1: {syslog_target: {sources: {fw: {transport: udp, senders: [192.0.2.1]}}}}}", True),
        ("collectors: {log1: {syslog_target: {sources: {fw: {transport: upd}}}}}", False),
        ("collectors: {log1: {syslog_target: {sources: {fw: {}}}}}", False),
        ("collectors: {log1: {syslog_target: {file_roots: [/srv]}}}", False),
        ("collectors: {log1: {scp_target: {quota_mib: null}}}", False),
        ("collectors: {log1: {coro_connectors: {}}}", False),
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


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("defaults: {azure: {cloud: azure_china}}", True),
        ("defaults: {azure: {cloud: mars}}", False),
        ("defaults: {sources: {azure_diagnostics: {exact: true}}}", True),
        ("defaults: {sources: {azure_diagnostics: {exat: true}}}", False),
        ("defaults: {sources: {syslog_target: {}}}", False),
        ("defaults: {collectors: {syslog_target: {outputs: {siem: {type: ama, port: 514}}}}}", True),
        ("defaults: {collectors: {syslog_target: {outputs: {siem: {typ: ama}}}}}", False),
        ("defaults: {collectors: {ansible_user: mssp}}", False),
        ("defaults: {vars: {siem: a}}", True),
        ("defaults: {vars: {tenant_access_role: a}}", False),
        ("defaults: {color: a}", False),
        ("defaults:", True),
        ("default: {}", False),
        ("strict: false\nslices: 3", True),
        ("slices: 0", False),
    ],
)
def test_the_fleet_schema_and_the_plugin_agree(tmp_path: Path, line: str, right: bool) -> None:
    text = f"plugin: mssp.onboarding.tenants\n{line}\n"
    files = {"fleet.yml": text, "tenants/contoso.yml": tenant_text("contoso", 2)}
    assert (problems(read(make_fleet(tmp_path, files))) == []) is right
    assert (errors(fleet_validator(), text) == []) is right


def test_our_fleet_files_fit_and_name_the_schema() -> None:
    for name in ("example", "lab"):
        text = (INVENTORIES / name / "fleet.yml").read_text(encoding="utf-8")
        assert errors(fleet_validator(), text) == []
        assert "# yaml-language-server: $schema=../fleet.schema.json" in text


def fleet_validator() -> jsonschema.Draft202012Validator:
    """Of fleet.yml, which refers to the schema of tenant files beside it."""
    schemas = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in INVENTORIES.glob("*.schema.json")}
    registry = Registry().with_resources((name, Resource.from_contents(schema)) for name, schema in schemas.items())
    return jsonschema.Draft202012Validator(schemas["fleet.schema.json"], registry=registry)
