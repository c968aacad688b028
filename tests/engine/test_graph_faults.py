# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph that refuses, throttles, hangs up, lags or babbles: what is said, what is repeated, and that a run recovers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import http
from lab.client import LabClient
from lab.testing import CONTOSO, NORTHWIND, PROSEWARE

from .graph_engines import GRAPH, REDIRECT, WANTED, Directory, certificate, counts, customer, held, provider

NAME = "proseware-log-onboarding"
pytestmark = pytest.mark.usefixtures("hasty")


@pytest.fixture
def home(lab: LabClient) -> Directory:
    return provider(lab, display_name=NAME, permissions=WANTED, redirect_uris=[REDIRECT])


@pytest.fixture
def northwind(lab: LabClient) -> Directory:
    return customer(lab, access_token=lab.admin_token(NORTHWIND, "graph"), wait_seconds=0)


def done(one: Directory) -> Counter[str]:
    """How often each kind of write was asked for."""
    return Counter(line["kind"] for line in one.lab.requests(last=5000)["last"] if line["method"] != "GET")


# ---- the directory of a customer ------------------------------------------------------------------------------------

PASSING: dict[str, dict[str, Any]] = {
    "throttled at reading": {"action": "throttle", "kind": "graph.principals.get", "seconds": 3},
    "throttled at granting": {"action": "throttle", "kind": "graph.grants.create", "seconds": 3},
    "not at home at making": {"action": "status", "kind": "graph.principals.create", "status": 503},
    "an error at reading": {"action": "status", "kind": "graph.grants.list", "status": 500},
    "cut at reading": {"action": "drop", "kind": "graph.principals.get"},
    "cut short at reading": {"action": "truncated", "kind": "graph.principals.get"},
    "slow": {"action": "slow", "kind": "graph.grants.create", "seconds": 0.2},
    "made, and the answer lost": {"action": "drop_after", "kind": "graph.principals.create"},
    "granted, and the answer lost": {"action": "drop_after", "kind": "graph.grants.create"},
    "unknown to a replica yet at granting": {
        "action": "status", "kind": "graph.grants.create", "status": 404, "code": "Request_ResourceNotFound",
    },
    "no reference yet at granting": {
        "action": "status", "kind": "graph.grants.create", "status": 400, "message": "Not a valid reference update.",
    },
    "made, and a gateway answered": {"action": "html", "kind": "graph.principals.create"},
    "granted, and a gateway answered": {"action": "html", "kind": "graph.grants.create"},
    "granted, and the answer empty": {"action": "empty", "kind": "graph.grants.create"},
    "granted, and the answer broken": {"action": "malformed", "kind": "graph.grants.create"},
}  # fmt: skip


@pytest.mark.parametrize("case", PASSING)
def test_what_passes_is_got_over_without_a_second_object(lab: LabClient, northwind: Directory, case: str) -> None:
    lab.fault(**PASSING[case])
    found = northwind.run()
    assert counts(found) == {"corrected": 4}, found["msg"]
    assert found["granted"] == WANTED
    again = northwind.run()
    assert (again["changed"], again["summary"]["outcome"]) == (False, "in_sync")


STAYING: dict[str, tuple[dict[str, Any], str]] = {
    "refused": ({"action": "status", "status": 403, "code": "Authorization_RequestDenied"}, "Privileged Role"),
    "throttled for good": ({"action": "throttle", "seconds": 1, "count": None}, "kept throttling"),
    "cut before anything was done": ({"action": "drop"}, "run again"),
    "babble": ({"action": "status", "status": 500, "shape": "flat"}, "run again"),
}


