# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco Secure Endpoint: requests of an organisation, by a broker from the Debian package rabbitmq-server."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint import capability as secure_endpoint
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint import options as secure_endpoint_options
from lab.client import LabClient
from lab.secure_endpoint.rabbitmq import Place, running_broker
from scripts.bench_sources import Row, Runs, rows

ORGANISATIONS = 200


def runs_of(lab: LabClient, broker: Place, folder: Path, client_id: str, key: str) -> Runs:
    """One organisation's, with a queue of its own on a real broker that nobody reads."""
    authorities = folder / "authorities.pem"
    authorities.write_text(Path(lab.ca_file).read_text() + broker.ca_file.read_text())
    given = {
        "client_id": client_id,
        "api_key": key,
        "api_urls": lab.secure_endpoint.urls,
        "ca_file": str(authorities),
        "streams": [{"name": "SIEM"}],
        "secret_file": str(folder / f"{client_id}.json"),
    }
    access, spec = secure_endpoint_options.ACCESS_SPEC, secure_endpoint_options.CONVERGE_SPEC
    return {
        "preflight": (secure_endpoint.preflight, access, given),
        "onboard": (secure_endpoint.converge, spec, given),
        "onboard again": (secure_endpoint.converge, spec, given),
        "verify": (secure_endpoint.verify, access, given),
        "offboard": (secure_endpoint.converge, spec, {**given, "state": "absent"}),
    }


def bench(lab: LabClient, folder: Path) -> list[Row]:
    """All verbs of one organisation after the other, one organisation after the other."""
    names = [f"bench-{number:04}" for number in range(ORGANISATIONS)]
    requests: Counter[str] = Counter()
    with running_broker(folder) as broker:
        lab.configure(secure_endpoint_broker=broker.told)
        for name in names:
            lab.edit("add_secure_endpoint_organisation", client_id=name, name=name)
        keys = lab.secure_endpoint.state()["keys"]
        for name in names:
            runs = runs_of(lab, broker, folder, name, keys[name])
            for row in rows(lab, "secure_endpoint_stream", "organisation", 1, runs):
                requests[row[2]] += int(row[4])
        lab.configure(secure_endpoint_broker="")
    return [
        ["secure_endpoint_stream", "organisation", run, f"{ORGANISATIONS}", f"{all_}", f"{all_ / ORGANISATIONS:.1f}"]
        for run, all_ in requests.items()
    ]
