# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that no vendor gives: each costs the item that it is about, is said as what it is, and is never a defect."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import http
from lab.client import LabClient

from .engines import Tenant, log
from .sources import SOURCES

DEPTH = 100_000
BODIES: dict[str, bytes] = {
    "deep lists": b"[" * DEPTH + b"]" * DEPTH,
    "deep objects": b'{"value":' * DEPTH + b"5" + b"}" * DEPTH,
    "a name twice": b'{"value":[{"id":"/x"}],"value":[]}',
    "infinite": b'{"value":[],"items":[],"resources":[],"totalElements":Infinity,"totalRecords":1e999}',
    "a number": b"5",
    "a text": b'"x"',
    "numbers for items": b'{"value":[5],"items":[5],"resources":5,"totalElements":1}',
    "numbers for names": b'{"value":[{"id":5,"name":5,"properties":5}],"items":[{"id":5,"type":5}],"totalElements":1}',
    "a number for the next page": b'{"value":[],"nextLink":5,"@odata.nextLink":5,"items":[],"totalElements":9}',
    "an object for the next page": b'{"value":[],"nextLink":{},"@odata.nextLink":{"a":1},"items":[],"totalElements":9}',
    "a number of 5,000 digits": b'{"value":' + b"9" * 5000 + b"}",
}
OWN = [name for name in SOURCES if name not in ("azure diagnostics, verify", "event hub, verify")]  # Azure's libraries


def odd(name: str, body: str) -> bool:
    """Each answer for the two vendors whose lists are paged, and for the others those that they read by themselves."""
    return name in ("azure diagnostics, the tenant", "coro") or body in ("deep lists", "a number", "numbers for names")


def answering(monkeypatch: pytest.MonkeyPatch, path: str, body: bytes, status: int = 200) -> None:
    """Requests of this path are answered so, whatever the lab says."""
    pattern = path[3:] if path.startswith("re:") else re.escape(path)
    read = http.read_bounded

    async def odd(response: Any, operation: str) -> bytes:
        real = await read(response, operation)
        if not re.search(pattern, response.url.path, re.IGNORECASE):
            return real
        response.status = status
        return body

    monkeypatch.setattr(http, "read_bounded", odd)


def undefective(result: dict[str, Any]) -> None:
    assert "exception" not in result
    assert "Internal error" not in json.dumps(result)


@pytest.mark.parametrize(("name", "body"), [(name, body) for name in OWN for body in BODIES if odd(name, body)])
def test_an_odd_answer_is_no_defect_of_ours(
    lab: LabClient, monkeypatch: pytest.MonkeyPatch, hasty: list[float], name: str, body: str
) -> None:
    source = SOURCES[name]
    run = source.prepare(lab)
    answering(monkeypatch, source.path, BODIES[body])
    undefective(run())


@pytest.mark.parametrize("name", OWN)
def test_an_odd_refusal_is_a_refusal(
    lab: LabClient, monkeypatch: pytest.MonkeyPatch, hasty: list[float], name: str
) -> None:
    source = SOURCES[name]
    run = source.prepare(lab)
    answering(monkeypatch, source.path, BODIES["deep lists"], status=403)
    result = run()
    undefective(result)
    assert result["summary"]["outcome"] in ("unknown", "failed", "waiting")


ECHOED = [
    "sekoia intake, verify",
    "splunk, verify",
    "event hub, preflight",
    "m365, preflight",
    "azure diagnostics, its settings",
]


@pytest.mark.parametrize("name", ECHOED)
def test_a_refusal_that_says_the_request_back_tells_no_credential(
    lab: LabClient, monkeypatch: pytest.MonkeyPatch, hasty: list[float], name: str
) -> None:
    """Wherever its text is cut: in the middle of the credential, too."""
    source, read = SOURCES[name], http.read_bounded
    run, tokens = source.prepare(lab), set()

    async def echo(response: Any, operation: str) -> bytes:
        real = await read(response, operation)
        if not re.search(source.path.removeprefix("re:"), response.url.path, re.IGNORECASE):
            return real
        response.status = 400
        token = response.request_info.headers["Authorization"].split()[-1]
        tokens.add(token)
        return json.dumps({"error": {"code": "Bad", "message": f"you sent {token}"}, "message": f"no {token}"}).encode()

    monkeypatch.setattr(http, "read_bounded", echo)
    told = json.dumps(run())
    assert tokens
    assert not [token for token in tokens if token[:16] in told]


SIGN_IN = {"coro": "re:/token$", "falcon, preflight": "re:/oauth2/token$"}


