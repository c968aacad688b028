# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft 365: requests of a content type, of 1,000 tenants with five each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity import capability, options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity.plan import CONTENT_TYPES
from lab.client import LabClient
from lab.scenarios.sizes import fleet_tenant
from lab.testing import CLIENT_ID, PROSEWARE, running_lab
from scripts.bench_sources import Row, Runs, rows

TENANTS = 1000


def runs(lab: LabClient, tenant: str, folder: Path) -> Runs:
    """Verify reads a content of each type, as where records arrive all the time."""
    given = {
        "tenant_id": tenant,
        "client_id": CLIENT_ID,
        "client_secret": lab.secret,
        "authority_url": lab.url,
        "api_url": lab.url,
        "ca_file": lab.ca_file,
        "publisher_id": PROSEWARE,
        "content_types": list(CONTENT_TYPES),
        "evidence_path": str(folder / tenant / "bench.m365_activity.jsonl"),
    }
    onboard = (capability.converge, options.CONVERGE_SPEC, given)
    return {
        "preflight": (capability.preflight, options.ACCESS_SPEC, given),
        "onboard": onboard,
        "onboard again": onboard,
        "verify": (capability.verify, options.ACTIVITY_SPEC, given),
        "offboard": (capability.converge, options.CONVERGE_SPEC, {**given, "state": "absent"}),
    }


def bench(_lab: LabClient, folder: Path) -> list[Row]:
    """One tenant after the other: each has its own limits, so their requests add up and do not wait for each other."""
    numbers: Counter[str] = Counter()
    with running_lab(f"fleet:{TENANTS}x0") as lab:
        lab.configure(m365_first_delay=0)
        for tenant in map(fleet_tenant, range(TENANTS)):
            lab.edit("grant_permission", tenant=tenant, resource="office365_management",
                     permission="ActivityFeed.ReadDlp")  # fmt: skip
            for name, run in runs(lab, tenant, folder).items():
                if name == "verify":
                    lab.m365.record(tenant, *CONTENT_TYPES)
                (row,) = rows(lab, "m365_activity", "content type", len(CONTENT_TYPES), {name: run})
                numbers[name] += int(row[4])
    types = TENANTS * len(CONTENT_TYPES)
    return [
        ["m365_activity", "content type", name, f"{types}", f"{total}", f"{total / types:.1f}"]
        for name, total in numbers.items()
    ]
