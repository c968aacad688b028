# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Coro cloud's API: token, workspaces, connectors and what is refused."""

from __future__ import annotations

import json
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lab.client import LabClient
from tests.lab.coro.coro_tools import (
    CHILDREN,
    CONNECTORS,
    CONTOSO,
    FABRIKAM,
    FORMATS,
    MASK,
    RECEIVERS,
    SECRET,
    TAILSPIN,
    Coro,
    ask_token,
    body_for,
)

FAR = "https://siem.example/services/collector"


@pytest.fixture
def contoso(lab: LabClient) -> Coro:
    return Coro(lab, "coro-contoso", CONTOSO)


@pytest.fixture
def tailspin(lab: LabClient) -> Coro:
    return Coro(lab, "coro-tailspin", TAILSPIN)


# -- the way in -------------------------------------------------------------------------------------------------------


def test_token(lab: LabClient) -> None:
    for audience in ("https://secure.coro.net/api", "https://api.secure.coro.net", lab.url, f"{lab.url}/api"):
        status, headers, body = ask_token(lab, "coro-contoso", audience=audience)
        assert (status, body["token_type"], body["expires_in"]) == (200, "Bearer", 86400)
        assert headers["x-coro-trace-id"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"client_secret": None}, 400, "INVALID_REQUEST"),
        ({"audience": ""}, 400, "INVALID_REQUEST"),
        ({"grant_type": "password"}, 400, "UNSUPPORTED_GRANT_TYPE"),
        ({"client_secret": "wrong"}, 401, "INVALID_CLIENT"),
        ({"client_id": "nobody"}, 401, "INVALID_CLIENT"),
        ({"audience": "https://elsewhere.example"}, 403, "INVALID_AUDIENCE"),
    ],
)
def test_token_refused(lab: LabClient, changes: dict[str, Any], status: int, code: str) -> None:
    found, _headers, body = ask_token(lab, "coro-contoso", **changes)
    assert (found, body["code"]) == (status, code)


def test_expired_and_rotated_credentials(lab: LabClient, contoso: Coro) -> None:
    lab.coro.expire_client("coro-contoso")
    assert ask_token(lab, "coro-contoso")[0] == 401
    assert contoso.call("GET", CONNECTORS)[0] == 401
    lab.coro.expire_client("coro-contoso", expired=False)
    old = lab.coro.client("coro-contoso")[1]
    assert lab.coro.rotate_client("coro-contoso") == lab.coro.client("coro-contoso")[1]
    assert ask_token(lab, "coro-contoso", client_secret=old)[0] == 401
    assert ask_token(lab, "coro-contoso")[0] == 200


