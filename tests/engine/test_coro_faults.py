# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong on the way: refused, throttled, cut, slow, malformed, half done. Nothing is taken for absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.client import LabClient

from .coro_engines import CONTOSO, Workspace, actions, counts


@pytest.fixture
def contoso(lab: LabClient) -> Workspace:
    return Workspace(lab)


LIST, MAKE = "coro.connectors.list", "coro.connectors.post"


@pytest.mark.parametrize("action", ["malformed", "html", "truncated", "drop", "empty"])
def test_a_list_that_cannot_be_read_ends_the_tenant_without_a_write(
    contoso: Workspace, hasty: list[float], action: str
) -> None:
    contoso.lab.fault(action, kind=LIST, count=None)
    result = contoso.run(contoso.wanted("splunk"), exclusive=True)
    assert (result["failed"], result["summary"]["outcome"], contoso.writes()) == (True, "failed", [])
    assert "list the SIEM connectors of contoso_Qx7d_b" in result["msg"]
    assert result["problems"][0]["next_step"]


def test_what_passes_is_tried_again(contoso: Workspace, hasty: list[float]) -> None:
    contoso.lab.fault("status", kind=LIST, status=503)
    contoso.lab.fault("drop", kind=LIST)
    contoso.lab.fault("throttle", kind=LIST, seconds=3)
    result = contoso.run(contoso.wanted("splunk"))
    assert counts(result) == {"corrected": 1}
    assert result["summary"]["throttled_answers"] == 1
    assert len(hasty) == 3


def test_slow_is_waited_for(contoso: Workspace) -> None:
    contoso.lab.fault("slow", kind=LIST, seconds=0.5)
    assert counts(contoso.run(contoso.wanted("splunk"))) == {"corrected": 1}


def test_throttled_for_good(contoso: Workspace, hasty: list[float]) -> None:
    contoso.lab.fault("throttle", kind=LIST, count=None)
    result = contoso.run(contoso.wanted("splunk"))
    assert result["problems"][0]["status"] == 429
    assert "less concurrency" in result["problems"][0]["next_step"]


@pytest.mark.parametrize(("status", "words"), [(401, "check"), (403, "API credentials"), (404, "profile")])
def test_refusals_of_the_list(contoso: Workspace, hasty: list[float], status: int, words: str) -> None:
    contoso.lab.fault("status", kind=LIST, status=status, code="X", count=None)
    result = contoso.run(contoso.wanted("splunk"))
    assert result["problems"][0]["status"] == status
    assert words in result["problems"][0]["next_step"]


@pytest.mark.parametrize("action", ["drop_after", "malformed", "truncated", "html"])
def test_a_create_whose_answer_is_lost_is_found_and_not_repeated(contoso: Workspace, action: str) -> None:
    contoso.lab.coro.configure(unique_names=False)
    contoso.lab.fault(action, kind=MAKE)
    result = contoso.run(contoso.wanted("splunk"))
    assert counts(result) == {"corrected": 1}
    assert len(contoso.writes()) == 1
    assert result["connectors"][0]["id"] == contoso.held()["splunk"]["id"]


@pytest.mark.parametrize("fault", [{"action": "drop"}, {"action": "status", "status": 502}])
def test_a_create_that_did_not_take_place_is_a_failure(contoso: Workspace, fault: dict[str, Any]) -> None:
    contoso.lab.fault(kind=MAKE, **fault)
    result = contoso.run(contoso.wanted("splunk"), contoso.wanted("fluency"))
    assert counts(result) == {"failed": 1, "corrected": 1}
    assert counts(contoso.run(contoso.wanted("splunk"), contoso.wanted("fluency"))) == {"in_sync": 1, "corrected": 1}


def test_a_delete_whose_answer_is_lost_is_done(contoso: Workspace, hasty: list[float]) -> None:
    contoso.run(contoso.wanted("splunk"))
    contoso.lab.fault("drop_after", kind="coro.connectors.delete")
    result = contoso.run({"name": "splunk", "state": "absent"})
    assert counts(result) == {"corrected": 1}
    assert contoso.held() == {}


def test_a_name_that_is_taken_meanwhile(contoso: Workspace) -> None:
    contoso.lab.fault("status", kind=MAKE, status=409, code="NAME_TAKEN", message="taken")
    (problem,) = contoso.run(contoso.wanted("splunk"))["problems"]
    assert (problem["status"], problem["code"]) == (409, "NAME_TAKEN")


RECEIVERS: list[tuple[dict[str, Any], str, str]] = [
    ({"acknowledgment": True}, "Data channel is missing", "acknowledgment"),
    ({"answer": "401"}, "HTTP 401", "check the secret"),
    ({"answer": "500"}, "HTTP 500", "receiver's answer"),
    ({"answer": "redirect"}, "HTTP 302", "receiver's answer"),
    ({"answer": "drop"}, "no answer", "receiver runs"),
]


