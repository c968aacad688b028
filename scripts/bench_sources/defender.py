# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Defender XDR: requests of a way of Microsoft Graph."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr import capability, options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr.tables import GRAPH_WAYS
from lab.client import LabClient
from lab.testing import CLIENT_ID, CONTOSO
from scripts.bench_sources import Row, Runs, rows


def runs(lab: LabClient) -> Runs:
    given = {
        "tenant_id": CONTOSO,
        "client_id": CLIENT_ID,
        "client_secret": lab.secret,
        "authority_url": lab.url,
        "resource_manager_url": lab.url,
        "graph_url": lab.graph.url,
        "ca_file": lab.ca_file,
        "ways": list(GRAPH_WAYS),
    }
    onboard = (capability.converge, options.CONVERGE_SPEC, given)
    return {
        "preflight": (capability.preflight, options.ACCESS_SPEC, given),
        "onboard": onboard,
        "onboard again": onboard,
        "verify": (capability.verify, options.STREAM_SPEC, given),
        "offboard": (capability.converge, options.CONVERGE_SPEC, {**given, "state": "absent"}),
    }


def bench(lab: LabClient, _folder: Path) -> list[Row]:
    lab.edit("grant_permission", tenant=CONTOSO, resource="microsoft_graph", permission="ThreatHunting.Read.All")
    return rows(lab, "defender_xdr", "way of Graph", len(GRAPH_WAYS), runs(lab))