@pytest.mark.parametrize("case", STAYING)
def test_half_done_is_said_part_by_part_and_made_whole_by_the_next_run(
    lab: LabClient, northwind: Directory, case: str
) -> None:
    fault, step = STAYING[case]
    lab.fault(**{"kind": "graph.grants.create", "count": 1, "after": 1, **fault})
    half = northwind.run()
    assert half["failed"]
    assert half["summary"]["outcome"] == "failed"
    failed = half["summary"]["counts"]["failed"]
    assert counts(half) == {"corrected": 4 - failed, "failed": failed}
    assert failed >= 1
    assert step in half["problems"][0]["next_step"]
    assert sum(map(len, half["missing"].values())) == failed
    lab.clear_faults()
    whole = northwind.run()
    assert (counts(whole), whole["missing"]) == ({"in_sync": 4 - failed, "corrected": failed}, {})


UNREADABLE: dict[str, dict[str, Any]] = {
    "refused": {"action": "status", "status": 403, "code": "Authorization_RequestDenied"},
    "a 404 of somebody else's": {"action": "status", "status": 404, "code": "NotFound"},
    "html": {"action": "html", "count": None},
    "empty": {"action": "empty", "count": None},
    "malformed": {"action": "malformed", "count": None},
}


@pytest.mark.parametrize("case", UNREADABLE)
@pytest.mark.parametrize("kind", ["graph.principals.get", "graph.grants.list"])
def test_what_cannot_be_read_is_never_taken_for_absent(lab: LabClient, case: str, kind: str) -> None:
    one = customer(lab, CONTOSO, access_token=lab.admin_token(CONTOSO, "graph"), wait_seconds=0)
    lab.fault(kind=kind, **UNREADABLE[case])
    for state in ("absent", "present"):
        found = one.run(state=state)
        assert found["failed"], found["msg"]
        assert not found["changed"]
        lab.clear_faults()
        lab.fault(kind=kind, **UNREADABLE[case])
    assert one.writes() == []


def test_a_resource_that_cannot_be_read_leaves_the_others_alone(lab: LabClient, northwind: Directory) -> None:
    path = "/graph/v1.0/servicePrincipals(appId='c5393580-f805-4401-95e8-94b7a6ef2fc2')"
    lab.fault("status", path=path, status=403, code="Authorization_RequestDenied", count=None)
    found = northwind.run()
    assert counts(found) == {"corrected": 3, "unknown": 1}
    assert (found["granted"], found["missing"]) == ({GRAPH: WANTED[GRAPH]}, {})


def test_a_grant_that_no_token_shows_is_not_called_proven(lab: LabClient, northwind: Directory, tmp_path: Path) -> None:
    northwind.run()
    lab.edit("revoke_permission", tenant=NORTHWIND, resource=GRAPH, permission="SecurityAlert.Read.All")
    lab.fault("status", kind="graph.grants.create", status=400, code="Request_BadRequest",
              message="Permission being assigned already exists on the object")  # fmt: skip
    found = northwind.run(evidence_path=str(tmp_path / "x.jsonl"))
    assert counts(found) == {"in_sync": 3, "unknown": 1}
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert sorted(line["status"] for line in lines) == ["in_sync", "in_sync", "in_sync", "unknown"]
    assert found["problems"][0]["code"] == "NotInToken"
    assert found["missing"] == {}
    assert not found["changed"], "Graph says that it was there already"


def test_a_list_that_does_not_show_a_grant_yet_makes_no_change(lab: LabClient, northwind: Directory) -> None:
    """Lists lag behind by a minute (microsoft-graph-docs#15855)."""
    northwind.run()
    send = http.send

    async def lagging(client: Any, method: str, url: str, **given: Any) -> http.Answer:
        answer = await send(client, method, url, **given)
        return answer._replace(body={"value": []}) if url.endswith("/appRoleAssignments") else answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "send", lagging)
        found = northwind.run()
    assert (found["changed"], found["summary"]["outcome"]) == (False, "in_sync")
    assert (found["granted"], found["missing"]) == (WANTED, {})


@pytest.mark.parametrize("secret", ["not-the-secret", None])
def test_what_was_granted_is_told_though_the_app_cannot_prove_it(
    lab: LabClient, northwind: Directory, secret: str | None
) -> None:
    found = northwind.run(client_secret=secret)
    assert found["changed"]
    assert (found["granted"], found["missing"]) == (WANTED, {})
    assert found["failed"] is (secret is not None)
    if secret:
        assert counts(found) == {"corrected": 1, "unknown": 3}
        assert found["problems"][0]["code"] == "AADSTS7000215"


