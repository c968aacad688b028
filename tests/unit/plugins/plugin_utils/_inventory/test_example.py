"""The example fleet: every option is there, what is commented out is right too, and its secret can be decrypted."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import load_schema
from tests.unit.ansible_tools import ROOT, run
from tests.unit.plugins.plugin_utils._inventory.fleets import make_fleet, problems, read

EXAMPLE = ROOT / "inventories" / "example"
FILES = {str(path.relative_to(EXAMPLE)): path.read_text(encoding="utf-8") for path in sorted(EXAMPLE.rglob("*.yml"))}
NAMES = "|".join(
    sorted({name for role in load_schema().roles.values() for name in role.options} | {"strict", "slices"})
)
COMMENTED = re.compile(rf"^( *)# (?=(?:{NAMES}): )", re.MULTILINE)


def written() -> dict[str, str]:
    """The files with what is commented out."""
    return {name: COMMENTED.sub(r"\1", text) for name, text in FILES.items()}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Variables that the example gives anywhere, what is commented out included."""
    fleet = read(make_fleet(tmp_path_factory.mktemp("fleet"), written()))
    hosts = [host for tenant in fleet.tenants for host in (tenant.host, *tenant.collectors)]
    return set(fleet.defaults).union(*(host.vars for host in hosts))


def described(role: str) -> str:
    return (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("role", "option"), [(role, name) for role, one in load_schema().roles.items() for name in one.options]
)
def test_every_option_is_named(everything: set[str], role: str, option: str) -> None:
    """In the example, or in the README of a role that the example does not have."""
    shown = any(name.startswith(f"{role}_") for name in everything)
    assert f"{role}_{option}" in everything if shown else f"`{role}_{option}`" in described(role)


def test_the_fleet_is_right() -> None:
    assert problems(read(EXAMPLE / "fleet.yml")) == []


def test_what_is_commented_out_is_right_and_not_the_default(tmp_path: Path) -> None:
    fleet = read(make_fleet(tmp_path, written()))
    assert problems(fleet) == []
    assert (fleet.strict, fleet.slices) == (False, 4)
    options = load_schema().options
    before = {tenant.slug: tenant.host.vars for tenant in read(EXAMPLE / "fleet.yml").tenants}
    commented = {
        (tenant.slug, name): value
        for tenant in fleet.tenants
        for name, value in tenant.host.vars.items()
        if name not in before[tenant.slug]
    }
    assert len(commented) > 15
    assert [name for (_slug, name), value in commented.items() if value == options[name].default] == []


def test_the_secret_is_decrypted_with_the_password_of_the_comment(tmp_path: Path) -> None:
    (password,) = re.findall(r"The password of this one is (\S+)", FILES["tenants/adatum.yml"])
    (tmp_path / "password").write_text(password, encoding="utf-8")
    arguments = ("-i", EXAMPLE, "--vault-password-file", tmp_path / "password")
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections")}
    (tmp_path / "play.yml").write_text(
        "- hosts: adatum\n  gather_facts: false\n  tasks:\n    - ansible.builtin.copy:\n"
        "        content: '{{ azure_diagnostics_client_secret }}'\n        dest: '{{ playbook_dir }}/secret'\n"
        "        mode: '0600'\n",
        encoding="utf-8",
    )
    run("ansible-playbook", *arguments, "play.yml", cwd=tmp_path, **environment)
    assert (tmp_path / "secret").read_text(encoding="utf-8") == "not-a-real-secret"


def test_the_tenants_are_as_their_comments_say(tmp_path: Path) -> None:
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections")}
    listed = json.loads(run("ansible-inventory", "-i", EXAMPLE, "--list", cwd=tmp_path, **environment))
    hosts = listed["_meta"]["hostvars"]
    assert set(hosts) == {"adatum", "proseware", "woodgrove", "woodgrove-log1"}
    assert listed["has_mssp_application"]["hosts"] == ["proseware"]
    assert listed["has_event_hub_export"]["hosts"] == ["adatum"]
    assert listed["has_scp_target"]["hosts"] == ["woodgrove-log1"]
    assert hosts["woodgrove"]["azure_diagnostics_auxiliary_tenant_ids"] == []
    assert hosts["woodgrove"]["azure_diagnostics_client_certificate_path"] == "/etc/mssp/onboarding.pem"
    for role in ("azure_diagnostics", "event_hub_export"):
        assert hosts["adatum"][f"{role}_client_certificate_path"] is None
    assert hosts["adatum"]["azure_diagnostics_auxiliary_tenant_ids"] == ["10000000-0000-4000-8000-000000000000"]
    assert (hosts["adatum"]["azure_diagnostics_fail_on"], hosts["woodgrove"]["azure_diagnostics_fail_on"]) == (
        "drift",
        "error",
    )


def test_the_files_of_the_document_are_right(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "tenant-files.md").read_text(encoding="utf-8")
    tenant, fleet = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    made = read(make_fleet(tmp_path, {"fleet.yml": fleet, "tenants/contoso.yml": tenant}))
    assert problems(made) == []
    assert made.aside == {}
    assert list(made.tenants[0].host.sections) == ["tenant_access", "azure_diagnostics", "coro_connectors"]
    assert "azure_diagnostics_families" in made.tenants[0].host.vars
