# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of lab tenants under ansible-playbook, beside Ansible's own floor on the same hosts, in one go.

The floor is an action that does nothing for each capability, on the same hosts with the same forks; starting
(inventory and all) is told apart. Lab and Ansible share the machine, so the lab's own CPU seconds stand for the time
that an API takes.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from lab.client import LabClient
from lab.scenarios.sizes import fleet_tenant
from lab.testing import CLIENT_ID, PROSEWARE, ROOT, WORKSPACE, running_lab

RESOURCES, FORKS, SLICES = 20, 50, 2
HEADINGS = ["run", "seconds", "over start", "of floor", "of floor + API", "CPU ms/tenant", "lab CPU s", "peak MB"]
BIN = Path(sys.executable).parent
CORO_CLIENT = "coro-bench"
EMPTY = "- hosts: has_azure_diagnostics\n  gather_facts: false\n"
# As onboard has it: a play for each of the two capabilities.
FLOOR = 2 * (EMPTY + "  tasks:\n    - ansible.builtin.assert: {that: true, quiet: true}\n")
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Row(NamedTuple):
    """seconds: wall; cpu, api: CPU seconds of Ansible and of the lab; megabytes: of Ansible's largest process."""

    name: str
    seconds: float
    cpu: float
    api: float
    megabytes: float


def inventory(lab: LabClient, folder: Path, tenants: int) -> None:
    """A fleet of tenant files as a provider would have them."""
    (folder / "tenants").mkdir(parents=True)
    (folder / "fleet.yml").write_text(
        f"""plugin: mssp.onboarding.tenants
slices: {SLICES}
defaults:
  azure:
    client_id: {CLIENT_ID}
    client_secret: "{{{{ lookup('ansible.builtin.env', 'BENCH_SECRET') }}}}"
    resource_manager_url: {lab.url}
    authority_url: {lab.url}
    log_analytics_url: {lab.url}
    ca_file: {lab.ca_file}
  coro:
    client_id: {CORO_CLIENT}
    client_secret: "{{{{ lookup('ansible.builtin.env', 'BENCH_CORO_SECRET') }}}}"
    api_url: {lab.url}
    ca_file: {lab.ca_file}
  sources:
    azure_diagnostics:
      workspace_id: {WORKSPACE}
      auxiliary_tenant_ids: [{PROSEWARE}]
    coro_connectors:
      connectors: {{soc: {{format: fluency, listener_url: "{lab.receivers.describe()["fluency"]["url"]}"}}}}
      secrets: {{soc: {{token: "{{{{ lookup('ansible.builtin.env', 'BENCH_CORO_TOKEN') }}}}"}}}}
"""
    )
    for number in range(tenants):
        (folder / f"tenants/t{number:04d}.yml").write_text(
            f"plugin: mssp.onboarding.tenants\nslug: t{number:04d}\nname: Tenant {number}\n"
            f"azure: {{tenant_id: {fleet_tenant(number)}}}\ncoro: {{workspace: {child(number + 1)}}}\n"
            "sources: {azure_diagnostics: {}, coro_connectors: {}}\n"
        )


def child(number: int) -> str:
    """The Coro workspace of a tenant, as lab.scenarios.sizes names them from 1 on."""
    return f"bench{number:05d}_{number:04X}_b"


class Bench:
    def __init__(self, lab: LabClient, folder: Path, tenants: int) -> None:
        self.lab = lab
        self.folder = folder
        inventory(lab, folder / "fleet", tenants)

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MSSP_", "AZURE_"))}
        return kept | {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_FORKS": str(FORKS),
            "BENCH_SECRET": self.lab.secret,
            "BENCH_CORO_SECRET": self.lab.coro.client(CORO_CLIENT)[1],
            "BENCH_CORO_TOKEN": self.lab.receivers.describe()["fluency"]["token"],
            "PATH": f"{BIN}{os.pathsep}{kept['PATH']}",
            "MSSP_EVIDENCE_ROOT": str(self.folder / "evidence"),
        }

    def _start(self, *line: str) -> subprocess.Popen[bytes]:
        with open(self.folder / "output.txt", "wb") as output:
            return subprocess.Popen(line, cwd=ROOT, env=self.environment(), stdout=output, stderr=subprocess.STDOUT)

    def _commands(self, playbook: str, slices: tuple[str, ...]) -> list[list[str]]:
        """ansible-playbook over all, or an ansible-runner for each slice."""
        fleet = str(self.folder / "fleet")
        if not slices:
            return [[str(BIN / "ansible-playbook"), "-i", fleet, playbook]]
        runner = [str(BIN / "ansible-runner"), "run", "-p", playbook, "--inventory", fleet, "--limit"]
        return [[*runner, part, str(self.folder / part)] for part in slices]

    def measure(self, name: str, playbook: str, *slices: str) -> Row:
        """One run, or one for each slice at the same time; a run that fails ends the bench."""
        if playbook.startswith("-"):
            path = self.folder / "play.yml"
            path.write_text(playbook)
            playbook = str(path)
        began, cpu, api = time.monotonic(), _children(), _cpu_seconds(self.lab)
        runs = [self._start(*line) for line in self._commands(playbook, slices)]
        codes = [run.wait() for run in runs]
        row = Row(
            name,
            time.monotonic() - began,
            _children() - cpu,
            _cpu_seconds(self.lab) - api,
            resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        )
        if any(codes):
            raise SystemExit(f"{name}: {(self.folder / 'output.txt').read_text()[-3000:]}")
        print(f"{name}: {row.seconds:.1f} s", file=sys.stderr)
        return row


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _cpu_seconds(lab: LabClient) -> float:
    fields = Path(f"/proc/{lab.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def main(tenants: int) -> None:
    with running_lab(f"fleet:{tenants}x{RESOURCES}") as lab, tempfile.TemporaryDirectory() as folder:
        bench = Bench(lab, Path(folder), tenants)
        start = bench.measure("an empty play (start)", EMPTY)
        floor = bench.measure("actions that do nothing (floor)", FLOOR)
        rows = [start, floor]
        rows.append(bench.measure("onboard, first run", "mssp.onboarding.onboard"))
        rows.append(bench.measure("onboard, second run", "mssp.onboarding.onboard"))
        rows.append(
            bench.measure("second run, two slices by ansible-runner", "mssp.onboarding.onboard", "slice_0", "slice_1")
        )
    print("| " + " | ".join(HEADINGS) + " |")
    print("|" + "---|" * len(HEADINGS))
    least = floor.seconds - start.seconds
    for row in rows:
        over = row.seconds - start.seconds
        ratios = [f"{over / least:.2f}", f"{over / (least + row.api):.2f}"] if row not in rows[:2] else ["", ""]
        each = 1000 * (row.cpu - start.cpu) / tenants
        cells = [row.name, f"{row.seconds:.1f}", f"{over:.1f}", *ratios, f"{each:.0f}", f"{row.api:.1f}"]
        cells.append(f"{row.megabytes:.0f}")
        print("| " + " | ".join(cells) + " |")
