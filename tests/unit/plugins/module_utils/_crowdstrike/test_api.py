# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CrowdStrike answers: how long it asks to be left alone, and which streams are free."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.redaction import Redactor
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike.api import Preflight, _patience


def test_the_moment_that_crowdstrike_tells_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)
    assert _patience({"X-Ratelimit-Retryafter": "1800000020"}, 1) == 20
    assert _patience({"X-Ratelimit-Retryafter": "1799999999"}, 1) == 1
    assert _patience({"X-Ratelimit-Retryafter": "9" * 40, "Retry-After": "7"}, 1) == 7
    assert _patience({"Retry-After": "7"}, 1) == 7


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"resources": [{"dataFeedURL": "x"}]}, {"scope": "ok", "app_id": "ok"}),
        ({"resources": []}, {"scope": "ok", "app_id": "missing"}),
        ({"resources": None}, {"scope": "ok", "app_id": "missing"}),
        ({"resources": "none"}, {"scope": "unknown"}),
        ({}, {"scope": "unknown"}),
        (None, {"scope": "unknown"}),
    ],
)
def test_only_a_list_of_streams_says_which_are_free(body: Any, told: dict[str, str]) -> None:
    cid: Any = SimpleNamespace(name="main", app_id="mssp")
    checks = Preflight(cid, {"running": []}, Redactor())

    async def ask(*_call: Any, **_request: Any) -> Any:
        return SimpleNamespace(status=200, body=body)

    checks._ask = ask  # type: ignore[method-assign]
    asyncio.run(checks._streams(None, "token"))
    assert {found.check: found.status for found in checks.findings} == told
