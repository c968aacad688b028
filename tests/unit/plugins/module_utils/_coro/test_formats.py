# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each format refuses before any request, and why it says so."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._coro import formats
from tests.unit.plugins.module_utils._coro.builders import GUID, HOOK, URL

GOOD: dict[str, dict[str, Any]] = {
    "splunk": {"listener_url": URL, "authorization": "11111111-2222-3333-4444-555555555555"},
    "generic": {"listener_url": HOOK, "headers": {"X-Api-Key": "k"}},
    "fluency": {"listener_url": HOOK, "token": "t"},
    "azure_sentinel": {"workspace_id": GUID, "primary_key": "c2VjcmV0", "log_type": "Coro_2"},
}


def problem(kind: str, **changed: Any) -> str:
    return formats.problem({"format": kind, **GOOD[kind], **changed})


@pytest.mark.parametrize("kind", formats.FORMATS)
def test_a_good_one_has_no_problem(kind: str) -> None:
    assert problem(kind) == ""


@pytest.mark.parametrize(("kind", "option"), [(k, o) for k, one in formats.FORMATS.items() for o in one.required])
def test_what_a_format_needs(kind: str, option: str) -> None:
    assert problem(kind, **{option: None}) == f"the format {kind} needs {option}"


@pytest.mark.parametrize(("kind", "option"), [("splunk", "token"), ("generic", "authorization"), ("fluency", "headers"),
                                              ("azure_sentinel", "listener_url")])  # fmt: skip
def test_what_belongs_to_another_format(kind: str, option: str) -> None:
    value: Any = {"X": "y"} if option == "headers" else "x"
    assert f"{option} does not belong to the format {kind}" in problem(kind, **{option: value})


@pytest.mark.parametrize("path", ["", "/", "/event", "/event/1.0"])
def test_every_address_of_splunks_collector_is_taken(path: str) -> None:
    assert problem("splunk", listener_url=f"https://hec.example:8088/services/collector{path}") == ""


REFUSED = [
    ("splunk", {"listener_url": "http://hec.example/services/collector"}, "must be https"),
    ("splunk", {"listener_url": "https://hec.example:8088"}, "/services/collector for Splunk"),
    ("splunk", {"listener_url": "https://hec.example/services/collector/raw"}, "/services/collector for Splunk"),
    ("splunk", {"listener_url": "https://hec.example/services/collector?token=x"}, "/services/collector for Splunk"),
    ("splunk", {"listener_url": "hec.example/services/collector"}, "must be http(s)://host"),
    ("splunk", {"listener_url": "https:///services/collector"}, "must be http(s)://host"),
    ("splunk", {"listener_url": "https://hec.example:99999/services/collector"}, "is no URL"),
    ("splunk", {"authorization": "Splunkf abc"}, "«Splunkf», a misprint"),
    ("splunk", {"authorization": "Bearer abc"}, "must be the token, or «Splunk <token>»"),
    ("splunk", {"authorization": "splunk abc"}, "must be the token, or «Splunk <token>»"),
    ("splunk", {"authorization": "Splunk"}, "has no token"),
    ("splunk", {"authorization": "Splunk a\nX-Evil: b"}, "newline"),
    ("generic", {"listener_url": "https://user:pw@tickets.example/"}, "neither a user and password"),
    ("generic", {"listener_url": "https://tickets.example/#part"}, "fragment"),
    ("generic", {"listener_url": "https://tickets.example/a b"}, "holds a blank"),
    ("generic", {"listener_url": "https://tickets.example/\r\nx"}, "newline"),
    ("generic", {"listener_url": "https://tickéts.example/"}, "beyond ASCII"),
    ("generic", {"listener_url": "ftp://tickets.example/"}, "must be http(s)://host"),
    ("generic", {"headers": {"X Api": "k"}}, "no name of a header"),
    ("generic", {"headers": {"X-Api:": "k"}}, "no name of a header"),
    ("generic", {"headers": {"": "k"}}, "no name of a header"),
    ("generic", {"headers": {"Host": "k"}}, "belongs to the connection"),
    ("generic", {"headers": {"X-A": "k", "x-a": "l"}}, "twice"),
    ("generic", {"headers": {"X-A": "k\nX-Evil: l"}}, "newline"),
    ("generic", {"headers": {"X-A": " k"}}, "begins or ends with a blank"),
    ("generic", {"headers": {"X-A": {"nested": "k"}}}, "no text"),
    ("fluency", {"token": "a\tb"}, "control character"),
    ("azure_sentinel", {"workspace_id": "law-sentinel"}, "GUID"),
    ("azure_sentinel", {"primary_key": "not base64!"}, "base64"),
    ("azure_sentinel", {"primary_key": "c2VjcmV"}, "base64"),
    ("azure_sentinel", {"log_type": "Coro-Tickets"}, "letters, digits and underscores"),
    ("azure_sentinel", {"log_type": "2Coro"}, "beginning with a letter"),
    ("azure_sentinel", {"log_type": "C" * 101}, "at most 100"),
]


@pytest.mark.parametrize(("kind", "changed", "reason"), REFUSED)
def test_refused_with_the_reason(kind: str, changed: dict[str, Any], reason: str) -> None:
    assert reason in problem(kind, **changed)


@pytest.mark.parametrize(("kind", "changed"), [(kind, changed) for kind, changed, _reason in REFUSED])
def test_no_reason_shows_a_secret(kind: str, changed: dict[str, Any]) -> None:
    said = problem(kind, **changed)
    for option in {"authorization", "token", "primary_key"} & set(changed):
        assert str(changed[option]).split(" ")[-1] not in said or changed[option] == "Splunk"


def test_http_is_allowed_on_request() -> None:
    assert problem("splunk", listener_url="http://hec.example/services/collector", allow_http=True) == ""


@pytest.mark.parametrize("given", ["abc", "Splunk abc", " Splunk abc "])
def test_the_scheme_is_added_where_it_is_left_out(given: str) -> None:
    assert formats.settled({"authorization": given}, "authorization") == "Splunk abc"


def test_the_log_type_has_coros_default() -> None:
    assert formats.settled({}, "log_type") == "Coro"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example", "https://A.example:443/", True),
        ("http://a.example:80/x", "http://a.example/x", True),
        ("https://a.example/x", "https://a.example/X", False),
        ("https://a.example/x", "http://a.example/x", False),
        ("https://a.example:8088/x", "https://a.example/x", False),
        ("https://a.example/x?a=1", "https://a.example/x?a=2", False),
    ],
)
def test_urls_that_are_the_same(one: str, other: str, same: bool) -> None:
    assert (formats.same_url(one) == formats.same_url(other)) is same


def test_places() -> None:
    azure = {"workspace_id": GUID, "log_type": "Coro"}
    assert formats.place("azure_sentinel", azure) == formats.place(
        "azure_sentinel", {**azure, "workspace_id": GUID.upper()}
    )
    assert formats.place("azure_sentinel", azure) != formats.place("azure_sentinel", {**azure, "log_type": "Other"})
    assert formats.place("generic", {"listener_url": HOOK}) == formats.place("fluency", {"listener_url": HOOK})
    assert formats.place("", {}) != formats.place("generic", {"listener_url": HOOK})
