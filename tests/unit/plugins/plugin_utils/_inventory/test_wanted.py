"""What only a capability knows to be wrong is told with file, line and key, before any request."""

from __future__ import annotations

from pathlib import Path

import pytest

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
