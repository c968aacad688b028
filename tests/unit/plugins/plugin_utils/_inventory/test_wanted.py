"""What only a capability knows to be wrong is told with file, line and key, before any request."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import Capability, load_capabilities
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.wanted import wrong_wish
from tests.unit.plugins.plugin_utils._inventory.fleets import (
    CERTIFICATE,
    WORKSPACE,
    make_fleet,
    problems,
    read,
    tenant_text,
)

LAW = WORKSPACE.replace("/1/", "/10000000-0000-4000-8000-000000000000/") + "law"
PLUGINS = "ansible_collections.mssp.onboarding.plugins"
CHECKED = [one for one in load_capabilities().values() if one.checked_in]
HEAVY = ("aiohttp", "asyncio", "azure", "cryptography", "jinja2", "requests")
DESTINATION = f"    workspace_id: {LAW}"
AZURE = "sources.azure_diagnostics"
GUIDS = ", ".join(f"{number}0000000-0000-4000-8000-000000000000" for number in range(4))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "    logs: {keyvault: {category_group: allLogs}}",
            f"11:5: {AZURE}.logs: logs: nothing matches keyvault (did you mean key_vault",
        ),
        (
            "    logs: {default: {category_group: audit, categories: [a]}}",
            f"11:5: {AZURE}.logs: logs[default] must have either category_group",
        ),
        ("    name: a/b", f"11:5: {AZURE}.name: name 'a/b' is not a name that a diagnostic setting may have"),
        ("    name: ''", f"11:5: {AZURE}.name: name '' is not a name"),
        (f"    auxiliary_tenant_ids: [{GUIDS}]", f"11:5: {AZURE}.auxiliary_tenant_ids: auxiliary_tenant_ids has 4"),
        ("    federated_token_file: /run/token", "client_certificate_path: parameters are mutually exclusive"),
        (
            "    client_secret: \"{{ lookup('env', 'A') }}\"",
            "azure.client_certificate_path: parameters are mutually exclusive",
        ),
    ],
)
def test_a_wish_that_cannot_be_is_told_at_its_key(tmp_path: Path, line: str, told: str) -> None:
    files = {"tenants/contoso.yml": tenant_text("contoso", 3, DESTINATION, line)}
    (found,) = problems(read(make_fleet(tmp_path, files), wrong_wish=wrong_wish))
    assert found.startswith("tenants/contoso.yml:")
    assert told in found


def test_no_destination_is_told_at_the_source(tmp_path: Path) -> None:
    fleet_file = make_fleet(tmp_path, {"tenants/contoso.yml": tenant_text("contoso", 3)})
    (found,) = problems(read(fleet_file, wrong_wish=wrong_wish))
    assert found.startswith(f"tenants/contoso.yml:9:3: {AZURE}: no destination is given; set one of workspace_id")
    make_fleet(tmp_path, {"group_vars/tenants.yml": f"azure_diagnostics_workspace_id: {LAW}\n"})
    assert problems(read(fleet_file, wrong_wish=wrong_wish)) == []


@pytest.mark.parametrize(
    "lines",
    [
        (DESTINATION,),
        ("    workspace_id: '{{ workspace }}'",),
        (DESTINATION, "    logs: '{{ logs }}'"),
        (DESTINATION, "    logs: {default: {category_group: '{{ group }}'}}"),
        (DESTINATION, "    max_changes: '{{ most }}'", "    families: ['{{ family }}']", "    name: '{{ name }}'"),
        (DESTINATION, "    client_secret: \"{{ lookup('env', 'A') | default(omit) }}\""),
    ],
)
def test_what_is_known_late_is_left_to_the_task(tmp_path: Path, lines: tuple[str, ...]) -> None:
    files = {"tenants/contoso.yml": tenant_text("contoso", 3, *lines)}
    assert problems(read(make_fleet(tmp_path, files), wrong_wish=wrong_wish)) == []


def test_one_credential_that_is_encrypted_is_enough(tmp_path: Path) -> None:
    secret = "    client_secret: !vault |\n      $ANSIBLE_VAULT;1.1;AES256\n      61"
    text = tenant_text("contoso", 3, DESTINATION, secret).replace(CERTIFICATE, "")
    assert problems(read(make_fleet(tmp_path, {"tenants/contoso.yml": text}), wrong_wish=wrong_wish)) == []


@pytest.mark.parametrize("capability", CHECKED, ids=lambda one: one.name)
def test_the_check_is_that_of_the_module_which_converges(capability: Capability) -> None:
    check = import_module(f"{PLUGINS}.module_utils.{capability.checked_in}").CHECK
    module = import_module(f"{PLUGINS}.modules.{capability.modules['converge']}").MODULE
    assert (check.spec, check.rules) == (module.spec, module.rules)
    assert module.engine.__module__.rpartition(".")[0] == check.wanted.__module__.rpartition(".")[0]


def test_every_source_of_tenants_has_a_check() -> None:
    tenants = {one.name for one in load_capabilities().values() if one.host == "tenant" and "converge" in one.modules}
    assert tenants == {one.name for one in CHECKED}


def test_no_check_needs_a_vendors_library() -> None:
    """Each run of Ansible reads the inventory: what only a request needs would cost it a second."""
    names = [f"{PLUGINS}.module_utils.{one.checked_in}" for one in CHECKED]
    seen = f"import sys; old = set(sys.modules); import {', '.join(names)}; print(*sys.modules.keys() - old)"
    code = f"import sys; sys.path[:0] = {sys.path!r}; {seen}"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(names) <= set(loaded)
    assert [name for name in loaded if name.partition(".")[0] in HEAVY] == []
