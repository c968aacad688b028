# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The five verbs on an Event Hub of the lab, as a user runs them; the README's examples; keys, and a delegated task."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.client import LabClient
from lab.testing import CLIENT_ID, CONTOSO, ROOT, WORKSPACE, running_lab
from tests import warm
from tests.engine.event_hub_engines import ENTRA_SCOPE, HUB, NAMESPACE, OURS, PLACE, READER, SHARED, Customer
from tests.playbooks.tenant_files import tenant_file
from tests.playbooks.test_azure import Run, recap
from tests.playbooks.test_delegated import CONNECTION
from tests.playbooks.test_docs import blocks

TOOL = Path(sys.executable).with_name("ansible-playbook")
README = "roles/event_hub_export/README.md"
FEW = ["AuditLogs", "SignInLogs"]
ENTRA_SETTING = "Entra logs of tenant"


@pytest.fixture(scope="module")
def shared_lab() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


@pytest.fixture
def lab(shared_lab: LabClient) -> LabClient:
    shared_lab.reset()
    return shared_lab


class Fleet:
    """One tenant with an Event Hub only, in a folder of its own, and runs of the collection's playbooks over it."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.lab, self.folder, self.number = lab, folder, 0
        self.customer = Customer(lab)
        self.inventory = folder / "fleet"
        (self.inventory / "tenants").mkdir(parents=True)
        (self.inventory / "group_vars").mkdir()
        (self.inventory / "fleet.yml").write_text("plugin: mssp.onboarding.tenants\n")
        self.here = {f"event_hub_export_{name}": value for name, value in {
            "resource_manager_url": lab.url, "authority_url": lab.url, "ca_file": lab.ca_file,
        }.items()}  # fmt: skip
        (self.inventory / "group_vars" / "tenants.yml").write_text(yaml.safe_dump(self.here))
        self.write()

    def write(self, also: dict[str, Any] | None = None, **given: Any) -> None:
        """also: variables of other roles."""
        options = {
            "tenant_id": CONTOSO,
            "client_id": CLIENT_ID,
            "client_secret": "{{ lookup('ansible.builtin.env', 'SECRET') }}",
            "subscription_id": SHARED,
            "resource_group": "rg-siem",
            "namespace": NAMESPACE,
            "location": "westeurope",
            "entra_categories": FEW,
        } | given
        variables = {f"event_hub_export_{name}": value for name, value in options.items()} | (also or {})
        text = tenant_file("contoso", variables, ring="canary")
        (self.inventory / "tenants" / "contoso.yml").write_text(text)

    def ready(self) -> Fleet:
        """With the rights that preflight asks for."""
        self.customer.may()
        self.customer.may(scope=ENTRA_SCOPE)
        return self

    @property
    def environment(self) -> dict[str, str]:
        own = ("ANSIBLE_", "AZURE_", "MSSP_")
        return {
            **{key: text for key, text in os.environ.items() if not key.startswith(own)},
            "SECRET": self.lab.secret.strip(),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.folder / "home"),
        }

    def __call__(self, verb: str, *arguments: str, playbook: Path | None = None, **variables: str) -> Run:
        self.number += 1
        evidence = self.folder / "evidence" / f"run-{self.number}"
        done = warm.run(
            [TOOL, "-i", self.inventory / "fleet.yml", playbook or f"mssp.onboarding.{verb}", *arguments],
            cwd=ROOT,
            env={**self.environment, "MSSP_EVIDENCE_DIR": str(evidence), **variables},
            timeout=180,
        )
        return Run(done.returncode, done.stdout + done.stderr, evidence)

    def keys(self) -> dict[str, str]:
        _status, answer = self.customer.arm("POST", f"{READER}/listKeys")
        return {name: answer[name] for name in ("primaryKey", "secondaryKey")}


@pytest.fixture
def fleet(lab: LabClient, tmp_path: Path) -> Fleet:
    return Fleet(lab, tmp_path)


def changed(run: Run) -> int:
    return int(recap(run.out)["contoso"]["changed"])


def flat(run: Run) -> str:
    return re.sub(r"\s+", " ", run.out)


def test_preflight_names_every_missing_right(fleet: Fleet) -> None:
    found = fleet("preflight")
    assert found.code != 0
    for words in ("make_event_hub", '--role "Contributor"', "entra_settings", "elevateAccess"):
        assert words in flat(found).replace("\\", ""), words
    assert fleet.ready()("preflight").code == 0


def test_onboard_as_predicted_and_again_without_a_change(fleet: Fleet) -> None:
    fleet.ready()
    absent = fleet("verify")
    assert absent.code != 0
    assert "run the onboard playbook" in flat(absent)
    predicted = fleet("onboard", "--check", "--diff")
    assert (predicted.code, fleet.customer.written()) == (0, []), predicted.out
    assert "partition_count" in predicted.out
    real = fleet("onboard")
    assert real.code == 0, real.out
    assert changed(real) == changed(predicted) == 2
    assert len(fleet.customer.written()) == 7
    assert (changed(fleet("onboard")), fleet.customer.written()) == (0, [])
    fleet.lab.advance(3600)
    assert fleet("verify").code == 0


def test_drift_is_told_corrected_within_policy_and_budget(fleet: Fleet) -> None:
    fleet.ready()
    assert fleet("onboard").code == 0
    fleet.customer.arm("DELETE", f"{HUB}/consumergroups/{OURS}")
    fleet.customer.arm("PUT", READER, {"properties": {"rights": ["Listen", "Send"]}})
    fleet.lab.edit("remove_aadiam_setting", tenant=CONTOSO, name=OURS)
    fleet.customer.written()
    report = fleet("drift", "-e", "drift_fail=true")
    assert (report.code != 0, fleet.customer.written()) == (True, [])
    assert "reader rule rights" in flat(report)
    assert ENTRA_SETTING in flat(report)
    correct = ("-e", "drift_correct=true")
    over = fleet("drift", *correct, "-e", "drift_max_changes=2")
    assert (over.code != 0, fleet.customer.written()) == (True, [])
    assert "would change 3 targets" in flat(over)
    safe = fleet("drift", *correct, "-e", "event_hub_export_correct=safe", "-e", "drift_fail=true")
    assert safe.code != 0
    assert sorted(path.split("/")[0] for _method, path in fleet.customer.written()) == [
        "consumergroups",
        "diagnosticSettings",
    ]
    assert fleet("drift", *correct, "-e", "drift_max_changes=1").code == 0
    assert fleet("drift", "-e", "drift_fail=true").code == 0


def test_offboard_twice_removes_what_is_ours_only(fleet: Fleet) -> None:
    fleet.ready()
    assert fleet("onboard").code == 0
    fleet.customer.make_hub("orders")
    fleet.customer.written()
    arguments = ("-e", "offboard_confirm=contoso")
    predicted = fleet("offboard", *arguments, "--check")
    assert (changed(predicted), fleet.customer.written()) == (2, [])
    assert changed(fleet("offboard", *arguments)) == 2
    gone = [path for _method, path in fleet.customer.written()]
    assert gone[0].startswith("diagnosticSettings/"), "what sends goes before what it sends to"
    assert fleet.customer.shown(f"{PLACE}/eventhubs/orders")
    again = fleet("offboard", *arguments)
    assert (again.code, changed(again), fleet.customer.written()) == (0, 0, [])


def test_a_hub_stays_while_entra_may_still_send_to_it(fleet: Fleet) -> None:
    fleet.ready()
    assert fleet("onboard").code == 0
    fleet.lab.edit("unassign_role", tenant=CONTOSO, role="Contributor", scope=ENTRA_SCOPE)
    refused = fleet("offboard", "-e", "offboard_confirm=contoso")
    assert refused.code != 0
    assert "elevateAccess" in flat(refused)
    assert fleet.customer.shown(HUB)


def test_a_hub_stays_while_resources_may_still_send_to_it(fleet: Fleet) -> None:
    fleet.ready()
    assert fleet("onboard").code == 0
    azure = {"tenant_id": CONTOSO, "client_id": CLIENT_ID, "client_secret": "{{ 'wrong' }}"}
    azure["workspace_id"] = WORKSPACE
    here = {name.replace("event_hub_export", "azure_diagnostics"): value for name, value in fleet.here.items()}
    fleet.write({f"azure_diagnostics_{name}": value for name, value in azure.items()} | here)
    fleet.customer.written()
    kept = fleet("offboard", "-e", "offboard_confirm=contoso")
    assert (kept.code != 0, fleet.customer.written()) == (True, [])
    assert "Run again when these are well: contoso" in flat(kept)


def test_an_administrators_token_and_entra_left_alone(fleet: Fleet) -> None:
    """The app has no right at all: the customer's administrator lends a token; and without Entra none is needed."""
    token = fleet.lab.admin_token(CONTOSO, "arm")
    lent = ("-vvvv", "-e", "event_hub_export_admin_arm_token={{ lookup('ansible.builtin.env', 'TOKEN') }}")
    run = fleet("onboard", *lent, TOKEN=token)
    assert (run.code, changed(run)) == (0, 2), run.out
    assert token not in run.out
    fleet.customer.may()
    fleet.write(entra_categories=[])
    for verb in ("preflight", "onboard", "drift"):
        assert fleet(verb, "-e", "drift_fail=true").code == 0, verb


