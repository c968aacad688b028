"""What only a capability knows to be wrong is told with file, line and key, before any request."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import Capability, load_capabilities
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import load_schema
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
ROLES = load_schema().roles
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
    assert check.rules == module.rules
    assert check.spec.items() >= module.spec.items(), (
        "a role whose wishes go to two modules has them all checked at once"
    )
    assert {name for name, one in ROLES[capability.name].options.items()} >= check.spec.keys() - module.spec.keys()
    assert module.engine.__module__.rpartition(".")[0] == check.wanted.__module__.rpartition(".")[0]


def test_every_source_has_a_check() -> None:
    assert {one.name for one in load_capabilities().values() if "converge" in one.modules} == {
        one.name for one in CHECKED
    }


def test_no_check_needs_a_vendors_library() -> None:
    """Each run of Ansible reads the inventory: what only a request needs would cost it a second."""
    names = [f"{PLUGINS}.module_utils.{one.checked_in}" for one in CHECKED]
    seen = f"import sys; old = set(sys.modules); import {', '.join(names)}; print(*sys.modules.keys() - old)"
    code = f"import sys; sys.path[:0] = {sys.path!r}; {seen}"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(names) <= set(loaded)
    assert [name for name in loaded if name.partition(".")[0] in HEAVY] == []


COLLECTOR = """---
plugin: mssp.onboarding.tenants
slug: contoso
name: Contoso Ltd
collectors:
  log1:
    ansible_host: 192.0.2.10
    {role}:
      {lines}
"""
CID = "cids: {main: {cloud: us_1, client_id: a1, format: cef, syslog: {host: siem.example, port: 514}}}"
GIVEN = "secrets: {main: {client_secret: \"{{ lookup('env', 'A') }}\"}}"


def of_collector(tmp_path: Path, role: str, lines: str, **more: str) -> list[str]:
    text = COLLECTOR.replace("{role}", role).replace("{lines}", lines)
    return problems(read(make_fleet(tmp_path, {"tenants/contoso.yml": text, **more}), wrong_wish=wrong_wish))


@pytest.mark.parametrize(
    ("role", "lines", "told"),
    [
        ("syslog_target", "sources: {fw: {transport: udp, port: 99999}}", "sources: source «fw»: port 99999"),
        ("syslog_target", "sources: {fw: {transport: udp, senders: [10.0.0.1/8]}}", "source «fw»: sender 10.0.0.1/8"),
        ("syslog_target", "sources: {fw: {transport: udp, outputs: [siem]}}", "source «fw»: outputs has no siem"),
        ("syslog_target", "sources: {a: {transport: tcp}, b: {transport: tls, port: 514, peers: [x]}}", "tcp port 514"),
        ("syslog_target", "{sources: {fw: {transport: udp}}, checkpoint: 0}", "checkpoint: 0 is not 1 or more"),
        ("scp_target", "sources: {esa: {keys: [ssh-dss AAAA], from: [192.0.2.1]}}", "source esa: it has a DSA key"),
        ("scp_target", "sources: {esa: {keys: [], from: [192.0.2.1]}}", "source esa: keys and from are needed"),
        ("scp_target", "{sources: {}, legacy_port: 70000}", "legacy_port is no port"),
        ("scp_target", "sources: {eSA: {keys: [], from: []}}", "scp_target.sources: sources: a source: name cannot be"),
        ("falcon_siem_connector", f"{GIVEN}\n      {CID.replace('us_1', 'null')}", "CID «main»: it needs cloud"),
        ("falcon_siem_connector", CID, "secrets of CID «main»: expected client_secret"),
        ("falcon_siem_connector", f"{GIVEN.replace('main', 'mian')}\n      {CID}", ".secrets: secrets: cids has"),
    ],
)
def test_a_collectors_wish_that_cannot_be_is_told_at_its_key(tmp_path: Path, role: str, lines: str, told: str) -> None:
    (found,) = of_collector(tmp_path, role, lines)
    assert found.startswith("tenants/contoso.yml:")
    assert f"collectors.log1.{role}" in found
    assert told in found


@pytest.mark.parametrize(
    ("role", "lines", "shared"),
    [
        (
            "syslog_target",
            "sources: {fw: {transport: udp, outputs: [siem]}}",
            "syslog_target_outputs: {siem: {type: tcp, host: h, port: 1}}",
        ),
        ("syslog_target", "sources: '{{ sources }}'", ""),
        ("syslog_target", "sources: {fw: {transport: udp, port: '{{ port }}'}}", ""),
        (
            "syslog_target",
            "sources: {fw: {transport: file, paths: [/data/contoso/x]}}",
            "syslog_target_file_roots: [/data]",
        ),
        ("scp_target", "sources: {esa: {keys: ['{{ key }}'], from: [192.0.2.1]}}", ""),
        ("falcon_siem_connector", CID, "falcon_siem_connector_secrets: {main: {client_secret: '{{ x }}'}}"),
        ("falcon_siem_connector", f"{GIVEN}\n      {CID.replace('host: siem.example, port: 514', 'source: fw')}", ""),
    ],
)
def test_what_of_a_collector_is_known_late_is_left_to_the_task(
    tmp_path: Path, role: str, lines: str, shared: str
) -> None:
    more = {"group_vars/collectors.yml": f"{shared}\n"} if shared else {}
    assert of_collector(tmp_path, role, lines, **more) == []


SOPHOS = """plugin: mssp.onboarding.tenants
slug: contoso
name: Contoso
sophos:
  username: mssp
  password: "{{ lookup('ansible.builtin.env', 'SOPHOS_PASSWORD') }}"
  firewalls: {hq: {host: 192.0.2.1, serial_number: C01001ABCDEF123}}
sources:
  sophos_syslog:
    collector: contoso-col1
    source: firewalls
collectors:
  contoso-col1:
    syslog_target:
      sources: {firewalls: {transport: udp, senders: [192.0.2.1]}}
"""
WHERE = "tenants/contoso.yml:{}: sources.sophos_syslog.{}: "


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"collector: contoso-col1": "collector: contoso-col"}, "10:16 collector nothing matches contoso-col (did you"),
        ({"source: firewalls": "source: firewall"}, "11:13 source nothing matches firewall (did you mean firewalls?)"),
        (
            {"    syslog_target:\n      sources": "    ansible_host: 192.0.2.2\n#"},
            "11:13 source nothing matches firewalls (there is none)",
        ),
        ({}, ""),
        ({"source: firewalls": "source: '{{ one }}'"}, ""),
        ({"sources: {firewalls": "sources: '{{ all }}' #"}, ""),
        ({"contoso-col1\n": "contoso-col\n", "name:": "state: offboarded\nname:"}, ""),
    ],
)
def test_where_a_source_sends_to_is_told_at_its_key(tmp_path: Path, change: dict[str, str], told: str) -> None:
    text = SOPHOS
    for before, after in change.items():
        text = text.replace(before, after, 1)
    fleet_file = make_fleet(tmp_path, {"tenants/contoso.yml": text})
    found = problems(read(fleet_file, wrong_wish=wrong_wish))
    place, _blank, rest = told.partition(" ")
    name, _blank, words = rest.partition(" ")
    told_at = WHERE.format(place, name) + f"{name}: {words}"
    assert [one.startswith(told_at) for one in found] == [True] * bool(told), found
    assert problems(read(fleet_file, wrong_wish=wrong_wish, alone=False)) == []
