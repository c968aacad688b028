# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time that a task may take, over everything: pages, retries, slow bodies, silence, waits that are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .errors import OutOfTimeError


@asynccontextmanager
async def time_limit(seconds: float, operation: str) -> AsyncIterator[None]:
    """At most so many seconds, 0 for no limit. Raises OutOfTimeError."""
    limit = asyncio.timeout(seconds or None)
    try:
        async with limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise OutOfTimeError(operation, f"the time limit of {seconds:g} s is over", code="TimeLimit") from error
