# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's own SDK against the lab: arguments that we generate, events for an intake; and what the lab refuses."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook import graph
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook.graph import Request
from lab.client import LabClient
from lab.sekoia.client import READER_KEY
from lab.sekoia.runtime import rendered
from lab.testing import ROOT, running_lab

DRIVER = Path(__file__).with_name("sekoia_driver.py")
PYTHON = ROOT / ".cache" / "peers" / "sekoia" / "bin" / "python"
NODES = graph.built(
    Request("https://t.example", "None", "", "", {"id": "short_id"}, {}, {}), "t.example", "T", "M", secrets=False
)


@pytest.fixture(scope="module")
def lab() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


def sdk(lab: LabClient, *calls: dict[str, Any]) -> list[Any]:
    if not PYTHON.exists():
        pytest.skip("there is no sekoia_automation in .cache/peers/sekoia")
    done = subprocess.run(
        [str(PYTHON), str(DRIVER)],
        input=json.dumps(calls),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"REQUESTS_CA_BUNDLE": lab.ca_file},
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def provider(lab: LabClient) -> dict[str, str]:
    return {"Authorization": f"Bearer {lab.sekoia.key()}"}


def intake(lab: LabClient) -> tuple[str, str]:
    """uuid and key of a new one."""
    held = lab.sekoia.state()
    given = {"name": "of the SDK", "entity_uuid": min(held["entities"]), "format_uuid": min(held["formats"])}
    made = lab.call("POST", "/api/v1/sic/conf/intakes", given, provider(lab))[2]
    return made["uuid"], made["intake_key"]


def searched(lab: LabClient, uuid: str) -> list[Any]:
    jobs = "/api/v1/sic/conf/events/search/jobs"
    term = {"term": f'sekoiaio.intake.uuid:"{uuid}"', "earliest_time": "2000-01-01", "latest_time": "2100-01-01"}
    job = lab.call("POST", jobs, term, provider(lab))[2]["uuid"]
    return list(lab.call("GET", f"{jobs}/{job}/events", headers=provider(lab))[2]["items"])


def test_the_vendors_own_blocks_take_our_arguments_and_its_connector_our_intake(lab: LabClient) -> None:
    """Verb and endpoint are docker_parameters of the manifests of Get Alert and Comment Alert."""
    alert = lab.sekoia.alert()
    told: dict[int, Any] = {0: {"alert_uuid": alert["uuid"]}}
    good = {"base_url": f"{lab.sekoia.api_url}/v1/sic/", "api_key": lab.sekoia.key(READER_KEY)}
    get, comment = (rendered(NODES[key]["arguments"], told) for key in (graph.DETAILS, graph.NOTE))
    read = {"configuration": good, "verb": "get", "endpoint": "alerts/{uuid}", "arguments": get}
    uuid, key = intake(lab)
    events = ['{"user": "Ümläut"}', {"marker": "of-the-sdk"}]
    found, noted, refused, ids = sdk(
        lab,
        read,
        {"configuration": good, "verb": "post", "endpoint": "alerts/{uuid}/comments", "arguments": comment},
        {**read, "configuration": {**good, "api_key": "wrong"}},
        {"intake_server": lab.sekoia.intake_url, "intake_key": key, "events": events},
    )
    assert (found["short_id"], found["rule"]["name"]) == (alert["short_id"], "Lab rule")
    assert noted["content"] == comment["content"]
    assert "error" in refused
    assert len(set(ids)) == 2
    assert {one["message"] for one in searched(lab, uuid)} == {events[0], '{"marker":"of-the-sdk"}'}


def test_the_lab_refuses_what_sekoia_refuses(lab: LabClient) -> None:
    reader = {"Authorization": f"Bearer {lab.sekoia.key(READER_KEY)}"}
    playbooks, intakes = "/api/v1/symphony/playbooks", "/api/v1/sic/conf/intakes"
    node = {"name": "x", "type": "action", "outputs": {"default": ["9"]}}
    assert lab.call("GET", playbooks)[0] == 401
    assert lab.call("GET", playbooks, headers=reader)[0] == 403
    assert lab.call("GET", f"{playbooks}?limit=101", headers=provider(lab))[0] == 400
    assert lab.call("GET", f"{playbooks}/5e000000-0000-4000-8000-000000000009", headers=provider(lab))[0] == 404
    assert lab.call("POST", playbooks, {"playbook": {"name": "x", "nodes": {"0": node}}}, provider(lab))[0] == 400
    assert (
        lab.call("POST", intakes, {"name": "x", "entity_uuid": "none", "format_uuid": "none"}, provider(lab))[0] == 400
    )
    assert lab.call("POST", "/sekoia-intake/plain", b"event", {"X-SEKOIAIO-INTAKE-KEY": "none"})[0] == 401
    assert lab.call("POST", "/sekoia-intake/batch", {"intake_key": "none", "jsons": ["{}"]})[0] == 401
    large = {"intake_key": intake(lab)[1], "jsons": ["x" * 260_000]}
    assert lab.call("POST", "/sekoia-intake/batch", large)[0] == 413
