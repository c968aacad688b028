# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A firewall's records are found by its serial number, and silence is told from what nobody could look at."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import (
    ABSENT,
    FLOWING,
    STALE,
    UNREADABLE,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._sophos import arrivals

NOW = 1_796_000_000.0
ONE, OTHER = "C01001ABCDEF123", "C01001ABCDEF1234"
STALE_AFTER = 3600.0


def line(serial: str, at: int) -> str:
    return f'2026-11-30T10:{at:02d}:00.5+00:00 192.0.2.1 <30>device_name="SFW" device_serial_id="{serial}" log_id="1"\n'


def minute(at: int) -> float:
    return 1_796_032_800.5 + 60 * at


def one(**given: Any) -> dict[str, Any]:
    return {"firewall": "hq", "serial_number": ONE, "configured": True, "probed": False, "problem": "", "next_step": "",
            **given}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "newest", "state", "code"),
    [
        ({}, NOW - 60, FLOWING, ""),
        ({"configured": False}, NOW - 60, FLOWING, ""),
        ({"configured": None}, NOW - 60, FLOWING, ""),
        ({}, NOW - 7200, STALE, ""),
        ({"probed": True}, NOW - 7200, STALE, "probe_lost"),
        ({"probed": True}, None, STALE, "probe_lost"),
        ({"configured": False}, None, ABSENT, ""),
        ({"configured": None, "problem": "AuthenticationFailure"}, None, UNREADABLE, ""),
        ({"configured": None, "problem": "AuthenticationFailure"}, NOW - 7200, UNREADABLE, ""),
    ],
)
def test_states(given: dict[str, Any], newest: float | None, state: str, code: str) -> None:
    found = arrivals.flow(one(**given), newest, NOW - 10, NOW, STALE_AFTER)
    assert (found.state, found.code) == (state, code)
    assert bool(found.next_step) == (state != FLOWING)
    assert found.facts["serial_number"] == ONE


def test_what_arrived_without_the_probe_is_told() -> None:
    late = arrivals.flow(one(probed=True), NOW - 60, NOW - 10, NOW, STALE_AFTER)
    assert (late.state, late.facts["probe_arrived"]) == (FLOWING, False)
    assert late.message
    assert arrivals.flow(one(probed=True), NOW - 1, NOW - 10, NOW, STALE_AFTER).facts["probe_arrived"] is True


def test_it_waits_for_those_that_were_probed_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def newest(_path: str, _serials: Any) -> dict[str, float]:
        looks.append(1)
        return {ONE: minute(len(looks))}

    monkeypatch.setattr(arrivals, "newest", newest)
    monkeypatch.setattr(arrivals, "POLL_SECONDS", 0.0)
    assert arrivals.awaited(str(tmp_path), [ONE, OTHER], [ONE], minute(3), 60.0) == {ONE: minute(3)}
    assert arrivals.awaited(str(tmp_path), [ONE], [], minute(9), 60.0) == {ONE: minute(4)}
    assert arrivals.awaited(str(tmp_path), [ONE], [ONE], minute(99), 0.0) == {ONE: minute(5)}


def test_a_store_that_cannot_be_read_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_args: Any) -> dict[str, float]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(arrivals, "newest", denied)
    params = {"path": "/x", "firewalls": [one()], "since": 0.0, "wait_seconds": 0.0, "stale_minutes": 60}
    found = asyncio.run(arrivals.run(params, None, None, check=False, diff=False))
    assert (found["summary"]["outcome"], found["flows"][0]["state"]) == ("unknown", UNREADABLE)
    assert "/x: Permission denied" in found["flows"][0]["message"]
    assert "root" in found["flows"][0]["next_step"]


def test_limits_are_minutes_and_the_clocks_may_be_a_little_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(arrivals, "newest", lambda *_args: {ONE: now - 2, OTHER: now - 70 * 60})
    firewalls = [one(probed=True), one(firewall="branch", serial_number=OTHER)]
    params = {"path": "/x", "firewalls": firewalls, "since": now, "wait_seconds": 0.0, "stale_minutes": 60}
    first, second = asyncio.run(arrivals.run(params, None, None, check=False, diff=False))["flows"]
    assert (first["state"], first["probe_arrived"], second["state"]) == (FLOWING, True, STALE)
    for wrong in ({"wait_seconds": -1.0}, {"stale_minutes": 0}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            asyncio.run(arrivals.run({**params, **wrong}, None, None, check=False, diff=False))