@pytest.mark.parametrize(("receiver", "said", "step"), RECEIVERS, ids=[str(one[0]) for one in RECEIVERS])
def test_a_refused_test_event_saves_nothing_and_is_told(
    contoso: Workspace, receiver: dict[str, Any], said: str, step: str
) -> None:
    if "acknowledgment" in receiver:
        option = next(name for name in contoso.lab.receivers.configure("splunk") if "ack" in name)
        receiver = {option: True}
    contoso.lab.receivers.configure("splunk", **receiver)
    result = contoso.run(contoso.wanted("splunk"))
    assert (counts(result), contoso.held()) == ({"failed": 1}, {})
    (problem,) = result["problems"]
    assert (problem["status"], problem["code"]) == (422, "TEST_EVENT_FAILED")
    assert said in problem["message"]
    assert step in problem["next_step"]
    assert problem["request_id"], "Coro's trace id"


def test_a_refused_change_leaves_the_old_one(contoso: Workspace) -> None:
    contoso.run(contoso.wanted("splunk"))
    before = contoso.held()
    wrong = contoso.wanted("splunk", authorization="11111111-1111-1111-1111-111111111111")
    assert counts(contoso.run(wrong, update_secret="always")) == {"failed": 1}
    assert contoso.held() == before


def test_wrong_credentials(contoso: Workspace) -> None:
    result = contoso.run(contoso.wanted("splunk"), client_secret="canary-wrong")
    assert (result["failed"], result["problems"][0]["code"]) == (True, "INVALID_CLIENT")
    contoso.lab.coro.expire_client("coro-contoso")
    expired = Workspace(contoso.lab).run(contoso.wanted("splunk"))
    assert expired["problems"][0]["code"] == "CREDENTIALS_EXPIRED"
    other = Workspace(contoso.lab).run(contoso.wanted("splunk"), audience="https://other.example")
    assert other["failed"]


def test_a_token_that_ends_in_between_is_replaced(contoso: Workspace) -> None:
    contoso.run(contoso.wanted("splunk"))
    contoso.lab.coro.expire_tokens()
    result = contoso.run(contoso.wanted("splunk"))
    assert counts(result) == {"in_sync": 1}
    assert result["summary"]["requests"]["POST /oauth/token"] == 1


def test_another_workspace_is_refused(contoso: Workspace) -> None:
    result = contoso.run(contoso.wanted("splunk"), workspace="fabrikam_Lm4T_b")
    assert result["problems"][0]["status"] == 403


class TestPreflight:
    def test_ready(self, contoso: Workspace) -> None:
        result = contoso.run(engine="access")
        assert [one["status"] for one in result["findings"]] == ["ok"] * 3
        assert [one["id"] for one in result["workspaces"]] == [CONTOSO]

    def test_what_is_missing_is_a_finding_with_a_step(self, contoso: Workspace) -> None:
        result = contoso.run(engine="access", workspace="fabrikam_Lm4T_b")
        assert (result["failed"], result["summary"]["outcome"]) == (False, "failed")
        assert {one["check"] for one in result["findings"] if one["status"] == "missing"} == {
            "workspace",
            "read_connectors",
        }
        wrong = contoso.run(engine="access", client_secret="canary-wrong")
        assert [(one["check"], one["status"]) for one in wrong["findings"]] == [("sign_in", "missing")]

    def test_what_cannot_be_told_is_unknown(self, contoso: Workspace, hasty: list[float]) -> None:
        contoso.lab.fault("status", kind=LIST, status=500, count=None)
        result = contoso.run(engine="access")
        assert result["findings"][-1]["status"] == "unknown"


class TestInfo:
    def test_absent_and_error_are_not_the_same(self, contoso: Workspace, hasty: list[float]) -> None:
        contoso.run(contoso.wanted("splunk"))
        seen = contoso.run(engine="info", names=["splunk", "gone"])
        assert {one["name"]: one["state"] for one in seen["flows"]} == {"splunk": "connected", "gone": "absent"}
        contoso.lab.fault("status", kind=LIST, status=500, count=None)
        assert contoso.run(engine="info", names=["splunk"])["failed"]

    def test_since_when_as_far_as_coro_says(self, contoso: Workspace) -> None:
        contoso.run(contoso.wanted("splunk"))
        contoso.lab.receivers.configure("splunk", answer="500")
        contoso.lab.coro.emit(CONTOSO)
        contoso.lab.advance(2 * 3600 + 60)
        (problem,) = contoso.run(engine="info")["problems"]
        assert problem["code"] == "disconnected"
        assert "HTTP 500" in problem["message"]
        assert "last changed at Coro: 20" in problem["message"]


