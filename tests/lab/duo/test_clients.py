# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Duo's own clients and Perl's Net::Duo work against the lab unmodified, and are refused what Duo refuses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest

from lab.client import LabClient
from lab.duo.client import CONTOSO, CONTOSO_KEY, LITWARE, PROSEWARE_KEY, WINGTIP
from lab.testing import running_lab

from .duo_tools import client, duo_client, net_duo

LIST = "/admin/v3/integrations"


@pytest.fixture(scope="module")
def fleet() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


@pytest.fixture
def lab(fleet: LabClient) -> LabClient:
    fleet.reset()
    return fleet


def plain(method: str, path: str) -> dict[str, Any]:
    return {"do": "json_api_call", "with": {"method": method, "path": path, "params": {}}}


def create(name: str, **more: Any) -> dict[str, Any]:
    """json_api_call, since create_integration of 5.7 knows neither networks nor newer permissions."""
    params = {"name": name, "type": "adminapi", "user_access": "NO_USERS", **more}
    return {"do": "json_api_call", "with": {"method": "POST", "path": LIST, "params": params}}


@pytest.mark.parametrize("version", [2, 5])
def test_an_application_lives_and_goes(lab: LabClient, version: int) -> None:
    contoso = {**client(lab, CONTOSO_KEY), "version": version}
    made, listed = duo_client(
        {**contoso, **create("Löschen & mehr", adminapi_read_log="1", networks_for_api_access="192.0.2.0/24")},
        {**contoso, "do": "get_integrations"},
    )
    assert (made["adminapi_read_log"], made["networks_for_api_access"]) == (1, "192.0.2.0/24")
    assert (len(made["integration_key"]), len(made["secret_key"])) == (20, 40)
    (shown,) = [one for one in listed if one["integration_key"] == made["integration_key"]]
    assert shown["secret_key"] == "*" * 36 + made["secret_key"][-4:]
    key = {"integration_key": made["integration_key"]}
    read, changed, gone, missing = duo_client(
        {**contoso, "do": "get_secret_key", "with": key},
        {**contoso, "do": "update_integration", "with": {**key, "reset_secret_key": True}},
        {**contoso, "do": "delete_integration", "with": key},
        {**contoso, "do": "get_integration", "with": key},
    )
    assert read["secret_key"] == made["secret_key"]
    assert changed["secret_key"] not in ("", made["secret_key"])
    assert gone == ""
    assert missing == {"error": "Received 404 Resource not found"}


def test_the_older_client_signs_otherwise_and_works_too(lab: LabClient) -> None:
    """4.5, which Debian has, signs by version 2 with SHA-1, and sends forms."""
    contoso = client(lab, CONTOSO_KEY)
    made, wrong = duo_client(
        {**contoso, **create("Löschen & mehr", adminapi_read_log="1")},
        {**client(lab, CONTOSO_KEY, secret="0" * 40), **create("none")},
        release="4.5",
    )
    key = made["integration_key"]
    read, gone = duo_client(
        {**contoso, **plain("GET", f"/admin/v1/integrations/{key}/skey")},
        {**contoso, **plain("DELETE", f"{LIST}/{key}")},
        release="4.5",
    )
    assert (made["name"], made["adminapi_read_log"]) == ("Löschen & mehr", 1)
    assert wrong == {"error": "Received 401 Invalid signature in request credentials"}
    assert (read["secret_key"], gone) == (made["secret_key"], "")


def test_the_perl_client_works_too(lab: LabClient) -> None:
    """It signs by version 2 with SHA-1, and pages as far as it is led."""
    lab.configure(duo_page_size=2)
    allowed = ["adminapi_integrations", "adminapi_allow_to_set_permissions", "adminapi_info", "adminapi_read_log"]
    lab.edit("change_duo_application", key=CONTOSO_KEY, permissions=allowed)
    lab.edit("duo_record", account=CONTOSO, log="administrator")
    contoso = client(lab, CONTOSO_KEY)
    wanted = {"name": "Löschen & mehr", "type": "adminapi", "adminapi_read_log": "1", "user_access": "NO_USERS"}
    made, listed, told, wrong = net_duo(
        {**contoso, "do": "call_json", "with": ["POST", LIST, wanted]},
        {**contoso, "do": "call_json_paged", "with": ["GET", LIST]},
        {
            **contoso,
            "do": "call_json",
            "with": ["GET", "/admin/v1/logs/administrator", {"mintime": str(int(time.time()) - 86400)}],
        },
        {**client(lab, CONTOSO_KEY, secret="0" * 40), "do": "call_json", "with": ["GET", LIST]},
    )
    assert (made["name"], made["adminapi_read_log"]) == ("Löschen & mehr", 1)
    assert made["integration_key"] in [one["integration_key"] for one in listed]
    assert [one["action"] for one in told] == ["lab"]
    assert "Invalid signature" in wrong["error"]
    assert net_duo({**contoso, "do": "call_json", "with": ["DELETE", f"{LIST}/{made['integration_key']}"]}) == [""]
    assert lab.duo.applications(CONTOSO) == {}


def test_duplicate_names_are_allowed_and_lists_have_pages(lab: LabClient) -> None:
    contoso = client(lab, CONTOSO_KEY)
    lab.configure(duo_page_size=2)
    *_made, listed = duo_client(
        *[{**contoso, **create("twin")} for _one in range(4)], {**contoso, "do": "get_integrations"}
    )
    assert [one["name"] for one in listed].count("twin") == 4


