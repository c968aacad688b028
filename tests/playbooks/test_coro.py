# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The five verbs on Coro workspaces of the lab, as a user runs them; the README's example; a delegated task."""

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
from lab.testing import ROOT, running_lab
from tests import warm
from tests.playbooks.test_azure import Run, recap
from tests.playbooks.test_delegated import CONNECTION
from tests.playbooks.test_docs import blocks

CONTOSO, CHANNEL, KIDS = "contoso_Qx7d_b", "tailspin_Kp2W_u", "tailspinkids_Bv3N_b"
TOOL = Path(sys.executable).with_name("ansible-playbook")


@pytest.fixture(scope="module")
def shared_lab() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


@pytest.fixture
def lab(shared_lab: LabClient) -> LabClient:
    shared_lab.reset()
    return shared_lab


def env(name: str) -> str:
    return "{{ lookup('ansible.builtin.env', '" + name + "') }}"


def tenant(slug: str, client: str, workspace: str, connectors: dict[str, Any], secrets: dict[str, Any]) -> str:
    secret = env(f"SECRET_{client.upper().replace('-', '_')}")
    return yaml.safe_dump(
        {
            "plugin": "mssp.onboarding.tenants",
            "slug": slug,
            "name": slug.title(),
            "coro": {"workspace": workspace, "client_id": client, "client_secret": secret},
            "sources": {"coro_connectors": {"connectors": connectors, "secrets": secrets}},
        }
    )


