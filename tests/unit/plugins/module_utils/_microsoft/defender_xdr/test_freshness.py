# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How ways and streamed tables are judged: the decision table, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import OnboardingError, RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.findings import CUSTOMER
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import Limits
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr.api import Newest
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr.freshness import (
    Look,
    of_graph,
    of_hunting,
    of_stream,
    refused,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr.plan import Stream
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr.records import Seen

NOW, HOUR = 1_800_000_000.0, 3600.0
LIMITS = Limits(grace=2 * HOUR, stale=24 * HOUR)
STREAM = Stream("t", "s", "/namespace", "hub", ("DeviceInfo", "UrlClickEvents"))
FRESH = {"DeviceInfo": NOW - 60}


def judged(**known: Any) -> list[tuple[str, str, str]]:
    """(source, state, code) of each flow."""
    known = {"made": NOW - 9 * HOUR, "seen": Seen(), "rows": None, **known}
    return [(one.source, one.state, one.code or (one.error.code if one.error else ""))
            for one in of_stream(Look(STREAM, **known), NOW, LIMITS)]  # fmt: skip


@pytest.mark.parametrize(
    ("known", "state", "code"),
    [
        ({"made": NOW - 60}, "pending", ""),
        ({"made": NOW - 60, "rows": FRESH}, "pending", ""),
        ({"rows": FRESH}, "absent", "not_streamed"),
        ({}, "absent", "not_streamed"),
        ({"made": None}, "absent", "not_streamed"),
        ({"rows": {"DeviceInfo": None}}, "absent", "not_onboarded"),
        ({"rows": {"DeviceInfo": None, "UrlClickEvents": NOW - 60}}, "absent", "not_streamed"),
        ({"seen": Seen({"EmailEvents": NOW})}, "absent", "not_streamed"),
        ({"seen": None, "error": OnboardingError("read", "no", code="X")}, "unreadable", "X"),
    ],
)
def test_a_stream_of_which_nothing_arrives(known: dict[str, Any], state: str, code: str) -> None:
    assert judged(**known) == [("streamed tables", state, code)]


@pytest.mark.parametrize(
    ("row", "since", "state", "code"),
    [
        (None, 0.0, "quiet", ""),
        (NOW - 5 * HOUR, 0.0, "absent", "missing_table"),
        (NOW - 5 * HOUR, NOW - HOUR, "pending", ""),  # it may have been streamed, and nobody has looked
        (NOW - 60, 0.0, "pending", ""),
    ],
)
def test_a_table_that_does_not_arrive_beside_others(row: float | None, since: float, state: str, code: str) -> None:
    rows = {"DeviceInfo": NOW, "UrlClickEvents": row}
    assert judged(seen=Seen(FRESH, since), rows=rows)[1] == ("streamed UrlClickEvents", state, code)


def test_without_hunting_only_a_table_with_steady_rows_is_missed() -> None:
    assert judged(seen=Seen({"UrlClickEvents": NOW}))[0] == ("streamed DeviceInfo", "absent", "missing_table")
    assert judged(seen=Seen(FRESH))[1] == ("streamed UrlClickEvents", "unreadable", "NobodyCanTell")


def test_a_steady_table_is_missed_though_its_row_is_new() -> None:
    found = judged(seen=Seen({"UrlClickEvents": NOW}), rows={"DeviceInfo": NOW - 60})
    assert found[0] == ("streamed DeviceInfo", "absent", "missing_table")


def test_silence_is_stale_for_steady_tables_only() -> None:
    old = dict.fromkeys(STREAM.tables, NOW - 48 * HOUR)
    assert [state for _source, state, _code in judged(seen=Seen(old))] == ["stale", "quiet"]


def test_alerts_may_be_none_for_weeks() -> None:
    assert of_graph("alerts", Newest(), NOW, LIMITS).state == "quiet"
    assert of_graph("alerts", Newest(NOW - 90 * HOUR), NOW, LIMITS).state == "quiet"
    assert of_graph("alerts", Newest(NOW - 60), NOW, LIMITS).state == "flowing"


def test_hunting_without_a_device_says_so() -> None:
    assert [of_hunting(when, NOW, LIMITS).code or of_hunting(when, NOW, LIMITS).state
            for when in (None, NOW - 60, NOW - 48 * HOUR)] == ["not_onboarded", "flowing", "stale"]  # fmt: skip


def test_what_only_the_customer_can_cure_is_broken_and_all_else_unknown() -> None:
    assert refused("x", RefusedError("o", "m", code="NotLicensed", owner=CUSTOMER)).state == "stale"
    assert refused("x", RefusedError("o", "m", code="Throttled")).state == "unreadable"
