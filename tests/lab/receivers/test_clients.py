# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that others wrote, and requests of the documented shape where nobody publishes a client."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import requests
from azuredatacollector.datacollector import DataCollectorClient
from hass_splunk import SplunkPayloadError, hass_splunk

from lab.client import LabClient
from lab.receivers.client import ReceiversClient
from lab.receivers.testing import running_receivers
from tests.lab.coro.coro_tools import AUDIENCE, CONTOSO, RECEIVERS, body_for


@pytest.fixture(scope="module")
def receivers() -> Iterator[ReceiversClient]:
    with running_receivers() as running:
        yield running


# -- Splunk: the HEC client of Home Assistant -------------------------------------------------------------------------


def send(receivers: ReceiversClient, token: str, *events: Any) -> bool:
    async def run() -> bool:
        port = int(receivers.describe()["splunk"]["url"].split(":")[2].split("/")[0])
        trusted = ssl.create_default_context(cafile=receivers.ca_file)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted)) as session:
            client = hass_splunk(session=session, token=token, host="127.0.0.1", port=port)
            for event in events:
                await client.queue(event, send=False)
            return await client.send()

    return asyncio.run(run())


def test_hass_splunk(receivers: ReceiversClient) -> None:
    token = receivers.describe()["splunk"]["token"]
    events = [{"event": {"id": number}, "sourcetype": "coro"} for number in range(3)]
    assert send(receivers, token, *events)
    record = receivers.records("splunk")[-1]
    assert (record["accepted"], record["events"]) == (True, events)
    for options, wrong, code in (
        ({}, "nobody", 4),
        ({"ack": True}, token, 10),
        ({"busy": True, "ack": False}, token, 9),
    ):
        receivers.configure("splunk", **options)
        with pytest.raises(SplunkPayloadError) as refused:
            send(receivers, wrong, *events)
        assert refused.value.code == code
    receivers.configure("splunk", busy=False)


# -- Azure: a client of the Data Collector API ------------------------------------------------------------------------


def test_azure_data_collector(receivers: ReceiversClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", receivers.ca_file)
    told = receivers.describe()["azure"]
    client = DataCollectorClient(told["workspace_id"], told["primary_key"])
    client.request_uri = f"{told['url']}?api-version=2016-04-01"
    rows = [{"id": number, "text": "é"} for number in range(3)]
    client.post_data(rows, "Coro")
    record = receivers.records("azure")[-1]
    assert (record["accepted"], record["events"], record["status"]) == (True, rows, 200)
    client.shared_key = base64.b64encode(b"another key").decode()
    with pytest.raises(Exception, match=r"403|InvalidAuthorization"):
        client.post_data(rows, "Coro")
    assert receivers.records("azure")[-1]["status"] == 403


# -- webhooks and the Coro API: nobody publishes a client -------------------------------------------------------------


def post(ca_file: str, url: str, body: Any, **headers: str) -> tuple[int, Any]:
    answer = requests.post(url, json=body, headers=headers, verify=ca_file, timeout=60)
    return answer.status_code, answer.json()


def test_webhooks(receivers: ReceiversClient) -> None:
    told = receivers.describe()
    generic, fluency, token = told["generic"]["url"], told["fluency"]["url"], told["fluency"]["token"]
    assert post(receivers.ca_file, generic, {"id": 1}, **told["generic"]["headers"])[0] == 200
    assert post(receivers.ca_file, generic, {"id": 1})[0] == 401
    assert post(receivers.ca_file, fluency, {"id": 1}, Authorization=f"Bearer {token}")[0] == 200
    assert post(receivers.ca_file, f"{fluency}?token=nobody", {"id": 1})[0] == 401


def test_coro(lab: LabClient) -> None:
    client_id, secret = lab.coro.client("coro-contoso")
    asked = {"client_id": client_id, "client_secret": secret, "audience": AUDIENCE, "grant_type": "client_credentials"}
    status, answer = post(lab.ca_file, f"{lab.url}/oauth/token", asked)
    assert (status, answer["expires_in"]) == (200, 86400)
    headers = {"Authorization": f"Bearer {answer['access_token']}", "Workspace": CONTOSO}
    for format_ in RECEIVERS:
        body = body_for(lab, format_, name=format_)
        assert post(lab.ca_file, f"{lab.url}/v1/siem-connectors", body, **headers)[0] == 201
    assert set(lab.coro.connectors(CONTOSO)) == set(RECEIVERS)
