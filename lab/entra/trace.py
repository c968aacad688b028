# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The headers by which Microsoft's services find a request again."""

from __future__ import annotations

from lab.kernel.http import Call


def trace(call: Call, number: str) -> None:
    call.extra["x-ms-request-id"] = number
    call.extra["x-ms-correlation-request-id"] = call.headers.get("x-ms-correlation-request-id", number)
