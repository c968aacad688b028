# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sekoia.io: requests of a community."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.intake import capability as intake
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.intake import options as intake_options
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook import capability as playbook
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook import options as playbook_options
from lab.client import LabClient
from lab.sekoia.client import ENTITY, FORMAT
from scripts.bench_sources import Row, Runs, rows

COMMUNITIES = 200


def runs_of(lab: LabClient, community: str) -> Mapping[str, Runs]:
    """One of many communities below the provider's, with an alert; by source."""
    identity = {
        "api_url": lab.sekoia.api_url,
        "api_key": lab.sekoia.key(),
        "community_uuid": community,
        "ca_file": lab.ca_file,
    }
    target = lab.receivers.describe()["fluency"]
    sync = {**identity, "target_url": target["url"], "secret": target["token"]}
    intakes = {**identity, "intakes": {"bench": {"format": FORMAT, "entity": ENTITY}}}
    return {
        "sekoia_alert_sync": {
            "preflight": (playbook.preflight, playbook_options.ACCESS_SPEC, identity),
            "onboard": (playbook.converge, playbook_options.CONVERGE_SPEC, sync),
            "onboard again": (playbook.converge, playbook_options.CONVERGE_SPEC, sync),
            "verify": (playbook.verify, playbook_options.FLOW_SPEC, identity),
            "offboard": (playbook.converge, playbook_options.CONVERGE_SPEC, {**sync, "state": "absent"}),
        },
        "sekoia_intake": {
            "preflight": (intake.preflight, intake_options.ACCESS_SPEC, intakes),
            "onboard": (intake.converge, intake_options.CONVERGE_SPEC, intakes),
            "onboard again": (intake.converge, intake_options.CONVERGE_SPEC, intakes),
            "verify": (intake.verify, intake_options.FLOW_SPEC, intakes),
            "offboard": (intake.converge, intake_options.CONVERGE_SPEC, {**intakes, "state": "absent"}),
        },
    }


def bench(lab: LabClient, _folder: Path) -> list[Row]:
    """All communities at once would be as many tenants; the requests of each add up."""
    lab.configure(throttle=False)
    numbers: dict[tuple[str, str], int] = {}
    for number in range(1, COMMUNITIES + 1):
        community = f"5e100000-0000-4000-8000-{number:012d}"
        lab.edit("put_sekoia_community", uuid=community, name=f"Customer {number}")
        for source, runs in runs_of(lab, community).items():
            for row in rows(lab, source, "community", 1, runs):
                numbers[source, row[2]] = numbers.get((source, row[2]), 0) + int(row[4])
    return [
        [source, "community", run, f"{COMMUNITIES}", f"{total}", f"{total / COMMUNITIES:.1f}"]
        for (source, run), total in numbers.items()
    ]
