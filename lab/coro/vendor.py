# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coro, registered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lab.coro import control, delivery, routes
from lab.coro.state import Coro, load
from lab.kernel.http import Call
from lab.kernel.registration import Vendor


def _trace(call: Call, number: str) -> None:
    call.extra["X-Coro-Trace-Id"] = number


def _status(coro: Coro) -> dict[str, Any]:
    return {"workspaces": len(coro.workspaces), "connectors": sum(len(held) for held in coro.held.values())}


def _files(coro: Coro) -> Iterator[tuple[str, str]]:
    for client in coro.clients.values():
        yield f"{client.client_id}.secret", client.secret


VENDOR = Vendor(
    name="coro",
    state=Coro,
    load=load,
    segments=frozenset({"oauth", "v1"}),
    find=routes.find,
    operations=routes.OPERATIONS,
    # The shape of every error here; assumed.
    shapes={"flat": lambda code, message, _status: {"code": code, "message": message}},
    throttled=("TOO_MANY_REQUESTS", "Too many requests."),
    trace=_trace,
    control={("GET", ""): control.state, ("POST", ""): control.apply},
    advanced=delivery.retry_due,
    status=_status,
    files=_files,
)
