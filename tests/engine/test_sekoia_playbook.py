# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines of Sekoia.io's playbook in this process, against the lab, whose runtime really runs what they make."""

from __future__ import annotations

import json
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._core.findings import CUSTOMER, PROVIDER
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook import capability, graph, options
from lab.client import LabClient
from lab.sekoia.client import CONTOSO, PROVIDER_KEY, READER_KEY, WINGTIP

from . import kills

NAME = options.NAME
HOSTILE = 'He said "{{ 7 * 7 }}" \\ {"a": 1} ümläut\n\'quoted\''
TEAMS = {"texts": {"customer": "Contoso"}, "rule_names": ["Lab rule"]}


class Sync:
    """The engines for one community, whose playbook sends to the lab's listener of Fluency, which takes a Bearer."""

    def __init__(self, lab: LabClient, folder: Path | None = None, community: str = CONTOSO) -> None:
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
            "fingerprint_dir": str(folder / "marks") if folder else None,
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


def moved(nodes: dict[str, Any]) -> dict[str, Any]:
    """The same graph as the editor might save it: other ids, drawn elsewhere, outputs as numbers."""
    text = graph.NODE.sub(lambda found: f"node.{int(found[1] or found[3]) + 7}", json.dumps(nodes))
    return {
        str(int(key) + 7): {
            **node,
            "icon": "x",
            "position": {"x": 1},
            "name": f"my {node['name']}",
            "outputs": {name: [int(one) + 7 for one in after] for name, after in node["outputs"].items()},
        }
        for key, node in reversed(json.loads(text).items())
    }


