# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether messages arrive in a hub: what its metric means, and what cannot be read."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import Flow
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import freshness as flows
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import options as specs
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub.api import EventHubs
from tests.unit.plugins.module_utils._microsoft.event_hub.test_capability import (
    MISSING,
    PARAMS,
    RAW_HUB,
    RAW_NAMESPACE,
    SUBSCRIPTION,
    changed,
    listed,
)
from tests.unit.plugins.module_utils._microsoft.scripts_of_http import IDENTITY, Script, answer, scripted

THERE = answer(200, RAW_NAMESPACE)
MADE = changed(RAW_HUB, createdAt="2026-11-21T09:00:00.1234567Z")


def metric(*totals: float | None) -> Any:
    data = [
        {"timeStamp": f"2026-11-21T10:{5 * number:02}:00Z", **({} if total is None else {"total": total})}
        for number, total in enumerate(totals)
    ]
    return answer(200, {"value": [{"name": {"value": "IncomingMessages"}, "timeseries": [{"data": data}]}]})


NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
WATCH = {"window_hours": 24, "grace_minutes": 60, "stale_hours": 24}


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "time", SimpleNamespace(time=NOW.timestamp))


def look(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> tuple[Flow, Script]:
    arm, script, _clock, _tokens = scripted(monkeypatch, *answers)
    setup = specs.setup({**IDENTITY, **PARAMS, **WATCH})
    flow = asyncio.run(flows.flow(EventHubs(arm, SUBSCRIPTION, setup.hub), setup))
    assert script.answers == []
    return flow, script


def test_the_newest_messages_and_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    flow, script = look(monkeypatch, THERE, listed(MADE), metric(3, 4, 0, None), metric(7))
    assert (flow.source, flow.state, flow.records) == ("event hub evh-siem/mssp-onboarding", "flowing", 7)
    assert flow.newest == datetime(2026, 11, 21, 10, 5, tzinfo=UTC).timestamp()
    url = unquote(script.requests[-1].url)
    assert "$filter=EntityName eq 'mssp-onboarding'" in url, "of this hub, not of its neighbours"
    assert "timespan=2026-11-20T10:30:00Z/2026-11-21T10:30:00Z" in url
    assert "metricnames=IncomingMessages" in url
    assert "interval=PT1H" in url, "weeks by the hour"
    assert "interval=PT5M" in unquote(script.requests[-2].url), "the newest message to the minutes"
    assert url.partition("?")[0].endswith("/namespaces/evh-siem/providers/Microsoft.Insights/metrics")


@pytest.mark.parametrize("silent", [metric(), metric(0, 0), answer(200, {"value": []})])
@pytest.mark.parametrize(
    ("made", "state"), [("2026-11-21T09:45:00.1234567Z", "pending"), ("2026-11-21T09:00:00Z", "stale"), (None, "stale")]
)
def test_no_message_at_all(monkeypatch: pytest.MonkeyPatch, silent: Any, made: str | None, state: str) -> None:
    flow, _script = look(monkeypatch, THERE, listed(changed(RAW_HUB, createdAt=made)), silent, silent)
    assert (flow.state, flow.newest, flow.records) == (state, None, 0)
    assert flow.next_step == flows.NEXT_STEPS[state]


def test_what_is_not_there_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(monkeypatch, MISSING)[0].state == "absent"
    assert look(monkeypatch, THERE, listed(changed({**RAW_HUB, "name": "other"})))[0].state == "absent"


def test_a_namespace_that_is_being_made_is_pending(monkeypatch: pytest.MonkeyPatch) -> None:
    making = changed(RAW_NAMESPACE, provisioningState="Creating", createdAt="2026-11-21T10:00:00Z")
    flow, _script = look(monkeypatch, answer(200, making))
    assert flow.state == "pending"


@pytest.mark.parametrize("made", ["2026-11-21T09:00:00Z", None])
@pytest.mark.parametrize("state", ["Creating", "Failed", "Disabled", ""])
def test_a_namespace_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch, state: str, made: str | None) -> None:
    stuck = changed(RAW_NAMESPACE, provisioningState=state, createdAt=made)
    flow, _script = look(monkeypatch, answer(200, stuck))
    assert (flow.state, flow.code, flow.status) == ("stale", "unsettled", "drifted")
    assert f"the namespace is {state or 'of no state'}" in flow.message


def test_a_fall_is_told_although_messages_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WATCH, "window_hours", 360)
    old = [
        {"timeStamp": f"2026-11-{day:02}T10:00:00Z", "total": total}
        for day, total in ((7, 900), (14, 1000), (20, 700), (21, 100))
    ]
    hours = answer(200, {"value": [{"timeseries": [{"data": old}]}]})
    flow, _script = look(monkeypatch, THERE, listed(MADE), metric(1), hours)
    assert (flow.state, flow.volume, flow.records) == ("fallen", (100, 1000), 2700)


@pytest.mark.parametrize(
    "answers",
    [
        (THERE, listed(changed(RAW_HUB, createdAt="yesterday")), metric(1), metric(1)),
        (THERE, listed(MADE), answer(200, {})),
        (THERE, listed(MADE), answer(200, {"value": [{}]})),
        (THERE, listed(MADE), answer(200, {"value": [{"timeseries": [{"data": [{"total": 1}]}]}]})),
        (THERE, listed(MADE), answer(403, {"error": {"code": "AuthorizationFailed", "message": "no"}})),
    ],
)
def test_what_cannot_be_read_is_its_error(monkeypatch: pytest.MonkeyPatch, answers: tuple[Any, ...]) -> None:
    flow, _script = look(monkeypatch, *answers)
    assert (flow.state, flow.status, flow.error is not None) == ("unreadable", "unknown", True)
