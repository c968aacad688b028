# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secure Endpoint's REST API in the lab: it answers as the pages say, and refuses what the vendor refuses."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from lab.client import LabClient
from lab.secure_endpoint.client import CONTOSO, FABRIKAM
from lab.testing import running_lab

STREAMS = "/v1/event_streams"


@pytest.fixture(scope="module")
def running() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


@pytest.fixture
def lab(running: LabClient) -> LabClient:
    running.reset()
    return running


def call(lab: LabClient, method: str, path: str, body: Any = None, client_id: str = FABRIKAM) -> tuple[int, Any, Any]:
    """The region of Fabrikam is the address that the lab's own client asks."""
    credential = base64.b64encode(f"{client_id}:{lab.secure_endpoint.key(client_id)}".encode()).decode()
    return lab.call(method, path, body, {"Authorization": f"Basic {credential}"})


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic !"}, {"Authorization": "Basic eDp5"}])
def test_who_has_no_credential_is_refused(lab: LabClient, headers: dict[str, str]) -> None:
    status, _headers, body = lab.call("GET", "/v1/version", headers=headers)
    assert (status, body["errors"][0]["details"]) == (401, ["Unknown API key or Client ID"])


def test_a_credential_is_of_one_region(lab: LabClient) -> None:
    assert call(lab, "GET", "/v1/version")[0] == 200
    assert call(lab, "GET", "/v1/version", client_id=CONTOSO)[0] == 401


def test_a_password_is_in_the_answer_to_a_create_only(lab: LabClient) -> None:
    status, headers, made = call(lab, "POST", STREAMS, {"name": "SIEM", "event_type": [1090519054], "group_guid": []})
    assert (status, headers["x-ratelimit-limit"], headers["x-rate-limit-limit"]) == (201, "3000", "3000")
    credentials = made["data"]["amqp_credentials"]
    assert (credentials["password"], credentials["proto"]) == (
        lab.secure_endpoint.streams(FABRIKAM)[0]["password"],
        "amqps",
    )
    _status, _headers, listed = call(lab, "GET", STREAMS)
    shown = call(lab, "GET", f"{STREAMS}/{made['data']['id']}")[2]["data"]
    assert listed["data"] == [shown]
    assert "password" not in shown["amqp_credentials"]
    assert listed["metadata"]["results"]["total"] == 1


def test_a_name_may_be_taken_twice_and_there_are_five(lab: LabClient) -> None:
    assert [call(lab, "POST", STREAMS, {"name": "SIEM"})[0] for _number in range(6)] == [201] * 5 + [400]


@pytest.mark.parametrize(
    "body", [b"{", {"name": ""}, {"name": "x", "event_type": [5]}, {"name": "x", "group_guid": ["x"]}, []]
)
def test_a_create_of_what_is_not_there_is_refused(lab: LabClient, body: Any) -> None:
    assert call(lab, "POST", STREAMS, body)[0] == 400


def test_a_change_leaves_queue_and_password(lab: LabClient) -> None:
    call(lab, "POST", STREAMS, {"name": "SIEM"})
    (before,) = lab.secure_endpoint.streams(FABRIKAM)
    assert call(lab, "PATCH", f"{STREAMS}/{before['id']}", {"event_type": [553648130]})[0] == 200
    assert lab.secure_endpoint.streams(FABRIKAM) == [{**before, "event_type": [553648130]}]
    assert call(lab, "DELETE", f"{STREAMS}/{before['id']}")[0] == 200
    assert call(lab, "DELETE", f"{STREAMS}/{before['id']}")[0] == 404


def test_a_stream_of_another_organisation_is_not_there(lab: LabClient) -> None:
    lab.edit("put_secure_endpoint_stream", client_id=CONTOSO, name="theirs")
    (theirs,) = lab.secure_endpoint.streams(CONTOSO)
    assert call(lab, "DELETE", f"{STREAMS}/{theirs['id']}")[0] == 404
    assert call(lab, "GET", STREAMS)[2]["data"] == []


@pytest.mark.parametrize("status", [401, 403])
def test_who_may_only_read_sees_no_streams(lab: LabClient, status: int) -> None:
    lab.configure(secure_endpoint_refusal=status)
    lab.edit("change_secure_endpoint_organisation", client_id=FABRIKAM, writes=False)
    assert (call(lab, "GET", STREAMS)[0], call(lab, "GET", "/v1/event_types")[0]) == (status, 200)


def test_lists_are_paged_and_events_have_the_newest_first(lab: LabClient) -> None:
    for ago in (300, 60, 200):
        lab.edit("secure_endpoint_event", client_id=FABRIKAM, ago=ago)
    _status, _headers, page = call(lab, "GET", "/v1/events?limit=2")
    times = [one["timestamp"] for one in page["data"]]
    assert (times, page["metadata"]["results"]["total"]) == (sorted(times, reverse=True), 3)
    rest = call(lab, "GET", page["metadata"]["links"]["next"].partition(lab.url)[2])[2]
    assert (len(rest["data"]), "next" in rest["metadata"]["links"]) == (1, False)
