"""What is wrong with a run before it begins."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import load_schema
from ansible_collections.mssp.onboarding.plugins.plugin_utils._run import (
    RUN,
    left_out,
    nobody,
    shared_identities,
    unknown_variables,
    unmatched_limits,
    wrong_limits,
    wrong_tags,
)
from tests.unit.ansible_tools import ROOT

WRONG: dict[str, list[Any]] = {
    "drift_max_changes": ["abc", "2%", "1e1", "1,000", "", "-1", None, True, 1.5],
    "mssp_max_fail_percentage": ["abc", "10%", "-1", "101", "", None, "1e1"],
    "mssp_task_seconds": ["abc", "0", 0, "-1", "1.5", "", [], None],
    "mssp_serial": ["abc", "0", 0, "-1", "0%", "101%", "", [], [1, "x"], None],
}
RIGHT: dict[str, list[Any]] = {
    "drift_max_changes": [0, "0", 100, "100"],
    "mssp_max_fail_percentage": [0, "0", 10, "33.3", 100],
    "mssp_task_seconds": [1, "3600"],
    "mssp_serial": [1, "10", "10%", "100%", [1, "10%"]],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_a_slip_in_a_limit_is_named(name: str, value: Any) -> None:
    (line,) = wrong_limits({name: value})
    assert line.startswith(f"{name}: expected ")


def test_what_can_be_is_let_pass() -> None:
    for name, values in RIGHT.items():
        for value in values:
            assert wrong_limits({name: value}) == []
    assert wrong_limits({}) == []


GROUPS = {
    "tenants": ["acme", "big-co", "contoso"],
    "collectors": ["acme-log1", "big-log1", "big-log2"],
    "has_azure_diagnostics": ["acme", "contoso"],
    "tenant_acme": ["acme-log1"],
    "tenant_big_co": ["big-log1", "big-log2"],
}


@pytest.mark.parametrize(
    ("limit", "hosts", "told"),
    [
        ("", ["acme"], []),  # an inventory of its own, without a limit
        ("contoso", ["contoso"], []),
        ("acme,tenant_acme", ["acme", "acme-log1"], []),
        ("tenant_acme", ["acme-log1"], []),
        ("acme:!collectors", ["acme"], []),
        ("@retry", ["acme"], []),
        ("acme", ["acme"], ["acme without its collectors (acme-log1): write -l acme,tenant_acme"]),
        ("big-co,big-log1", ["big-co", "big-log1"], ["(big-log2): write -l big-co,tenant_big_co"]),
        ("tenants", ["acme", "big-co", "contoso"], ["-l acme,tenant_acme", "-l big-co,tenant_big_co"]),
    ],
)
def test_a_limit_takes_a_tenant_with_its_collectors_or_says_that_it_does_not(
    limit: str, hosts: list[str], told: list[str]
) -> None:
    lines = left_out(GROUPS, hosts, limit)
    assert len(lines) == (len(told) + 1 if told else 0)
    assert all(part in line for part, line in zip(told, lines, strict=False))


def test_a_name_in_a_limit_that_nothing_has_is_told_though_the_others_are_there() -> None:
    groups = {**GROUPS, "all": ["acme", "big-co", "contoso", "acme-log1"]}
    (line,) = unmatched_limits(groups, "acme,tenant_acme,contozo")
    assert line.startswith("--limit contozo: no tenant, host or group is named so (did you mean contoso")
    for limit in ("", "all", "acme:&tenants", "cont*,~ac.*", "acme,!contozo", "@retry.txt", "localhost", "192.0.2.1"):
        assert unmatched_limits(groups, limit) == []


def test_many_tenants_without_collectors_are_a_few_lines() -> None:
    groups = {"tenants": [f"t{number}" for number in range(1000)]}
    groups |= {f"tenant_{tenant}": [f"{tenant}-log"] for tenant in groups["tenants"]}
    assert left_out(groups, groups["tenants"], "tenants")[5:6] == ["and 995 more tenants"]


def test_a_run_of_nobody_is_a_problem() -> None:
    assert nobody(GROUPS, ["acme"]) == nobody(GROUPS, ["acme-log1"]) == nobody({"mssp_failed": ["x"]}, ["x"]) == []
    assert nobody({"all": ["localhost"], "ungrouped": ["localhost"]}, ["localhost"]) != []
    assert nobody(GROUPS, ["a-jump-host"]) != []


def test_tags_that_choose_nothing_are_named() -> None:
    known = ["azure_diagnostics", "coro_connectors"]
    assert wrong_tags(["all"], known) == wrong_tags(["tagged"], known) == wrong_tags(["coro_connectors"], known) == []
    (line,) = wrong_tags(["coro_connectors", "azure_diagnostic"], known)
    assert line == "--tags azure_diagnostic: no capability is named so (did you mean azure_diagnostics?)"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("azure_diagnostics_max_change", "(did you mean azure_diagnostics_max_changes?)"),
        ("drift_corect", "(did you mean drift_correct?)"),
        ("drft_correct", "(did you mean drift_correct?)"),
        ("onboard_agian", "(did you mean onboard_again?)"),
        ("mssp_max_failures", ""),
        ("azure_diagnostics__correct", ""),
        ("coro_connector_workspace", "(did you mean coro_connectors_workspace?)"),
    ],
)
def test_an_extra_variable_that_nobody_reads_is_named(name: str, told: str) -> None:
    (line,) = unknown_variables([name, "drift_correct", "my_own"], load_schema())
    assert line.startswith(f"-e {name}: no such variable")
    assert told in line


def test_extra_variables_that_somebody_reads_pass() -> None:
    given = [*RUN, "verify_probe", "ansible_user", "awx_job_id", "region", *load_schema().options]
    assert unknown_variables(given, load_schema()) == []


def test_every_variable_of_a_run_is_known() -> None:
    files = [*(ROOT / "playbooks").rglob("*.yml"), *(ROOT / "roles").glob("*/tasks/*.yml")]
    text = " ".join(path.read_text(encoding="utf-8") for path in files)
    pattern = r"\b((?:drift|mssp|offboard|onboard|schedule|verify)_[a-z_]*[a-z]) (?:\| default|is (?:not )?defined)"
    read = set(re.findall(pattern, text))
    read -= {"mssp_tenant_name", "mssp_tenant_problem", *(name for name in read if "__" in name)}
    assert unknown_variables(read, load_schema()) == []
    assert {"drift_correct", "mssp_serial", "offboard_confirm"} <= read


def test_what_each_tenant_has_for_itself_is_not_given_to_several() -> None:
    given = ["azure_diagnostics_tenant_id", "azure_diagnostics_name"]
    (line,) = shared_identities(given, load_schema(), GROUPS, ["acme", "contoso", "acme-log1"])
    assert line == "-e azure_diagnostics_tenant_id: each tenant has its own, and this run reaches 2"
    assert shared_identities(given, load_schema(), GROUPS, ["acme", "big-co", "acme-log1"]) == []
