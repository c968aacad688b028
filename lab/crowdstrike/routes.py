# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CrowdStrike's paths."""

from __future__ import annotations

from lab.crowdstrike import api
from lab.kernel.http import Call
from lab.kernel.registration import Operation

_NOTHING = Operation("unknown", api.nothing)
_ROUTES: dict[tuple[str, str], Operation] = {
    ("POST", "/oauth2/token"): Operation("falcon.token", api.token),
    ("POST", "/oauth2/revoke"): Operation("falcon.revoke", api.revoke),
    ("GET", "/sensors/entities/datafeed/v2"): Operation("falcon.discover", api.discover, api.enter),
    ("GET", api.FEED): Operation("falcon.feed", api.feed, api.enter_feed),
    ("POST", api.ACTIONS): Operation("falcon.refresh", api.refresh, api.enter),
}
OPERATIONS = tuple(_ROUTES.values())


def find(call: Call) -> Operation:
    head = call.low[: call.low.rfind("/") + 1]
    return _ROUTES.get((call.method, call.low)) or _ROUTES.get((call.method, head)) or _NOTHING
