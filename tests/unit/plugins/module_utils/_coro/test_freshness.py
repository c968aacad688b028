# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Coro still sends, by what it says of each connector."""

from __future__ import annotations

from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import verified
from ansible_collections.mssp.onboarding.plugins.module_utils._coro.freshness import flows
from tests.unit.plugins.module_utils._coro.builders import connector


def test_flows_by_name_with_what_is_not_there() -> None:
    seen = flows("w", [connector("b"), connector("a")], ["a", "c"])
    assert [(one.source, one.state) for one in seen] == [("w/a", "connected"), ("w/c", "absent")]
    assert [one.source for one in flows("w", [connector("b"), connector("a")], [])] == ["w/a", "w/b"]


def test_disconnected_is_stale_and_says_what_is_known() -> None:
    gone = connector(status="disconnected", error="HTTP 503", updated=1_700_000_000_000)
    result = verified("coro_connectors", flows("w", [gone, connector("b")], []), 0.0)
    assert (result["summary"]["outcome"], result["summary"]["drift"]) == ("drifted", {"stale": 1})
    (problem,) = result["problems"]
    assert (problem["code"], problem["target"]) == ("disconnected", "w/soc")
    assert "HTTP 503" in problem["message"]
    assert "2023-11-14T22:13:20Z" in problem["message"]
    assert "reconnect" in problem["next_step"]


def test_a_status_that_the_profile_does_not_know_is_unknown() -> None:
    (one,) = flows("w", [connector(status="")], [])
    assert (one.state, one.status) == ("unreadable", "unknown")
    assert one.next_step


def test_a_missing_connector_has_its_next_step() -> None:
    (one,) = flows("w", [], ["soc"])
    assert "onboard" in one.next_step


def test_connected_is_not_well_while_the_receiver_refuses() -> None:
    (one,) = flows("w", [connector(error="HTTP 401: invalid token")], [])
    assert (one.state, one.status, one.code) == ("stale", "drifted", "refused")
    assert "HTTP 401: invalid token" in one.message
    assert "update_secret" in one.next_step


def test_a_connection_is_not_called_an_arrival() -> None:
    result = verified("coro_connectors", flows("w", [connector("a")], []), 0.0)
    assert result["msg"] == "0 of 1 flows are seen to arrive; connected is what the vendor says: 1 connected"
    assert result["summary"]["arrivals"]["arrived"] == 0