class Fleet:
    """Tenants that have Coro only, in a folder of their own, and runs of the collection's playbooks over them."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.lab, self.folder, self.number = lab, folder, 0
        self.at = lab.receivers.describe()
        self.inventory = folder / "fleet"
        (self.inventory / "tenants").mkdir(parents=True)
        here = {"coro": {"api_url": lab.url, "ca_file": lab.ca_file}}
        fleet = {"plugin": "mssp.onboarding.tenants", "defaults": here}
        (self.inventory / "fleet.yml").write_text(yaml.safe_dump(fleet))
        splunk = {"format": "splunk", "listener_url": self.at["splunk"]["url"]}
        hook = {"format": "generic", "listener_url": self.at["generic"]["url"]}
        secrets = {"soc": {"authorization": env("HEC_TOKEN")}, "hook": {"headers": {"X-Api-Key": env("HOOK_KEY")}}}
        self.write("contoso", "coro-contoso", CONTOSO, {"soc": splunk, "hook": hook}, secrets)
        shared = {"format": "fluency", "listener_url": self.at["fluency"]["url"], "apply_to_all_customers": True}
        self.write("tailspin", "coro-tailspin", CHANNEL, {"all": shared}, {"all": {"token": env("FLUENCY_TOKEN")}})

    def write(self, slug: str, *given: Any) -> None:
        (self.inventory / "tenants" / f"{slug}.yml").write_text(tenant(slug, *given))

    @property
    def secrets(self) -> dict[str, str]:
        clients = self.lab.coro.state()["clients"]
        return {
            **{f"SECRET_{name.upper().replace('-', '_')}": one["secret"] for name, one in clients.items()},
            "HEC_TOKEN": self.at["splunk"]["token"],
            "HOOK_KEY": self.at["generic"]["headers"]["X-Api-Key"],
            "FLUENCY_TOKEN": self.at["fluency"]["token"],
        }

    def __call__(self, verb: str, *arguments: str, playbook: Path | None = None, **variables: str) -> Run:
        self.number += 1
        evidence = self.folder / "evidence" / f"run-{self.number}"
        clean = {key: text for key, text in os.environ.items() if not key.startswith(("ANSIBLE_", "CORO_", "MSSP_"))}
        done = warm.run(
            [TOOL, "-i", self.inventory / "fleet.yml", playbook or f"mssp.onboarding.{verb}", *arguments],
            cwd=ROOT,
            env={
                **clean,
                **self.secrets,
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_HOME": str(self.folder / "home"),
                "MSSP_EVIDENCE_DIR": str(evidence),
                **variables,
            },
            timeout=180,
        )
        return Run(done.returncode, done.stdout + done.stderr, evidence)

    def rows(self, run: Run) -> dict[str, dict[str, Any]]:
        return {row["tenant"]: row for row in json.loads((run.evidence / "summary.json").read_text())["tenants"]}

    def writes(self) -> int:
        """Changes that the playbooks made, test events of their own included."""
        listed = self.lab.requests(last=5000)["last"]
        return sum(one["path"].startswith("/v1/siem-connectors") and one["method"] != "GET" for one in listed)


@pytest.fixture
def fleet(lab: LabClient, tmp_path: Path) -> Fleet:
    return Fleet(lab, tmp_path)


def changed(run: Run) -> dict[str, int]:
    return {host: line["changed"] for host, line in recap(run.out).items()}


def test_onboard_as_predicted_and_again_without_a_change(fleet: Fleet, lab: LabClient) -> None:
    assert fleet("preflight").code == 0
    absent = fleet("verify")
    assert absent.code != 0
    assert "run the onboard playbook" in re.sub(r"\s+", " ", absent.out)
    predicted = fleet("onboard", "--check", "--diff")
    assert (predicted.code, fleet.writes()) == (0, 0)
    assert "+    listener_url:" in predicted.out or "listener_url" in predicted.out
    real = fleet("onboard")
    assert real.code == 0, real.out
    assert changed(real) == changed(predicted) == {"contoso": 1, "tailspin": 1}
    assert set(lab.coro.connectors(CONTOSO)) == {"soc", "hook"}
    assert set(lab.coro.connectors(KIDS)) == {"all"}
    before = fleet.writes()
    again = fleet("onboard")
    assert (changed(again), fleet.writes()) == ({"contoso": 0, "tailspin": 0}, before)
    probed = fleet("verify", "-e", "verify_probe=true")
    assert probed.code == 0, probed.out
    assert "contoso: coro_connectors: 0 of 2 flows, 2 connected, as the vendor says" in probed.out
    sent = [one["count"] for one in lab.requests()["counts"] if one["kind"] == "coro.connectors.test"]
    assert sum(sent) == 3, "Coro's own test event by each connector; not by the customers' copies"


def test_drift_is_told_corrected_and_gone(fleet: Fleet, lab: LabClient) -> None:
    assert fleet("onboard").code == 0
    lab.coro.put_connector(CONTOSO, "soc", "SPLUNK", listenerUrl="https://elsewhere.example/services/collector",
                           authorization="Splunk x")  # fmt: skip
    lab.coro.remove_connector(CHANNEL, "all")
    report = fleet("drift", "-e", "drift_fail=true")
    assert report.code != 0
    assert {name: row["drift"] for name, row in fleet.rows(report).items()} == {
        "contoso": {"changed": 1},
        "tailspin": {"missing": 1},
    }
    # Without «always» only the URL would come back: the secret that someone changed cannot be seen.
    done = fleet("drift", "-e", "drift_correct=true", "-e", "coro_connectors_update_secret=always")
    assert lab.coro.connectors(CONTOSO)["soc"]["listenerUrl"] == fleet.at["splunk"]["url"], done.out
    assert fleet("drift", "-e", "drift_fail=true").code == 0


def test_disconnected_is_found_by_verify_and_cured_by_reconnect(fleet: Fleet, lab: LabClient) -> None:
    assert fleet("onboard").code == 0
    lab.receivers.configure("splunk", answer="500")
    lab.coro.emit(CONTOSO)
    lab.advance(2 * 3600 + 60)
    silent = fleet("verify")
    assert silent.code != 0
    assert "coro_connectors_reconnect" in silent.out
    assert fleet.rows(silent)["contoso"]["drift"] == {"stale": 1}
    assert fleet.rows(silent)["tailspin"]["outcome"] == "in_sync"
    undone = fleet("onboard")
    assert undone.code != 0, "what is wanted is not there"
    row = fleet.rows(undone)["contoso"]
    assert (row["outcome"], row["counts"]["failed"], row["problems"][0]["code"]) == ("failed", 1, "disconnected")
    assert "set reconnect" in row["problems"][0]["next_step"]
    lab.receivers.configure("splunk", answer="")
    assert changed(fleet("onboard", "-e", "coro_connectors_reconnect=true")) == {"contoso": 1, "tailspin": 0}
    assert lab.coro.connectors(CONTOSO)["soc"]["status"] == "CONNECTED"


def test_offboard_twice_removes_what_is_ours_only(fleet: Fleet, lab: LabClient) -> None:
    assert fleet("onboard").code == 0
    lab.coro.put_connector(CONTOSO, "theirs", "FLUENCY", listenerUrl="https://siem.contoso.example", token="x")
    arguments = ("-e", "offboard_confirm=contoso", "-e", "coro_connectors_exclusive=true")
    predicted = fleet("offboard", *arguments, "--check")
    assert changed(predicted) == {"contoso": 1}
    assert set(lab.coro.connectors(CONTOSO)) == {"soc", "hook", "theirs"}
    assert changed(fleet("offboard", *arguments)) == {"contoso": 1}
    assert set(lab.coro.connectors(CONTOSO)) == {"theirs"}
    assert set(lab.coro.connectors(KIDS)) == {"all"}, "of another tenant"
    assert changed(fleet("offboard", *arguments)) == {"contoso": 0}


def test_tasks_with_the_same_credentials_sign_in_once(fleet: Fleet, lab: LabClient) -> None:
    for number in range(4):
        lab.coro.put_workspace(f"customer{number}_x_b", f"Customer {number}", "child", CHANNEL)
        hook = {"hook": {"format": "generic", "listener_url": fleet.at["generic"]["url"]}}
        secrets = {"hook": {"headers": {"X-Api-Key": env("HOOK_KEY")}}}
        fleet.write(f"customer{number}", "coro-tailspin", f"customer{number}_x_b", hook, secrets)
    lab.reset_requests()
    run = fleet("onboard", "-l", "customer*", "-f", "1")
    assert run.code == 0, run.out
    kinds = [line for line in lab.requests()["counts"] if line["kind"] == "coro.token"]
    assert [line["count"] for line in kinds] == [1]


def test_no_secret_gets_out(fleet: Fleet, lab: LabClient, tmp_path: Path) -> None:
    """Every secret is a canary: no output at the highest verbosity, no file of a run has it."""
    secrets = [fleet.secrets[name] for name in ("SECRET_CORO_CONTOSO", "HEC_TOKEN", "HOOK_KEY")]
    said = f"no: {' '.join(secrets)}"
    one = ("-vvvv", "--diff", "-l", "contoso", "-e", "coro_connectors_update_secret=on_change")
    lab.fault("status", kind="coro.connectors.post", status=422, code="X", message=said)
    watched = [fleet("onboard", *one).out]
    assert "VALUE_HIDDEN" in watched[0]
    watched.append(fleet("onboard", *one, HEC_TOKEN=f"Splunkf {fleet.at['splunk']['token']}").out)
    assert "misprint" in watched[1]
    watched += [fleet(verb, *one).out for verb in ("drift", "verify")]
    lab.fault("status", kind="coro.token", status=401, code="X", message=said, count=None)
    watched.append(fleet("onboard", *one).out)
    watched += [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert (tmp_path / "evidence" / "fingerprints").is_dir()
    text = "\n".join(watched)
    assert [secret for secret in secrets if secret in text] == []
    assert "lab-coro-" not in text, "a token"


def test_a_secret_in_plain_text_in_a_tenant_file_is_refused(fleet: Fleet) -> None:
    soc = {"soc": {"format": "splunk", "listener_url": fleet.at["splunk"]["url"]}}
    fleet.write("contoso", "coro-contoso", CONTOSO, soc, {"soc": {"authorization": "plain-canary"}})
    run = fleet("onboard", "-l", "contoso")
    assert run.code != 0
    assert "a secret in plain text" in run.out
    assert "plain-canary" not in run.out


def test_the_readmes_example_works_as_it_stands(fleet: Fleet, tmp_path: Path) -> None:
    document = "roles/coro_connectors/README.md"
    prod = tmp_path / "inventories" / "prod"
    (prod / "tenants").mkdir(parents=True)
    (prod / "tenants" / "contoso.yml").write_text(blocks(document, "yaml")[0])
    here = yaml.safe_load((fleet.inventory / "fleet.yml").read_text())
    here["defaults"]["vars"] = {"hec_url": fleet.at["splunk"]["url"], "ticketing_url": fleet.at["generic"]["url"]}
    (prod / "fleet.yml").write_text(yaml.safe_dump(here))
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "CORO_CLIENT_SECRET": fleet.secrets["SECRET_CORO_CONTOSO"],
        "HEC_TOKEN": fleet.secrets["HEC_TOKEN"],
        "TICKETING_KEY": fleet.secrets["HOOK_KEY"],
        "MSSP_EVIDENCE_ROOT": str(tmp_path / "evidence"),
        "PATH": f"{TOOL.parent}:{os.environ['PATH']}",
    }
    commands = [line for block in blocks(document, "sh") for line in block.splitlines()]
    assert len(commands) == 3
    for command in commands:
        done = subprocess.run(
            shlex.split(command), cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180
        )
        assert done.returncode == 0, command + done.stdout + done.stderr
    assert set(fleet.lab.coro.connectors(CONTOSO)) == {"soc", "ticketing"}


PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.add_host:
        name: jumphost
        ansible_connection: jump
        ansible_python_interpreter: "{{ ansible_playbook_python }}"
    - mssp.onboarding.coro_connectors:
        client_id: coro-contoso
        client_secret: "{{ lookup('ansible.builtin.env', 'SECRET_CORO_CONTOSO') }}"
        workspace: contoso_Qx7d_b
        api_url: "{{ url }}"
        ca_file: "{{ ca_file }}"
        connectors:
          soc: {format: splunk, listener_url: "{{ splunk }}"}
          azure: {format: azure_sentinel, workspace_id: "{{ azure }}"}
        secrets:
          soc: {authorization: "Splunk {{ lookup('ansible.builtin.env', 'HEC_TOKEN') }}"}
          azure: {primary_key: "{{ lookup('ansible.builtin.env', 'KEY') }}"}
      register: run
      delegate_to: "{{ 'jumphost' if delegated | bool else omit }}"
    - ansible.builtin.copy:
        content: "{{ run | to_json }}"
        dest: "{{ result_file }}"
        mode: "0600"
"""


