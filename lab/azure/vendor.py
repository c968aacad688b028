# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure, registered."""

from __future__ import annotations

from typing import Any

from lab.azure import control, mutations, routes, scenario
from lab.azure.state import Azure
from lab.entra.trace import trace
from lab.kernel.http import Call
from lab.kernel.registration import Vendor


def _partial(value: Any, code: str, message: str) -> Any:
    """A Log Analytics answer with an error beside its rows."""
    error = {
        "code": "PartialError",
        "message": "There were some errors when processing your query.",
        "details": [{"code": code, "message": message}],
    }
    return {**value, "error": error}


def _in_subscription(call: Call, wanted: str) -> bool:
    return f"/subscriptions/{wanted.lower()}" in call.low


VENDOR = Vendor(
    name="azure",
    state=Azure,
    load=scenario.load,
    segments=routes.SEGMENTS,
    find=routes.find,
    operations=routes.OPERATIONS,
    shapes={
        "nested": lambda code, message, _status: {"error": {"code": code, "message": message}},
        "flat": lambda code, message, _status: {"code": code, "message": message},  # of Microsoft.Insights
    },
    next_link="nextLink",
    trace=trace,
    faults={"partial": _partial},
    criteria={"subscription": _in_subscription},
    control={("GET", "world"): control.world, ("GET", "messages"): control.messages},
    mutations=mutations.MUTATIONS,
    drift=mutations.drift,
    status=control.status,
)