def test_a_probe_is_what_the_receiver_took(contoso: Workspace) -> None:
    """Coro's status alone does not know that the receiver has come to refuse."""
    contoso.run(contoso.wanted("splunk"))
    took = contoso.run(engine="info", probe=True)["flows"][0]
    assert (took["state"], took["newest"]) == ("connected", None)
    assert "took Coro's test event" in took["message"]
    contoso.lab.receivers.configure("splunk", answer="500")
    assert contoso.run(engine="info", probe=True, check=True)["flows"][0]["state"] == "connected", "nothing is sent"
    assert contoso.run(engine="info")["flows"][0]["state"] == "connected"
    result = contoso.run(engine="info", probe=True)
    assert (result["flows"][0]["state"], result["summary"]["outcome"]) == ("stale", "drifted")
    assert (result["problems"][0]["code"], result["problems"][0]["count"]) == ("TEST_EVENT_FAILED", 1)
    contoso.lab.receivers.configure("splunk")
    assert contoso.run(engine="info", probe=True)["flows"][0]["state"] == "stale", "what is disconnected is not tested"


def test_what_a_receiver_says_back_is_hidden_by_verify_too(contoso: Workspace) -> None:
    token, header = "canary-echoed-token", "canary-echoed-header"
    secrets = {"soc": {"authorization": f"Splunk {token}"}, "hook": {"headers": {"X-Key": header}}}
    contoso.lab.fault("status", kind=LIST, status=422, code="X", message=f"no: {token}, {header}")
    told = json.dumps(contoso.run(engine="info", secrets=secrets))
    assert "no: VALUE_HIDDEN, VALUE_HIDDEN" in told
    assert "canary-echoed" not in told


def test_canaries_are_nowhere(contoso: Workspace, tmp_path: Path) -> None:
    """Secrets of all formats, the client's, and the token; also where Coro and the receiver say them back."""
    told: list[str] = []

    class Watch:
        def update(self, **given: Any) -> None:
            told.append(json.dumps(given))

        def failure(self, text: str) -> None:
            told.append(text)

    wanted = [contoso.wanted(kind) for kind in ("splunk", "generic", "fluency", "azure_sentinel")]
    secrets = [
        contoso.given["client_secret"],
        contoso.receivers["splunk"]["token"],
        contoso.receivers["fluency"]["token"],
        contoso.receivers["azure"]["primary_key"],
        *contoso.receivers["generic"]["headers"].values(),
    ]
    more: dict[str, Any] = {
        "evidence_path": str(tmp_path / "coro.jsonl"), "update_secret": "on_change", "reporter": Watch(),
        "fingerprint_dir": str(tmp_path / "marks"), "diff": True,
    }  # fmt: skip
    contoso.lab.fault("status", kind=MAKE, status=422, code="X", message=f"no: {' '.join(secrets)}")
    results = [contoso.run(*wanted, **more), contoso.run(*wanted, **more), contoso.run(*wanted, check=True, **more)]
    contoso.lab.fault("status", kind="coro.token", status=401, code="X", message=f"no: {' '.join(secrets)}", count=None)
    results.append(Workspace(contoso.lab).run(*wanted, **more))
    assert [counts(one) for one in results] == [
        {"failed": 1, "corrected": 3},
        {"in_sync": 3, "corrected": 1},
        {"in_sync": 4},
        {},
    ]
    files = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    everything = "\n".join([*map(json.dumps, results), *told, *files])
    assert "VALUE_HIDDEN" in everything
    assert [secret for secret in secrets if secret in everything] == []
    assert "lab-coro-" not in everything, "a token"


def test_evidence_has_one_line_per_connector(contoso: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "coro.jsonl"
    both = [contoso.wanted("splunk"), contoso.wanted("fluency", state="synced")]
    for _run in range(2):
        path.unlink(missing_ok=True)
        contoso.run(*both, evidence_path=str(path))
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert sorted(line["target"] for line in lines) == [f"{CONTOSO}/fluency", f"{CONTOSO}/splunk"]
    assert actions(contoso.run(*both)) == []


@pytest.mark.parametrize(("fault", "codes", "again"), [
    ({"action": "empty"}, [], {"in_sync": 1}),
    ({"action": "status", "status": 200}, ["NotShown"], {"corrected": 1}),
])  # fmt: skip
def test_a_write_whose_answer_shows_nothing_is_read_back(
    contoso: Workspace, fault: dict[str, Any], codes: list[str], again: dict[str, int]
) -> None:
    contoso.lab.fault(kind=MAKE, **fault)
    result = contoso.run(contoso.wanted("splunk"))
    assert [one["code"] for one in result["problems"]] == codes
    assert [bool(one["id"]) for one in result["connectors"]] == [True] * (not codes)
    assert counts(contoso.run(contoso.wanted("splunk"))) == again