def test_who_may_not_set_permissions_sets_none(lab: LabClient) -> None:
    lab.edit("change_duo_application", key=CONTOSO_KEY, permissions=["adminapi_integrations"])
    contoso = client(lab, CONTOSO_KEY)
    (made,) = duo_client({**contoso, **create("logs", adminapi_read_log="1")})
    assert made["adminapi_read_log"] == 0
    lab.configure(duo_refuses_flags=True)
    assert duo_client({**contoso, **create("logs", adminapi_read_log="1")}) == [
        {"error": "Received 403 Access forbidden"}
    ]


def test_what_is_signed_wrong_is_refused(lab: LabClient) -> None:
    do = {"do": "get_integrations"}
    wrong, unknown = duo_client(
        {**client(lab, CONTOSO_KEY, secret="0" * 40), **do},
        {**client(lab, "DIUNKNOWN00000000000", secret="0" * 40), **do},
    )
    assert wrong == {"error": "Received 401 Invalid signature in request credentials"}
    assert unknown == {"error": "Received 401 Invalid integration key in request credentials"}
    assert lab.call("GET", LIST)[2]["code"] == 40101


def signed(lab: LabClient, date: str, path: str = LIST, params: dict[str, str] | None = None) -> dict[str, str]:
    """Headers of a GET to localhost that duo_client signs by version 5."""
    parts = {
        "ikey": CONTOSO_KEY,
        "skey": lab.duo.secret(CONTOSO_KEY),
        "method": "GET",
        "host": "localhost",
        "uri": path,
    }
    (made,) = duo_client(
        {"do": "sign", "with": {**parts, "date": date, "sig_version": 5, "params": params or {}, "body": ""}}
    )
    return {"Authorization": made, "Date": date, "Host": lab.duo.host}


def test_one_flipped_bit_or_an_old_date_is_refused(lab: LabClient) -> None:
    now = formatdate(time.time())
    good = signed(lab, now, params={"limit": "5"})
    assert lab.call("GET", f"{LIST}?limit=5", headers=good)[0] == 200
    assert lab.call("GET", f"{LIST}?limit=4", headers=good)[2]["code"] == 40103
    for moved in (-330, 330):
        old = signed(lab, formatdate(time.time() + moved))
        assert lab.call("GET", LIST, headers=old)[2]["code"] == 40105


def test_a_missing_permission_and_a_foreign_network_have_the_same_words(lab: LabClient) -> None:
    contoso = client(lab, CONTOSO_KEY)
    (no_log,) = duo_client({**contoso, "do": "get_administrator_log"})
    lab.edit("change_duo_application", key=CONTOSO_KEY, networks="192.0.2.0/24")
    (elsewhere,) = duo_client({**contoso, "do": "get_integrations"})
    assert no_log == elsewhere == {"error": "Received 403 Access forbidden"}


def test_logs_are_late_bounded_and_paced(lab: LabClient) -> None:
    lab.edit("change_duo_application", key=CONTOSO_KEY, permissions=["adminapi_read_log", "adminapi_info"])
    for ago in (10.0, 300.0, 900.0):
        lab.edit("duo_sign_in", account=CONTOSO, ago=ago)
    lab.edit("duo_record", account=CONTOSO, log="offline_enrollment")
    contoso, since = client(lab, CONTOSO_KEY), int(time.time()) - 86400
    newest, old, third, offline, attempts = duo_client(
        {
            **contoso,
            "do": "get_authentication_log",
            "with": {"api_version": 2, "mintime": since * 1000, "limit": "1", "sort": "ts:desc"},
        },
        {
            **contoso,
            "do": "get_authentication_log",
            "with": {"api_version": 2, "mintime": (since - 181 * 86400) * 1000},
        },
        {**contoso, "do": "get_authentication_log", "with": {"api_version": 2, "mintime": since * 1000}},
        {**contoso, "do": "get_offline_log", "with": {"mintime": since}},
        {**contoso, "do": "get_authentication_attempts", "with": {"mintime": str(since)}},
    )
    assert (len(newest["authlogs"]), newest["metadata"]["total_objects"]) == (1, 2)
    assert 295 <= time.time() - newest["authlogs"][0]["timestamp"] <= 330
    assert old == {"error": "Received 400 Invalid request parameters (mintime)"}
    assert third == {"error": "Received 429 Too Many Requests"}
    assert len(offline) == 1
    assert attempts["SUCCESS"] == 3


def test_children_are_reached_at_their_own_hosts(lab: LabClient) -> None:
    parent = client(lab, PROSEWARE_KEY)
    (told,) = duo_client({**parent, "accounts": True, "do": "get_child_accounts"})
    hosts = {one["account_id"]: one["api_hostname"] for one in told}
    child = client(lab, PROSEWARE_KEY, host=hosts[LITWARE])
    made, elsewhere, wrong_host, own = duo_client(
        {**child, **create("logs", adminapi_read_log="1"), "child": LITWARE},
        {**child, **create("logs"), "child": WINGTIP},
        {**parent, **create("logs"), "child": LITWARE},
        {**parent, "do": "get_integrations"},
    )
    assert made["adminapi_read_log"] == 1
    assert list(lab.duo.applications(LITWARE)) == ["logs"]
    assert elsewhere == own == {"error": "Received 403 Access forbidden"}
    assert wrong_host == {"error": "Received 401 Invalid integration key in request credentials"}
