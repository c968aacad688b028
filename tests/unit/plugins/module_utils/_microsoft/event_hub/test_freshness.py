# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether messages arrive in a hub: what its metric means, and what cannot be read."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import OnboardingError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import freshness as flows
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import options as specs
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub.api import EventHubs
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub.flow import Seen
from tests.unit.plugins.module_utils._microsoft.event_hub.test_capability import (
    MISSING,
    PARAMS,
    RAW_HUB,
    RAW_NAMESPACE,
    SUBSCRIPTION,
    changed,
    listed,
)
from tests.unit.plugins.module_utils._microsoft.scripts_of_http import Script, answer, scripted

THERE = answer(200, RAW_NAMESPACE)
MADE = changed(RAW_HUB, createdAt="2026-11-21T09:00:00.1234567Z")


def metric(*totals: float | None) -> Any:
    data = [
        {"timeStamp": f"2026-11-21T10:{5 * number:02}:00Z", **({} if total is None else {"total": total})}
        for number, total in enumerate(totals)
    ]
    return answer(200, {"value": [{"name": {"value": "IncomingMessages"}, "timeseries": [{"data": data}]}]})


def look(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> tuple[Seen, Script]:
    arm, script, _clock, _tokens = scripted(monkeypatch, *answers)
    hubs = EventHubs(arm, SUBSCRIPTION, specs.wanted(PARAMS))
    seen = asyncio.run(flows.look(hubs, Seen("event hub", 1, 0), timedelta(hours=24)))
    assert script.answers == []
    return seen, script


def test_the_newest_messages_and_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, script = look(monkeypatch, THERE, listed(MADE), metric(3, 4, 0, None))
    assert (seen.served, seen.records) == (1, 7)
    assert seen.newest == datetime(2026, 11, 21, 10, 5, tzinfo=UTC)
    assert seen.written == datetime(2026, 11, 21, 9, 0, 0, 123456, tzinfo=UTC)
    url = unquote(script.requests[-1].url)
    assert "$filter=EntityName eq 'mssp-onboarding'" in url, "of this hub, not of its neighbours"
    assert "metricnames=IncomingMessages" in url
    assert url.partition("?")[0].endswith("/namespaces/evh-siem/providers/Microsoft.Insights/metrics")


@pytest.mark.parametrize("silent", [metric(), metric(0, 0), answer(200, {"value": []})])
def test_no_message_at_all(monkeypatch: pytest.MonkeyPatch, silent: Any) -> None:
    seen, _script = look(monkeypatch, THERE, listed(RAW_HUB), silent)
    assert (seen.served, seen.newest, seen.records, seen.written) == (1, None, 0, None)


def test_what_is_not_there_serves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(monkeypatch, MISSING)[0].served == 0
    assert look(monkeypatch, THERE, listed(changed({**RAW_HUB, "name": "other"})))[0].served == 0


def test_a_namespace_that_is_being_made_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, _script = look(monkeypatch, answer(200, changed(RAW_NAMESPACE, provisioningState="Creating")))
    assert seen.served == 1
    assert seen.written is not None


@pytest.mark.parametrize(
    "answers",
    [
        (THERE, listed(changed(RAW_HUB, createdAt="yesterday")), metric(1)),
        (THERE, listed(MADE), answer(200, {})),
        (THERE, listed(MADE), answer(200, {"value": [{}]})),
        (THERE, listed(MADE), answer(200, {"value": [{"timeseries": [{"data": [{"total": 1}]}]}]})),
        (THERE, listed(MADE), answer(403, {"error": {"code": "AuthorizationFailed", "message": "no"}})),
    ],
)
def test_what_cannot_be_read_is_an_error(monkeypatch: pytest.MonkeyPatch, answers: tuple[Any, ...]) -> None:
    with pytest.raises(OnboardingError):
        look(monkeypatch, *answers)
