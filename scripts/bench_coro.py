# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures a Coro channel of 500 customers in one task beside one task a customer, against the lab at 40 ms a request.

scripts/bench coro prints a Markdown table in about half a minute. The engine runs in a process of its own on one core,
the lab on another; the last two rows are whole runs of ansible-playbook.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from lab.client import LabClient
from lab.testing import ROOT, running_lab

LATENCY = 0.04
CUSTOMERS, SAMPLE, IN_FLIGHT = 500, 25, 16
CHANNEL, CLIENT = "bench_0000_u", "coro-bench"
HEADINGS = ["run", "workspaces", "wall s", "floor s", "ratio", "CPU ms/workspace", "requests/workspace", "peak MB"]


class Row(NamedTuple):
    """One line of the table; floor: seconds that this many requests in flight cannot go below. None is not measured."""

    name: str
    workspaces: int
    wall: float
    floor: float | None = None
    cpu: float | None = None
    requests: float | None = None
    megabytes: float | None = None

    def cells(self) -> list[str]:
        each = None if self.cpu is None else self.cpu / self.workspaces * 1000
        ratio = None if self.floor is None else self.wall / self.floor
        requests = None if self.requests is None else self.requests / self.workspaces
        numbers = [(self.wall, 2), (self.floor, 2), (ratio, 2), (each, 2), (requests, 3), (self.megabytes, 0)]
        return [self.name, f"{self.workspaces}", *("" if n is None else f"{n:.{digits}f}" for n, digits in numbers)]


def task(lab: LabClient, workspace: str, *, for_all: bool) -> dict[str, Any]:
    """Options of one task."""
    fluency = lab.receivers.describe()["fluency"]
    return {
        "client_id": CLIENT,
        "client_secret": lab.coro.client(CLIENT)[1],
        "api_url": lab.url,
        "ca_file": lab.ca_file,
        "workspace": workspace,
        "connectors": {
            "soc": {"format": "fluency", "listener_url": fluency["url"], "apply_to_all_customers": for_all},
        },
        "secrets": {"soc": {"token": fluency["token"]}},
        "concurrency": IN_FLIGHT,
    }


def engine(given: dict[str, Any]) -> dict[str, Any]:
    """The child: one run of the engine, measured from within; what Ansible itself takes is not in it."""
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
    from ansible_collections.mssp.onboarding.plugins.module_utils._coro import capability, options

    params = ArgumentSpecValidator(options.TENANT_MODULE_SPEC).validate(given).validated_parameters
    wall, cpu = time.monotonic(), time.process_time()
    result = execute(capability.converge, capability.CoroConnectors.name, params, check=False, diff=False)
    return {
        "wall": time.monotonic() - wall,
        "cpu": time.process_time() - cpu,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "msg": result["msg"],
        "failed": result["failed"],
        "requests": sum(result["summary"].get("requests", {}).values()),
    }


def measured(name: str, lab: LabClient) -> Row:
    """One run in a process of its own."""
    child = subprocess.run(
        [sys.executable, ROOT / "scripts" / "bench", "coro-engine"],
        input=json.dumps(task(lab, CHANNEL, for_all=True)),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(child.stdout)
    if found["failed"]:
        raise SystemExit(f"{name}: {found['msg']}")
    print(f"{name}: {found['msg']} {found['wall']:.2f} s", file=sys.stderr)
    floor = CUSTOMERS * LATENCY / IN_FLIGHT
    return Row(name, CUSTOMERS, found["wall"], floor, found["cpu"], found["requests"], found["megabytes"])


def played(name: str, lab: LabClient, workspaces: list[str], *, for_all: bool) -> Row:
    """A run of ansible-playbook with one task a workspace, at Ansible's own 5 forks; its start is in it."""
    hosts = {one: {"ansible_connection": "local", "given": task(lab, one, for_all=for_all)} for one in workspaces}
    play = {"hosts": "all", "gather_facts": False, "tasks": [{"mssp.onboarding.coro_connectors": "{{ given }}"}]}
    with tempfile.TemporaryDirectory() as folder:
        for file, value in (("hosts.json", {"all": {"hosts": hosts}}), ("play.json", [play])):
            (Path(folder) / file).write_text(json.dumps(value))
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.json", "play.json"]
        environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
                       "ANSIBLE_INJECT_FACT_VARS": "0", "ANSIBLE_FORKS": "5"}  # fmt: skip
        lab.reset_requests()
        started = time.monotonic()
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        wall = time.monotonic() - started
    if done.returncode:
        raise SystemExit(f"{name}: {done.stdout}{done.stderr}")
    customers = CUSTOMERS if for_all else len(workspaces)
    print(f"{name}: {customers} customers, {wall:.2f} s", file=sys.stderr)
    return Row(name, customers, wall, requests=lab.requests()["total"])


def main() -> None:
    with running_lab(f"channel:{CUSTOMERS}", latency=LATENCY) as lab:
        children = [one["id"] for one in lab.coro.state()["workspaces"].values() if one["parent"]][:SAMPLE]
        rows = [
            measured("one task, first run", lab),
            measured("one task, second run", lab),
            played("one task, second run, by ansible-playbook", lab, [CHANNEL], for_all=True),
            played("one task a customer, by ansible-playbook", lab, children, for_all=False),
        ]
    for line in (HEADINGS, ["---"] * len(HEADINGS), *(row.cells() for row in rows)):
        print("| " + " | ".join(line) + " |")
    one, each = (row.wall / row.workspaces for row in rows[2:])
    print(f"\nA customer by a task of its own against one among {CUSTOMERS}: {each / one:.0f} to 1")
