"""The lab's inventory from a clone, and a fleet with the collection installed in another place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ansible_tools import ROOT, run
from tests.unit.plugins.plugin_utils._inventory.fleets import GUID, make_fleet, whole_tenant

LAB = "inventories/lab"
PROSEWARE = GUID.format(1)
LAB_FILES = {"app.secret": "lab secret", "app.pem": "", "app.jwt": "", "ca.pem": ""}
SHOWN = (
    "tenant_id",
    "managing_tenant_id",
    "client_id",
    "client_secret",
    "client_certificate_path",
    "federated_token_file",
    "auxiliary_tenant_ids",
    "resource_manager_url",
    "authority_url",
    "log_analytics_url",
    "ca_file",
)


def resolved(source: str, folder: Path, **environment: str) -> dict[str, dict[str, Any]]:
    """Role variables of each tenant of the source, as a task of a run from the clone sees them."""
    names = ", ".join(f"{name}: azure_diagnostics_{name} | default(none)" for name in SHOWN)
    task = {
        "ansible.builtin.copy": {
            "content": f"{{{{ dict({names.replace(': ', '=')}) | to_json }}}}",
            "dest": f"{folder}/{{{{ inventory_hostname }}}}.json",
            "mode": "0600",
        }
    }
    play = [{"hosts": "tenants", "gather_facts": False, "tasks": [task]}]
    (folder / "play.yml").write_text(json.dumps(play), encoding="utf-8")
    settings = {"MSSP_EVIDENCE_ROOT": str(folder / "evidence")}
    run("ansible-playbook", "-i", source, folder / "play.yml", cwd=ROOT, **settings, **environment)
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}


@pytest.fixture
def lab_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    for name, text in LAB_FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_the_lab_as_a_fleet_and_tenant_by_tenant(tmp_path: Path, lab_folder: Path) -> None:
    where = {"MSSP_LAB_DIR": str(lab_folder), "MSSP_LAB_URL": "https://127.0.0.1:1"}
    out = tmp_path / "out"
    out.mkdir()
    fleet = resolved(LAB, out, **where)
    assert set(fleet) == {"contoso", "fabrikam", "tailspin"}
    for slug, variables in fleet.items():
        alone = tmp_path / slug
        alone.mkdir()
        assert resolved(f"{LAB}/tenants/{slug}.yml", alone, **where) == {slug: variables}
        assert variables["client_id"] == "a0000000-0000-4000-8000-00000000000a"
        assert {variables[f"{name}_url"] for name in ("resource_manager", "authority", "log_analytics")} == {
            "https://127.0.0.1:1"
        }
        assert variables["ca_file"] == f"{lab_folder}/ca.pem"
    contoso, fabrikam, tailspin = (fleet[slug] for slug in ("contoso", "fabrikam", "tailspin"))
    assert [tenant["tenant_id"] for tenant in (contoso, fabrikam, tailspin)] == [GUID.format(n) for n in (2, 3, 4)]
    assert (contoso["client_secret"], contoso["auxiliary_tenant_ids"]) == ("lab secret", [PROSEWARE])
    assert (fabrikam["managing_tenant_id"], fabrikam["auxiliary_tenant_ids"]) == (PROSEWARE, [])
    assert fabrikam["client_certificate_path"] == f"{lab_folder}/app.pem"
    assert (tailspin["federated_token_file"], tailspin["auxiliary_tenant_ids"]) == (
        f"{lab_folder}/app.jwt",
        [PROSEWARE],
    )


@pytest.mark.parametrize("source", [LAB, f"{LAB}/tenants/fabrikam.yml"])
def test_the_lab_is_where_it_serves_by_default(tmp_path: Path, source: str) -> None:
    listed = json.loads(run("ansible-inventory", "-i", source, "--list", cwd=ROOT))
    host = listed["_meta"]["hostvars"]["fabrikam"]
    play = (
        "- hosts: fabrikam\n  gather_facts: false\n  tasks:\n    - ansible.builtin.assert:\n        that:\n"
        f"          - azure_diagnostics_ca_file == '{ROOT}/.lab/ca.pem'\n"
        "          - azure_diagnostics_authority_url == 'https://127.0.0.1:18443'\n"
    )
    (tmp_path / "play.yml").write_text(play, encoding="utf-8")
    run("ansible-playbook", "-i", source, tmp_path / "play.yml", cwd=ROOT, MSSP_EVIDENCE_ROOT=str(tmp_path))
    assert host["mssp_fleet_dir"] == str(ROOT / LAB)


def test_the_tenants_of_the_lab_are_in_three_rings() -> None:
    listed = json.loads(run("ansible-inventory", "-i", LAB, "--list", cwd=ROOT))
    rings = {ring: listed.get(f"ring_{ring}", {}).get("hosts") for ring in ("canary", "early", "all")}
    assert rings == {"canary": ["tailspin"], "early": ["contoso"], "all": ["fabrikam"]}


def test_the_plugin_works_from_where_galaxy_puts_it(tmp_path: Path) -> None:
    """No ansible.cfg, no clone: the argument specs are those of the installed roles."""
    paths = {"ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"), "ANSIBLE_HOME": str(tmp_path / "home")}
    run("ansible-galaxy", "collection", "build", "--output-path", tmp_path, ROOT, cwd=tmp_path)
    (artifact,) = tmp_path.glob("*.tar.gz")
    where = tmp_path / "collections"
    run("ansible-galaxy", "collection", "install", artifact, "-p", where, "--offline", cwd=tmp_path, **paths)
    fleet = make_fleet(tmp_path / "fleet", {"tenants/contoso.yml": whole_tenant("contoso", 2)})
    for source in (fleet.parent, fleet, fleet.parent / "tenants" / "contoso.yml"):
        listed = json.loads(run("ansible-inventory", "-i", source, "--list", cwd=tmp_path, **paths))
        assert listed["has_azure_diagnostics"]["hosts"] == ["contoso"]
    make_fleet(tmp_path / "fleet", {"tenants/contoso.yml": whole_tenant("contoso", 2, "    xyz: 1")})
    with pytest.raises(AssertionError, match=r"(?s)ended with 4.*sources\.azure_diagnostics\.xyz: unknown option"):
        run("ansible-inventory", "-i", fleet, "--list", cwd=tmp_path, **paths)