def test_state_directory(lab: LabClient) -> None:
    secrets = lab.state_dir / "coro-contoso.secret"
    assert secrets.read_text() == lab.coro.client("coro-contoso")[1]
    assert json.loads((lab.state_dir / "receivers.json").read_text()) == lab.receivers.describe()
    for path in (secrets, lab.state_dir / "receivers.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_who_may_ask_for_which_workspace(lab: LabClient, contoso: Coro, tailspin: Coro) -> None:
    def status(**headers: str) -> int:
        return lab.call("GET", CONNECTORS, None, contoso.headers | headers)[0]

    assert status() == 200
    assert status(Authorization="Bearer nonsense") == 401
    assert status(Authorization="") == 401
    assert status(Workspace="") == 400
    assert status(Workspace="nowhere_0000_b") == 403
    assert status(Workspace=TAILSPIN) == 403
    assert tailspin.inside(CHILDREN[0]).call("GET", CONNECTORS)[0] == 200
    assert tailspin.inside(FABRIKAM).call("GET", CONNECTORS)[0] == 403
    lab.coro.expire_tokens()
    assert status() == 401


def test_token_life(lab: LabClient) -> None:
    lab.coro.configure(token_life=1)
    short = Coro(lab, "coro-contoso", CONTOSO)
    deadline = time.monotonic() + 60
    while short.call("GET", CONNECTORS)[0] == 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert short.call("GET", CONNECTORS)[0] == 401


# -- workspaces -------------------------------------------------------------------------------------------------------


def test_workspaces(tailspin: Coro, contoso: Coro) -> None:
    status, first = tailspin.call("GET", "/v1/workspaces?page=0&pageSize=3")
    assert (status, first["totalElements"], len(first["items"])) == (200, 4, 3)
    assert first["items"][0] == {"id": TAILSPIN, "name": "Tailspin Toys", "type": "channel", "parentId": None}
    assert [one["id"] for one in tailspin.call("GET", "/v1/workspaces?page=1&pageSize=3")[1]["items"]] == [CHILDREN[2]]
    assert [one["id"] for one in contoso.call("GET", "/v1/workspaces")[1]["items"]] == [CONTOSO]
    children = tailspin.call("POST", "/v1/workspaces/search", {"page": 0, "pageSize": 2})[1]
    assert ([one["id"] for one in children["items"]], children["totalElements"]) == (list(CHILDREN[:2]), 3)
    assert {one["parentId"] for one in children["items"]} == {TAILSPIN}
    assert contoso.call("POST", "/v1/workspaces/search", {})[1] == {"items": [], "totalElements": 0}


def test_pages(contoso: Coro, lab: LabClient) -> None:
    for number in range(101):
        lab.coro.put_connector(CONTOSO, f"c{number:03d}", "FLUENCY", listenerUrl=FAR, token="t")
    assert len(contoso.call("GET", CONNECTORS)[1]["items"]) == 20
    largest = contoso.call("GET", f"{CONNECTORS}?page=0&pageSize=5000")[1]
    assert (len(largest["items"]), largest["totalElements"]) == (100, 101)
    last = contoso.call("GET", f"{CONNECTORS}?page=1&pageSize=5000")[1]
    assert [one["name"] for one in last["items"]] == ["c100"]
    for query in ("page=-1", "pageSize=0", "page=x"):
        assert contoso.call("GET", f"{CONNECTORS}?{query}")[0] == 400


# -- connectors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", FORMATS)
def test_create_read_delete(lab: LabClient, contoso: Coro, format_: str) -> None:
    body = body_for(lab, format_)
    item = contoso.made(**body)
    secret = SECRET[format_]
    assert item | {"status": "CONNECTED", "inherited": False, "applyToAllCustomers": False, "lastError": None} == item
    assert item["channelWorkspaceId"] is None
    assert abs(item["updatedAt"] / 1000 - time.time()) < 60
    masked = [{"name": one["name"], "value": MASK} for one in body["headers"]] if secret == "headers" else MASK
    assert item[secret] == masked
    shown = {name: value for name, value in body.items() if name != secret}
    assert item | shown == item
    assert item.get("logType") == ("Coro" if format_ == "AZURE_SENTINEL" else None)
    assert lab.coro.connectors(CONTOSO)["soc"]["stored"][secret] == body[secret]
    assert contoso.call("GET", f"{CONNECTORS}/{item['id']}") == (200, item)
    assert contoso.list() == [item]
    assert len(lab.receivers.records(RECEIVERS[format_])) == 1
    assert contoso.delete(item["id"]) == (204, None)
    assert contoso.list() == []
    assert contoso.call("GET", f"{CONNECTORS}/{item['id']}")[0] == 404


@pytest.mark.parametrize(
    ("format_", "wrong", "status", "words"),
    [
        ("SPLUNK", {"authorization": "Splunkf 9b30ab7-85bf-4dd5-8fd9-b42bb3a74163"}, 401, "Invalid authorization"),
        ("SPLUNK", {"authorization": "Splunk 00000000-0000-4000-8000-000000000000"}, 403, "Invalid token"),
        ("AZURE_SENTINEL", {"primaryKey": "AAAA"}, 403, "InvalidAuthorization"),
        ("AZURE_SENTINEL", {"primaryKey": "no base64!"}, None, "cannot be signed"),
        ("AZURE_SENTINEL", {"logType": "Coro-Logs"}, 400, "InvalidLogType"),
        ("GENERIC", {"headers": []}, 401, "no header X-Api-Key"),
        ("FLUENCY", {"token": "wrong"}, 401, "wrong token"),
        ("FLUENCY", {"listenerUrl": FAR}, None, "loopback only"),
    ],
)
def test_nothing_is_saved_when_the_receiver_refuses(
    lab: LabClient, contoso: Coro, format_: str, wrong: dict[str, Any], status: int | None, words: str
) -> None:
    found, answer = contoso.create(**body_for(lab, format_) | wrong)
    assert (found, answer["code"], answer["receiver"]["status"]) == (422, "TEST_EVENT_FAILED", status)
    assert words in answer["receiver"]["body"]
    assert contoso.list() == []
    made = contoso.made(**body_for(lab, format_))
    assert contoso.put(made["id"], **body_for(lab, format_) | wrong)[0] == 422
    assert contoso.list() == [made]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "SYSLOG"}, "type"),
        ({"type": ["SPLUNK"]}, "type"),
        ({"name": " "}, "name"),
        ({"listenerUrl": "http://[::1"}, "listenerUrl"),
        ({"listenerUrl": "ftp://siem.example"}, "listenerUrl"),
        ({"listenerUrl": None}, "listenerUrl"),
        ({"authorization": "Splunk x\r\nEvil: 1"}, "authorization"),
        ({"authorization": MASK}, "authorization"),
        ({"applyToAllCustomers": "yes"}, "applyToAllCustomers"),
        ({"applyToAllCustomers": True}, "applyToAllCustomers"),
        ({"type": "GENERIC", "headers": [{"name": "X Key", "value": "v"}]}, "headers"),
        ({"type": "GENERIC", "headers": [{"name": "X-Key", "value": MASK}]}, "headers"),
        ({"type": "GENERIC", "headers": "X-Key: v"}, "headers"),
        ({"type": "AZURE_SENTINEL", "workspaceId": "w"}, "primaryKey"),
    ],
)
def test_wrong_fields(lab: LabClient, contoso: Coro, body: dict[str, Any], field: str) -> None:
    status, answer = contoso.create(**body_for(lab, "SPLUNK") | body)
    assert (status, answer["code"]) == (422, "VALIDATION_FAILED")
    assert field in [error["field"] for error in answer["errors"]]
    assert lab.call("POST", CONNECTORS, b"[1]", contoso.headers)[0] == 400


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("blank", ["masked", "left out", "empty"])
def test_a_blank_secret_is_kept_or_cleared(lab: LabClient, contoso: Coro, format_: str, blank: str) -> None:
    body, secret = body_for(lab, format_), SECRET[format_]
    made = contoso.made(**body)
    given: dict[str, Any] = dict(body) | {"name": "renamed"}
    if blank == "left out":
        del given[secret]
    elif secret == "headers":
        given[secret] = [
            {"name": one["name"].upper(), "value": MASK if blank == "masked" else ""} for one in body[secret]
        ]
    else:
        given[secret] = MASK if blank == "masked" else ""
    assert contoso.put(made["id"], **given)[0] == 200
    kept = lab.coro.connectors(CONTOSO)["renamed"]["stored"][secret]
    if secret == "headers":
        kept, body[secret] = [one["value"] for one in kept], [one["value"] for one in body[secret]]
    assert kept == body[secret]
    lab.coro.configure(blank_secret="clear")
    assert contoso.put(made["id"], **given)[0] == 422


