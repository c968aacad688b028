# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines of Sekoia.io's playbook in this process, against the lab, whose runtime really runs what they make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook import capability, graph, options
from lab.client import LabClient
from lab.sekoia.client import CONTOSO, PROVIDER_KEY, READER_KEY, WINGTIP

NAME = options.NAME
HOSTILE = 'He said "{{ 7 * 7 }}" \\ {"a": 1} ümläut\n\'quoted\''
DRIFTS: dict[str, tuple[str, dict[str, Any]]] = {}


class Sync:
    """The engines for one community, whose playbook sends to the lab's listener of Fluency, which takes a Bearer."""

    def __init__(self, lab: LabClient, folder: Path, community: str = CONTOSO) -> None:
        self.lab, self.community = lab, community
        fluency = lab.receivers.describe()["fluency"]
        self.secrets = [fluency["token"], lab.sekoia.key(READER_KEY), lab.sekoia.key()]
        self.identity = {
            "api_url": lab.sekoia.api_url,
            "ca_file": lab.ca_file,
            "api_key": lab.sekoia.key(),
            "community_uuid": community,
        }
        self.target = {
            "target_url": fluency["url"],
            "secret": fluency["token"],
            "alerts_api_key": lab.sekoia.key(READER_KEY),
            "fingerprint_dir": str(folder / "marks"),
        }

    def run(self, engine: Any, spec: dict[str, Any], check: bool = False, **given: Any) -> dict[str, Any]:
        found = ArgumentSpecValidator(spec).validate({**self.identity, **given})
        assert not found.error_messages, found.error_messages
        secrets = found._no_log_values
        told = execute(engine, "sekoia_alert_sync", found.validated_parameters, check=check, diff=True, secrets=secrets)
        assert "exception" not in told, told["exception"]
        assert not any(secret in json.dumps(told) for secret in self.secrets)
        return told

    def converge(self, check: bool = False, **given: Any) -> dict[str, Any]:
        return self.run(capability.converge, options.CONVERGE_SPEC, check, **{**self.target, **given})

    def verify(self, **given: Any) -> dict[str, Any]:
        return dict(self.run(capability.verify, options.FLOW_SPEC, **given)["flows"][0])

    def preflight(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.preflight, options.ACCESS_SPEC, **given)

    def held(self, of: str) -> list[dict[str, Any]]:
        return [one for one in self.lab.sekoia.state()[of].values() if one["community"] == self.community]

    def one(self, of: str = "playbooks") -> dict[str, Any]:
        (one,) = self.held(of)
        return one

    def change(self, **fields: Any) -> None:
        self.lab.edit("change_sekoia_playbook", uuid=self.one()["uuid"], **fields)

    def received(self) -> list[dict[str, Any]]:
        return list(self.lab.receivers.events("fluency"))


@pytest.fixture
def sync(lab: LabClient, tmp_path: Path) -> Sync:
    return Sync(lab, tmp_path)


def outcome(found: dict[str, Any]) -> tuple[bool, str]:
    return found["changed"], found["summary"]["outcome"]


def codes(found: dict[str, Any]) -> list[str]:
    return [one["code"] for one in found["problems"]]


def test_a_playbook_through_its_life(sync: Sync) -> None:
    assert sync.preflight()["summary"]["outcome"] == "in_sync"
    assert outcome(sync.converge(check=True)) == (True, "drifted")
    assert sync.held("playbooks") == []
    assert sync.verify()["state"] == "absent"
    made = sync.converge()
    assert outcome(made) == (True, "corrected"), made["msg"]
    assert made["switched_on_by"].startswith("POST")
    assert sync.one()["status"] == "enabled"
    assert sync.one("modules")["value"] == {"api_key": sync.secrets[1]}
    again = sync.converge()
    assert outcome(again) == (False, "in_sync"), again["msg"]
    assert again["summary"]["secrets_unknown"] is False
    assert sum(again["summary"]["requests"].values()) == 6
    assert sync.verify()["state"] == "quiet"
    alert = sync.lab.sekoia.alert(rule=HOSTILE, severity=70)
    assert sync.received() == [{"alert_short_id": alert["short_id"], "rule_name": HOSTILE, "rule_severity": 70}]
    assert sync.verify()["state"] == "flowing"
    assert outcome(sync.converge(state="absent")) == (True, "corrected")
    assert outcome(sync.converge(state="absent")) == (False, "in_sync")
    assert [sync.held(of) for of in ("playbooks", "triggers", "modules")] == [[], [], []]
