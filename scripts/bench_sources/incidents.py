# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets of incidents: requests of an incident."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import capability as incidents
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import (
    options as incidents_options,
)
from lab.client import LabClient
from lab.servicenow.client import USER
from lab.testing import CLIENT_ID, CONTOSO
from scripts.bench_sources import Row, Runs, rows

INCIDENTS = 100


def runs(lab: LabClient) -> Runs:
    """A day's incidents without memory, so that each run reads all of them."""
    for number in range(INCIDENTS):
        lab.edit("security_incident", tenant=CONTOSO, id=str(number))
    given = {
        "tenant_id": CONTOSO,
        "client_id": CLIENT_ID,
        "client_secret": lab.secret,
        "authority_url": lab.url,
        "graph_url": lab.graph.url,
        "ca_file": lab.ca_file,
        "servicenow_url": lab.url,
        "servicenow_username": USER,
        "servicenow_password": lab.servicenow.password(),
        "caller": USER,
        "close_code": "Resolved by caller",
    }
    leaving = {**given, "state": "absent", "close_tickets": True}
    return {
        "preflight": (incidents.preflight, incidents_options.FEED_SPEC, given),
        "onboard": (incidents.converge, incidents_options.CONVERGE_SPEC, given),
        "onboard again": (incidents.converge, incidents_options.CONVERGE_SPEC, given),
        "verify": (incidents.verify, incidents_options.FLOW_SPEC, given),
        "offboard": (incidents.converge, incidents_options.CONVERGE_SPEC, leaving),
    }


def bench(lab: LabClient, _folder: Path) -> list[Row]:
    return rows(lab, "incident_sync", "incident", INCIDENTS, runs(lab))
