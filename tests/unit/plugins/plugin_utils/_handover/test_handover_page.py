# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand-over page: it asks for everything, shows text as text, and loads nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.plugin_utils._handover import page, steps_page

LINK = "https://login.example/t/adminconsent?client_id=a&state=b"
EVIL = "<script>alert('x')</script>\"&"
ROLE = {
    "role": "Reader",
    "scope": "/subscriptions/s",
    "why": "to read",
    "command": "az role it",
    "revoke": "az role off",
    "state": "to do",
}


def content(**given: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "client_id": "app-id",
        "tenant_id": "tenant-id",
        "managing_tenant_id": "",
        "consent_url": LINK,
        "consent_state": "to do",
        "permissions": [
            {"resource": "microsoft_graph", "name": "X.Read", "why": "to read x", "retired": "", "state": "done"}
        ],
        "switches": [],
        "extra": [],
        "roles": [ROLE],
        "delegations": [],
        "providers": [{"subscription": "s", "command": "az provider register", "state": "to do"}],
    }
    return values | given


def test_it_asks_for_everything_with_its_reason() -> None:
    html = page(content(), "Northwind", "Proseware")
    for text in (
        "Northwind",
        "Proseware",
        "app-id",
        "tenant-id",
        "X.Read",
        "to read x",
        "az role it",
        "az provider reg",
    ):
        assert text in html
    assert f'href="{LINK.replace("&", "&amp;")}"' in html
    assert re.findall(r"<h2>(\d)\.", html) == ["1", "2", "3"]
    assert "az ad sp delete --id app-id" in html


def test_a_switch_is_a_step_of_its_own() -> None:
    one = dict.fromkeys(("title", "who", "where", "command", "why", "proof"), EVIL)
    html = page(content(switches=[one]), "Northwind", "Proseware")
    assert re.findall(r"<h2>(\d)\.", html) == ["1", "2", "3", "4"]
    assert "<script" not in html


def test_by_lighthouse_it_asks_for_a_delegation_and_no_consent() -> None:
    one = {"subscription": "s", "role": "Reader", "why": "to read", "command": "az deployment", "state": "to do"}
    html = page(content(consent_url="", delegations=[one], roles=[], managing_tenant_id="m-id"), "N", "P")
    assert "az deployment" in html
    assert "m-id" in html
    assert "Managed Services Registration assignment Delete Role" in html, "the template gives it as well"
    assert "adminconsent" not in html
    assert "az ad sp delete" not in html


@pytest.mark.parametrize("field", ["client_id", "tenant_id", "consent_url"])
def test_what_it_is_given_is_text(field: str) -> None:
    html = page(content(**{field: EVIL}), "N", "P")
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_names_and_lists_are_text_as_well() -> None:
    permission = dict.fromkeys(("resource", "name", "why", "retired"), EVIL) | {"state": "to do"}
    role = dict.fromkeys(("role", "scope", "why", "command", "revoke"), EVIL) | {"state": "to do"}
    html = page(content(permissions=[permission], roles=[role], extra=[EVIL]), EVIL, EVIL)
    assert "<script" not in html


def test_it_loads_and_runs_nothing() -> None:
    html = page(content(), "N", "P")
    assert "default-src 'none'" in html.replace("&#39;", "'")
    assert re.findall(r"(?:src|@import|url\()", html.replace("-src", "")) == []


STEP = {
    "source": "Cisco Duo's logs",
    "check": "first_application",
    "subject": "api-1",
    "why": "none is there.",
    "what": "make one",
}


def test_a_step_says_what_why_and_by_which_check_it_is_seen_to_be_done() -> None:
    html = steps_page([STEP, STEP | {"subject": "api-2"}], "Contoso")
    for text in (
        "Contoso",
        "Cisco Duo&#39;s logs: api-1",
        "none is there",
        "Make one",
        "<code>first_application</code>",
    ):
        assert text in html
    assert re.findall(r"<h2>(\d)\.", html) == ["1", "2"]
    assert ".." not in html


def test_a_step_is_text() -> None:
    html = steps_page([dict.fromkeys(STEP, EVIL)], EVIL)
    assert "<script" not in html
    assert "default-src 'none'" in html.replace("&#39;", "'")
