# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted is checked once, and answers are read as they are documented, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.client import ODD_SHAPE
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import ABSENT, FLOWING, QUIET, STALE
from ansible_collections.mssp.onboarding.plugins.module_utils._splunk import api, freshness
from ansible_collections.mssp.onboarding.plugins.module_utils._splunk.options import setup
from ansible_collections.mssp.onboarding.plugins.module_utils._splunk.plan import Search, Wanted

URL = "https://relay.example/workflows/abc?sig=s3cret"
GOOD: dict[str, Any] = {
    "api_url": "https://splunk.example:8089/", "token": "t", "ca_file": None, "proxy": None, "platform": "enterprise",
    "alerts": {"Brute force": {"delivery": "digest"}}, "webhook_url": URL, "allow_list_entry": "ours",
}  # fmt: skip
ENTRY: dict[str, Any] = {
    "name": "Brute force",
    "acl": {"app": "search", "owner": "nobody", "sharing": "app", "can_write": True},
    "content": {"actions": " email, webhook,", "action.webhook.param.url": URL, "disabled": "0", "is_scheduled": 1,
                "alert.digest_mode": True, "orphan": "false"},
}  # fmt: skip


def test_parameters_are_typed() -> None:
    found = setup({**GOOD, "platform": "cloud", "state": "absent"})
    assert (found.identity.api_url, found.cloud, found.leaving) == ("https://splunk.example:8089", True, True)
    assert found.targets == (Wanted("Brute force", "", "digest"),)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"api_url": "http://x"}, "api_url"),
        ({"webhook_url": "http://relay.example/x?sig=s3cret"}, "webhook_url"),
        ({"webhook_url": "https://relay.example/a b?sig=s3cret"}, "webhook_url"),
        ({"webhook_url": "https://[x/?sig=s3cret"}, "webhook_url"),
        ({"allow_list_entry": "a.b"}, "allow_list_entry"),
        ({"alerts": {}}, "at least one"),
        ({"alerts": {" ": {}}}, "no name"),
        ({"alerts": {"A": {"delivery": "sometimes"}}}, "sometimes"),
        ({"alerts": {"A": {"app": "../x"}}}, "no name of an app"),
    ],
)
def test_what_cannot_be_right_is_said_without_the_key(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        setup({**GOOD, **given})
    assert said in caught.value.message
    assert "s3cret" not in caught.value.message


def test_a_search_is_read_in_all_spellings_of_yes_and_no() -> None:
    assert api.parse(ENTRY) == Search("Brute force", "search", "nobody", ("email", "webhook"), URL)


@pytest.mark.parametrize("odd", [None, [], {}, 5.5])
def test_another_shape_is_refused(odd: Any) -> None:
    for changed in (
        {"name": odd},
        {"acl": {"app": odd, "owner": "x"}},
        {"content": {**ENTRY["content"], "disabled": odd}},
    ):
        with pytest.raises(ODD_SHAPE):
            api.parse({**ENTRY, **changed})
    with pytest.raises(ODD_SHAPE):
        api.parse_allow_list({"acl": {"app": odd}, "content": {}})


def test_an_empty_entry_of_the_allow_list_is_none() -> None:
    content = {"enable_allowlist": "true", "allowlist.a": "^x", "allowlist.b": ""}
    found = api.parse_allow_list({"acl": {"app": "system"}, "content": content})
    assert (found.on, found.entries) == (True, {"a": "^x"})


@pytest.mark.parametrize(
    ("changed", "newest", "state"),
    [
        ({}, {"Brute force": (5.0, 2)}, FLOWING),
        ({}, {}, QUIET),
        ({"disabled": True}, {"Brute force": (5.0, 2)}, STALE),
        ({"actions": ()}, {}, ABSENT),
        ({"url": "https://x.example/y"}, {"Brute force": (5.0, 2)}, ABSENT),
    ],
)
def test_silence_is_told_from_what_never_runs(changed: dict[str, Any], newest: Any, state: str) -> None:
    found = api.parse(ENTRY)._replace(**changed)
    assert freshness.flow(Wanted("Brute force"), [found], newest, URL).state == state


def test_what_was_lost_is_told_and_nothing_else() -> None:
    assert freshness.failed([], {}, 0.0) == []
    assert freshness.failed([{"runs": "0", "text": ""}], {}, 0.0) == []
    (flow,) = freshness.failed([{"runs": "3", "text": "status=401"}], {"A": (5.0, 1)}, 0.0)
    assert (flow.state, flow.records, flow.newest) == (STALE, 3, 5.0)
