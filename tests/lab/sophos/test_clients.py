# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sophosfirewall-python 0.1.68, which Sophos wrote, works against the lab unmodified, and meets SFOS's traps."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from lab.client import LabClient
from lab.sophos.client import BRANCH, HEADQUARTERS
from lab.testing import running_lab

from .sophos_tools import sophos_client

SERVERS = "SyslogServers"
LIST = ("get_tag", {"xml_tag": SERVERS})
ENTITY = (
    "<SyslogServers><Name>mine</Name><ServerAddress>127.0.0.1</ServerAddress><Port>{port}</Port>{more}</SyslogServers>"
)
ADMIN = "<LogSettings><Events><AdminEvents>Enable</AdminEvents></Events></LogSettings>"


@pytest.fixture(scope="module")
def fleet() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


@pytest.fixture
def lab(fleet: LabClient) -> LabClient:
    fleet.reset()
    return fleet


def add(more: str = "", port: int = 9, operation: str = "add") -> tuple[str, dict[str, Any]]:
    return "submit_xml", {"template_data": ENTITY.format(port=port, more=more), "set_operation": operation}


def remove(name: str) -> tuple[str, dict[str, Any]]:
    return "remove", {"xml_tag": SERVERS, "name": name}


def names(answer: dict[str, Any]) -> Any:
    """Of one server, which is no list to this client, or of several."""
    held = answer["Response"][SERVERS]
    return held["Name"] if isinstance(held, dict) else [one["Name"] for one in held]


def test_a_server_lives_and_goes(lab: LabClient) -> None:
    login, before, made, again, listed, gone, _gone_again = sophos_client(
        lab, ("login", {"output_format": "dict"}), LIST, add(ADMIN), add(), LIST, remove("mine"), remove("mine")
    )
    assert login["Response"]["Login"]["status"] == "Authentication Successful"
    assert names(before) == ["Local", "auditor"]
    assert made["Response"][SERVERS]["Status"]["@code"] == "200"
    assert again["error"][0] == "SophosFirewallAPIError"
    assert "502" in again["error"][1]
    assert names(listed) == ["Local", "auditor", "mine"]
    assert gone["Response"][SERVERS]["Status"]["#text"] == "Configuration applied successfully."
    assert list(lab.sophos.servers()) == ["Local", "auditor"]


def test_what_is_added_without_log_settings_sends_nothing(lab: LabClient) -> None:
    sophos_client(lab, add())
    assert lab.sophos.on("mine") == set()
    sophos_client(lab, add(ADMIN, operation="update"))
    assert lab.sophos.on("mine") == {"Events/AdminEvents"}


@pytest.mark.parametrize(("resets", "left"), [(True, set()), (False, {"Events/AdminEvents"})])
def test_what_an_update_leaves_out(lab: LabClient, resets: bool, left: set[str]) -> None:
    lab.configure(sophos_update_resets=resets)
    sophos_client(lab, add(ADMIN), add(operation="update"))
    assert lab.sophos.on("mine") == left


def test_a_filter_gives_another_than_asked_for(lab: LabClient) -> None:
    asked = {"xml_tag": SERVERS, "key": "Name", "value": "auditor", "operator": "=", "output_format": "dict"}
    (found,) = sophos_client(lab, ("get_tag_with_filter", asked))
    assert names(found) == "Local"


def test_none_has_two_spellings(lab: LabClient) -> None:
    """Both of which this client knows."""
    entities = ("FirewallRule", "SSLTLSInspectionRule", "CertificateAuthority")
    found = sophos_client(lab, *[("get_tag", {"xml_tag": entity}) for entity in entities], host=BRANCH)
    assert [one["error"][0] for one in found] == ["SophosFirewallZeroRecords"] * 3


def test_there_are_five_besides_the_local_store(lab: LabClient) -> None:
    for number in range(4):
        lab.edit("put_sophos_server", host=HEADQUARTERS, name=f"other{number}")
    (found,) = sophos_client(lab, add())
    assert "503" in found["error"][1]


@pytest.mark.parametrize(
    ("change", "words"),
    [({"api_enabled": False}, "not allowed."), ({"address_allowed": False}, "requester IP address")],
)
def test_who_may_not_ask(lab: LabClient, change: dict[str, Any], words: str) -> None:
    lab.edit("change_sophos_firewall", host=HEADQUARTERS, **change)
    (found,) = sophos_client(lab, LIST)
    assert words in found["error"][1]


def test_wrong_passwords_lock_the_address(lab: LabClient) -> None:
    wrong = sophos_client(lab, *[LIST] * 3, password="wrong")
    assert [one["error"][0] for one in wrong] == ["SophosFirewallAuthFailure"] * 3
    (right,) = sophos_client(lab, LIST)
    assert right["error"][0] == "SophosFirewallAuthFailure"


def test_a_call_is_an_admin_event_that_is_really_sent(lab: LabClient) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sophos_client(lab, add(ADMIN, port=receiver.getsockname()[1]), LIST)
        record = receiver.recv(65535).decode()
    assert record.startswith("<30>")
    assert f'device_serial_id="{lab.sophos.state()["serial"]}"' in record