def with_arguments(nodes: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {**nodes, "2": {**nodes["2"], "arguments": {**nodes["2"]["arguments"], **changed}}}


EDITS: dict[str, tuple[str, Any]] = {
    "moved": ("", lambda one: {"nodes": moved(one["nodes"])}),
    "off": ("disabled", lambda _one: {"status": "disabled"}),
    "not wired in the playbook": ("never_fires", lambda _one: {"configurations": []}),
    "not wired in the node": (
        "never_fires",
        lambda one: {"nodes": {**one["nodes"], "0": {**one["nodes"]["0"], "trigger_configuration_uuid": None}}},
    ),
    "elsewhere": ("target_url", lambda one: {"nodes": with_arguments(one["nodes"], url="https://thief.example")}),
    "other fields": ("payload", lambda one: {"nodes": with_arguments(one["nodes"], json={"a": "b"})}),
    "tls off": ("request", lambda one: {"nodes": with_arguments(one["nodes"], verify_ssl=False)}),
    "no error branch": (
        "graph",
        lambda one: {"nodes": {**one["nodes"], "2": {**one["nodes"]["2"], "outputs": {"default": []}}}},
    ),
    "another key": (
        "module_configuration",
        lambda one: {"nodes": {**one["nodes"], "1": {**one["nodes"]["1"], "module_configuration_uuid": "other"}}},
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_somebody_changes_is_drift_of_its_class_and_put_right(sync: Sync, edit: str) -> None:
    drift, change = EDITS[edit]
    sync.converge()
    sync.change(**change(sync.one()))
    found = sync.converge(check=True)
    assert list(found["summary"]["drift"]) == ([drift] if drift else [])
    fires = sync.lab.sekoia.alert()["runs"] != []
    assert fires == (drift not in ("never_fires", "disabled")), "the lab agrees on what starts"
    assert outcome(sync.converge()) == ((True, "corrected") if drift else (False, "in_sync"))
    assert len(sync.lab.sekoia.alert()["runs"]) == 1
    assert sync.received()[-1]["rule_name"] == "Lab rule"


def test_a_filter_and_texts_are_kept_and_another_filter_is_drift(sync: Sync) -> None:
    sync.converge(**TEAMS)
    assert outcome(sync.converge(**TEAMS)) == (False, "in_sync")
    assert [len(sync.lab.sekoia.alert(rule=rule)["runs"]) for rule in ("Lab rule", "other")] == [1, 0]
    assert sync.received()[0]["customer"] == "Contoso"
    assert sync.verify(rule_names=["Lab rule"])["state"] == "flowing"
    trigger = sync.one("triggers")["uuid"]
    sync.lab.edit("change_sekoia_configuration", of="triggers", uuid=trigger, value={"rule_filter": "only this"})
    assert list(sync.converge(check=True, **TEAMS)["summary"]["drift"]) == ["trigger_filter"]
    assert outcome(sync.converge(**TEAMS)) == (True, "corrected")


def test_off_after_five_errors_is_told_with_its_reason_and_switched_on_only_when_asked(sync: Sync) -> None:
    sync.converge()
    module = sync.one("modules")["uuid"]
    sync.lab.edit("change_sekoia_configuration", of="modules", uuid=module, value={"api_key": "ended"})
    for _number in range(5):
        sync.lab.sekoia.alert()
    assert sync.one()["status"] == "disabled"
    found = sync.converge()
    assert (found["changed"], codes(found)) == (False, ["disabled"])
    assert "after 5 errors" in found["problems"][0]["message"]
    assert "401 Unauthorized" in found["problems"][0]["message"]
    assert sync.verify()["state"] == "stale"
    assert outcome(sync.converge(restart=True, correct="never")) == (True, "corrected")
    assert sync.one("modules")["value"]["api_key"] == sync.secrets[1]
    assert len(sync.lab.sekoia.alert()["runs"]) == 1
    assert sync.verify()["state"] == "flowing"


def test_what_the_target_does_not_take_is_told_and_written_into_the_alert(sync: Sync) -> None:
    """With an error branch the run itself has finished."""
    sync.converge()
    sync.lab.receivers.configure("fluency", answer="503")
    made = sync.lab.sekoia.alert()
    assert made["runs"][0]["status"] == "finished"
    (comment,) = sync.lab.sekoia.state()["alerts"][made["uuid"]]["comments"]
    assert "could not be sent" in comment["content"]
    flow = sync.verify()
    assert (flow["state"], "HTTP 503" in flow["message"]) == ("stale", True)


def test_an_alert_that_could_not_be_read_was_not_sent(sync: Sync) -> None:
    """The error branch of the block before the one that sends fails no run, either."""
    sync.converge()
    sync.lab.edit("change_sekoia_key", name=READER_KEY, permissions=["SIC_COMMENT_ALERTS"])
    assert sync.lab.sekoia.alert()["runs"][0]["status"] == "finished"
    assert sync.received() == []
    flow = sync.verify()
    assert (flow["state"], flow["message"]) == ("stale", "403 Forbidden")


def test_a_playbook_of_somebody_else_is_not_ours_that_sends(sync: Sync) -> None:
    sync.lab.edit("put_sekoia_playbook", community=CONTOSO, name=NAME, status="enabled")
    assert sync.verify()["state"] == "absent"


def test_a_test_event_is_followed_to_the_target(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capability, "POLL_SECONDS", 0.05)
    sync.lab.configure(sekoia_start_seconds=0.2)
    alert = sync.lab.sekoia.alert(ago=3600)
    sync.converge()
    assert sync.verify()["state"] == "stale", "no alert has started it"
    flow = sync.verify(probe=True)
    assert (flow["state"], alert["short_id"] in flow["message"]) == ("flowing", True)
    assert [one["alert_short_id"] for one in sync.received()] == [alert["short_id"]]
    sync.lab.receivers.configure("fluency", answer="401")
    assert "HTTP 401" in sync.verify(probe=True)["message"]


@pytest.mark.parametrize("ways", [["activate"], ["patch"]])
def test_either_way_of_switching_on_works_and_is_told(sync: Sync, ways: list[str]) -> None:
    sync.lab.configure(sekoia_switches=ways)
    made = sync.converge()
    assert outcome(made) == (True, "corrected"), made["msg"]
    assert made["switched_on_by"].startswith({"activate": "POST", "patch": "PATCH"}[ways[0]])
    assert outcome(sync.converge(state="absent")) == (True, "corrected")


def test_no_way_of_switching_on_is_an_error_that_says_what_was_tried(sync: Sync) -> None:
    sync.lab.configure(sekoia_switches=[])
    found = sync.converge()
    assert (outcome(found), codes(found)) == ((True, "failed"), ["NotSwitched"])
    assert "HTTP 404" in found["problems"][0]["message"]
    sync.lab.configure(sekoia_switches=["patch"])
    assert outcome(sync.converge()) == (True, "corrected"), "the next run ends it"


@pytest.mark.parametrize("masks", [True, False])
def test_a_secret_that_has_changed_is_sent_whether_secrets_are_masked_or_left_out(sync: Sync, masks: bool) -> None:
    sync.lab.configure(sekoia_masks=masks)
    sync.converge()
    token = "canary-of-the-new-target"
    sync.lab.receivers.configure("fluency", token=token)
    sync.secrets.append(token)
    assert list(sync.converge(check=True, secret=token)["summary"]["drift"]) == ["secret_changed"]
    assert outcome(sync.converge(secret=token)) == (True, "corrected")
    assert outcome(sync.converge(secret=token)) == (False, "in_sync")
    sync.lab.sekoia.alert()
    assert len(sync.received()) == 1
    unknown = sync.converge(secret=token, fingerprint_dir=None)
    assert (outcome(unknown), unknown["summary"]["secrets_unknown"]) == ((False, "in_sync"), True)
    assert outcome(sync.converge(secret=token, update_secret="always")) == (True, "corrected")


def test_what_the_module_asks_for_is_sent_and_no_more(sync: Sync) -> None:
    sync.lab.configure(sekoia_asks=["api_key", "base_url"])
    sync.converge()
    assert sync.one("modules")["value"] == {"api_key": sync.secrets[1], "base_url": sync.lab.sekoia.api_url}


def test_what_is_not_ours_is_left_alone_and_told(sync: Sync) -> None:
    sync.lab.edit("put_sekoia_playbook", community=CONTOSO, name=NAME, status="enabled")
    before = sync.lab.sekoia.state()["playbooks"]
    found = sync.converge()
    assert (codes(found), sync.lab.sekoia.state()["playbooks"]) == (["foreign"], before)
    assert codes(sync.converge(state="absent")) == ["foreign"]
    (uuid,) = before
    assert outcome(sync.converge(playbook_uuid=uuid)) == (True, "corrected"), "taken over where that is asked for"
    assert outcome(sync.converge()) == (False, "in_sync")


def test_two_of_the_name_are_refused_with_both_uuids(sync: Sync) -> None:
    sync.converge()
    sync.lab.edit("put_sekoia_playbook", community=CONTOSO, name=NAME, tags=["mssp-onboarding"])
    found = sync.converge()
    assert codes(found) == ["duplicate"]
    assert all(one["uuid"] in found["problems"][0]["message"] for one in sync.held("playbooks"))


def test_one_of_ours_that_is_not_named_any_more_is_told(sync: Sync) -> None:
    sync.converge(name="Old")
    found = sync.converge()
    assert codes(found) == ["left_behind"]
    sync.converge(name="Old", state="absent")
    assert outcome(sync.converge()) == (False, "in_sync")


def test_configurations_that_others_use_survive(sync: Sync) -> None:
    sync.converge()
    module = sync.one("modules")["uuid"]
    node = {"name": "x", "type": "action", "action_uuid": "a", "module_configuration_uuid": module, "outputs": {}}
    sync.lab.edit("put_sekoia_playbook", community=CONTOSO, name="Customer's own", nodes={"0": node})
    other = next(one for one in sync.held("playbooks") if one["name"] == "Customer's own")
    assert outcome(sync.converge(state="absent")) == (True, "corrected")
    assert (sync.held("playbooks"), sync.one("modules")["uuid"], sync.held("triggers")) == ([other], module, [])


def test_communities_do_not_touch_each_other(sync: Sync, tmp_path: Path) -> None:
    other = Sync(sync.lab, tmp_path, WINGTIP)
    other.target["alerts_api_key"] = sync.lab.sekoia.key()
    sync.converge()
    assert outcome(other.converge()) == (True, "corrected")
    mine = sync.one()
    other.converge(state="absent")
    assert (sync.one(), other.held("playbooks"), other.held("modules")) == (mine, [], [])


def test_a_community_that_the_key_does_not_reach_is_an_error(sync: Sync) -> None:
    sync.identity["community_uuid"] = "00000000-0000-4000-8000-000000000000"
    for found in (sync.converge(), sync.converge(state="absent")):
        assert found["failed"]
        assert f"Contoso ({CONTOSO})" in found["msg"]
    assert sync.preflight()["findings"][0]["status"] == "missing"


# The method, and how many come before. Module configuration, playbook, trigger configuration, definition, switched on;
# switched off, playbook, trigger configuration, module configuration.
MADE = (("POST", 0), ("POST", 1), ("POST", 2), ("PATCH", 0), ("POST", 3))
REMOVED = (("POST", 0), ("DELETE", 0), ("DELETE", 1), ("DELETE", 2))


@pytest.mark.parametrize(("number", "fault"), [(1, "drop_after"), (2, "drop_after"), (2, "drop")])
def test_what_is_cut_at_any_write_is_ended_by_the_next_run(
    sync: Sync, hasty: list[float], number: int, fault: str
) -> None:
    """drop_after: the write is done and its answer does not come; drop: it is not done. Nor is anything after it."""
    method, after = MADE[number]
    sync.lab.fault(fault, path="re:^/api/v1/symphony", method=method, count=None, after=after)
    first = sync.converge()
    sync.lab.clear_faults()
    last = sync.converge()
    assert last["summary"]["outcome"] in ("in_sync", "corrected"), (first["msg"], last["msg"])
    assert [len(sync.held(of)) for of in ("playbooks", "triggers", "modules")] == [1, 1, 1]
    assert outcome(sync.converge()) == (False, "in_sync")
    assert len(sync.lab.sekoia.alert()["runs"]) == 1


def test_a_removal_that_is_cut_is_ended_by_the_next_run(sync: Sync, hasty: list[float]) -> None:
    for after in range(3):
        sync.converge()
        sync.lab.fault("drop", method="DELETE", path="/api/", count=None, after=after)
        assert sync.converge(state="absent")["summary"]["outcome"] == "failed"
        sync.lab.clear_faults()
        assert outcome(sync.converge(state="absent")) == (True, "corrected")
        assert [sync.held(of) for of in ("playbooks", "triggers", "modules")] == [[], [], []]


def test_a_kill_after_any_write_leaves_what_the_next_run_ends(sync: Sync) -> None:
    """SIGKILL between what Sekoia.io has done and its answer."""
    leave = partial(sync.converge, state="absent")
    asked = [run()["summary"]["requests"] for run in (sync.converge, leave)]
    writes = [sum(number for what, number in one.items() if not what.startswith("GET ")) for one in asked]
    assert writes == [len(MADE), len(REMOVED)], "there is no other write"
    for pair in zip_longest(MADE, REMOVED):
        for run, write, wanted in zip((sync.converge, leave), pair, ([1, 1, 1], [0, 0, 0]), strict=True):
            if write:
                method, after = write
                killed = kills.unanswered(sync.lab, run, method=method, path="re:^/api/v1/symphony", after=after)
                assert killed, write
            assert run()["summary"]["outcome"] in ("in_sync", "corrected"), write
            assert [len(sync.held(of)) for of in ("playbooks", "triggers", "modules")] == wanted, write
            assert not any(wanted) or len(sync.lab.sekoia.alert()["runs"]) == 1, write


def test_after_a_second_error_nothing_more_is_asked(sync: Sync, hasty: list[float]) -> None:
    """The lab blocks whoever makes two errors in a short time, of which the client makes one more at most."""
    sync.lab.configure(sekoia_blocks=True)
    sync.lab.edit("change_sekoia_key", name=PROVIDER_KEY, permissions=[])
    found = sync.preflight()
    assert [one["status"] for one in found["findings"]].count("missing") == 2
    assert any("NotTried" in one["detail"] for one in found["findings"])
    assert sum(found["summary"]["requests"].values()) == 4
    assert sync.lab.sekoia.state()["blocked"] is True


def test_one_error_that_passes_is_waited_out(sync: Sync, hasty: list[float]) -> None:
    sync.lab.fault("status", kind="sekoia.playbooks.list", status=503)
    assert outcome(sync.converge()) == (True, "corrected")
    assert max(hasty) >= 10


def test_lists_are_read_to_their_end_and_no_further(sync: Sync) -> None:
    sync.lab.configure(sekoia_page=1)
    for number in range(3):
        sync.lab.edit("put_sekoia_playbook", community=CONTOSO, name=f"other {number}")
    assert outcome(sync.converge()) == (True, "corrected")
    assert outcome(sync.converge()) == (False, "in_sync")


def test_a_list_that_ends_too_early_is_not_read_to_its_end(sync: Sync) -> None:
    sync.lab.fault("sekoia_endless_total", kind="sekoia.playbooks.list", count=None)
    found = sync.converge()
    assert (found["failed"], codes(found), sync.held("playbooks")) == (True, ["CutList"], [])


@pytest.mark.parametrize("fault", ["malformed", "empty", "html"])
def test_an_answer_that_nobody_can_read_is_never_absent(sync: Sync, hasty: list[float], fault: str) -> None:
    sync.converge()
    for kind in ("playbooks.list", "playbooks.get", "triggers.list", "modules.list"):
        sync.lab.fault(fault, kind=f"sekoia.{kind}", count=None)
        before = sync.lab.sekoia.state()
        found = sync.converge()
        assert found["failed"], kind
        assert sync.lab.sekoia.state()["playbooks"] == before["playbooks"]
        sync.lab.clear_faults()


def test_without_a_key_it_is_the_step_of_whoever_makes_one(sync: Sync) -> None:
    """A key that is to reach a community by name is the provider's own."""
    sync.identity["api_key"] = None
    assert codes(sync.converge()) == ["NoCredential"]
    assert codes(sync.run(capability.verify, options.FLOW_SPEC)) == ["NoCredential"]
    for community, who in ((CONTOSO, PROVIDER), (None, CUSTOMER)):
        (found,) = sync.preflight(community_uuid=community)["findings"]
        assert (found["check"], found["status"], found["who"]) == ("api_key", "missing", who)
        assert "tick View playbooks, Manage playbooks and View alerts" in found["next_step"]
    assert sync.lab.requests()["by_kind"] == {}


def test_a_key_that_ends_soon_is_told(sync: Sync) -> None:
    for day, status in (("2026-01-01", "missing"), ("2099-01-01", "ok")):
        found = sync.preflight(api_key_expires=day)
        assert {one["check"]: one["status"] for one in found["findings"]}["key_end"] == status
    assert sync.converge(api_key_expires="2099-01-01")["summary"]["credentials"][0]["expires"] == "2099-01-01"
