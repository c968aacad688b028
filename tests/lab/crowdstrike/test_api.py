# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's CrowdStrike cloud against the behaviour it claims: refusals, offsets, sessions, faults, control."""

from __future__ import annotations

import json
import ssl
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from typing import Any

import pytest

from lab.client import LabClient, LabError
from lab.crowdstrike.events import TYPES
from lab.crowdstrike.feed import BATCH

APP = "siem-1"
DISCOVER = "/sensors/entities/datafeed/v2"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def ask(lab: LabClient, client: str = "contoso", **form: str) -> tuple[int, dict[str, str], Any]:
    client_id, secret = lab.crowdstrike.client(client)
    fields = {"client_id": client_id, "client_secret": secret} | form
    return lab.call("POST", "/oauth2/token", urllib.parse.urlencode(fields).encode(), FORM)


def bearer(lab: LabClient, client: str = "contoso") -> dict[str, str]:
    status, _headers, body = ask(lab, client)
    assert status == 201, body
    return {"Authorization": f"Bearer {body['access_token']}"}


def discover(lab: LabClient, client: str = "contoso", app: str = APP, **query: str) -> list[dict[str, Any]]:
    words = urllib.parse.urlencode({"appId": app} | query)
    status, _headers, body = lab.call("GET", f"{DISCOVER}?{words}", headers=bearer(lab, client))
    assert status == 200, body
    return list(body["resources"])


