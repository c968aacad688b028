# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco's e-mail gateways: sessions for a subscription."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa import capability as esa
from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa import options as esa_options
from lab.cisco_esa.client import ALONE
from lab.client import LabClient
from scripts.bench_sources import Row, Runs, rows


def runs(lab: LabClient, folder: Path) -> Runs:
    """An appliance that stands alone; a request is a session at its command line."""
    state, known = lab.cisco_esa.state(ALONE), folder / "known_hosts"
    known.write_text(lab.cisco_esa.known_hosts(), encoding="ascii")
    reads = {
        "appliances": {"esa": {"host": "127.0.0.1", "port": state["port"], "serial_number": state["serial"]}},
        "username": state["username"],
        "password": state["password"],
        "known_hosts": str(known),
        "subscriptions": {"mssp_mail": {"type": "mail"}},
        "screen_seconds": 5.0,
        "receiver": {
            "method": "scp_push",
            "address": "127.0.0.1",
            "port": 9,
            "user": "drop",
            "directory": "/upload",
            "host_keys": ["ssh-ed25519 " + "A" * 68],
        },
    }
    return {
        "preflight": (esa.preflight, esa_options.ACCESS_SPEC, reads),
        "onboard": (esa.converge, esa_options.CONVERGE_SPEC, reads),
        "onboard again": (esa.converge, esa_options.CONVERGE_SPEC, reads),
        "verify": (esa.converge, esa_options.CONVERGE_SPEC, {**reads, "correct": "never", "probe": True}),
        "offboard": (esa.converge, esa_options.CONVERGE_SPEC, {**reads, "state": "absent"}),
    }


def bench(lab: LabClient, folder: Path) -> list[Row]:
    return rows(lab, "cisco_esa_logs", "subscription (session)", 1, runs(lab, folder))
