"""One tenant file: each way to get it wrong, with the exact place and words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.plugins.plugin_utils._inventory.fleets import GUID, make_fleet, problems, read, tenant_text

RIGHT = tenant_text("contoso", 2)
GUID_WANTED = "expected a GUID such as 00000000-0000-0000-0000-000000000000"
ID_WANTED = "expected an Azure resource id that starts with /subscriptions/"
SECRET_ADVICE = "a secret in plain text; encrypt it with !vault or fetch it with a lookup"
IDENTITIES = (
    "azure_diagnostics_client_secret, azure_diagnostics_client_certificate_path, azure_diagnostics_federated_token_file"
)


def problems_of(folder: Path, text: str) -> list[str]:
    return problems(read(make_fleet(folder, {"tenants/contoso.yml": text})))


def test_a_right_file(tmp_path: Path) -> None:
    collectors = "collectors:\n  contoso-log1:\n    ansible_host: 192.0.2.1\n  contoso-log2:\n"
    fleet = read(make_fleet(tmp_path, {"tenants/contoso.yml": f"ring: early\n{RIGHT}{collectors}"}))
    assert problems(fleet) == []
    (tenant,) = fleet.tenants
    assert (tenant.slug, tenant.name, tenant.ring, tenant.group) == ("contoso", "Contoso", "early", "tenant_contoso")
    assert tenant.host.vars["azure_diagnostics_tenant_id"] == GUID.format(2)
    assert [(host.name, host.vars) for host in tenant.collectors] == [
        ("contoso-log1", {"ansible_host": "192.0.2.1"}),
        ("contoso-log2", {}),
    ]


def test_the_ring_is_all_when_not_given(tmp_path: Path) -> None:
    assert read(make_fleet(tmp_path, {"tenants/contoso.yml": RIGHT})).tenants[0].ring == "all"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("name:", "nmae:", "3:1: nmae: unknown key (did you mean name?)"),
        (
            "vars:",
            "azure_diagnostics_exact: true\nvars:",
            "4:1: azure_diagnostics_exact: unknown key; variables of roles go under vars",
        ),
        (
            "plugin: mssp.onboarding.tenants",
            "plugin: mssp.onboarding.tenant",
            "1:9: plugin: expected mssp.onboarding.tenants",
        ),
        ("slug: contoso", "slug: contosso", "2:7: slug: expected contoso, the name of the file without its extension"),
        ("slug: contoso", "slug: '{{ x }}'", "2:7: slug: expected a string; put a number or date in quotes"),
        ("name: Contoso", "name: 365", "3:7: name: expected a string; put a number or date in quotes"),
        ("name: Contoso", "name: ' '", "3:7: name: expected a name"),
        ("vars:", "ring: erly\nvars:", "4:7: ring: expected one of canary, early, all (did you mean early?)"),
        ("vars:", "name: Contoso\nvars:", "4:1: name: given twice, first on line 3"),
        (
            "  azure_diagnostics_client_id: a",
            "  client_id: a",
            "6:3: vars.client_id: unknown variable (did you mean azure_diagnostics_client_id?)",
        ),
        (
            "vars:",
            "vars:\n  azure_diagnostics_max_chages: 5",
            "5:3: vars.azure_diagnostics_max_chages: unknown variable (did you mean azure_diagnostics_max_changes?)",
        ),
        ("vars:", "vars:\n  ansible_host: a", "5:3: vars.ansible_host: unknown variable"),
        (
            f"tenant_id: {GUID.format(2)}",
            "tenant_id: contoso.onmicrosoft.com",
            f"5:32: vars.azure_diagnostics_tenant_id: {GUID_WANTED}",
        ),
        (
            "client_id: a0000000-0000-4000-8000-00000000000a",
            "client_id: a0000000-0000-4000-8000-00000000000",
            f"6:32: vars.azure_diagnostics_client_id: {GUID_WANTED}",
        ),
        (
            "vars:",
            "vars:\n  azure_diagnostics_auxiliary_tenant_ids: [proseware]",
            f"5:44: vars.azure_diagnostics_auxiliary_tenant_ids[0]: {GUID_WANTED}",
        ),
        (
            "vars:",
            "vars:\n  azure_diagnostics_workspace_id: law-sentinel",
            f"5:35: vars.azure_diagnostics_workspace_id: {ID_WANTED}",
        ),
        (
            "vars:",
            "vars:\n  azure_diagnostics_storage_account_id: /subscription/x/y",
            f"5:41: vars.azure_diagnostics_storage_account_id: {ID_WANTED}",
        ),
        (
            "vars:",
            "vars:\n  azure_diagnostics_families: [key_vaults]",
            "5:32: vars.azure_diagnostics_families[0]: expected one of all, activity_log, application_gateway, "
            "azure_firewall, front_door, key_vault, kubernetes, network_security_group, public_ip, sql, storage, "
            "waf_policy (did you mean key_vault?)",
        ),
        (
            "vars:",
            "vars:\n  azure_diagnostics_exact: 'yes'",
            "5:28: vars.azure_diagnostics_exact: expected true or false, got a string",
        ),
        (
            "vars:",
            "vars:\n  azure_diagnostics_client_secret: hunter2",
            f"5:36: vars.azure_diagnostics_client_secret: {SECRET_ADVICE}",
        ),
        (
            "  azure_diagnostics_client_certificate_path: /etc/app.pem\n",
            "",
            f"4:1: vars: one of {IDENTITIES} is needed to sign in; give it here or in group_vars",
        ),
        (
            "  azure_diagnostics_client_id: a0000000-0000-4000-8000-00000000000a\n",
            "",
            "4:1: vars.azure_diagnostics_client_id: required by role azure_diagnostics; give it here or in group_vars",
        ),
    ],
)
def test_wrong_files(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in RIGHT
    found = problems_of(tmp_path, RIGHT.replace(old, new, 1))
    assert f"tenants/contoso.yml:{problem}" in found
    assert "hunter2" not in "".join(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1:1: name: required", "1:1: plugin: required", "1:1: slug: required"]),
        ("plugin: [a\n", None),
        ("- a\n", ["1:1: file: expected a mapping of keys and values"]),
        ("plugin: &a {x: *a}\n", None),
    ],
)
def test_files_of_another_shape(tmp_path: Path, text: str, expected: list[str] | None) -> None:
    found = problems_of(tmp_path, text)
    if expected is None:
        assert found
    else:
        assert found == [f"tenants/contoso.yml:{problem}" for problem in expected]


def test_a_recursive_alias_is_a_problem_and_not_the_end(tmp_path: Path) -> None:
    text = RIGHT.replace("vars:", "vars:\n  azure_diagnostics_logs: &a\n    default: *a")
    assert problems_of(tmp_path, text) == ["tenants/contoso.yml:1:1: file: an alias inside of what it stands for"]


@pytest.mark.parametrize("slug", ["Contoso", "1st", "con_toso", "a" * 41, "con.toso", "tenants", "all"])
def test_slugs_that_are_no_host_names(tmp_path: Path, slug: str) -> None:
    found = problems(read(make_fleet(tmp_path, {f"tenants/{slug}.yml": tenant_text(slug, 2)})))
    reserved = slug in ("tenants", "all")
    expected = (
        "taken by Ansible; choose another"
        if reserved
        else "expected at most 40 of a-z, 0-9 and -, the first of them a letter"
    )
    assert found == [f"tenants/{slug}.yml:2:7: slug: {expected}"]


@pytest.mark.parametrize(
    ("collectors", "problem"),
    [
        ("collectors: [a]", "8:13: collectors: expected a dictionary of host names, each with its variables"),
        (
            "collectors: {'log 1': {}}",
            "8:14: collectors.log 1: expected a host name of letters, digits, '.', '_' and '-'",
        ),
        ("collectors: {localhost: {}}", "8:14: collectors.localhost: taken by Ansible; choose another"),
        ("collectors: {log1: [a]}", "8:20: collectors.log1: expected a dictionary of role variables"),
        ("collectors: {log1: {color: a}}", "8:21: collectors.log1.color: unknown variable"),
        ("collectors: {contoso: {}}", "8:14: collectors.contoso: the same name as in {file}:4"),
        ("collectors: {log1: {}, log1: {}}", "8:24: collectors.log1: given twice, first on line 8"),
    ],
)
def test_wrong_collectors(tmp_path: Path, collectors: str, problem: str) -> None:
    found = problems_of(tmp_path, f"{RIGHT}{collectors}\n")
    assert found == [f"tenants/contoso.yml:{problem.format(file=tmp_path / 'tenants/contoso.yml')}"]


def test_values_that_are_known_late_are_not_checked(tmp_path: Path) -> None:
    text = RIGHT.replace(GUID.format(2), '\'{{ lookup("env", "TENANT") }}\'')
    late = (
        "  azure_diagnostics_max_changes: '{{ 5 }}'\n"
        "  azure_diagnostics_client_secret: !vault |\n    $ANSIBLE_VAULT;1.1\n"
    )
    assert problems_of(tmp_path, text + late) == []