@contextmanager
def reading(lab: LabClient, stream: dict[str, Any], query: str = "") -> Iterator[HTTPResponse]:
    url = urllib.parse.urlsplit(stream["dataFeedURL"] + query)
    connection = HTTPSConnection(url.netloc, timeout=60, context=ssl.create_default_context(cafile=lab.ca_file))
    headers = {"Authorization": f"Token {stream['sessionToken']['token']}"}
    connection.request("GET", f"{url.path}?{url.query}", headers=headers)
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def take(response: HTTPResponse, count: int) -> list[dict[str, Any]]:
    """So many events; keep-alives are passed over."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        line = response.readline()
        assert line, f"the stream ended after {len(found)} events"
        if line.strip():
            found.append(json.loads(line))
    return found


def offsets(events: list[dict[str, Any]]) -> list[int]:
    return [event["metadata"]["offset"] for event in events]


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_discover_needs_a_token_and_the_scope(lab: LabClient) -> None:
    where = f"{DISCOVER}?appId={APP}"
    for headers in ({}, {"Authorization": "Bearer none"}, {"Authorization": "Token none"}):
        status, _headers, body = lab.call("GET", where, headers=headers)
        assert (status, body["errors"][0]["message"]) == (401, "access denied, invalid bearer token")
    status, _headers, body = lab.call("GET", where, headers=bearer(lab, "contoso-hosts"))
    assert (status, body["errors"][0]["code"]) == (403, 403)
    lab.crowdstrike.do("scopes", client="contoso-hosts", scopes=["event-streams:read"])
    assert discover(lab, "contoso-hosts")


@pytest.mark.parametrize("query", ["", "appId=", "appId=" + "x" * 33, "appId=a&format=xml"])
def test_discover_refuses(lab: LabClient, query: str) -> None:
    assert lab.call("GET", f"{DISCOVER}?{query}", headers=bearer(lab))[0] == 400


def test_token_refuses_json(lab: LabClient) -> None:
    client_id, secret = lab.crowdstrike.client("contoso")
    assert lab.call("POST", "/oauth2/token", {"client_id": client_id, "client_secret": secret})[0] == 415


def test_feed_wants_its_own_token_by_its_own_scheme(lab: LabClient) -> None:
    one, two = discover(lab, "tailspin")
    path = one["dataFeedURL"].removeprefix(lab.url)
    for header in (
        f"Bearer {one['sessionToken']['token']}",
        f"Token {two['sessionToken']['token']}",
        bearer(lab, "tailspin")["Authorization"],
        "",
    ):
        assert lab.call("GET", path, headers={"Authorization": header})[0] == 401
    right = {"Authorization": f"Token {one['sessionToken']['token']}"}
    assert lab.call("GET", f"{path}&offset=x", headers=right)[0] == 400
    again, _other = discover(lab, "tailspin")  # before anybody reads
    with reading(lab, one), reading(lab, one) as second, reading(lab, again) as third, reading(lab, two) as other:
        assert (second.status, third.status, other.status) == (409, 409, 200)


def test_refresh_refuses(lab: LabClient) -> None:
    path = discover(lab)[0]["refreshActiveSessionURL"].removeprefix(lab.url)
    headers = bearer(lab)
    assert lab.call("POST", path, {}, headers)[0] == 200
    assert lab.call("POST", path)[0] == 401
    assert lab.call("POST", path.replace("refresh_active", "close"), {}, headers)[0] == 400
    assert lab.call("GET", path, headers=headers)[0] == 404
    assert lab.call("POST", path, {}, bearer(lab, "tailspin"))[0] == 404  # its CID has no such session


def test_no_cid_sees_another(lab: LabClient) -> None:
    lab.crowdstrike.emit("tailspin-games", 2)
    lab.crowdstrike.emit("contoso", 1)
    with reading(lab, discover(lab)[0]) as response:
        assert take(response, 1)[0]["metadata"]["customerIDString"].startswith("2")
    assert discover(lab, "tailspin-games")[0]["dataFeedURL"] != discover(lab)[0]["dataFeedURL"]


# -- the feed ---------------------------------------------------------------------------------------------------------


def test_offsets_and_what_comes_while_reading(lab: LabClient) -> None:
    lab.crowdstrike.emit("contoso", 4)
    [stream] = discover(lab)
    with reading(lab, stream, "&offset=4713") as response:
        assert offsets(take(response, 2)) == [4713, 4714]
        lab.crowdstrike.emit("contoso", 2)
        assert offsets(take(response, 2)) == [4715, 4716]
    until(lambda: not lab.crowdstrike.sessions("contoso")[0]["reading"] or bool(discover(lab)))
    with reading(lab, discover(lab)[0], "&offset=4713") as response:
        assert offsets(take(response, 4)) == [4713, 4714, 4715, 4716]  # again
    first, *_others, last = lab.crowdstrike.sessions("contoso")
    assert (first["delivered"], last["delivered"], last["last_offset"]) == (4, 4, 4716)


def test_whence_and_types(lab: LabClient) -> None:
    lab.crowdstrike.emit("contoso", 2, type="IncidentSummaryEvent")
    with reading(lab, discover(lab)[0], "&whence=2&eventType=IncidentSummaryEvent,FirewallMatchEvent") as response:
        lab.crowdstrike.emit("contoso", 1)
        lab.crowdstrike.emit("contoso", 1, type="FirewallMatchEvent", RuleName="mine")
        [event] = take(response, 1)
    assert (event["metadata"]["offset"], event["event"]["RuleName"]) == (4714, "mine")


def test_all_types_in_both_formats(lab: LabClient) -> None:
    for name in TYPES:
        lab.crowdstrike.emit("contoso", 1, type=name)
    with reading(lab, discover(lab)[0]) as response:
        nested = take(response, len(TYPES))
    assert [item["metadata"]["eventType"] for item in nested] == list(TYPES)
    with reading(lab, discover(lab, app="flat", format="flatjson")[0]) as response:
        assert take(response, 1)[0]["metadata.eventType"] == TYPES[0]


def test_many_events(lab: LabClient) -> None:
    count = 5 * BATCH + 1
    lab.crowdstrike.emit("contoso", count)
    with reading(lab, discover(lab)[0]) as response:
        assert offsets(take(response, count)) == list(range(4711, 4711 + count))


# -- sessions, clock, cuts --------------------------------------------------------------------------------------------


def test_a_session_ends_by_the_clock(lab: LabClient) -> None:
    [stream] = discover(lab)
    path = stream["refreshActiveSessionURL"].removeprefix(lab.url)
    with reading(lab, stream) as response:
        lab.advance(1790)
        assert lab.call("POST", path, {}, bearer(lab))[0] == 200
        lab.advance(1790)
        assert lab.crowdstrike.sessions("contoso")[0]["reading"]
        with reading(lab, stream) as second:
            assert second.status == 401  # the session lives on, its token does not
        lab.advance(20)
        assert response.read().strip() == b""  # a clean end
    assert lab.call("POST", path, {}, bearer(lab))[0] == 404
    with reading(lab, stream) as response:
        assert response.status == 401


def test_the_token_ends_by_the_clock(lab: LabClient) -> None:
    headers = bearer(lab)
    lab.advance(1798)
    assert lab.call("GET", f"{DISCOVER}?appId=a", headers=headers)[0] == 200
    lab.advance(2)
    assert lab.call("GET", f"{DISCOVER}?appId=a", headers=headers)[0] == 401


def test_end_sessions_and_expire_tokens(lab: LabClient) -> None:
    [stream] = discover(lab)
    path, headers = stream["refreshActiveSessionURL"].removeprefix(lab.url), bearer(lab)
    with reading(lab, stream) as response:
        lab.crowdstrike.do("end_sessions", cid="contoso", app_id=APP)
        assert response.read().strip() == b""
    assert lab.call("POST", path, {}, headers)[0] == 404
    lab.crowdstrike.do("expire_tokens", cid="contoso")
    assert lab.call("POST", path, {}, headers)[0] == 401


def test_cut_in_the_middle_of_a_line(lab: LabClient) -> None:
    [stream] = discover(lab)
    with reading(lab, stream) as response:
        lab.crowdstrike.do("cut", cid="contoso", after=2)
        lab.crowdstrike.emit("contoso", 5)
        assert offsets(take(response, 2)) == [4711, 4712]
        with pytest.raises((HTTPException, OSError, ValueError)):
            take(response, 1)
    assert lab.crowdstrike.sessions("contoso")[0]["delivered"] == 2
    with reading(lab, discover(lab)[0], "&offset=4713") as response:
        assert offsets(take(response, 3)) == [4713, 4714, 4715]


def test_cut_between_lines(lab: LabClient) -> None:
    with reading(lab, discover(lab)[0]) as response:
        lab.crowdstrike.do("cut", cid="contoso", middle=False)
        with pytest.raises((HTTPException, OSError)):
            response.read()
    with pytest.raises(LabError):
        lab.crowdstrike.do("cut", cid="contoso")  # nobody reads


def test_silence(lab: LabClient) -> None:
    lab.crowdstrike.do("switch", keepalive=0.02)
    with reading(lab, discover(lab)[0]) as response:
        assert response.readline() == b"\r\n"
        lab.crowdstrike.do("silence", cid="contoso")
        lab.crowdstrike.emit("contoso", 1)
        time.sleep(0.2)
        assert lab.crowdstrike.sessions("contoso")[0]["delivered"] == 0
        lab.crowdstrike.do("silence", cid="contoso", on=False)
        assert offsets(take(response, 1)) == [4711]


def test_an_occupied_app_id(lab: LabClient) -> None:
    lab.crowdstrike.do("occupy", cid="contoso", app_id=APP)
    assert discover(lab) == []
    assert discover(lab, app="free")
    lab.crowdstrike.do("release", cid="contoso", app_id=APP)
    assert discover(lab)


def test_secrets(lab: LabClient) -> None:
    old, headers = lab.crowdstrike.client("contoso")[1], bearer(lab)
    assert (lab.state_dir / "falcon-contoso.secret").read_text() == old
    new = lab.crowdstrike.rotate_secret("contoso")
    assert ask(lab, client_secret=old)[0] == 403
    assert ask(lab, client_secret=new)[0] == 201
    assert lab.call("GET", f"{DISCOVER}?appId=a", headers=headers)[0] == 401
    client_id, _secret = lab.crowdstrike.client("contoso")
    lab.crowdstrike.do("revoke", client="contoso")
    assert ask(lab, "tailspin", client_id=client_id, client_secret=new)[0] == 403
    lab.reset()
    assert lab.crowdstrike.client("contoso") == (client_id, old)


def test_a_wrong_clock_at_the_client(lab: LabClient) -> None:
    lab.crowdstrike.do("switch", skew=-7200)
    _status, headers, _body = ask(lab)
    assert parsedate_to_datetime(headers["date"]).timestamp() == pytest.approx(time.time() - 7200, abs=30)
    assert discover(lab)[0]["sessionToken"]["expiration"] < time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())


def test_faults_in_the_shape_of_the_vendor(lab: LabClient) -> None:
    headers = bearer(lab)
    lab.fault("status", kind="falcon.discover", status=503, message="busy")
    lab.fault("throttle", kind="falcon.token", seconds=7)
    lab.fault("status", kind="falcon.feed", status=500)
    status, _headers, body = lab.call("GET", f"{DISCOVER}?appId=a", headers=headers)
    assert (status, body["errors"]) == (503, [{"code": 503, "message": "busy"}])
    status, got, _body = ask(lab)
    assert (status, got["retry-after"]) == (429, "7")
    assert int(got["x-ratelimit-retryafter"]) > time.time()
    with reading(lab, discover(lab)[0]) as response:
        assert response.status == 500


def test_reset_ends_streams(lab: LabClient) -> None:
    lab.crowdstrike.emit("contoso", 1)
    with reading(lab, discover(lab)[0]) as response:
        take(response, 1)
        lab.reset()
        response.read()
    assert lab.crowdstrike.sessions("contoso") == []
    assert lab.crowdstrike.state()["cids"]["contoso"]["feeds"] == [{"partition": 0, "next_offset": 4711, "emitted": 0}]


@pytest.mark.parametrize(
    "deed",
    [
        {"do": "dance"},
        {"do": "emit", "cid": "fabrikam"},
        {"do": "emit", "cid": "contoso", "type": "Nonsense"},
        {"do": "revoke", "client": "nobody"},
        {"do": "release", "cid": "contoso", "app_id": "free"},
        {"do": "switch", "wind": 3},
    ],
)
def test_wrong_deeds_are_refused(lab: LabClient, deed: dict[str, Any]) -> None:
    with pytest.raises(LabError):
        lab.control("POST", "crowdstrike", deed)
