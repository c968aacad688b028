# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long CrowdStrike asks to be left alone."""

from __future__ import annotations

import time

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike.api import _patience


def test_the_moment_that_crowdstrike_tells_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)
    assert _patience({"X-Ratelimit-Retryafter": "1800000020"}, 1) == 20
    assert _patience({"X-Ratelimit-Retryafter": "1799999999"}, 1) == 1
    assert _patience({"X-Ratelimit-Retryafter": "9" * 40, "Retry-After": "7"}, 1) == 7
    assert _patience({"Retry-After": "7"}, 1) == 7
