# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each run of Ansible pays for the tenant files: reading, checking and holding 40 values of each.

By CPU seconds of the process, the least of five, beside the same command with one host that is no tenant.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5
TENANT = """\
plugin: mssp.onboarding.tenants
slug: t{n:04}
name: Tenant {n}
ring: early
azure:
  tenant_id: {n:08}-0000-4000-8000-000000000000
  client_id: a0000000-0000-4000-8000-00000000000a
  client_secret: "{{{{ lookup('ansible.builtin.env', 'SECRET_{n}') }}}}"
sources:
  azure_diagnostics:
    name: soc
    workspace_id: /subscriptions/{n:08}-0000-4000-8000-000000000001/resourceGroups/soc/providers/\
Microsoft.OperationalInsights/workspaces/law-{n}
    subscriptions: [prod-*, shared-*]
    exclude_subscriptions: [prod-lab]
    resource_groups: [rg-*]
    families: [key_vault, kubernetes]
    include_tags: {{env: prod}}
    logs: {{default: {{category_group: audit}}, kubernetes: {{categories: [guard]}}}}
    metrics: [AllMetrics]
    on_conflict: report
    max_changes: 500
  coro_connectors:
    client_id: coro-{n}
    client_secret: "{{{{ lookup('ansible.builtin.env', 'CORO_{n}') }}}}"
    workspace: tenant_{n}
    contract_confirmed: true
    connectors:
      soc: {{format: splunk, listener_url: "https://hec{n}.example.com/services/collector"}}
    secrets:
      soc: {{authorization: "{{{{ lookup('ansible.builtin.env', 'TOKEN_{n}') }}}}"}}
vars: {{owner: team-{n}, desk: "{n}", zone: eu, level: 3, contract: gold}}
"""


def cpu(folder: Path, inventory: str) -> tuple[float, float]:
    """(CPU seconds, seconds) of one start."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(folder / inventory), "--list-hosts"]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections")}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([*command, str(folder / "play.yml")], check=True, capture_output=True, cwd=ROOT, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - started


def main(tenants: int) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "play.yml").write_text("- hosts: all\n  gather_facts: false\n  tasks: []\n", encoding="utf-8")
        (folder / "hosts").write_text("none ansible_connection=local\n", encoding="utf-8")
        (folder / "fleet/tenants").mkdir(parents=True)
        (folder / "fleet/fleet.yml").write_text("plugin: mssp.onboarding.tenants\n", encoding="utf-8")
        for number in range(tenants):
            text = TENANT.format(n=number)
            (folder / f"fleet/tenants/t{number:04}.yml").write_text(text, encoding="utf-8")
        rows = [
            (name, min(cpu(folder, path) for _round in range(ROUNDS)))
            for name, path in (("one host, no tenant", "hosts"), (f"{tenants} tenant files", "fleet/fleet.yml"))
        ]
    print("| start with | CPU s | s | over the first, CPU s |")
    print("|---|---|---|---|")
    for name, (seconds, wall) in rows:
        print(f"| {name} | {seconds:.2f} | {wall:.2f} | {seconds - rows[0][1][0]:.2f} |")