def test_the_lag_of_new_objects_is_waited_for(lab: LabClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "backoff", lambda _attempt: 0.1)  # the lab's lag is of the real clock
    lab.configure(graph_lag=1)
    one = customer(lab, access_token=lab.admin_token(NORTHWIND, "graph"))
    assert counts(one.run()) == {"corrected": 4}
    new = provider(lab, client_id=None, display_name="New", permissions=WANTED, redirect_uris=[REDIRECT])
    assert counts(new.run(secret_name="first")) == {"corrected": 6}


# ---- the app --------------------------------------------------------------------------------------------------------

LOST: dict[str, tuple[str, dict[str, Any]]] = {
    "the change of the app": ("graph.applications.update", {"display_name": "Another"}),
    "the certificate": ("graph.applications.update", {"certificate_paths": ["new.pem"]}),
}


@pytest.mark.parametrize("action", ["drop", "drop_after", "truncated", "throttle"])
@pytest.mark.parametrize("case", LOST)
def test_a_lost_answer_of_a_patch_does_no_harm(
    lab: LabClient, home: Directory, tmp_path: Path, case: str, action: str
) -> None:
    kind, given = LOST[case]
    if "certificate_paths" in given:
        given = {"certificate_paths": [certificate(tmp_path / "new.pem")]}
    before = len(held(lab)["keyCredentials"])
    lab.fault(action, kind=kind)
    found = home.run(**given)
    assert found["summary"]["counts"]["corrected"] == 1, found["msg"]
    assert not home.run(**given)["changed"]
    assert len(held(lab)["keyCredentials"]) == before + ("certificate_paths" in given)


def test_nothing_is_tried_for_an_app_that_could_not_be_made(lab: LabClient, tmp_path: Path) -> None:
    new = provider(lab, client_id=None, display_name="New", certificate_paths=[certificate(tmp_path / "new.pem")])
    lab.fault("status", kind="graph.applications.update", status=403, code="Authorization_RequestDenied", count=None)
    found = new.run(secret_name="siem")
    assert counts(found) == {"failed": 4}
    assert found["problems"][0]["operation"] == "make the app"
    assert {one["code"] for one in found["problems"][1:]} == {"NotTried"}
    assert len(new.writes()) == 1
    assert "client_secret" not in found


def test_a_refused_request_fails_each_of_the_parts_that_it_was_for(lab: LabClient, home: Directory) -> None:
    lab.fault("status", kind="graph.applications.update", status=403, code="Authorization_RequestDenied", count=None)
    found = home.run(display_name="Another", redirect_uris=["https://onboarding.example/other"])
    assert counts(found)["failed"] == 2
    assert (len(found["problems"]), found["problems"][0]["count"], len(home.writes())) == (1, 2, 1)


def test_nothing_is_granted_to_an_app_that_could_not_be_brought_in(lab: LabClient, northwind: Directory) -> None:
    lab.fault("status", kind="graph.principals.create", status=403, code="Authorization_RequestDenied", count=None)
    found = northwind.run(wait_seconds=300)
    assert counts(found) == {"failed": 4}
    assert [one["code"] for one in found["problems"]] == ["Authorization_RequestDenied", *["NotTried"] * 3]
    assert (found["missing"], len(northwind.writes())) == (WANTED, 1)


def test_an_app_whose_making_got_no_answer_is_one(lab: LabClient, tmp_path: Path) -> None:
    new = provider(lab, client_id=None, display_name="New", permissions=WANTED)
    lab.fault("drop_after", kind="graph.applications.update")
    assert not new.run()["failed"]
    status, listed = lab.graph(PROSEWARE, "GET", "applications?$filter=displayName eq 'New'")
    assert (status, len(listed["value"])) == (200, 1)


