# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streamed records are told apart by their category, and what is not Defender's breaks nothing."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr import api, records
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr.records import Event, tell_apart


def record(table: str, time: Any = "2026-11-29T10:00:00.1234567Z", **more: Any) -> dict[str, Any]:
    return {"time": time, "tenantId": "t", "category": f"AdvancedHunting-{table}", "properties": {}, **more}


def event(*records: Any, when: float = 5.0) -> Event:
    return Event(when, json.dumps({"records": records}).encode())


def test_one_event_may_hold_several_tables() -> None:
    found = tell_apart([event(record("DeviceInfo"), record("AlertInfo", "2026-11-29T11:00:00Z")),
                        event(record("DeviceInfo", "2026-11-29T09:00:00Z"))])  # fmt: skip
    assert {table: int(when) for table, when in found.newest.items()} == {
        "DeviceInfo": 1795946400, "AlertInfo": 1795950000,
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"[]", b"7", b"{}", b'{"records": 7}', b'{"records": [7]}', b'{"records": [{"category": 7}]}',
     b'{"records": [{"category": "AuditLogs", "time": "2026-11-29T10:00:00Z"}]}', b"[" * 5000],
)  # fmt: skip
def test_what_is_not_defenders_is_left(body: bytes) -> None:
    assert tell_apart([Event(5.0, body), event(record("DeviceInfo"))]).newest.keys() == {"DeviceInfo"}


OF = "/subscriptions/20000000-0000-4000-8000-000000000003"


@pytest.mark.parametrize(
    ("told", "subscriptions"),
    [
        ({"SystemAlertId": "x", "ResourceIdentifiers": [{"Type": "AAD"}, {"AzureResourceId": f"{OF}/RESOURCES/r"}]}, 1),
        ({"type": "Microsoft.Security/assessments", "id": f"{OF}/providers/Microsoft.Security/assessments/a"}, 1),
        ({"type": "Microsoft.Security/secureScores", "id": OF}, 1),
        ({"type": "Microsoft.Web/sites", "id": f"{OF}/resourceGroups/r"}, 0),
        ({"SystemAlertId": "x", "ResourceIdentifiers": None}, 0),
        ({"SystemAlertId": "x", "ResourceIdentifiers": [{"AzureResourceId": 7}]}, 0),
        ({"type": "Microsoft.Security/assessments", "id": "/providers/Microsoft.Security/assessments/a"}, 0),
    ],
)  # fmt: skip
def test_what_defender_for_cloud_exports_is_told_by_its_subscription(told: Any, subscriptions: int) -> None:
    found = tell_apart([Event(5.0, json.dumps(told).encode()), event(record("DeviceInfo"))])
    assert (len(found.exported), found.others) == (subscriptions, 1 - subscriptions)
    assert set(found.exported) <= {OF.rpartition("/")[2]}
    assert set(found.newest) == {"DeviceInfo"}


@pytest.mark.parametrize("time", [None, 7, "yesterday"])
def test_a_record_without_its_time_came_when_its_event_did(time: Any) -> None:
    assert tell_apart([event(record("DeviceInfo", time))]).newest == {"DeviceInfo": 5.0}


class Partition:
    """A consumer of a partition with five events, of which so many are given."""

    def __init__(self, given: int) -> None:
        self.given = given

    async def get_partition_properties(self, _id: str) -> dict[str, Any]:
        return {"is_empty": False, "last_enqueued_sequence_number": 5, "beginning_sequence_number": 1}

    async def receive(self, take: Any, **_more: Any) -> None:
        for number in range(1, self.given + 1):
            when = datetime.fromtimestamp(number, UTC)
            await take(None, SimpleNamespace(body=b"{}", enqueued_time=when, sequence_number=number))
        await take(None, None)


def test_a_partition_is_read_to_its_end_or_nobody_knows() -> None:
    found, since = asyncio.run(records._partition(Partition(5), "0"))
    assert ([one.when for one in found], since) == ([1.0, 2.0, 3.0, 4.0, 5.0], 0.0)
    for given in (0, 4):
        with pytest.raises(NoAnswerError, match=f"of its newest 5 events {given} came in time"):
            asyncio.run(records._partition(Partition(given), "0"))


def test_the_newest_of_a_list_and_its_sources() -> None:
    times = ("2026-11-29T10:00:00.1234567Z", "2026-11-29T09:00:00Z")
    listed = [{"createdDateTime": one, "lastUpdateDateTime": one, "serviceSource": "newThing"} for one in times]
    assert api.parse_newest(listed) == (1795946400.123456, ("newThing",))
    assert api.parse_newest([]) == (None, ())


def test_hunting_without_a_row_is_none() -> None:
    schema = [{"name": "max_Timestamp", "type": "DateTime"}]
    assert api.parse_row({"schema": schema, "results": [{"max_Timestamp": None}]}) is None
    assert api.parse_row({"schema": schema, "results": [{"max_Timestamp": "2026-11-29T10:00:00Z"}]}) == 1795946400.0
