# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secure Endpoint engines in this process, against the lab; its memory stands for the queues."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core import evidence as files
from ansible_collections.mssp.onboarding.plugins.module_utils._core import vault
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import (
    MissingLibraryError,
    NoAnswerError,
    RefusedError,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._core.findings import CUSTOMER, PROVIDER
from ansible_collections.mssp.onboarding.plugins.module_utils._core.one_run import locked
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint import (
    api,
    capability,
    keeping,
    options,
    probe,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint.plan import Access
from lab.client import LabClient
from lab.secure_endpoint.client import CONTOSO, FABRIKAM

from . import kills

NAME = "MSSP SIEM"
PASSWORD = "canary-of-the-vault"
THREATS, POLICY = 1090519054, 553648130
SERVERS = "b077d6bc-bbdf-42f7-8838-a06053fbd98a"
DAY = 86400.0


class Organisation:
    """The engines with one credential, and a file of their own."""

    def __init__(self, lab: LabClient, folder: Path, client_id: str = CONTOSO) -> None:
        self.lab, self.client_id = lab, client_id
        self.file = folder / "passwords" / "contoso.json"
        self.given: dict[str, Any] = {
            "client_id": client_id,
            "api_key": lab.secure_endpoint.key(client_id),
            "api_urls": lab.secure_endpoint.urls,
            "ca_file": lab.ca_file,
            "streams": [{"name": NAME}],
            "secret_file": str(self.file),
            "vault_password": PASSWORD,
        }

    def run(self, engine: Any, spec: dict[str, Any], check: bool = False, **given: Any) -> dict[str, Any]:
        found = ArgumentSpecValidator(spec, **options.RULES).validate({**self.given, **given})
        assert not found.error_messages, found.error_messages
        params, secrets = found.validated_parameters, found._no_log_values
        return execute(engine, "secure_endpoint_stream", params, check=check, diff=False, secrets=secrets)

    def converge(self, check: bool = False, **given: Any) -> dict[str, Any]:
        return self.run(capability.converge, options.CONVERGE_SPEC, check, **given)

    def verify(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.verify, options.FLOW_SPEC, **given)

    def preflight(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.preflight, options.ACCESS_SPEC, **given)

    def made(self) -> dict[str, Any]:
        """The one stream that the organisation has."""
        (one,) = self.lab.secure_endpoint.streams(self.client_id)
        return dict(one)

    def kept(self) -> dict[str, Any]:
        """What the file has, by Ansible's own reader."""
        return dict(json.loads(vault.decrypted(self.file.read_text(), PASSWORD)))

    def put(self, *names: str) -> None:
        for name in names:
            self.lab.edit("put_secure_endpoint_stream", client_id=self.client_id, name=name)


@pytest.fixture
def looks(lab: LabClient, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What the engines look at, as the lab's memory counts it: (queue, whether the right to read is tried)."""
    asked: list[tuple[str, bool]] = []

    def look(access: Access, ca_file: str | None, *, reads: bool = False) -> probe.Depth:
        asked.append((access.queue, reads))
        state = lab.secure_endpoint.state()
        if access.queue not in state["messages"]:
            raise RefusedError("look at the queue", "no queue", code="NOT_FOUND", status=404, next_step="drift")
        if access.password not in {one["password"] for one in state["streams"].values()}:
            raise RefusedError("look at the queue", "no", code="ACCESS_REFUSED", status=403, next_step="drift")
        return probe.Depth(state["messages"][access.queue], state["consumers"][access.queue])

    monkeypatch.setattr(probe, "look", look)
    return asked


@pytest.fixture
def contoso(lab: LabClient, tmp_path: Path, looks: list[tuple[str, bool]]) -> Organisation:
    return Organisation(lab, tmp_path)


def outcome(found: dict[str, Any]) -> tuple[bool, str]:
    return found["changed"], found["summary"]["outcome"]


def codes(found: dict[str, Any]) -> list[str]:
    return [one["code"] for one in found["problems"]]


def test_one_stream_through_its_life(contoso: Organisation, looks: list[tuple[str, bool]]) -> None:
    assert contoso.preflight()["summary"]["outcome"] == "in_sync"
    assert outcome(contoso.converge(check=True)) == (True, "drifted")
    assert (contoso.lab.secure_endpoint.streams(), contoso.file.exists()) == ([], False)
    first = contoso.converge()
    assert outcome(first) == (True, "corrected"), first["msg"]
    made = contoso.made()
    assert (made["name"], made["event_type"], made["group_guid"]) == (NAME, [], [])
    assert looks == [(made["queue"], True)], "the right to read is tried once, while nothing can be eaten"
    again = contoso.converge()
    assert outcome(again) == (False, "in_sync")
    assert again["summary"]["requests"] == {"GET /v1/event_streams": 1}
    assert again["streams"][0]["queue_name"] == made["queue"]
    assert outcome(contoso.converge(state="absent")) == (True, "corrected")
    assert (contoso.lab.secure_endpoint.streams(), contoso.file.exists()) == ([], False)
    assert outcome(contoso.converge(state="absent")) == (False, "in_sync")


def test_each_region_is_asked_once_and_ours_is_remembered(lab: LabClient, contoso: Organisation) -> None:
    first = contoso.converge()
    assert first["summary"]["requests"]["GET /v1/version"] == 2
    fabrikam = Organisation(lab, contoso.file.parent.parent / "fabrikam", FABRIKAM)
    fabrikam.converge()
    urls = lab.secure_endpoint.urls
    for one, url in ((contoso, urls[0]), (fabrikam, urls[1])):
        assert one.kept()["streams"][0]["api_url"] == url
    assert codes(contoso.converge(api_urls=[urls[1]])) == ["401"]


def test_a_region_that_gave_no_answer_may_be_ours(contoso: Organisation, hasty: Any) -> None:
    """The other one has refused the credential."""
    found = contoso.converge(api_urls=[contoso.lab.url, "https://localhost:1"])
    assert (found["failed"], codes(found)) == (True, ["ClientConnectorError"])


def test_the_password_is_kept_and_told_nowhere(contoso: Organisation, tmp_path: Path) -> None:
    path = tmp_path / "evidence" / "contoso.jsonl"
    told = str([contoso.converge(evidence_path=str(path)), contoso.converge(), contoso.verify(), contoso.preflight()])
    told += path.read_text()
    made = contoso.made()
    (kept,) = contoso.kept()["streams"]
    assert (kept["password"], kept["user_name"], kept["queue_name"]) == (made["password"], made["user"], made["queue"])
    assert stat.S_IMODE(contoso.file.stat().st_mode) == 0o600
    assert contoso.file.read_text().startswith("$ANSIBLE_VAULT;")
    for secret in (made["password"], PASSWORD, contoso.given["api_key"]):
        assert secret not in told


def test_nothing_is_made_while_its_password_has_no_place(
    contoso: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeping, "write_whole", full)
    found = contoso.converge()
    assert (found["failed"], codes(found)) == (True, ["CannotKeep"])
    assert contoso.lab.requests()["by_kind"].get("secure_endpoint.streams.create") is None
    assert [one["check"] for one in contoso.preflight()["findings"] if one["status"] == "missing"] == ["secret_file"]


def test_a_password_that_cannot_be_kept_after_all_takes_its_stream_with_it(
    contoso: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    contoso.put("theirs")
    written: list[str] = []

    def once(path: Path, text: str) -> None:
        written.append(text)
        if len(written) > 1:
            raise OSError(28, "No space left on device")
        files.write_whole(path, text)

    monkeypatch.setattr(keeping, "write_whole", once)
    assert codes(contoso.converge()) == ["CannotKeep"]
    assert contoso.made()["name"] == "theirs"
    monkeypatch.undo()


def test_a_run_beside_another_writes_nothing(contoso: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would write over the password that the other was told once."""
    contoso.put(NAME)
    before = contoso.made()
    with locked(contoso.file.with_name(f".{contoso.file.name}.lock")):
        assert codes(contoso.converge(replace_lost=True)) == ["Locked"]
        assert outcome(contoso.converge(check=True, replace_lost=True)) == (True, "drifted")
    plan = capability.plan

    def late(*given: Any) -> Any:
        monkeypatch.setattr(capability, "plan", plan)
        keeping.Place(str(contoso.file), PASSWORD).begin("archive", [])
        return plan(*given)

    monkeypatch.setattr(capability, "plan", late)
    assert codes(contoso.converge(replace_lost=True)) == ["Changed"]
    assert contoso.made() == before
    assert [one["name"] for one in contoso.kept()["begun"]] == ["archive"]
    assert [one.name for one in contoso.file.parent.iterdir()] == [contoso.file.name]


@pytest.mark.parametrize("action", ["drop_after", "truncated", "malformed"])
def test_a_lost_answer_removes_exactly_what_this_run_made(contoso: Organisation, action: str) -> None:
    contoso.put("theirs", "another")
    contoso.lab.fault(action, kind="secure_endpoint.streams.create")
    assert outcome(contoso.converge()) == (True, "corrected")
    assert [one["name"] for one in contoso.lab.secure_endpoint.streams()] == ["theirs", "another", NAME]
    assert contoso.kept()["streams"][0]["password"] == contoso.lab.secure_endpoint.streams()[-1]["password"]


@pytest.mark.parametrize(("name", "left"), [("newcomer", ["newcomer", NAME]), (NAME, [NAME, NAME])])
def test_what_others_make_meanwhile_is_not_taken_for_ours(
    contoso: Organisation, monkeypatch: pytest.MonkeyPatch, name: str, left: list[str]
) -> None:
    create = api.create

    async def crowded(*args: Any) -> Any:
        monkeypatch.setattr(api, "create", create)
        contoso.put(name)
        await create(*args)
        raise NoAnswerError("create the event stream", "cut")

    monkeypatch.setattr(api, "create", crowded)
    found = contoso.converge()
    assert codes(found) == ([] if name != NAME else ["LostAnswer"])
    held = contoso.lab.secure_endpoint.streams()
    assert [one["name"] for one in held] == left
    assert name != NAME or all(str(one["id"]) in found["msg"] for one in held)


def test_an_answer_that_is_lost_again_is_told_and_leaves_nothing(contoso: Organisation) -> None:
    contoso.lab.fault("drop_after", kind="secure_endpoint.streams.create", count=None)
    found = contoso.converge()
    assert (found["failed"], codes(found)) == (True, ["ServerDisconnectedError"])
    assert contoso.lab.secure_endpoint.streams() == []
    contoso.lab.clear_faults()
    assert outcome(contoso.converge()) == (True, "corrected")


def test_a_cut_before_makes_nothing(contoso: Organisation) -> None:
    contoso.lab.fault("drop", kind="secure_endpoint.streams.create")
    assert contoso.converge()["summary"]["outcome"] == "failed"
    assert contoso.lab.secure_endpoint.streams() == []


# What a run writes: here into the file, and at Cisco between what is done and its answer.
WRITES: dict[str, Callable[[Organisation, Callable[[], Any]], Any]] = {
    "begun": lambda _one, run: kills.after(keeping, "write_whole", 1, run),
    "created": lambda one, run: kills.unanswered(one.lab, run, kind="secure_endpoint.streams.create"),
    "kept": lambda _one, run: kills.after(keeping, "write_whole", 2, run),
    "updated": lambda one, run: kills.unanswered(one.lab, run, kind="secure_endpoint.streams.update"),
    "kept again": lambda _one, run: kills.after(keeping, "write_whole", 1, run),
    "deleted": lambda one, run: kills.unanswered(one.lab, run, kind="secure_endpoint.streams.delete"),
}


@pytest.mark.parametrize("after", WRITES)
def test_a_run_that_is_killed_after_a_write_leaves_what_the_next_one_mends_or_names(
    contoso: Organisation, after: str
) -> None:
    number = list(WRITES).index(after)
    if number > 2:
        contoso.converge()
    given: dict[str, Any] = {"streams": [{"name": NAME, "event_types": [str(THREATS)]}]} if number > 2 else {}
    given |= {"state": "absent"} if after == "deleted" else {}
    assert WRITES[after](contoso, lambda: contoso.converge(**given)) is not False
    found = contoso.converge(**given)
    if after == "created":
        assert codes(found) == ["password_lost"]
        assert "did not come to its end" in found["problems"][0]["message"]
        assert "replace_lost" in found["problems"][0]["next_step"]
        found = contoso.converge(replace_lost=True)
    assert found["summary"]["outcome"] in ("in_sync", "corrected"), found["msg"]
    if after == "deleted":
        assert (contoso.lab.secure_endpoint.streams(), contoso.file.exists()) == ([], False)
    else:
        assert contoso.kept()["streams"][0]["password"] == contoso.made()["password"]
        assert contoso.made()["event_type"] == ([THREATS] if number > 2 else [])


def test_a_stream_of_our_name_is_not_ours_by_that(contoso: Organisation) -> None:
    contoso.put(NAME)
    before = contoso.made()
    for state in ("present", "absent"):
        assert codes(contoso.converge(state=state)) == ["password_lost"]
    found = contoso.preflight()
    assert [(one["check"], one["who"]) for one in found["findings"] if one["status"] != "ok"] == [("stream", PROVIDER)]
    assert contoso.made() == before
    assert outcome(contoso.converge(correct="safe", replace_lost=True)) == (False, "drifted")
    assert outcome(contoso.converge(replace_lost=True)) == (True, "corrected")
    assert contoso.made()["id"] != before["id"]


def test_two_of_our_name_are_refused_with_both_ids(contoso: Organisation) -> None:
    contoso.put(NAME, NAME)
    found = contoso.converge(replace_lost=True)
    assert codes(found) == ["duplicate"]
    assert all(str(one["id"]) in found["problems"][0]["message"] for one in contoso.lab.secure_endpoint.streams())


def test_the_limit_is_told_before_the_vendor_refuses(contoso: Organisation) -> None:
    contoso.put(*(f"theirs {number}" for number in range(4)))
    found = contoso.converge(streams=[{"name": NAME}, {"name": "archive"}])
    assert (found["summary"]["counts"]["corrected"], codes(found)) == (1, ["limit"])
    assert all(f"theirs {number}" in found["problems"][0]["message"] for number in range(4))
    found = contoso.preflight(streams=[{"name": "archive"}])
    assert [(one["check"], one["who"]) for one in found["findings"] if one["status"] != "ok"] == [("stream", CUSTOMER)]


def test_others_stay_as_they_are(contoso: Organisation) -> None:
    contoso.put("HR", "archive")
    before = contoso.lab.secure_endpoint.streams()
    contoso.converge()
    contoso.converge(streams=[{"name": NAME, "event_types": ["Threat Detected"]}])
    contoso.converge(state="absent")
    assert contoso.lab.secure_endpoint.streams() == before


@pytest.mark.parametrize("hidden", [False, True])
def test_filters_change_in_place_so_that_the_backlog_stays(contoso: Organisation, hidden: bool) -> None:
    contoso.converge()
    contoso.lab.configure(secure_endpoint_hides_filters=hidden)
    contoso.lab.edit("secure_endpoint_event", client_id=CONTOSO, number=3)
    before = contoso.made()
    wanted = [{"name": NAME, "event_types": ["threat detected", str(POLICY)], "groups": ["Servers"]}]
    assert outcome(contoso.converge(streams=wanted)) == (True, "corrected")
    after = contoso.made()
    assert (sorted(after["event_type"]), after["group_guid"]) == ([POLICY, THREATS], [SERVERS])
    assert {**after, "event_type": [], "group_guid": []} == before
    assert contoso.lab.secure_endpoint.state()["messages"] == {before["queue"]: 3}
    assert outcome(contoso.converge(streams=wanted)) == (False, "in_sync")
    assert outcome(contoso.converge()) == (False, "in_sync"), "what the tenant file does not say is not compared"


def test_a_filter_that_matches_nothing_is_an_error_with_the_nearest(contoso: Organisation) -> None:
    wanted = [{"name": NAME, "event_types": ["Treat Detected"], "groups": ["nobody"]}]
    found = contoso.converge(streams=wanted)
    assert (found["failed"], codes(found)) == (True, ["NoMatch"])
    assert "Threat Detected" in found["msg"]
    assert contoso.lab.secure_endpoint.streams() == []
    assert [one["check"] for one in contoso.preflight(streams=wanted)["findings"] if one["status"] != "ok"] == [
        "filters"
    ]


@pytest.mark.parametrize(
    ("edit", "drift"),
    [
        ({"edit": "remove_secure_endpoint_stream"}, {"missing": 1}),
        ({"edit": "change_secure_endpoint_stream", "event_type": [POLICY]}, {"event_types": 1}),
        ({"edit": "change_secure_endpoint_stream", "group_guid": [SERVERS]}, {"groups": 1}),
        ({"edit": "change_secure_endpoint_stream", "name": "renamed"}, {"renamed": 1}),
    ],
)
def test_drift_is_found_by_class(contoso: Organisation, edit: dict[str, Any], drift: dict[str, int]) -> None:
    given = {"streams": [{"name": NAME, "event_types": [], "groups": []}]}
    contoso.converge(**given)
    contoso.lab.edit(**edit, id=contoso.made()["id"])
    assert contoso.converge(check=True, **given)["summary"]["drift"] == drift
    assert contoso.converge(**given)["summary"]["outcome"] in ("corrected", "in_sync")
    if "renamed" not in drift:
        assert outcome(contoso.converge(**given)) == (False, "in_sync")
        assert contoso.kept()["streams"][0]["id"] == contoso.made()["id"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"action": "status", "status": 403, "code": "403"}, "403"),
        ({"action": "malformed"}, "BadJson"),
        ({"action": "empty"}, "BadShape"),
        ({"action": "redirect"}, "HTTP302"),
        ({"action": "endless_links"}, "EndlessList"),
        ({"action": "link_elsewhere"}, "ForeignLink"),
        ({"action": "throttle", "seconds": 0}, "429"),
        ({"action": "drop"}, "ServerDisconnectedError"),
    ],
)
def test_what_cannot_be_read_is_never_absent(
    contoso: Organisation, hasty: Any, fault: dict[str, Any], code: str
) -> None:
    contoso.converge()
    contoso.lab.fault(**fault, kind="secure_endpoint.streams.list", count=None)
    for found in (contoso.converge(), contoso.converge(state="absent")):
        assert (found["failed"], found["changed"], codes(found)) == (True, False, [code])
    assert contoso.made()
    assert contoso.kept()["streams"]


def test_a_removal_that_is_only_said_is_not_believed(contoso: Organisation) -> None:
    contoso.converge()
    contoso.lab.fault("status", kind="secure_endpoint.streams.delete", status=404, code="404")
    assert codes(contoso.converge(state="absent")) == ["StillThere"]
    assert contoso.kept()["streams"][0]["id"] == contoso.made()["id"]


def test_a_wrong_vault_password_is_no_empty_file(contoso: Organisation) -> None:
    contoso.converge()
    before = contoso.file.read_bytes()
    for password in ("wrong", None):
        found = contoso.converge(vault_password=password)
        assert (found["failed"], codes(found)) == (True, ["CannotRead"])
    assert contoso.file.read_bytes() == before


def test_an_hourly_limit_that_is_used_up_is_told(contoso: Organisation, hasty: Any) -> None:
    contoso.lab.fault("throttle", kind="secure_endpoint.streams.list", seconds=3000, count=None)
    found = contoso.converge()
    assert (found["failed"], codes(found)) == (True, ["429"])
    assert "3,000 calls" in found["msg"]


def test_a_stream_that_the_tenant_file_no_longer_names_is_told(contoso: Organisation, tmp_path: Path) -> None:
    given = {"evidence_path": str(tmp_path / "runs" / "contoso.x.jsonl")}
    contoso.converge(streams=[{"name": NAME}, {"name": "archive"}], **given)
    for found in (contoso.converge(**given), contoso.verify(**given), contoso.preflight(**given)):
        assert "stream archive" in {one["target"] for one in found["problems"]}, found["msg"]
    assert "stream archive" not in contoso.converge(accept_missing=["archive"], **given)["msg"]
    contoso.converge(state="absent", **given)
    assert contoso.lab.secure_endpoint.streams() == [], "offboard takes all that is ours"


# --- preflight


def missing(found: dict[str, Any]) -> list[str]:
    return [one["check"] for one in found["findings"] if one["status"] != "ok"]


def test_without_a_credential_it_is_the_customers_step(contoso: Organisation) -> None:
    del contoso.given["client_id"], contoso.given["api_key"]
    found = contoso.preflight()
    assert missing(found) == ["api_credential"]
    assert "New API Credential" in found["findings"][0]["next_step"]
    assert found["findings"][0]["who"] == CUSTOMER
    assert codes(contoso.converge()) == codes(contoso.verify()) == ["NoCredential"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_credential_that_may_only_read_is_told(contoso: Organisation, status: int) -> None:
    contoso.lab.configure(secure_endpoint_refusal=status)
    contoso.lab.edit("change_secure_endpoint_organisation", client_id=CONTOSO, writes=False)
    found = contoso.preflight()
    assert missing(found) == ["event_streams"]
    assert "Read & Write" in found["msg"]


def test_a_wrong_key_is_told_and_itself_not(contoso: Organisation) -> None:
    contoso.given["api_key"] = "canary-of-a-wrong-key"
    found = contoso.preflight()
    assert missing(found) == ["sign_in"]
    assert "canary-of-a-wrong-key" not in str([found, contoso.converge()])


def test_a_missing_library_is_told_and_holds_no_stream_up(
    contoso: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_args: Any, **_more: Any) -> Any:
        raise MissingLibraryError("pika")

    monkeypatch.setattr(probe, "pika", none)
    monkeypatch.setattr(probe, "look", none)
    assert missing(contoso.preflight()) == ["pika"]
    assert outcome(contoso.converge()) == (True, "corrected")
    assert (states(contoso.verify()), codes(contoso.verify())) == ({NAME: "unreadable"}, ["MissingLibraryError"])


# --- verify


def states(found: dict[str, Any]) -> dict[str, str]:
    return {one["source"]: one["state"] for one in found["flows"]}


@pytest.fixture
def read(contoso: Organisation) -> Callable[..., dict[str, Any]]:
    """verify, after so many consumers and messages were set."""
    contoso.converge()
    id = contoso.made()["id"]

    def run(consumers: int, messages: int, **given: Any) -> dict[str, Any]:
        contoso.lab.edit("secure_endpoint_readers", id=id, consumers=consumers, messages=messages)
        return contoso.verify(**given)

    return run


def test_a_queue_that_is_read_flows(contoso: Organisation, read: Callable[..., dict[str, Any]]) -> None:
    contoso.lab.edit("secure_endpoint_event", client_id=CONTOSO)
    contoso.lab.reset_requests()
    found = read(1, 0)
    assert states(found) == {NAME: "flowing"}
    assert found["flows"][0]["newest"]
    assert (found["flows"][0]["consumers"], found["flows"][0]["messages"]) == (1, 0)
    assert contoso.lab.requests()["by_kind"] == {"secure_endpoint.streams.list": 1, "secure_endpoint.events": 1}
    assert codes(read(2, 0)) == ["second_consumer"]


def test_a_queue_that_nobody_reads_is_pending_and_then_broken(
    contoso: Organisation, read: Callable[..., dict[str, Any]]
) -> None:
    assert states(read(0, 0)) == {NAME: "pending"}
    place = keeping.Place(str(contoso.file), PASSWORD)
    one = place.read().streams[NAME]
    place.keep(one._replace(made=one.made - 2 * DAY))
    found = read(0, 40)
    assert (states(found), codes(found)) == ({NAME: "stale"}, ["no_consumer"])


def test_two_verifies_tell_when_the_first_are_lost(
    read: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A day apart, 40 of 80 came in between: the oldest has waited two days."""
    given = {"evidence_path": str(tmp_path / "runs" / "contoso.secure_endpoint_stream_info.jsonl")}
    assert read(0, 40, **given)["flows"][0]["days_left"] is None
    memory = tmp_path / "runs" / "coverage" / "contoso.secure_endpoint_stream-queues.json"
    held = json.loads(memory.read_text())
    held[NAME]["at"] -= DAY
    memory.write_text(json.dumps(held))
    found = read(0, 80, **given)
    assert found["flows"][0]["days_left"] == 8.0
    assert "lost in about 8.0 days" in found["flows"][0]["message"]


def test_silence_is_told_from_a_fault(contoso: Organisation, read: Callable[..., dict[str, Any]]) -> None:
    assert states(read(1, 0)) == {NAME: "quiet"}
    contoso.lab.fault("status", kind="secure_endpoint.events", status=403, code="403", count=None)
    found = read(1, 0)
    assert (states(found), found["summary"]["outcome"]) == ({NAME: "unreadable"}, "unknown")
    assert codes(read(0, 7)) == [], "pending, whatever the list of events says"


def test_no_stream_is_absent_and_a_refused_credential_broken(contoso: Organisation) -> None:
    assert states(contoso.verify()) == {NAME: "absent"}
    contoso.converge()
    place = keeping.Place(str(contoso.file), PASSWORD)
    one = place.read().streams[NAME]
    place.keep(one._replace(access=one.access._replace(password="another-password")))
    found = contoso.verify()
    assert (states(found), codes(found)) == ({NAME: "stale"}, ["ACCESS_REFUSED"])
    assert missing(contoso.preflight()) == ["queue"]


@pytest.mark.parametrize(
    ("ends", "outcome", "told"),
    [
        ([RefusedError, RefusedError], "corrected", []),
        ([RefusedError] * 9, "failed", ["ACCESS_REFUSED"]),
        ([NoAnswerError], "corrected", ["ACCESS_REFUSED"]),
    ],
)
def test_a_new_queue_has_some_seconds_and_its_password_stays_kept(
    contoso: Organisation, monkeypatch: pytest.MonkeyPatch, ends: list[Any], outcome: str, told: list[str]
) -> None:
    """A refusal of all is a failure; that the control node does not reach the queue is told and is none."""
    left = list(ends)

    def look(*_args: Any, **_more: Any) -> Any:
        if left:
            raise left.pop()("look at the queue", "no", code="ACCESS_REFUSED", status=403, next_step="ask")

    monkeypatch.setattr(probe, "look", look)
    monkeypatch.setattr(capability, "SETTLE_SECONDS", (0.0, 0.0, 0.0))
    found = contoso.converge()
    assert (found["summary"]["outcome"], codes(found)) == (outcome, told)
    assert contoso.kept()["streams"][0]["id"] == contoso.made()["id"]
