# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet with one hostile tenant: what the others' time becomes, how it is told, and how much memory a run takes.

A tenant's time is that from the run's start to the last line of its evidence. The hostile tenant has a time limit of
its own, so that a measurement ends.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from lab.client import LabClient
from lab.scenarios.sizes import fleet_tenant
from lab.testing import ROOT, running_lab
from scripts.bench_fleet import BIN, RESOURCES, Bench

LIMIT_SECONDS = 60
HOSTILE = "t0000"
# Each for every list of the tenant's subscriptions, or of its resources' settings.
ATTACKS: dict[str, dict[str, Any]] = {
    "none": {},
    "endless pages": {"action": "endless_pages", "path": "re:^/subscriptions$"},
    "bodies without end": {"action": "endless", "path": "re:/diagnosticSettings$"},
    "a byte a second": {"action": "drip", "seconds": 1.0, "path": "re:/diagnosticSettings$"},
    "silence": {"action": "hang", "path": "re:/diagnosticSettings$"},
}
HEADINGS = ["attack", "others, median s", "of none", "others, last s", "of none", "run s", "peak MB", "told as"]


class Row(NamedTuple):
    """median, last: seconds until the others were done; megabytes: of all processes of the run together."""

    name: str
    median: float
    last: float
    seconds: float
    megabytes: float
    told: str


class Memory(threading.Thread):
    """The most that a process and those below it hold together, what they share counted once (PSS)."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process, self.most, self.ended = process, 0.0, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.5):
            self.most = max(self.most, sum(map(_megabytes, _family(self.process))))


def _family(process: int) -> set[int]:
    """A process and all below it. Ansible's workers have sessions of their own."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    family = {process}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _megabytes(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def measured(bench: Bench, lab: LabClient, name: str) -> Row:
    """One first run with this attack."""
    lab.reset()
    if ATTACKS[name]:
        lab.fault(tenant=fleet_tenant(0), count=None, **ATTACKS[name])
    evidence = bench.folder / f"evidence-{name.replace(' ', '-')}"
    line = [str(BIN / "ansible-playbook"), "-i", str(bench.folder / "fleet"), "mssp.onboarding.onboard"]
    began = time.time()
    with open(bench.folder / "output.txt", "wb") as output:
        run = subprocess.Popen(
            line, cwd=ROOT, env=bench.environment() | {"MSSP_EVIDENCE_DIR": str(evidence)}, stdout=output,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    memory = Memory(run.pid)
    memory.start()
    run.wait()
    seconds = time.time() - began
    memory.ended.set()
    memory.join()
    done = {path.name: path.stat().st_mtime - began for path in evidence.glob("*.azure_diagnostic_settings.jsonl")}
    others = [when for tenant, when in done.items() if not tenant.startswith(HOSTILE)]
    if not others:
        raise SystemExit(f"{name}: {(bench.folder / 'output.txt').read_text()[-3000:]}")
    rows = json.loads((evidence / "summary.json").read_text())["tenants"]
    mine = next(row for row in rows if row["tenant"] == HOSTILE and row["capability"].startswith("azure"))
    print(f"{name}: {seconds:.1f} s", file=sys.stderr)
    return Row(name, statistics.median(others), max(others), seconds, memory.most, mine["outcome"])


def main(tenants: int) -> None:
    with running_lab(f"fleet:{tenants}x{RESOURCES}") as lab, tempfile.TemporaryDirectory() as folder:
        bench = Bench(lab, Path(folder), tenants)
        mine = bench.folder / f"fleet/tenants/{HOSTILE}.yml"
        limit = f"azure_diagnostics: {{time_limit_seconds: {LIMIT_SECONDS}}}"
        mine.write_text(mine.read_text().replace("azure_diagnostics: {}", limit))
        rows = [measured(bench, lab, name) for name in ATTACKS]
    print("| " + " | ".join(HEADINGS) + " |")
    print("|" + "---|" * len(HEADINGS))
    well = rows[0]
    for row in rows:
        cells = [
            row.name, f"{row.median:.1f}", f"{row.median / well.median:.2f}", f"{row.last:.1f}",
            f"{row.last / well.last:.2f}", f"{row.seconds:.1f}", f"{row.megabytes:.0f}", row.told,
        ]  # fmt: skip
        print("| " + " | ".join(cells) + " |")