def test_no_key_and_no_secret_gets_out(fleet: Fleet) -> None:
    """Keys and secret are canaries: no output at the highest verbosity, no file of a run has them."""
    fleet.ready()
    watched = [fleet(verb, "-vvvv", "--diff").out for verb in ("preflight", "onboard", "drift", "verify")]
    canaries = {fleet.lab.secret.strip(), *fleet.keys().values()}
    (fleet.folder / "keys.yml").write_text(blocks(README, "yaml")[1])
    handed = fleet.folder / "handed-over"
    watched.append(fleet("", "-vvvv", "--diff", playbook=fleet.folder / "keys.yml", HANDOVER_FILE=str(handed)).out)
    canaries |= set(fleet.keys().values())
    assert len(canaries) == 4, "the secret, two keys, and the new secondary one"
    assert fleet.keys()["secondaryKey"] in handed.read_text()
    handed.unlink()
    watched.append(fleet("offboard", "-vvvv", "--diff", "-e", "offboard_confirm=contoso").out)
    watched += [path.read_text(errors="replace") for path in fleet.folder.rglob("*") if path.is_file()]
    everything = "\n".join(watched)
    assert [one for one in canaries if one in everything] == []


def test_the_readmes_examples_work_as_they_stand(fleet: Fleet) -> None:
    fleet.ready()
    prod = fleet.folder / "inventories" / "prod"
    (prod / "tenants").mkdir(parents=True)
    (prod / "group_vars").mkdir()
    (prod / "fleet.yml").write_text("plugin: mssp.onboarding.tenants\n")
    tenant, keys = blocks(README, "yaml")
    (prod / "tenants" / "contoso.yml").write_text(tenant)
    (prod / "group_vars" / "tenants.yml").write_text(yaml.safe_dump(fleet.here))
    (fleet.folder / "keys.yml").write_text(keys)
    environment = {
        **fleet.environment,
        "CONTOSO_CLIENT_SECRET": fleet.lab.secret.strip(),
        "MSSP_EVIDENCE_ROOT": str(fleet.folder / "evidence"),
        "HANDOVER_FILE": str(fleet.folder / "key"),
        "PATH": f"{TOOL.parent}:{os.environ['PATH']}",
    }
    commands = [line for block in blocks(README, "sh") for line in block.splitlines()]
    assert len(commands) == 2
    rotate = "ansible-playbook -i inventories/prod/tenants/contoso.yml keys.yml"
    handed = []
    for command in (*commands, rotate, rotate):
        done = subprocess.run(
            shlex.split(command), cwd=fleet.folder, env=environment, capture_output=True, text=True, timeout=180
        )
        assert done.returncode == 0, command + done.stdout + done.stderr
        if command == rotate:
            assert int(recap(done.stdout)["contoso"]["changed"]) >= 1
            handed.append((fleet.folder / "key").read_text())
    assert fleet.keys()["secondaryKey"] in handed[1]
    assert handed[0] != handed[1], "each run changes the key"


PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.add_host:
        name: jumphost
        ansible_connection: jump
        ansible_python_interpreter: "{{ ansible_playbook_python }}"
    - mssp.onboarding.azure_event_hub:
        tenant_id: "{{ tenant }}"
        client_id: "{{ client }}"
        client_secret: "{{ lookup('ansible.builtin.env', 'SECRET') }}"
        resource_manager_url: "{{ url }}"
        authority_url: "{{ url }}"
        ca_file: "{{ ca_file }}"
        subscription_id: "{{ subscription }}"
        resource_group: rg-siem
        namespace: evh-contoso-siem
        location: westeurope
        return_keys: "{{ ask | bool }}"
      register: run
      delegate_to: "{{ 'jumphost' if delegated | bool else omit }}"
      no_log: "{{ hidden | bool }}"
    - ansible.builtin.copy:
        content: "{{ run | to_json }}"
        dest: "{{ result_file }}"
        mode: "0600"
      no_log: true
"""


def play(fleet: Fleet, **given: Any) -> tuple[Run, dict[str, Any]]:
    (fleet.folder / "connection").mkdir(exist_ok=True)
    (fleet.folder / "connection" / "jump.py").write_text(CONNECTION)
    (fleet.folder / "play.yml").write_text(PLAYBOOK)
    result = fleet.folder / "result.json"
    result.unlink(missing_ok=True)
    variables = {"tenant": CONTOSO, "client": CLIENT_ID, "url": fleet.lab.url, "ca_file": fleet.lab.ca_file,
                 "subscription": SHARED, "result_file": str(result), **given}  # fmt: skip
    run = fleet("", "-vvvv", "-e", json.dumps(variables), playbook=fleet.folder / "play.yml",
                ANSIBLE_CONNECTION_PLUGINS=str(fleet.folder / "connection"))  # fmt: skip
    return run, json.loads(result.read_text()) if result.exists() else {}


def test_keys_are_for_tasks_with_no_log_only_delegated_or_not(fleet: Fleet) -> None:
    results = {}
    for delegated in (True, False):
        fleet.lab.reset()
        fleet.ready()
        refused, _none = play(fleet, delegated=delegated, ask=True, hidden=False)
        assert refused.code != 0
        assert "return_keys needs no_log" in flat(refused)
        assert fleet.customer.written() == [], "nothing was done"
        run, results[delegated] = play(fleet, delegated=delegated, ask=True, hidden=True)
        assert run.code == 0, run.out
        assert ("AnsiballZ_azure_event_hub" in run.out) == delegated
        assert results[delegated]["keys"]["primary_key"] == fleet.keys()["primaryKey"]
        assert [key for key in (*fleet.keys().values(), fleet.lab.secret.strip()) if key in run.out] == []
    assert results[True]["summary"]["counts"] == results[False]["summary"]["counts"]
    assert results[True]["changes"] == results[False]["changes"]