@pytest.mark.parametrize("token", ["5", "{}", "true", '"a\\r\\nb"', '"\\u20ac"', '""'])
@pytest.mark.parametrize("name", SIGN_IN)
def test_an_odd_token_is_a_failed_sign_in(
    lab: LabClient, monkeypatch: pytest.MonkeyPatch, hasty: list[float], name: str, token: str
) -> None:
    run = SOURCES[name].prepare(lab)
    answering(monkeypatch, SIGN_IN[name], b'{"expires_in":1e308,"access_token":' + token.encode() + b"}")
    result = run()
    undefective(result)
    assert result["summary"]["outcome"] in ("unknown", "failed")


def test_one_odd_answer_costs_one_target(lab: LabClient, monkeypatch: pytest.MonkeyPatch, hasty: list[float]) -> None:
    dev = Tenant(lab, subscriptions=["contoso-development"], families=["key_vault"])
    answering(monkeypatch, "re:kv-shop-dev/.*/diagnosticSettings$", b'{"value":[{"name":5,"properties":{}}]}')
    counts = dev.run()["summary"]["counts"]
    assert (counts["corrected"], counts["unknown"]) == (1, 1)


def test_a_write_with_an_odd_answer_is_told_as_lost(
    lab: LabClient, monkeypatch: pytest.MonkeyPatch, hasty: list[float]
) -> None:
    dev = Tenant(lab, subscriptions=["contoso-development"], families=["key_vault"])
    answering(monkeypatch, "re:kv-shop-dev/.*/diagnosticSettings/", BODIES["deep lists"])
    result = dev.run()
    undefective(result)
    assert (result["summary"]["counts"]["corrected"], result["summary"]["counts"]["failed"]) == (1, 1)
    assert result["changed"]


@pytest.mark.parametrize(
    "row",
    [
        {"id": "/subscriptions/99999999-0000-4000-8000-000000000000/resourceGroups/x/providers/M.K/vaults/v"},
        {"id": "/subscriptions/{own}/resourceGroups/x/../../../providers/M.K/vaults/v"},
        {"id": "/subscriptions/{own}/resourceGroups/x/providers/M.K/vaults/v\r\nX-Evil: 1"},
        {"tags": "x"},
        {"sku": 5},
        {"location": 5},
    ],
)
def test_a_row_of_somewhere_else_is_never_written(
    lab: LabClient, monkeypatch: pytest.MonkeyPatch, hasty: list[float], row: dict[str, Any]
) -> None:
    own = "20000000-0000-4000-8000-000000000002"
    good = f"/subscriptions/{own}/resourceGroups/x/providers/M.K/vaults/v"
    whole = {"id": good, "type": "Microsoft.KeyVault/vaults", **row}
    whole["id"] = whole["id"].replace("{own}", own)
    answer = {"data": [whole], "value": [whole], "totalRecords": 1}
    answering(monkeypatch, "re:Microsoft.ResourceGraph/resources$|/resources$", json.dumps(answer).encode())
    dev = Tenant(lab, subscriptions=["contoso-development"], families=["key_vault"])
    result = dev.run()
    undefective(result)
    assert result["summary"]["outcome"] == "unknown"
    assert not dev.written()


@pytest.mark.parametrize("odd", ["5", '"x\') or true | union (SecurityIncident"', '"../x"', "{}"])
def test_the_id_of_a_subscription_is_a_guid(
    lab: LabClient, monkeypatch: pytest.MonkeyPatch, hasty: list[float], odd: str
) -> None:
    body = f'{{"value":[{{"subscriptionId":{odd},"displayName":"x","state":"Enabled"}}]}}'
    answering(monkeypatch, "re:^/subscriptions$", body.encode())
    result = Tenant(lab).run()
    undefective(result)
    assert result["problems"][0]["code"] == "BadShape"
    assert not log(lab, "resource_graph")


def test_an_endless_body_ends(lab: LabClient, monkeypatch: pytest.MonkeyPatch, hasty: list[float]) -> None:
    monkeypatch.setattr(http, "MAX_BODY", 200_000)
    lab.fault(action="endless", path="re:/diagnosticSettings$", count=None)
    result = Tenant(lab, subscriptions=["contoso-development"], families=["key_vault"]).run()
    assert (result["problems"][0]["code"], result["summary"]["counts"]["unknown"]) == ("TooLarge", 2)
    until = time.monotonic() + 5
    while lab.requests()["in_flight"] and time.monotonic() < until:  # the lab still writes, and logs at the end
        time.sleep(0.02)
    assert len(log(lab, "settings.list")) == 2, "not asked for again"


@pytest.mark.parametrize("text", ["²", "٣", "-1", "1e9", "9" * 400, ""])
def test_a_header_that_is_no_count_is_none(text: str) -> None:
    assert http.number(text) is None