@pytest.mark.parametrize("kind", ["graph.addkey", "graph.removekey"])
def test_a_lost_answer_of_a_proven_change_is_looked_up_not_repeated(
    lab: LabClient, home: Directory, tmp_path: Path, kind: str
) -> None:
    first, second = certificate(tmp_path / "first.pem"), certificate(tmp_path / "second.pem")
    home.run(certificate_paths=[first])
    given = {"display_name": NAME, "certificate_paths": [second]}
    one = Directory(lab, "application", PROSEWARE, client_certificate_path=first, **given)
    if kind == "graph.removekey":
        one.run()
        one = Directory(lab, "application", PROSEWARE, client_certificate_path=second, **given)
    lab.fault("drop_after", kind=kind)
    lab.reset_requests()
    found = one.run(certificate_grace_days=0 if kind == "graph.removekey" else 14)
    assert (found["changed"], found["failed"]) == (True, False), found["msg"]
    assert done(one)[kind] == 1


@pytest.mark.parametrize(("kind", "result"), [("graph.addkey", "key"), ("graph.grants.create", "grant")])
def test_an_answer_that_shows_nothing_of_what_was_not_done_is_no_success(
    lab: LabClient, home: Directory, northwind: Directory, tmp_path: Path, kind: str, result: str
) -> None:
    lab.fault("status", kind=kind, status=200, count=None)
    one = northwind
    if result == "key":
        first, second = certificate(tmp_path / "first.pem"), certificate(tmp_path / "second.pem")
        home.run(certificate_paths=[first])
        given = {"display_name": NAME, "certificate_paths": [second]}
        one = Directory(lab, "application", PROSEWARE, client_certificate_path=first, **given)
    assert {problem["code"] for problem in one.run()["problems"]} == {"NotShown"}


def test_where_a_new_certificate_was_refused_no_old_one_goes(lab: LabClient, home: Directory, tmp_path: Path) -> None:
    """Only the app itself does this in two requests."""
    first, second, third = (certificate(tmp_path / f"{name}.pem") for name in ("first", "second", "third"))
    home.run(certificate_paths=[first])
    home.run(certificate_paths=[first, second])
    before = {one["keyId"] for one in held(lab)["keyCredentials"]}
    one = Directory(lab, "application", PROSEWARE, client_certificate_path=second, display_name=NAME)
    lab.fault("status", kind="graph.addkey", status=403, code="Authorization_RequestDenied")
    found = one.run(certificate_paths=[second, third], certificate_grace_days=0)
    assert counts(found)["failed"] == 1
    assert {one["keyId"] for one in held(lab)["keyCredentials"]} == before


@pytest.mark.parametrize("action", ["html", "empty", "malformed"])
def test_an_app_that_cannot_be_read_is_not_made_anew(lab: LabClient, home: Directory, action: str) -> None:
    lab.fault(action, kind="graph.applications.get", count=None)
    found = home.run(client_id=None)
    assert found["failed"]
    assert "Internal error" not in found["msg"]
    assert home.writes() == []


def test_a_refused_change_leaves_the_rest_to_be_done(lab: LabClient, home: Directory, tmp_path: Path) -> None:
    lab.fault("status", kind="graph.applications.update", status=403, code="Authorization_RequestDenied")
    found = home.run(display_name="Another", certificate_paths=[certificate(tmp_path / "new.pem")])
    assert counts(found) == {"in_sync": 5, "corrected": 1, "failed": 1}
    assert found["problems"][0]["operation"] == "change the app"
    assert found["problems"][0]["request_id"]


def test_what_was_written_is_told_though_it_cannot_be_read_again(
    lab: LabClient, home: Directory, tmp_path: Path
) -> None:
    lab.fault("status", kind="graph.applications.get", status=403, code="Authorization_RequestDenied", after=2)
    found = home.run(secret_name="siem")
    assert (found["changed"], found["failed"]) == (True, True)
    assert found["client_secret"], "or nobody would ever know it"