def test_put_changes_and_tests(lab: LabClient, contoso: Coro) -> None:
    made = contoso.made(**body_for(lab, "AZURE_SENTINEL"))
    status, item = contoso.put(made["id"], **body_for(lab, "AZURE_SENTINEL", name="siem", logType="Coro_1"))
    assert (status, item["name"], item["logType"], item["id"]) == (200, "siem", "Coro_1", made["id"])
    assert len(lab.receivers.records("azure")) == 2
    assert contoso.put(made["id"], **body_for(lab, "SPLUNK"))[1]["errors"][0]["field"] == "type"
    assert contoso.put("nothing", **body_for(lab, "SPLUNK"))[0] == 404
    assert contoso.call("PATCH", f"{CONNECTORS}/{made['id']}", {})[0] == 405
    assert contoso.call("PUT", CONNECTORS, {})[0] == 405


def test_names(lab: LabClient, contoso: Coro) -> None:
    first, second = contoso.made(**body_for(lab, "SPLUNK")), contoso.made(**body_for(lab, "FLUENCY", name="two"))
    assert contoso.create(**body_for(lab, "FLUENCY"))[1]["code"] == "NAME_TAKEN"
    status, answer = contoso.put(second["id"], **body_for(lab, "FLUENCY"))
    assert (status, answer["code"]) == (409, "NAME_TAKEN")
    assert contoso.put(first["id"], **body_for(lab, "SPLUNK"))[0] == 200
    lab.coro.configure(unique_names=False)
    contoso.made(**body_for(lab, "FLUENCY"))
    assert [one["name"] for one in contoso.list()] == ["soc", "two", "soc"]


def test_one_of_many_wins_a_name(lab: LabClient, contoso: Coro) -> None:
    body = body_for(lab, "SPLUNK")
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(lambda _: contoso.create(**body)[0], range(8)))
    assert statuses == [201] + [409] * 7


# -- faults -----------------------------------------------------------------------------------------------------------


def test_faults(lab: LabClient, contoso: Coro) -> None:
    lab.fault("status", kind="coro.connectors.list", status=503, code="BUSY", message="later")
    assert contoso.call("GET", CONNECTORS) == (503, {"code": "BUSY", "message": "later"})
    lab.fault("throttle", kind="coro.connectors.post", tenant=CONTOSO, seconds=7)
    status, headers, answer = lab.call("POST", CONNECTORS, body_for(lab, "SPLUNK"), contoso.headers)
    assert (status, headers["retry-after"], answer["code"]) == (429, "7", "TOO_MANY_REQUESTS")
    assert contoso.list() == []
    lab.fault("status", kind="coro.token", status=500)
    assert ask_token(lab, "coro-contoso")[0] == 500


def test_rate(lab: LabClient, contoso: Coro) -> None:
    lab.coro.configure(rate=1)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: lab.call("GET", CONNECTORS, None, contoso.headers), range(40)))
    assert {status for status, _headers, _body in answers} == {200, 429}
    assert {headers["retry-after"] for status, headers, _body in answers if status == 429} == {"1"}


def test_journal(lab: LabClient, contoso: Coro) -> None:
    lab.reset_requests()
    made = contoso.made(**body_for(lab, "SPLUNK"))
    contoso.sync(made["id"])
    contoso.list()
    contoso.delete(made["id"])
    found = lab.requests(last=1)
    assert found["by_kind"] == {
        f"coro.connectors.{verb}": 1 for verb in ("delete", "list", "post", "test")
    }  # receivers keep their own
    assert (found["last"][0]["tenant"], found["max_in_flight"]) == (CONTOSO, 1)
