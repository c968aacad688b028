# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sophos Firewall: requests of a firewall."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.mssp.onboarding.plugins.module_utils._sophos import capability as sophos
from ansible_collections.mssp.onboarding.plugins.module_utils._sophos import options as sophos_options
from lab.client import LabClient
from lab.sophos.client import BRANCH, HEADQUARTERS, USERNAME
from scripts.bench_sources import Row, Runs, rows


def runs(lab: LabClient) -> Runs:
    """Both firewalls; what verify asks of them is a run that writes nothing."""
    firewalls = {
        host: {"host": host, "port": lab.sophos.port, "serial_number": lab.sophos.state(host)["serial"]}
        for host in (HEADQUARTERS, BRANCH)
    }
    given = {
        "firewalls": firewalls,
        "username": USERNAME,
        "passwords": {host: lab.sophos.state(host)["password"] for host in firewalls},
        "ca_file": lab.ca_file,
        "receiver": {"address": "127.0.0.1", "port": 9, "transport": "tls"},
    }
    return {
        "preflight": (sophos.preflight, sophos_options.ACCESS_SPEC, given),
        "onboard": (sophos.converge, sophos_options.CONVERGE_SPEC, given),
        "onboard again": (sophos.converge, sophos_options.CONVERGE_SPEC, given),
        "verify": (sophos.converge, sophos_options.CONVERGE_SPEC, {**given, "correct": "never"}),
        "offboard": (sophos.converge, sophos_options.CONVERGE_SPEC, {**given, "state": "absent"}),
    }


def bench(lab: LabClient, _folder: Path) -> list[Row]:
    return rows(lab, "sophos_syslog", "firewall", 2, runs(lab))
