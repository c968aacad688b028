# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the modules that give rights, as they stand in their documentation; and what comes out of them."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.client import LabClient
from lab.testing import CLIENT_ID, NORTHWIND, ROOT, running_lab
from tests import warm
from tests.playbooks.test_delegated import CONNECTION

TOOL = Path(sys.executable).with_name("ansible-playbook")
PLUGINS = "ansible_collections.mssp.onboarding.plugins.modules"


@pytest.fixture
def lab() -> Iterator[LabClient]:
    with running_lab() as one:
        status, _made = one.graph(NORTHWIND, "POST", "servicePrincipals", {"appId": CLIENT_ID})
        assert status == 201
        yield one


def examples(module: str) -> list[dict[str, Any]]:
    tasks = yaml.safe_load(importlib.import_module(f"{PLUGINS}.{module}").EXAMPLES)
    return [{**task, "register": "_".join(["run", str(number)])} for number, task in enumerate(tasks)]


def play(lab: LabClient, folder: Path, tasks: list[dict[str, Any]], *options: str, host: str = "localhost") -> Any:
    """(results of the tasks, everything that was printed) of a run whose endpoints are the lab's."""
    ours = {f"mssp.onboarding.{name}": {"client_certificate_path": lab.certificate_path}
            for name in ("azure_role_assignment", "azure_lighthouse_delegation")}  # fmt: skip
    for task in tasks:
        for name in ours.keys() & task.keys():  # a file of the example's own machine
            task[name] = {key: value for key, value in task[name].items() if key != "client_certificate_path"}
    places = {"resource_manager_url": lab.url, "authority_url": lab.url, "ca_file": lab.ca_file}
    registered = ", ".join(f"'{task['register']}': {task['register']}" for task in tasks)
    results = "{{ {" + registered + "} | to_json }}"
    one = {
        "hosts": host,
        "gather_facts": False,
        "module_defaults": {name: {**places, **more} for name, more in ours.items()},
        "vars": {"administrator_arm_token": "{{ lookup('ansible.builtin.env', 'ADMIN_TOKEN') }}"},
        "tasks": [
            *tasks,
            {
                "ansible.builtin.copy": {"dest": str(folder / "results.json"), "mode": "0600", "content": results},
                "delegate_to": "localhost",
                "check_mode": False,
            },
        ],
    }  # fmt: skip
    (folder / "play.yml").write_text(yaml.safe_dump([one]))
    (folder / "handover").mkdir(exist_ok=True)
    (folder / "connection").mkdir(exist_ok=True)
    (folder / "connection" / "jump.py").write_text(CONNECTION)
    python = f"ansible_python_interpreter={sys.executable}"
    (folder / "hosts.ini").write_text(
        f"localhost ansible_connection=local {python}\njumphost ansible_connection=jump {python}\n"
    )
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_CONNECTION_PLUGINS": str(folder / "connection"),
        "ADMIN_TOKEN": lab.admin_token(NORTHWIND, "arm"),
        "MSSP_EVIDENCE_ROOT": str(folder / "evidence"),
    }
    done = warm.run(
        [TOOL, "-i", folder / "hosts.ini", folder / "play.yml", *options],
        cwd=folder, env=environment, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    everything = done.stdout + done.stderr + "".join(
        path.read_text(errors="replace") for path in (folder / "evidence").rglob("*") if path.is_file()
    )  # fmt: skip
    for canary in (environment["ADMIN_TOKEN"], lab.secret):
        assert canary not in everything
    return json.loads((folder / "results.json").read_text()), everything


def outcomes(results: dict[str, Any]) -> list[tuple[bool, str]]:
    return [(one["changed"], one["summary"]["outcome"]) for one in results.values()]


def test_a_role_assignment(lab: LabClient, tmp_path: Path) -> None:
    give, take = examples("azure_role_assignment")
    predicted = {**give, "check_mode": True, "register": "predicted"}
    done, shown = play(lab, tmp_path, [predicted, give, {**give, "register": "again"}, take], "--diff", "-vvvv")
    assert outcomes(done) == [(True, "drifted"), (True, "corrected"), (False, "in_sync"), (True, "corrected")]
    assert done["predicted"]["diff"] == done["run_0"]["diff"]
    assert '"role": "Monitoring Contributor"' in shown, "the diff"


def test_a_delegated_task_does_the_same(lab: LabClient, tmp_path: Path) -> None:
    give, _take = examples("azure_role_assignment")
    done, _shown = play(lab, tmp_path, [give], "-vvvv", host="jumphost")
    assert outcomes(done) == [(True, "corrected")]


def test_a_delegation(lab: LabClient, tmp_path: Path) -> None:
    give, template, take = examples("azure_lighthouse_delegation")
    tasks = [
        {**give, "check_mode": True, "register": "predicted"},
        {**template, "register": "before"},
        give,
        template,
        take,
        {**take, "register": "again"},
    ]
    done, shown = play(lab, tmp_path, tasks, "--diff", "-vvvv")
    assert outcomes(done) == [
        (True, "drifted"), (True, "waiting"), (True, "corrected"), (False, "in_sync"), (True, "corrected"),
        (False, "in_sync"),
    ]  # fmt: skip
    assert done["predicted"]["diff"] == done["run_0"]["diff"]
    assert '"offer": "Proseware SOC"' in shown, "the diff"
    assert (tmp_path / "handover" / "northwind-production.json").is_file()
