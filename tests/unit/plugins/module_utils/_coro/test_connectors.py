# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""To and from the wire, by the profile; what verify says of a connector."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._coro.connectors import body, parse, refusal
from ansible_collections.mssp.onboarding.plugins.module_utils._coro.profile import ASSUMED, profile
from tests.unit.plugins.module_utils._coro.builders import HOOK, URL, connector, want

ITEM: dict[str, Any] = {
    "id": "1", "name": "hook", "type": "GENERIC", "listenerUrl": HOOK, "applyToAllCustomers": True,
    "headers": [{"name": "X-Api-Key", "value": "********"}], "status": "DISCONNECTED", "inherited": True,
    "channelWorkspaceId": "up", "lastError": {"status": 401, "body": "no\n  entry"}, "updatedAt": 1_700_000_000_000,
}  # fmt: skip
PROFILE = profile(None)


def test_parse() -> None:
    found = parse(ITEM, PROFILE)
    assert (found.id, found.name, found.format, found.fields) == ("1", "hook", "generic", {"listener_url": HOOK})
    assert (found.headers, found.apply_to_all, found.status) == (frozenset({"x-api-key"}), True, "disconnected")
    assert (found.inherited, found.channel, found.error) == (True, "up", "HTTP 401: no entry")


def test_what_the_profile_does_not_know_is_kept_as_unknown() -> None:
    found = parse({**ITEM, "type": "SYSLOG", "status": "PAUSED"}, PROFILE)
    assert (found.format, found.status, found.fields) == ("", "", {})


@pytest.mark.parametrize("missing", ["id", "name", "type", "status"])
def test_an_item_of_another_shape(missing: str) -> None:
    with pytest.raises(KeyError):
        parse({key: value for key, value in ITEM.items() if key != missing}, PROFILE)


def test_another_profile_reads_and_writes_other_names() -> None:
    other = profile({**ASSUMED, "fields": {**ASSUMED["fields"], "name": "title", "format": "kind"},
                     "formats": {**ASSUMED["formats"], "splunk": "hec"}})  # fmt: skip
    found = parse({**ITEM, "title": "soc", "kind": "hec"}, other)
    assert (found.name, found.format) == ("soc", "splunk")
    sent = body(want(), other, secrets=False)
    assert sent == {"title": "soc", "kind": "hec", "listenerUrl": URL, "applyToAllCustomers": False}


def test_a_body_with_and_without_secrets() -> None:
    assert body(want(), PROFILE, secrets=True)["authorization"] == "Splunk canary-token"
    assert "authorization" not in body(want(), PROFILE, secrets=False)
    hook = want(format="generic", fields={"listener_url": HOOK}, secrets={"headers.X-A": "1", "headers.X-B": "2"})
    assert body(hook, PROFILE, secrets=True)["headers"] == [
        {"name": "X-A", "value": "1"},
        {"name": "X-B", "value": "2"},
    ]
    assert body(hook._replace(secrets={}), PROFILE, secrets=True)["headers"] == [], "all headers go"


def test_views_hold_no_secret() -> None:
    hook = want(format="generic", fields={"listener_url": HOOK}, secrets={"headers.X-A": "canary"})
    for shown in (want().view(), hook.view(), connector().view()):
        assert "canary" not in json.dumps(shown)
    assert hook.view()["headers"] == ["x-a"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (None, ""),
        ("text", ""),
        ({"status": 500, "body": ""}, "HTTP 500"),
        ({"status": None, "body": "cut"}, "no answer: cut"),
        ({"status": 403, "body": "x" * 900}, "HTTP 403: " + "x" * 300),
    ],
)
def test_a_receivers_refusal_in_words(said: Any, words: str) -> None:
    assert refusal(said) == words
