# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco Duo: requests of a child account."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.mssp.onboarding.plugins.module_utils._duo import capability as duo
from ansible_collections.mssp.onboarding.plugins.module_utils._duo import options as duo_options
from lab.client import LabClient
from lab.duo.client import PROSEWARE_KEY
from scripts.bench_sources import Row, Runs, rows

CHILDREN = ["Litware", "Fourth Coffee"]


def runs(lab: LabClient) -> Runs:
    """Child accounts of the provider's; the keys are what a run with return_secrets has told."""
    given = {
        "api_host": lab.duo.host,
        "integration_key": PROSEWARE_KEY,
        "secret_key": lab.duo.secret(PROSEWARE_KEY),
        "child_accounts": CHILDREN,
        "ca_file": lab.ca_file,
    }
    reads = {name: given[name] for name in given if name in duo_options.ACCESS_SPEC}
    return {
        "preflight": (duo.preflight, duo_options.ACCESS_SPEC, reads),
        "onboard": (duo.converge, duo_options.CONVERGE_SPEC, given),
        "onboard again": (duo.converge, duo_options.CONVERGE_SPEC, given),
        "verify": (duo.verify, duo_options.FLOW_SPEC, given),
        "offboard": (duo.converge, duo_options.CONVERGE_SPEC, {**given, "state": "absent"}),
    }


def bench(lab: LabClient, _folder: Path) -> list[Row]:
    return rows(lab, "duo_logs", "child account", len(CHILDREN), runs(lab))