def test_a_delegated_task_is_a_module_with_the_same_result(fleet: Fleet, lab: LabClient, tmp_path: Path) -> None:
    (tmp_path / "connection").mkdir()
    (tmp_path / "connection" / "jump.py").write_text(CONNECTION)
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    results = {}
    for delegated in (True, False):
        lab.reset()
        variables = {
            "url": lab.url, "ca_file": lab.ca_file, "delegated": delegated, "splunk": fleet.at["splunk"]["url"],
            "azure": fleet.at["azure"]["workspace_id"], "result_file": str(tmp_path / f"{delegated}.json"),
        }  # fmt: skip
        run = fleet(
            "",
            "-vvvv",
            "-e",
            json.dumps(variables),
            playbook=tmp_path / "play.yml",
            ANSIBLE_CONNECTION_PLUGINS=str(tmp_path / "connection"),
            KEY=fleet.at["azure"]["primary_key"],
        )
        assert run.code == 0, run.out
        secrets = [fleet.secrets["HEC_TOKEN"], fleet.secrets["SECRET_CORO_CONTOSO"], fleet.at["azure"]["primary_key"]]
        assert [secret for secret in secrets if secret in run.out] == []
        assert ("AnsiballZ_coro_connectors" in run.out) == delegated
        assert "passed its retirement date" in re.sub(r"\s+", " ", run.out)
        results[delegated] = json.loads((tmp_path / f"{delegated}.json").read_text())
    assert results[True]["summary"]["counts"] == results[False]["summary"]["counts"]
    assert results[True]["changes"] == results[False]["changes"]
    assert len(results[True]["changes"]) == 2
