# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines of Sekoia.io's intakes in this process, against the lab."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.intake import capability, options
from lab.client import LabClient
from lab.sekoia.client import CONTOSO, ENTITY, FORMAT

from . import kills

NAME = "Headquarters firewall"
WANTED = {NAME: {"format": FORMAT, "entity": ENTITY}}
CONTOSO_ENTITY, OTHER_ENTITY = (f"5ee00000-0000-4000-8000-00000000000{number}" for number in (1, 2))
CUSTOM, FORTIGATE = (f"5ef00000-0000-4000-8000-00000000000{number}" for number in (1, 2))


class Intakes:
    """The engines for contoso's community."""

    def __init__(self, lab: LabClient) -> None:
        self.lab = lab
        self.given: dict[str, Any] = {
            "api_url": lab.sekoia.api_url,
            "intake_url": lab.sekoia.intake_url,
            "ca_file": lab.ca_file,
            "api_key": lab.sekoia.key(),
            "community_uuid": CONTOSO,
            "intakes": WANTED,
        }

    def run(self, engine: Any, spec: dict[str, Any], check: bool = False, **given: Any) -> dict[str, Any]:
        found = ArgumentSpecValidator(spec).validate({**self.given, **given})
        assert not found.error_messages, found.error_messages
        secrets = found._no_log_values
        told = execute(engine, "sekoia_intake", found.validated_parameters, check=check, diff=True, secrets=secrets)
        assert "exception" not in told, told["exception"]
        if not given.get("return_secrets"):
            assert not any(one["key"] in json.dumps(told) for one in self.lab.sekoia.state()["intakes"].values())
        return told

    def converge(self, check: bool = False, **given: Any) -> dict[str, Any]:
        return self.run(capability.converge, options.CONVERGE_SPEC, check, **given)

    def verify(self, **given: Any) -> dict[str, Any]:
        return dict(self.run(capability.verify, options.FLOW_SPEC, **given)["flows"][0])

    def preflight(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.preflight, options.ACCESS_SPEC, **given)

    def one(self) -> dict[str, Any]:
        (one,) = self.lab.sekoia.state()["intakes"].values()
        return dict(one)


@pytest.fixture
def intakes(lab: LabClient) -> Intakes:
    return Intakes(lab)


def outcome(found: dict[str, Any]) -> tuple[bool, str]:
    return found["changed"], found["summary"]["outcome"]


def codes(found: dict[str, Any]) -> list[str]:
    return [one["code"] for one in found["problems"]]


def test_an_intake_through_its_life(intakes: Intakes) -> None:
    assert intakes.preflight()["summary"]["outcome"] == "in_sync"
    assert intakes.verify()["state"] == "absent"
    assert outcome(intakes.converge(check=True, hand_over=True)) == (True, "drifted")
    assert intakes.lab.sekoia.state()["intakes"] == {}
    made = intakes.converge(hand_over=True)
    assert (outcome(made), made["intakes"][0]["handed_over"]) == ((True, "corrected"), False)
    one = intakes.one()
    assert (one["name"], one["format"], one["entity"]) == (NAME, CUSTOM, CONTOSO_ENTITY)
    (told,) = intakes.converge(return_secrets=True)["intakes"]
    assert (told["intake_key"], told["intake_url"]) == (one["key"], intakes.lab.sekoia.intake_url)
    again = intakes.converge(hand_over=True, kept=[told])
    assert outcome(again) == (False, "in_sync")
    assert sum(again["summary"]["requests"].values()) == 5
    assert outcome(intakes.converge(state="absent")) == (True, "corrected")
    assert outcome(intakes.converge(state="absent")) == (False, "in_sync")


def test_an_event_that_is_sent_is_found_by_the_search(intakes: Intakes) -> None:
    intakes.converge()
    assert intakes.verify()["state"] == "pending", "it was made just now"
    intakes.lab.advance(2 * 86400)
    assert intakes.verify()["state"] == "stale"
    flow = intakes.verify(probe=True)
    assert (flow["state"], flow["newest"] is not None) == ("flowing", True)
    assert intakes.verify()["state"] == "flowing"
    (event,) = intakes.one()["events"]
    assert "mssp-onboarding-probe" in event[1]


