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


def test_each_is_found_by_its_own_serial_number(tmp_path: Path) -> None:
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now))
    (tmp_path / "today.log").write_text(f'{stamp} 192.0.2.1 <30>device_serial_id="{OTHER}" log_id="1"\n')
    firewalls = [one(), one(firewall="branch", serial_number=OTHER)]
    params = {"path": str(tmp_path), "firewalls": firewalls, "since": now, "wait_seconds": 0.0, "stale_minutes": 60}
    flows = asyncio.run(arrivals.run(params, None, None, check=False, diff=False))["flows"]
    assert [(found["source"], found["state"]) for found in flows] == [("hq", STALE), ("branch", FLOWING)]
