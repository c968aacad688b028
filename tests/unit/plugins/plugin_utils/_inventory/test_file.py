"""One tenant file: each way to get it wrong, with the exact place and words."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.shared import groups_of
from tests.unit.plugins.plugin_utils._inventory.fleets import (
    CERTIFICATE,
    CLIENT,
    GUID,
    make_fleet,
    problems,
    read,
    tenant_text,
)

RIGHT = tenant_text("contoso", 2)
GUID_WANTED = "expected a GUID such as 00000000-0000-0000-0000-000000000000"
ID_WANTED = "expected an Azure resource id that starts with /subscriptions/"
PROVIDER = "for the provider alone; give it in the defaults of fleet.yml, in group_vars or in host_vars"
SECRET_ADVICE = "a secret in plain text; encrypt it with !vault or fetch it with a lookup"


def problems_of(folder: Path, text: str) -> list[str]:
    return problems(read(make_fleet(folder, {"tenants/contoso.yml": text})))


def test_a_right_file(tmp_path: Path) -> None:
    collectors = "collectors:\n  contoso-log1:\n    ansible_host: 192.0.2.1\n    syslog_target: {}\n  contoso-log2:\n"
    fleet = read(make_fleet(tmp_path, {"tenants/contoso.yml": f"ring: early\n{RIGHT}{collectors}vars: {{mine: 1}}\n"}))
    assert problems(fleet) == []
    (tenant,) = fleet.tenants
    assert (tenant.slug, tenant.name, tenant.ring, tenant.group) == ("contoso", "Contoso", "early", "tenant_contoso")
    assert tenant.host.vars == {
        "azure_diagnostics_tenant_id": GUID.format(2),
        "azure_diagnostics_client_id": "a0000000-0000-4000-8000-00000000000a",
        "azure_diagnostics_client_certificate_path": "/etc/app.pem",
        "mine": 1,
    }
    assert groups_of(tenant, tenant.host) == ["tenants", "ring_early", "has_azure_diagnostics"]
    log1, log2 = tenant.collectors
    assert (log1.name, log1.vars) == ("contoso-log1", {"ansible_host": "192.0.2.1"})
    assert groups_of(tenant, log1) == ["collectors", "tenant_contoso", "ring_early", "has_syslog_target"]
    assert (log2.name, log2.vars, list(log2.sections)) == ("contoso-log2", {}, [])


@pytest.mark.parametrize("section", ["", " {}", " null"])
def test_a_source_is_wanted_because_it_stands_there(tmp_path: Path, section: str) -> None:
    text = f"{RIGHT}  tenant_access:{section}\n"
    (tenant,) = read(make_fleet(tmp_path, {"tenants/contoso.yml": text})).tenants
    assert list(tenant.host.sections) == ["azure_diagnostics", "tenant_access"]


def test_what_a_vendor_shares_is_given_to_each_wanted_source_that_does_not_say_otherwise(tmp_path: Path) -> None:
    text = f"{RIGHT}    ca_file: /etc/other.pem\n  tenant_access: {{}}\n".replace(
        CERTIFICATE, f"{CERTIFICATE}  ca_file: /ca\n"
    )
    (tenant,) = read(make_fleet(tmp_path, {"tenants/contoso.yml": text})).tenants
    assert tenant.host.vars["azure_diagnostics_ca_file"] == "/etc/other.pem"
    assert tenant.host.vars["tenant_access_ca_file"] == "/ca"
    assert tenant.host.vars["tenant_access_tenant_id"] == GUID.format(2)
    assert not [name for name in tenant.host.vars if name.startswith(("event_hub_export_", "mssp_application_"))]


def test_the_ring_is_all_when_not_given(tmp_path: Path) -> None:
    assert read(make_fleet(tmp_path, {"tenants/contoso.yml": RIGHT})).tenants[0].ring == "all"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("name:", "nmae:", "3:1: nmae: unknown key (did you mean name?)"),
        ("azure:", "azrue:", "4:1: azrue: unknown key (did you mean azure?)"),
        (
            "azure:",
            "azure_diagnostics_exact: true\nazure:",
            "4:1: azure_diagnostics_exact: an option of the role azure_diagnostics; "
            "write it as sources.azure_diagnostics.exact",
        ),
        (
            "azure:",
            "coro_connectors: {}\nazure:",
            "4:1: coro_connectors: not here; it goes under sources.coro_connectors",
        ),
        (
            "azure:",
            "syslog_target: {}\nazure:",
            "4:1: syslog_target: not here; it goes under collectors.<host>.syslog_target",
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
        ("azure:", "ring: erly\nazure:", "4:7: ring: expected one of canary, early, all (did you mean early?)"),
        ("azure:", "name: Contoso\nazure:", "4:1: name: given twice, first on line 3"),
        (
            "azure:",
            "vars: {azure_diagnostics_client_id: a}\nazure:",
            "4:8: vars.azure_diagnostics_client_id: an option of the role azure_diagnostics; "
            "write it as azure.client_id",
        ),
        (
            "azure:",
            "vars: {azure_diagnostics_exat: true}\nazure:",
            "4:8: vars.azure_diagnostics_exat: azure_diagnostics has no such option (did you mean exact?); "
            "its options go under sources.azure_diagnostics",
        ),
        ("azure:", "vars: {mssp_ring: all}\nazure:", "4:8: vars.mssp_ring: set by the inventory plugin"),
        (
            "azure:",
            "vars: {my-own: 1}\nazure:",
            "4:8: vars.my-own: expected a name of letters, digits and _, with no digit first",
        ),
        ("azure:", "vars: [a]\nazure:", "4:7: vars: expected a dictionary of variables"),
        ("  client_id: a", "  clientid: a", "6:3: azure.clientid: unknown option (did you mean client_id?)"),
        (
            "azure:",
            "azure:\n  exact: true",
            "5:3: azure.exact: not shared by the sources of azure; write it as sources.mssp_application.exact or "
            "sources.azure_diagnostics.exact",
        ),
        ("azure:", "coro: [a]\nazure:", "4:7: coro: expected a dictionary of options"),
        (
            "  azure_diagnostics:",
            "  azure_diagnostic:",
            "9:3: sources.azure_diagnostic: no such source (did you mean azure_diagnostics?)",
        ),
        (
            "  azure_diagnostics:",
            "  azure_diagnostics: '{{ all }}'",
            "9:22: sources.azure_diagnostics: expected a dictionary of options",
        ),
        (
            "  azure_diagnostics:",
            "  azure_diagnostics:\n  scp_target: {}",
            "10:3: sources.scp_target: not here; it goes under collectors.<host>.scp_target",
        ),
        (
            "  azure_diagnostics:",
            "  azure_diagnostics:\n    max_chages: 5",
            "10:5: sources.azure_diagnostics.max_chages: unknown option (did you mean max_changes?)",
        ),
        (
            "  azure_diagnostics:",
            "  azure_diagnostics:\n    azure_diagnostics_exact: true",
            "10:5: sources.azure_diagnostics.azure_diagnostics_exact: unknown option (did you mean exact?)",
        ),
        (
            f"tenant_id: {GUID.format(2)}",
            "tenant_id: contoso.onmicrosoft.com",
            f"5:14: azure.tenant_id: {GUID_WANTED}",
        ),
        (
            "client_id: a0000000-0000-4000-8000-00000000000a",
            "client_id: a0000000-0000-4000-8000-00000000000",
            f"6:14: azure.client_id: {GUID_WANTED}",
        ),
        (
            "  azure_diagnostics:",
            "  azure_diagnostics:\n    auxiliary_tenant_ids: [proseware]",
            f"10:28: sources.azure_diagnostics.auxiliary_tenant_ids[0]: {GUID_WANTED}",
        ),
        (
            "  azure_diagnostics:",
            "  azure_diagnostics:\n    workspace_id: law-sentinel",
            "10:19: sources.azure_diagnostics.workspace_id: expected the resource id of a Log Analytics workspace",
        ),
        (
            "  azure_diagnostics:",
            "  azure_diagnostics:\n    families: [key_vaults]",
            "10:16: sources.azure_diagnostics.families[0]: expected one of all, activity_log, application_gateway, "
            "azure_firewall, front_door, key_vault, kubernetes, network_security_group, public_ip, sql, storage, "
            "waf_policy (did you mean key_vault?)",
        ),
        (
            "  azure_diagnostics:",
            "  azure_diagnostics:\n    exact: 'yes'",
            "10:12: sources.azure_diagnostics.exact: expected true or false, got a string",
        ),
        (
            "  azure_diagnostics:",
            "  azure_diagnostics:\n    logs: {sql: {category_grup: audit}}",
            "10:18: sources.azure_diagnostics.logs.sql.category_grup: unknown key (did you mean category_group?)",
        ),
        (
            "  azure_diagnostics:",
            "  azure_diagnostics:\n    regional_destinations: {westeurope: {storage_account_id: starchive}}",
            "10:62: sources.azure_diagnostics.regional_destinations.westeurope.storage_account_id: "
            "expected the resource id of a storage account",
        ),
        ("azure:", "azure:\n  client_secret: hunter2", f"5:18: azure.client_secret: {SECRET_ADVICE}"),
        (
            CERTIFICATE,
            "",
            "4:1: azure: one of client_secret, client_certificate_path, federated_token_file is needed to sign in; "
            "give it here or in the defaults of fleet.yml",
        ),
        (
            CLIENT,
            "",
            "4:1: azure.client_id: required by azure_diagnostics; give it here or in the defaults of fleet.yml",
        ),
        (
            f"  tenant_id: {GUID.format(2)}\n",
            "",
            "4:1: azure.tenant_id: required by azure_diagnostics; give it here",
        ),
        (
            "  azure_diagnostics:",
            "  azure_diagnostics:\n  event_hub_export: {resource_group: rg, namespace: ns}",
            "10:3: sources.event_hub_export.subscription_id: required by event_hub_export; give it here",
        ),
        (
            "  azure_diagnostics:",
            "  azure_diagnostics:\n  coro_connectors: {connectors: {}}",
            "10:3: coro.workspace: required by coro_connectors; give it here",
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


def test_what_several_sources_of_a_vendor_miss_is_said_once(tmp_path: Path) -> None:
    text = RIGHT.replace(CLIENT, "").replace(CERTIFICATE, "") + "  tenant_access:\n"
    assert problems_of(tmp_path, text) == [
        "tenants/contoso.yml:4:1: azure: one of client_secret, client_certificate_path, federated_token_file is needed "
        "to sign in; give it here or in the defaults of fleet.yml",
        "tenants/contoso.yml:4:1: azure.client_id: required by azure_diagnostics, tenant_access; "
        "give it here or in the defaults of fleet.yml",
    ]


def test_a_recursive_alias_is_a_problem_and_not_the_end(tmp_path: Path) -> None:
    text = f"{RIGHT}    logs: &a\n      default: *a\n"
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
        ("collectors: [a]", "10:13: collectors: expected a dictionary of host names, each with its sections"),
        (
            "collectors: {'log 1': {}}",
            "10:14: collectors.log 1: expected a host name of letters, digits, '.', '_' and '-'",
        ),
        ("collectors: {localhost: {}}", "10:14: collectors.localhost: taken by Ansible; choose another"),
        ("collectors: {log1: [a]}", "10:20: collectors.log1: expected a dictionary of variables and sections"),
        (
            "collectors: {log1: {color: a}}",
            "10:21: collectors.log1.color: unknown key; variables of your own go under vars",
        ),
        (
            "collectors: {log1: {syslog_targt: {}}}",
            "10:21: collectors.log1.syslog_targt: unknown key (did you mean syslog_target?); "
            "variables of your own go under vars",
        ),
        (
            "collectors: {log1: {coro_connectors: {}}}",
            "10:21: collectors.log1.coro_connectors: not here; it goes under sources.coro_connectors",
        ),
        (
            "collectors: {log1: {syslog_target_sources: {}}}",
            "10:21: collectors.log1.syslog_target_sources: an option of the role syslog_target; "
            "write it as collectors.<host>.syslog_target.sources",
        ),
        (
            "collectors: {log1: {syslog_target: {sources: {fw: {transport: upd}}}}}",
            "10:63: collectors.log1.syslog_target.sources.fw.transport: "
            "expected one of udp, tcp, tls, relp, file (did you mean udp?)",
        ),
        (
            "collectors: {log1: {syslog_target: {file_roots: [/srv]}}}",
            f"10:37: collectors.log1.syslog_target.file_roots: {PROVIDER}",
        ),
        (
            "collectors: {log1: {scp_target: {quota_mib: 0}}}",
            f"10:34: collectors.log1.scp_target.quota_mib: {PROVIDER}",
        ),
        (
            "collectors: {log1: {scp_target: {sources: {esa: {keys: [a]}}}}}",
            "10:49: collectors.log1.scp_target.sources.esa.from: required",
        ),
        (
            "collectors: {log1: {falcon_siem_connector: {secrets: {cid: {client_secret: plain}}}}}",
            f"10:76: collectors.log1.falcon_siem_connector.secrets.cid.client_secret: {SECRET_ADVICE}",
        ),
        (
            "collectors: {log1: {drift_schedule: {}}}",
            "10:21: collectors.log1.drift_schedule.inventory: required by drift_schedule; "
            "give it here or in the defaults of fleet.yml",
        ),
        ("collectors: {contoso: {}}", "10:14: collectors.contoso: the same name as in {file}:2"),
        ("collectors: {log1: {}, log1: {}}", "10:24: collectors.log1: given twice, first on line 10"),
    ],
)
def test_wrong_collectors(tmp_path: Path, collectors: str, problem: str) -> None:
    found = problems_of(tmp_path, f"{RIGHT}{collectors}\n")
    assert found == [f"tenants/contoso.yml:{problem.format(file=tmp_path / 'tenants/contoso.yml')}"]


def test_a_collector_may_have_variables_of_its_own(tmp_path: Path) -> None:
    text = f"{RIGHT}collectors: {{log1: {{ansible_port: 22, vars: {{rack: 7}}}}}}\n"
    (tenant,) = read(make_fleet(tmp_path, {"tenants/contoso.yml": text})).tenants
    assert tenant.collectors[0].vars == {"rack": 7, "ansible_port": 22}


def test_values_that_are_known_late_are_not_checked(tmp_path: Path) -> None:
    text = RIGHT.replace(GUID.format(2), '\'{{ lookup("env", "TENANT") }}\'')
    text = text.replace("sources:", "  client_secret: !vault |\n    $ANSIBLE_VAULT;1.1\nsources:")
    assert problems_of(tmp_path, f"{text}    max_changes: '{{{{ 5 }}}}'\n") == []
