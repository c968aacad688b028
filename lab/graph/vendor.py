# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph, registered."""

from __future__ import annotations

from lab.graph import routes
from lab.graph.state import Graph
from lab.kernel.http import Call
from lab.kernel.registration import Vendor


def trace(call: Call, number: str) -> None:
    call.extra.setdefault("request-id", number)  # a fault answers before there is one


VENDOR = Vendor(
    name="graph",
    state=Graph,
    segments=frozenset({"graph"}),
    find=routes.find,
    operations=routes.OPERATIONS,
    next_link="@odata.nextLink",
    trace=trace,
)
