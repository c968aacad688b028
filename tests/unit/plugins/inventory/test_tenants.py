"""The inventory plugin inside of Ansible: each way to name a fleet or a tenant, with our settings and without any."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible import constants as C
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader

from ansible_collections.mssp.onboarding.plugins.inventory import tenants
from tests import warm
from tests.unit.ansible_tools import ROOT
from tests.unit.plugins.plugin_utils._inventory.fleets import (
    CERTIFICATE,
    GUID,
    make_fleet,
    whole_tenant,
    workspace,
)

SOURCES = ("", "fleet.yml", "tenants", "tenants/contoso.yml")
PASSWORD = "throw-away"
TENANT = whole_tenant(
    "contoso",
    2,
    "    client_secret: !vault |",
    "{secret}",
    "    name: !unsafe '{{ literal }}'",
    "    evidence_path: \"{{ lookup('ansible.builtin.env', 'MSSP_TEST_LATE') }}\"",
    "    event_hub_name: \"{{ lookup('ansible.builtin.file', '/nonexistent/late') }}\"",
    '    include_tags: {env: "{{ mssp_ring }}"}',
    "    exact: true",
    "    max_changes: 7",
    "ring: early",
    "collectors:",
    "  contoso-log1:",
    "    ansible_host: 192.0.2.1",
).replace(CERTIFICATE, "")
SHARED = {
    "group_vars/all.yml": "level: all\nfrom_all: 1\n",
    "group_vars/tenants.yml": "level: tenants\nfrom_tenants: '{{ mssp_tenant }}'\n",
    "group_vars/ring_early.yml": "from_ring: 1\n",
    "group_vars/has_azure_diagnostics.yml": "from_role: 1\n",
    "group_vars/tenant_contoso.yml": "from_tenant: 1\n",
    "group_vars/collectors.yml": "from_collectors: 1\n",
    "host_vars/contoso.yml": "from_host: 1\n",
}


def ansible(
    tool: str, *arguments: str | Path, cwd: Path, settings: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command line with these settings and no others."""
    (cwd / "test.cfg").write_text(settings, encoding="utf-8")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MSSP_", "AZURE_"))}
    paths = {"ANSIBLE_CONFIG": str(cwd / "test.cfg"), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections")}
    command = [str(Path(sys.executable).parent / tool), *map(str, arguments)]
    return warm.run(command, cwd=cwd, env=clean | paths | environment, timeout=60)


def our_settings() -> str:
    """The section `inventory` of the repository's ansible.cfg."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "ansible.cfg")
    return "[inventory]\n" + "".join(f"{key} = {value}\n" for key, value in parser["inventory"].items())


def encrypted(text: str, folder: Path) -> str:
    """What ansible-vault prints for the text, to stand under an option of a source."""
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    done = ansible("ansible-vault", "encrypt_string", "--vault-password-file", "password", text, cwd=folder)
    return "\n".join(f"      {line.strip()}" for line in done.stdout.splitlines()[1:])


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tenants, one with every kind of value and a collector, and variables at every level."""
    folder = tmp_path_factory.mktemp("fleet")
    contoso = TENANT.replace("{secret}", encrypted("vaulted", folder.parent))
    files = {"tenants/contoso.yml": contoso, "tenants/fabrikam.yml": whole_tenant("fabrikam", 3)}
    make_fleet(folder, files | SHARED)
    return folder


@pytest.mark.parametrize("settings", ["", our_settings()], ids=["stock", "ours"])
def test_each_source_gives_the_same_tenant(fleet: Path, tmp_path: Path, settings: str) -> None:
    seen = []
    for source in SOURCES:
        done = ansible(
            "ansible-inventory", "-i", fleet / source, "--list", cwd=tmp_path, settings=settings, ANSIBLE_EXPORT="0"
        )
        assert (done.returncode, done.stderr) == (0, "")
        listed: dict[str, Any] = json.loads(done.stdout)
        hostvars = listed.pop("_meta")["hostvars"]
        groups = {name for name, group in listed.items() if "contoso" in group.get("hosts", ())}
        collector = {name for name, group in listed.items() if "contoso-log1" in group.get("hosts", ())}
        seen.append((hostvars["contoso"], hostvars["contoso-log1"], groups, collector))
    assert all(one == seen[0] for one in seen)
    host, log1, groups, collector = seen[0]
    assert groups == {"tenants", "ring_early", "has_azure_diagnostics"}
    assert collector == {"collectors", "tenant_contoso", "ring_early"}
    assert {name for name in host if name.startswith("from_")} == {
        "from_all", "from_tenants", "from_ring", "from_role", "from_host"
    }  # fmt: skip
    assert {name for name in log1 if name.startswith("from_")} == {
        "from_all", "from_tenant", "from_ring", "from_collectors"
    }  # fmt: skip
    assert (host["mssp_tenant"], host["mssp_tenant_name"], host["mssp_ring"]) == ("contoso", "Contoso", "early")
    assert host["mssp_fleet_dir"] == str(fleet)
    assert (host["azure_diagnostics_exact"], host["azure_diagnostics_max_changes"]) == (True, 7)
    assert (log1["ansible_host"], log1["mssp_tenant"]) == ("192.0.2.1", "contoso")


PLAYBOOK = """
- hosts: contoso
  gather_facts: false
  tasks:
    - &check
      ansible.builtin.assert:
        that:
          - azure_diagnostics_client_secret == 'vaulted'
          - azure_diagnostics_name == '{' ~ '{ literal }' ~ '}'
          - azure_diagnostics_evidence_path == 'at run time'
          - azure_diagnostics_include_tags.env == 'early'
          - from_tenants == 'contoso'
          - level == 'tenants'
          - ansible_connection == 'local'
          - ansible_python_interpreter == ansible_playbook_python
          - inventory_dir == mssp_fleet_dir
          - inventory_file == mssp_fleet_dir ~ '/tenants/contoso.yml'
          - group_names == ['has_azure_diagnostics', 'ring_early', 'tenants']
    - ansible.builtin.meta: refresh_inventory
    - *check
    - ansible.builtin.command: "true"
      changed_when: false
    - ansible.builtin.debug:
        msg: "{{ azure_diagnostics_event_hub_name }}"
      register: late
      ignore_errors: true
    - ansible.builtin.assert:
        that: late is failed
"""


@pytest.mark.parametrize("source", SOURCES)
def test_values_are_resolved_late_and_at_their_level(fleet: Path, tmp_path: Path, source: str) -> None:
    """Variables beside the playbook for all hosts come before those of the inventory's groups, and lose to them."""
    (tmp_path / "play.yml").write_text(PLAYBOOK, encoding="utf-8")
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text("level: playbook\n", encoding="utf-8")
    arguments = ("-i", fleet / source, "--vault-password-file", fleet.parent / "password", "play.yml")
    done = ansible("ansible-playbook", *arguments, cwd=tmp_path, MSSP_TEST_LATE="at run time")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok=5" in done.stdout


LAYERS = {
    "fleet.yml": """plugin: mssp.onboarding.tenants
defaults:
  azure: {cloud: azure_china, ca_file: vendor, authority_url: https://vendor.example}
  sources: {azure_diagnostics: {ca_file: source, name: source, event_hub_name: default}}
  vars: {mine: default, other: default}
""",
    "group_vars/all.yml": "azure_diagnostics_name: all\nazure_diagnostics_fail_on: never\nother: all\n",
    "group_vars/tenants.yml": "azure_diagnostics_event_hub_name: tenants\nazure_diagnostics_correct: never\n",
    "host_vars/contoso.yml": "azure_diagnostics_max_changes: 9\n",
}


@pytest.mark.parametrize("source", SOURCES)
def test_each_layer_comes_before_the_defaults_of_the_fleet(tmp_path: Path, source: str) -> None:
    """From the lowest on: defaults, group_vars for all, of a group, the tenant file, host_vars, -e."""
    text = whole_tenant("contoso", 2, "    correct: safe", "    max_changes: 5", "vars: {mine: tenant}")
    make_fleet(tmp_path / "fleet", {**LAYERS, "tenants/contoso.yml": text})
    arguments = ("-i", tmp_path / "fleet" / source, "--host", "contoso", "-e", "azure_diagnostics_exact=true")
    done = ansible("ansible-inventory", *arguments, cwd=tmp_path)
    host: dict[str, Any] = json.loads(done.stdout)
    assert {name.removeprefix("azure_diagnostics_"): value for name, value in host.items() if "diagnostics" in name} | {
        name: host[name] for name in ("mine", "other", "tenant_access_ca_file")
    } == {
        "tenant_id": GUID.format(2),
        "client_id": "a0000000-0000-4000-8000-00000000000a",
        "client_certificate_path": "/etc/app.pem",
        "cloud": "azure_china",
        "authority_url": "https://vendor.example",
        "ca_file": "source",
        "name": "all",
        "fail_on": "never",
        "event_hub_name": "tenants",
        "workspace_id": workspace(2),
        "correct": "safe",
        "max_changes": 9,
        "exact": "true",
        "mine": "tenant",
        "other": "all",
        "tenant_access_ca_file": "vendor",
    }


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_defaults_of_one_fleet_are_not_those_of_another(tmp_path: Path, order: tuple[str, str]) -> None:
    make_fleet(tmp_path / "one", {"tenants/contoso.yml": whole_tenant("contoso", 2), "fleet.yml": LAYERS["fleet.yml"]})
    make_fleet(tmp_path / "two", {"tenants/fabrikam.yml": whole_tenant("fabrikam", 3)})
    arguments = [word for name in order for word in ("-i", tmp_path / name)]
    done = ansible("ansible-inventory", *arguments, "--list", cwd=tmp_path)
    assert done.returncode == 4
    assert "one run holds one fleet" in done.stderr


def test_leftovers_of_editors_beside_tenant_files_are_passed_over(tmp_path: Path) -> None:
    leftovers = {f"tenants/{name}": "left over" for name in ("#contoso.yml#", "contoso.yml.rej", "contoso.yml.mine")}
    make_fleet(tmp_path, {"tenants/contoso.yml": whole_tenant("contoso", 2), **leftovers})
    arguments = ("ansible-inventory", "-i", tmp_path, "--list")
    done = ansible(*arguments, cwd=tmp_path, settings=our_settings())
    assert (done.returncode, done.stderr) == (0, "")


def test_the_folder_above_a_fleet_is_refused(tmp_path: Path) -> None:
    """Its group_vars would not be read, and with them what says that nothing may be corrected."""
    shared = {"group_vars/tenants.yml": "azure_diagnostics_correct: never\n"}
    make_fleet(tmp_path / "fleets/eu", {"tenants/contoso.yml": whole_tenant("contoso", 2), **shared})
    done = ansible("ansible-inventory", "-i", tmp_path / "fleets", "--list", cwd=tmp_path)
    assert done.returncode == 4
    assert f"is above the fleet {tmp_path}/fleets/eu" in " ".join(done.stderr.split())


@pytest.mark.parametrize("settings", ["", our_settings()], ids=["stock", "ours"])
@pytest.mark.parametrize("source", SOURCES)
def test_a_wrong_file_ends_the_run(tmp_path: Path, source: str, settings: str) -> None:
    text = whole_tenant("contoso", 2, "    exat: true", "    client_secret: hunter2")
    make_fleet(tmp_path / "fleet", {"tenants/contoso.yml": text})
    (tmp_path / "play.yml").write_text("- hosts: tenants\n  tasks: [{ansible.builtin.debug: {}}]\n", encoding="utf-8")
    done = ansible("ansible-playbook", "-i", tmp_path / "fleet" / source, "play.yml", cwd=tmp_path, settings=settings)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.strip().splitlines() == [
        done.stderr.split(" ", 1)[0] + " 2 errors in 1 inventory file; nothing was run",
        "fleet/tenants/contoso.yml:11:5: sources.azure_diagnostics.exat: unknown option (did you mean exact?)",
        "fleet/tenants/contoso.yml:12:20: sources.azure_diagnostics.client_secret: a secret in plain text; "
        "encrypt it with !vault or fetch it with a lookup",
    ]


def test_group_vars_that_cannot_be_decrypted_end_the_run(tmp_path: Path) -> None:
    make_fleet(tmp_path, {"tenants/contoso.yml": whole_tenant("contoso", 2), "group_vars/all.yml": "a: 1\n"})
    (tmp_path / "password").write_text(PASSWORD, encoding="utf-8")
    done = ansible("ansible-vault", "encrypt", "--vault-password-file", "password", "group_vars/all.yml", cwd=tmp_path)
    assert done.returncode == 0
    done = ansible("ansible-inventory", "-i", tmp_path / "fleet.yml", "--list", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    assert "no vault secrets found" in done.stderr
    assert ansible(
        "ansible-inventory", "-i", tmp_path / "fleet.yml", "--list", "--vault-password-file", "password", cwd=tmp_path
    ).returncode == 0  # fmt: skip


def test_extra_vars_give_what_a_tenant_needs(tmp_path: Path) -> None:
    text = whole_tenant("contoso", 2).replace(CERTIFICATE, "")
    make_fleet(tmp_path, {"tenants/contoso.yml": text})
    (tmp_path / "play.yml").write_text("- hosts: tenants\n  gather_facts: false\n", encoding="utf-8")
    arguments = ("ansible-playbook", "-i", tmp_path / "fleet.yml", "play.yml")
    assert ansible(*arguments, cwd=tmp_path).returncode == 4
    assert ansible(*arguments, "-e", "azure_diagnostics_client_secret=x", cwd=tmp_path).returncode == 0


def test_two_fleets_without_defaults_are_refused_as_well(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_fleet(tmp_path / name, {"tenants/contoso.yml": whole_tenant("contoso", 2)})
    done = ansible("ansible-inventory", "-i", "one", "-i", "two", "--list", cwd=tmp_path)
    assert done.returncode == 4
    assert f"one run holds one fleet: {tmp_path}/one and {tmp_path}/two would share" in done.stderr


def test_groups_of_ours_always_exist_and_namesakes_are_told(tmp_path: Path) -> None:
    text = "plugin: mssp.onboarding.tenants\nslug: {}\nname: Bare\n"
    make_fleet(tmp_path, {f"tenants/{slug}.yml": text.format(slug) for slug in ("bare", "bear")})
    done = ansible("ansible-inventory", "-i", tmp_path / "fleet.yml", "--graph", cwd=tmp_path)
    roles = [path.name for path in (ROOT / "roles").iterdir() if path.is_dir()]
    for group in ("tenants", "collectors", "ring_canary", "ring_early", "ring_all", *(f"has_{role}" for role in roles)):
        assert f"@{group}:" in done.stdout
    assert done.returncode == 0
    assert "bare, bear have one name" in done.stderr


def test_a_hosts_file_beside_the_fleet_adds_groups(tmp_path: Path) -> None:
    make_fleet(tmp_path / "fleet", {"tenants/contoso.yml": whole_tenant("contoso", 2)})
    for name in ("a-groups.ini", "zz-groups.ini"):
        (tmp_path / "fleet" / name).write_text("[europe]\ncontoso\n", encoding="utf-8")
    done = ansible("ansible-inventory", "-i", tmp_path / "fleet", "--host", "contoso", cwd=tmp_path)
    assert json.loads(done.stdout)["azure_diagnostics_tenant_id"] == GUID.format(2)


@pytest.mark.parametrize(
    ("name", "text", "ours"),
    [
        ("fleet.yml", "plugin: mssp.onboarding.tenants\n", True),
        ("fleet.yml", "---\nplugin: 'mssp.onboarding.tenants' # us\n", True),
        ("fleet.yml", "plugin: amazon.aws.aws_ec2\n", False),
        ("fleet.yml", "all:\n  plugin: mssp.onboarding.tenants\n", False),
        ("fleet.json", "plugin: mssp.onboarding.tenants\n", False),
        ("tenants/contoso.yml", "slug: contoso\n", True),
        ("others/contoso.yml", "slug: contoso\n", False),
        ("others/contoso.yml", "slug: contoso\nplugin: mssp.onboarding.tenants\n", True),
    ],
)
def test_files_of_ours(tmp_path: Path, name: str, text: str, ours: bool) -> None:
    make_fleet(tmp_path, {name: text})
    assert tenants.InventoryModule().verify_file(str(tmp_path / name)) is ours


@pytest.fixture
def constants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that the plugin changes are put back."""
    for name in ("INVENTORY_ENABLED", "INVENTORY_ANY_UNPARSED_IS_FAILED"):
        monkeypatch.setattr(C, name, getattr(C, name))


@pytest.mark.usefixtures("constants")
def test_a_defect_of_ours_ends_the_run_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    C.INVENTORY_ANY_UNPARSED_IS_FAILED = False
    monkeypatch.setattr(tenants, "load_schema", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tenants.InventoryModule().parse(InventoryData(), DataLoader(), str(make_fleet(tmp_path, {})))
    assert C.INVENTORY_ANY_UNPARSED_IS_FAILED is True


@pytest.mark.usefixtures("constants")
def test_a_tenant_of_the_fleet_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"tenants/{slug}.yml": whole_tenant(slug, number) for number, slug in enumerate(("adatum", "contoso"))}
    inventory, loader = InventoryData(), DataLoader()
    C.INVENTORY_ENABLED = ["host_list", "auto"]
    tenants.InventoryModule().parse(inventory, loader, str(make_fleet(tmp_path, files)))
    before = {name: dict(host.vars) for name, host in inventory.hosts.items()}
    monkeypatch.delattr(tenants, "read_single")
    for name in files:
        tenants.InventoryModule().parse(inventory, loader, str(tmp_path / name))
    assert {name: dict(host.vars) for name, host in inventory.hosts.items()} == before
    assert C.INVENTORY_ENABLED == ["mssp.onboarding.tenants", "host_list", "auto"]
    assert C.config.has_configuration_definition("inventory", "auto")
