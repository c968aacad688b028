# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that others wrote work against the lab's CrowdStrike cloud: falconpy unmodified, requests, aiohttp."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import Any

import aiohttp
import pytest
import requests
from falconpy import EventStreams, OAuth2

from lab.client import LabClient

APP = "SIEM-Connector-v2.0.0"


@pytest.fixture(autouse=True)
def _trust(lab: LabClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """falconpy knows no CA file of its own; requests takes it from here."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", lab.ca_file)


def sign_in(lab: LabClient, name: str = "contoso", **more: Any) -> OAuth2:
    client_id, secret = lab.crowdstrike.client(name)
    return OAuth2(**{"client_id": client_id, "client_secret": secret, "base_url": lab.crowdstrike.url, **more})


def streams(lab: LabClient, name: str = "contoso", **more: Any) -> EventStreams:
    return EventStreams(auth_object=sign_in(lab, name, **more))


def test_oauth2(lab: LabClient) -> None:
    auth = sign_in(lab)
    answer = auth.token()
    assert (answer["status_code"], answer["body"]["expires_in"]) == (201, 1799)
    assert "X-Cs-Region" not in answer["headers"]
    assert auth.base_url == lab.crowdstrike.url
    token = answer["body"]["access_token"]

    def status() -> int:
        with_it = EventStreams(access_token=token, base_url=lab.crowdstrike.url)
        return int(with_it.list_available_streams(app_id=APP)["status_code"])

    assert auth.token_value == token
    assert sign_in(lab, "tailspin").revoke(token)["status_code"] == 200
    assert status() == 200  # it was not tailspin's to revoke
    assert auth.revoke(token)["status_code"] == 200
    assert status() == 401


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"client_secret": "wrong"}, 403, "Client authentication failed"),
        ({"client_id": "f" * 32}, 403, "Client authentication failed"),
        ({"client_id": "cid"}, 400, "clientID=cid."),
        ({"member_cid": "2" + "0" * 28 + "a01"}, 403, "member CID"),
    ],
)
def test_oauth2_refused(lab: LabClient, more: dict[str, str], status: int, words: str) -> None:
    answer = sign_in(lab, "proseware", **more).token()
    assert answer["status_code"] == status
    assert answer["body"]["errors"][0]["code"] == status
    assert words in answer["body"]["errors"][0]["message"]


def test_streams(lab: LabClient) -> None:
    api = streams(lab)
    answer = api.list_available_streams(app_id=APP, format="json")
    assert answer["status_code"] == 200
    [stream] = answer["body"]["resources"]
    assert stream["refreshActiveSessionInterval"] == 1800
    assert "/sensors/entities/datafeed-actions/v1/0?" in stream["refreshActiveSessionURL"]
    assert "?" in stream["dataFeedURL"]
    assert api.refresh_active_stream(app_id=APP, partition=0)["status_code"] == 200
    assert api.refresh_active_stream(app_id=APP, partition=1)["status_code"] == 404
    assert api.refresh_active_stream(app_id="other", partition=0)["status_code"] == 404
    assert lab.crowdstrike.sessions("contoso", APP)[0]["refreshed"] == 1


def test_a_partition_is_a_stream_of_its_own(lab: LabClient) -> None:
    found = streams(lab, "tailspin").list_available_streams(app_id=APP)["body"]["resources"]
    assert len({item["dataFeedURL"] for item in found}) == 2
    assert lab.crowdstrike.emit("tailspin", 3) == [(0, 90210), (1, 91210), (0, 90211)]


def test_member_cid(lab: LabClient) -> None:
    child = lab.crowdstrike.state()["cids"]["tailspin-games"]["id"]
    found = streams(lab, "proseware", member_cid=child).list_available_streams(app_id=APP)
    assert found["status_code"] == 200
    assert [item["cid"] for item in lab.crowdstrike.state()["sessions"]] == ["tailspin-games"]


def test_requests_reads_the_feed(lab: LabClient) -> None:
    made = lab.crowdstrike.emit("contoso", 5)
    [stream] = streams(lab).list_available_streams(app_id=APP)["body"]["resources"]
    headers = {"Authorization": f"Token {stream['sessionToken']['token']}"}
    url = f"{stream['dataFeedURL']}&offset={made[2][1]}"
    with requests.get(url, headers=headers, stream=True, timeout=60) as response:
        assert response.status_code == 200
        lines = (line for line in response.iter_lines() if line)
        found = [json.loads(next(lines)) for _ in range(3)]
        assert streams(lab).list_available_streams(app_id=APP)["body"]["resources"] == []
        assert len(streams(lab).list_available_streams(app_id="another")["body"]["resources"]) == 1
    assert [item["metadata"]["offset"] for item in found] == [4713, 4714, 4715]
    assert set(found[0]) == {"metadata", "event"}
    assert found[0]["metadata"]["customerIDString"] == lab.crowdstrike.state()["cids"]["contoso"]["id"]


def test_aiohttp_reads_the_feed(lab: LabClient) -> None:
    lab.crowdstrike.do("switch", keepalive=0.05)
    [stream] = streams(lab).list_available_streams(app_id=APP)["body"]["resources"]
    lab.crowdstrike.emit("contoso", 1)

    async def read() -> list[bytes]:
        context = ssl.create_default_context(cafile=lab.ca_file)
        headers = {"Authorization": f"Token {stream['sessionToken']['token']}"}
        async with (
            aiohttp.ClientSession() as session,
            session.get(stream["dataFeedURL"], headers=headers, ssl=context) as response,
        ):
            assert response.status == 200
            return [await response.content.readline() for _ in range(3)]

    first, *rest = asyncio.run(read())
    assert json.loads(first)["metadata"]["offset"] == 4711
    assert [line.strip() for line in rest] == [b"", b""]  # keep-alives