@pytest.mark.parametrize(("ago", "state"), [(60, "flowing"), (7200, "quiet"), (2 * 86400, "stale")])
def test_the_newest_event_says_whether_it_flows(intakes: Intakes, ago: float, state: str) -> None:
    intakes.converge()
    for older in (ago, ago + 5000):
        intakes.lab.edit("sekoia_event", uuid=intakes.one()["uuid"], ago=older)
    assert intakes.verify()["state"] == state


def test_what_is_not_there_is_an_error_with_the_nearest_name(intakes: Intakes) -> None:
    wrong = {NAME: {"format": "Fortigat", "entity": "Main Entty"}}
    found = intakes.converge(intakes=wrong)
    assert found["failed"]
    assert all(f"did you mean {name}" in found["msg"] for name in ("Fortigate", "Main Entity"))
    findings = {one["check"]: one["status"] for one in intakes.preflight(intakes=wrong)["findings"]}
    assert findings["names"] == "missing"


def test_what_is_known_by_its_uuid_is_put_right_and_else_left_alone(intakes: Intakes) -> None:
    intakes.converge()
    kept = intakes.converge(return_secrets=True)["intakes"]
    uuid = intakes.one()["uuid"]
    intakes.lab.edit("change_sekoia_intake", uuid=uuid, entity=OTHER_ENTITY)
    assert codes(intakes.converge()) == ["foreign"]
    found = intakes.converge(kept=kept)
    assert (outcome(found), found["summary"]["drift"]) == ((True, "corrected"), {"entity": 1})
    intakes.lab.edit("change_sekoia_intake", uuid=uuid, name="renamed")
    assert intakes.converge(kept=kept)["summary"]["drift"] == {"name": 1}
    intakes.lab.edit("change_sekoia_intake", uuid=uuid, key="another-key-0f-it")
    assert intakes.converge(check=True, hand_over=True, kept=kept)["summary"]["drift"] == {"key_changed": 1}
    intakes.lab.edit("change_sekoia_intake", uuid=uuid, format=FORTIGATE)
    assert codes(intakes.converge(kept=kept)) == ["format"]


def test_two_of_the_name_are_refused_with_both_uuids(intakes: Intakes) -> None:
    for _one in range(2):
        intakes.lab.edit("put_sekoia_intake", community=CONTOSO, name=NAME, entity=CONTOSO_ENTITY, format=CUSTOM)
    found = intakes.converge()
    assert codes(found) == ["duplicate"]
    assert all(uuid in found["problems"][0]["message"] for uuid in intakes.lab.sekoia.state()["intakes"])
    assert codes(intakes.converge(state="absent")) == ["duplicate"]
    assert intakes.verify()["state"] == "unreadable"


def test_a_create_whose_answer_is_lost_is_found_again(intakes: Intakes, hasty: list[float]) -> None:
    intakes.lab.fault("drop_after", kind="sekoia.intakes.create")
    assert outcome(intakes.converge()) == (True, "corrected")
    assert intakes.one()["name"] == NAME


@pytest.mark.parametrize("write", ["create", "update", "delete"])
def test_a_kill_after_a_write_leaves_what_the_next_run_ends(intakes: Intakes, write: str) -> None:
    """SIGKILL between what Sekoia.io has done and its answer."""
    given: dict[str, Any] = {"state": "absent"} if write == "delete" else {}
    if write != "create":
        intakes.converge()
    if write == "update":
        given = {"kept": intakes.converge(return_secrets=True)["intakes"]}
        intakes.lab.edit("change_sekoia_intake", uuid=intakes.one()["uuid"], entity=OTHER_ENTITY)
    assert kills.unanswered(intakes.lab, lambda: intakes.converge(**given), kind=f"sekoia.intakes.{write}")
    assert outcome(intakes.converge(**given)) == (False, "in_sync")
    held = intakes.lab.sekoia.state()["intakes"].values()
    assert [one["entity"] for one in held] == ([] if write == "delete" else [CONTOSO_ENTITY])


def test_what_the_tenant_file_no_longer_names_is_unknown_until_confirmed(intakes: Intakes, tmp_path: Path) -> None:
    path = str(tmp_path / "contoso.sekoia_intake_info.jsonl")

    def missing(*names: str, **given: Any) -> list[str]:
        named = dict.fromkeys(names, WANTED[NAME])
        told = intakes.run(capability.verify, options.FLOW_SPEC, intakes=named, evidence_path=path, **given)
        return list(told["coverage"]["missing"])

    assert missing("a", "b") == []
    assert missing("a") == ["b"]
    assert missing("a", accept_missing=["b"]) == []
