"""The example fleet: every option is there, what is commented out is right too, and its secret can be decrypted."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import load_schema
from tests.unit.ansible_tools import ROOT, run
from tests.unit.plugins.plugin_utils._inventory.fleets import make_fleet, problems, read

EXAMPLE = ROOT / "inventories" / "example"
FILES = {str(path.relative_to(EXAMPLE)): path.read_text(encoding="utf-8") for path in sorted(EXAMPLE.rglob("*.yml"))}
OTHERS = [
    (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    for role in load_schema().roles
    if not any(f" {role}_" in text for text in FILES.values())
]
COMMENTED = re.compile(r"^( *)# (?=\w+_\w+: )", re.MULTILINE)


@pytest.mark.parametrize("option", load_schema().options)
def test_every_option_is_named(option: str) -> None:
    """In the example, or in the README of a role that the example does not have."""
    named = re.search(rf"^ *(# )?{option}:", "\n".join(FILES.values()), re.MULTILINE)
    assert named or any(f"`{option}`" in text for text in OTHERS)


def test_the_fleet_is_right() -> None:
    assert problems(read(EXAMPLE / "fleet.yml")) == []


def test_what_is_commented_out_is_right_and_not_the_default(tmp_path: Path) -> None:
    files = {name: COMMENTED.sub(r"\1", text) for name, text in FILES.items()}
    fleet = read(make_fleet(tmp_path, files))
    assert problems(fleet) == []
    options = load_schema().options
    commented = set(re.findall(r"^ *# (\w+_\w+): ", "\n".join(FILES.values()), re.MULTILINE)) & set(options)
    assert len(commented) > 15
    for tenant in fleet.tenants:
        for name in commented & set(tenant.host.vars):
            assert tenant.host.vars[name] != options[name].default, name


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
    assert set(hosts) == {"adatum", "proseware", "woodgrove"}
    assert listed["has_mssp_application"]["hosts"] == ["proseware"]
    assert hosts["woodgrove"]["azure_diagnostics_auxiliary_tenant_ids"] == []
    assert hosts["woodgrove"]["azure_diagnostics_client_certificate_path"] == "/etc/mssp/onboarding.pem"
    assert hosts["adatum"]["azure_diagnostics_client_certificate_path"] is None
    shared = yaml.safe_load(FILES["group_vars/tenants.yml"])["azure_diagnostics_auxiliary_tenant_ids"]
    assert hosts["adatum"]["azure_diagnostics_auxiliary_tenant_ids"] == shared
