"""What is judged over all files: uniqueness, group_vars, and the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import load_capabilities
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.fleet import report, same_names
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.yaml import Problem
from tests.unit.plugins.plugin_utils._inventory.fleets import (
    CERTIFICATE,
    CLIENT,
    GUID,
    WORKSPACE,
    make_fleet,
    problems,
    read,
    read_one,
    tenant_text,
)

# The same as group_vars have them.
CERTIFICATE_VAR = "azure_diagnostics_client_certificate_path: /etc/app.pem\n"
CLIENT_VAR = "azure_diagnostics_client_id: a0000000-0000-4000-8000-00000000000a\n"
OWN = "each tenant has its own"
SHARED = "a workspace that tenants share belongs in the defaults of fleet.yml"


def two(second: str, first: str = "") -> dict[str, str]:
    return {"tenants/adatum.yml": first or tenant_text("adatum", 2), "tenants/contoso.yml": second}


def test_two_tenants_with_one_tenant_id(tmp_path: Path) -> None:
    upper = tenant_text("contoso", 2).replace(GUID.format(2), GUID.format(2).upper())
    fleet = read(make_fleet(tmp_path, two(upper)))
    assert problems(fleet) == [
        f"tenants/contoso.yml:5:14: azure.tenant_id: the same as in {tmp_path}/tenants/adatum.yml:5; {OWN}"
    ]


def test_two_tenants_with_one_workspace(tmp_path: Path) -> None:
    line = f"    workspace_id: {WORKSPACE}law"
    fleet = read(
        make_fleet(tmp_path, two(tenant_text("contoso", 3, line), tenant_text("adatum", 2, line.replace("law", "LAW"))))
    )
    key = "sources.azure_diagnostics.workspace_id"
    assert problems(fleet) == [
        f"tenants/contoso.yml:10:19: {key}: the same as in {tmp_path}/tenants/adatum.yml:10; {SHARED}"
    ]


def test_one_id_in_two_forms_is_one_value(tmp_path: Path) -> None:
    lines = (f"    workspace_id: {WORKSPACE}law/", f"    workspace_id: {WORKSPACE}LAW")
    files = two(tenant_text("contoso", 3, lines[0]), tenant_text("adatum", 2, lines[1]))
    fleet_file = make_fleet(tmp_path, files)
    assert len(problems(read(fleet_file))) == 1
    for slug in ("adatum", "contoso"):
        assert any("the same as in" in line for line in problems(read_one(tmp_path / f"tenants/{slug}.yml"))), slug


def test_files_for_groups_and_hosts_of_another_inventory_are_its_own(tmp_path: Path) -> None:
    files = {"tenants/contoso.yml": tenant_text("contoso", 3), "group_vars/jump.yml": "a: 1\n"}
    files |= {
        "host_vars/jump1.example.com/main.yml": "a: 1\n",
        "host_vars/README.md": "x",
        "host_vars/contoso.yml": "a: 1\n",
    }
    assert problems(read(make_fleet(tmp_path, files), alone=False)) == []
    assert len(problems(read(tmp_path / "fleet.yml", alone=True))) == 2


def test_files_of_sops_are_read_by_its_plugin(tmp_path: Path) -> None:
    files = {"tenants/contoso.yml": tenant_text("contoso", 3).replace(CERTIFICATE, "")}
    fleet_file = make_fleet(tmp_path, files)
    folder = tmp_path / "group_vars/tenants"
    folder.mkdir(parents=True)
    secrets = folder / "secrets.sops.yml"
    secrets.write_text("azure_diagnostics_client_secret: ENC[AES256_GCM,data:eA==]\nsops: {version: 3.9.0}\n")

    def find(base: str, name: str) -> list[str]:
        return [str(secrets)] if (base, name) == (str(tmp_path / "group_vars"), "tenants") else []

    assert problems(read(fleet_file, find_vars=find, sops=True)) == []
    (problem,) = problems(read(fleet_file, find_vars=find))
    assert problem == "group_vars/tenants/secrets.sops.yml:2:1: sops: encrypted by sops, and not read: " + (
        "vars_plugins_enabled has to name community.sops.sops"
    )


def test_group_vars_beside_the_playbook_give_what_a_tenant_needs(tmp_path: Path) -> None:
    fleet_file = make_fleet(
        tmp_path / "fleet", {"tenants/contoso.yml": tenant_text("contoso", 3).replace(CERTIFICATE, "")}
    )
    assert problems(read(fleet_file)) != []
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/tenants.yml").write_text(CERTIFICATE_VAR)
    assert problems(read(fleet_file, beside_playbooks=(str(tmp_path),))) == []


def test_a_shared_workspace_in_group_vars_is_right(tmp_path: Path) -> None:
    files = two(tenant_text("contoso", 3)) | {
        "group_vars/tenants.yml": f"azure_diagnostics_workspace_id: {WORKSPACE}law\n"
    }
    assert problems(read(make_fleet(tmp_path, files))) == []


def test_values_that_are_known_late_are_not_compared(tmp_path: Path) -> None:
    line = "    workspace_id: '{{ workspace }}'"
    files = two(tenant_text("contoso", 3, line), tenant_text("adatum", 2, line))
    assert problems(read(make_fleet(tmp_path, files))) == []


def test_two_files_of_one_slug(tmp_path: Path) -> None:
    files = {"tenants/adatum.yml": tenant_text("adatum", 2), "tenants/adatum.yaml": tenant_text("adatum", 3)}
    assert problems(read(make_fleet(tmp_path, files))) == [
        f"tenants/adatum.yml:1:1: slug: the same as of {tmp_path}/tenants/adatum.yaml; {OWN}"
    ]


def test_two_tenants_of_one_name_are_told_by_their_slugs(tmp_path: Path) -> None:
    """Two customers may have one name; whoever reads it must know."""
    text = tenant_text("acme-us", 3).replace("Acme-Us", "ACME")
    files = {"tenants/acme-de.yml": tenant_text("acme-de", 2).replace("Acme-De", "Acme"), "tenants/acme-us.yml": text}
    fleet = read(make_fleet(tmp_path, files | {"tenants/contoso.yml": tenant_text("contoso", 4)}))
    assert problems(fleet) == []
    (told,) = same_names(fleet.tenants)
    assert told.startswith("acme-de, acme-us have one name, acme: ")


def test_two_collectors_of_one_name(tmp_path: Path) -> None:
    files = two(
        tenant_text("contoso", 3, "collectors: {log1: {}}"),
        tenant_text("adatum", 2, "collectors: {log1: {}, contoso: {}}"),
    )
    assert problems(read(make_fleet(tmp_path, files))) == [
        f"tenants/adatum.yml:10:24: collectors.contoso: the same name as in {tmp_path}/tenants/contoso.yml:2",
        f"tenants/contoso.yml:10:14: collectors.log1: the same name as in {tmp_path}/tenants/adatum.yml:10",
    ]


@pytest.mark.parametrize(
    "same",
    [f"  tenant_id: {GUID.format(2)}\n", "collectors: {log1: {}}\n", "collectors: {adatum: {}}\n"],
)
def test_one_file_by_itself_is_compared_with_its_fleet(tmp_path: Path, same: str) -> None:
    second = tenant_text("contoso", 3)
    second = second.replace(f"  tenant_id: {GUID.format(3)}\n", same) if "id" in same else second + same
    make_fleet(tmp_path, two(second, tenant_text("adatum", 2, "collectors: {log1: {}}")))
    (problem,) = problems(read_one(tmp_path / "tenants" / "contoso.yml"))
    assert problem.startswith("tenants/contoso.yml:")
    assert "tenants/adatum.yml:" in problem


def test_one_file_by_itself_is_not_stopped_by_errors_of_others(tmp_path: Path) -> None:
    make_fleet(tmp_path, two(tenant_text("contoso", 3), tenant_text("adatum", 2, "wrong: true")))
    fleet = read_one(tmp_path / "tenants" / "contoso.yml")
    assert (problems(fleet), [tenant.slug for tenant in fleet.tenants]) == ([], ["contoso"])


@pytest.mark.parametrize("group", ["all", "tenants", "ring_early", "has_azure_diagnostics"])
def test_group_vars_give_what_a_tenant_needs(tmp_path: Path, group: str) -> None:
    text = tenant_text("contoso", 3).replace(CLIENT, "").replace(CERTIFICATE, "") + "ring: early\n"
    make_fleet(tmp_path, {"tenants/contoso.yml": text, f"group_vars/{group}.yml": CLIENT_VAR + CERTIFICATE_VAR})
    assert problems(read(tmp_path / "fleet.yml")) == []
    assert problems(read_one(tmp_path / "tenants" / "contoso.yml")) == []


def test_group_vars_of_another_ring_do_not(tmp_path: Path) -> None:
    text = tenant_text("contoso", 3).replace(CLIENT, "")
    files = {"tenants/contoso.yml": text, "group_vars/ring_early.yml": CLIENT_VAR}
    (problem,) = problems(read(make_fleet(tmp_path, files)))
    assert "azure.client_id: required by azure_diagnostics" in problem


def test_null_takes_away_what_group_vars_give(tmp_path: Path) -> None:
    text = tenant_text("contoso", 3).replace("path: /etc/app.pem", "path: null")
    files = {"tenants/contoso.yml": text, "group_vars/tenants.yml": CERTIFICATE_VAR}
    (problem,) = problems(read(make_fleet(tmp_path, files)))
    assert "is needed to sign in" in problem


def test_host_vars_extra_vars_and_the_environment_count(tmp_path: Path) -> None:
    text = tenant_text("contoso", 3).replace(CLIENT, "").replace(CERTIFICATE, "")
    fleet_file = make_fleet(tmp_path, {"tenants/contoso.yml": text, "host_vars/contoso.yml": CLIENT_VAR})
    assert len(problems(read(fleet_file))) == 1
    assert problems(read(fleet_file, environment={"AZURE_CLIENT_SECRET": "x"})) == []
    assert problems(read(fleet_file, extra_vars=frozenset({"azure_diagnostics_client_secret"}))) == []


def test_encrypted_group_vars_are_read_by_ansible(tmp_path: Path) -> None:
    text = tenant_text("contoso", 3).replace(CLIENT, "")
    files = {"tenants/contoso.yml": text, "group_vars/all.yml": "$ANSIBLE_VAULT;1.1;AES256\n61\n"}
    fleet_file = make_fleet(tmp_path, files)
    assert problems(read(fleet_file, load=lambda _path: {"azure_diagnostics_client_id": "x"})) == []
    assert len(problems(read(fleet_file, load=lambda _path: {"azure_diagnostics_client_id": None}))) == 1


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (
            "tenants",
            "mine: 1\nazure_diagnostics_exat: true\n",
            "2:1: azure_diagnostics_exat: unknown variable (did you mean azure_diagnostics_exact?)",
        ),
        (
            "tenants",
            "azure_diagnostics_exact: 1\n",
            "1:26: azure_diagnostics_exact: expected true or false, got an integer",
        ),
        (
            "all",
            "azure_diagnostics_client_secret: hunter2\n",
            "1:34: azure_diagnostics_client_secret: a secret in plain text; "
            "encrypt it with !vault or fetch it with a lookup",
        ),
        ("ring_erly", "mine: 1\n", "1:1: file: no such group (did you mean ring_early?)"),
        ("tenants", "- a\n", "1:1: file: expected a mapping of keys and values"),
    ],
)
def test_wrong_group_vars(tmp_path: Path, name: str, text: str, problem: str) -> None:
    files = {"tenants/contoso.yml": tenant_text("contoso", 3), f"group_vars/{name}.yml": text}
    assert problems(read(make_fleet(tmp_path, files))) == [f"group_vars/{name}.yml:{problem}"]


def test_needs_of_collectors_come_from_their_groups(tmp_path: Path) -> None:
    files = {"tenants/a-b.yml": tenant_text("a-b", 3, "collectors: {log1: {drift_schedule: {}}}")}
    fleet_file = make_fleet(tmp_path, files)
    (problem,) = problems(read(fleet_file))
    assert "collectors.log1.drift_schedule.inventory: required by drift_schedule" in problem
    make_fleet(tmp_path, {"group_vars/tenant_a_b.yml": "drift_schedule_inventory: /etc/fleet\n"})
    assert problems(read(fleet_file)) == []


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "fleet.yml:1:1: file: expected tenant files in tenants/ beside this file"),
        (
            {"fleet.yml": "plugin: mssp.onboarding.tenants\nvars: {}\n"},
            "fleet.yml:2:1: vars: unknown key (it belongs in a tenant file, or under defaults)",
        ),
        ({"fleet.yml": "plugin: x\n"}, "fleet.yml:1:9: plugin: expected mssp.onboarding.tenants"),
        ({"fleet.yml": "---\n"}, "fleet.yml:1:1: plugin: expected mssp.onboarding.tenants"),
        ({"fleet.yml": "plugin: [\n"}, "fleet.yml:2:1: file: not valid YAML: did not find expected node content"),
        ({"tenants/eu/x.yml": "a: 1\n"}, "tenants/eu:1:1: folder: expected no folders in tenants/"),
        (
            {"tenants/host_vars/contoso.yml": "azure_diagnostics_correct: never\n"},
            "tenants/host_vars:1:1: folder: expected no folders in tenants/; Ansible reads host_vars beside fleet.yml",
        ),
        (
            {"host_vars/contosso.yml": "azure_diagnostics_correct: never\n"},
            "host_vars/contosso.yml:1:1: file: no such host (did you mean contoso?)",
        ),
        ({"group_vars/tenant.yml": "a: 1\n"}, "group_vars/tenant.yml:1:1: file: no such group (did you mean tenants?)"),
        ({"group_vars/others/main.yml": "a: 1\n"}, "group_vars/others:1:1: file: no such group"),
    ],
)
def test_wrong_fleets(tmp_path: Path, files: dict[str, str], problem: str) -> None:
    own = {} if not files else {"tenants/contoso.yml": tenant_text("contoso", 3)}
    (found,) = problems(read(make_fleet(tmp_path, own | files)))
    assert found.startswith(problem)


def test_all_problems_of_all_files_at_once(tmp_path: Path) -> None:
    files = two(tenant_text("contoso", 3, "wrong: 1"), tenant_text("adatum", 2, "wrong: 1", "bad: 2"))
    assert len(problems(read(make_fleet(tmp_path, files)))) == 3


def test_other_files_in_tenants_are_passed_over(tmp_path: Path) -> None:
    files = {"tenants/contoso.yml": tenant_text("contoso", 3), "tenants/README.md": "x", "tenants/.old.yml": "x"}
    assert problems(read(make_fleet(tmp_path, files))) == []


def test_the_report_is_bounded() -> None:
    found = [Problem(f"t{number:02}.yml", 1, 1, "key", "wrong") for number in range(25)]
    lines = report([*found, found[0]]).splitlines()
    assert lines[0] == "25 errors in 25 inventory files; nothing was run"
    assert lines[1] == "t00.yml:1:1: key: wrong"
    assert lines[20] == "t19.yml:1:1: key: wrong"
    assert lines[21:] == ["... and 5 more"]
    assert report(found[:1]) == "1 error in 1 inventory file; nothing was run\nt00.yml:1:1: key: wrong"


NOT_STRICT = {"fleet.yml": "plugin: mssp.onboarding.tenants\nstrict: false\n"}


def test_a_fleet_that_is_not_strict_goes_on_without_wrong_files(tmp_path: Path) -> None:
    files = two(tenant_text("contoso", 3, "rings: early")) | NOT_STRICT
    fleet = read(make_fleet(tmp_path, files))
    assert problems(fleet) == []
    assert [tenant.slug for tenant in fleet.tenants] == ["adatum"]
    [(path, wrong)] = fleet.aside.items()
    assert path == str(tmp_path / "tenants/contoso.yml")
    assert any("rings: unknown key" in str(problem) for problem in wrong)


@pytest.mark.parametrize(
    "same",
    [
        f"  tenant_id: {GUID.format(2)}\n",
        "collectors: {log1: {}}\n",
        "collectors: {adatum: {}}\n",
    ],
)
def test_of_two_files_that_contradict_each_other_neither_is_taken(tmp_path: Path, same: str) -> None:
    second = tenant_text("contoso", 3)
    second = second.replace(f"  tenant_id: {GUID.format(3)}\n", same) if "id:" in same else second + same
    files = two(second, tenant_text("adatum", 2, "collectors: {log1: {}}")) | NOT_STRICT
    fleet = read(make_fleet(tmp_path, files | {"tenants/woodgrove.yml": tenant_text("woodgrove", 4)}))
    assert [tenant.slug for tenant in fleet.tenants] == ["woodgrove"]
    assert sorted(Path(path).stem for path in fleet.aside) == ["adatum", "contoso"]


def test_what_concerns_the_whole_fleet_ends_the_run_of_one_that_is_not_strict(tmp_path: Path) -> None:
    files = two(tenant_text("contoso", 3)) | NOT_STRICT | {"group_vars/tenants.yml": "azure_diagnostics_familys: []\n"}
    assert problems(read(make_fleet(tmp_path, files)))


def test_a_wrong_file_by_itself_ends_the_run_in_any_case(tmp_path: Path) -> None:
    make_fleet(tmp_path, {"tenants/contoso.yml": tenant_text("contoso", 3, "rings: early")} | NOT_STRICT)
    assert problems(read_one(tmp_path / "tenants/contoso.yml"))


@pytest.mark.parametrize("line", ["strict: maybe", "slices: 0", "slices: 1001", "slices: true", "slices: many"])
def test_keys_of_a_fleet_file_are_checked(tmp_path: Path, line: str) -> None:
    fleet = read(make_fleet(tmp_path, two(tenant_text("contoso", 3)) | {"fleet.yml": NOT_STRICT["fleet.yml"] + line}))
    assert any(f" {line.split(':')[0]}: " in problem for problem in problems(fleet))


def test_slices_deal_every_tenant_to_one_and_do_not_move_when_others_come(tmp_path: Path) -> None:
    four = {"fleet.yml": "plugin: mssp.onboarding.tenants\nslices: 4\n"}
    many = {
        f"tenants/t{number}.yml": tenant_text(f"t{number}", number).replace(
            f"  tenant_id: {GUID.format(number)}\n", "  tenant_id: '{{ id }}'\n"
        )
        for number in range(40)
    }
    fleet = read(make_fleet(tmp_path, many | four))
    assert problems(fleet) == []
    dealt = {tenant.slug: fleet.slice_of(tenant) for tenant in fleet.tenants}
    assert {group for groups in dealt.values() for group in groups} == set(fleet.slice_names)
    alone = read_one(tmp_path / "tenants/t7.yml")
    assert alone.slice_of(alone.tenants[0]) == dealt["t7"]
    assert read(make_fleet(tmp_path / "plain", two(tenant_text("contoso", 3)))).slice_names == []


def fleet_text(*lines: str) -> str:
    """A fleet file with these lines in its defaults, from line 3 on."""
    return "\n".join(("plugin: mssp.onboarding.tenants", "defaults:", *lines, ""))


def test_defaults_are_variables_of_every_role_and_make_nobody_have_one(tmp_path: Path) -> None:
    text = fleet_text(
        "  azure: {cloud: azure_china, client_id: null}",
        "  sources: {azure_diagnostics: {exact: true, cloud: azure_public}}",
        "  collectors: {syslog_target: {retention_days: 7}}",
        "  vars: {mine: '{{ mssp_tenant }}'}",
    )
    fleet = read(make_fleet(tmp_path, {"fleet.yml": text, "tenants/contoso.yml": tenant_text("contoso", 3)}))
    assert problems(fleet) == []
    shared = load_capabilities().items()
    roles = [name for name, one in shared if one.vendor == "azure" and "cloud" in one.shared]
    clouds = {f"{role}_cloud": "azure_china" for role in roles}
    assert {name: value for name, value in fleet.defaults.items() if not name.endswith("_client_id")} == {
        **clouds,
        "azure_diagnostics_cloud": "azure_public",
        "azure_diagnostics_exact": True,
        "syslog_target_retention_days": 7,
        "mine": "{{ mssp_tenant }}",
    }
    assert list(fleet.tenants[0].host.sections) == ["azure_diagnostics"]
    assert "azure_diagnostics_cloud" not in fleet.tenants[0].host.vars


def test_defaults_give_what_a_tenant_needs(tmp_path: Path) -> None:
    text = tenant_text("contoso", 3).replace(CLIENT, "").replace(CERTIFICATE, "")
    shared = fleet_text("  azure:", f"  {CLIENT}  {CERTIFICATE}")
    make_fleet(tmp_path, {"tenants/contoso.yml": text, "fleet.yml": shared})
    assert problems(read(tmp_path / "fleet.yml")) == []
    assert problems(read_one(tmp_path / "tenants" / "contoso.yml")) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            f"  azure: {{tenant_id: {GUID.format(3)}}}",
            "3:22: defaults.azure.tenant_id: each tenant has its own; give it in the tenants' files, or by a template",
        ),
        (
            "  coro: {workspace: contoso_Qx7d_b}",
            "3:21: defaults.coro.workspace: each tenant has its own; give it in the tenants' files, or by a template",
        ),
        (
            "  sources: {event_hub_export: {namespace: evh}}",
            "3:43: defaults.sources.event_hub_export.namespace: each tenant has its own; "
            "give it in the tenants' files, or by a template",
        ),
        (
            "  sources:\n    tenant_access:\n      admin_arm_token: !vault |\n        $ANSIBLE_VAULT;1.1\n        61",
            "5:24: defaults.sources.tenant_access.admin_arm_token: each tenant has its own; "
            "give it in the tenants' files, or by a template",
        ),
        (
            "  vars: {loop: &a {in: *a}}",
            "2:1: defaults: an alias inside of what it stands for",
        ),
        ("  azrue: {}", "3:3: defaults.azrue: unknown key (did you mean azure?)"),
        ("  coro_connectors: {}", "3:3: defaults.coro_connectors: not here; it goes under sources.coro_connectors"),
        ("  azure: {could: a}", "3:11: defaults.azure.could: unknown option (did you mean cloud?)"),
        (
            "  sources: {azure_diagnostics: {exact: 1}}",
            "3:40: defaults.sources.azure_diagnostics.exact: expected true or false, got an integer",
        ),
        (
            "  collectors: {log1: {}}",
            "3:16: defaults.collectors.log1: unknown key; variables of your own go under vars",
        ),
        (
            "  collectors: {ansible_user: a}",
            "3:16: defaults.collectors.ansible_user: not here; "
            "what all collectors share of their connection goes in group_vars/collectors.yml",
        ),
        (
            "  vars: {coro_connectors_region: eu}",
            "3:10: defaults.vars.coro_connectors_region: an option of the role coro_connectors; "
            "write it as coro.region",
        ),
        ("  - a", "3:3: defaults: expected a dictionary of sections"),
        (
            "  coro: {client_secret: plain}",
            "3:25: defaults.coro.client_secret: a secret in plain text; "
            "encrypt it with !vault or fetch it with a lookup",
        ),
    ],
)
def test_wrong_defaults(tmp_path: Path, line: str, problem: str) -> None:
    files = {"fleet.yml": fleet_text(line), "tenants/contoso.yml": tenant_text("contoso", 3)}
    assert problems(read(make_fleet(tmp_path, files))) == [f"fleet.yml:{problem}"]


def test_null_in_the_defaults_gives_nothing(tmp_path: Path) -> None:
    files = {"fleet.yml": fleet_text("  azure: {client_id: null}"), "tenants/contoso.yml": tenant_text("contoso", 3)}
    assert problems(read(make_fleet(tmp_path, files))) == []
    text = tenant_text("contoso", 3).replace(CLIENT, "")
    (problem,) = problems(read(make_fleet(tmp_path, {"tenants/contoso.yml": text, "fleet.yml": files["fleet.yml"]})))
    assert "azure.client_id: required" in problem


def test_a_template_may_give_each_tenant_its_own(tmp_path: Path) -> None:
    text = fleet_text("  azure: {tenant_id: '{{ ids[mssp_tenant] }}'}")
    mine = tenant_text("contoso", 3).replace(f"  tenant_id: {GUID.format(3)}\n", "")
    assert problems(read(make_fleet(tmp_path, {"fleet.yml": text, "tenants/contoso.yml": mine}))) == []


def test_what_is_the_providers_may_stand_in_defaults_group_vars_and_host_vars(tmp_path: Path) -> None:
    text = tenant_text("contoso", 3, "collectors: {log1: {syslog_target: {}}}")
    limits = "syslog_target_memory_max: 2G\nsyslog_target_file_roots: [/srv/logs]\n"
    places = ("group_vars/collectors", "group_vars/tenant_contoso", "host_vars/log1")
    files = {f"{place}.yml": limits for place in places}
    files["fleet.yml"] = fleet_text("  collectors: {syslog_target: {file_roots: [/srv/logs]}}")
    assert problems(read(make_fleet(tmp_path, {"tenants/contoso.yml": text, **files}))) == []


@pytest.mark.parametrize(("name", "right"), [("tenants", False), ("all", False), ("tenant_contoso", True)])
def test_what_is_a_tenants_own_is_refused_in_group_vars_of_several(tmp_path: Path, name: str, right: bool) -> None:
    text = tenant_text("contoso", 3, "collectors: {log1: {}}")
    files = {"tenants/contoso.yml": text, f"group_vars/{name}.yml": "coro_connectors_workspace: contoso\n"}
    problem = (
        f"group_vars/{name}.yml:1:28: coro_connectors_workspace: each tenant has its own; "
        "give it in the tenants' files, or by a template"
    )
    assert problems(read(make_fleet(tmp_path, files))) == ([] if right else [problem])


def test_wrong_defaults_end_the_run_of_a_fleet_that_is_not_strict(tmp_path: Path) -> None:
    files = {
        "fleet.yml": fleet_text("  azrue: {}") + "strict: false\n",
        "tenants/contoso.yml": tenant_text("contoso", 3),
    }
    assert problems(read(make_fleet(tmp_path, files)))
